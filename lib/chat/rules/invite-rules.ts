// The rules of invites and tokens: who may give them, and for how long they are good.

import { ChatError } from '../../errors.ts'
import type { Database } from '../../store/database.ts'
import type { Role } from '../../store/log/log-events.ts'
import { checkLooks, giveName } from './name-rules.ts'
import { governs, mayInvite, rank } from './rights.ts'
import { changed, noRoom, type RulesOf } from './rule.ts'

const day = 24 * 3600 * 1e6 // microseconds

interface Bounds {
  /** That can be accepted yet. */
  open: number
  uses: number
  days: number
}

/** Of one person's invites: by whoever governs the place, and by others, who invite to their own rooms. */
const bounds: Record<'governor' | 'other', Bounds> = {
  governor: { open: 1000, uses: 1000, days: 366 },
  other: { open: 20, uses: 50, days: 30 },
}

const tokensMax = 1000 // of the whole place, as many as are listed

export const inviteRules: RulesOf<'invite' | 'invite_end' | 'accept' | 'token' | 'token_end'> = {
  invite: {
    check(database, { rules, user, room: id, facts }, now) {
      const room = id === undefined ? undefined : database.rooms.room(id)
      if (id !== undefined && !room) throw noRoom()
      if (user === undefined) return
      if (mayInvite(database, user, facts.role, room))
        return rules >= 3 ? checkBounds(database, user, facts, now) : undefined
      throw new ChatError(
        'forbidden',
        room
          ? `only who owns ${room.slug} invites to it, and with no higher role than guest unless they govern the place`
          : 'only an owner or an admin of this place invites to it, and with a lower role than their own',
      )
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
      if (!user || user.kind === 'unproven' || user.kind === 'bot')
        throw new ChatError('forbidden', 'who accepts an invite has to come in first, or give a name')
      checkInvite(database, hash, now, { id, account: user.kind !== 'guest' })
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
    check(database, { rules, user, facts: { folded, looks }, body: { name } = { name: '' } }, now) {
      if (!governs(database.people.user(user)))
        throw new ChatError('forbidden', 'only an owner or an admin of this place makes tokens')
      // Whoever governs has to see all there are, or one could be good for ever that nobody finds.
      if (rules >= 3 && database.people.openTokenCount(tokensMax) >= tokensMax)
        throw new ChatError('forbidden', `there are ${tokensMax} tokens; end one first: GET /tokens lists them`)
      const holder = database.people.holderOf(folded)
      if (!holder) return checkLooks(database, { rules, name, folded, looks, kind: 'bot' }, now)
      if (holder.kind !== 'bot')
        throw new ChatError('name_taken', `the name ${name} is somebody's already; choose another for the bot`)
      // Whoever makes a token reads all that its bot reads. The bot has the id of the event that made it.
      const theirs =
        database.event(holder.id)?.user === user ||
        !database.rooms.hasClosedRoomWithout({ user: holder.id, other: user })
      if (!theirs)
        throw new ChatError(
          'forbidden',
          `${name} is in a room that you are not in; ask who made it, or choose another name for the bot`,
        )
    },
    carryOut(database, event, id) {
      const { hash, folded, scopes, rooms, expires } = event.facts
      const { body, ...skeleton } = event
      const known = database.people.holderOf(folded)
      if (!known) {
        database.people.insertUser({ id, folded, kind: 'bot', role: 'bot', password: null, outside: null })
        giveName(database, event, id)
      }
      database.people.insertToken({
        id,
        hash,
        bot: known?.id ?? id,
        maker: event.user,
        scopes,
        rooms: rooms ? JSON.stringify(rooms) : null,
        expires: expires ?? null,
      })
      // A bot that is there has its name already, from another event.
      return known
        ? skeleton
        : { ...event, target: id, facts: { ...event.facts, kind: 'bot', role: 'bot', banned: false } }
    },
  },

  token_end: {
    check(database, { user, target }) {
      // Who may end none is not to find out which there are.
      const token = governs(database.people.user(user)) ? database.people.token(target) : undefined
      if (!token || token.ended !== null) throw new ChatError('not_found', 'there is no such token')
    },
    carryOut: (database, { target }, id) => database.people.endToken(target, id),
  },
}

function checkBounds(
  database: Database,
  maker: number,
  { uses, expires }: { uses: number; expires: number },
  now: number,
): void {
  const most = bounds[governs(database.people.user(maker)) ? 'governor' : 'other']
  if (uses > most.uses)
    throw new ChatError('invalid_request', `an invite of yours is for at most ${most.uses} people; give fewer uses`)
  if (expires > now + most.days * day)
    throw new ChatError(
      'invalid_request',
      `an invite of yours lasts ${most.days} days at most; let it end sooner, like expires: "${most.days}d"`,
    )
  if (database.people.openInvitesOf(maker, now, most.open).length < most.open) return
  throw new ChatError(
    'forbidden',
    `${most.open} invites of yours are open; end one first: GET /invites lists them, DELETE /invites/:id ends one`,
  )
}

/**
 * That somebody can come by this invite now, with an account or without; `id` is of who is here already. Rights are those of now: who made
 * it must still be one who may.
 */
export function checkInvite(
  database: Database,
  hash: string,
  now: number,
  { id, account }: { id?: number; account: boolean },
): void {
  const invite = database.people.inviteByHash(hash)
  if (!invite) throw new ChatError('not_found', 'there is no such invite; ask who gave it to you for another')
  if (id !== undefined && database.people.accepted(invite.id, id))
    throw new ChatError('invite_over', 'you have accepted this invite already')
  const room = invite.room === null ? undefined : database.rooms.room(invite.room)
  const good =
    invite.ended === null &&
    invite.uses > 0 &&
    invite.expires > now &&
    (invite.maker === null || mayInvite(database, invite.maker, invite.role, room))
  if (!good) throw inviteOver()
  if (!account && invite.role !== 'guest')
    throw new ChatError('invalid_password', 'this invite is for an account; choose a password for yours')
}

export function inviteOver(): ChatError {
  return new ChatError('invite_over', 'this invite is used up, or over; ask who gave it to you for another')
}

/** What an account is here by its invite, and what it is at least: a member, where anybody may make an account. */
export function roleBy(database: Database, hash: string | undefined, least: 'guest' | 'member' = 'member'): Role {
  const given = hash === undefined ? least : (database.people.inviteByHash(hash)?.role ?? least)
  return rank[given] > rank[least] ? given : least
}
