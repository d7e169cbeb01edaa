// A queue whose places are shared by network, address and person, in this order, and which is served in turns. So the many jobs
// of one person don't hold up the one job of another. It does not know what waits in it.

import { networkOf } from '../../network.ts'

/** Whom something in the queue is for. Where no address is known, each person has a share of their own. */
export interface Party {
  address?: string | undefined
  person: number | string
}

/**
 * A share of the places: its smaller shares in the order of their turns, or, if it is one person's, the jobs that wait one behind
 * the other.
 */
interface Share<Waiting> {
  size: number
  shares: Map<string, Share<Waiting>>
  waiting: Waiting[]
}

export class FairQueue<Waiting extends { party: Party }> {
  readonly #whole: Share<Waiting> = emptyShare()

  get size(): number {
    return this.#whole.size
  }

  get all(): Waiting[] {
    return allIn(this.#whole)
  }

  add(waiting: Waiting): void {
    let share = this.#whole
    share.size++
    for (const key of keysOf(waiting.party)) {
      const next = share.shares.get(key) ?? emptyShare<Waiting>()
      share.shares.set(key, next)
      share = next
      share.size++
    }
    share.waiting.push(waiting)
  }

  /** Takes out the job whose turn it is. Its address has its next turn after all others, and so has its person there. */
  next(): Waiting | undefined {
    return this.size === 0 ? undefined : takeFirst(this.#whole)
  }

  /**
   * Makes room: takes out the last job of the person with most places, of the share with most. Among equals it is the newcomer's
   * own: nobody who waits makes room for somebody who has as much.
   */
  drop(newcomer: Party): Waiting {
    return takeLast(this.#whole, keysOf(newcomer))
  }
}

function emptyShare<Waiting>(): Share<Waiting> {
  return { size: 0, shares: new Map(), waiting: [] }
}

function keysOf({ address, person }: Party): string[] {
  // A number and a name with the same digits are two people.
  const one = `${typeof person} ${person}`
  return address === undefined ? [one, one, one] : [networkOf(address) ?? address, address, one]
}

function allIn<Waiting>({ shares, waiting }: Share<Waiting>): Waiting[] {
  return [...waiting, ...[...shares.values()].flatMap(allIn)]
}

function takeFirst<Waiting>(share: Share<Waiting>): Waiting {
  share.size--
  const [first] = share.shares
  if (!first) return share.waiting.shift()!
  const [key, next] = first
  const taken = takeFirst(next)
  // Its next turn comes after all others.
  share.shares.delete(key)
  if (next.size > 0) share.shares.set(key, next)
  return taken
}

function takeLast<Waiting>(share: Share<Waiting>, [own, ...deeper]: readonly string[]): Waiting {
  share.size--
  if (share.shares.size === 0) return share.waiting.pop()!
  let found = own!
  for (const [key, { size }] of share.shares) {
    if (size > (share.shares.get(found)?.size ?? 0)) found = key
  }
  const next = share.shares.get(found)!
  const taken = takeLast(next, deeper)
  if (next.size === 0) share.shares.delete(found)
  return taken
}
