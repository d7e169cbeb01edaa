// From the log to the wire: what a logged event looks like to a reader, and which topics it belongs to. Live delivery and
// replay both come through here.

import type { HistoryEvent } from '../sse/history.ts'
import type { RoomRow, UserRow } from '../store/database.ts'
import type { LoggedEvent } from '../store/event-log.ts'
import type { Author, Message, Room, User } from './events.ts'

/** Topics that streams follow. */
export const topics = {
  /** What everyone may see. */
  open: 'open',
  room: (id: number) => `room:${id}`,
  /** A user's streams that show only the rooms they are in. */
  mine: (user: number) => `mine:${user}`,
  /** Nothing is published to it: it finds the streams that end with the session. */
  session: (hash: string) => `session:${hash}`,
}

/** The event as a frame's fields; without topics if it is nobody's to see. */
export function toWire(event: LoggedEvent): HistoryEvent {
  const { id } = event
  switch (event.type) {
    case 'message':
      return event.text === null ? { id, topics: [] } : { id, topics: topicsOf(event), event: 'message', data: toMessage(event) }
    case 'delete':
      return { id, topics: topicsOf(event), event: 'delete', data: { id: String(event.target), room: event.slug, deleted: true } }
    case 'join':
    case 'leave':
      // One's own goes to one's own streams too: after a leave they no longer follow the room.
      return { id, topics: [...topicsOf(event), topics.mine(event.user!)], event: event.type, data: { room: event.slug, user: toAuthor(event) } }
    case 'room':
      return { id, topics: topicsOf(event), event: 'room', data: toRoom({ ...factsOf(event), id: event.room! }) }
    case 'user':
      return { id, topics: [topics.open], event: 'user', data: toUser({ ...factsOf(event), id: event.user! }) }
    default:
      return { id, topics: [] }
  }
}

export function toMessage(event: LoggedEvent): Message {
  return {
    id: String(event.id),
    room: event.slug!,
    from: toAuthor(event),
    text: event.text ?? '',
    at: timeOf(event.id),
    ...(event.target !== null && { replyTo: String(event.target) }),
    ...(event.text === null && { deleted: true }),
  }
}

export function toRoom({ id, slug, name, kind }: Pick<RoomRow, 'id' | 'slug' | 'name' | 'kind'>): Room {
  return { id: slug, name, kind, at: timeOf(id) }
}

export function toUser({ id, name, kind, role }: UserRow): User {
  return { id: userId(id), name, role, ...(kind === 'unproven' && { unproven: true }) }
}

/** A user's id in URLs and events. */
export function userId(id: number): string {
  return `u_${id.toString(36)}`
}

function toAuthor({ user, name, userKind }: LoggedEvent): Author {
  return { id: userId(user!), name: name!, ...(userKind === 'unproven' && { unproven: true }) }
}

function topicsOf({ room, roomKind }: LoggedEvent): string[] {
  return roomKind === 'open' ? [topics.room(room!), topics.open] : [topics.room(room!)]
}

// The log's own JSON, written by `insertEvent`.
function factsOf(event: LoggedEvent) {
  return JSON.parse(event.facts!)
}

function timeOf(id: number): string {
  return new Date(id / 1000).toISOString()
}
