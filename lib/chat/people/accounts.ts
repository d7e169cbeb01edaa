// Coming in and going: guests, accounts and their passwords, sessions, and what those who govern the place do with people.

import { randomBytes } from 'node:crypto'
import { ChatError } from '../../errors.ts'
import type { UserRow } from '../../store/tables/people-tables.ts'
import type { Cleanups } from './cleanups.ts'
import type { User } from '../streams/events.ts'
import { roleBy } from '../rules/invite-rules.ts'
import { rules, type AccountMade, type Banned, type LogEvent, type UserMade } from '../../store/log/log-events.ts'
import { cleanOwnName } from './names.ts'
import { countOf, readPage, type Pages } from '../pages.ts'
import type { Parts } from '../parts.ts'
import { hashOf } from './people.ts'
import type { Who } from './who.ts'
import { timeOf, toUser } from '../streams/wire.ts'

/** Somebody who has just come in, and the secret that proves it from then on: only its hash is kept. */
export interface CameIn {
  user: User
  secret: string
}

export interface Session {
  id: string
  /** ISO 8601, UTC. */
  began: string
  /** About when it was last used: written down once a day. */
  used: string
  /** The one that asks. */
  current?: true
}

/** What goes with a ban: rooms they made, and messages they wrote. */
export interface Cleanup {
  rooms?: 'archive' | undefined
  messages?: 'delete' | undefined
}

/** How somebody comes in who was not here. */
interface NewPerson {
  name: string
  password?: string | undefined
  invite?: string
  address?: string | undefined
}

/** `upgraded` is the guest who makes an account; `session` and `invite` are hashes. */
interface Newcomer {
  upgraded: UserRow | undefined
  name: string
  session: string
  invite: string | undefined
  isAccount: boolean
}

const limits = {
  sessions: 50, // of one account; one more ends the oldest
  usersListed: 1000,
}

export class Accounts {
  readonly #parts: Parts & { cleanups: Cleanups }

  constructor(parts: Parts & { cleanups: Cleanups }) {
    this.#parts = parts
  }

  /**
   * Comes in as a guest, or with a password as a new account, and out of the session that asks. A guest who makes an account stays
   * who they are, and keeps all they said. `invite` is the hash of the code by which they come, and enter its room if it has one;
   * `address` is where from, if that is known.
   */
  async comeIn(who: Who, { name: raw, password, invite, address }: NewPerson): Promise<CameIn> {
    const { appender, people } = this.#parts
    const isProven = who.kind === 'user' && who.user.kind !== 'unproven'
    const upgraded = password !== undefined && isProven ? people.person(who) : undefined
    const name = cleanOwnName(raw, upgraded?.name)
    if (!upgraded) this.#mayComeIn(invite)
    const secret = newSecret()
    const session = hashOf(secret)
    const event = this.#newcomer({ upgraded, name, session, invite, isAccount: password !== undefined })
    // Before the hashing, which takes long.
    appender.check(event)
    await appender.checkSpace(event)
    if (password !== undefined)
      event.body = { name, text: await people.passwords.hash(password, { address, person: upgraded?.id ?? 0 }) }
    const { id } = await appender.append(event, { after: this.#entering(invite, session) })
    return this.#instead(who, upgraded?.id ?? id, secret)
  }

  #mayComeIn(invite: string | undefined): void {
    if (invite !== undefined || this.#parts.people.access !== 'invite') return
    throw new ChatError(
      'invite_needed',
      'only who was invited comes in here; log in with a password, or ask for an invite',
    )
  }

  // A new user, or a guest who becomes an account.
  #newcomer({ upgraded, name, session, invite, isAccount }: Newcomer): UserMade | AccountMade {
    const { database, people } = this.#parts
    // Where one has to be invited, an account makes nobody more than they were invited as.
    const least = people.access === 'invite' ? 'guest' : 'member'
    const role = isAccount ? roleBy(database, invite, least) : 'guest'
    const facts = { ...people.nameFacts(name), session, role, ...(invite !== undefined && { invite }) }
    if (upgraded) return { type: 'account', rules, user: upgraded.id, facts, body: { name } }
    return { type: 'user', rules, facts: { ...facts, kind: isAccount ? 'account' : 'guest' }, body: { name } }
  }

  // The room that the invite is for, which whoever has this first session comes into.
  #entering(invite: string | undefined, session: string): LogEvent[] {
    if (invite === undefined) return []
    const room = this.#parts.database.people.inviteByHash(invite)?.room
    return room ? [{ type: 'join', rules, room, facts: { proof: session, invite } }] : []
  }

  /** Comes in with an account's password; `address` is where from, if that is known. */
  async logIn(
    who: Who,
    { name, password, address }: { name: string; password: string; address: string | undefined },
  ): Promise<CameIn> {
    const { user } = await this.#parts.people.byPassword(name, password, address)
    if (user.banned !== 0) throw new ChatError('banned', 'you are banned here')
    const oldest = this.#parts.database.people.sessionsOf(user.id, limits.sessions)[limits.sessions - 1]
    const secret = newSecret()
    const after: LogEvent[] = oldest
      ? [{ type: 'session_end', rules, user: user.id, facts: { hash: oldest.hash } }]
      : []
    await this.#parts.appender.append(
      {
        type: 'session_start',
        rules,
        user: user.id,
        facts: { hash: hashOf(secret), ...(user.password !== null && { password: user.password }) },
      },
      { after },
    )
    return this.#instead(who, user.id, secret)
  }

  async rename(who: Who, raw: string): Promise<User> {
    const user = this.#parts.people.person(who)
    const name = cleanOwnName(raw, user.name)
    if (name !== user.name)
      await this.#parts.appender.append({
        type: 'rename',
        rules,
        user: user.id,
        facts: this.#parts.people.nameFacts(name),
        body: { name },
      })
    return this.#shown(user.id)
  }

  /** Ends all other sessions. `current` is the password until now. */
  async changePassword(
    who: Who,
    { password, current, address }: { password: string; current: string; address: string | undefined },
  ): Promise<User> {
    const user = this.#parts.people.person(who)
    const event = {
      type: 'password',
      rules,
      user: user.id,
      facts: who.kind === 'user' && who.session !== undefined ? { session: who.session } : {},
    } as const
    this.#parts.appender.check(event)
    await this.#parts.appender.checkSpace(event)
    await this.#parts.people.byPassword(user.name, current, address)
    const text = await this.#parts.people.passwords.hash(password, { address, person: user.id })
    this.#parts.people.person(who)
    await this.#parts.appender.append({ ...event, body: { text } })
    return this.#shown(user.id)
  }

  // Sessions

  /** Ends the session that asks, with its streams. */
  async logOut(who: Who): Promise<void> {
    if (who.kind !== 'user' || who.session === undefined) return
    await this.#parts.appender.appendUnless('unauthorized', {
      type: 'session_end',
      rules,
      user: who.user.id,
      facts: { hash: who.session },
    })
  }

  sessions(who: Who): { sessions: Session[] } {
    const user = this.#parts.people.proven(who)
    const mine = who.kind === 'user' ? who.session : undefined
    const sessions = this.#parts.database.people
      .sessionsOf(user.id, limits.sessions)
      .filter((session) => this.#parts.people.isLive(session))
    return {
      sessions: sessions.map(({ began, used, hash }) => ({
        id: String(began),
        began: timeOf(began),
        used: timeOf(used),
        ...(hash === mine && { current: true }),
      })),
    }
  }

  /** Ends all, the one that asks too. */
  async logOutEverywhere(who: Who): Promise<void> {
    const user = this.#parts.people.person(who)
    // By a password it can be asked for without end, and no limit holds it up.
    if (this.#parts.database.people.sessionsOf(user.id, 1).length === 0) return
    await this.#parts.appender.append({ type: 'session_end', rules, user: user.id, facts: { all: true } })
  }

  async endSession(who: Who, id: string): Promise<void> {
    const user = this.#parts.people.person(who)
    const session = this.#parts.database.people
      .sessionsOf(user.id, limits.sessions)
      .find(({ began }) => String(began) === id)
    if (!session) throw new ChatError('not_found', 'there is no such session of yours; GET /sessions lists them')
    await this.#parts.appender.appendUnless('unauthorized', {
      type: 'session_end',
      rules,
      user: user.id,
      facts: { hash: session.hash },
    })
  }

  // People

  /** All there are or were, by when they came; `after` is the last one's id of the page before. */
  async users(
    who: Who,
    { after, limit = limits.usersListed }: Pages,
  ): Promise<{ users: User[]; cursor: string; more: boolean }> {
    this.#parts.access.reads(who)
    const { cursor } = this.#parts.appender
    const first = after === undefined ? 0 : this.#parts.people.find(who, after).id
    const { shown, more } = await readPage({
      read: (last: UserRow | undefined, count) => this.#parts.database.people.usersAfter(last?.id ?? first, count),
      show: toUser,
      limit: countOf(limit, limits.usersListed),
    })
    return { users: shown, cursor, more }
  }

  user(who: Who, raw: string): User {
    this.#parts.access.reads(who)
    return toUser(this.#parts.people.find(who, raw))
  }

  async giveRole(who: Who, raw: string, role: string): Promise<User> {
    const user = this.#parts.people.person(who)
    const other = this.#parts.people.find(who, raw)
    if (role !== 'owner' && role !== 'admin' && role !== 'member')
      throw new ChatError('invalid_request', 'role must be owner, admin or member')
    const event = { type: 'role', rules, user: user.id, target: other.id, facts: { role } } as const
    this.#parts.appender.check(event)
    if (other.role !== role) await this.#parts.appender.append(event)
    return this.#shown(other.id)
  }

  /**
   * Whoever is banned reads and does nothing here any more; their open streams end. What is to be done away with is, a little at a time
   * from now on, until the ban is lifted: in rooms that whoever bans does not see as well.
   */
  async ban(who: Who, raw: string, banned: boolean, { rooms, messages }: Cleanup = {}): Promise<User> {
    const user = this.#parts.people.person(who)
    const other = this.#parts.people.find(who, raw)
    const event: Banned = {
      type: 'ban',
      rules,
      user: user.id,
      target: other.id,
      facts: { banned, ...(rooms && { rooms: true }), ...(messages && { messages: true }) },
    }
    this.#parts.appender.check(event)
    const underWay = this.#parts.database.people.cleanup(other.id)
    const isAsked =
      underWay?.by === user.id && (!rooms || underWay.rooms === 1) && (!messages || underWay.messages === 1)
    if ((other.banned !== 0) !== banned || ((rooms || messages) && !isAsked)) await this.#parts.appender.append(event)
    this.#parts.cleanups.begin()
    return this.#shown(other.id)
  }

  async #instead(before: Who, id: number, secret: string): Promise<CameIn> {
    await this.logOut(before)
    return { user: this.#shown(id), secret }
  }

  #shown(id: number): User {
    return toUser(this.#parts.database.people.user(id)!)
  }
}

export function newSecret(bytes = 32): string {
  return randomBytes(bytes).toString('base64url')
}
