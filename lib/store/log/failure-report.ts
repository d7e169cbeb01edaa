// Tells the owner when storing begins to fail, and when it works again. Knows nothing of what is stored.

const sameLineMs = 60_000 // a failure that goes on is reported again after this long, not with each post

export class FailureReport {
  readonly #report: (line: string) => void
  /** When each cause was last reported. */
  readonly #reported = new Map<string, number>()
  #failing = false

  constructor(report: (line: string) => void) {
    this.#report = report
  }

  /** Nothing of a group was stored. */
  failed(cause: string): void {
    const now = performance.now()
    if (now - (this.#reported.get(cause) ?? -Infinity) < sameLineMs) return
    this.#reported.set(cause, now)
    this.#failing = true
    this.#report(`storing failed: ${cause}`)
  }

  /** A group was stored, without one of its events if there is a cause. */
  stored(cause: string | undefined): void {
    if (cause !== undefined) this.failed(cause)
    else if (this.#failing) this.#report('storing works again')
    this.#failing = false
  }
}
