// The folder that holds everything natter keeps: made if need be, held by one process, and looked at before it is opened,
// so that a file which is damaged, foreign or from a newer natter is left as it was found.

import { closeSync, existsSync, fsyncSync, mkdirSync, mkdtempSync, openSync, readdirSync, readSync, renameSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { StartError } from '../errors.ts'
import { holdLock } from './connection.ts'
import { Database } from './database.ts'
import { applicationId, schemaVersion } from './schema.ts'

export interface DataFolder {
  readonly file: string
  /** False for `:memory:`: nothing is to outlive the process, so nothing is synced either. */
  readonly durable: boolean
  /** Lets go of the folder; call it when the database is closed. */
  release(): void
}

/**
 * Makes and holds the folder.
 * @throws StartError in one line if it can't be used.
 */
export function openDataFolder(path: string): DataFolder {
  const durable = path !== ':memory:'
  const folder = durable ? path : temporaryFolder()
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 })
  } catch (error) {
    throw new StartError(`the data folder ${folder} can't be made: ${reason(error)}`)
  }
  const file = join(folder, 'natter.db')
  let unlock = () => {}
  try {
    unlock = takeFolder(folder)
    if (existsSync(file)) lookAt(file)
    else if (sizeOf(`${file}-wal`) > 0) throw new StartError(`${file} is gone, but its write-ahead log is there: put it back, or move ${file}-wal away to begin afresh`)
    else makeWhole(file)
  } catch (error) {
    unlock()
    throw error instanceof StartError ? error : new StartError(`the data folder ${folder} can't be used: ${reason(error)}`)
  }
  return {
    file,
    durable,
    release() {
      unlock()
      if (!durable) rmSync(folder, { recursive: true, force: true })
    },
  }
}

/**
 * Holds the folder as the one process that uses it; call what it returns to let go.
 * @throws StartError if another has it.
 */
export function takeFolder(folder: string): () => void {
  return holdLock(ownFile(join(folder, 'natter.lock')), folder)
}

// A real folder in memory where there is one: SQLite's own `:memory:` is one database a connection, and we have several.
function temporaryFolder(): string {
  const parent = existsSync('/dev/shm') ? '/dev/shm' : tmpdir()
  const prefix = 'natter-memory-'
  // Who was killed left its folder, and memory that nobody else will free. One that is just being made has no lock yet.
  const old = readdirSync(parent).filter((name) => name.startsWith(prefix) && Date.now() - (statSync(join(parent, name), { throwIfNoEntry: false })?.mtimeMs ?? Infinity) > 60_000)
  for (const name of old) removeIfFree(join(parent, name))
  return mkdtempSync(join(parent, prefix))
}

function removeIfFree(folder: string): void {
  try {
    takeFolder(folder)()
    rmSync(folder, { recursive: true, force: true })
  } catch {
    // Somebody is using it, or it is not ours to remove.
  }
}

function sizeOf(file: string): number {
  return statSync(file, { throwIfNoEntry: false })?.size ?? 0
}

// Under another name first: killed half-way, it would leave a file that looks damaged.
function makeWhole(file: string): void {
  const unfinished = `${file}-new`
  for (const suffix of ['', '-wal', '-shm']) rmSync(unfinished + suffix, { force: true })
  Database.openForWriting(ownFile(unfinished), { durable: true }).close()
  renameSync(unfinished, file)
  const folder = openSync(dirname(file), 'r')
  fsyncSync(folder)
  closeSync(folder)
}

// Nobody else may read it. SQLite gives its other files the same mode.
function ownFile(file: string): string {
  closeSync(openSync(file, 'a', 0o600))
  return file
}

/**
 * The version of a file's format. It reads the header as bytes: opening a file after a crash already changes it. https://www.sqlite.org/fileformat.html
 * @throws StartError if the file is not one that may be opened.
 */
export function lookAt(file: string): number {
  const { size } = statSync(file)
  const header = Buffer.alloc(100)
  const descriptor = openSync(file, 'r')
  readSync(descriptor, header, 0, 100, 0)
  closeSync(descriptor)
  if (header.toString('latin1', 0, 16) !== 'SQLite format 3\0') throw new StartError(`${file} is damaged or not a database; it was left as it is`)
  if (header.readUInt32BE(68) !== applicationId) throw new StartError(`${file} is not a natter database; it was left as it is`)
  const version = header.readUInt32BE(60)
  if (version > schemaVersion) {
    throw new StartError(`${file} is from a newer natter (format ${version}, this one knows ${schemaVersion}); use that one, the file was left as it is`)
  }
  const pageSize = header.readUInt16BE(16) === 1 ? 65536 : header.readUInt16BE(16)
  // After a crash the write-ahead log may hold what the file lacks.
  const logged = pagesInLog(`${file}-wal`)
  const pages = logged.total || header.readUInt32BE(28)
  for (let page = Math.floor(size / pageSize) + 1; page <= pages; page++) {
    if (!logged.pages.has(page)) throw new StartError(`${file} is cut short (${size} bytes of ${pages * pageSize}); it was left as it is`)
  }
  return version
}

/**
 * The pages of the commits that a write-ahead log holds, and how many the database has after the last of them; 0 without any.
 * https://www.sqlite.org/fileformat.html#the_write_ahead_log
 */
function pagesInLog(log: string): { pages: Set<number>; total: number } {
  const found = { pages: new Set<number>(), total: 0 }
  if (sizeOf(log) === 0) return found
  const descriptor = openSync(log, 'r')
  const header = Buffer.alloc(32)
  readSync(descriptor, header, 0, 32, 0)
  const pageSize = header.readUInt32BE(8)
  const frame = Buffer.alloc(24)
  let uncommitted: number[] = []
  for (let at = 32; pageSize > 0 && readSync(descriptor, frame, 0, 24, at) === 24; at += 24 + pageSize) {
    // Frames of another salt are from before the log was last begun anew.
    if (frame.compare(header, 16, 24, 8, 16) !== 0) break
    uncommitted.push(frame.readUInt32BE(0))
    const total = frame.readUInt32BE(4)
    if (total === 0) continue
    for (const page of uncommitted) found.pages.add(page)
    uncommitted = []
    found.total = total
  }
  closeSync(descriptor)
  return found
}

function reason(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
