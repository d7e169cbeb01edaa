// Brings a file that an older natter wrote up to the version that this one reads. Each step is a transaction; the last writes the file
// anew beside the old one and puts it in its place. Whoever is killed on the way leaves a file that the next start goes on with.

import { closeSync, fsyncSync, openSync, renameSync, rmSync, statSync } from 'node:fs'
import { dirname } from 'node:path'
import { Connection } from '../connection.ts'
import { looksFunctions } from './looks.ts'
import { applicationId, migrations, rewritten, schemaVersion } from './schema.ts'
import { SearchTables } from '../search/search-tables.ts'
import { migrationFunctions } from './skeletons.ts'

const toldFromBytes = 16 * 1024 * 1024 // below that it takes less than a second
const megabytesPerSecond = 30 // as two slow cores have it

export interface MigrationOptions {
  durable: boolean
  /** Takes a line when it will take a while. */
  tell?: ((line: string) => void) | undefined
}

/** The connection to go on with. */
export function bringUpToDate(connection: Connection, file: string, options: MigrationOptions): Connection {
  const { user_version: version } = connection.get<{ user_version: number }>('pragma user_version')!
  if (version === schemaVersion) return connection
  const { size } = statSync(file)
  if (version < rewritten && size >= toldFromBytes) options.tell?.(lineFor(file, Math.ceil(size / 1024 / 1024)))
  for (const [name, made] of Object.entries({ ...migrationFunctions, ...looksFunctions })) connection.define(name, made)
  for (const [step, migration] of [...migrations.entries()].slice(version)) {
    // A new file has nothing in it that was moved.
    if (step + 1 === rewritten && version > 0) {
      new SearchTables(connection).takeOver()
      return bringUpToDate(rewrite(connection, file, options), file, options)
    }
    connection.execute(
      `begin; pragma application_id = ${applicationId}; ${migration}; pragma user_version = ${step + 1}; commit`,
    )
    // The header of the file itself tells the version, so that an older natter can refuse it without opening it.
    connection.execute('pragma wal_checkpoint(truncate)')
  }
  return connection
}

function lineFor(file: string, megabytes: number): string {
  const takes = `${megabytes} MB take about ${Math.ceil(megabytes / megabytesPerSecond)} s, and three times as much free space until then`
  return `${file} is from an older natter, and is brought up to date: ${takes}`
}

// What was moved stands in pages that are free by now, or in the unused part of others. A copy of the rows alone has none of it. A
// `vacuum` in place would need its room in the system's temporary folder.
function rewrite(connection: Connection, file: string, options: MigrationOptions): Connection {
  const copy = `${file}-rewritten`
  for (const suffix of ['', '-journal', '-wal', '-shm']) rmSync(copy + suffix, { force: true })
  // Nobody else may read it: SQLite takes an empty file as it is.
  closeSync(openSync(copy, 'wx', 0o600))
  connection.execute(`vacuum into '${copy.replaceAll("'", "''")}'; pragma wal_checkpoint(truncate)`)
  connection.close()
  // In the place of the file its log would be taken for the new one's.
  if (statSync(`${file}-wal`, { throwIfNoEntry: false })?.size) throw new Error(`${file}-wal could not be emptied`)
  const written = Connection.forWriting(copy, options)
  written.execute(`pragma user_version = ${rewritten}; pragma wal_checkpoint(truncate)`)
  written.close()
  sync(copy)
  renameSync(copy, file)
  sync(dirname(file))
  return Connection.forWriting(file, options)
}

function sync(path: string): void {
  const descriptor = openSync(path, 'r')
  fsyncSync(descriptor)
  closeSync(descriptor)
}
