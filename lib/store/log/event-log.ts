// The contract of the log: what is appended, what is read back, and who is told when. It is the same on one box and on many.

import type { Refusal } from '../../errors.ts'
import type { UserRow } from '../tables/people-tables.ts'
import type { RoomRow } from '../tables/room-tables.ts'

/** The body of an event: the only part that can be emptied later, part by part, and the only one that rules never look at. */
export interface Body {
  /** What a message says; of an account its password's hash. */
  text?: string
  /** The author's of a message, as it was then; of an event that names a user or a room, theirs. */
  name?: string
  /** Whatever else people chose: whom a text mentions, a topic, an emoji. It is kept as JSON. */
  [other: string]: unknown
}

/** An event before it is appended. The log gives it its id, which is the same wherever it is applied. */
export interface NewEvent {
  type: string
  /** The version of the rules that it was made for. */
  rules: number
  user?: number
  room?: number
  target?: number
  /** What its type needs to be applied: ids, numbers, flags and hashes, kept for good. What people chose to write goes into the body. */
  facts?: Record<string, unknown>
  body?: Body
  /** With it the same request may come again, and is the same event. */
  key?: string
  /** The fingerprint of the request that came with the key. */
  print?: string
}

/**
 * What is looked at of the facts of events that are read back. Which of them there are depends on the event's type: see log-events.ts for what
 * it was given.
 */
export interface LoggedFacts {
  /** Who is not shown this. */
  unseenBy?: number
  /** Whose doing it is, where `user` is who comes or goes. */
  by?: number
  /** Of a deletion: who wrote the message. */
  author?: number
  /** Of an edit: the one before it, which has the older text. Of a deletion: the one that had the text. */
  replaces?: number
  /** Of a deletion: somebody had reacted to the message. */
  reactions?: true
  /** Of a reaction, or of a block: made, or taken back. */
  on?: boolean
  /** Of a reaction: how many react so from then on; and the event whose body has the emoji, if it is another. */
  count?: number
  body?: number
  /** Of a user, as they are from then on. Of a join: the role in the room, which is `owner` or `member`. */
  kind?: UserRow['kind']
  role?: UserRow['role']
  banned?: boolean
  /** Of a room. */
  archived?: boolean
  slug?: string
  /** Of a change of a room: whether it has another name, another topic. */
  name?: true
  topic?: true
  /** Of a session: its hash; without one it is about all that somebody has. */
  hash?: string
  /** Of a password: the session that goes on. */
  session?: string
}

/** The same of the rest of a body. */
export interface LoggedRest {
  mentions?: number[]
  everyone?: true
}

/** An event as it is read back, together with what its frame needs. */
export interface LoggedEvent {
  id: number
  type: string
  rules: number
  user: number | null
  /**
   * The name that its frame shows: a message's author's as it was then, or if that is emptied as it is now; of whoever came, left or
   * reacted theirs now; that of the user or the room that it is about, or null if a newer event has it.
   */
  name: string | null
  userKind: UserRow['kind'] | null
  room: number | null
  slug: string | null
  roomKind: RoomRow['kind'] | null
  target: number | null
  /** What it was given, and what was added when it was applied; null if nothing. */
  facts: LoggedFacts | null
  /** The rest of its body; null if there is none, or if it was emptied. */
  rest: LoggedRest | null
  /** Of an edit: the name under which the message was written, and what that answers. */
  firstName?: string | null
  firstTarget?: number | null
  /** Of a block: the name that they have now. */
  targetName?: string | undefined
  /** Of a reaction: null if it was emptied. */
  emoji?: string | null
  /** Of a room: its topic now. */
  topic?: string
  text: string | null
}

/** Somebody has read a room up to an event. */
export interface ReadMark {
  user: number
  room: number
  event: number
}

/** What became of an event: its id, or why it was refused. A repeated request has the id of the first one. */
export type Outcome = { id: number; repeated?: boolean } | { refused: Refusal }

/** The same, with the event as the listener is told it. A repeated request has none: the listener was told the first. */
export type AppendResult = Outcome & { event?: LoggedEvent | undefined }

/**
 * How much room the disk has: enough for everybody; `low`, too little for people without an account; or `last`, only as much as the
 * database needs to delete something.
 */
export type Space = 'enough' | 'low' | 'last'

export interface EventLog {
  /** The newest event that all listeners were told of. */
  readonly newest: number
  /** As of a moment ago. The caller of `append` looks at it first: the log itself takes what it is given. */
  readonly space: Space
  /** Undefined if `space` is known well enough, or else resolves when it is. */
  measureSpace(): Promise<void> | undefined
  /**
   * Resolves when the events are durable, applied here, and passed on to the listener, with a result for each, in order.
   * @throws ChatError `busy`, `stopping`, or one of `storage_…`; it is not known then whether they will be in the log.
   */
  append(events: readonly NewEvent[]): Promise<AppendResult[]>
  /** Calls the listener with each committed group of events after `newest`, once and in order. */
  tail(listener: (events: readonly LoggedEvent[]) => void): void
  /** Notes how far people have read, which is no event. Resolves when it can be read back, or is lost. */
  noteReads(reads: readonly ReadMark[]): Promise<void>
  close(): Promise<void>
}
