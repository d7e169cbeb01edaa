// One prepared statement for each thing that is done with the tables, which are in schema.ts.
// Knows nothing of rules, threads or HTTP. The only file that imports node:sqlite.

import type { DatabaseSync as Connection, StatementSync } from 'node:sqlite'
import { statSync } from 'node:fs'
import { pathToFileURL } from 'node:url'
import { ChatError, StartError } from '../errors.ts'
import type { LoggedEvent, NewEvent } from './event-log.ts'
import { applicationId, migrations } from './schema.ts'
import { codes, damaged, isDamage, sqliteCode } from './sqlite-errors.ts'

const { DatabaseSync } = loadQuietly()

export interface UserRow {
  id: number
  name: string
  kind: 'account' | 'guest' | 'unproven' | 'bot'
  role: 'owner' | 'admin' | 'member' | 'guest' | 'bot'
}

export interface RoomRow {
  id: number
  slug: string
  name: string
  kind: 'open' | 'private' | 'direct'
  changed: number
}

export interface SessionRow {
  hash: string
  user: number
  used: number
  ended: number | null
}

const eventColumns = `
  select e.id, e.type, e.rules, e.user, e.name, u.kind as userKind, e.target, e.facts, e.room, r.slug, r.kind as roomKind, iif(b.text glob char(1) || '*', null, b.text) as text
  from events e left join users u on u.id = e.user left join rooms r on r.id = e.room left join bodies b on b.event = e.id`

// An event that is no deleted message.
const kept = 'not exists (select 1 from deletions where message = e.id)'

export class Database {
  #connection: Connection
  #statements = new Map<string, StatementSync>()
  #emptied = false
  #onDamage: ((cause: string) => void) | undefined

  private constructor(connection: Connection, onDamage?: (cause: string) => void) {
    this.#connection = connection
    this.#onDamage = onDamage
  }

  /** Opens the file for its one writer, makes it if it is not there, and brings it up to the newest version. */
  static openForWriting(file: string, { durable }: { durable: boolean }): Database {
    const connection = new DatabaseSync(file, { timeout: 5000 })
    try {
      connection.exec(`
        pragma journal_mode = wal;
        pragma synchronous = ${durable ? 'full' : 'off'};
        pragma secure_delete = on;
        pragma temp_store = memory;
      `)
      const { user_version: version } = connection.prepare('pragma user_version').get() as { user_version: number }
      for (const [step, migration] of [...migrations.entries()].slice(version)) {
        connection.exec(`begin; pragma application_id = ${applicationId}; ${migration}; pragma user_version = ${step + 1}; commit`)
        // The header of the file itself tells the version, so that an older natter can refuse it without opening it.
        connection.exec('pragma wal_checkpoint(truncate)')
      }
      return new Database(connection)
    } catch (error) {
      // Left open, it would leave its files beside one that was to stay as it is.
      connection.close()
      throw error
    }
  }

  /**
   * A second connection beside the writer's; it sees each commit at once. Reading a page that is damaged throws a ChatError
   * `storage_damaged`, after `onDamage` was told.
   */
  static openForReading(file: string, onDamage: (cause: string) => void = () => {}): Database {
    const connection = new DatabaseSync(file, { readOnly: true, timeout: 5000 })
    connection.exec('pragma mmap_size = 268435456; pragma cache_size = -16384')
    return new Database(connection, onDamage)
  }

  /** Only for reading, and nothing is changed: not even what a crash left is put in order. Nobody else may have it open. */
  static openToCheck(file: string): Database {
    const url = pathToFileURL(file)
    // Without a write-ahead log the file is all there is, and SQLite has no need of its other files beside it.
    if (!statSync(`${file}-wal`, { throwIfNoEntry: false })?.size) url.searchParams.set('immutable', '1')
    return new Database(new DatabaseSync(url, { readOnly: true }))
  }

  close(): void {
    this.#statements.clear()
    this.#connection.close()
  }

  begin(): void {
    this.#statement('begin immediate').run()
  }

  commit(): void {
    this.#statement('commit').run()
    if (this.#emptied) this.#emptied = !this.#emptyLog()
  }

  // What was emptied still stands in the write-ahead log until that is emptied too. It is committed all the same: if somebody is
  // reading just now, or the disk is full, the next commit tries again.
  #emptyLog(): boolean {
    try {
      return this.#get<{ busy: number }>('pragma wal_checkpoint(truncate)')?.busy === 0
    } catch {
      return false
    }
  }

  rollback(): void {
    if (this.#connection.isTransaction) this.#statement('rollback').run()
  }

  // The log

  newestEvent(): number {
    return this.#get<{ id: number | null }>('select max(id) as id from events')?.id ?? 0
  }

  insertEvent(id: number, { type, rules, user, room, target, facts, text, key, print }: NewEvent, name: string | undefined): void {
    this.#run(
      'insert into events (id, type, rules, user, name, room, target, facts, key, print) values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)',
      id, type, rules, user ?? null, name ?? null, room ?? null, target ?? null, facts ? JSON.stringify(facts) : null, key ?? null, print ?? null,
    )
    if (text !== undefined) this.#run('insert into bodies (event, text) values (?, ?)', id, text)
  }

  event(id: number): LoggedEvent | undefined {
    return this.#get(`${eventColumns} where e.id = ?`, id)
  }

  hasEvent(id: number): boolean {
    return this.#get('select 1 from events where id = ?', id) !== undefined
  }

  eventByKey(user: number, key: string): { id: number; print: string } | undefined {
    return this.#get('select id, print from events where user = ? and key = ?', user, key)
  }

  eventsAfter(id: number, limit: number): LoggedEvent[] {
    return this.#all(`${eventColumns} where e.id > ? order by e.id limit ?`, id, limit)
  }

  /** The id after which the last so many events are that everyone may see, among the newest `looked`. */
  beforeLastOpen(count: number, looked: number): number {
    const oldest = this.#get<{ id: number }>('select id from events order by id desc limit 1 offset ?', looked)?.id ?? 0
    const found = this.#get<{ id: number }>(
      `select e.id from events e left join rooms r on r.id = e.room
       where e.id > ? and e.type in ('message', 'delete', 'join', 'leave', 'room', 'user') and coalesce(r.kind, 'open') = 'open'
         and ${kept} order by e.id desc limit 1 offset ?`,
      oldest, count - 1,
    )
    return found ? found.id - 1 : oldest
  }

  lastMessageIds(room: number, limit: number): number[] {
    const sql = `select id from events e where room = ? and type = 'message' and ${kept} order by id desc limit ?`
    return this.#all<{ id: number }>(sql, room, limit).map(({ id }) => id)
  }

  messagesBefore(room: number, id: number, limit: number): LoggedEvent[] {
    return this.#all(`${eventColumns} where e.room = ? and e.type = 'message' and e.id < ? and ${kept} order by e.id desc limit ?`, room, id, limit)
  }

  messagesAfter(room: number, id: number, limit: number): LoggedEvent[] {
    return this.#all(`${eventColumns} where e.room = ? and e.type = 'message' and e.id > ? and ${kept} order by e.id limit ?`, room, id, limit)
  }

  isDeleted(message: number): boolean {
    return this.#get('select 1 from deletions where message = ?', message) !== undefined
  }

  insertDeletion(message: number, event: number): void {
    this.#run('insert into deletions (message, event) values (?, ?)', message, event)
  }

  /**
   * Takes away what an event's body says, here and in the search; its bytes are gone from the files with the commit. They are
   * written over, and no row goes: where rows go SQLite moves others together, and leaves copies of them in the unused part of
   * a page, which `secure_delete` does not look at when their time comes.
   */
  emptyBody(event: number): void {
    const body = this.#get<{ bytes: number }>('select octet_length(text) as bytes from bodies where event = ?', event)
    if (!body) return
    const nothing = '\x01'.repeat(body.bytes)
    this.#run('update bodies set text = ? where event = ?', nothing, event)
    const indexed = this.#get<{ bytes: number }>('select octet_length(text) as bytes from search where rowid = ?', event)
    if (indexed) this.#run('update search set text = ? where rowid = ?', '\x01'.repeat(indexed.bytes), event)
    this.#emptied = true
  }

  indexText(message: number, text: string, place: string): void {
    this.#run('insert into search (rowid, text, place) values (?, ?, ?)', message, text, place)
  }

  // People

  user(id: number): UserRow | undefined {
    return this.#get('select id, name, kind, role from users where id = ?', id)
  }

  userByName(folded: string): UserRow | undefined {
    return this.#get('select u.id, u.name, u.kind, u.role from names n join users u on u.id = n.user where n.folded = ?', folded)
  }

  insertUser({ id, name, kind, role }: UserRow): void {
    this.#run('insert into users (id, name, kind, role) values (?, ?, ?, ?)', id, name, kind, role)
  }

  giveName(folded: string, user: number): void {
    this.#run('insert into names (folded, user) values (?, ?) on conflict (folded) do update set user = excluded.user', folded, user)
  }

  session(hash: string): SessionRow | undefined {
    return this.#get('select hash, user, used, ended from sessions where hash = ?', hash)
  }

  /** When a user was last known to have a session: the id of that event, or 0. */
  lastSeen(user: number): number {
    return this.#get<{ seen: number | null }>('select max(coalesce(ended, used)) as seen from sessions where user = ?', user)?.seen ?? 0
  }

  insertSession(hash: string, user: number, used: number): void {
    this.#run('insert into sessions (hash, user, used) values (?, ?, ?)', hash, user, used)
  }

  renewSession(hash: string, used: number): void {
    this.#run('update sessions set used = ? where hash = ?', used, hash)
  }

  endSession(hash: string, ended: number): void {
    this.#run('update sessions set ended = ? where hash = ?', ended, hash)
  }

  // Rooms

  room(id: number): RoomRow | undefined {
    return this.#get('select id, slug, name, kind, changed from rooms where id = ?', id)
  }

  roomBySlug(slug: string): RoomRow | undefined {
    return this.#get('select id, slug, name, kind, changed from rooms where slug = ?', slug)
  }

  roomsChangedAfter(id: number, limit: number): RoomRow[] {
    return this.#all('select id, slug, name, kind, changed from rooms where changed > ? order by changed limit ?', id, limit)
  }

  /** The change after which the last so many changes of rooms are. */
  beforeLastRooms(count: number): number {
    return (this.#get<{ id: number }>('select changed as id from rooms order by changed desc limit 1 offset ?', count - 1)?.id ?? 1) - 1
  }

  roomCount(): number {
    return this.#get<{ count: number }>('select count(*) as count from rooms')!.count
  }

  insertRoom({ id, slug, name, kind, changed }: RoomRow): void {
    this.#run('insert into rooms (id, slug, name, kind, changed) values (?, ?, ?, ?, ?)', id, slug, name, kind, changed)
  }

  isMember(room: number, user: number): boolean {
    return this.#get('select 1 from members where room = ? and user = ?', room, user) !== undefined
  }

  members(room: number, limit: number): UserRow[] {
    return this.#all('select u.id, u.name, u.kind, u.role from members m join users u on u.id = m.user where m.room = ? order by m.since limit ?', room, limit)
  }

  roomsOf(user: number): number[] {
    return this.#all<{ room: number }>('select room from members where user = ?', user).map(({ room }) => room)
  }

  insertMember(room: number, user: number, since: number): void {
    this.#run('insert into members (room, user, since) values (?, ?, ?)', room, user, since)
  }

  deleteMember(room: number, user: number): void {
    this.#run('delete from members where room = ? and user = ?', room, user)
  }

  // The whole

  /** What is wrong with the pages, the indexes and the search, at most so many. */
  faults(limit: number): string[] {
    const found = this.#all<{ integrity_check: string }>(`pragma integrity_check(${limit})`).map((row) => row.integrity_check).filter((text) => text !== 'ok')
    const missing = this.#get<{ count: number }>(`
      select count(*) as count from bodies b join events e on e.id = b.event
      where e.type = 'message' and not exists (select 1 from search where rowid = e.id)`)!.count
    return missing > 0 ? [...found, `${missing} messages are not in the search`] : found
  }

  /** The tables that the log adds up to. */
  stateTables(): string[] {
    return this.#all<{ name: string }>(`
      select name from sqlite_schema
      where type = 'table' and name not like 'search%' and name not like 'sqlite%' and name not in ('events', 'bodies')`).map(({ name }) => name)
  }

  rowsOf(table: string): Iterator<unknown> {
    return this.#statement(`select * from ${table} order by 1, 2`).iterate()
  }

  #statement(sql: string): StatementSync {
    let statement = this.#statements.get(sql)
    if (!statement) this.#statements.set(sql, (statement = this.#connection.prepare(sql)))
    return statement
  }

  // What a statement gives is what its table holds; the tables are strict, so the casts are safe.
  #get<T>(sql: string, ...values: Value[]): T | undefined {
    try {
      return this.#statement(sql).get(...values) as T | undefined
    } catch (error) {
      throw this.#explain(error)
    }
  }

  #all<T>(sql: string, ...values: Value[]): T[] {
    try {
      return this.#statement(sql).all(...values) as T[]
    } catch (error) {
      throw this.#explain(error)
    }
  }

  #explain(error: unknown): unknown {
    if (!this.#onDamage || !isDamage(error)) return error
    this.#onDamage(String(error))
    return new ChatError(damaged.code, damaged.message)
  }

  #run(sql: string, ...values: Value[]): void {
    this.#statement(sql).run(...values)
  }
}

/**
 * Holds a lock for as long as this process lives or until the function returned is called: an exclusive transaction on a
 * file of its own, which the system lets go of even after `kill -9`.
 * @throws StartError if another process has it, or the folder can't be written.
 */
export function holdLock(file: string, folder: string): () => void {
  let connection: Connection | undefined
  try {
    connection = new DatabaseSync(file, { timeout: 0 })
    connection.exec('begin exclusive')
  } catch (error) {
    connection?.close()
    if (sqliteCode(error) === codes.busy) throw new StartError(`another natter is running on the data folder ${folder}; stop it, or give --data another folder`)
    throw new StartError(`the data folder ${folder} can't be written: ${error instanceof Error ? error.message : error}`)
  }
  return () => connection.close()
}

// Node 22 and 24 warn on stderr that their SQLite may change; what is used of it here is the same in all of them.
function loadQuietly() {
  const { emitWarning } = process
  process.emitWarning = () => {}
  try {
    return process.getBuiltinModule('node:sqlite')
  } finally {
    process.emitWarning = emitWarning
  }
}

type Value = string | number | null
