// The log on one box: a thread of its own writes, this side hands it groups of events, reads what was committed, and
// tells it on. The order on every path is commit, tell, answer.

import { Worker } from 'node:worker_threads'
import { ChatError, StartError } from '../errors.ts'
import type { FromWriter, ToWriter } from './commit-loop.ts'
import { Database } from './database.ts'
import type { EventLog, LoggedEvent, NewEvent, Outcome } from './event-log.ts'

const limits = {
  waitingEvents: 10_000, // for the disk; who comes then is told to try again
  groupEvents: 1000, // in one transaction
  pageEvents: 500, // read back in one go
}

interface Waiting {
  events: readonly NewEvent[]
  resolve: (outcomes: Outcome[]) => void
  reject: (error: ChatError) => void
}

export interface LocalLogOptions {
  /** The data folder, or `:memory:`. */
  folder: string
  /** The module that runs the commit loop in a worker. */
  writer: URL
  /** Called once per failure of the disk, with the whole story. */
  onFailure: (cause: string) => void
}

export class LocalLog implements EventLog {
  /** What was committed, for reading; each commit is seen at once. */
  readonly database: Database
  #worker: Worker
  #onFailure: (cause: string) => void
  #listener: (events: readonly LoggedEvent[]) => void = () => {}
  #newest: number
  #waiting: Waiting[] = []
  #waitingEvents = 0
  #underWay: Waiting[] = []
  #closing = false
  #idle: (() => void) | undefined

  /** @throws StartError in one line if the folder can't be used. */
  static async open({ folder, writer, onFailure }: LocalLogOptions): Promise<LocalLog> {
    const worker = new Worker(writer, { workerData: folder })
    const answer = await new Promise<FromWriter>((resolve, reject) => {
      worker.once('message', resolve)
      worker.once('error', reject)
    })
    if (!('opened' in answer)) {
      await worker.terminate()
      throw new StartError('unusable' in answer ? answer.unusable : 'the writing thread did not start')
    }
    return new LocalLog(worker, answer.opened, onFailure)
  }

  private constructor(worker: Worker, { file, newest }: { file: string; newest: number }, onFailure: (cause: string) => void) {
    this.#worker = worker
    this.#onFailure = onFailure
    this.#newest = newest
    this.database = Database.openForReading(file)
    worker.on('message', (message: FromWriter) => this.#answered(message))
    worker.on('error', (error) => this.#writerDied(error))
  }

  get newest(): number {
    return this.#newest
  }

  append(events: readonly NewEvent[]): Promise<Outcome[]> {
    if (this.#closing) return Promise.reject(new ChatError('stopping', 'natter is stopping; try again in a moment'))
    if (this.#waitingEvents + events.length > limits.waitingEvents) return Promise.reject(new ChatError('busy', 'too much is waiting for the disk; try again in a moment'))
    return new Promise((resolve, reject) => {
      this.#waiting.push({ events, resolve, reject })
      this.#waitingEvents += events.length
      // What comes in the same tick goes in the same group.
      if (this.#waiting.length === 1 && this.#underWay.length === 0) setImmediate(() => this.#send())
    })
  }

  tail(listener: (events: readonly LoggedEvent[]) => void): void {
    this.#listener = listener
  }

  /** Commits what was appended before, then lets go of the folder. */
  async close(): Promise<void> {
    this.#closing = true
    if (this.#underWay.length + this.#waiting.length > 0) await new Promise<void>((resolve) => (this.#idle = resolve))
    // The writer last: whoever closes last empties the write-ahead log.
    this.database.close()
    const over = new Promise((resolve) => this.#worker.once('exit', resolve))
    this.#tell({ close: true })
    await over
  }

  // One group is under way at a time; what comes meanwhile is the next group. So groups grow with the load by themselves.
  #send(): void {
    if (this.#underWay.length > 0 || this.#waiting.length === 0) return
    let events = 0
    let count = 0
    while (count < this.#waiting.length && (count === 0 || events + this.#waiting[count]!.events.length <= limits.groupEvents)) {
      events += this.#waiting[count++]!.events.length
    }
    this.#underWay = this.#waiting.splice(0, count)
    this.#tell({ group: this.#underWay.flatMap((waiting) => waiting.events) })
  }

  #tell(message: ToWriter): void {
    this.#worker.postMessage(message)
  }

  #answered(message: FromWriter): void {
    if ('outcomes' in message) {
      try {
        this.#tellListener(message.newest)
      } catch (error) {
        // Committed, but not to be read back: a bad page. Who asked must not hear of a success that no stream has seen.
        this.#onFailure(String(error instanceof Error ? error.stack : error))
        return this.#finish((waiting) => waiting.reject(new ChatError('storage_damaged', 'the database could not be read')))
      }
      const outcomes = message.outcomes
      this.#finish((waiting) => waiting.resolve(outcomes.splice(0, waiting.events.length)))
    } else if ('failed' in message) {
      this.#onFailure(message.cause)
      const { code, message: why } = message.failed
      this.#finish((waiting) => waiting.reject(new ChatError(code, why)))
    }
  }

  // What goes live is read from the database, by the same statement as a replay: so the two can't differ.
  #tellListener(upTo: number): void {
    while (this.#newest < upTo) {
      const events = this.database.eventsAfter(this.#newest, limits.pageEvents).filter((event) => event.id <= upTo)
      this.#newest = events.at(-1)?.id ?? upTo
      this.#listener(events)
    }
  }

  #finish(settle: (waiting: Waiting) => void): void {
    const done = this.#underWay
    this.#underWay = []
    for (const waiting of done) {
      this.#waitingEvents -= waiting.events.length
      settle(waiting)
    }
    this.#send()
    if (this.#underWay.length === 0) this.#idle?.()
  }

  #writerDied(cause: unknown): void {
    this.#closing = true
    this.#onFailure(`the writing thread died: ${cause instanceof Error ? cause.stack : cause}`)
    const error = new ChatError('storage_failed', 'natter can no longer write; its owner has to start it again')
    this.#underWay.push(...this.#waiting.splice(0))
    this.#finish((waiting) => waiting.reject(error))
  }
}
