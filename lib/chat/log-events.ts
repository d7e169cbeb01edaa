// The types of all that is kept in the log. Log and wire are two things: the log has what `apply` needs, secrets' hashes
// among it; what goes over the wire is made of it in wire.ts, with the types in events.ts.

/** The rules that new events are made for. A change of what an event does is a new version; the old ones stay. */
export const rules = 1

interface Made {
  rules: typeof rules
}

interface Keyed {
  key?: string
  print?: string
}

/** Somebody new. A guest comes with their first session, so that no name is ever held by nobody. */
export interface UserMade extends Made {
  type: 'user'
  facts: { name: string; folded: string; kind: 'guest' | 'unproven'; role: 'guest'; session?: string }
}

/** A session was used again after a day or more, and lasts anew. */
export interface SessionRenewed extends Made {
  type: 'session'
  user: number
  facts: { hash: string }
}

export interface SessionEnded extends Made {
  type: 'session_end'
  user: number
  facts: { hash: string }
}

/** A new room; `user` is left out where natter itself makes it. */
export interface RoomMade extends Made {
  type: 'room'
  user?: number
  facts: { slug: string; name: string; kind: 'open' }
}

export interface Joined extends Made {
  type: 'join'
  user: number
  room: number
}

export interface Left extends Made {
  type: 'leave'
  user: number
  room: number
}

/** `target` is the message that it answers. */
export interface Posted extends Made, Keyed {
  type: 'message'
  user: number
  room: number
  target?: number
  /** Left out when it is applied again after it was deleted. */
  text?: string
}

/** `target` is the message that is deleted. */
export interface Deleted extends Made {
  type: 'delete'
  user: number
  room: number
  target: number
}

export type LogEvent = UserMade | SessionRenewed | SessionEnded | RoomMade | Joined | Left | Posted | Deleted
