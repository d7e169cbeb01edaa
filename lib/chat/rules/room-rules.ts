// The rules of rooms: making and changing them, coming and going.

import { ChatError } from '../../errors.ts'
import type { Database } from '../../store/database.ts'
import type { UserRow } from '../../store/tables/people-tables.ts'
import type { MemberRow, RoomRow } from '../../store/tables/room-tables.ts'
import { hasBlocked, isShunned, otherOf } from '../rooms/direct.ts'
import type { Joined } from '../../store/log/log-events.ts'
import { governs, manages, sees } from './rights.ts'
import { checkCleanup, needsProof, noRoom, roomSeen, type RulesOf } from './rule.ts'

const limits = {
  rooms: 10_000, // whoever can make rooms must not be able to fill the disk with them; what whoever governs has archived doesn't count
  // Nor may one of them leave none for others; who governs the place may.
  madeByGuest: 20,
  madeByMember: 200,
  directMade: 1000, // by one person; these are not among the others
}

export const roomRules: RulesOf<'room' | 'room_change' | 'join' | 'leave'> = {
  room: {
    check(database, { rules, user: id, facts: { slug, kind } }) {
      const user = id === undefined ? undefined : database.people.user(id)
      if (user?.kind === 'unproven') throw new ChatError('forbidden', needsProof)
      if (database.rooms.roomBySlug(slug))
        throw new ChatError('room_exists', `there is a room ${slug} already; enter it, or choose another name`)
      const direct = kind === 'direct'
      // Who governs must always be able to make one, whatever others have used up.
      if (rules >= 3 && (!user || governs(user))) return
      if (!direct) checkRoomCount(database)
      if (!user || governs(user)) return
      const guest = rules >= 3 ? user.role === 'guest' : user.kind === 'guest'
      const most = direct ? limits.directMade : guest ? limits.madeByGuest : limits.madeByMember
      if (database.rooms.madeBy(user.id, { direct }) >= most)
        throw new ChatError('forbidden', `you have made ${most} rooms, and can't make more`)
    },
    carryOut(database, event, id) {
      const { slug, kind, pair } = event.facts
      database.rooms.insertRoom({ id, slug, kind, one: pair?.[0] ?? null, other: pair?.[1] ?? null })
      return { ...event, room: id }
    },
  },

  room_change: {
    check(database, { rules, user, room: id, facts: { archived, ban } }) {
      if (ban !== undefined) {
        const kind = database.rooms.room(id)?.kind
        if (kind === undefined || kind === 'direct') throw noRoom()
        return checkCleanup(database, { ban, by: user, of: database.event(id)?.user, what: 'rooms' })
      }
      const room = roomSeen(database, user, id)
      if (!manages(database, user, room))
        throw new ChatError('forbidden', `only who owns ${room.slug}, or governs the place, may change it`)
      if (room.slug === 'lobby' && archived) throw new ChatError('forbidden', 'the lobby is always there')
      // What did not count will again.
      if (rules >= 3 && archived === false && room.archived === 2 && !governs(database.people.user(user)))
        checkRoomCount(database)
    },
    carryOut(database, event, id) {
      const room = database.rooms.room(event.room)!
      const { name, topic, archived = room.archived !== 0 } = event.facts
      // As it was found when it first was, since from what is written it can't be told whether archiving was asked for.
      const {
        done = room.archived === 2 || (event.facts.archived === true && governs(database.people.user(event.user))),
      } = event.facts
      const isDone = event.rules >= 3 && archived && done
      if (name) database.emptyBody(room.named, ['name'])
      if (topic) database.emptyBody(room.described, ['facts'])
      database.rooms.updateRoom({
        ...room,
        named: name ? id : room.named,
        described: topic ? id : room.described,
        archived: isDone ? 2 : Number(archived),
        changed: id,
      })
      return { ...event, facts: { ...event.facts, archived, ...(event.rules >= 3 && { done: isDone }) } }
    },
  },

  join: {
    check(database, event) {
      const { user, room } = placed(database, event)
      const joining = user && database.people.user(user)
      if (!joining || !room) throw noRoom()
      if (joining.banned !== 0) throw new ChatError('banned', `${joining.name} is banned`)
      if (room.archived) throw new ChatError('archived', `${room.slug} is archived; nobody comes into it any more`)
      const { by, role } = event.facts ?? {}
      const already = database.rooms.roleIn(room.id, joining.id)
      if (room.kind === 'direct') checkJoinsDirect(database, { event, room, user: joining.id })
      else if (by !== undefined && by !== joining.id) checkIsAdded(database, { by, room, added: joining })
      else if (!isFirstIn(database, room, joining.id))
        checkComesIn(database, { event, room, user: joining.id, already })
      // Whoever is blocked sees the one that they added in the room, and nobody else does.
      const shunned = isShunned(database, by, joining.id)
      const held = already ?? (shunned ? database.blocks.shadow(room.id, joining.id, by)?.role : undefined)
      if (held !== undefined && held === (role ?? held))
        throw new ChatError('already_member', 'they are in this room already')
    },
    carryOut(database, event, id) {
      const { user, room } = placed(database, event)
      const { role, invite } = event.facts ?? {}
      // Check has seen that both are there.
      const already = database.rooms.roleIn(room!.id, user!) !== undefined
      const by = otherOf(room!, user!) ?? event.facts?.by
      const shunned =
        room!.kind === 'direct' ? hasBlocked(database, user!, by!) : !already && isShunned(database, by, user!)
      if (shunned) {
        // Whoever is blocked opens a room of two as ever, and is alone in it.
        if (room!.kind !== 'direct')
          database.blocks.insertShadow({ room: room!.id, user: user!, adder: by!, role: role ?? 'member', since: id })
        return { ...event, user: user!, room: room!.id, facts: { ...event.facts, unseenBy: user! } }
      }
      database.blocks.deleteShadows(room!.id, user!)
      if (!already) database.rooms.insertMember(room!, user!, id, role ?? 'member')
      else database.rooms.setRole(room!.id, user!, role ?? 'member')
      const byInvite = invite === undefined ? undefined : database.people.inviteByHash(invite)
      if (byInvite) database.people.enterBy(byInvite.id, user!)
      return { ...event, user: user!, room: room!.id }
    },
  },

  leave: {
    check(database, { rules, user, room: id, facts: { by } = {} }) {
      const room = roomSeen(database, by ?? user, id)
      if (room.kind === 'direct' && rules < 3)
        throw new ChatError('forbidden', 'a direct room is always the room of its two')
      if (by !== undefined && by !== user && !manages(database, by, room))
        throw new ChatError('forbidden', `only who owns ${room.slug}, or governs the place, may remove somebody`)
      const inside =
        database.rooms.roleIn(id, user) !== undefined ||
        (by !== undefined && database.blocks.shadow(id, user, by) !== undefined)
      if (!inside) throw new ChatError('not_member', 'they are not in this room')
    },
    carryOut(database, event, id) {
      const { room, user, facts: { by } = {} } = event
      if (by !== undefined && database.rooms.roleIn(room, user) === undefined) {
        database.blocks.deleteShadow(room, user, by)
        return { ...event, facts: { by, unseenBy: user } }
      }
      // Check has seen that it is there.
      database.rooms.deleteMember(database.rooms.room(room)!, user, id)
    },
  },
}

function checkRoomCount(database: Database): void {
  if (database.rooms.roomCount() < limits.rooms) return
  throw new ChatError(
    'forbidden',
    `there are ${limits.rooms} rooms, and no more can be made until whoever governs the place has archived some`,
  )
}

// Who made a room is the first in it, and has nobody to ask.
function isFirstIn(database: Database, room: RoomRow, user: number): boolean {
  return database.event(room.id)?.user === user && !database.rooms.hasMember(room.id)
}

// Somebody else adds them, or gives them a role.
function checkIsAdded(database: Database, { by, room, added }: { by: number; room: RoomRow; added: UserRow }): void {
  if (!sees(database, by, room)) throw noRoom()
  if (!manages(database, by, room))
    throw new ChatError(
      'forbidden',
      `only who owns ${room.slug}, or governs the place, may add somebody or give them a role`,
    )
  if (added.kind === 'unproven')
    throw new ChatError('forbidden', `nothing proves that ${added.name} is who they say; they have to come in first`)
}

// They come in, or take another role, by themselves. A step back from owner to member needs nobody.
function checkComesIn(
  database: Database,
  {
    event,
    room,
    user,
    already,
  }: { event: Joined; room: RoomRow; user: number; already: MemberRow['roomRole'] | undefined },
): void {
  const { role, invite } = event.facts ?? {}
  if (role === 'owner' && already !== 'owner' && !manages(database, user, room)) {
    if (!sees(database, user, room)) throw noRoom()
    throw new ChatError('forbidden', `only who owns ${room.slug} may make an owner of it`)
  }
  const byInvite = invite === undefined ? undefined : database.people.inviteByHash(invite)
  const invited = byInvite?.room === room.id && database.people.accepted(byInvite.id, user)?.entered === 0
  if (room.kind === 'private' && already === undefined && !invited) throw noRoom()
}

/**
 * Whoever left a direct room comes into it again by themselves, or when its other one says something: not by being added, as often as
 * somebody likes. To who asks for that it must look the same where somebody has left, and where they have blocked them.
 */
function checkJoinsDirect(
  database: Database,
  { event, room, user }: { event: Joined; room: RoomRow; user: number },
): void {
  const { by, role, slug, again } = event.facts ?? {}
  const other = otherOf(room, user)
  if (other === undefined) throw noRoom()
  if (role === 'owner') throw new ChatError('forbidden', "a direct room is nobody's own")
  const blocked = hasBlocked(database, user, other)
  if (by === undefined || by === user) {
    if (blocked)
      throw new ChatError('blocked', 'you have blocked them; end that first, with DELETE /blocks and their id')
  } else if (slug === undefined && (!again || blocked)) {
    throw new ChatError('already_member', 'they are in this room already')
  }
}

function placed(
  database: Database,
  { user, room, facts: { slug, proof } = {} }: Joined,
): { user: number | undefined; room: RoomRow | undefined } {
  return {
    user:
      user ??
      (proof === undefined
        ? undefined
        : (database.people.session(proof)?.user ?? database.people.tokenByHash(proof)?.bot)),
    room:
      room !== undefined ? database.rooms.room(room) : slug === undefined ? undefined : database.rooms.roomBySlug(slug),
  }
}
