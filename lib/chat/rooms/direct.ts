// The room of two: how it is called, who is its other one; and whom somebody wants to hear nothing more of. To who is blocked nothing
// must look different: what they say there is kept, and shown to them alone; whom they put into a room is there for them alone.

import type { Database, Place } from '../../store/database.ts'
import type { RoomRow } from '../../store/tables/room-tables.ts'
import { directSlug } from './direct-slug.ts'
import { governs } from '../rules/rights.ts'
import { userIn, type Who } from '../people/who.ts'

/** Alike, whoever is named first. */
export function slugOfTwo(user: number, other: number): string {
  return directSlug(user < other ? [user, other] : [other, user])
}

/** The other one of a direct room, be they in it or not; undefined where a room is none of two with this user. */
export function otherOf(
  { kind, one, other }: Pick<RoomRow, 'kind' | 'one' | 'other'>,
  user: number,
): number | undefined {
  if (kind !== 'direct' || (user !== one && user !== other)) return undefined
  return (user === one ? other : one) ?? undefined
}

/** Where somebody reads: of a room of two they may not be shown all. */
export function placeOf({ id, kind }: Pick<RoomRow, 'id' | 'kind'>, who: Who): Place {
  return kind === 'direct' ? { id, reader: userIn(who) } : { id }
}

export function hasBlocked(database: Database, user: number, other: number): boolean {
  return database.blocks.block(user, other)?.until === null
}

/** Whom somebody adds to a room and is blocked by does not come. Who governs the place looks after everybody in it. */
export function isShunned(database: Database, by: number | undefined, user: number): by is number {
  return by !== undefined && by !== user && hasBlocked(database, user, by) && !governs(database.people.user(by))
}

/** Who is not to be shown what somebody says or does in a room: whoever they share it with, and are blocked by. */
export function unseenBy(database: Database, room: RoomRow, author: number): number | undefined {
  const other = otherOf(room, author)
  return other !== undefined && hasBlocked(database, other, author) ? other : undefined
}
