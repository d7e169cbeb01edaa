// @ts-check
// Who may do what in a room, as the server decides it (lib/chat/rules/rights.ts): the page offers only what one may do.

/** @import { Member, Message, Room, User } from '../../lib/chat/streams/events.ts' */
/** @typedef {Map<string, 'owner' | 'member'>} Roles who is in a room, and as what */
/** @typedef {{ react: boolean, reply: boolean, edit: boolean, delete: boolean, block: boolean, unblock: boolean }} May what one may do with a message, and who wrote it */

/** Is it theirs to look after the whole place? @param {User | null | undefined} user */
export function governs(user) {
  return user?.role === 'owner' || user?.role === 'admin'
}

/**
 * May they change a room, and what others said in it? Its owners may, and whoever governs the place. A private room that nobody owns
 * any more is its members'; a direct one is nobody's.
 * @param {User | null | undefined} user @param {Room} room @param {Roles} roles
 */
export function manages(user, { kind }, roles) {
  if (!user || kind === 'direct') return false
  if (governs(user) || roles.get(user.id) === 'owner') return true
  return kind === 'private' && roles.has(user.id) && ![...roles.values()].includes('owner')
}

/** @param {User | null | undefined} user @param {Message} message @param {{ room: Room | undefined, roles: Roles, blocked: Set<string> }} known @returns {May} */
export function mayWith(user, { from }, { room, roles, blocked }) {
  const writes = !!user && !!room && !room.archived
  const own = from.id === user?.id
  const others = !!user && !own
  return {
    react: writes,
    reply: writes,
    edit: writes && own,
    delete: own || (!!room && manages(user, room, roles)),
    block: others && !blocked.has(from.id),
    unblock: others && blocked.has(from.id),
  }
}

/**
 * Asks who is in a room, and as what; gives the answer, or null if nobody waits for it any more.
 * @param {import('./mirror.js').Mirror} mirror @param {string} room @param {() => boolean} [wanted] once this is false, nobody is waiting any more
 */
export function askMembers(mirror, room, wanted) {
  return mirror.ask(
    `/rooms/${encodeURIComponent(room)}/members`,
    (/** @type {{ members: Member[] }} */ { members }) => {
      const { members: inRooms, users } = mirror.state
      inRooms.set(room, new Map(members.map(({ id, roomRole }) => [id, roomRole ?? 'member'])))
      for (const { roomRole: _, here: __, ...user } of members) users.set(user.id, user)
    },
    wanted,
  )
}
