// How often somebody may be wrong about a password: so many times within a while for an address, whatever the accounts, and
// for an account, wherever from. Names that nobody has count like those of accounts, so that a refusal tells nothing.

import { ChatError } from '../../errors.ts'
import { networkOf } from '../../network.ts'

const limits = {
  failures: 10, // for an address and for an account,
  withinMs: 3 * 60_000, // in any stretch of this length
  networkTimes: 10, // as many for an IPv6 network of 48 bits, which has 65,536 addresses
  kept: 10_000, // failures, and accounts that came in; a hash each, more can't fail within that time
  addressesEach: 8, // from which an account came in last
  waiting: 50, // of an address or for an account, behind those under way: with them, as many as may come in at once
  busySeconds: 2, // to wait if it is not failures that are too many, but attempts
}

/** A user's id, or the folded name that nobody has. */
export type Account = number | string

interface Attempt {
  /** Not known where a proxy names no client. */
  address: string | undefined
  /** Forgiven once somebody comes in to it from the same address. */
  account: Account | undefined
}

export class FailedLogins {
  readonly #now: () => number
  readonly #underWay = new Set<Attempt>()
  readonly #waiting = new Set<Attempt>()
  /** Resolves when the next attempt is over. */
  #over = Promise.withResolvers<void>()
  /** Oldest first. */
  #failures: (Attempt & { at: number })[] = []
  /** Where each account came in from, newest last. */
  readonly #cameFrom = new Map<Account, string[]>()

  /** `now` is a clock that only goes forward, in ms. */
  constructor({ now = () => performance.now() }: { now?: () => number } = {}) {
    this.#now = now
  }

  /**
   * Lets somebody try, unless there were too many failures; `proves` says whether they are right, and is not asked before. If it
   * throws, nobody was wrong. Without an address only the account counts.
   * @throws ChatError `too_many`, with the seconds after which one more try is free
   */
  async attempt(
    address: string | undefined,
    account: Account,
    proves: () => boolean | Promise<boolean>,
  ): Promise<boolean> {
    const attempt = { address, account }
    while (!this.#mayBegin(attempt)) await this.#oneIsOver(attempt)
    // From the look above to here there must be no `await`: of many attempts at once all would pass before the first fails.
    this.#underWay.add(attempt)
    try {
      const right = await proves()
      if (right) this.#cameIn(address, account)
      else this.#failures = [...this.#failures, { ...attempt, at: this.#now() }].slice(-limits.kept)
      return right
    } finally {
      this.#underWay.delete(attempt)
      const { resolve } = this.#over
      this.#over = Promise.withResolvers()
      resolve()
    }
  }

  // False while so many are under way that there would be too many failures if all of them failed.
  #mayBegin({ address, account }: Attempt): boolean {
    const from = this.#now() - limits.withinMs
    if (this.#failures[0] && this.#failures[0].at <= from) this.#failures = this.#failures.filter(({ at }) => at > from)
    const bounds: { counts: (attempt: Attempt) => boolean; most: number }[] = []
    const network = address === undefined ? undefined : networkOf(address)
    if (address !== undefined) bounds.push({ counts: (other) => other.address === address, most: limits.failures })
    if (network !== undefined)
      bounds.push({
        counts: (other) => other.address !== undefined && networkOf(other.address) === network,
        most: limits.failures * limits.networkTimes,
      })
    // Nobody is shut out by what others try from elsewhere.
    const familiar = address !== undefined && this.#cameFrom.get(account!)?.includes(address)
    if (!familiar) bounds.push({ counts: (other) => other.account === account, most: limits.failures })

    const failures = bounds.map(({ counts }) => this.#failures.filter(counts))
    const retryAfter = Math.max(0, ...bounds.map(({ most }, at) => this.#secondsToWait(failures[at]!, most)))
    if (retryAfter > 0) throw tooMany(retryAfter)
    return bounds.every(({ counts, most }, at) => failures[at]!.length + numberOf(this.#underWay, counts) < most)
  }

  async #oneIsOver(attempt: Attempt): Promise<void> {
    const alike = numberOf(
      this.#waiting,
      ({ address, account }) => account === attempt.account || (address !== undefined && address === attempt.address),
    )
    if (alike >= limits.waiting) throw tooMany(limits.busySeconds)
    this.#waiting.add(attempt)
    try {
      await this.#over.promise
    } finally {
      this.#waiting.delete(attempt)
    }
  }

  #secondsToWait(failures: readonly { at: number }[], most: number): number {
    if (failures.length < most) return 0
    // More than decide are there where an account was wrong from familiar addresses, too.
    return Math.ceil((failures.at(-most)!.at + limits.withinMs - this.#now()) / 1000)
  }

  // Who gets in after some mistakes has the account's count rid of these alone: others still guess. The address keeps its
  // count, or a guesser would log in to an account of its own in between.
  #cameIn(address: string | undefined, account: Account): void {
    if (address === undefined) return
    for (const failure of this.#failures)
      if (failure.account === account && failure.address === address) failure.account = undefined
    const others = (this.#cameFrom.get(account) ?? []).filter((other) => other !== address)
    this.#cameFrom.delete(account)
    this.#cameFrom.set(account, [...others, address].slice(-limits.addressesEach))
    const [oldest] = this.#cameFrom.keys()
    if (this.#cameFrom.size > limits.kept) this.#cameFrom.delete(oldest!)
  }
}

function tooMany(retryAfter: number): ChatError {
  return new ChatError('too_many', `too many attempts to log in; try again in ${retryAfter} seconds`, { retryAfter })
}

function numberOf(attempts: Iterable<Attempt>, counts: (attempt: Attempt) => boolean): number {
  let number = 0
  for (const attempt of attempts) if (counts(attempt)) number++
  return number
}
