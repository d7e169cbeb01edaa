// What a hub is told, and what it tells.

import type { Seen } from './follower.ts'
import type { History } from './history.ts'

/** The names of a hub's events, and what the data of each is. */
export type EventMap = Record<string, unknown>

/** An event as the hub takes it; one without a name is a `message`. */
export type HubEvent<Events extends EventMap> = string extends keyof Events
  ? { event?: string | undefined; data?: unknown; id?: number | undefined }
  :
      | { [Name in keyof Events & string]: { event: Name; data: Events[Name]; id?: number } }[keyof Events & string]
      | Unnamed<Events>

type Unnamed<Events extends EventMap> = 'message' extends keyof Events
  ? { event?: undefined; data: Events['message']; id?: number }
  : never

/** What a hub is made with; everything has a default. */
export interface HubOptions {
  /** How many of the newest events are kept in memory: 1,000 by default, and never more than 32 MiB of them, frames and data. */
  ring?: number | undefined
  /** Where older ones are read. Without it, who is further behind than the ring gets a `reset`. */
  history?: History
  /** The newest id that was given before this hub was made. */
  newest?: number
  /** How often a stream that is up to date gets a `ping`, give or take a fifth: 25 s by default, in ms. */
  pingMs?: number
  /** Called when somebody's first stream comes, and some time after their last one went; see `who` in `follow`. */
  came?: ((who: string) => void) | undefined
  left?: ((who: string) => void) | undefined
  /** How long somebody without a stream still counts as here: 5 s by default, in ms. */
  graceMs?: number
  /** Called when a history or a filter fails; by default a warning of the process. The stream it failed for is ended and comes back with its cursor. */
  onError?: (error: unknown) => void
}

/** How a stream follows its topics. */
export interface FollowOptions {
  /** Go on after this id instead of the stream's `lastEventId`. */
  after?: number | undefined
  /** Whose stream it is, for `came`, `left` and `here`. */
  who?: string
  /**
   * More topics, for a stream that follows thousands: asked for a page at a time, in later turns of the event loop if they are many. The
   * stream begins, from the cursor that it came with, once it follows all of them; a page is followed in the turn in which it was asked for.
   */
  more?: Iterable<readonly string[]>
  /** Which of its topics' events it may see. */
  filter?: (event: Seen) => boolean
}
