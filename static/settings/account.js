// @ts-check
// Who I am, in the corner at the side, and what opens the settings: they are imported when somebody wants to see them.

/** @import { User } from '../../lib/chat/streams/events.ts' */
/** @typedef {{ changed: (user: User) => void, loggedOut: () => Promise<void>, failed: (error: unknown) => void, shortcuts: () => void }} On */

import { later, part } from '../parts/parts.js'
import { initialOf, roleOf } from '../people/person.js'

export class Account {
  /** @type {User | null} */
  #me = null
  #hosted = false
  #corner = part('me', HTMLButtonElement)
  /** @type {import('./settings.js').Settings | undefined} */
  #settings
  #on

  /** @param {On} on `shortcuts`: they are to be shown */
  constructor(on) {
    this.#on = on
    for (const opener of [
      this.#corner,
      part('settings-open', HTMLButtonElement),
      part('welcome-settings', HTMLButtonElement),
    ]) {
      opener.addEventListener('click', () => void this.#open())
    }
  }

  /** `hosted`: another server says who one is, and there is nothing to change about that here. @param {User | null} me @param {{ hosted: boolean }} options */
  show(me, { hosted }) {
    this.#me = me
    this.#hosted = hosted
    this.#corner.hidden = !me
    this.#corner.disabled = hosted
    part('me-avatar', HTMLElement).textContent = initialOf(me?.name ?? '')
    part('me-name', HTMLElement).textContent = me?.name ?? ''
    part('me-note', HTMLElement).textContent = me ? roleOf(me) : ''
    part('settings-open', HTMLButtonElement).hidden = me !== null && !hosted
    this.#settings?.show(me, { hosted })
  }

  async #open() {
    const { Settings } = await later(() => import('./settings.js'))
    if (!this.#settings) {
      this.#settings = new Settings(this.#on)
      this.#settings.show(this.#me, { hosted: this.#hosted })
    }
    this.#settings.open()
  }
}
