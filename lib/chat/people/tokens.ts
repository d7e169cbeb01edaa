// Tokens: what a bot shows to read and to post. A bot has its own name, and its maker no part in what it says.

import { ChatError } from '../../errors.ts'
import type { TokenRow } from '../../store/tables/people-tables.ts'
import { newSecret } from './accounts.ts'
import type { Author, User } from '../streams/events.ts'
import { rules, type LogEvent } from '../../store/log/log-events.ts'
import { cleanOwnName, foldName, readName } from './names.ts'
import { countOf, readPage, type Pages } from '../pages.ts'
import type { Parts } from '../parts.ts'
import { hashOf } from './people.ts'
import type { Who } from './who.ts'
import { governs, sees } from '../rules/rights.ts'
import { readTime } from '../time.ts'
import { timeOf, toPerson, toUser } from '../streams/wire.ts'

export interface NewToken {
  /** The bot's name. */
  name: string
  /** `read`, `write`, or both, which is the standard. */
  scopes?: readonly string[] | undefined
  /** Bound to these rooms; without it, to none. */
  rooms?: readonly string[] | undefined
  /** A time, or how long from now: `90d`. Without it, it does not end by itself. */
  expires?: string | undefined
}

export interface Token {
  id: string
  user: User
  /** Who made it: of private rooms it shows those alone that its maker is in as well. */
  maker: Author
  scopes: string[]
  rooms?: string[]
  expires?: string
}

const limits = {
  listed: 1000,
  rooms: 100, // that one token is bound to
}

export class Tokens {
  readonly #parts: Parts

  constructor(parts: Parts) {
    this.#parts = parts
  }

  /** The token itself is told this once: only its hash is kept. */
  async make(
    who: Who,
    { name: raw, scopes = ['read', 'write'], rooms: slugs, expires }: NewToken,
  ): Promise<Token & { token: string }> {
    const user = this.#parts.people.person(who)
    const known = this.#parts.database.people.nameHolder(foldName(readName(raw)))
    const name = cleanOwnName(raw, known?.kind === 'bot' ? known.name : undefined)
    if (scopes.length === 0 || scopes.some((scope) => scope !== 'read' && scope !== 'write'))
      throw new ChatError('invalid_request', 'scopes must be some of "read" and "write"')
    if (slugs && (slugs.length === 0 || slugs.length > limits.rooms))
      throw new ChatError('invalid_request', `rooms must name 1 to ${limits.rooms} rooms`)
    const until = expires === undefined ? undefined : readTime(expires, this.#parts.appender.idNow)
    const rooms = slugs?.map((slug) => this.#parts.access.room(who, slug))
    const token = `natter_${newSecret()}`
    const hash = hashOf(token)
    const facts = {
      hash,
      ...this.#parts.people.nameFacts(name),
      scopes: [...new Set(scopes)].sort().join(' '),
      ...(rooms && { rooms: rooms.map(({ id }) => id) }),
      ...(until !== undefined && { expires: until }),
    }
    // A bot that is bound to a room that is not open is of no use outside it.
    const after = (rooms ?? []).flatMap(({ id, kind }): LogEvent[] =>
      kind === 'private' ? [{ type: 'join', rules, room: id, facts: { proof: hash, by: user.id } }] : [],
    )
    const made = await this.#parts.appender.append(
      { type: 'token', rules, user: user.id, facts, body: { name } },
      { after },
    )
    return { ...this.#shown(this.#parts.database.people.token(made.id)!, user.id), token }
  }

  /** The newest first. */
  async list(who: Who, { after, limit = limits.listed }: Pages = {}): Promise<{ tokens: Token[]; more: boolean }> {
    const user = this.#parts.people.person(who)
    if (!governs(user)) throw new ChatError('forbidden', 'only an owner or an admin of this place sees its tokens')
    const first = after === undefined ? Number.MAX_SAFE_INTEGER : Number(after)
    if (!Number.isSafeInteger(first)) throw new ChatError('invalid_request', 'after must be the id of a token')
    const { shown, more } = await readPage({
      read: (last: TokenRow | undefined, count) => this.#parts.database.people.openTokens(last?.id ?? first, count),
      show: (token) => this.#shown(token, user.id),
      limit: countOf(limit, limits.listed),
    })
    return { tokens: shown, more }
  }

  async end(who: Who, id: string): Promise<void> {
    const user = this.#parts.people.person(who)
    await this.#parts.appender.append({ type: 'token_end', rules, user: user.id, target: Number(id) })
  }

  // A room that is not theirs to see is not told of, not even to an admin.
  #shown({ id, bot, maker, scopes, rooms, expires }: TokenRow, to: number): Token {
    const bound =
      rooms === null ? undefined : (JSON.parse(rooms) as number[]).map((room) => this.#parts.database.rooms.room(room)!) // the log's own JSON
    const slugs = bound?.filter((room) => sees(this.#parts.database, to, room)).map(({ slug }) => slug)
    const { people } = this.#parts.database
    return {
      id: String(id),
      user: toUser(people.user(bot)!),
      maker: toPerson(people.user(maker)!),
      scopes: scopes.split(' '),
      ...(slugs && { rooms: slugs }),
      ...(expires !== null && { expires: timeOf(expires) }),
    }
  }
}
