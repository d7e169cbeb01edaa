// The database: the log with its bodies, and the tables of people, of rooms and of the search beside them. One prepared
// statement for each thing that is done with them. Knows nothing of rules, threads or HTTP.

import { blockTables, type BlockTables } from './tables/block-tables.ts'
import { Connection } from './connection.ts'
import type { LoggedEvent, NewEvent } from './log/event-log.ts'
import { bringUpToDate, type MigrationOptions } from './tables/migrate.ts'
import { peopleTables, type PeopleTables, type UserRow } from './tables/people-tables.ts'
import { roomTables, type RoomRow, type RoomTables } from './tables/room-tables.ts'
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

/** Events that tell a user as they are from then on; those that don't have no target. */
export const tellsUser: readonly string[] = ['user', 'account', 'rename', 'role', 'ban', 'hosted', 'accept', 'token']

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

/** What was looked up beside a page of events: by id, what others of them show as well. */
interface Beside {
  id: number
  target: number | null
  name: string | null
  facts: string | null
}

export class Database {
  readonly people: PeopleTables
  readonly rooms: RoomTables
  readonly talk: TalkTables
  readonly blocks: BlockTables
  readonly search: SearchTables
  #connection: Connection
  #emptied = false

  private constructor(connection: Connection) {
    this.#connection = connection
    this.people = peopleTables(connection)
    this.rooms = roomTables(connection)
    this.talk = talkTables(connection)
    this.blocks = blockTables(connection)
    this.search = new SearchTables(connection)
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
      id, type, rules, user ?? null, room ?? null, target ?? null, facts ? JSON.stringify(facts) : null, key ?? null, print ?? null,
    )
    if (!body) return
    // Most messages have nothing else. What is undefined JSON leaves out.
    let others: string | null = null
    for (const part in body) if (part !== 'text' && part !== 'name') others ??= JSON.stringify({ ...body, text: undefined, name: undefined })
    this.#connection.run('insert into bodies (event, text, name, facts) values (?, ?, ?, ?)', id, body.text ?? null, body.name ?? null, others)
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
    const rows = this.#connection.all<LoggedEvent>('select id, type, rules, user, room, target, facts from events where id > ? order by id limit ?', id, limit)
    // Two walks along two tables take three quarters of the time of one that looks each text up in the other.
    const bodies = this.#connection.all<{ event: number; text: string | null; name: string | null; facts: string | null }>(
      'select event, text, name, facts from bodies where event > ? and event <= ? order by event', id, rows.at(-1)?.id ?? id)
    let at = 0
    for (const row of rows) {
      while (at < bodies.length && bodies[at]!.event < row.id) at++
      const body = bodies[at]?.event === row.id ? bodies[at]! : noBody
      // Of bodies only what people said: a password's hash is `passwordHash`'s to give.
      row.text = row.type === 'message' || row.type === 'edit' ? body.text : null
      row.name = body.name
      row.rest = body.facts
    }
    return this.#whole(rows)
  }

  #messages(where: string, ...values: number[]): MessageRow[] {
    return this.#whole(this.#connection.all<MessageRow>(`${messageColumns} where ${where}`, ...values))
  }

  // Up to the one whose text is too much.
  #messagesUpTo(characters: number, where: string, ...values: number[]): MessageRow[] {
    const rows: MessageRow[] = []
    let left = characters
    for (const row of this.#connection.iterate<MessageRow>(`${messageColumns} where ${where}`, ...values)) {
      rows.push(row)
      left -= row.text?.length ?? 0
      if (left < 0) break
    }
    return this.#whole(rows)
  }

  // Who and where is the same for most rows of a page: recalled, and not joined to each. The rows are this page's own, and filled in
  // as they are, since copies of them took a tenth of a replay.
  #whole<Row extends LoggedEvent>(rows: Row[]): Row[] {
    const beside = this.#beside(rows)
    for (const row of rows) {
      const user = row.user === null ? undefined : this.people.user(row.user)
      const room = row.room === null ? undefined : this.rooms.room(row.room)
      row.text = unlessEmptied(row.text)
      row.name = unlessEmptied(row.name) ?? user?.name ?? null
      row.rest = unlessEmptied(row.rest)
      row.userKind = user?.kind ?? null
      row.slug = room?.slug ?? null
      row.roomKind = room?.kind ?? null
      if (row.type !== 'message') this.#fillIn(row, { user, room, beside })
    }
    return rows
  }

  #fillIn(row: LoggedEvent, { user, room, beside }: { user: UserRow | undefined; room: RoomRow | undefined; beside: Map<number, Beside> }): void {
    if (row.type === 'edit') {
      const first = beside.get(row.target!)
      row.firstName = unlessEmptied(first?.name) ?? row.name
      row.firstTarget = first?.target ?? null
    } else if (row.type === 'reaction') {
      row.emoji = emojiIn(beside.get(holderOf(row)))
    } else if (row.type === 'block') {
      row.targetName = this.people.user(row.target!)?.name
    } else if (row.type === 'room' || row.type === 'room_change') {
      // The newest that has the room's name or its topic tells the whole of it, and those before tell nothing any more.
      row.name = room && row.id >= Math.max(room.named, room.described) ? room.name : null
      row.topic = room?.topic ?? ''
    } else if (tellsUser.includes(row.type)) {
      const about = row.type === 'user' ? user : row.target === null ? undefined : this.people.user(row.target)
      row.name = about && row.id >= about.named ? about.name : null
    }
  }

  // What edits and reactions show of other events. Most pages have a few, and many pages none.
  #beside(rows: readonly LoggedEvent[]): Map<number, Beside> {
    const ids = rows.flatMap((row) => (row.type === 'edit' ? [row.target] : row.type === 'reaction' ? [holderOf(row)] : []))
    if (ids.length === 0) return new Map()
    const found = this.#connection.all<Beside>(
      'select e.id, e.target, b.name, b.facts from json_each(?) j cross join events e on e.id = j.value left join bodies b on b.event = e.id', JSON.stringify(ids))
    return new Map(found.map((row) => [row.id, row]))
  }

  /**
   * The id after which the last so many events are that a user may see (0: nobody), among the newest `looked`; of private rooms
   * only what `maker` sees too, and with `mine` only what happens in rooms that they are in.
   */
  beforeLastSeen({ user, maker = user, mine = false, count, looked }: { user: number; maker?: number | undefined; mine?: boolean; count: number; looked: number }): number {
    const oldest = this.#connection.get<{ id: number }>('select id from events order by id desc limit 1 offset ?', looked)?.id ?? 0
    const found = this.#connection.get<{ id: number }>(
      `select e.id from events e left join rooms r on r.id = e.room
       where e.id > ? and (e.type in ('message', 'delete', 'join', 'leave', 'room', 'room_change', 'user', 'account', 'rename', 'role', 'ban', 'hosted', 'edit', 'reaction')
           or (e.type in ('accept', 'token') and e.target is not null) or (e.type = 'block' and e.user = ?))
         and ((coalesce(r.kind, 'open') = 'open' and not ?) or exists (select 1 from members where room = r.id and user = ?))
         and (coalesce(r.kind, 'open') <> 'private' or exists (select 1 from members where room = r.id and user = ?))
         and (coalesce(r.kind, 'open') <> 'direct' or (coalesce(json_extract(e.facts, '$.unseenBy'), 0) <> ?
           and (e.type not in ('join', 'leave') or e.user = ? or json_extract(e.facts, '$.slug') is not null)))
         and (e.type not in ('message', 'edit') or exists (select 1 from bodies where event = e.id and text not glob char(1) || '*'))
         and (e.type <> 'reaction' or not exists (select 1 from deletions where message = e.target))
         and (e.type not in ('room', 'room_change') or e.id >= max(r.named, r.described))
         and (e.type not in (${tellsUser.map((type) => `'${type}'`).join()}) or e.id >= (select named from users where id = iif(e.type = 'user', e.user, e.target)))
       order by e.id desc limit 1 offset ?`,
      oldest, user, Number(mine), user, maker, user, user, count - 1,
    )
    return found ? found.id - 1 : oldest
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
  messageIdsOf(user: number, { before, looked }: { before: number; looked: number }): { ids: number[]; before: number | undefined } {
    const oldest = this.#connection.get<{ id: number }>('select id from events where id < ? and id > ? order by id desc limit 1 offset ?', before, user, looked - 1)?.id
    const sql = `select id from events e where id < ? and id >= ? and type = 'message' and user = ? and ${kept} order by id desc`
    return { ids: this.#connection.all<{ id: number }>(sql, before, oldest ?? user, user).map(({ id }) => id), before: oldest }
  }

  message(id: number): MessageRow | undefined {
    return this.#messages("e.id = ? and e.type = 'message'", id)[0]
  }

  /** From `edge` on. Read no further than to the one with which the texts have more than so many characters. */
  messagesBefore(room: Place, id: number, { edge, limit, characters }: { edge: number; limit: number; characters: number }): MessageRow[] {
    const [which, ...values] = shownIn(room)
    return this.#messagesUpTo(characters, `e.room = ? and e.type = 'message' and e.id < ? and e.id >= ? and ${which} order by e.id desc limit ?`, room.id, id, edge, ...values, limit)
  }

  /** Up to `edge`. */
  messagesAfter(room: Place, id: number, { edge, limit, characters }: { edge: number; limit: number; characters: number }): MessageRow[] {
    const [which, ...values] = shownIn(room)
    return this.#messagesUpTo(characters, `e.room = ? and e.type = 'message' and e.id > ? and e.id <= ? and ${which} order by e.id limit ?`, room.id, id, edge, ...values, limit)
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
      'select octet_length(text) as text, octet_length(name) as name, octet_length(facts) as facts from bodies where event = ?', event)
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
    const found = this.#connection.all<{ integrity_check: string }>(`pragma integrity_check(${limit})`).map((row) => row.integrity_check).filter((text) => text !== 'ok')
    const messages = this.#connection.get<{ count: number }>("select count(*) as count from bodies b join events e on e.id = b.event where e.type in ('message', 'edit') and b.text is not null")!.count
    const missing = messages - this.search.count()
    return missing > 0 ? [...found, `${missing} messages are not in the search`] : found
  }

  /** The tables that the log adds up to. */
  stateTables(): string[] {
    return this.#connection.all<{ name: string }>(`
      select name from sqlite_schema
      where type = 'table' and name not like 'search%' and name not like 'sqlite%' and name not in ('events', 'bodies', 'reads')`).map(({ name }) => name)
  }

  rowsOf(table: string): Iterator<unknown> {
    return this.#connection.iterate(`select * from ${table} order by 1, 2`)
  }
}

const noBody = { text: null, name: null, facts: null }

// Text never begins with that character: see `cleanText`.
function unlessEmptied(part: string | null | undefined): string | null {
  return part === undefined || part === null || part.charCodeAt(0) === 1 ? null : part
}

// The event whose body has a reaction's emoji: it is the first with it, or names that.
function holderOf({ id, facts }: LoggedEvent): number {
  const { body = id } = JSON.parse(facts ?? '{}') as { body?: number }
  return body
}

function emojiIn(holder: Beside | undefined): string | null {
  const facts = unlessEmptied(holder?.facts)
  return facts === null ? null : (JSON.parse(facts) as { emoji: string }).emoji
}
