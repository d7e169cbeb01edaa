// The log on one box. A thread of its own writes (commit-loop.ts); this side hands it groups of events and passes on what was
// committed. The order on every path is: commit, tell the listener, answer.

import { rmSync } from 'node:fs'
import { dirname } from 'node:path'
import { ChatError, StartError, type Refusal } from '../../errors.ts'
import type { DiskReserve } from '../../config.ts'
import { Database } from '../database.ts'
import { ReadingThread } from '../search/reading-thread.ts'
import { damaged } from '../sqlite-errors.ts'
import { amountOf, AppendQueue } from './append-queue.ts'
import { DiskSpace } from './disk-space.ts'
import type { AppendResult, EventLog, LoggedEvent, NewEvent, ReadMark, Space } from './event-log.ts'
import { FailureReport } from './failure-report.ts'
import {
  startWritingThread,
  type Committed,
  type Failed,
  type FromWriter,
  type Opened,
  type WritingThread,
} from './writing-thread.ts'

export interface LocalLogOptions {
  /** The data folder, or `:memory:`. */
  folder: string
  /** The module that runs the commit loop in a worker. */
  writer: URL
  /** What is kept free on the disk; nothing unless given. */
  reserve?: DiskReserve | undefined
  /** Takes a line when storing begins to fail or room runs out, and when that is over. */
  report: (line: string) => void
  /** Takes a line that the owner should read at the start: that opening takes long, or that the disk has too little room. */
  tell?: (line: string) => void
}

const noReserve: DiskReserve = { bytes: 0, share: 0 }

export class LocalLog implements EventLog {
  /** What was committed, for reading; each commit is seen at once. */
  readonly database: Database
  /** For what takes longer to read. */
  readonly reader: ReadingThread
  readonly #writer: WritingThread
  readonly #queue = new AppendQueue()
  readonly #space: DiskSpace
  readonly #report: (line: string) => void
  readonly #failures: FailureReport
  /** The folder of a log in memory. */
  readonly #temporary: string | undefined
  #listener: (events: readonly LoggedEvent[]) => void = () => {}
  #newest: number
  /** The writer's count of changes when this side last emptied its cache for them. */
  #changes = 0
  /** Resolve the calls of `noteReads`, in order. */
  #noting: (() => void)[] = []
  /** Why nothing more is appended. */
  #refusal: Refusal | undefined
  /** Called when nothing waits any more. */
  #onDrained: (() => void) | undefined

  /** @throws StartError in one line if the folder can't be used. */
  static async open({
    folder,
    writer: entry,
    reserve = noReserve,
    report,
    tell = () => {},
  }: LocalLogOptions): Promise<LocalLog> {
    const { writer, opened } = await startWritingThread(entry, { folder, tell })
    try {
      const log = new LocalLog(writer, opened, { reserve, report })
      await log.#space.open(tell)
      return log
    } catch (error) {
      await writer.terminate()
      throw new StartError(`the database can't be read: ${error instanceof Error ? error.message : error}`)
    }
  }

  private constructor(
    writer: WritingThread,
    { file, durable, newest }: Opened,
    { reserve, report }: { reserve: DiskReserve; report: (line: string) => void },
  ) {
    this.#writer = writer
    this.#report = report
    this.#failures = new FailureReport(report)
    this.#newest = newest
    this.#temporary = durable ? undefined : dirname(file)
    this.#space = new DiskSpace({ folder: dirname(file), reserve, report, pending: () => this.#queue.amount })
    this.database = Database.openForReading(file, (cause) => this.#stopWriting(cause))
    this.reader = new ReadingThread(file, (cause) => this.#stopWriting(cause))
    writer.listen({
      onMessage: (message) => this.#receive(message),
      onDeath: (error) => this.#writerDied(error),
    })
  }

  get newest(): number {
    return this.#newest
  }

  get space(): Space {
    return this.#space.level
  }

  measureSpace(): Promise<void> | undefined {
    return this.#space.measure()
  }

  async append(events: readonly NewEvent[]): Promise<AppendResult[]> {
    if (this.#refusal) throw new ChatError(this.#refusal.code, this.#refusal.message)
    const isFirst = this.#queue.isEmpty
    const results = this.#queue.add(events)
    this.#space.spend(amountOf(events))
    // What is appended in the same tick goes into the same group.
    if (isFirst) setImmediate(() => this.#commitNext())
    return results
  }

  tail(listener: (events: readonly LoggedEvent[]) => void): void {
    this.#listener = listener
  }

  noteReads(reads: readonly ReadMark[]): Promise<void> {
    if (this.#refusal) return Promise.resolve()
    this.#writer.post({ type: 'note_reads', reads })
    return new Promise((resolve) => this.#noting.push(resolve))
  }

  /** Commits what was appended before, then lets go of the folder. */
  async close(): Promise<void> {
    this.#refusal = stopping
    this.#space.close()
    if (!this.#queue.isEmpty) await new Promise<void>((resolve) => (this.#onDrained = resolve))
    // The writer last: the last connection to close empties the write-ahead log.
    await this.reader.close()
    this.database.close()
    await this.#writer.endWith({ type: 'close' })
  }

  /** Removes the folder of a log in memory; nothing else can be done with the log from then on. */
  forget(): void {
    if (this.#temporary) rmSync(this.#temporary, { recursive: true, force: true })
  }

  // One group is committed at a time, and what comes meanwhile is the next one: so groups grow with the load by themselves.
  #commitNext(): void {
    if (this.#queue.isCommitting) return
    if (this.#queue.isEmpty) return this.#onDrained?.()
    this.#writer.post({ type: 'commit', group: this.#queue.takeGroup() })
  }

  #receive(message: FromWriter): void {
    switch (message.type) {
      case 'line':
        return this.#report(message.text)
      case 'reads_noted':
        return this.#noting.shift()!()
      case 'committed':
        return this.#committed(message)
      case 'failed':
        return this.#failed(message)
    }
  }

  // There must be no await in here: a stream that began in between would take `newest` as told, and miss these events.
  #committed({ results, changes, cause }: Committed): void {
    if (changes > this.#changes) this.database.forget()
    this.#changes = changes
    const events = results.flatMap((result) => ('id' in result && result.event) || [])
    this.#newest = events.at(-1)?.id ?? this.#newest
    try {
      this.#listener(events)
    } catch (error) {
      // Committed, but what belongs to it can't be read: a bad page. Nobody may hear of a success that no stream has seen.
      this.#stopWriting(String(error instanceof Error ? error.stack : error))
      this.#queue.rejectGroup(damaged)
      return this.#commitNextSoon()
    }
    this.#failures.stored(cause)
    this.#queue.resolveGroup(results)
    this.#commitNextSoon()
  }

  #failed({ refusal, cause }: Failed): void {
    // Some events of the group may be committed all the same.
    this.database.forget()
    if (refusal.code === damaged.code) this.#stopWriting(cause)
    else this.#failures.failed(cause)
    this.#queue.rejectGroup(refusal)
    this.#commitNextSoon()
  }

  // The answers leave before the next group does: with two processors that is a sixth more posts a second. And one more turn of the
  // loop lets those who were answered post again: with one processor a tenth more, since there are fewer groups.
  #commitNextSoon(): void {
    setImmediate(() => setImmediate(() => this.#commitNext()))
  }

  // A damaged file is left as it is for whoever mends it: anything written to it could make more of it unreadable.
  #stopWriting(cause: string): void {
    if (this.#refusal === damaged) return
    this.#refusal = damaged
    this.#report(
      `the database is damaged (${cause}); nothing more is written, reading goes on where it can. Stop natter and try: node server.ts check`,
    )
    this.#queue.rejectWaiting(damaged)
  }

  #writerDied(error: Error): void {
    if (this.#refusal !== damaged) this.#refusal = dead
    this.#report(error.message)
    this.#queue.rejectWaiting(dead)
    this.#queue.rejectGroup(dead)
    this.#commitNextSoon()
  }
}

const stopping: Refusal = { code: 'stopping', message: 'natter is stopping; try again in a moment' }
const dead: Refusal = { code: 'storage_failed', message: 'natter can no longer write; its owner has to start it again' }
