// How much one person, or one address, may do: changes a second, newcomers, open streams. Only requests are limited; a program
// that natter is mounted in calls the chat itself, and is not.

import type { Who } from '../chat/who.ts'
import { foldName } from '../chat/text.ts'
import type { Settings } from '../config.ts'
import { ChatError } from '../errors.ts'
import type { Log } from '../log.ts'
import { Buckets } from './buckets.ts'

const limits = {
  personBurst: 10, // changes at once; then as many a second as the settings say
  botTimes: 10, // as many of both for a bot
  addressTimes: 3, // as many of both for all the unproven names of an address: a new name must not bring new room
  comingIn: { burst: 30, perSecond: 0.1 }, // an address: a name that was taken stays taken for 30 days
  streamsPerSession: 10,
}

/** How somebody new comes in. */
const comingIn = new Set(['POST /session', 'POST /users', 'POST /invites/accept'])

/** What nobody should ever have to wait for: what a page does by itself, and logging out. Whoever uses a stolen session to its limit must not keep its owner from ending it. */
const unlimited = new Set(['DELETE /session', 'DELETE /sessions', 'DELETE /sessions/:id', 'POST /rooms/:room/typing', 'PUT /rooms/:room/read'])

export interface LimitsOptions extends Pick<Settings, 'postsPerSecond' | 'streamsPerAddress'> {
  /** Gets a line for the owner, at most once. */
  log: Log
  /** A clock that never goes back, in ms. */
  now?: () => number
}

export class Limits {
  readonly #options: LimitsOptions
  readonly #people: Buckets
  readonly #bots: Buckets
  readonly #addresses: Buckets
  readonly #newcomers: Buckets
  /** How many streams are open, by address and by session. */
  #streams = new Map<string, number>()
  #reported = false

  constructor(options: LimitsOptions) {
    const { postsPerSecond, now = () => performance.now() } = options
    const rate = (times: number) => ({ burst: limits.personBurst * times, perSecond: postsPerSecond * times })
    this.#options = options
    this.#people = new Buckets(rate(1), now)
    this.#bots = new Buckets(rate(limits.botTimes), now)
    this.#addresses = new Buckets(rate(limits.addressTimes), now)
    this.#newcomers = new Buckets(limits.comingIn, now)
  }

  /**
   * Counts a change, named by its method and route, that somebody asks for from an address; undefined is one that we don't know.
   * @throws ChatError `too_many`
   */
  change(change: string, who: Who, address: string | undefined): void {
    const { postsPerSecond } = this.#options
    if (postsPerSecond === 0 || unlimited.has(change)) return
    if (comingIn.has(change)) return this.#take([[this.#newcomers, address]], 'too many came in from this address')
    const unproven = 'claims' in who ? who.claims : 'user' in who && who.user.kind === 'unproven' ? who.user.name : undefined
    if ('user' in who && unproven === undefined) {
      const bot = who.user.kind === 'bot'
      const rate = Number((postsPerSecond * (bot ? limits.botTimes : 1)).toPrecision(6)) // 1.1 × 10 is 11.000000000000002
      return this.#take([[bot ? this.#bots : this.#people, String(who.user.id)]], `that is more than ${rate} a second`)
    }
    const name: [Buckets, string][] = unproven === undefined ? [] : [[this.#people, `unproven ${foldName(unproven)}`]]
    this.#take([...name, [this.#addresses, address]], `that is more than ${postsPerSecond} a second, or too much from this address`)
  }

  /** Why one more stream may not be opened now, if so. */
  streamRefusal(who: Who, address: string | undefined): string | undefined {
    const { streamsPerAddress } = this.#options
    const [ofAddress = 0, ofSession = 0] = keysOf(who, address).map((key) => this.#streams.get(key) ?? 0)
    if (ofSession >= limits.streamsPerSession) return `there are ${limits.streamsPerSession} streams open for this session`
    if (streamsPerAddress === 0 || ofAddress < streamsPerAddress) return undefined
    if (address !== undefined) return `there are ${streamsPerAddress} streams open from this address`
    return void this.#reportOnce()
  }

  /** Counts a stream that begins, or with -1 one that is over. */
  countStream(who: Who, address: string | undefined, by: 1 | -1): void {
    for (const key of keysOf(who, address)) {
      const count = (this.#streams.get(key) ?? 0) + by
      if (count > 0) this.#streams.set(key, count)
      else this.#streams.delete(key)
    }
  }

  // From each of these or from none. Those without an address share one bucket, which only tells when they would have been refused.
  #take(from: readonly (readonly [Buckets, string | undefined])[], why: string): void {
    let waitMs = 0
    for (const [buckets, key] of from) {
      const ms = buckets.wait(key ?? '')
      if (key !== undefined) waitMs = Math.max(waitMs, ms)
      else if (ms > 0) this.#reportOnce()
    }
    if (waitMs > 0) {
      const seconds = Math.ceil(waitMs / 1000)
      throw new ChatError('too_many', `${why}; try again in ${seconds} s`, { retryAfter: seconds })
    }
    for (const [buckets, key] of from) if (key !== undefined || buckets.wait('') === 0) buckets.take(key ?? '')
  }

  #reportOnce(): void {
    if (this.#reported) return
    this.#reported = true
    this.#options.log(
      'much comes from a trusted proxy that does not name its clients, so that nothing can be limited by address: have it send ' +
        'X-Forwarded-For (nginx: proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for), or, if there is no proxy, start natter with --trust-proxy ""',
    )
  }
}

// What its streams are counted by: an address, and a session. Of a host's own sessions we know nothing: there a person counts as one.
function keysOf(who: Who, address: string | undefined): string[] {
  const session = 'user' in who ? (who.session ?? (who.user.kind === 'hosted' ? `of ${who.user.id}` : undefined)) : undefined
  return [`address ${address ?? ''}`, ...(session === undefined ? [] : [`session ${session}`])]
}
