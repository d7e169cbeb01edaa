// What the rules are made of: for each type of event when it may not be, and what it does. Nothing here looks at a clock, at
// chance, at Unicode's tables, or at a body.

import { ChatError } from '../../errors.ts'
import type { Database } from '../../store/database.ts'
import type { Body } from '../../store/log/event-log.ts'
import type { UserRow } from '../../store/tables/people-tables.ts'
import type { RoomRow } from '../../store/tables/room-tables.ts'
import type { LogEvent } from '../../store/log/log-events.ts'
import { governs, sees } from './rights.ts'

export interface Rule<Event> {
  /** @throws ChatError if it may not be at the time `now`, which is about the id it would get */
  check(database: Database, event: Event, now: number): void
  /** Changes the tables; gives the event as it goes into the log, if that is not as it came. */
  carryOut(database: Database, event: Event, id: number): Written<Event> | void
}

/** Its skeleton is written with what had to be looked up first, and with what readers see of it. */
type Written<Event> = Omit<Event, 'facts' | 'user' | 'room' | 'target' | 'body'> & {
  user?: number
  room?: number
  target?: number
  facts?: Record<string, unknown>
  body?: Body
}

export type RulesOf<Type extends LogEvent['type']> = { [Name in Type]: Rule<Extract<LogEvent, { type: Name }>> }

export const needsProof =
  'a name without proof can read and post in open rooms, and nothing else; come in with POST /session {"name":"…"} and keep its cookie'

/** The same for a room that is not there and one that is not theirs. */
export function noRoom(): ChatError {
  return new ChatError('not_found', 'there is no such room; GET /rooms lists those there are')
}

export function roomSeen(database: Database, user: number, id: number): RoomRow {
  const room = database.rooms.room(id)
  if (!room || !sees(database, user, room)) throw noRoom()
  return room
}

/**
 * That an event does away with something that somebody made, by a ban that asked for it. Whoever banned them needs not see it, and
 * has to be one who still may ban people.
 */
export function checkCleanup(
  database: Database,
  { ban, by, of, what }: { ban: number; by: number; of: number | null | undefined; what: 'rooms' | 'messages' },
): void {
  const cleanup = of ? database.people.cleanup(of) : undefined
  if (cleanup?.ban === ban && cleanup.by === by && cleanup[what] === 1 && governs(database.people.user(by))) return
  throw new ChatError('forbidden', 'nobody who governs the place has asked for this, or it was taken back')
}

/**
 * Keeps a user as they are from now on. What readers see of them goes with the event, since they may be another by the time it is
 * replayed; but not the name, which is in a body.
 */
export function changed<Event extends { facts: object }>(database: Database, event: Event, user: UserRow) {
  database.people.updateUser(user)
  const { id: target, kind, role, banned } = user
  return { ...event, target, facts: { ...event.facts, kind, role, banned: banned !== 0 } }
}

/** The same where the event, which gets this id, has a new name for them: the one before is gone. */
export function renamed<Event extends { facts: object }>(
  database: Database,
  event: Event,
  { user, id }: { user: UserRow; id: number },
) {
  database.emptyBody(user.named, ['name'])
  return changed(database, event, { ...user, named: id })
}
