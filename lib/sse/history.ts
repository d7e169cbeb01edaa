// Where a hub reads the events that its ring no longer has, and in which turns it does.

/** An event as `History` gives it: without topics nobody gets it, and it only moves cursors on. */
export interface HistoryEvent {
  id: number
  topics: readonly string[]
  event?: string | undefined
  data?: unknown
}

/** Where events are read that the ring no longer has: a database, say. */
export interface History {
  /** Was there ever an event with this id? */
  has(id: number): boolean | Promise<boolean>
  /** The next events with a greater id, oldest first, in the ids' order; fewer than `limit` means that there are no more. */
  read(after: number, limit: number): readonly HistoryEvent[] | Promise<readonly HistoryEvent[]>
}

const sliceMs = 5 // of reading, before others get the event loop

interface Turn {
  ask: () => [after: number, limit: number] | undefined
  resolve: (page: readonly HistoryEvent[] | undefined) => void
  reject: (error: unknown) => void
}

/** Reads pages for many streams, one page each in turns, and never longer than a slice in one go, however many wait. */
export class HistoryReader {
  #history: History
  #turns: Turn[] = []
  #scheduled = false

  constructor(history: History) {
    this.#history = history
  }

  /** The page that `ask` asks for when its turn comes; undefined if it wants none any more. */
  read(ask: Turn['ask']): Promise<readonly HistoryEvent[] | undefined> {
    return new Promise((resolve, reject) => {
      this.#turns.push({ ask, resolve, reject })
      this.#schedule()
    })
  }

  #schedule(): void {
    if (this.#scheduled || this.#turns.length === 0) return
    this.#scheduled = true
    setImmediate(() => {
      this.#scheduled = false
      this.#slice()
      this.#schedule()
    })
  }

  #slice(): void {
    const until = performance.now() + sliceMs
    const turns = this.#turns
    let taken = 0
    while (taken < turns.length && (taken === 0 || performance.now() < until)) this.#take(turns[taken++]!)
    this.#turns = turns.slice(taken)
  }

  #take({ ask, resolve, reject }: Turn): void {
    try {
      const asked = ask()
      if (!asked) return resolve(undefined)
      const page = this.#history.read(...asked)
      if (page instanceof Promise) page.then(resolve, reject)
      else resolve(page)
    } catch (error) {
      reject(error)
    }
  }
}
