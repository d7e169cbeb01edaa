// The database: the log with its bodies, and the tables of people, of rooms and of the search beside them. One prepared
// statement for each thing that is done with them. Knows nothing of rules, threads or HTTP.

import { Connection } from './connection.ts'
import type { LoggedEvent, NewEvent } from './event-log.ts'
import { peopleTables, type PeopleTables } from './people-tables.ts'
import { roomTables, type RoomTables } from './room-tables.ts'
import { talkTables, type TalkTables } from './talk-tables.ts'
import { applicationId, migrations } from './schema.ts'
import { SearchTables } from './search-tables.ts'

// What it says, unless that was emptied.
const textOf = "iif(b.text glob char(1) || '*', null, b.text) as text"

// A message as it is now: with the text, the mentions and the id of its newest edit, if there is one.
const messageColumns = `
  select e.id, e.type, e.rules, e.user, e.name, e.room, e.target, x.facts as facts, ${textOf}, d.event as edited
  from events e left join edits d on d.message = e.id join events x on x.id = coalesce(d.event, e.id) left join bodies b on b.event = x.id`

// An event that is no deleted message.
const kept = 'not exists (select 1 from deletions where message = e.id)'

/** A message as it is now. */
export interface MessageRow extends LoggedEvent {
  /** The edit that it has its text from. */
  edited: number | null
}

export class Database {
  readonly people: PeopleTables
  readonly rooms: RoomTables
  readonly talk: TalkTables
  readonly search: SearchTables
  #connection: Connection
  #emptied = false

  private constructor(connection: Connection) {
    this.#connection = connection
    this.people = peopleTables(connection)
    this.rooms = roomTables(connection)
    this.talk = talkTables(connection)
    this.search = new SearchTables(connection)
  }

  /** Opens the file for its one writer, makes it if it is not there, and brings it up to the newest version. */
  static openForWriting(file: string, options: { durable: boolean }): Database {
    const connection = Connection.forWriting(file, options)
    try {
      const { user_version: version } = connection.get<{ user_version: number }>('pragma user_version')!
      for (const [step, migration] of [...migrations.entries()].slice(version)) {
        connection.execute(`begin; pragma application_id = ${applicationId}; ${migration}; pragma user_version = ${step + 1}; commit`)
        // The header of the file itself tells the version, so that an older natter can refuse it without opening it.
        connection.execute('pragma wal_checkpoint(truncate)')
      }
      const database = new Database(connection)
      database.search.takeOver()
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

  insertEvent(id: number, { type, rules, user, room, target, facts, text, key, print }: NewEvent, name: string | undefined): void {
    this.#connection.run(
      'insert into events (id, type, rules, user, name, room, target, facts, key, print) values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)',
      id, type, rules, user ?? null, name ?? null, room ?? null, target ?? null, facts ? JSON.stringify(facts) : null, key ?? null, print ?? null,
    )
    if (text !== undefined) this.#connection.run('insert into bodies (event, text) values (?, ?)', id, text)
  }

  /** Its skeleton: no rule looks at what somebody said. */
  event(id: number): Pick<LoggedEvent, 'type' | 'user' | 'room' | 'target'> | undefined {
    return this.#connection.get('select type, user, room, target from events where id = ?', id)
  }

  hasEvent(id: number): boolean {
    return this.#connection.get('select 1 from events where id = ?', id) !== undefined
  }

  eventByKey(user: number, key: string): { id: number; print: string } | undefined {
    return this.#connection.get('select id, print from events where user = ? and key = ?', user, key)
  }

  eventsAfter(id: number, limit: number): LoggedEvent[] {
    const rows = this.#connection.all<LoggedEvent>('select id, type, rules, user, name, room, target, facts from events where id > ? order by id limit ?', id, limit)
    // Two walks along two tables take three quarters of the time of one that looks each text up in the other.
    const bodies = this.#connection.all<{ event: number; text: string | null }>(`select event, ${textOf} from bodies b where event > ? and event <= ? order by event`, id, rows.at(-1)?.id ?? id)
    let at = 0
    for (const row of rows) {
      while (at < bodies.length && bodies[at]!.event < row.id) at++
      const text = bodies[at]?.event === row.id ? bodies[at]!.text : null
      // Of bodies only what people said: a password's hash is `passwordHash`'s to give.
      row.text = row.type === 'message' || row.type === 'edit' ? text : null
    }
    return this.#whole(rows)
  }

  #messages(where: string, ...values: number[]): MessageRow[] {
    return this.#whole(this.#connection.all<MessageRow>(`${messageColumns} where ${where}`, ...values))
  }

  // Who and where is the same for most rows of a page: recalled, and not joined to each.
  #whole<Row extends LoggedEvent>(rows: readonly Row[]): Row[] {
    return rows.map((row) => {
      const room = row.room === null ? undefined : this.rooms.room(row.room)
      const first = row.type === 'edit' ? this.#connection.get<{ firstName: string }>('select name as firstName, target as firstTarget from events where id = ?', row.target) : {}
      return { ...row, userKind: (row.user === null ? undefined : this.people.user(row.user)?.kind) ?? null, slug: room?.slug ?? null, roomKind: room?.kind ?? null, ...first }
    })
  }

  /**
   * The id after which the last so many events are that a user may see (0: nobody), among the newest `looked`; of private rooms
   * only what `maker` sees too.
   */
  beforeLastSeen({ user, maker = user, count, looked }: { user: number; maker?: number | undefined; count: number; looked: number }): number {
    const oldest = this.#connection.get<{ id: number }>('select id from events order by id desc limit 1 offset ?', looked)?.id ?? 0
    const found = this.#connection.get<{ id: number }>(
      `select e.id from events e left join rooms r on r.id = e.room
       where e.id > ? and (e.type in ('message', 'delete', 'join', 'leave', 'room', 'room_change', 'user', 'account', 'rename', 'role', 'ban', 'hosted', 'edit', 'reaction')
           or e.type in ('accept', 'token') and e.target is not null)
         and (coalesce(r.kind, 'open') = 'open' or exists (select 1 from members where room = r.id and user = ?))
         and (coalesce(r.kind, 'open') <> 'private' or exists (select 1 from members where room = r.id and user = ?))
         and (e.type not in ('message', 'edit') or exists (select 1 from bodies where event = e.id and text not glob char(1) || '*'))
       order by e.id desc limit 1 offset ?`,
      oldest, user, maker, count - 1,
    )
    return found ? found.id - 1 : oldest
  }

  /** The newest first. */
  lastMessageIds(room: number, before: number, limit: number): number[] {
    const sql = `select id from events e where room = ? and type = 'message' and id < ? and ${kept} order by id desc limit ?`
    return this.#connection.all<{ id: number }>(sql, room, before, limit).map(({ id }) => id)
  }

  message(id: number): MessageRow | undefined {
    return this.#messages("e.id = ? and e.type = 'message'", id)[0]
  }

  messagesBefore(room: number, id: number, limit: number): MessageRow[] {
    return this.#messages(`e.room = ? and e.type = 'message' and e.id < ? and ${kept} order by e.id desc limit ?`, room, id, limit)
  }

  messagesAfter(room: number, id: number, limit: number): MessageRow[] {
    return this.#messages(`e.room = ? and e.type = 'message' and e.id > ? and ${kept} order by e.id limit ?`, room, id, limit)
  }

  isDeleted(message: number): boolean {
    return this.#connection.get('select 1 from deletions where message = ?', message) !== undefined
  }

  insertDeletion(message: number, event: number): void {
    this.#connection.run('insert into deletions (message, event) values (?, ?)', message, event)
  }

  /**
   * Takes away what an event's body says, here and in the search; its bytes are gone from the files with the commit. They are
   * written over, and no row goes: where rows go SQLite moves others together, and leaves copies of them in the unused part of
   * a page, which `secure_delete` does not look at when their time comes.
   */
  emptyBody(event: number): void {
    const body = this.#connection.get<{ bytes: number }>('select octet_length(text) as bytes from bodies where event = ?', event)
    if (!body) return
    const nothing = '\x01'.repeat(body.bytes)
    this.#connection.run('update bodies set text = ? where event = ?', nothing, event)
    this.search.empty(event)
    this.#emptied = true
  }

  /** A password's hash, by the event that set it. */
  passwordHash(event: number): string | undefined {
    return this.#connection.get<{ text: string }>('select text from bodies where event = ?', event)?.text
  }

  // The whole

  /** What is wrong with the pages, the indexes and the search, at most so many. */
  faults(limit: number): string[] {
    const found = this.#connection.all<{ integrity_check: string }>(`pragma integrity_check(${limit})`).map((row) => row.integrity_check).filter((text) => text !== 'ok')
    const messages = this.#connection.get<{ count: number }>("select count(*) as count from bodies b join events e on e.id = b.event where e.type in ('message', 'edit')")!.count
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
