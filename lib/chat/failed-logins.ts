// How often somebody may be wrong about a password: so many times within a while for an address, whatever the accounts, and
// for an account, wherever from. Names that nobody has count like those of accounts, so that a refusal tells nothing.

import { ChatError } from '../errors.ts'

const limits = {
  failures: 10, // for an address and for an account,
  withinMs: 3 * 60_000, // in any stretch of this length
  kept: 10_000, // addresses, and accounts, and accounts that came in; a hash each, more can't fail within that time
  addressesEach: 8, // from which an account came in last
  busySeconds: 2, // to wait if it is not failures that are too many, but attempts under way
}

/** A user's id, or the folded name that nobody has. */
export type Account = number | string

interface Failure {
  at: number
  address: string | undefined
}

/** The attempts on one account, or from one address. */
interface Attempts {
  /** Oldest first. */
  failures: Failure[]
  underWay: number
}

export interface FailedLoginsOptions {
  /** A clock that only goes forward, in ms. */
  now?: () => number
}

export class FailedLogins {
  readonly #now: () => number
  readonly #byAddress = new Map<string, Attempts>()
  readonly #byAccount = new Map<Account, Attempts>()
  /** Where each account came in from, newest last. */
  readonly #cameFrom = new Map<Account, string[]>()

  constructor({ now = () => performance.now() }: FailedLoginsOptions = {}) {
    this.#now = now
  }

  /**
   * Lets somebody try, unless there were too many failures; `proves` says whether they are right. If it throws, nobody was
   * wrong. Without an address (a proxy that names no client) only the account counts.
   * @throws ChatError `too_many`, with the seconds after which one more try is free
   */
  async attempt(address: string | undefined, account: Account, proves: () => Promise<boolean>): Promise<boolean> {
    // Nobody is shut out by what others try from elsewhere.
    const familiar = address !== undefined && this.#cameFrom.get(account)?.includes(address)
    const waits = [
      address === undefined ? 0 : this.#secondsToWait(this.#byAddress, address),
      familiar ? 0 : this.#secondsToWait(this.#byAccount, account),
    ]
    const retryAfter = Math.max(...waits)
    if (retryAfter > 0) throw new ChatError('too_many', `too many attempts to log in; try again in ${retryAfter} seconds`, { retryAfter })

    // From the look above to here there must be no `await`: of many attempts at once all would pass before the first fails.
    const counted = [begin(this.#byAccount, account), ...(address === undefined ? [] : [begin(this.#byAddress, address)])]
    try {
      const right = await proves()
      if (right) this.#cameIn(address, account)
      else for (const attempts of counted) attempts.failures = [...this.#recent(attempts), { at: this.#now(), address }]
      return right
    } finally {
      for (const attempts of counted) attempts.underWay--
      dropUnused(this.#byAccount, account)
      if (address !== undefined) dropUnused(this.#byAddress, address)
    }
  }

  #secondsToWait<Key>(map: Map<Key, Attempts>, key: Key): number {
    const attempts = map.get(key)
    if (!attempts) return 0
    const failures = this.#recent(attempts)
    if (failures.length + attempts.underWay < limits.failures) return 0
    if (failures.length < limits.failures) return limits.busySeconds
    // More than decide are there where an account was wrong from familiar addresses, too.
    return Math.ceil((failures.at(-limits.failures)!.at + limits.withinMs - this.#now()) / 1000)
  }

  #recent({ failures }: Attempts): Failure[] {
    const from = this.#now() - limits.withinMs
    return failures.filter(({ at }) => at > from)
  }

  // Who gets in after some mistakes has the account's count rid of these alone: others still guess. The address keeps its
  // count, or a guesser would log in to an account of its own in between.
  #cameIn(address: string | undefined, account: Account): void {
    if (address === undefined) return
    const attempts = this.#byAccount.get(account)
    if (attempts) attempts.failures = attempts.failures.filter((failure) => failure.address !== address)
    const others = (this.#cameFrom.get(account) ?? []).filter((other) => other !== address)
    renew(this.#cameFrom, account, [...others, address].slice(-limits.addressesEach))
  }
}

function begin<Key>(map: Map<Key, Attempts>, key: Key): Attempts {
  const attempts = map.get(key) ?? { failures: [], underWay: 0 }
  attempts.underWay++
  renew(map, key, attempts)
  return attempts
}

function dropUnused<Key>(map: Map<Key, Attempts>, key: Key): void {
  const attempts = map.get(key)
  if (attempts?.underWay === 0 && attempts.failures.length === 0) map.delete(key)
}

/** Puts it last; the one that was used longest ago goes if there are too many. */
function renew<Key, Value>(map: Map<Key, Value>, key: Key, value: Value): void {
  map.delete(key)
  map.set(key, value)
  const [oldest] = map.keys()
  if (map.size > limits.kept) map.delete(oldest!)
}
