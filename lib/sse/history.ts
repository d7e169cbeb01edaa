// Where a hub reads the events that its ring no longer has.

import type { Seen } from './follower.ts'

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
