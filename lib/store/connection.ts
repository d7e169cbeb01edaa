// A connection to SQLite: opened for one purpose, its statements prepared once. Knows nothing of tables.
// The only file that imports node:sqlite.

import type { DatabaseSync, StatementSync } from 'node:sqlite'
import { statSync } from 'node:fs'
import { pathToFileURL } from 'node:url'
import { ChatError, StartError } from '../errors.ts'
import { codes, damaged, isDamage, sqliteCode } from './sqlite-errors.ts'

const sqlite = loadQuietly()

type Value = string | number | null

const recalledMax = 10_000 // rows of a statement's, of people and rooms that were there a moment ago

export class Connection {
  #sqlite: DatabaseSync
  /** Each with the names of its columns. */
  #statements = new Map<string, { statement: StatementSync; names: string[] }>()
  #onDamage: ((cause: string) => void) | undefined
  /** What each statement found, by the values it was asked with. */
  #recalled = new Map<string, Map<Value, unknown>>()
  /** How often something was changed that may be recalled elsewhere. */
  changes = 0

  private constructor(connection: DatabaseSync, onDamage?: (cause: string) => void) {
    this.#sqlite = connection
    this.#onDamage = onDamage
  }

  /** For the file's one writer; makes it if it is not there. */
  static forWriting(file: string, { durable }: { durable: boolean }): Connection {
    const connection = new sqlite.DatabaseSync(file, { timeout: 5000 })
    try {
      connection.exec(`
        pragma journal_mode = wal;
        pragma synchronous = ${durable ? 'full' : 'off'};
        pragma secure_delete = on;
        pragma temp_store = memory;
      `)
    } catch (error) {
      // Left open, it would leave its files beside one that was to stay as it is.
      connection.close()
      throw error
    }
    return new Connection(connection)
  }

  /**
   * A second one beside the writer's; it sees each commit at once. Reading a page that is damaged throws a ChatError
   * `storage_damaged`, after `onDamage` was told.
   */
  static forReading(file: string, onDamage: (cause: string) => void): Connection {
    const connection = new sqlite.DatabaseSync(file, { readOnly: true, timeout: 5000 })
    connection.exec('pragma mmap_size = 268435456; pragma cache_size = -16384')
    return new Connection(connection, onDamage)
  }

  /** Only for reading, and nothing is changed: not even what a crash left is put in order. Nobody else may have it open. */
  static forChecking(file: string): Connection {
    const url = pathToFileURL(file)
    // Without a write-ahead log the file is all there is, and SQLite has no need of its other files beside it.
    if (!statSync(`${file}-wal`, { throwIfNoEntry: false })?.size) url.searchParams.set('immutable', '1')
    return new Connection(new sqlite.DatabaseSync(url, { readOnly: true }))
  }

  close(): void {
    this.#statements.clear()
    this.#sqlite.close()
  }

  get inTransaction(): boolean {
    return this.#sqlite.isTransaction
  }

  /** A function that SQL can call; the same values must always give the same, or something new each time. */
  define(name: string, made: (...values: never[]) => Value): void {
    // SQLite calls it with what the SQL gives it.
    this.#sqlite.function(name, made as (...values: unknown[]) => Value)
  }

  /** Several statements at once, without values. */
  execute(sql: string): void {
    this.#sqlite.exec(sql)
  }

  // Values stand for a plain `?` each: Node 22 takes `?1` for a name, and finds no place for the value.
  run(sql: string, ...values: Value[]): void {
    this.#prepared(sql).statement.run(...values)
  }

  // What a statement gives is what its table holds; the tables are strict, so the casts are safe.
  get<T>(sql: string, ...values: Value[]): T | undefined {
    try {
      const { statement, names } = this.#prepared(sql)
      const found = statement.get(...values) as unknown as Value[] | undefined
      return found && rowOf<T>(names, found)
    } catch (error) {
      throw this.#explain(error)
    }
  }

  /**
   * The same as `get`, but a row that was found is kept until something is changed: for what each request asks of people and rooms.
   * Not what was looked for in vain: anybody can make up as much of that as they like, and as long.
   */
  recall<T>(sql: string, ...values: Value[]): T | undefined {
    const rows = this.#recalled.get(sql) ?? new Map<Value, unknown>()
    const key = values.length === 1 ? values[0]! : values.join('\0')
    const known = rows.get(key) as T | undefined
    if (known) return known
    const row = Object.freeze(this.get<T>(sql, ...values))
    if (row) this.#recalled.set(sql, (rows.size < recalledMax ? rows : new Map<Value, unknown>()).set(key, row))
    return row
  }

  /** The same as `run`, of a row that may be recalled. A new one is none: nobody has found it so far. */
  change(sql: string, ...values: Value[]): void {
    this.run(sql, ...values)
    this.changes++
    this.forget()
  }

  /** Nothing is recalled that was read before: somebody else has changed it, or what changed it was taken back. */
  forget(): void {
    this.#recalled.clear()
  }

  all<T>(sql: string, ...values: Value[]): T[] {
    try {
      const { statement, names } = this.#prepared(sql)
      return (statement.all(...values) as unknown as Value[][]).map((found) => rowOf<T>(names, found))
    } catch (error) {
      throw this.#explain(error)
    }
  }

  /** Its snapshot stays until it has come to its end, or a loop over it is left. */
  *iterate<T>(sql: string, ...values: Value[]): Generator<T, void> {
    try {
      const { statement, names } = this.#prepared(sql)
      for (const found of statement.iterate(...values)) yield rowOf<T>(names, found as unknown as Value[])
    } catch (error) {
      throw this.#explain(error)
    }
  }

  #prepared(sql: string) {
    const known = this.#statements.get(sql)
    if (known) return known
    // A number that is bound as a limit SQLite takes into its plan, and prepares the statement anew with each: that was half of a short read.
    const statement = this.#sqlite.prepare(sql.replaceAll(/\b(limit|offset) \?/g, '$1 ? + 0'))
    statement.setReturnArrays(true)
    const prepared = { statement, names: statement.columns().map(({ name }) => name) }
    this.#statements.set(sql, prepared)
    return prepared
  }

  #explain(error: unknown): unknown {
    if (!this.#onDamage || !isDamage(error)) return error
    this.#onDamage(String(error))
    return new ChatError(damaged.code, damaged.message)
  }
}

// The objects that Node makes of rows are dictionaries, slow to make and to read: these took a quarter off a replay.
function rowOf<T>(names: readonly string[], values: readonly Value[]): T {
  const row: Record<string, Value> = {}
  for (let at = 0; at < names.length; at++) row[names[at]!] = values[at]!
  return row as T
}

/**
 * Holds a lock for as long as this process lives or until the function returned is called: an exclusive transaction on a
 * file of its own, which the system lets go of even after `kill -9`.
 * @throws StartError if another process has it, or the folder can't be written.
 */
export function holdLock(file: string, folder: string): () => void {
  let connection: DatabaseSync | undefined
  try {
    connection = new sqlite.DatabaseSync(file, { timeout: 0 })
    connection.exec('begin exclusive')
  } catch (error) {
    connection?.close()
    if (sqliteCode(error) === codes.busy)
      throw new StartError(
        `another natter is running on the data folder ${folder}; stop it, or give --data another folder`,
      )
    throw new StartError(
      `the data folder ${folder} can't be written: ${error instanceof Error ? error.message : error}`,
    )
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
