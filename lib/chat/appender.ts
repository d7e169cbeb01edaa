// How an operation becomes an event. The rules are asked first, on what can be read here, so that refusals seldom reach the
// log; then the event is appended, and the log decides. What may be a retry goes to the log at once, which finds its key.

import { ChatError, type ErrorCode } from '../errors.ts'
import type { Database } from '../store/database.ts'
import type { AppendResult, EventLog, LoggedEvent } from '../store/log/event-log.ts'
import { earlier, judge } from './rules/apply.ts'
import { checkSpace } from './disk-reserve.ts'
import type { LogEvent } from '../store/log/log-events.ts'

/** Events to append together with another. */
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

  /** The id of the newest event that all streams were told of. */
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
   * For operations that do long work before they append.
   * @throws ChatError `storage_low` if the disk has not enough room for an event by whoever does it
   */
  async checkSpace(event: LogEvent): Promise<void> {
    const measured = this.#log.measureSpace()
    if (measured) await measured
    checkSpace(this.#database, this.#log.space, event)
  }

  /**
   * The id of the accepted event, and the event as the streams were told it. A repeated request gets the id of the first, without
   * the event. Events in `before` and `after` are appended with it; each of these may be refused without the others.
   * @throws ChatError if it is refused
   */
  async append(
    event: LogEvent,
    { before = [], after = [] }: Beside = {},
  ): Promise<{ id: number; event?: LoggedEvent | undefined }> {
    // The system is asked once a second: what is posted together meanwhile waits for the same answer.
    const measured = this.#log.measureSpace()
    if (measured) await measured
    // From here to the append there must be no await: the checks are made on the data as it is when the event is appended.
    if (!('key' in event)) this.check(event)
    // A retry of what was stored takes no room.
    if (this.#log.space !== 'enough' && !earlier(this.#database, event))
      checkSpace(this.#database, this.#log.space, event)
    const result = await this.#appendOrFindEarlier(event, { before, after })
    if ('refused' in result) throw new ChatError(result.refused.code, result.refused.message)
    return result
  }

  // A request that comes again is answered by what was stored for it, even where nothing can be stored any more.
  async #appendOrFindEarlier(event: LogEvent, { before, after }: Required<Beside>): Promise<AppendResult> {
    try {
      const results = await this.#log.append([...before, event, ...after])
      return results[before.length]!
    } catch (error) {
      // While natter stops, the database may be closed already.
      if (!(error instanceof ChatError) || error.code === 'stopping') throw error
      const known = earlier(this.#database, event)
      // What no stream was told of is not answered either.
      if (known && 'id' in known && known.id <= this.#log.newest) return known
      throw error
    }
  }

  /** The same, for an event that does no harm if it is refused with `code`; false if it was. */
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
