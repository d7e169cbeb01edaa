// Whose request is answered next. A page, or what a stream replays first, takes the event loop a few milliseconds, and whoever asks for
// hundreds at once would have all others wait for them: so each address has one turn after the other, and all others are served in between.
// Knows nothing of what is asked.

/**
 * How often the event loop comes round between two turns of an address. Each time it accepts one new connection and no more (libuv does so),
 * and behind a proxy most requests come on one of their own: with a page in every round, whoever came last waited for all pages before them.
 * A round with nothing to do takes less than a microsecond.
 */
export const loopsBetween = 64

export class Turns {
  /** Who had a turn already, of those that are given until the next ones. */
  readonly #served = new Set<string>()
  /** Those who wait, by address, in the order of their coming. */
  readonly #waiting = new Map<string, (() => void)[]>()
  #comesRound = false
  #loops = 0

  /**
   * Undefined if it may go on at once, or else it resolves when its turn comes. Undefined is an address that is not known: those who come
   * by a proxy that names nobody are not told apart.
   */
  turnOf(address: string | undefined): Promise<void> | undefined {
    if (address === undefined) return undefined
    const waiting = this.#waiting.get(address)
    if (waiting || this.#served.has(address)) return new Promise((resolve) => {
      if (waiting) waiting.push(resolve)
      else this.#waiting.set(address, [resolve])
    })
    this.#served.add(address)
    if (!this.#comesRound) setImmediate(this.#next)
    this.#comesRound = true
    return undefined
  }

  // Between two of these the loop takes in what has come meanwhile, and whose address has nothing waiting goes on at once.
  #next = (): void => {
    if (++this.#loops < loopsBetween) return void setImmediate(this.#next)
    this.#loops = 0
    this.#served.clear()
    for (const [address, waiting] of this.#waiting) {
      this.#served.add(address)
      waiting.shift()!()
      if (waiting.length === 0) this.#waiting.delete(address)
    }
    this.#comesRound = this.#served.size > 0
    if (this.#comesRound) setImmediate(this.#next)
  }
}
