// Whose request is answered next. A page, or what a stream replays first, takes the event loop a few milliseconds, and whoever asks for
// hundreds at once would have all others wait for them: so each address has one turn after the other, and all others are served in between.
// Knows nothing of what is asked.

/**
 * How often the event loop comes round between two turns. Each time it accepts one new connection and no more (libuv does so), and behind a
 * proxy most requests come on one of their own: with a page in every round, whoever came last waited for all pages before them. A round with
 * nothing to do takes less than a microsecond.
 */
export const loopsBetween = 64

export class Turns {
  /** Who went on since the last turn was given. */
  readonly #served = new Set<string>()
  /** Those who wait, by address, in the order of their coming. The first address is next, and then the last. */
  readonly #waiting = new Map<string, (() => void)[]>()
  #loops = 0

  /**
   * Undefined if it may go on at once, or else it resolves when its turn comes. Undefined is an address that is not known: those who come
   * by a proxy that names nobody are not told apart.
   */
  turnOf(address: string | undefined): Promise<void> | undefined {
    if (address === undefined) return undefined
    const waiting = this.#waiting.get(address)
    if (waiting || this.#served.has(address))
      return new Promise((resolve) => {
        if (waiting) waiting.push(resolve)
        else this.#waiting.set(address, [resolve])
      })
    if (this.#served.size === 0) setImmediate(this.#comeRound)
    this.#served.add(address)
    return undefined
  }

  // Meanwhile the loop takes in what has come, and whose address has nothing waiting goes on at once.
  #comeRound = (): void => {
    this.#loops = (this.#loops + 1) % loopsBetween
    if (this.#loops === 0) this.#giveTurn()
    if (this.#served.size > 0) setImmediate(this.#comeRound)
  }

  #giveTurn(): void {
    this.#served.clear()
    const next = this.#waiting.entries().next().value
    if (!next) return
    const [address, waiting] = next
    this.#served.add(address)
    this.#waiting.delete(address)
    waiting.shift()!()
    if (waiting.length > 0) this.#waiting.set(address, waiting)
  }
}
