// From the log to the wire: what a logged event looks like to a reader, and which topics it belongs to. Live delivery and
// replay both come through here.

import type { HistoryEvent } from '../../sse/history.ts'
import type { LoggedEvent } from '../../store/log/event-log.ts'
import { eventType, type FrameName } from '../../store/log/event-types.ts'
import type { UserRow } from '../../store/tables/people-tables.ts'
import type { RoomChange, RoomRow } from '../../store/tables/room-tables.ts'
import type { Author, Membership, Message, Room, User, WireEvents } from './events.ts'

/** Topics that streams follow. */
export const topics = {
  /** What everyone may see: open rooms, and who is here. */
  open: 'open',
  room: (id: number) => `room:${id}`,
  /** A user's own comings and goings, for streams whose rooms grow and shrink with them: but in private rooms */
  of: (user: number) => `of:${user}`,
  /** and in these: a token does not show them all. */
  ofInPrivate: (user: number) => `of:${user}:private`,
  /** The same in one room, for streams that are bound to it. */
  ofIn: (user: number, room: number) => `of:${user}:${room}`,
  /** What somebody does in a room whom the other one of it has blocked, or whom they put there: it is for them alone. */
  only: (user: number, room: number) => `only:${user}:${room}`,
  /** The same in all open rooms. */
  onlyOpen: (user: number) => `only:${user}:open`,
  // Nothing is published to these: they find the streams that end with a session, a token or who made it, or a user.
  session: (hash: string) => `session:${hash}`,
  token: (id: number) => `token:${id}`,
  maker: (user: number) => `maker:${user}`,
  user: (id: number) => `user:${id}`,
}

/** Where somebody's own coming into a room, or leaving it, goes beside the room itself. */
export function ownTopics(user: number, { id, kind }: Pick<RoomRow, 'id' | 'kind'>): string[] {
  return [kind === 'private' ? topics.ofInPrivate(user) : topics.of(user), topics.ofIn(user, id)]
}

/** What a stream follows of a room that its reader sees; 0 is nobody. */
export function seenTopics(user: number, room: number): string[] {
  return user === 0 ? [topics.room(room)] : [topics.room(room), topics.only(user, room)]
}

/** What a frame says, and which topics it belongs to. */
interface Frame<Data> {
  topics: string[]
  data: Data
}

/** The event as a frame's fields; without topics if it is nobody's to see. */
export function toWire(event: LoggedEvent): HistoryEvent {
  const { id } = event
  const name = eventType(event.type)?.frame
  const frame: Frame<unknown> | undefined = name ? frames[name](event, placesOf(event)) : undefined
  return frame ? { id, topics: frame.topics, event: name!, data: frame.data } : { id, topics: [] }
}

// What happens in a room goes to all who see it, or to whose doing it is alone.
function placesOf(event: LoggedEvent): string[] {
  const { room: id, roomKind: kind } = event
  if (id === null) return []
  const room = { id, kind: kind! }
  return isUnseen(event) ? onlyTopics(doerOf(event), room) : roomTopics(room)
}

// Undefined where there is nothing left to tell.
const frames: { [Name in FrameName]: (event: LoggedEvent, inRoom: string[]) => Frame<WireEvents[Name]> | undefined } = {
  message: (event, inRoom) => (event.text === null ? undefined : { topics: inRoom, data: toMessage(event) }),

  edit: (event, inRoom) => (event.text === null ? undefined : { topics: inRoom, data: toEdited(event) }),

  delete: ({ target, slug }, inRoom) => ({
    topics: inRoom,
    data: { id: String(target), room: slug!, deleted: true },
  }),

  reaction(event, inRoom) {
    const { emoji, roomKind, facts } = event
    if (!emoji) return undefined
    const { on, count } = facts as { on: boolean; count: number } // which every reaction has
    const told = { message: String(event.target), room: event.slug!, emoji, from: toAuthor(event), on }
    // In a room of two one of them may not be shown the other's, and a count would tell of it.
    return { topics: inRoom, data: roomKind === 'direct' ? told : { ...told, count } }
  },

  join(event, inRoom) {
    const told = { room: event.slug!, user: toAuthor(event) }
    const isOwner = event.facts?.role === 'owner'
    return { topics: comingTopics(event, inRoom), data: isOwner ? { ...told, role: 'owner' } : told }
  },

  leave: (event, inRoom) => ({
    topics: comingTopics(event, inRoom),
    data: { room: event.slug!, user: toAuthor(event) },
  }),

  room(event, inRoom) {
    const { room, slug, name, roomKind, topic, facts } = event
    // A newer one has the name or the topic by now, and tells the whole room.
    if (name === null) return undefined
    const archived = facts?.archived ?? false
    return { topics: inRoom, data: toRoom({ id: room!, slug: slug!, name, kind: roomKind!, topic: topic!, archived }) }
  },

  user(event) {
    // Of those that change nothing that can be seen no target is noted; and one that has the name by now tells the whole user.
    const about = event.type === 'user' ? event.user : event.target
    if (about === null || event.name === null) return undefined
    const { kind, role, banned } = event.facts as Pick<UserRow, 'kind' | 'role'> & { banned?: boolean } // as they are from then on
    return { topics: [topics.open], data: toUser({ id: about, name: event.name, kind, role, banned: banned ?? false }) }
  },

  block: (event) => ({
    topics: [topics.of(event.user!)],
    data: { user: { id: userId(event.target!), name: event.targetName! }, on: event.facts?.on === true },
  }),
}

/** Is it shown to whose doing it is alone, since who else it is for has blocked them? */
export function isUnseen({ facts }: LoggedEvent): boolean {
  return facts?.unseenBy !== undefined
}

// Whose doing it is: that somebody comes or goes may be another's. What was said is its author's, whoever deletes it.
function doerOf(event: LoggedEvent): number {
  return event.facts?.author ?? event.facts?.by ?? event.user!
}

// One's own goes to one's own streams too: after a leave they no longer follow the room. That somebody leaves a room of two or comes back to it is theirs alone to know. The other is told of both once, when it is made.
function comingTopics(event: LoggedEvent, inRoom: string[]): string[] {
  const kind = event.roomKind!
  if (isUnseen(event)) return inRoom
  const own = ownTopics(event.user!, { id: event.room!, kind })
  return kind === 'direct' && (event.type === 'leave' || event.facts?.slug === undefined) ? own : [...inRoom, ...own]
}

/** What happened to somebody's list of rooms, for a stream of it. */
export function toListing(change: RoomChange): HistoryEvent {
  const { at: id, how, user } = change
  if (how === 'changed') return { id, topics: roomTopics(change), data: toRoom(change) }
  const own = ownTopics(user!, change)
  if (how === 'entered') return { id, topics: own, data: toRoom(change) }
  return {
    id,
    topics: own,
    event: 'leave',
    data: { room: change.slug, user: { id: userId(user!), name: change.userName! } } satisfies Membership,
  }
}

/** `edited` is the edit that it has its text from. */
export function toMessage(event: LoggedEvent & { edited?: number | null }): Message {
  const mentions = mentionsOf(event)
  return {
    id: String(event.id),
    room: event.slug!,
    from: toAuthor(event),
    text: event.text ?? '',
    at: timeOf(event.id),
    ...(event.target !== null && { replyTo: String(event.target) }),
    ...(mentions.length > 0 && event.text !== null && { mentions }),
    ...(event.edited && event.text !== null && { edited: timeOf(event.edited) }),
    ...(event.text === null && { deleted: true }),
  }
}

// The message that an edit makes of it: written when and by whom it was at first.
function toEdited(edit: LoggedEvent): Message {
  return toMessage({ ...edit, id: edit.target!, name: edit.firstName!, target: edit.firstTarget!, edited: edit.id })
}

function mentionsOf({ rest }: LoggedEvent): string[] {
  const { mentions = [], everyone } = rest ?? {}
  return [...mentions.map(userId), ...(everyone ? ['room'] : [])]
}

export function toRoom({
  id,
  slug,
  name,
  kind,
  topic,
  archived,
}: Pick<RoomRow, 'id' | 'slug' | 'name' | 'kind'> & { topic?: string; archived?: number | boolean }): Room {
  return { id: slug, name, kind, at: timeOf(id), ...(topic && { topic }), ...(archived && { archived: true }) }
}

export function toUser({
  id,
  name,
  kind,
  role,
  banned,
}: Pick<UserRow, 'id' | 'name' | 'kind' | 'role'> & { banned?: number | boolean }): User {
  return {
    id: userId(id),
    name,
    role,
    ...(kind === 'unproven' && { unproven: true }),
    ...(kind === 'account' && role === 'guest' && { account: true }),
    ...(banned && { banned: true }),
  }
}

/** A user's id in URLs and events. */
export function userId(id: number): string {
  // As a BigInt it takes a third of the time: V8 divides large numbers as fractions, digit by digit.
  return `u_${BigInt(id).toString(36)}`
}

/** And back. */
export function idOfUser(id: string): number | undefined {
  return /^u_[0-9a-z]{1,11}$/.test(id) ? Number.parseInt(id.slice(2), 36) : undefined
}

/** Who somebody is now. */
export function toPerson({ id, name, kind }: Pick<UserRow, 'id' | 'name' | 'kind'>): Author {
  return { id: userId(id), name, ...(kind === 'unproven' && { unproven: true }) }
}

function toAuthor({ user, name, userKind }: LoggedEvent): Author {
  return { id: userId(user!), name: name!, ...(userKind === 'unproven' && { unproven: true }) }
}

/** Where what happens in a room goes. */
export function roomTopics({ id, kind }: Pick<RoomRow, 'id' | 'kind'>): string[] {
  return kind === 'open' ? [topics.room(id), topics.open] : [topics.room(id)]
}

/** And where it goes if it is for one alone. */
export function onlyTopics(user: number, { id, kind }: Pick<RoomRow, 'id' | 'kind'>): string[] {
  return kind === 'open' ? [topics.only(user, id), topics.onlyOpen(user)] : [topics.only(user, id)]
}

/** When an id was given, in ISO 8601. `toISOString` takes twice as long; and a text that is put together, JSON takes long to write. */
export function timeOf(id: number): string {
  const time = new Date(id / 1000)
  const [year, month, ms] = [time.getUTCFullYear(), time.getUTCMonth() + 1, time.getUTCMilliseconds()]
  return String.fromCharCode(
    digit(year, 1000),
    digit(year, 100),
    digit(year, 10),
    digit(year, 1),
    45,
    digit(month, 10),
    digit(month, 1),
    45,
    digit(time.getUTCDate(), 10),
    digit(time.getUTCDate(), 1),
    84,
    digit(time.getUTCHours(), 10),
    digit(time.getUTCHours(), 1),
    58,
    digit(time.getUTCMinutes(), 10),
    digit(time.getUTCMinutes(), 1),
    58,
    digit(time.getUTCSeconds(), 10),
    digit(time.getUTCSeconds(), 1),
    46,
    digit(ms, 100),
    digit(ms, 10),
    digit(ms, 1),
    90,
  )
}

const digit = (number: number, place: number) => 48 + (Math.floor(number / place) % 10)
