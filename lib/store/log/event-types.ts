// What each type of event in the log means to those who pass events on: the one place where a new type is entered. What an event does is
// in the rules (chat/rules), what its frame says in chat/streams/wire.ts; the compiler names those that lack a type of this table.

import type { LogEvent } from './log-events.ts'

export type LogEventType = LogEvent['type']

/** The names of frames that are made of logged events. */
export type FrameName = 'message' | 'edit' | 'delete' | 'reaction' | 'join' | 'leave' | 'room' | 'user' | 'block'

interface EventType {
  /** The name of its frame. `null`: no frame is made of it, and it only moves cursors on. */
  frame: FrameName | null
  /** A frame is made of it only if the event has a target: without one it has changed nothing that can be seen. */
  needsTarget?: true
  /** Its frame is for the streams of whose doing it is, and for no others. */
  own?: true
  /** Its `user` is who comes, goes or is logged out, which may be somebody else's doing. */
  userIsDoneTo?: true
  /** Something that was sent before must not be sent again: see chat/streams/superseded.ts. */
  supersedes?: true
  /** Streams end with it: see chat/streams/streams.ts. */
  endsStreams?: true
  /** It takes something away, or is needed to do so: let in however full the disk is. */
  onFullDisk?: true
}

export const eventTypes = {
  log: { frame: null },

  user: { frame: 'user' },
  account: { frame: 'user', supersedes: true },
  rename: { frame: 'user', supersedes: true },
  password: { frame: null, endsStreams: true },
  role: { frame: 'user', endsStreams: true },
  ban: { frame: 'user', endsStreams: true, onFullDisk: true },
  cleanup_end: { frame: null },
  hosted: { frame: 'user', supersedes: true, endsStreams: true },

  session_start: { frame: null, onFullDisk: true },
  session: { frame: null },
  session_end: { frame: null, userIsDoneTo: true, endsStreams: true, onFullDisk: true },

  invite: { frame: null },
  invite_end: { frame: null, onFullDisk: true },
  accept: { frame: 'user', needsTarget: true },
  token: { frame: 'user', needsTarget: true },
  token_end: { frame: null, endsStreams: true, onFullDisk: true },

  room: { frame: 'room' },
  room_change: { frame: 'room', supersedes: true },
  join: { frame: 'join', userIsDoneTo: true },
  leave: { frame: 'leave', userIsDoneTo: true, supersedes: true, onFullDisk: true },

  message: { frame: 'message' },
  edit: { frame: 'edit', supersedes: true },
  delete: { frame: 'delete', supersedes: true, onFullDisk: true },
  reaction: { frame: 'reaction' },

  block: { frame: 'block', own: true },
} as const satisfies Record<LogEventType, EventType>

/** The types of which one of these is true. */
export type TypesWith<Trait extends keyof EventType> = {
  [Type in LogEventType]: (typeof eventTypes)[Type] extends { [Name in Trait]: true } ? Type : never
}[LogEventType]

/** What the table says of a type; undefined for one that it does not know. */
export function eventType(type: string): EventType | undefined {
  return Object.hasOwn(eventTypes, type) ? eventTypes[type as LogEventType] : undefined
}

/** Is the type one of these? */
export function isTypeWith<Trait extends keyof EventType>(trait: Trait, type: string): type is TypesWith<Trait> {
  return eventType(type)?.[trait] === true
}

/** The types of which something is true, as a list in SQL. */
export function typesInSql(isOne: (type: EventType) => boolean): string {
  return Object.entries<EventType>(eventTypes)
    .filter(([, type]) => isOne(type))
    .map(([name]) => `'${name}'`)
    .join(', ')
}
