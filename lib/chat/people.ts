// Who asks, and who they are: sessions, and names that nothing proves.

import { createHash, randomBytes } from 'node:crypto'
import { ChatError } from '../errors.ts'
import type { Database, UserRow } from '../store/database.ts'
import type { Appender } from './appender.ts'
import { sessionLasts } from './apply.ts'
import type { User } from './events.ts'
import { rules } from './log-events.ts'
import { cleanName, foldName } from './text.ts'
import { toUser } from './wire.ts'

/** Who asks: somebody with a session, a name that nothing proves yet, or nobody. */
export type Who =
  | { user: UserRow; session?: string }
  | { claims: string }
  | { nobody: true; /** A session was shown, and is over. */ loggedOut?: true }

const limits = {
  renewAfter: 24 * 3600 * 1e6, // µs: a session's use is written down once a day
  clockSlack: 1e6, // µs: ids may be this far ahead of the clock without its having been set back
}

export const needsName = 'natter has to know who you are. In a terminal give a name: curl -u ada: …; a page comes in with POST /session {"name":"ada"}'

export class People {
  readonly #database: Database
  readonly #appender: Appender
  readonly #newest: () => number
  /** By how much the clock was behind the log when this began, in µs. */
  readonly #startedBehind: number

  /** `newest` tells the newest id of the log. */
  constructor(database: Database, appender: Appender, newest: () => number) {
    this.#database = database
    this.#appender = appender
    this.#newest = newest
    this.#startedBehind = Math.max(0, newest() - evenNow())
  }

  /** Who a session's secret belongs to. Using a session keeps it alive. */
  bySession(secret: string): Who {
    const hash = hashOf(secret)
    const session = this.#database.session(hash)
    const user = session && this.#database.user(session.user)
    if (!user || session.ended !== null || this.#age(session.used) > sessionLasts) return { nobody: true, loggedOut: true }
    if (session.used + limits.renewAfter < this.#appender.idNow) {
      // It is no loss if this fails: the next use tries again.
      this.#appender.append({ type: 'session', rules, user: user.id, facts: { hash } }).catch(() => {})
    }
    return { user, session: hash }
  }

  /** Who gives a name and no proof: whoever used it like that before, or somebody who has yet to do something. */
  byName(raw: string): Who {
    const name = cleanName(raw)
    const refused = this.#appender.refusal(unproven(name))
    if (!refused) return { claims: name }
    const holder = this.#database.userByName(foldName(name))
    if (holder?.kind === 'unproven') return { user: holder }
    throw refused
  }

  whoAmI(who: Who): User | null {
    return 'user' in who ? toUser(who.user) : null
  }

  /** Comes in as a guest, and out of the session that asks. The secret proves it from then on; only its hash is kept. */
  async comeIn(who: Who, raw: string): Promise<{ user: User; secret: string }> {
    const name = cleanName(raw)
    const secret = randomBytes(32).toString('base64url')
    const facts = { name, folded: foldName(name), kind: 'guest', role: 'guest', session: hashOf(secret) } as const
    const { id } = await this.#appender.append({ type: 'user', rules, facts })
    await this.logOut(who)
    return { user: toUser(this.#database.user(id)!), secret }
  }

  /** Ends the session that asks, with its streams. */
  async logOut(who: Who): Promise<void> {
    if (!('user' in who) || who.session === undefined) return
    await this.#appender.appendUnless('unauthorized', { type: 'session_end', rules, user: who.user.id, facts: { hash: who.session } })
  }

  /** The user who asks and can prove it. */
  proven(who: Who): UserRow {
    if ('nobody' in who) throw new ChatError('unauthorized', needsName)
    if ('user' in who && who.user.kind !== 'unproven') return this.#still(who)
    throw new ChatError('forbidden', 'a name without proof can read and post in open rooms, and nothing else; come in with POST /session {"name":"…"} and keep its cookie')
  }

  // Between who asked and what is asked there may be a slow body, and in that time a logout or another owner of the name.
  #still({ user, session }: { user: UserRow; session?: string }): UserRow {
    if (session !== undefined && this.#database.session(session)?.ended !== null) throw new ChatError('unauthorized', 'this session is over; come in again')
    if (user.kind === 'unproven' && this.#database.userByName(foldName(user.name))?.id !== user.id) {
      throw new ChatError('name_taken', `the name ${user.name} is somebody's now; choose another`)
    }
    return user
  }

  /** The user who asks, made now if it is a name's first deed. */
  async somebody(who: Who): Promise<UserRow> {
    if ('user' in who) return this.#still(who)
    if (!('claims' in who)) throw new ChatError('unauthorized', needsName)
    const event = unproven(who.claims)
    try {
      return this.#database.user((await this.#appender.append(event)).id)!
    } catch (error) {
      // The same name may just have done its first deed in another request.
      const holder = this.#database.userByName(event.facts.folded)
      if (holder?.kind === 'unproven') return holder
      throw error
    }
  }

  // How long ago an id was given, in µs: by the wall clock, or by the time that passed since this process started if that is
  // less. So a clock that jumps ahead ends no session, nor does one that was ahead at our start and was set right.
  #age(id: number): number {
    const wall = Date.now() * 1000
    // A clock that was set back: ids only count up from the newest and tell no time, and nothing gets older until it is right.
    if (wall + limits.clockSlack < this.#newest()) return 0
    const even = evenNow() + this.#startedBehind
    return (even < id ? wall : Math.min(wall, even)) - id
  }
}

function unproven(name: string) {
  return { type: 'user', rules, facts: { name, folded: foldName(name), kind: 'unproven', role: 'guest' } } as const
}

function hashOf(secret: string): string {
  return createHash('sha256').update(secret).digest('base64url')
}

// Microseconds, like ids. It goes on evenly from the start of the process, whatever the clock does.
function evenNow(): number {
  return Math.round((performance.timeOrigin + performance.now()) * 1000)
}
