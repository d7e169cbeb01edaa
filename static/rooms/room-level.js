// @ts-check
// What a room notifies of, in the dialog on it.

/** @import { Room } from '../../lib/chat/streams/events.ts' */
/** @import { Level } from '../state/levels.js' */

import { part } from '../parts/parts.js'

export class RoomLevel {
  /** @type {Room | null} */
  #room = null
  #whole = part('level', HTMLElement)
  #levels

  /** @param {import('../state/levels.js').Levels} levels */
  constructor(levels) {
    this.#levels = levels
    this.#whole.addEventListener('change', ({ target }) => {
      if (this.#room && target instanceof HTMLInputElement)
        levels.choose(this.#room, /** @type {Level} */ (target.value)) // index.html has these three
    })
  }

  /** Only who is in a room can be called by it. @param {Room} room @param {boolean} joined */
  show(room, joined) {
    this.#room = room
    this.#whole.hidden = !joined
    for (const radio of this.#whole.querySelectorAll('input')) radio.checked = radio.value === this.#levels.of(room)
  }
}
