// The writing thread: takes groups of events, applies and commits each group in one transaction, and answers.
// It is the only one that changes the database, and the only one that waits for the disk. What an event does is not
// known here: that is the `apply` it is run with.

import { parentPort, workerData } from 'node:worker_threads'
import { statSync } from 'node:fs'
import { ChatError, StartError, type Refusal } from '../../errors.ts'
import { Database } from '../database.ts'
import { openDataFolder, type DataFolder } from '../data-folder.ts'
import type { NewEvent, Outcome, ReadMark, Told } from './event-log.ts'
import { codes, damaged, isDamage, isStorageFailure, sqliteCode } from '../sqlite-errors.ts'

/** Checks an event against the data and carries it out, or says why not and changes nothing. */
export type Apply = (database: Database, event: NewEvent, id: number) => Outcome

/** From the thread that serves to the one that writes. */
export type ToWriter = { group: readonly NewEvent[] } | { reads: readonly ReadMark[] } | { close: true }

/** And back. */
export type FromWriter =
  | { says: string /* to the owner */ }
  | { opened: { file: string; durable: boolean; newest: number } }
  | { unusable: string }
  | {
      outcomes: Told[]
      /** Of what others recall. */
      changes: number
      /** What went wrong on our side with one of them. */
      cause?: string | undefined
    }
  | { failed: Refusal; cause: string }
  | { noted: true }

const lockLookMs = 5000 // between two looks at the folder's lock, beside one at each commit

/** Runs in a worker whose `workerData` is the data folder's path. */
export function runCommitLoop(apply: Apply): void {
  const port = parentPort!
  const say = (message: FromWriter) => port.postMessage(message)
  let folder: DataFolder
  let database: Database
  let newest: number
  try {
    folder = openDataFolder(workerData, (says) => say({ says }))
    database = Database.openForWriting(folder.file, { durable: folder.durable, tell: (says) => say({ says }) })
    newest = database.newestEvent()
  } catch (error) {
    const what = error instanceof Error ? error.message : String(error)
    return say({
      unusable:
        error instanceof StartError
          ? what
          : `the database ${isDamage(error) ? 'is damaged' : "can't be opened"}: ${what}`,
    })
  }
  let unusable = false
  let mistake: string | undefined
  const inode = inodeOf(folder.file)
  // While nothing is said no commit would notice it.
  setInterval(lookAtLock, lockLookMs).unref()
  say({ opened: { file: folder.file, durable: folder.durable, newest } })

  port.on('message', (message: ToWriter) => {
    if ('close' in message) {
      database.close()
      folder.release()
      return port.close()
    }
    if ('reads' in message) {
      noteReads(message.reads)
      return say({ noted: true })
    }
    try {
      if (unusable) throw new ChatError(damaged.code, damaged.message)
      // SQLite would go on writing to a file that nobody will find again.
      if (inodeOf(folder.file) !== inode) throw new ChatError(gone.code, gone.message)
      folder.keepHold()
      mistake = undefined
      say({ outcomes: commitGroup(message.group), changes: database.changes, cause: mistake })
    } catch (error) {
      unusable ||= isDamage(error)
      say({ failed: whyFailed(error), cause: causeOf(error) })
    }
  })

  function lookAtLock(): void {
    try {
      folder.keepHold()
    } catch {
      // The next commit is refused for it, and says so.
    }
  }

  // Where they can't be kept they are lost, and people have a few messages to read twice.
  function noteReads(reads: readonly ReadMark[]): void {
    if (unusable || inodeOf(folder.file) !== inode) return
    try {
      folder.keepHold()
      database.begin()
      for (const read of reads) database.talk.noteRead(read)
      database.commit()
    } catch {
      database.rollback()
    }
  }

  function commitGroup(group: readonly NewEvent[]): Told[] {
    try {
      return commit(group)
    } catch (error) {
      // The disk's fault is every event's. Any other is one event's, and must not take the others with it.
      if (isStorageFailure(error) || group.length === 1) throw error
      return group.map((event) => {
        try {
          return commit([event])[0]!
        } catch (ownError) {
          // Whatever it is: what was committed before it has to be told.
          unusable ||= isDamage(ownError)
          mistake = causeOf(ownError)
          return { refused: whyFailed(ownError) }
        }
      })
    }
  }

  function commit(group: readonly NewEvent[]): Told[] {
    let last = newest
    database.begin()
    try {
      const outcomes = group.map((event): Told => {
        const id = Math.max(last + 1, Date.now() * 1000)
        const outcome = apply(database, event, id)
        if ('id' in outcome && !outcome.repeated) last = id
        return outcome
      })
      // What goes live is read from the database, by the same statement as a replay: so the two can't differ. It is read here and not
      // where it is told, since each commit empties what other connections have in memory of the file.
      const events = new Map(database.eventsAfter(newest, group.length).map((event) => [event.id, event]))
      for (const outcome of outcomes) if ('id' in outcome && !outcome.repeated) outcome.event = events.get(outcome.id)
      database.commit()
      newest = last
      return outcomes
    } catch (error) {
      database.rollback()
      throw error
    }
  }
}

const gone: Refusal = {
  code: 'storage_failed',
  message: 'the database file is gone, or another is in its place; its owner has to start natter again',
}

function inodeOf(file: string): number | undefined {
  return statSync(file, { throwIfNoEntry: false })?.ino
}

function whyFailed(error: unknown): Refusal {
  if (error instanceof ChatError) return { code: error.code, message: error.message }
  if (isDamage(error)) return damaged
  if (sqliteCode(error) === codes.full)
    return { code: 'storage_full', message: 'the disk is full; try again when its owner has made room' }
  return { code: 'storage_failed', message: 'it could not be stored; try again in a moment' }
}

// What the disk does is told in a line; anything else is a mistake of ours, and needs its whole story.
function causeOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  return error instanceof ChatError || sqliteCode(error) !== undefined ? error.message : (error.stack ?? error.message)
}
