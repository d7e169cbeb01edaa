// How often something may happen, for many keys: a bucket of tokens each, that fills by itself. Knows nothing of what the keys
// stand for.

const limits = {
  keys: 10_000, // that are remembered
  sweepMs: 1000, // between two looks through all of them, when they are that many
}

export class Buckets {
  readonly #tokenMs: number
  readonly #burst: number
  readonly #now: () => number
  /** When the bucket of a key is full again; one that is full need not be remembered. The key that was used last is the last. */
  #fullAt = new Map<string, number>()
  #swept = -Infinity

  /** So many at once, and so many a second in the long run. `now` must be a clock that never goes back, in ms. */
  constructor({ burst, perSecond }: { burst: number; perSecond: number }, now: () => number) {
    this.#tokenMs = 1000 / perSecond
    this.#burst = burst
    this.#now = now
  }

  /** How many keys are remembered. */
  get size(): number {
    return this.#fullAt.size
  }

  /** In how many ms there is a token for this key; 0 if there is one now. */
  wait(key: string): number {
    return Math.max(0, (this.#fullAt.get(key) ?? 0) - this.#now() - (this.#burst - 1) * this.#tokenMs)
  }

  /** Takes tokens, one unless told otherwise. It may take more than there are: the bucket is below zero then, and has to fill up again first. */
  take(key: string, tokens = 1): void {
    const now = this.#now()
    const fullAt = Math.max(now, this.#fullAt.get(key) ?? now) + tokens * this.#tokenMs
    this.#fullAt.delete(key)
    if (this.#fullAt.size >= limits.keys) this.#makeRoom(now)
    this.#fullAt.set(key, fullAt)
  }

  // Forgetting a bucket that is full changes nothing; if there is none, whoever was quiet the longest gets a full one.
  #makeRoom(now: number): void {
    if (now - this.#swept >= limits.sweepMs) {
      this.#swept = now
      for (const [key, fullAt] of this.#fullAt) if (fullAt <= now) this.#fullAt.delete(key)
    }
    for (const key of this.#fullAt.keys()) {
      if (this.#fullAt.size < limits.keys) return
      this.#fullAt.delete(key)
    }
  }
}
