// A stream as a hub sees it: what it follows, how far it is, and what comes next for it.

import { Frames } from './frame.ts'
import type { ServerSentEventsStream } from './server-sent-events-stream.ts'

/** What decides whether an event may be seen: its topics first, then what a filter makes of the rest. */
export interface Seen {
  readonly id: number
  readonly topics: readonly string[]
  readonly event?: string | undefined
  readonly data?: unknown
}

export interface Follower {
  readonly stream: ServerSentEventsStream
  /** Who it belongs to, where attendance is kept. */
  readonly who: string | undefined
  readonly filter: ((event: Seen) => boolean) | undefined
  /** What it follows; the hub knows from which id on. */
  topics: readonly string[]
  /** The newest of these ids. */
  since: number
  /** Up to date: its cursor is the hub's, and the next tick will find it by its topics. */
  live: boolean
  /** Waiting for its socket or for history; it goes on by itself. */
  waiting: boolean
  /** How many events it reads from history next. */
  pageEvents: number
  /** When it gets a ping, and when it is given up unless its socket takes something: ms of `performance.now()`. */
  pingAt: number
  stuckAt: number
}

/** One that has got nothing yet, and is due for its first ping as soon as it is up to date. */
export function newFollower(
  stream: ServerSentEventsStream,
  { who, filter }: { who?: Follower['who']; filter?: Follower['filter'] },
): Follower {
  return {
    stream,
    who,
    filter,
    topics: [],
    since: 0,
    live: false,
    waiting: false,
    pageEvents: 128,
    pingAt: performance.now(),
    stuckAt: Infinity,
  }
}

/**
 * Whole frames for one write, the cursor after it, and how many frames it holds. No object: V8's Maglev (Node 22 to 26) at times gives two of
 * the same literal one number, and what was made for one reader moved the cursor of another back, who got the same events for ever.
 */
export type Piece = readonly [frames: Frames, cursor: number, count: number]

// A stream has at most one piece in memory beyond what its socket took. Counted in units of UTF-16, which take three bytes each at most,
// and six where a line escapes them (240 KiB): to count the bytes of each frame was a fourteenth of a replay.
const pieceUnitsMax = 40 * 1024

/** What is seen of the events after `after` and up to `upTo`, as much of it as goes into one piece. */
export function nextPiece<Event extends Seen>(
  events: Iterable<Event>,
  { after, upTo }: { after: number; upTo: number },
  sees: (event: Event) => boolean,
  frameOf: (event: Event) => string,
): Piece {
  let frames = ''
  let count = 0
  let cursor = upTo
  for (const event of events) {
    if (event.id > upTo) break
    if (sees(event)) {
      const frame = frameOf(event)
      if (count > 0 && frames.length + frame.length > pieceUnitsMax) {
        cursor = after
        break
      }
      frames += frame
      count++
    }
    after = event.id
  }
  return [new Frames(frames), cursor, count]
}
