// What has begun and is not done.

/**
 * Like a Set, for what comes and goes all the time. A Set makes itself anew now and then, and V8 lets its former self refer to the
 * next with all that was in it then: from the first that grew old on, every request of a busy server outlived two collections.
 */
export class UnderWay<T> {
  readonly #places: (T | undefined)[] = []
  readonly #free: number[] = []

  /** The function returned takes it off again. */
  add(one: T): () => void {
    const place = this.#free.pop() ?? this.#places.length
    this.#places[place] = one
    return () => {
      if (this.#places[place] !== one) return
      this.#places[place] = undefined
      this.#free.push(place)
    }
  }

  get all(): T[] {
    return this.#places.filter((one) => one !== undefined)
  }
}
