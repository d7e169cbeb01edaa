// The rules of people: who has which name, accounts, roles, bans, and the sessions that prove it.

import { ChatError } from '../../errors.ts'
import type { Database } from '../../store/database.ts'
import type { UserRow } from '../../store/tables/people-tables.ts'
import { checkInvite, roleBy } from './invite-rules.ts'
import type { Role } from '../../store/log/log-events.ts'
import { changeName, checkName, giveName } from './name-rules.ts'
import { governs, rank } from './rights.ts'
import { changed, renamed, type RulesOf } from './rule.ts'

type Types =
  | 'user'
  | 'account'
  | 'rename'
  | 'password'
  | 'role'
  | 'ban'
  | 'cleanup_end'
  | 'hosted'
  | 'session_start'
  | 'session'
  | 'session_end'

export const userRules: RulesOf<Types> = {
  user: {
    check(database, { rules, facts: { folded, looks, kind, role, invite }, body }, now) {
      checkRole(database, role, invite)
      if (invite !== undefined) checkInvite(database, invite, now, { account: kind === 'account' })
      checkName(database, { rules, name: body?.name, folded, looks, kind }, now)
    },
    carryOut(database, event, id) {
      const { folded, kind, role, session, invite } = event.facts
      database.people.insertUser({ id, folded, kind, role, password: kind === 'account' ? id : null, outside: null })
      giveName(database, event, id)
      if (session !== undefined) database.people.insertSession(session, id, id)
      if (invite !== undefined) database.people.accept(database.people.inviteByHash(invite)!.id, id)
      return { ...event, user: id }
    },
  },

  account: {
    check(database, { rules, user: id, facts: { folded, looks, role, invite }, body }, now) {
      const user = database.people.user(id)
      if (rules >= 3 && role === undefined) throw new ChatError('invalid_request', 'an account has to say its role')
      if (role !== undefined) checkRole(database, role, invite)
      if (user?.kind !== 'guest')
        throw new ChatError('account_exists', 'you have an account already; log out first to make another')
      if (invite !== undefined) checkInvite(database, invite, now, { id, account: true })
      checkName(database, { rules, name: body?.name, folded, looks, kind: 'account', id }, now)
    },
    carryOut(database, event, id) {
      const { folded, session, invite, role = roleBy(database, invite) } = event.facts
      const before = database.people.user(event.user)!
      if (invite !== undefined) database.people.accept(database.people.inviteByHash(invite)!.id, event.user)
      const user: UserRow = { ...before, folded, kind: 'account', role, password: id }
      changeName(database, event, { before, id })
      database.people.insertSession(session, user.id, id)
      return renamed(database, event, { user, id })
    },
  },

  rename: {
    check(database, { rules, user: id, facts: { folded, looks }, body }, now) {
      const user = database.people.user(id)
      if (!user || user.kind === 'unproven' || user.kind === 'hosted')
        throw new ChatError('forbidden', 'this name is not yours to change')
      checkName(database, { rules, name: body?.name, folded, looks, kind: user.kind, id }, now)
    },
    carryOut(database, event, id) {
      const { folded } = event.facts
      const before = database.people.user(event.user)!
      changeName(database, event, { before, id })
      return renamed(database, event, { user: { ...before, folded }, id })
    },
  },

  password: {
    check(database, { user }) {
      if (database.people.user(user)?.kind !== 'account')
        throw new ChatError('forbidden', 'only an account has a password; make one with POST /users')
    },
    carryOut(database, { user: id, facts: { session = '' } }, at) {
      const user = database.people.user(id)!
      if (user.password !== null) database.emptyBody(user.password, ['text'])
      database.people.updateUser({ ...user, password: at })
      database.people.endSessions(id, at, { but: session })
    },
  },

  role: {
    check(database, { rules, user, target, facts: { role } }) {
      const [doer, other] = [database.people.user(user), database.people.user(target)]
      // Where one has to be invited, a guest's own account makes no member.
      const admits = rules >= 3 && governs(doer) && other?.role === 'guest' && role === 'member'
      if (doer?.role !== 'owner' && !admits)
        throw new ChatError(
          'forbidden',
          `only the owner of this place gives roles${governs(doer) ? ', and you those of a member to guests who have an account' : ''}`,
        )
      if (other && other.banned !== 0)
        throw new ChatError('forbidden', `${other.name} is banned; that has to end first`)
      if (other?.kind !== 'account' || rank[role] < rank.member)
        throw new ChatError('forbidden', 'only an account can be owner, admin or member')
      if (other.role === 'owner' && role !== 'owner' && !database.people.hasOwner(other.id))
        throw new ChatError('forbidden', 'this is the last owner; make somebody else an owner first')
    },
    carryOut: (database, event) =>
      changed(database, event, { ...database.people.user(event.target)!, role: event.facts.role }),
  },

  ban: {
    check(database, { user, target }) {
      const [doer, other] = [database.people.user(user), database.people.user(target)]
      if (!governs(doer)) throw new ChatError('forbidden', 'only an owner or an admin of this place bans people')
      if (!other) throw new ChatError('not_found', 'there is nobody of that name or id')
      if (rank[other.role] >= rank[doer!.role])
        throw new ChatError('forbidden', `${other.name} has a role as high as yours`)
    },
    carryOut(database, event, id) {
      const {
        user: by,
        target: user,
        facts: { banned, rooms, messages },
      } = event
      const before = database.people.cleanup(user)
      if (!banned) database.people.endCleanup(user)
      else if (rooms || messages)
        database.people.setCleanup({
          user,
          ban: id,
          by,
          rooms: rooms ? 1 : (before?.rooms ?? 0),
          messages: messages ? 1 : (before?.messages ?? 0),
        })
      return changed(database, event, { ...database.people.user(user)!, banned: banned ? id : 0 })
    },
  },

  cleanup_end: {
    check(database, { target, facts: { ban } }) {
      if (database.people.cleanup(target)?.ban !== ban)
        throw new ChatError('unchanged', 'this clean-up is over, or goes on by another ban')
    },
    carryOut: (database, { target }) => database.people.endCleanup(target),
  },

  // Another server's word on its own people: their names may be alike, and only the first to have one is found by it.
  hosted: {
    check: () => {},
    carryOut(database, event, id) {
      const { outside, folded, role } = event.facts
      const before = database.people.userByOutside(outside)
      const user: UserRow = {
        id,
        kind: 'hosted',
        banned: 0,
        password: null,
        outside,
        name: '',
        named: id,
        ...before,
        folded,
        role,
      }
      if (!before) database.people.insertUser(user)
      const holder = database.people.holderOf(folded)
      if (!holder || holder.kind === 'unproven' || holder.id === user.id) giveName(database, event, user.id)
      return renamed(database, event, { user, id })
    },
  },

  session_start: {
    check(database, { user: id, facts: { password } }) {
      const user = database.people.user(id)
      if (user?.kind !== 'account') throw new ChatError('unauthorized', over)
      if (password !== undefined && password !== user.password)
        throw new ChatError('unauthorized', 'the password has just been changed; log in with the new one')
    },
    carryOut: (database, { user, facts: { hash } }, id) => database.people.insertSession(hash, user, id),
  },

  session: {
    check: checkSession,
    carryOut: (database, { facts: { hash } }, id) => database.people.renewSession(hash, id),
  },

  session_end: {
    check(database, { user, facts }) {
      if (!('all' in facts)) checkSession(database, { user, facts })
    },
    carryOut(database, { user, facts }, id) {
      if ('all' in facts) database.people.endSessions(user, id, { but: '' })
      else database.people.endSession(facts.hash, id)
    },
  },
}

const over = 'this session is over'

// Anybody may make an account, whose role the operation says; what is above a member somebody has given.
function checkRole(database: Database, role: Role, invite: string | undefined): void {
  if (rank[role] > rank.member && role !== roleBy(database, invite))
    throw new ChatError('forbidden', 'nobody gave this role')
}

// Not by age: that is judged where the request came in, since an id tells the wrong time after a jump of the clock.
function checkSession(database: Database, { user, facts: { hash } }: { user: number; facts: { hash: string } }): void {
  const session = database.people.session(hash)
  if (session?.user !== user || session.ended !== null) throw new ChatError('unauthorized', over)
}
