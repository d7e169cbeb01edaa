// Who is here: somebody is, from their first stream on until a while after their last one is gone, so that a page that is
// loaded again has not left. Knows people only by the string that they are followed under.

export interface AttendanceOptions {
  /** How long somebody without a stream still counts as here. */
  graceMs: number
  came: ((who: string) => void) | undefined
  left: ((who: string) => void) | undefined
}

export class Attendance {
  #options: AttendanceOptions
  #streams = new Map<string, number>()
  #leaving = new Map<string, NodeJS.Timeout>()

  constructor(options: AttendanceOptions) {
    this.#options = options
  }

  /** Everyone who is here. */
  get here(): string[] {
    return [...this.#streams.keys(), ...this.#leaving.keys()]
  }

  /** One more stream of theirs is open. */
  open(who: string): void {
    const count = this.#streams.get(who) ?? 0
    const stayed = count > 0 || this.#leaving.has(who)
    clearTimeout(this.#leaving.get(who))
    this.#leaving.delete(who)
    this.#streams.set(who, count + 1)
    if (!stayed) this.#options.came?.(who)
  }

  /** One stream of theirs is over. */
  close(who: string): void {
    const count = this.#streams.get(who) ?? 0
    if (count > 1) return void this.#streams.set(who, count - 1)
    this.#streams.delete(who)
    this.#leaving.set(who, setTimeout(() => this.#leave(who), this.#options.graceMs).unref())
  }

  /** Nobody is here any more, without waiting. */
  end(): void {
    for (const who of [...this.#leaving.keys()]) this.#leave(who)
  }

  #leave(who: string): void {
    clearTimeout(this.#leaving.get(who))
    this.#leaving.delete(who)
    this.#options.left?.(who)
  }
}
