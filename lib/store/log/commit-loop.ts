// The writing thread: it takes groups of events, applies and commits each group in one transaction, and answers. It alone
// changes the database and waits for the disk. It does not know what an event does: that is the `apply` it is given.

import { parentPort, workerData } from 'node:worker_threads'
import { statSync } from 'node:fs'
import { ChatError, StartError, type Refusal } from '../../errors.ts'
import { Database } from '../database.ts'
import { openDataFolder, type DataFolder } from '../data-folder.ts'
import type { AppendResult, NewEvent, Outcome, ReadMark } from './event-log.ts'
import type { Committed, Failed, FromWriter, ToWriter } from './writing-thread.ts'
import { codes, damaged, isDamage, isStorageFailure, sqliteCode } from '../sqlite-errors.ts'

/** Checks an event against the data and carries it out, or says why not and changes nothing. */
export type Apply = (database: Database, event: NewEvent, id: number) => Outcome

const lockCheckMs = 5000 // between two looks at the folder's lock, in addition to the one at each commit

/** Runs in a worker whose `workerData` is the data folder's path. */
export function runCommitLoop(apply: Apply): void {
  const port = parentPort!
  const send = (message: FromWriter) => port.postMessage(message)
  const committer = openCommitter(apply, send)
  if (!committer) return
  // Without it a lost lock would go unnoticed while nobody posts.
  setInterval(() => committer.checkLock(), lockCheckMs).unref()
  port.on('message', (message: ToWriter) => {
    switch (message.type) {
      case 'commit':
        return send(committer.commitGroup(message.group))
      case 'note_reads':
        committer.noteReads(message.reads)
        return send({ type: 'reads_noted' })
      case 'close':
        committer.close()
        return port.close()
    }
  })
}

function openCommitter(apply: Apply, send: (message: FromWriter) => void): Committer | undefined {
  const tell = (text: string) => send({ type: 'line', text })
  try {
    const folder = openDataFolder(workerData, tell)
    const database = Database.openForWriting(folder.file, { durable: folder.durable, tell })
    const committer = new Committer(apply, folder, database)
    send({ type: 'opened', file: folder.file, durable: folder.durable, newest: committer.newest })
    return committer
  } catch (error) {
    send({ type: 'unusable', reason: unusableReason(error) })
    return undefined
  }
}

class Committer {
  readonly #apply: Apply
  readonly #folder: DataFolder
  readonly #database: Database
  readonly #inode: number | undefined
  #newest: number
  #damaged = false

  constructor(apply: Apply, folder: DataFolder, database: Database) {
    this.#apply = apply
    this.#folder = folder
    this.#database = database
    this.#inode = inodeOf(folder.file)
    this.#newest = database.newestEvent()
  }

  /** The id of the newest event that was committed. */
  get newest(): number {
    return this.#newest
  }

  commitGroup(group: readonly NewEvent[]): Committed | Failed {
    try {
      this.#checkFile()
      const { results, cause } = this.#commitTogether(group)
      return { type: 'committed', results, changes: this.#database.changes, cause }
    } catch (error) {
      this.#damaged ||= isDamage(error)
      return { type: 'failed', refusal: refusalFor(error), cause: causeOf(error) }
    }
  }

  /** Where they can't be kept they are lost: people then have a few messages to read twice. */
  noteReads(reads: readonly ReadMark[]): void {
    try {
      this.#checkFile()
      this.#database.begin()
      for (const read of reads) this.#database.talk.noteRead(read)
      this.#database.commit()
    } catch {
      this.#database.rollback()
    }
  }

  checkLock(): void {
    try {
      this.#folder.keepHold()
    } catch {
      // The next commit is refused for it, and says so.
    }
  }

  close(): void {
    this.#database.close()
    this.#folder.release()
  }

  #checkFile(): void {
    if (this.#damaged) throw new ChatError(damaged.code, damaged.message)
    // SQLite would go on writing to a file that nobody will find again.
    if (inodeOf(this.#folder.file) !== this.#inode) throw new ChatError(gone.code, gone.message)
    this.#folder.keepHold()
  }

  #commitTogether(group: readonly NewEvent[]): { results: AppendResult[]; cause: string | undefined } {
    try {
      return { results: this.#commit(group), cause: undefined }
    } catch (error) {
      // A failing disk fails every event. Any other failure is one event's, and must not take the others with it.
      if (isStorageFailure(error) || group.length === 1) throw error
      return this.#commitOneByOne(group)
    }
  }

  // Throws nothing: the events that were committed have to be told, whatever happens to the later ones.
  #commitOneByOne(group: readonly NewEvent[]): { results: AppendResult[]; cause: string | undefined } {
    let cause: string | undefined
    const results = group.map((event): AppendResult => {
      try {
        return this.#commit([event])[0]!
      } catch (error) {
        this.#damaged ||= isDamage(error)
        cause = causeOf(error)
        return { refused: refusalFor(error) }
      }
    })
    return { results, cause }
  }

  #commit(group: readonly NewEvent[]): AppendResult[] {
    const database = this.#database
    let newest = this.#newest
    database.begin()
    try {
      const results = group.map((event): AppendResult => {
        const id = Math.max(newest + 1, Date.now() * 1000)
        const outcome = this.#apply(database, event, id)
        if (isNew(outcome)) newest = id
        return outcome
      })
      // Live events are read by the same statement as a replay, so that the two can't differ. They are read here and not in the
      // serving thread, because each commit empties the other connections' page caches.
      const events = new Map(database.eventsAfter(this.#newest, group.length).map((event) => [event.id, event]))
      for (const result of results) if (isNew(result)) result.event = events.get(result.id)
      database.commit()
      this.#newest = newest
      return results
    } catch (error) {
      database.rollback()
      throw error
    }
  }
}

function isNew(result: AppendResult): result is AppendResult & { id: number } {
  return 'id' in result && !result.repeated
}

const gone: Refusal = {
  code: 'storage_failed',
  message: 'the database file is gone, or another is in its place; its owner has to start natter again',
}

function inodeOf(file: string): number | undefined {
  return statSync(file, { throwIfNoEntry: false })?.ino
}

function unusableReason(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error)
  if (error instanceof StartError) return message
  return `the database ${isDamage(error) ? 'is damaged' : "can't be opened"}: ${message}`
}

function refusalFor(error: unknown): Refusal {
  if (error instanceof ChatError) return { code: error.code, message: error.message }
  if (isDamage(error)) return damaged
  if (sqliteCode(error) === codes.full)
    return { code: 'storage_full', message: 'the disk is full; try again when its owner has made room' }
  return { code: 'storage_failed', message: 'it could not be stored; try again in a moment' }
}

// A failure of the disk is told in a line. Anything else is a mistake of ours, and needs its stack.
function causeOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  return error instanceof ChatError || sqliteCode(error) !== undefined ? error.message : (error.stack ?? error.message)
}
