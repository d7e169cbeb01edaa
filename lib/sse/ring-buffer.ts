// The newest events, by increasing id: what a reader that is a little behind is served from.

/** What a ring holds: anything with an id, and a count of bytes that stands for the memory it takes. */
export interface RingEntry {
  readonly id: number
  readonly bytes: number
}

/** Keeps the newest `entries` entries, and at most `bytes` bytes of them. */
export class RingBuffer<T extends RingEntry> {
  readonly entriesMax: number
  readonly bytesMax: number
  #entries: (T | undefined)[] = []
  #start = 0
  #bytes = 0
  #floor: number

  /** `floor` is the newest id that is known to be missing: the ring has everything after it. */
  constructor({ entries, bytes, floor = 0 }: { entries: number; bytes: number; floor?: number }) {
    this.entriesMax = entries
    this.bytesMax = bytes
    this.#floor = floor
  }

  get floor(): number {
    return this.#floor
  }

  get size(): number {
    return this.#entries.length - this.#start
  }

  get bytes(): number {
    return this.#bytes
  }

  get oldest(): T | undefined {
    return this.#entries[this.#start]
  }

  get newest(): T | undefined {
    return this.size > 0 ? this.#entries[this.#entries.length - 1] : undefined
  }

  /** @throws RangeError if the id is not a whole number greater than the newest. */
  push(entry: T): void {
    if (!Number.isSafeInteger(entry.id) || entry.id <= (this.newest?.id ?? this.#floor))
      throw new RangeError(`id ${entry.id} is not a whole number above the newest`)
    this.#entries.push(entry)
    this.#bytes += entry.bytes
    while (this.size > this.entriesMax || this.#bytes > this.bytesMax) this.#drop()
  }

  /** The entries with a greater id, oldest first. Whoever asks for less than `floor` is missing some. */
  *after(id: number): Generator<T, void> {
    for (let at = this.#indexAfter(id); at < this.#entries.length; at++) yield this.#entries[at]!
  }

  has(id: number): boolean {
    return this.#entries[this.#indexAfter(id) - 1]?.id === id
  }

  /** Puts another entry in the place of the one with the same id; false if there is none. */
  replace(entry: T): boolean {
    const at = this.#indexAfter(entry.id) - 1
    const old = this.#entries[at]
    if (old?.id !== entry.id) return false
    this.#entries[at] = entry
    this.#bytes += entry.bytes - old.bytes
    while (this.#bytes > this.bytesMax) this.#drop()
    return true
  }

  #drop(): void {
    const dropped = this.#entries[this.#start]!
    this.#floor = dropped.id
    this.#bytes -= dropped.bytes
    this.#entries[this.#start++] = undefined
    // Cutting the array at each drop would copy it each time; cutting it when half is gone costs nothing on average.
    if (this.#start * 2 < this.#entries.length) return
    this.#entries = this.#entries.slice(this.#start)
    this.#start = 0
  }

  #indexAfter(id: number): number {
    let low = this.#start
    let high = this.#entries.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if (this.#entries[middle]!.id <= id) low = middle + 1
      else high = middle
    }
    return low
  }
}
