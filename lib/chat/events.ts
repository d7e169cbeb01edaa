// The types of all that can happen in a chat, as they go over the wire. Server, tests and page share them;
// this file imports nothing, so that a browser's checker can read it too.

/** An id is microseconds since 1970, always greater than the one before, written as a string of digits. */
export type Id = string

/** Who said or did something, under the name that they had then. */
export interface Author {
  id: string
  name: string
  /** Set for whoever gave a name without any proof (`curl -u ada:`): read it as "somebody who calls themselves ada". */
  unproven?: true
}

/** Somebody as they are now. */
export interface User extends Author {
  role: 'owner' | 'admin' | 'member' | 'guest' | 'bot'
}

/** A room as it is now. */
export interface Room {
  /** The room's name made into a slug: this is how it stands in URLs and events, and it never changes. */
  id: string
  name: string
  kind: 'open' | 'private' | 'direct'
  /** When it was made: ISO 8601, UTC. */
  at: string
}

/** What somebody said. */
export interface Message {
  id: Id
  /** The slug of the room. */
  room: string
  from: Author
  text: string
  /** When: ISO 8601, UTC, in milliseconds. */
  at: string
  /** The id of the message that this one answers. */
  replyTo?: Id
  /** Set where somebody asks for a message that is deleted; its text is empty then. */
  deleted?: true
}

/** A message that was deleted: nothing of what it said is left. */
export interface Deletion {
  id: Id
  room: string
  deleted: true
}

export interface Membership {
  room: string
  user: Author
}

/** What stands behind `event:` on a stream, and the JSON behind its `data:`. */
export interface WireEvents {
  message: Message
  delete: Deletion
  join: Membership
  leave: Membership
  room: Room
  user: User
  /** Sent every 25 s or so to a stream that is up to date, and when it first is. Its id is the stream's cursor. */
  ping: Record<string, never>
  /** What was asked for can't be replayed whole: fetch afresh and go on from this cursor. */
  reset: { reason: 'unknown_cursor' | 'too_old'; cursor: Id }
}
