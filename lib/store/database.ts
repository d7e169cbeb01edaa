// The database: the log with its bodies, and the tables of people, of rooms and of the search beside them. One prepared
// statement for each thing that is done with them. Knows nothing of rules, threads or HTTP.

import { blockTables, type BlockTables } from './tables/block-tables.ts'
import { Connection } from './connection.ts'
import type { LoggedEvent, NewEvent } from './log/event-log.ts'
import { EventRows, type Raw } from './event-rows.ts'
import { bringUpToDate, type MigrationOptions } from './tables/migrate.ts'
import { peopleTables, type PeopleTables } from './tables/people-tables.ts'
import { roomTables, type RoomTables } from './tables/room-tables.ts'
import { talkTables, type TalkTables } from './tables/talk-tables.ts'
import { SearchTables } from './search/search-tables.ts'

// A message as it is now: with the text, the mentions and the id of its newest edit, if there is one.
const messageColumns = `
  select e.id, e.type, e.rules, e.user, e.room, e.target, e.facts, b.text, b.facts as rest, d.event as edited,
    iif(d.event is null, b.name, (select name from bodies where event = e.id)) as name
  from events e left join edits d on d.message = e.id left join bodies b on b.event = coalesce(d.event, e.id)`

// An event that is no deleted message.
const kept = 'not exists (select 1 from deletions where message = e.id)'

// What one of the two of a direct room is shown there: they may have blocked the other for a while.
const shown = 'not exists (select 1 from unseen where message = e.id and user = ?)'

/** A room, and for one of two who looks at it. */
export interface Place {
  id: number
  reader?: number | undefined
}

function shownIn({ reader }: Place): [where: string, ...values: number[]] {
  return reader === undefined ? [kept] : [`${kept} and ${shown}`, reader]
}

type BodyPart = 'text' | 'name' | 'facts'

/** A message as it is now. */
export interface MessageRow extends LoggedEvent {
  /** The edit that it has its text from. */
  edited: number | null
}

/** The first event of a log tells what it is called, and what it hashes names with. */
export interface LogRow {
  /** Public; it tells two of them apart. */
  id: string
  secret: string
}

export class Database {
  readonly people: PeopleTables
  readonly rooms: RoomTables
  readonly talk: TalkTables
  readonly blocks: BlockTables
  readonly search: SearchTables
  #connection: Connection
  #rows: EventRows
  #emptied = false

  private constructor(connection: Connection) {
    this.#connection = connection
    this.people = peopleTables(connection)
    this.rooms = roomTables(connection)
    this.talk = talkTables(connection)
    this.blocks = blockTables(connection)
    this.search = new SearchTables(connection)
    this.#rows = new EventRows(connection, { people: this.people, rooms: this.rooms })
  }

  /** Opens the file for its one writer, makes it if it is not there, and brings it up to the newest version. */
  static openForWriting(file: string, options: MigrationOptions): Database {
    let connection = Connection.forWriting(file, options)
    try {
      connection = bringUpToDate(connection, file, options)
      const database = new Database(connection)
      // Killed right after a deletion was committed, it left what that took away in the log.
      database.#emptied = !database.#emptyLog()
      return database
    } catch (error) {
      connection.close()
      throw error
    }
  }

  /** A second one beside the writer's: see `Connection.forReading`. */
  static openForReading(file: string, onDamage: (cause: string) => void = () => {}): Database {
    return new Database(Connection.forReading(file, onDamage))
  }

  /** Only for reading, and nothing is changed: see `Connection.forChecking`. */
  static openToCheck(file: string): Database {
    return new Database(Connection.forChecking(file))
  }

  close(): void {
    this.#connection.close()
  }

  begin(): void {
    this.#connection.run('begin immediate')
  }

  commit(): void {
    this.search.keepSize()
    this.#connection.run('commit')
    if (this.#emptied) this.#emptied = !this.#emptyLog()
  }

  // What was emptied still stands in the write-ahead log until that is emptied too. It is committed all the same: if somebody is
  // reading just now, or the disk is full, the next commit tries again.
  #emptyLog(): boolean {
    try {
      return this.#connection.get<{ busy: number }>('pragma wal_checkpoint(truncate)')?.busy === 0
    } catch {
      return false
    }
  }

  rollback(): void {
    if (this.#connection.inTransaction) this.#connection.run('rollback')
    this.search.forgetSize()
    this.forget()
  }

  /** How often somebody or something that is recalled was changed here. */
  get changes(): number {
    return this.#connection.changes
  }

  /** Recalls nothing: somebody else has changed it. */
  forget(): void {
    this.#connection.forget()
  }

  // The log

  newestEvent(): number {
    return this.#connection.get<{ id: number | null }>('select max(id) as id from events')?.id ?? 0
  }

  /** What the log is called; undefined before its first event. */
  log(): LogRow | undefined {
    return this.#connection.recall<LogRow>('select id, secret from log')
  }

  insertLog(event: number, { id, secret }: LogRow): void {
    this.#connection.run('insert into log (event, id, secret) values (?, ?, ?)', event, id, secret)
  }

  insertEvent(id: number, { type, rules, user, room, target, facts, body, key, print }: NewEvent): void {
    this.#connection.run(
      'insert into events (id, type, rules, user, room, target, facts, key, print) values (?, ?, ?, ?, ?, ?, ?, ?, ?)',
      id,
      type,
      rules,
      user ?? null,
      room ?? null,
      target ?? null,
      facts ? JSON.stringify(facts) : null,
      key ?? null,
      print ?? null,
    )
    if (!body) return
    // Most messages have nothing else. What is undefined JSON leaves out.
    let others: string | null = null
    for (const part in body)
      if (part !== 'text' && part !== 'name') others ??= JSON.stringify({ ...body, text: undefined, name: undefined })
    this.#connection.run(
      'insert into bodies (event, text, name, facts) values (?, ?, ?, ?)',
      id,
      body.text ?? null,
      body.name ?? null,
      others,
    )
  }

  /** Its skeleton: no rule looks at what somebody said. */
  event(id: number): Pick<LoggedEvent, 'type' | 'user' | 'room' | 'target'> | undefined {
    return this.#connection.get('select type, user, room, target from events where id = ?', id)
  }

  /** The id of the first one, or undefined. */
  firstEvent(): number | undefined {
    return this.#connection.get<{ id: number }>('select id from events order by id limit 1')?.id
  }

  eventByKey(user: number, key: string): { id: number; room: number | null; print: string } | undefined {
    return this.#connection.get('select id, room, print from events where user = ? and key = ?', user, key)
  }

  eventsAfter(id: number, limit: number): LoggedEvent[] {
    const rows = this.#connection.all<Raw<LoggedEvent>>(
      'select id, type, rules, user, room, target, facts from events where id > ? order by id limit ?',
      id,
      limit,
    )
    // Two walks along two tables take three quarters of the time of one that looks each text up in the other.
    const bodies = this.#connection.all<{
      event: number
      text: string | null
      name: string | null
      facts: string | null
    }>(
      'select event, text, name, facts from bodies where event > ? and event <= ? order by event',
      id,
      rows.at(-1)?.id ?? id,
    )
    let at = 0
    for (const row of rows) {
      while (at < bodies.length && bodies[at]!.event < row.id) at++
      const body = bodies[at]?.event === row.id ? bodies[at]! : noBody
      // Of bodies only what people said: a password's hash is `passwordHash`'s to give.
      row.text = row.type === 'message' || row.type === 'edit' ? body.text : null
      row.name = body.name
      row.rest = body.facts
    }
    return this.#rows.fill<LoggedEvent>(rows)
  }

  #messages(where: string, ...values: number[]): MessageRow[] {
    return this.#rows.fill<MessageRow>(this.#connection.all(`${messageColumns} where ${where}`, ...values))
  }

  // Up to the one whose text is too much.
  #messagesUpTo(characters: number, where: string, ...values: number[]): MessageRow[] {
    const rows: Raw<MessageRow>[] = []
    let left = characters
    for (const row of this.#connection.iterate<Raw<MessageRow>>(`${messageColumns} where ${where}`, ...values)) {
      rows.push(row)
      left -= row.text?.length ?? 0
      if (left < 0) break
    }
    return this.#rows.fill<MessageRow>(rows)
  }

  /** The newest first, among so many that are deleted or not. */
  lastMessageIds(room: Place, { before, limit, looked }: { before: number; limit: number; looked: number }): number[] {
    const [which, ...values] = shownIn(room)
    const sql = `select e.id from (select id from events where room = ? and type = 'message' and id < ? order by id desc limit ?) e where ${which} order by e.id desc limit ?`
    return this.#connection.all<{ id: number }>(sql, room.id, before, looked, ...values, limit).map(({ id }) => id)
  }

  /** By room and id: a message of another room costs the same as none. */
  messageIn(room: number, id: number): MessageRow | undefined {
    return this.#messages("e.id = ? and e.room = ? and e.type = 'message'", id, room)[0]
  }

  /**
   * What somebody wrote, of the so many events before an id: the newest first, and the id before which to go on. They have the id of
   * the event that made them, and so wrote nothing before it.
   */
  messageIdsOf(
    user: number,
    { before, looked }: { before: number; looked: number },
  ): { ids: number[]; before: number | undefined } {
    const oldest = this.#connection.get<{ id: number }>(
      'select id from events where id < ? and id > ? order by id desc limit 1 offset ?',
      before,
      user,
      looked - 1,
    )?.id
    const sql = `select id from events e where id < ? and id >= ? and type = 'message' and user = ? and ${kept} order by id desc`
    return {
      ids: this.#connection.all<{ id: number }>(sql, before, oldest ?? user, user).map(({ id }) => id),
      before: oldest,
    }
  }

  message(id: number): MessageRow | undefined {
    return this.#messages("e.id = ? and e.type = 'message'", id)[0]
  }

  /** From `edge` on. Read no further than to the one with which the texts have more than so many characters. */
  messagesBefore(
    room: Place,
    id: number,
    { edge, limit, characters }: { edge: number; limit: number; characters: number },
  ): MessageRow[] {
    const [which, ...values] = shownIn(room)
    return this.#messagesUpTo(
      characters,
      `e.room = ? and e.type = 'message' and e.id < ? and e.id >= ? and ${which} order by e.id desc limit ?`,
      room.id,
      id,
      edge,
      ...values,
      limit,
    )
  }

  /** Up to `edge`. */
  messagesAfter(
    room: Place,
    id: number,
    { edge, limit, characters }: { edge: number; limit: number; characters: number },
  ): MessageRow[] {
    const [which, ...values] = shownIn(room)
    return this.#messagesUpTo(
      characters,
      `e.room = ? and e.type = 'message' and e.id > ? and e.id <= ? and ${which} order by e.id limit ?`,
      room.id,
      id,
      edge,
      ...values,
      limit,
    )
  }

  isDeleted(message: number): boolean {
    return this.#connection.get('select 1 from deletions where message = ?', message) !== undefined
  }

  insertDeletion(message: number, event: number): void {
    this.#connection.run('insert into deletions (message, event) values (?, ?)', message, event)
  }

  /**
   * Takes away these parts of an event's body, here and in the search; their bytes are gone from the files with the commit. They
   * are written over, and no row goes: where rows go SQLite moves others together, and leaves copies of them in the unused part of
   * a page, which `secure_delete` does not look at when their time comes.
   */
  emptyBody(event: number, parts: readonly BodyPart[]): void {
    const bytes = this.#connection.get<Record<BodyPart, number | null>>(
      'select octet_length(text) as text, octet_length(name) as name, octet_length(facts) as facts from bodies where event = ?',
      event,
    )
    for (const part of parts) {
      if (!bytes?.[part]) continue
      this.#connection.run(`update bodies set ${part} = ? where event = ?`, '\x01'.repeat(bytes[part]), event)
      if (part === 'text') this.search.empty(event)
      this.#emptied = true
    }
  }

  /** A password's hash, by the event that set it. */
  passwordHash(event: number): string | undefined {
    return this.#connection.get<{ text: string }>('select text from bodies where event = ?', event)?.text
  }

  // The whole

  /** What is wrong with the pages, the indexes and the search, at most so many. */
  faults(limit: number): string[] {
    const found = this.#connection
      .all<{ integrity_check: string }>(`pragma integrity_check(${limit})`)
      .map((row) => row.integrity_check)
      .filter((text) => text !== 'ok')
    const messages = this.#connection.get<{ count: number }>(
      "select count(*) as count from bodies b join events e on e.id = b.event where e.type in ('message', 'edit') and b.text is not null",
    )!.count
    const missing = messages - this.search.count()
    return missing > 0 ? [...found, `${missing} messages are not in the search`] : found
  }

  /** The tables that the log adds up to. */
  stateTables(): string[] {
    return this.#connection
      .all<{ name: string }>(`
      select name from sqlite_schema
      where type = 'table' and name not like 'search%' and name not like 'sqlite%' and name not in ('events', 'bodies', 'reads')`)
      .map(({ name }) => name)
  }

  rowsOf(table: string): Iterator<unknown> {
    return this.#connection.iterate(`select * from ${table} order by 1, 2`)
  }
}

const noBody = { text: null, name: null, facts: null }
