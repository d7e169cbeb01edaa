// The types of all that is kept in the log. Log and wire are two things: the log has what `apply` needs, secrets' hashes
// among it; what goes over the wire is made of it in wire.ts, with the types in events.ts.

/** The rules that new events are made for. A change of what an event does is a new version; the old ones stay. */
export const rules = 4

/**
 * Version 2 added all about accounts, private rooms, invites and tokens; what there was before means the same in both. With version 3
 * an account says which role it has, invites and rooms have bounds that they did not have before, a direct room can be left, and people
 * blocked. With version 4 a name must not look like another's. In which form an event tells
 * something is a matter of the file's format, and the same for all versions: an older file is rewritten when it is opened (skeletons.ts).
 */
export const knownRules: readonly number[] = [1, 2, 3, 4]

type Made<Type extends string, Fields> = { type: Type; rules: number } & Fields

export type Role = 'owner' | 'admin' | 'member' | 'guest' | 'bot'

// In `facts` are ids, numbers, flags and hashes. What people chose to write is in the `body`; it is left out where it was emptied
// before the event is applied again, and nothing may depend on it.

/** A name: what `nameHash` makes of it as it is compared, and of what it looks like (see look-alikes.ts). Older events have no looks. */
export type NameFacts = { folded: string; looks?: string[] }

/**
 * The first of all: the log's public id, and the secret that it hashes names with. They are random, and the same on all nodes, as
 * they travel in it.
 */
export type LogBegun = Made<'log', { facts: { id: string; secret: string } }>

// People. `user` is whose doing it is; `target` the one it is done to.

/** Somebody new. A guest or an account comes with a first session, so that no name is ever held by nobody. */
export type UserMade = Made<
  'user',
  {
    facts: NameFacts & {
      kind: 'guest' | 'unproven' | 'account'
      role: Role
      session?: string
      /** The hash of the invite's code. */
      invite?: string
    }
    body?: {
      name: string
      /** The hash of an account's password. */
      text?: string
    }
  }
>

/** A guest becomes an account, and keeps all they said. */
export type AccountMade = Made<
  'account',
  {
    user: number
    facts: NameFacts & {
      session: string
      /** What they are from then on; older events leave it out, of whom each is a member or what the invite gives. */
      role?: Role
      /** The hash of the invite's code, if they accept one by it. */
      invite?: string
    }
    body?: { name: string; text?: string }
  }
>

export type Renamed = Made<'rename', { user: number; facts: NameFacts; body?: { name: string } }>

/** A new password. It ends all sessions but the one that is named. */
export type PasswordChanged = Made<'password', { user: number; facts: { session?: string }; body?: { text: string } }>

export type RoleGiven = Made<'role', { user: number; target: number; facts: { role: Role } }>

/** Somebody is banned, or no longer. With a ban rooms they made may be archived, and messages they wrote deleted. */
export type Banned = Made<
  'ban',
  { user: number; target: number; facts: { banned: boolean; rooms?: true; messages?: true } }
>

/** All that a ban was to do away with is gone. */
export type CleanedUp = Made<'cleanup_end', { target: number; facts: { ban: number } }>

/** Somebody whom the server that natter is mounted in knows: new, or under another name or role than before. */
export type Hosted = Made<'hosted', { facts: NameFacts & { outside: string; role: Role }; body?: { name: string } }>

export type SessionBegun = Made<
  'session_start',
  {
    user: number
    facts: {
      hash: string
      /** The event that set the password it was begun with. */
      password?: number
    }
  }
>

/** A session was used again after a day or more, and lasts anew. */
export type SessionRenewed = Made<'session', { user: number; facts: { hash: string } }>

/** A session is over, or all that somebody has. */
export type SessionEnded = Made<'session_end', { user: number; facts: { hash: string } | { all: true } }>

/** `user` is left out where natter itself makes it, for the first owner. */
export type InviteMade = Made<
  'invite',
  {
    user?: number
    room?: number
    facts: {
      hash: string
      role: 'owner' | 'admin' | 'member' | 'guest'
      uses: number
      /** Microseconds, like ids. */
      expires: number
    }
  }
>

export type InviteEnded = Made<'invite_end', { user?: number; target: number }>

/** Somebody who is here already accepts an invite. */
export type Accepted = Made<'accept', { user: number; facts: { invite: string } }>

/** A token for a bot: a new one, or the one that has the name. */
export type TokenMade = Made<
  'token',
  {
    user: number
    facts: NameFacts & { hash: string; scopes: string; rooms?: number[]; expires?: number }
    body?: { name: string }
  }
>

export type TokenEnded = Made<'token_end', { user: number; target: number }>

// Rooms

/** A new room; `user` is left out where natter itself makes it. `pair` are the two of a direct room, who makes it first: it has no name but theirs. */
export type RoomMade = Made<
  'room',
  {
    user?: number
    facts: { slug: string; kind: 'open' | 'private' | 'direct'; pair?: [number, number] }
    body?: { name?: string; topic?: string }
  }
>

/** The facts say what is new, and the body what it is. */
export type RoomChanged = Made<
  'room_change',
  {
    user: number
    room: number
    facts: {
      name?: true
      topic?: true
      archived?: boolean
      /** Whoever governs the place has archived it. */
      done?: boolean
      /** The ban of its maker that archives it. */
      ban?: number
    }
    body?: { name?: string; topic?: string }
  }
>

/**
 * Somebody comes into a room, or has another role in it. A user or a room that an event just before it makes has no id yet
 * when this is appended, and is named by what that event has of its own: the room by its slug, the user by the hash of their
 * first session or token.
 */
export type Joined = Made<
  'join',
  {
    user?: number
    room?: number
    facts?: {
      slug?: string
      proof?: string
      /** Who adds them. */
      by?: number
      role?: 'owner' | 'member'
      /** Entered by this invite. */
      invite?: string
      /** Into a direct room that they had left: its other one speaks there. */
      again?: true
    } & Unseen
  }
>

export type Left = Made<
  'leave',
  {
    user: number
    room: number
    facts?: {
      /** Who removes them. */
      by?: number
    } & Unseen
  }
>

/** Added when it is applied: who is not shown this, since they had blocked whose doing it is. */
export type Unseen = { unseenBy?: number }

/** Whom a text names: people, and perhaps everyone in the room. */
export type Mentions = { mentions?: number[]; everyone?: true }

/** `target` is the message that it answers. */
export type Posted = Made<
  'message',
  {
    user: number
    room: number
    target?: number
    facts?: Unseen
    key?: string
    print?: string
    /** The author's name is written into it when it is applied. */
    body?: { text?: string; name?: string } & Mentions
  }
>

/** `target` is the message that is deleted. */
export type Deleted = Made<
  'delete',
  {
    user: number
    room: number
    target: number
    facts?: {
      /** The ban of its author that deletes it. */
      ban?: number
    } & Unseen
  }
>

/** `target` is the message that has this text from now on. */
export type Edited = Made<
  'edit',
  { user: number; room: number; target: number; facts?: Unseen; body?: { text?: string } & Mentions }
>

/**
 * An emoji is told by its number among those that the message was ever reacted to with, so that nothing is left of it when its body is
 * emptied. A new one has the next number, and is refused if somebody else was quicker with another: then it is asked again.
 */
export type Reacted = Made<
  'reaction',
  {
    user: number
    room: number
    target: number
    facts: { emoji: number; on: boolean; new?: true } & Unseen
    body?: { emoji: string }
  }
>

/** Somebody wants nothing more of somebody else, or does again. */
export type Blocked = Made<'block', { user: number; target: number; facts: { on: boolean } }>

export type LogEvent =
  | LogBegun
  | UserMade
  | AccountMade
  | Renamed
  | PasswordChanged
  | RoleGiven
  | Banned
  | CleanedUp
  | Hosted
  | SessionBegun
  | SessionRenewed
  | SessionEnded
  | InviteMade
  | InviteEnded
  | Accepted
  | TokenMade
  | TokenEnded
  | RoomMade
  | RoomChanged
  | Joined
  | Left
  | Posted
  | Edited
  | Deleted
  | Reacted
  | Blocked
