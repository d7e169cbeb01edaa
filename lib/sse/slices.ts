// Turns on the event loop for work that many streams have at once: a little of each, and never longer than a slice in one go.

import { setImmediate } from 'node:timers/promises'

const sliceMs = 2 // before others get the event loop

export class Slices {
  /** The turn of whoever asked last. */
  #turn = Promise.resolve()
  #sliceEnds = 0

  /** Resolves when it is the caller's turn. What the caller does next without an `await` belongs to that turn. */
  async turn(): Promise<void> {
    this.#turn = this.#turn.then(() => this.#inSlice())
    await this.#turn
  }

  async #inSlice(): Promise<void> {
    if (performance.now() < this.#sliceEnds) return
    await setImmediate()
    this.#sliceEnds = performance.now() + sliceMs
  }
}
