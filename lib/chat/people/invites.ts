// Invites: a link with a secret code, by which somebody comes in, gets a role, or enters a room.

import { ChatError } from '../../errors.ts'
import type { InviteRow } from '../../store/tables/people-tables.ts'
import { newSecret, type Accounts } from './accounts.ts'
import type { Room, User } from '../streams/events.ts'
import { inviteOver } from '../rules/invite-rules.ts'
import { rules, type LogEvent } from '../../store/log/log-events.ts'
import { countOf, readPage, type Pages } from '../pages.ts'
import type { Parts } from '../parts.ts'
import { hashOf } from './people.ts'
import type { Who } from './who.ts'
import { governs, sees } from '../rules/rights.ts'
import { readTime } from '../time.ts'
import { idOfUser, timeOf, toRoom, toUser } from '../streams/wire.ts'

export interface NewInvite {
  /** The room to enter; without it, only the place. */
  room?: string | undefined
  role?: string | undefined
  uses?: number | undefined
  /** A time, or how long from now: `7d`. */
  expires?: string | undefined
}

export interface Invite {
  id: string
  room?: string
  /** What one becomes by it. Where anybody may make an account, who does is a member at least. */
  role: InviteRow['role']
  /** How often it can be accepted yet. */
  uses: number
  expires: string
}

const limits = {
  uses: 1000,
  listed: 1000,
  codeBytes: 16, // short enough for a link that is read aloud
  lasts: 7 * 24 * 3600 * 1e6, // µs, unless said otherwise
}

export class Invites {
  readonly #parts: Parts & { accounts: Accounts }

  constructor(parts: Parts & { accounts: Accounts }) {
    this.#parts = parts
  }

  async make(
    who: Who,
    { room: slug, role = 'guest', uses = 1, expires }: NewInvite,
  ): Promise<Invite & { code: string }> {
    const user = this.#parts.people.person(who)
    if (role !== 'guest' && role !== 'member' && role !== 'admin')
      throw new ChatError('invalid_request', 'role must be guest, member or admin')
    if (!Number.isInteger(uses) || uses < 1 || uses > limits.uses)
      throw new ChatError('invalid_request', `uses must be a whole number from 1 to ${limits.uses}`)
    // Or else whoever was let in as a guest could let everybody in.
    if (this.#parts.people.access === 'invite' && user.role === 'guest')
      throw new ChatError(
        'forbidden',
        'guests do not invite others here; an owner or an admin can make members of those who have an account',
      )
    const now = this.#parts.appender.idNow
    const until = expires === undefined ? now + limits.lasts : readTime(expires, now)
    const room = slug === undefined ? undefined : this.#parts.access.room(who, slug)
    if (room?.archived) throw new ChatError('archived', `${room.slug} is archived; nobody comes into it any more`)
    const code = newSecret(limits.codeBytes)
    const { id } = await this.#parts.appender.append({
      type: 'invite',
      rules,
      user: user.id,
      ...(room && { room: room.id }),
      facts: { hash: hashOf(code), role, uses, expires: until },
    })
    return { ...this.#shown(this.#parts.database.people.invite(id)!), code }
  }

  /** Those that are open: one's own, and all for who governs the place; the last to expire first. */
  async list(who: Who, { after, limit = limits.listed }: Pages = {}): Promise<{ invites: Invite[]; more: boolean }> {
    const { appender, database, people } = this.#parts
    const user = people.person(who)
    const now = appender.idNow
    const first =
      after === undefined ? undefined : /^\d{1,16}$/.test(after) ? database.people.invite(Number(after)) : null
    // Of others' invites nobody is told whether there is one.
    if (first === null) throw new ChatError('invalid_request', 'after must be the id of an invite')
    const { shown, more } = await readPage({
      read: (last: InviteRow | undefined, count) =>
        governs(user)
          ? database.people.openInvites(now, last ?? first, count)
          : database.people.openInvitesBy(user.id, now, last ?? first, count),
      show: (invite) =>
        invite.maker === user.id || invite.room === null || this.#roomSeen(user.id, invite.room).room
          ? this.#shown(invite)
          : undefined,
      limit: countOf(limit, limits.listed),
    })
    return { invites: shown, more }
  }

  async end(who: Who, id: string): Promise<void> {
    const user = this.#parts.people.person(who)
    await this.#parts.appender.append({ type: 'invite_end', rules, user: user.id, target: Number(id) })
  }

  /**
   * Somebody who is here gets the role and enters the room; a guest becomes an account if they give a password. Who is not
   * here comes in by a name: as a guest, or with a password as an account. `secret` is that of a new session, if there is one;
   * `address` is where they come from, if that is known.
   */
  async accept(
    who: Who,
    {
      code,
      name,
      password,
      address,
    }: { code: string; name?: string | undefined; password?: string | undefined; address?: string | undefined },
  ): Promise<{ user: User; room?: Room; secret?: string }> {
    const { accounts, appender, database, people } = this.#parts
    const invite = hashOf(code)
    const here = who.kind === 'user' && who.user.kind !== 'unproven' ? people.person(who) : undefined
    const { maker, room } = database.people.inviteByHash(invite) ?? {}
    // It was made when anybody could come in: now guests let nobody in.
    if (people.access === 'invite' && maker && database.people.user(maker)?.role === 'guest') throw inviteOver()
    // Nobody comes into that room, and by an invite to it nobody is to come into the place alone.
    if (room && database.rooms.room(room)?.archived) throw inviteOver()
    if (here && (here.kind !== 'guest' || password === undefined)) {
      const after: LogEvent[] = room ? [{ type: 'join', rules, user: here.id, room, facts: { invite } }] : []
      await appender.append({ type: 'accept', rules, user: here.id, facts: { invite } }, { after })
      return { user: toUser(database.people.user(here.id)!), ...this.#roomSeen(here.id, room) }
    }
    const called = name ?? here?.name
    if (called === undefined) throw new ChatError('invalid_request', 'name is missing: what are you to be called?')
    const came = await accounts.comeIn(who, { name: called, password, invite, address })
    return { ...came, ...this.#roomSeen(idOfUser(came.user.id)!, room) }
  }

  /** The code that makes whoever accepts it the owner, as long as there is none. Those before it are good no more. */
  async forOwner(): Promise<string | undefined> {
    if (this.#parts.database.people.hasOwner()) return undefined
    const now = this.#parts.appender.idNow
    const old = this.#parts.database.people.openInvitesOf(null, now, limits.listed)
    const code = newSecret(limits.codeBytes)
    const after = old.map(({ id }): LogEvent => ({ type: 'invite_end', rules, target: id }))
    await this.#parts.appender.append(
      { type: 'invite', rules, facts: { hash: hashOf(code), role: 'owner', uses: 1, expires: now + limits.lasts } },
      { after },
    )
    return code
  }

  #roomSeen(user: number, id: number | null | undefined): { room?: Room } {
    const room = id ? this.#parts.database.rooms.room(id) : undefined
    return room && sees(this.#parts.database, user, room) ? { room: toRoom(room) } : {}
  }

  #shown({ id, room, role, uses, expires }: InviteRow): Invite {
    const slug = room === null ? undefined : this.#parts.database.rooms.room(room)?.slug
    return { id: String(id), ...(slug !== undefined && { room: slug }), role, uses, expires: timeOf(expires) }
  }
}
