// The rules of invites and tokens: who may give them, and for how long they are good.

import { ChatError } from '../errors.ts'
import type { Database } from '../store/database.ts'
import type { Role } from './log-events.ts'
import { governs, mayInvite, rank, sees } from './rights.ts'
import { changed, noRoom, type RulesOf } from './rule.ts'

export const inviteRules: RulesOf<'invite' | 'invite_end' | 'accept' | 'token' | 'token_end'> = {
  invite: {
    check(database, { user, room: id, facts: { role } }) {
      const room = id === undefined ? undefined : database.rooms.room(id)
      if (id !== undefined && !room) throw noRoom()
      if (user === undefined || mayInvite(database, user, role, room)) return
      throw new ChatError('forbidden', room ? `only who owns ${room.slug} invites to it, and with no higher role than guest unless they govern the place` : 'only an owner or an admin of this place invites to it, and with a lower role than their own')
    },
    carryOut(database, { user, room, facts }, id) {
      database.people.insertInvite({ ...facts, id, maker: user ?? null, room: room ?? null })
    },
  },

  invite_end: {
    check(database, { user, target }) {
      const invite = database.people.invite(target)
      const mine = user === undefined || invite?.maker === user || governs(database.people.user(user))
      if (!invite || invite.ended !== null || !mine) throw new ChatError('not_found', 'there is no such invite')
    },
    carryOut: (database, { target }, id) => database.people.endInvite(target, id),
  },

  accept: {
    check(database, { user: id, facts: { invite: hash } }, now) {
      const user = database.people.user(id)
      if (!user || user.kind === 'unproven' || user.kind === 'bot') throw new ChatError('forbidden', 'who accepts an invite has to come in first, or give a name')
      checkInvite(database, hash, now, user)
    },
    carryOut(database, event) {
      const invite = database.people.inviteByHash(event.facts.invite)!
      database.people.accept(invite.id, event.user)
      const user = database.people.user(event.user)!
      if (rank[invite.role] <= rank[user.role]) return
      return changed(database, event, { ...user, role: invite.role })
    },
  },

  token: {
    check(database, { user, facts: { name, folded } }) {
      if (!governs(database.people.user(user))) throw new ChatError('forbidden', 'only an owner or an admin of this place makes tokens')
      const holder = database.people.nameHolder(folded)
      if (!holder) return
      if (holder.kind !== 'bot') throw new ChatError('name_taken', `the name ${name} is somebody's already; choose another for the bot`)
      // Whoever makes a token reads all that its bot reads. The bot has the id of the event that made it.
      const theirs = database.event(holder.id)?.user === user || database.rooms.roomsOf(holder.id).every(({ room }) => sees(database, user, database.rooms.room(room)!))
      if (!theirs) throw new ChatError('forbidden', `${name} is in a room that you are not in; ask who made it, or choose another name for the bot`)
    },
    carryOut(database, event, id) {
      const { hash, name, folded, scopes, rooms, expires } = event.facts
      const known = database.people.nameHolder(folded)
      if (!known) {
        database.people.insertUser({ id, name, folded, kind: 'bot', role: 'bot', password: null, outside: null })
        database.people.giveName(folded, id)
      }
      database.people.insertToken({ id, hash, bot: known?.id ?? id, maker: event.user, scopes, rooms: rooms ? JSON.stringify(rooms) : null, expires: expires ?? null })
      return known ? event : { ...event, target: id, facts: { ...event.facts, kind: 'bot', role: 'bot', banned: false } }
    },
  },

  token_end: {
    check(database, { user, target }) {
      const token = database.people.token(target)
      if (!token || token.ended !== null || !governs(database.people.user(user))) throw new ChatError('not_found', 'there is no such token')
    },
    carryOut: (database, { target }, id) => database.people.endToken(target, id),
  },
}

/**
 * That somebody can come by this invite now, with this role; `id` is of who is here already. Rights are those of now: who made it
 * must still be one who may.
 */
export function checkInvite(database: Database, hash: string, now: number, { id, role }: { id?: number; role: Role }): void {
  const invite = database.people.inviteByHash(hash)
  if (!invite) throw new ChatError('not_found', 'there is no such invite; ask who gave it to you for another')
  if (id !== undefined && database.people.accepted(invite.id, id)) throw new ChatError('invite_over', 'you have accepted this invite already')
  const room = invite.room === null ? undefined : database.rooms.room(invite.room)
  const good = invite.ended === null && invite.uses > 0 && invite.expires > now && (invite.maker === null || mayInvite(database, invite.maker, invite.role, room))
  if (!good) throw new ChatError('invite_over', 'this invite is used up, or over; ask who gave it to you for another')
  if (role === 'guest' && invite.role !== 'guest') throw new ChatError('invalid_password', 'this invite is for an account; choose a password for yours')
}

/** What an account is here by its invite: no less than a member. */
export function roleBy(database: Database, hash: string | undefined): Role {
  const given = hash === undefined ? 'member' : database.people.inviteByHash(hash)?.role ?? 'member'
  return rank[given] > rank.member ? given : 'member'
}
