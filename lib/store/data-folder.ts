// The folder that holds everything natter keeps: made if need be, held by one process, and looked at before it is opened,
// so that a file which is damaged, foreign or from a newer natter is left as it was found.

import {
  chmodSync,
  closeSync,
  constants,
  existsSync,
  fsyncSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readSync,
  renameSync,
  rmSync,
  statSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { ChatError, StartError } from '../errors.ts'
import { holdLock } from './connection.ts'
import { Database } from './database.ts'
import { applicationId, schemaVersion } from './tables/schema.ts'

const lockName = 'natter.lock'

export interface DataFolder {
  readonly file: string
  /** False for `:memory:`: nothing is to outlive the process, so nothing is synced either. */
  readonly durable: boolean
  /**
   * Makes sure that no other process can take the folder, though somebody has removed the lock: it is made again, and the owner told.
   * @throws ChatError `storage_failed` if another process has taken it
   */
  keepHold(): void
  /** Lets go of the folder; call it when the database is closed. */
  release(): void
}

type Tell = (line: string) => void

/**
 * Makes and holds the folder. `tell` takes a line for the owner.
 * @throws StartError in one line if it can't be used.
 */
export function openDataFolder(path: string, tell: Tell = () => {}): DataFolder {
  const durable = path !== ':memory:'
  const folder = durable ? path : temporaryFolder()
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 })
  } catch (error) {
    throw new StartError(`the data folder ${folder} can't be made: ${reason(error)}`)
  }
  const file = join(folder, 'natter.db')
  let unlock = () => {}
  const lock = join(folder, lockName)
  let inode: number | undefined
  try {
    unlock = takeFolder(folder)
    inode = inodeOf(lock)
    if (existsSync(file)) {
      lookAt(file)
      makePrivate(file, tell)
    } else if (sizeOf(`${file}-wal`) > 0)
      throw new StartError(
        `${file} is gone, but its write-ahead log is there: put it back, or move ${file}-wal away to begin afresh`,
      )
    else makeWhole(file)
  } catch (error) {
    unlock()
    throw error instanceof StartError
      ? error
      : new StartError(`the data folder ${folder} can't be used: ${reason(error)}`)
  }
  return {
    file,
    durable,
    keepHold() {
      if (inodeOf(lock) === inode) return
      try {
        const released = unlock
        unlock = takeFolder(folder)
        inode = inodeOf(lock)
        released()
      } catch (error) {
        throw new ChatError(
          'storage_failed',
          `the lock of the data folder was removed, and can't be taken again: ${reason(error)}`,
        )
      }
      tell(
        `${lock} was removed or replaced while natter runs; it was made again, since without it another natter could write to the same folder`,
      )
    },
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
  return holdLock(ownFile(join(folder, lockName)), folder)
}

// A real folder in memory where there is one: SQLite's own `:memory:` is one database a connection, and we have several.
function temporaryFolder(): string {
  const parent = existsSync('/dev/shm') ? '/dev/shm' : tmpdir()
  const prefix = 'natter-memory-'
  // A process that was killed left its folder, and memory that nobody else will free. One that is just being made has no lock yet.
  for (const name of readdirSync(parent))
    if (name.startsWith(prefix) && isLeftByUs(join(parent, name))) removeIfFree(join(parent, name))
  return mkdtempSync(join(parent, prefix))
}

// Anybody can make anything there under such a name: a link that leads elsewhere, or a folder with links in it. What is ours alone, nobody else
// can have put anything into, and in a place where only owners remove things nobody can put another in its place.
function isLeftByUs(path: string): boolean {
  const found = lstatSync(path, { throwIfNoEntry: false })
  if (!found?.isDirectory() || found.uid !== process.geteuid?.()) return false
  return (found.mode & 0o022) === 0 && Date.now() - found.mtimeMs > 60_000
}

function removeIfFree(folder: string): void {
  try {
    takeFolder(folder)()
    rmSync(folder, { recursive: true, force: true })
  } catch {
    // Somebody is using it, or it is not ours to remove.
  }
}

// One that was restored from a copy, or made by hand, may be there for all to read.
function makePrivate(file: string, tell: Tell): void {
  const open = ['', '-wal', '-shm']
    .map((suffix) => file + suffix)
    .filter((path) => ((statSync(path, { throwIfNoEntry: false })?.mode ?? 0) & 0o077) !== 0)
  if (open.length === 0) return
  try {
    for (const path of open) chmodSync(path, 0o600)
    tell(`${open.join(', ')} could be read by other users of this machine; now only by its owner`)
  } catch (error) {
    tell(`${open.join(', ')} can be read by other users of this machine, and that can't be changed: ${reason(error)}`)
  }
}

function inodeOf(file: string): number | undefined {
  return statSync(file, { throwIfNoEntry: false })?.ino
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

// Nobody else may read it. SQLite gives its other files the same mode. It is never what a link leads to.
function ownFile(file: string): string {
  closeSync(
    openSync(file, constants.O_WRONLY | constants.O_CREAT | constants.O_APPEND | (constants.O_NOFOLLOW ?? 0), 0o600),
  )
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
  if (header.toString('latin1', 0, 16) !== 'SQLite format 3\0')
    throw new StartError(`${file} is damaged or not a database; it was left as it is`)
  if (header.readUInt32BE(68) !== applicationId)
    throw new StartError(`${file} is not a natter database; it was left as it is`)
  const version = header.readUInt32BE(60)
  if (version > schemaVersion) {
    throw new StartError(
      `${file} is from a newer natter (format ${version}, this one knows ${schemaVersion}); use that one, the file was left as it is`,
    )
  }
  const pageSize = header.readUInt16BE(16) === 1 ? 65536 : header.readUInt16BE(16)
  // After a crash the write-ahead log may hold what the file lacks.
  const logged = pagesInLog(`${file}-wal`)
  const pages = logged.total || header.readUInt32BE(28)
  for (let page = Math.floor(size / pageSize) + 1; page <= pages; page++) {
    if (!logged.pages.has(page))
      throw new StartError(`${file} is cut short (${size} bytes of ${pages * pageSize}); it was left as it is`)
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
