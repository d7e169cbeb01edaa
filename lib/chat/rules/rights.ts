// Who may see a room, and who may do what in it: the same answers for the rules, the operations and the streams. They are
// those of now, and never look at what was.

import type { Database } from '../../store/database.ts'
import type { UserRow } from '../../store/tables/people-tables.ts'
import type { RoomRow } from '../../store/tables/room-tables.ts'
import type { Role } from '../../store/log/log-events.ts'

export const rank: Record<Role, number> = { owner: 3, admin: 2, member: 1, guest: 0, bot: 0 }

/** Owner or admin of the whole place. */
export function governs(user: UserRow | undefined): boolean {
  return user !== undefined && rank[user.role] >= rank.admin && user.banned === 0
}

/** Somebody who costs nothing, since another is a name away: a guest, a name that nothing proves, or whom a host calls a guest. */
export function isGuest({ kind, role }: Pick<UserRow, 'kind' | 'role'>): boolean {
  return kind === 'guest' || kind === 'unproven' || (kind === 'hosted' && role === 'guest')
}

/** Open rooms are everyone's to see, others their members'; 0 stands for nobody. */
export function sees(database: Database, user: number, room: RoomRow): boolean {
  return room.kind === 'open' || database.rooms.roleIn(room.id, user) !== undefined
}

/**
 * May a token show the room, as far as its maker goes? Whoever made a token knows it, so it shows a private room only while its
 * maker sees that too. A bot's direct rooms are its own.
 */
export function sharesWithMaker(database: Database, maker: number, room: Pick<RoomRow, 'id' | 'kind'>): boolean {
  return room.kind !== 'private' || database.rooms.roleIn(room.id, maker) !== undefined
}

/**
 * May they change the room, and who is in it? Its owners may, and whoever governs the place and sees it. A private room whose
 * owners have all left is its members'. A direct room is nobody's to change.
 */
export function manages(database: Database, user: number, room: RoomRow): boolean {
  if (room.kind === 'direct' || !sees(database, user, room)) return false
  const row = database.people.user(user)
  if (!row || row.banned !== 0) return false
  if (database.rooms.roleIn(room.id, user) === 'owner' || governs(row)) return true
  // To whoever made somebody its owner who blocks them, and so is not in it, it looks as if they were.
  return room.kind === 'private' && !database.rooms.hasOwner(room.id) && !database.blocks.hasShadowOwner(room.id, user)
}

/** May they invite people with this role, to this room or to the place as a whole? */
export function mayInvite(database: Database, user: number, role: Role, room: RoomRow | undefined): boolean {
  const row = database.people.user(user)
  if (!row || row.banned !== 0 || row.kind === 'unproven' || row.kind === 'bot') return false
  if (room && !manages(database, user, room)) return false
  if (role === 'guest') return room !== undefined || governs(row)
  return governs(row) && rank[role] < rank[row.role]
}
