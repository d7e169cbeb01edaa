// The rules of people: who has which name, accounts, roles, bans, and the sessions that prove it.

import type { Refusal } from '../errors.ts'
import type { Database } from '../store/database.ts'
import type { UserRow } from '../store/people-tables.ts'
import { roleBy, useInvite, whyNotAccepted, whyNotInvited } from './invite-rules.ts'
import { governs, rank } from './rights.ts'
import { changed, no, type RulesOf } from './rule.ts'

/** How long a guest's session lasts unused, and how long a name is kept for who had it: microseconds. */
export const sessionLasts = 30 * 24 * 3600 * 1e6

const namesKept = 3 // of those that one had before; or else names could be taken by the hundred

type Types = 'user' | 'account' | 'rename' | 'password' | 'role' | 'ban' | 'hosted' | 'session_start' | 'session' | 'session_end'

export const userRules: RulesOf<Types> = {
  user: {
    refuse(database, { facts: { name, folded, kind, role, invite } }, now) {
      if (rank(role) > rank('member') && role !== roleBy(database, invite)) return no('forbidden', 'nobody gave this role')
      return (invite === undefined ? undefined : whyNotInvited(database, invite, now, { role })) ?? whyNotNamed(database, { name, folded, kind }, now)
    },
    carryOut(database, event, id) {
      const { name, folded, kind, role, session, invite } = event.facts
      database.people.insertUser({ id, name, folded, kind, role, password: kind === 'account' ? id : null, outside: null })
      database.people.giveName(folded, id)
      if (session !== undefined) database.people.insertSession(session, id, id)
      if (invite !== undefined) useInvite(database, invite, id)
      return { ...event, user: id }
    },
  },

  account: {
    refuse(database, { user: id, facts: { name, folded, invite } }, now) {
      const user = database.people.user(id)
      if (user?.kind !== 'guest') return no('account_exists', 'you have an account already; log out first to make another')
      return (invite === undefined ? undefined : whyNotAccepted(database, invite, now, { id, role: 'member' })) ?? whyNotNamed(database, { name, folded, kind: 'account', id }, now)
    },
    carryOut(database, event, id) {
      const { name, folded, session, invite } = event.facts
      const before = database.people.user(event.user)!
      if (invite !== undefined) useInvite(database, invite, event.user)
      const user: UserRow = { ...before, name, folded, kind: 'account', role: roleBy(database, invite), password: id }
      changeName(database, before, folded, id)
      database.people.insertSession(session, user.id, id)
      return changed(database, event, user)
    },
  },

  rename: {
    refuse(database, { user: id, facts: { name, folded } }, now) {
      const user = database.people.user(id)
      if (!user || user.kind === 'unproven' || user.kind === 'hosted') return no('forbidden', 'this name is not yours to change')
      return whyNotNamed(database, { name, folded, kind: user.kind, id }, now)
    },
    carryOut(database, event, id) {
      const { name, folded } = event.facts
      const before = database.people.user(event.user)!
      changeName(database, before, folded, id)
      return changed(database, event, { ...before, name, folded })
    },
  },

  password: {
    refuse(database, { user }) {
      if (database.people.user(user)?.kind !== 'account') return no('forbidden', 'only an account has a password; make one with POST /users')
      return undefined
    },
    carryOut(database, { user: id, facts: { session = '' } }, at) {
      const user = database.people.user(id)!
      if (user.password !== null) database.emptyBody(user.password)
      database.people.updateUser({ ...user, password: at })
      database.people.endSessions(id, at, { but: session })
    },
  },

  role: {
    refuse(database, { user, target, facts: { role } }) {
      const [doer, other] = [database.people.user(user), database.people.user(target)]
      if (doer?.role !== 'owner') return no('forbidden', 'only the owner of this place gives roles')
      if (other && other.banned !== 0) return no('forbidden', `${other.name} is banned; that has to end first`)
      if (other?.kind !== 'account' || rank(role) < rank('member')) return no('forbidden', 'only an account can be owner, admin or member')
      if (other.role === 'owner' && role !== 'owner' && !database.people.hasOwner(other.id)) return no('forbidden', 'this is the last owner; make somebody else an owner first')
      return undefined
    },
    carryOut(database, event) {
      return changed(database, event, { ...database.people.user(event.target)!, role: event.facts.role })
    },
  },

  ban: {
    refuse(database, { user, target }) {
      const [doer, other] = [database.people.user(user), database.people.user(target)]
      if (!governs(doer)) return no('forbidden', 'only an owner or an admin of this place bans people')
      if (!other) return no('not_found', 'there is nobody of that name or id')
      if (rank(other.role) >= rank(doer!.role)) return no('forbidden', `${other.name} has a role as high as yours`)
      return undefined
    },
    carryOut(database, event, id) {
      return changed(database, event, { ...database.people.user(event.target)!, banned: event.facts.banned ? id : 0 })
    },
  },

  // Another server's word on its own people: their names may be alike, and only the first to have one is found by it.
  hosted: {
    refuse: () => undefined,
    carryOut(database, event, id) {
      const { outside, name, folded, role } = event.facts
      const before = database.people.userByOutside(outside)
      const user: UserRow = { id, kind: 'hosted', banned: 0, password: null, outside, ...before, name, folded, role }
      if (!before) database.people.insertUser(user)
      const holder = database.people.nameHolder(folded)
      if (!holder || holder.kind === 'unproven') database.people.giveName(folded, user.id)
      return changed(database, event, user)
    },
  },

  session_start: {
    refuse(database, { user: id, facts: { password } }) {
      const user = database.people.user(id)
      if (user?.kind !== 'account') return over
      return password === undefined || password === user.password ? undefined : no('unauthorized', 'the password has just been changed; log in with the new one')
    },
    carryOut(database, { user, facts: { hash } }, id) {
      database.people.insertSession(hash, user, id)
    },
  },

  session: {
    refuse: whyNoSession,
    carryOut(database, { facts: { hash } }, id) {
      database.people.renewSession(hash, id)
    },
  },

  session_end: {
    refuse(database, event) {
      const { user, facts } = event
      return 'all' in facts ? undefined : whyNoSession(database, { user, facts })
    },
    carryOut(database, { user, facts }, id) {
      if ('all' in facts) database.people.endSessions(user, id, { but: '' })
      else database.people.endSession(facts.hash, id)
    },
  },
}

const over = no('unauthorized', 'this session is over')

// Not by age: that is judged where the request came in, since an id tells the wrong time after a jump of the clock.
function whyNoSession(database: Database, { user, facts: { hash } }: { user: number; facts: { hash: string } }): Refusal | undefined {
  const session = database.people.session(hash)
  return session?.user === user && session.ended === null ? undefined : over
}

/** Who asks for a name: somebody new, or the user of this id. */
interface Naming {
  name: string
  folded: string
  kind: UserRow['kind']
  id?: number
}

/**
 * Who has a name keeps it: an account for good, a guest for as long as a session lasts after its last use; who took another
 * may come back to it for as long. A name that was only claimed makes way for somebody who comes in with it. Who is banned
 * keeps theirs, so that nobody else is taken for them.
 */
export function whyNotNamed(database: Database, { name, folded, kind, id }: Naming, now: number): Refusal | undefined {
  const holder = database.people.nameHolder(folded)
  if (!holder || holder.id === id) return undefined
  if (holder.banned === 0) {
    if (holder.freed !== null && holder.freed + sessionLasts <= now) return undefined
    if (holder.kind === 'guest' && database.people.lastSeen(holder.id) + sessionLasts <= now) return undefined
    if (holder.kind === 'unproven' && kind !== 'unproven') return undefined
  }
  return no('name_taken', `the name ${name} is somebody's already; choose another`)
}

function changeName(database: Database, before: UserRow, folded: string, id: number): void {
  if (before.folded !== folded) database.people.freeName(before.folded, before.id, id)
  database.people.dropNames(before.id, { but: namesKept })
  database.people.giveName(folded, before.id)
}
