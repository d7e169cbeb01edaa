// Of the events that hubs keep in memory: what of them must not be sent any more once something was edited, deleted, lost or got
// another name. The same is then read from the database, where the bodies are empty by now.

import type { Hub } from '../../sse/hub.ts'
import type { Seen } from '../../sse/follower.ts'
import type { Database } from '../../store/database.ts'
import type { LoggedEvent } from '../../store/log/event-log.ts'
import { isTypeWith, type TypesWith } from '../../store/log/event-types.ts'
import type { Author, Membership, Reaction, Room, User } from './events.ts'
import { toPerson, toRoom, topics, userId } from './wire.ts'

interface Kept {
  database: Database
  /** All that happens, */
  events: Hub
  /** and the rooms, for streams of their list. */
  rooms: Hub
}

/**
 * Call it before the event is published. Who is behind gets no more of what it has done away with; who is not has it, and is told of
 * the change.
 */
export function forgetSuperseded(event: LoggedEvent, kept: Kept): void {
  if (isTypeWith('supersedes', event.type)) forgets[event.type](event, kept)
}

const forgets: Record<TypesWith<'supersedes'>, (event: LoggedEvent, kept: Kept) => void> = {
  edit: forgetText,
  delete: forgetText,
  account: ({ target }, kept) => forgetName(target!, kept),
  rename: ({ target }, kept) => forgetName(target!, kept),
  hosted: ({ target }, kept) => forgetName(target!, kept),
  room_change({ room, facts }, kept) {
    if (facts?.name || facts?.topic) forgetRoom(room!, kept)
  },
  leave(event, kept) {
    if (event.roomKind !== 'open') forgetEntry(event, kept)
  },
}

function forgetText({ target, facts }: LoggedEvent, kept: Kept): void {
  for (const id of new Set([target!, facts?.replaces ?? target!])) kept.events.forget(id)
  if (facts?.reactions) forgetReactions(target!, kept)
}

// Whoever lost a room is told of the loss alone, as from the database. What told that they came into it would be kept up to date with a
// name and a topic that are not theirs to see.
function forgetEntry({ user, room, slug }: LoggedEvent, { rooms }: Kept): void {
  const own = topics.ofIn(user!, room!)
  rooms.revise((entry) =>
    entry.event === undefined && (entry.data as Room | undefined)?.id === slug && entry.topics.includes(own)
      ? null
      : undefined,
  )
}

function forgetReactions(message: number, { events }: Kept): void {
  const id = String(message)
  events.revise((entry) => (entry.event === 'reaction' && (entry.data as Reaction).message === id ? null : undefined))
}

// Whoever came, left or reacted is shown under the name that they have now; a message keeps its author's name of then. What told
// of the user is superseded by what follows.
function forgetName(id: number, { database, events, rooms }: Kept): void {
  const person = toPerson(database.people.user(id)!)
  const own = userId(id)
  events.revise(({ event, data }) => {
    if (event === 'user') return (data as User).id === own ? null : undefined
    if (event === 'join' || event === 'leave') return withName(data as Membership, 'user', person)
    if (event === 'reaction') return withName(data as Reaction, 'from', person)
    return event === 'room' ? calledAfter(data as Room, id, database) : undefined
  })
  rooms.revise(({ event, data }) => {
    return event === 'leave' ? withName(data as Membership, 'user', person) : calledAfter(data as Room, id, database)
  })
}

function forgetRoom(id: number, { database, events, rooms }: Kept): void {
  const room = database.rooms.room(id)!
  const isIt = ({ event, data }: Seen, name: string | undefined) =>
    event === name && (data as Room | undefined)?.id === room.slug
  events.revise((entry) => (isIt(entry, 'room') ? null : undefined))
  // That somebody came into it stays in their list.
  rooms.revise((entry) => {
    if (!isIt(entry, undefined)) return undefined
    return entry.topics.includes(topics.room(id)) ? null : { data: toRoom(room) }
  })
}

function withName<Part extends string>(
  data: Record<Part, Author>,
  part: Part,
  person: Author,
): { data: unknown } | undefined {
  return data[part].id === person.id ? { data: { ...data, [part]: person } } : undefined
}

// A direct room is called after its two.
function calledAfter(data: Room | undefined, user: number, database: Database): { data: Room } | undefined {
  const room = data?.kind === 'direct' ? database.rooms.roomBySlug(data.id) : undefined
  return room && (room.one === user || room.other === user) ? { data: toRoom(room) } : undefined
}
