// The log on one box: a thread of its own writes, this side hands it groups of events, and tells on what was committed. The order on every path is commit, tell, answer.

import { rmSync } from 'node:fs'
import { dirname } from 'node:path'
import { Worker } from 'node:worker_threads'
import { ChatError, StartError, type Refusal } from '../../errors.ts'
import type { FromWriter, ToWriter } from './commit-loop.ts'
import type { DiskReserve } from '../../config.ts'
import { Database } from '../database.ts'
import { DiskSpace } from './disk-space.ts'
import type { EventLog, LoggedEvent, NewEvent, ReadMark, Space, Told } from './event-log.ts'
import { ReadingThread } from '../search/reading-thread.ts'
import { damaged } from '../sqlite-errors.ts'

const limits = {
  waitingEvents: 10_000, // for the disk; who comes then is told to try again
  waitingCharacters: 8 * 1024 * 1024, // of their texts
  groupEvents: 1000, // in one transaction
  groupCharacters: 256 * 1024, // all of a group goes out to all streams in one go, during which nothing else happens
  sameLineMs: 60_000, // a failure that goes on is said again after this long, not with each post
}

interface Waiting extends PromiseWithResolvers<Told[]> {
  events: readonly NewEvent[]
}

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
  #worker: Worker
  #report: (line: string) => void
  /** When each failure was last told of. */
  #failures = new Map<string, number>()
  #failing = false
  /** Why nothing more is appended. */
  #over: Refusal | undefined
  #listener: (events: readonly LoggedEvent[]) => void = () => {}
  #newest: number
  /** How much of what the database recalls was changed by then. */
  #changes = 0
  #waiting: Waiting[] = []
  #waitingEvents = 0
  #waitingCharacters = 0
  #underWay: Waiting[] = []
  #noting: (() => void)[] = []
  /** The folder that is gone with us. */
  readonly #temporary: string | undefined
  readonly #exited: Promise<unknown>
  readonly #space: DiskSpace
  #idle: (() => void) | undefined

  /** @throws StartError in one line if the folder can't be used. */
  static async open({
    folder,
    writer,
    reserve = noReserve,
    report,
    tell = () => {},
  }: LocalLogOptions): Promise<LocalLog> {
    const worker = new Worker(writer, { workerData: folder, ...ownArguments() })
    const answer = await opened(worker, tell)
    if (!('opened' in answer)) {
      await worker.terminate()
      throw new StartError('unusable' in answer ? answer.unusable : 'the writing thread did not start')
    }
    try {
      const log = new LocalLog(worker, answer.opened, { reserve, report })
      await log.#space.open(tell)
      return log
    } catch (error) {
      await worker.terminate()
      throw new StartError(`the database can't be read: ${error instanceof Error ? error.message : error}`)
    }
  }

  private constructor(
    worker: Worker,
    { file, durable, newest }: { file: string; durable: boolean; newest: number },
    { reserve, report }: { reserve: DiskReserve; report: (line: string) => void },
  ) {
    this.#worker = worker
    this.#report = report
    this.#newest = newest
    this.#temporary = durable ? undefined : dirname(file)
    this.#exited = new Promise((resolve) => worker.once('exit', resolve))
    const pending = () => ({ events: this.#waitingEvents, characters: this.#waitingCharacters })
    this.#space = new DiskSpace({ folder: dirname(file), reserve, report, pending })
    this.database = Database.openForReading(file, (cause) => this.#stopWriting(cause))
    this.reader = new ReadingThread(file, (cause) => this.#stopWriting(cause))
    worker.on('message', (message: FromWriter) => this.#answered(message))
    worker.on('error', (error) => this.#writerDied(error))
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

  async append(events: readonly NewEvent[]): Promise<Told[]> {
    if (this.#over) throw new ChatError(this.#over.code, this.#over.message)
    const full =
      this.#waitingEvents + events.length > limits.waitingEvents || this.#waitingCharacters > limits.waitingCharacters
    if (full) throw new ChatError('busy', 'too much is waiting for the disk; try again in a moment')
    const waiting: Waiting = { events, ...Promise.withResolvers<Told[]>() }
    this.#waiting.push(waiting)
    this.#waitingEvents += events.length
    this.#waitingCharacters += charactersIn(events)
    this.#space.spend({ events: events.length, characters: charactersIn(events) })
    // What comes in the same tick goes in the same group.
    if (this.#waiting.length === 1 && this.#underWay.length === 0) setImmediate(() => this.#send())
    return waiting.promise
  }

  tail(listener: (events: readonly LoggedEvent[]) => void): void {
    this.#listener = listener
  }

  noteReads(reads: readonly ReadMark[]): Promise<void> {
    if (this.#over) return Promise.resolve()
    this.#worker.postMessage({ reads } satisfies ToWriter)
    return new Promise((resolve) => this.#noting.push(resolve))
  }

  /** Commits what was appended before, then lets go of the folder. */
  async close(): Promise<void> {
    this.#over = stopping
    this.#space.close()
    if (this.#underWay.length + this.#waiting.length > 0) await new Promise<void>((resolve) => (this.#idle = resolve))
    // The writer last: whoever closes last empties the write-ahead log.
    await this.reader.close()
    this.database.close()
    this.#worker.postMessage({ close: true } satisfies ToWriter)
    await this.#exited
  }

  /** Removes the folder of a log in memory; nothing else can be done with the log from then on. */
  forget(): void {
    if (this.#temporary) rmSync(this.#temporary, { recursive: true, force: true })
  }

  // One group is under way at a time; what comes meanwhile is the next group. So groups grow with the load by themselves.
  #send(): void {
    if (this.#underWay.length > 0) return
    if (this.#waiting.length === 0) return this.#idle?.()
    let events = 0
    let characters = 0
    let count = 0
    for (const waiting of this.#waiting) {
      events += waiting.events.length
      characters += charactersIn(waiting.events)
      if (count > 0 && (events > limits.groupEvents || characters > limits.groupCharacters)) break
      count++
    }
    this.#underWay = this.#waiting.splice(0, count)
    this.#worker.postMessage({ group: this.#underWay.flatMap((waiting) => waiting.events) } satisfies ToWriter)
  }

  #answered(message: FromWriter): void {
    if ('says' in message) {
      this.#report(message.says)
    } else if ('noted' in message) {
      this.#noting.shift()!()
    } else if ('outcomes' in message) {
      if (message.changes > this.#changes) this.database.forget()
      this.#changes = message.changes
      const events = message.outcomes.flatMap((told) => ('id' in told && told.event) || [])
      this.#newest = events.at(-1)?.id ?? this.#newest
      try {
        this.#listener(events)
      } catch (error) {
        // Committed, but what belongs to it can't be read: a bad page. Who asked must not hear of a success that no stream has seen.
        this.#stopWriting(String(error instanceof Error ? error.stack : error))
        return this.#finish((waiting) => waiting.reject(new ChatError(damaged.code, damaged.message)))
      }
      if (message.cause) this.#tellFailure(message.cause)
      else if (this.#failing) this.#report('storing works again')
      this.#failing = false
      this.#finish((waiting) => waiting.resolve(message.outcomes.splice(0, waiting.events.length)))
    } else if ('failed' in message) {
      // Of a group that failed some events may be committed.
      this.database.forget()
      const { code, message: why } = message.failed
      if (code === damaged.code) this.#stopWriting(message.cause)
      else this.#tellFailure(message.cause)
      this.#finish((waiting) => waiting.reject(new ChatError(code, why)))
    }
  }

  #tellFailure(cause: string): void {
    const now = performance.now()
    if (now - (this.#failures.get(cause) ?? -Infinity) < limits.sameLineMs) return
    this.#failures.set(cause, now)
    this.#failing = true
    this.#report(`storing failed: ${cause}`)
  }

  // A damaged file is left as it is for whoever mends it: what else is written could make more of it unreadable.
  #stopWriting(cause: string): void {
    if (this.#over === damaged) return
    this.#over = damaged
    this.#report(
      `the database is damaged (${cause}); nothing more is written, reading goes on where it can. Stop natter and try: node server.ts check`,
    )
    this.#settle(this.#waiting.splice(0), ({ reject }) => reject(new ChatError(damaged.code, damaged.message)))
  }

  #finish(settle: (waiting: Waiting) => void): void {
    const done = this.#underWay
    this.#underWay = []
    this.#settle(done, settle)
    // The answers leave before the next group does: with two processors a sixth more posts a second. And it waits once around the loop for
    // what those who were answered say next: with one processor a tenth more, since there are fewer groups.
    setImmediate(() => setImmediate(() => this.#send()))
  }

  #settle(done: readonly Waiting[], settle: (waiting: Waiting) => void): void {
    for (const waiting of done) {
      this.#waitingEvents -= waiting.events.length
      this.#waitingCharacters -= charactersIn(waiting.events)
      settle(waiting)
    }
  }

  #writerDied(cause: unknown): void {
    if (this.#over !== damaged) this.#over = dead
    this.#report(`the writing thread died: ${cause instanceof Error ? cause.stack : cause}`)
    const refuse = ({ reject }: Waiting) => reject(new ChatError(dead.code, dead.message))
    this.#settle(this.#waiting.splice(0), refuse)
    this.#finish(refuse)
  }
}

// What a thread that has just started comes to say. It rejects with what the thread dies of.
function opened(worker: Worker, tell: (line: string) => void): Promise<FromWriter> {
  return new Promise((resolve, reject) => {
    worker.once('error', reject)
    worker.on('message', function heard(message: FromWriter) {
      if ('says' in message) return tell(message.says)
      worker.off('message', heard)
      worker.off('error', reject)
      resolve(message)
    })
  })
}

// A host's program may be no file (`node --input-type=module -e …`). The thread's is one, and Node refuses it that flag.
function ownArguments(): { execArgv?: string[] } {
  return process.execArgv.some((argument) => argument.startsWith('--input-type')) ? { execArgv: [] } : {}
}

const stopping: Refusal = { code: 'stopping', message: 'natter is stopping; try again in a moment' }
const dead: Refusal = { code: 'storage_failed', message: 'natter can no longer write; its owner has to start it again' }

function charactersIn(events: readonly NewEvent[]): number {
  return events.reduce((sum, { body }) => sum + (body?.text?.length ?? 0), 0)
}
