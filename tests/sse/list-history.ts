// A history in a list: everything that was published, as a database would keep it.

import { setTimeout as sleep } from 'node:timers/promises'
import type { History, HistoryEvent } from '../../lib/sse/history.ts'

export class ListHistory implements History {
  readonly events: HistoryEvent[] = []
  /** How long each read takes; undefined: it answers at once. */
  delayMs: (() => number) | undefined
  /** What the next reads throw. */
  failure: Error | undefined
  reads = 0

  has(id: number): boolean | Promise<boolean> {
    if (this.failure) throw this.failure
    const known = this.events.some((event) => event.id === id)
    return this.delayMs ? sleep(this.delayMs(), known) : known
  }

  read(after: number, limit: number): readonly HistoryEvent[] | Promise<readonly HistoryEvent[]> {
    this.reads++
    if (this.failure) throw this.failure
    // What it answers is what was there when it was asked, however long it takes.
    const page = this.events.slice(this.#indexAfter(after)).slice(0, limit)
    return this.delayMs ? sleep(this.delayMs(), page) : page
  }

  #indexAfter(id: number): number {
    const at = this.events.findIndex((event) => event.id > id)
    return at < 0 ? this.events.length : at
  }
}
