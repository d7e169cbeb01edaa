// Where a hub reads the events that its ring no longer has.

import type { Seen } from './follower.ts'
import type { Slices } from './slices.ts'

/** An event as `History` gives it: without topics nobody gets it, and it only moves cursors on. */
export type HistoryEvent = Seen

/** Where events are read that the ring no longer has: a database, say. */
export interface History {
  /**
   * May a reader go on after this id? Whoever asks with one that may not gets a `reset`. Asked for ids below the newest that the ring does not have:
   * where events are not everybody's to see, say yes to all that a cursor could be, or readers find out which ids there are.
   */
  has(id: number): boolean | Promise<boolean>
  /** The next events with a greater id, oldest first, in the ids' order; fewer than `limit` means that there are no more. */
  read(after: number, limit: number): readonly HistoryEvent[] | Promise<readonly HistoryEvent[]>
}

/** Reads pages for many streams, one page each in turns. */
export class HistoryReader {
  #history: History
  #slices: Slices

  constructor(history: History, slices: Slices) {
    this.#history = history
    this.#slices = slices
  }

  /** Has `take` take the page that `ask` asks for when its turn comes, in the same turn, since that is most of the work. */
  async read(ask: () => [after: number, limit: number] | undefined, take: (page: readonly HistoryEvent[]) => void): Promise<void> {
    await this.#slices.turn()
    const asked = ask()
    const page = asked && this.#history.read(...asked)
    if (page) take(page instanceof Promise ? await page : page)
  }
}
