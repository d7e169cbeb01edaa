// @ts-check
// Opens the dialog on a room by its button, and fetches it for that: most visits do without.

/** @import { Room } from '../../lib/chat/streams/events.ts' */

import { later, part } from '../parts/parts.js'

export class PeopleOpener {
  /** @type {import('./people.js').People | undefined} once somebody has asked for it */
  #people
  #parts
  #on

  /**
   * @param {ConstructorParameters<typeof import('./people.js').People>[0]} parts
   * @param {ConstructorParameters<typeof import('./people.js').People>[1] & { room: () => Room | undefined }} on `room`: the one that one is in
   */
  constructor(parts, on) {
    this.#parts = parts
    this.#on = on
    part('people-open', HTMLButtonElement).addEventListener('click', () => void this.#open())
  }

  /** Something has happened, perhaps in the room that is shown or to somebody in it. */
  changed() {
    this.#people?.changed()
  }

  close() {
    this.#people?.close()
  }

  async #open() {
    const { People } = await later(() => import('./people.js'))
    this.#people ??= new People(this.#parts, this.#on)
    const room = this.#on.room()
    if (room) this.#people.open(room)
  }
}
