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
  take: (page: readonly HistoryEvent[]) => void
  resolve: () => void
  reject: (error: unknown) => void
}

/** Reads pages for many streams, one page each in turns, and never longer than a slice in one go, however many wait. */
export class HistoryReader {
  #history: History
  #turns: Turn[] = []
  #immediate: NodeJS.Immediate | undefined

  constructor(history: History) {
    this.#history = history
  }

  /** Has `take` take the page that `ask` asks for when its turn comes, in the same turn, since that is most of the work. */
  read(ask: Turn['ask'], take: Turn['take']): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#turns.push({ ask, take, resolve, reject })
      this.#immediate ??= setImmediate(() => this.#slice())
    })
  }

  #slice(): void {
    const until = performance.now() + sliceMs
    let taken = 0
    while (taken < this.#turns.length && (taken === 0 || performance.now() < until)) this.#run(this.#turns[taken++]!)
    this.#turns = this.#turns.slice(taken)
    this.#immediate = this.#turns.length > 0 ? setImmediate(() => this.#slice()) : undefined
  }

  #run({ ask, take, resolve, reject }: Turn): void {
    try {
      const asked = ask()
      const page = asked && this.#history.read(...asked)
      if (page instanceof Promise) return void page.then(take).then(resolve, reject)
      if (page) take(page)
      resolve()
    } catch (error) {
      reject(error)
    }
  }
}
