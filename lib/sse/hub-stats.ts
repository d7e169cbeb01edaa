// Figures of a hub, for whoever looks after it.

import type { Follower } from './follower.ts'
import type { RingBuffer, RingEntry } from './ring-buffer.ts'

/** A hub at this moment. */
export interface HubStats {
  streams: number
  /** Streams that have yet to get something: their reader, or the history, is slow. */
  behind: number
  /** What waits in this process's memory for readers' sockets. */
  bytesBuffered: number
  /** Published, on average of the last ten seconds or of as much of them as the ring holds. */
  eventsPerSecond: number
}

export function statsOf(followers: readonly Follower[], ring: RingBuffer<RingEntry>): HubStats {
  // Ids are microseconds, so the ring tells how often something was published.
  const now = Date.now() * 1000
  const since = Math.max(now - 10e6, ring.floor)
  return {
    streams: followers.length,
    behind: followers.filter(({ live }) => !live).length,
    bytesBuffered: followers.reduce((sum, { stream }) => sum + stream.writableLength, 0),
    eventsPerSecond: ([...ring.after(since)].length * 1e6) / Math.max(now - since, 1e6),
  }
}
