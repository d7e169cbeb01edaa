// What each event does to the data, and when it may not. `apply` is the only code that changes the database, and the same
// events lead to the same data wherever they are applied: there is no clock here but the event's id, no randomness, nothing
// from Unicode's tables, and no look at a body to decide.

import type { ErrorCode, Refusal } from '../errors.ts'
import type { Database, RoomRow } from '../store/database.ts'
import type { NewEvent, Outcome } from '../store/event-log.ts'
import { rules, type LogEvent, type UserMade } from './log-events.ts'
import { searchable } from './text.ts'

/** How long a guest's session lasts unused, and how long a guest's name is kept for them: microseconds. */
export const sessionLasts = 30 * 24 * 3600 * 1e6

const roomsMax = 10_000 // whoever can make rooms must not be able to fill the disk with them

/** Carries an event out under this id, or says why not and changes nothing. */
export function apply(database: Database, asked: NewEvent, id: number): Outcome {
  const judged = judge(database, asked, id)
  if (judged) return judged
  // What was appended came from chat.ts, which makes nothing but these.
  const event = asked as LogEvent
  carryOut(database, event, id)
  return { id }
}

/** What would become of an event at the time `now` (as an id): undefined if it may be, or else its outcome. */
export function judge(database: Database, asked: NewEvent, now: number): Outcome | undefined {
  if (asked.key !== undefined && asked.user !== undefined) {
    const earlier = database.eventByKey(asked.user, asked.key)
    if (earlier?.print === asked.print) return { id: earlier!.id, repeated: true }
    if (earlier) return { refused: no('key_reused', 'this Idempotency-Key was used for another request; make a new key for each message') }
  }
  // An older natter must not pass over what a newer one has written: its data would differ from then on.
  if (asked.rules !== rules) throw new Error(`the event ${asked.type} is of rules ${asked.rules}, and only ${rules} are known`)
  const refused = refuse(database, asked as LogEvent, now)
  return refused && { refused }
}

function refuse(database: Database, event: LogEvent, now: number): Refusal | undefined {
  switch (event.type) {
    case 'user':
      return refuseName(database, event, now)
    case 'session':
    case 'session_end': {
      const session = database.session(event.facts.hash)
      // Not by age: that is judged where the request came in, since an id tells the wrong time after a jump of the clock.
      if (session?.user !== event.user || session.ended !== null) return no('unauthorized', 'this session is over')
      return undefined
    }
    case 'room':
      if (database.roomBySlug(event.facts.slug)) return no('room_exists', `there is a room ${event.facts.slug} already; enter it, or choose another name`)
      if (database.roomCount() >= roomsMax) return no('forbidden', `there are ${roomsMax} rooms, and no more can be made`)
      return undefined
    case 'join':
      if (database.room(event.room)?.kind !== 'open') return noRoom
      if (database.isMember(event.room, event.user)) return no('already_member', 'they are in this room already')
      return undefined
    case 'leave':
      if (!database.isMember(event.room, event.user)) return no('not_member', 'they are not in this room')
      return undefined
    case 'message':
      if (!mayPost(database, database.room(event.room), event.user)) return noRoom
      if (event.target !== undefined && !isMessageIn(database, event.room, event.target)) return no('not_found', 'the message that this one answers is not in this room')
      return undefined
    case 'delete': {
      const message = database.event(event.target)
      if (message?.type !== 'message' || message.room !== event.room || database.isDeleted(event.target)) return no('not_found', 'there is no such message in this room')
      if (message.user !== event.user) return no('forbidden', 'only who wrote a message may delete it')
      return undefined
    }
    default:
      throw new Error(`there is no event ${(event as LogEvent).type}`)
  }
}

function carryOut(database: Database, event: LogEvent, id: number): void {
  switch (event.type) {
    case 'user': {
      const { name, folded, kind, role, session } = event.facts
      database.insertUser({ id, name, kind, role })
      database.giveName(folded, id)
      if (session !== undefined) database.insertSession(session, id, id)
      return database.insertEvent(id, { ...event, user: id }, name)
    }
    case 'session':
      database.renewSession(event.facts.hash, id)
      break
    case 'session_end':
      database.endSession(event.facts.hash, id)
      break
    case 'room': {
      const { slug, name, kind } = event.facts
      database.insertRoom({ id, slug, name, kind, changed: id })
      return database.insertEvent(id, { ...event, room: id }, nameOf(database, event.user))
    }
    case 'join':
      database.insertMember(event.room, event.user, id)
      break
    case 'leave':
      database.deleteMember(event.room, event.user)
      break
    case 'message':
      if (event.text !== undefined) database.indexText(id, searchable(event.text), placeOf(event.room, event.user))
      break
    case 'delete':
      database.emptyBody(event.target)
      database.insertDeletion(event.target, id)
      break
  }
  database.insertEvent(id, event, nameOf(database, event.user))
}

// Who has a name keeps it: an account for good, a guest for as long as a session lasts after its last use. A name that was
// only claimed makes way for somebody who comes in with it.
function refuseName(database: Database, { facts: { name, folded, kind } }: UserMade, now: number): Refusal | undefined {
  const holder = database.userByName(folded)
  if (!holder) return undefined
  if (holder.kind === 'guest' && database.lastSeen(holder.id) + sessionLasts <= now) return undefined
  if (holder.kind === 'unproven' && kind !== 'unproven') return undefined
  return no('name_taken', `the name ${name} is somebody's already; choose another`)
}

function mayPost(database: Database, room: RoomRow | undefined, user: number): boolean {
  if (!room) return false
  return room.kind === 'open' || database.isMember(room.id, user)
}

function isMessageIn(database: Database, room: number, id: number): boolean {
  const target = database.event(id)
  return target?.type === 'message' && target.room === room
}

// Words of the same row as the text, so that a search for a room's or a person's messages needs no filter afterwards.
function placeOf(room: number, user: number): string {
  return `r${room.toString(36)} u${user.toString(36)}`
}

function nameOf(database: Database, user: number | undefined): string | undefined {
  return user === undefined ? undefined : database.user(user)?.name
}

function no(code: ErrorCode, message: string): Refusal {
  return { code, message }
}

/** The same for a room that is not there and one that is not theirs. */
export const noRoom = no('not_found', 'there is no such room; GET /rooms lists those there are')
