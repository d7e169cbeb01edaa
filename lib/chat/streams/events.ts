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
  /** In the whole place. An `owner` or `admin` governs it, `member` has an account, `guest` as a rule only a name, `bot` a token. */
  role: 'owner' | 'admin' | 'member' | 'guest' | 'bot'
  /** Set for a guest who has an account. Where one has to be invited they stay a guest until somebody makes them a member. */
  account?: true
  /** May not do or read anything any more. */
  banned?: true
}

/** A room as it is now. */
export interface Room {
  /**
   * The room's name made into a slug: this is how it stands in URLs and events, and it never changes. A private room's ends with
   * something random, so that no name tells whether there is such a room.
   */
  id: string
  name: string
  /** `open` to all; `private` to its members; `direct`: two people's. */
  kind: 'open' | 'private' | 'direct'
  topic?: string
  /** It can be read, and nothing more is said in it. */
  archived?: true
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
  /** The ids of those whom it names by `@name`; `room` if it names everyone in it. */
  mentions?: string[]
  /** When its text was last changed. */
  edited?: string
  /** In the order in which they came into use. In answers only: on a stream reactions are events of their own. */
  reactions?: Reactions[]
  /** Set where somebody asks for a message that is deleted; its text is empty then. */
  deleted?: true
}

/** One emoji that people react to a message with. */
export interface Reactions {
  emoji: string
  /** How many do. */
  count: number
  /** The reader is one of them. */
  me: boolean
  /** The first ten of them, in the order in which they reacted, under the names that they have now. */
  from: Author[]
}

/** A room in somebody's list: with how far they have read, if they are in it. */
export interface ListedRoom extends Room {
  /** The newest event that they have read. */
  read?: Id
  /** Others' messages since then, 100 at the most. */
  unread?: number
  /** Those of them that name the reader, or everyone; 100 at the most. */
  mentions?: number
}

/** Somebody types, comes or goes. */
export interface Presence {
  room: string
  user: Author
  state: 'typing' | 'here' | 'away'
}

/** A message that was deleted: nothing of what it said is left. */
export interface Deletion {
  id: Id
  room: string
  deleted: true
}

/** Somebody reacted to a message, or took it back. */
export interface Reaction {
  message: Id
  room: string
  emoji: string
  from: Author
  on: boolean
  /** How many react so from then on. Not in direct rooms, where all who do are told one by one: each reader counts those that they are shown. */
  count?: number
}

/** I want nothing more of somebody, or do again: told to my own streams alone. */
export interface Block {
  user: Author
  on: boolean
}

/** Somebody came into a room or left it; a join of who is in it already is a change of their role. */
export interface Membership {
  room: string
  user: Author
  /** Who owns a room may change it, and who is in it. */
  role?: 'owner'
}

export interface Member extends User {
  roomRole?: 'owner'
  /** Has a stream open, or had one a moment ago. */
  here?: true
}

/** An event with its data, as one of all there are. */
export type WireEvent = { [Name in keyof WireEvents]: { event: Name; data: WireEvents[Name] } }[keyof WireEvents]

/** What stands behind `event:` on a stream, and the JSON behind its `data:`. */
export interface WireEvents {
  message: Message
  /** The message as it is from then on. Its older text is in no replay any more, so this may be the first that one sees of it. */
  edit: Message
  delete: Deletion
  reaction: Reaction
  join: Membership
  leave: Membership
  room: Room
  user: User
  block: Block
  // Signals: they have no id, and who is behind does not get them.
  /** On another of one's own streams a room was read up to this event. */
  read: { room: string; id: Id }
  typing: Presence
  presence: Presence
  /** Sent every 25 s or so to a stream that is up to date, and when it first is. Its id is the stream's cursor. */
  ping: Record<string, never>
  /** What was asked for can't be replayed whole: fetch afresh and go on from this cursor. */
  reset: { reason: 'unknown_cursor' | 'too_old'; cursor: Id }
}
