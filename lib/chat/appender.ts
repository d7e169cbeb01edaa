// How an operation becomes an event: the rules are asked first, on what can be read here, so that refusals seldom reach the
// log; then the log is, which decides. What may be a retry goes to the log at once, which finds its key.

import { ChatError, type ErrorCode } from '../errors.ts'
import type { Database } from '../store/database.ts'
import type { EventLog, LoggedEvent } from '../store/log/event-log.ts'
import { earlier, judge } from './rules/apply.ts'
import { checkSpace } from './disk-reserve.ts'
import type { LogEvent } from '../store/log/log-events.ts'

interface Beside {
  before?: readonly LogEvent[]
  after?: readonly LogEvent[]
}

export class Appender {
  readonly #log: EventLog
  readonly #database: Database

  constructor(log: EventLog, database: Database) {
    this.#log = log
    this.#database = database
  }

  /** The newest id that everybody was told of. */
  get newest(): number {
    return this.#log.newest
  }

  get cursor(): string {
    return String(this.newest)
  }

  /** About the id that an event would get now. */
  get idNow(): number {
    return Math.max(this.#log.newest, Date.now() * 1000)
  }

  /** @throws ChatError if an event would be refused now */
  check(event: LogEvent): void {
    const judged = judge(this.#database, event, this.idNow)
    if (judged) throw new ChatError(judged.refused.code, judged.refused.message)
  }

  /**
   * For what takes long before it can be appended.
   * @throws ChatError `storage_low` if the disk has not enough room for an event by whoever does it
   */
  async checkSpace(event: LogEvent): Promise<void> {
    const measured = this.#log.measureSpace()
    if (measured) await measured
    checkSpace(this.#database, this.#log.space, event)
  }

  /**
   * The id of the event that was accepted, and the event as everybody was told it: now, or if it is a repeated request earlier,
   * and then without it. Those in `before` and `after` are appended with it, and only refused for themselves.
   * @throws ChatError if it is refused
   */
  async append(
    event: LogEvent,
    { before = [], after = [] }: Beside = {},
  ): Promise<{ id: number; event?: LoggedEvent | undefined }> {
    // It is asked for once a second: what is posted together waits together.
    const measured = this.#log.measureSpace()
    if (measured) await measured
    if (!('key' in event)) this.check(event)
    // A retry of what was stored takes no room.
    if (this.#log.space !== 'enough' && !earlier(this.#database, event))
      checkSpace(this.#database, this.#log.space, event)
    const outcome = await this.#log.append([...before, event, ...after]).then(
      (outcomes) => outcomes[before.length]!,
      (error) => {
        // What was stored is stored, even where nothing can be stored any more. At the end it can't be read either.
        const known = error instanceof ChatError && error.code !== 'stopping' && earlier(this.#database, event)
        if (known && 'id' in known && known.id <= this.#log.newest) return known
        throw error
      },
    )
    if ('refused' in outcome) throw new ChatError(outcome.refused.code, outcome.refused.message)
    return outcome
  }

  /** The same, for what is no harm if it is so already; false if it is. */
  async appendUnless(code: ErrorCode, event: LogEvent, beside: Beside = {}): Promise<boolean> {
    try {
      await this.append(event, beside)
      return true
    } catch (error) {
      if (error instanceof ChatError && error.code === code) return false
      throw error
    }
  }
}
