// Who asks, and who they are: by a session, a token, a password, another server's word, or a name that nothing proves.

import { hash as digest } from 'node:crypto'
import { ChatError } from '../../errors.ts'
import type { Database } from '../../store/database.ts'
import { looksOf } from '../../store/tables/look-alikes.ts'
import type { SessionRow, TokenRow, UserRow } from '../../store/tables/people-tables.ts'
import type { Appender } from '../appender.ts'
import { FailedLogins } from './failed-logins.ts'
import { rules, type NameFacts } from '../../store/log/log-events.ts'
import { sessionLasts } from '../rules/name-rules.ts'
import { cleanPersonName, foldName, readName } from './names.ts'
import { Passwords } from './passwords.ts'
import { governs } from '../rules/rights.ts'
import { needsProof } from '../rules/rule.ts'
import { hasScope, type KnownUser, type Who } from './who.ts'
import { idOfUser } from '../streams/wire.ts'

/** Somebody whom the server that natter is mounted in knows, under an id that is theirs for good. */
export type HostedUser = Pick<UserRow, 'name' | 'role'> & { id: string }

const limits = {
  renewAfter: 24 * 3600 * 1e6, // µs: a session's use is written down once a day
  clockSlack: 1e6, // µs: ids may be this far ahead of the clock without its having been set back
}

export const needsName =
  'natter has to know who you are. In a terminal give a name: curl -u ada: …; a page comes in with POST /session {"name":"ada"}'

export class People {
  readonly #database: Database
  readonly #appender: Appender
  /** `invite`: nobody comes in by a name alone. */
  readonly access: 'open' | 'invite'
  readonly passwords = new Passwords()
  readonly #failed = new FailedLogins()
  /** By how much the clock was behind the log when this began, in µs. */
  readonly #startedBehind: number

  constructor(database: Database, appender: Appender, access: 'open' | 'invite') {
    this.#database = database
    this.#appender = appender
    this.access = access
    this.#startedBehind = Math.max(0, appender.newest - evenNow())
  }

  // By what they show

  /** Who a session's secret belongs to. Using a session keeps it alive. */
  bySession(secret: string): Who {
    const hash = hashOf(secret)
    const session = this.#database.people.session(hash)
    const user = session && this.#database.people.user(session.user)
    if (!user || !this.isLive(session)) return { kind: 'nobody', loggedOut: true }
    if (session.used + limits.renewAfter < this.#appender.idNow) {
      // It is no loss if this fails: the next use tries again.
      this.#appender.append({ type: 'session', rules, user: user.id, facts: { hash } }).catch(() => {})
    }
    return { kind: 'user', user, session: hash }
  }

  /** Was there ever a session of this secret here, be it over or not? */
  hadSession(secret: string): boolean {
    return this.#database.people.session(hashOf(secret)) !== undefined
  }

  isLive({ ended, used }: SessionRow): boolean {
    return ended === null && this.#age(used) <= sessionLasts
  }

  /** @throws ChatError `unauthorized` */
  byToken(secret: string): Who {
    const token = this.#database.people.tokenByHash(hashOf(secret))
    const user = token && this.#database.people.user(token.bot)
    if (!user || !this.#isGood(token))
      throw new ChatError(
        'unauthorized',
        'this token is not known, or over; an admin can make another with POST /tokens',
      )
    return { kind: 'user', user, token }
  }

  /** Who gives a name and no proof: whoever used it like that before, or somebody who has yet to do something. */
  byName(raw: string): Who {
    // Before the name is looked up, or the answer would tell who is here.
    if (this.access === 'invite')
      throw new ChatError(
        'invite_needed',
        'a name alone does not do here; give your password too, curl -u name:password, or ask for an invite',
      )
    const holder = this.#holder(readName(raw))
    if (holder?.kind === 'unproven') return { kind: 'user', user: holder }
    const name = cleanPersonName(raw)
    try {
      this.#appender.check(this.#unproven(name))
    } catch (error) {
      // A commit is seen here at once, so the name may have done its first deed between these two looks.
      const quicker = this.#holder(name)
      if (quicker?.kind === 'unproven') return { kind: 'user', user: quicker }
      throw error
    }
    return { kind: 'claim', claims: name }
  }

  /**
   * An account by its password; `address` is where it is asked from, if that is known.
   * @throws ChatError `unauthorized`, `too_many`, `busy`; `invalid_name` if it can't be one
   */
  async byPassword(raw: string, password: string, address: string | undefined): Promise<KnownUser> {
    // What can be nobody's name is not counted either: it may be as long as a body.
    const folded = foldName(readName(raw))
    const user = this.#database.people.nameHolder(folded)
    const [id, version] = [user?.id ?? 0, user?.freed === null ? user.password : null]
    let known = false
    // What is remembered is asked behind the limit too: a guess that is compared for nothing is still a guess. A wrong one is hashed all
    // the same, or else the time would tell who was here a moment ago.
    const right = await this.#failed.attempt(address, folded, () => {
      known = this.passwords.known(id, version ?? 0, password)
      return (
        known ||
        this.passwords.matches(password, version === null ? undefined : this.#database.passwordHash(version), {
          address,
          person: folded,
        })
      )
    })
    // Hashing takes its time, in which it may have been changed.
    const now = this.#database.people.user(id)
    if (!right || now === undefined || now.password !== version || version === null)
      throw new ChatError('unauthorized', 'the name or the password is wrong')
    if (!known) this.passwords.remember(id, version, password)
    return { kind: 'user', user: now }
  }

  /** Somebody by another server's word, under an id that is theirs for good: made, or brought up to what it says of them now. */
  async hosted({ id: outside, name: raw, role }: HostedUser): Promise<KnownUser> {
    const name = readName(raw)
    const known = this.#database.people.userByOutside(outside)
    if (known?.name === name && known.role === role) return { kind: 'user', user: known }
    await this.#appender.append({
      type: 'hosted',
      rules,
      facts: { outside, ...this.nameFacts(name), role },
      body: { name },
    })
    return { kind: 'user', user: this.#database.people.userByOutside(outside)! }
  }

  /** A name as an event tells it. */
  nameFacts(name: string): NameFacts {
    const { nameHash } = this.#database.people
    return { folded: nameHash(foldName(name)), looks: looksOf(name).map(nameHash) }
  }

  // What they may

  /** The user who asks and can prove it. */
  proven(who: Who): UserRow {
    if (who.kind === 'nobody') throw new ChatError('unauthorized', needsName)
    if (who.kind === 'user' && who.user.kind !== 'unproven') return this.still(who)
    throw new ChatError('forbidden', needsProof)
  }

  /** The same, if they may change something. */
  writer(who: Who): UserRow {
    writes(who)
    return this.proven(who)
  }

  /** The user who asks, if they have said something before, whether or not they can prove who they are. */
  speaker(who: Who): UserRow {
    writes(who)
    // A name without a first deed is asked for more than a name.
    return who.kind === 'user' ? this.still(who) : this.proven(who)
  }

  /** The same, if it is no bot. */
  person(who: Who): UserRow {
    const user = this.writer(who)
    if (user.kind === 'bot') throw new ChatError('forbidden', 'a bot reads, posts, joins and leaves, and nothing else')
    return user
  }

  /** The user who asks, made now if it is a name's first deed. */
  async somebody(who: Who): Promise<UserRow> {
    writes(who)
    if (who.kind === 'user') return this.still(who)
    if (who.kind !== 'claim') throw new ChatError('unauthorized', needsName)
    // The same name may just have done its first deed in another request.
    await this.#appender.appendUnless('name_taken', this.#unproven(who.claims))
    const holder = this.#holder(who.claims)
    if (holder?.kind === 'unproven') return holder
    throw new ChatError('name_taken', `the name ${who.claims} is somebody's now; choose another`)
  }

  /** Somebody by their id, their name, or `me`. */
  find(who: Who, raw: string): UserRow {
    if (raw === 'me') return this.proven(who)
    const id = idOfUser(raw)
    const user = id === undefined ? this.#holder(raw) : this.#database.people.user(id)
    if (!user) throw new ChatError('not_found', 'there is nobody of that name or id; GET /users lists who there is')
    return user
  }

  /** Between who asked and what is asked there may be a slow body, and in that time a logout, a ban, or another owner of the name. */
  still({ user: { id }, session, token }: { user: UserRow; session?: string; token?: TokenRow }): UserRow {
    const user = this.#database.people.user(id)!
    if (user.banned !== 0) throw new ChatError('banned', 'you are banned here')
    if (session !== undefined && this.#database.people.session(session)?.ended !== null)
      throw new ChatError('unauthorized', 'this session is over; come in again')
    if (token && !this.#isGood(this.#database.people.token(token.id)!))
      throw new ChatError('unauthorized', 'this token is over')
    if (user.kind === 'unproven' && this.#holder(user.name)?.id !== id)
      throw new ChatError('name_taken', `the name ${user.name} is somebody's now; choose another`)
    return user
  }

  // Whoever made a token knows it: it is good for as long as they may make one.
  #isGood({ ended, expires, maker }: TokenRow): boolean {
    return (
      ended === null && (expires === null || expires > Date.now() * 1000) && governs(this.#database.people.user(maker))
    )
  }

  #unproven(name: string) {
    return {
      type: 'user',
      rules,
      facts: { ...this.nameFacts(name), kind: 'unproven', role: 'guest' },
      body: { name },
    } as const
  }

  #holder(name: string): UserRow | undefined {
    const holder = this.#database.people.nameHolder(foldName(name))
    return holder?.freed === null ? holder : undefined
  }

  // How long ago an id was given, in µs: by the wall clock, or by the time that passed since this process started if that is
  // less. So a clock that jumps ahead ends no session, nor does one that was ahead at our start and was set right.
  #age(id: number): number {
    const wall = Date.now() * 1000
    // A clock that was set back: ids only count up from the newest and tell no time, and nothing gets older until it is right.
    if (wall + limits.clockSlack < this.#appender.newest) return 0
    const even = evenNow() + this.#startedBehind
    return (even < id ? wall : Math.min(wall, even)) - id
  }
}

function writes(who: Who): void {
  if (who.kind === 'user' && !hasScope(who.token, 'write'))
    throw new ChatError('forbidden', 'this token is not for writing')
}

/** What is kept of a session's, a token's or an invite's secret. These are random, so nothing slower is needed. */
export function hashOf(secret: string): string {
  return digest('sha256', secret, 'base64url')
}

// Microseconds, like ids. It goes on evenly from the start of the process, whatever the clock does.
function evenNow(): number {
  return Math.round((performance.timeOrigin + performance.now()) * 1000)
}
