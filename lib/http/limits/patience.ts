// How long something may take that comes or goes in pieces: so long without a byte, and so long altogether, which grows with what has
// arrived. A byte now and then must not hold a connection for ever; somebody who is slow but steady must get to the end.

const limits = {
  silenceMs: 30_000, // without a byte
  totalMs: 30_000, // altogether,
  bytesASecond: 4096, // and a second more for each so many that have arrived
  askMs: 1000, // how often it is asked how many have, where nobody says so
}

/** When it is too late, in ms of a clock that never goes back: `began`, and `heard` of the last byte, are on it. */
export function dueAt({ began, heard, bytes }: { began: number; heard: number; bytes: number }): number {
  return Math.min(heard + limits.silenceMs, began + totalMs(bytes))
}

/** How long so many bytes may take altogether. */
export function totalMs(bytes: number): number {
  return limits.totalMs + (bytes * 1000) / limits.bytesASecond
}

export interface PatienceOptions {
  /** Tells how many bytes have arrived, where nobody says so as they come. */
  arrived?: () => number
  /** How many may arrive at the most. */
  most?: number
}

/** Waits for something that comes in pieces, and calls `late` once if it takes too long, or is too much. */
export class Patience {
  readonly #began = performance.now()
  readonly #late: () => void
  readonly #options: PatienceOptions
  #heard = this.#began
  #bytes = 0
  #timer: NodeJS.Timeout

  constructor(late: () => void, options: PatienceOptions = {}) {
    this.#late = late
    this.#options = options
    this.#timer = setTimeout(this.#look, options.arrived ? limits.askMs : limits.silenceMs).unref()
  }

  /** So many bytes have come. */
  came(bytes: number): void {
    this.#heard = performance.now()
    this.#bytes += bytes
  }

  /** It is over, one way or the other. */
  end(): void {
    clearTimeout(this.#timer)
  }

  // The timer is set anew only when it fires, and not with each piece.
  readonly #look = (): void => {
    const { arrived, most = Infinity } = this.#options
    const came = arrived ? arrived() - this.#bytes : 0
    if (came > 0) this.came(came)
    const left = dueAt({ began: this.#began, heard: this.#heard, bytes: this.#bytes }) - performance.now()
    if (left <= 0 || this.#bytes > most) return this.#late()
    this.#timer = setTimeout(this.#look, Math.ceil(arrived ? Math.min(left, limits.askMs) : left)).unref()
  }
}
