// How often something may happen in any stretch of time of one length, for many keys. Unlike a bucket (buckets.ts) it never lets
// through more than that, and what was counted can be given back. Knows nothing of what the keys stand for.

const limits = {
  keys: 10_000, // that are remembered
}

export class Windows {
  readonly #most: number
  readonly #lengthMs: number
  readonly #now: () => number
  /** When it happened, oldest first, by key; the key that was used last is the last. */
  readonly #times = new Map<string, number[]>()

  /** At most so many within so many ms. `now` must be a clock that never goes back, in ms. */
  constructor({ most, lengthMs }: { most: number; lengthMs: number }, now: () => number) {
    this.#most = most
    this.#lengthMs = lengthMs
    this.#now = now
  }

  /** In how many ms it may happen once more for this key; 0 if it may now. */
  wait(key: string): number {
    const times = this.#timesOf(key)
    return times.length < this.#most ? 0 : Math.max(0, times.at(-this.#most)! + this.#lengthMs - this.#now())
  }

  /** Counts it. What is returned takes that back. */
  take(key: string): () => void {
    const at = this.#now()
    const times = [...this.#timesOf(key), at]
    this.#times.delete(key)
    this.#times.set(key, times)
    const [oldest] = this.#times.keys()
    if (this.#times.size > limits.keys) this.#times.delete(oldest!)
    return () => {
      const kept = this.#times.get(key)
      const place = kept?.lastIndexOf(at) ?? -1
      if (place >= 0) kept!.splice(place, 1)
    }
  }

  #timesOf(key: string): number[] {
    const from = this.#now() - this.#lengthMs
    return (this.#times.get(key) ?? []).filter((at) => at > from)
  }
}
