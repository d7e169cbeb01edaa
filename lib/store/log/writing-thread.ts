// The writing thread as the serving thread sees it: the messages between the two, and how it starts. What it does is in
// commit-loop.ts.

import { StartError, type Refusal } from '../../errors.ts'
import { WorkerThread } from '../threads/worker-thread.ts'
import type { AppendResult, NewEvent, ReadMark } from './event-log.ts'

export type WritingThread = WorkerThread<ToWriter, FromWriter>

/** `commit` and `note_reads` are answered in order, `close` by the thread's end. */
export type ToWriter =
  | { type: 'commit'; group: readonly NewEvent[] }
  | { type: 'note_reads'; reads: readonly ReadMark[] }
  | { type: 'close' }

/** `opened` or `unusable` comes once, before all others but `line`. */
export type FromWriter = Line | Opened | Unusable | Committed | Failed | { type: 'reads_noted' }

/** For the owner to read. */
interface Line {
  type: 'line'
  text: string
}

export interface Opened {
  type: 'opened'
  file: string
  durable: boolean
  newest: number
}

interface Unusable {
  type: 'unusable'
  /** In one line. */
  reason: string
}

export interface Committed {
  type: 'committed'
  results: AppendResult[]
  /** How many changes were made up to now to rows that other connections cache. */
  changes: number
  /** What went wrong on our side with one of the events, for the owner. */
  cause: string | undefined
}

export interface Failed {
  type: 'failed'
  refusal: Refusal
  /** For the owner. */
  cause: string
}

/** @throws StartError in one line if it can't use the folder */
export function startWritingThread(
  entry: URL,
  { folder, tell }: { folder: string; tell: (line: string) => void },
): Promise<{ writer: WritingThread; opened: Opened }> {
  const writer: WritingThread = new WorkerThread({ entry, name: 'writing thread', data: folder, inheritsFlags: true })
  return new Promise((resolve, reject) => {
    writer.listen({
      onMessage(message) {
        if (message.type === 'line') tell(message.text)
        else if (message.type === 'opened') resolve({ writer, opened: message })
        else if (message.type === 'unusable') void writer.terminate().then(() => reject(new StartError(message.reason)))
      },
      onDeath: reject,
    })
  })
}
