// The rules of invites and tokens: who may give them, and for how long they are good.

import type { Refusal } from '../errors.ts'
import type { Database } from '../store/database.ts'
import type { Role } from './log-events.ts'
import { governs, mayInvite, rank, sees } from './rights.ts'
import { changed, no, noRoom, type RulesOf } from './rule.ts'

export const inviteRules: RulesOf<'invite' | 'invite_end' | 'accept' | 'token' | 'token_end'> = {
  invite: {
    refuse(database, { user, room: id, facts: { role } }) {
      const room = id === undefined ? undefined : database.rooms.room(id)
      if (id !== undefined && !room) return noRoom
      if (user === undefined || mayInvite(database, user, role, room)) return undefined
      return no('forbidden', room ? `only who owns ${room.slug} invites to it, and with no higher role than guest unless they govern the place` : 'only an owner or an admin of this place invites to it, and with a lower role than their own')
    },
    carryOut(database, { user, room, facts }, id) {
      database.people.insertInvite({ ...facts, id, maker: user ?? null, room: room ?? null })
    },
  },

  invite_end: {
    refuse(database, { user, target }) {
      const invite = database.people.invite(target)
      const mine = user === undefined || invite?.maker === user || governs(database.people.user(user))
      return invite && invite.ended === null && mine ? undefined : no('not_found', 'there is no such invite')
    },
    carryOut(database, { target }, id) {
      database.people.endInvite(target, id)
    },
  },

  accept: {
    refuse(database, { user: id, facts: { invite: hash } }, now) {
      const user = database.people.user(id)
      if (!user || user.kind === 'unproven' || user.kind === 'bot') return no('forbidden', 'who accepts an invite has to come in first, or give a name')
      return whyNotAccepted(database, hash, now, user)
    },
    carryOut(database, event, _) {
      const invite = useInvite(database, event.facts.invite, event.user)
      const user = database.people.user(event.user)!
      if (rank(invite.role) <= rank(user.role)) return
      return changed(database, event, { ...user, role: invite.role })
    },
  },

  token: {
    refuse(database, { user, facts: { name, folded } }) {
      if (!governs(database.people.user(user))) return no('forbidden', 'only an owner or an admin of this place makes tokens')
      const holder = database.people.nameHolder(folded)
      if (!holder) return undefined
      if (holder.kind !== 'bot') return no('name_taken', `the name ${name} is somebody's already; choose another for the bot`)
      // Whoever makes a token reads all that its bot reads. The bot has the id of the event that made it.
      const theirs = database.event(holder.id)?.user === user || database.rooms.roomsOf(holder.id).every(({ room }) => sees(database, user, database.rooms.room(room)!))
      return theirs ? undefined : no('forbidden', `${name} is in a room that you are not in; ask who made it, or choose another name for the bot`)
    },
    carryOut(database, event, id) {
      const { hash, name, folded, scopes, rooms, expires } = event.facts
      const known = database.people.nameHolder(folded)
      const bot = known?.id ?? id
      if (!known) {
        database.people.insertUser({ id, name, folded, kind: 'bot', role: 'bot', password: null, outside: null })
        database.people.giveName(folded, id)
      }
      database.people.insertToken({ id, hash, bot, maker: event.user, scopes, rooms: rooms ? JSON.stringify(rooms) : null, expires: expires ?? null })
      return known ? event : { ...event, target: bot, facts: { ...event.facts, kind: 'bot', role: 'bot', banned: false } }
    },
  },

  token_end: {
    refuse(database, { user, target }) {
      const token = database.people.token(target)
      return token && token.ended === null && governs(database.people.user(user)) ? undefined : no('not_found', 'there is no such token')
    },
    carryOut(database, { target }, id) {
      database.people.endToken(target, id)
    },
  },
}

/**
 * Why somebody can't come by this invite now, with this role. Rights are those of now: who made it must still be one who may.
 */
export function whyNotInvited(database: Database, hash: string, now: number, { role }: { role: Role }): Refusal | undefined {
  const invite = database.people.inviteByHash(hash)
  if (!invite) return no('not_found', 'there is no such invite; ask who gave it to you for another')
  const room = invite.room === null ? undefined : database.rooms.room(invite.room)
  const good = invite.ended === null && invite.uses > 0 && invite.expires > now && (invite.maker === null || mayInvite(database, invite.maker, invite.role, room))
  if (!good) return no('invite_over', 'this invite is used up, or over; ask who gave it to you for another')
  if (role === 'guest' && invite.role !== 'guest') return no('invalid_password', 'this invite is for an account; choose a password for yours')
  return undefined
}

/** The same for somebody who is here already. */
export function whyNotAccepted(database: Database, hash: string, now: number, user: { id: number; role: Role }): Refusal | undefined {
  const invite = database.people.inviteByHash(hash)
  if (invite && database.people.accepted(invite.id, user.id)) return no('invite_over', 'you have accepted this invite already')
  return whyNotInvited(database, hash, now, user)
}

/** What an account is here by its invite: no less than a member. */
export function roleBy(database: Database, hash: string | undefined): Role {
  const given = hash === undefined ? 'member' : database.people.inviteByHash(hash)?.role ?? 'member'
  return rank(given) > rank('member') ? given : 'member'
}

/** One use less. */
export function useInvite(database: Database, hash: string, user: number) {
  const invite = database.people.inviteByHash(hash)!
  database.people.accept(invite.id, user)
  return invite
}
