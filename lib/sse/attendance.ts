// Who is here: somebody is, from their first stream on until a while after their last one is gone, so that a page that is
// loaded again has not left. Knows people only by the string that they are followed under.

import type { HubOptions } from './hub-options.ts'

type AttendanceOptions = Pick<HubOptions, 'came' | 'left' | 'graceMs'>

export class Attendance {
  readonly #came: HubOptions['came']
  readonly #left: HubOptions['left']
  readonly #graceMs: number
  /** How many streams they have open; without any they are about to leave. */
  #here = new Map<string, { streams: number; leaving?: NodeJS.Timeout }>()

  constructor({ came, left, graceMs = 5000 }: AttendanceOptions) {
    this.#came = came
    this.#left = left
    this.#graceMs = graceMs
  }

  /** Everyone who is here. */
  get here(): string[] {
    return [...this.#here.keys()]
  }

  has(who: string): boolean {
    return this.#here.has(who)
  }

  /** One more stream of theirs is open. */
  open(who: string): void {
    const known = this.#here.get(who)
    clearTimeout(known?.leaving)
    this.#here.set(who, { streams: (known?.streams ?? 0) + 1 })
    if (!known) this.#came?.(who)
  }

  /** One stream of theirs is over. */
  close(who: string): void {
    const known = this.#here.get(who)!
    known.streams--
    if (known.streams === 0) known.leaving = setTimeout(() => this.#leave(who), this.#graceMs).unref()
  }

  /** Nobody is here any more, without waiting. */
  end(): void {
    for (const [who, { leaving }] of [...this.#here]) if (leaving) this.#leave(who)
  }

  #leave(who: string): void {
    clearTimeout(this.#here.get(who)?.leaving)
    this.#here.delete(who)
    this.#left?.(who)
  }
}
