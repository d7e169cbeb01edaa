// @ts-check
// The form at the door: come in by a name alone, log in with a password, or make an account. Knows nothing of what comes
// after.

/** @import { User } from '../../lib/chat/streams/events.ts' */
/** @typedef {'guest' | 'login' | 'account'} Way */

import { request } from '../parts/api.js'
import { onSubmit, part, within } from '../parts/parts.js'
import { say } from '../words/words.js'

/** @type {Record<Way, { label: string, go: string, note: string, path: string }>} what the form says, by the keys of its texts */
const forms = {
  guest: { label: 'entry.guest.label', go: 'entry.guest.go', note: 'entry.guest.note', path: '/session' },
  login: { label: 'entry.name', go: 'entry.login.go', note: '', path: '/session' },
  account: { label: 'entry.name', go: 'entry.account.go', note: 'password.why', path: '/users' },
}

export class Entry {
  #place = part('entry-place', HTMLElement)
  #form = part('entry', HTMLFormElement)
  #name = part('name', HTMLInputElement)
  #password = part('password', HTMLInputElement)
  #ways = within(this.#form, '.ways', HTMLElement)
  /** @type {Way} */
  #way = 'guest'

  /** @param {(user: User) => Promise<void>} cameIn */
  constructor(cameIn) {
    onSubmit(this.#form, async ({ name, password }) => {
      const { user } = await request('POST', forms[this.#way].path, {
        body: { name, ...(password !== undefined && { password }) },
      })
      await cameIn(user)
    })
    this.#ways.addEventListener('click', (event) => {
      if (!(event.target instanceof HTMLButtonElement)) return
      this.#choose(/** @type {Way} */ (event.target.value)) // index.html has these three
      this.focus()
    })
    this.#choose('guest')
  }

  /** At the foot of the page, with all ways in. @param {boolean} shown */
  show(shown) {
    if (this.#form.parentElement !== this.#place) {
      this.#place.append(this.#form)
      this.#ways.hidden = false
      this.#choose('guest')
    }
    this.#ways.hidden = false
    this.#place.hidden = !shown
  }

  /** In another place, only for who has an account already. @param {HTMLElement} place */
  showLogin(place) {
    if (this.#form.parentElement === place) return
    place.append(this.#form)
    this.#ways.hidden = true
    this.#choose('login')
  }

  focus() {
    this.#name.focus()
  }

  /** @param {Way} way */
  #choose(way) {
    const { label, go, note } = forms[way]
    this.#way = way
    part('entry-title', HTMLElement).hidden = way !== 'guest'
    part('entry-label', HTMLElement).textContent = say(label)
    part('entry-go', HTMLElement).textContent = say(go)
    part('entry-note', HTMLElement).textContent = note && say(note)
    part('entry-note', HTMLElement).hidden = note === ''
    part('entry-problem', HTMLElement).hidden = true
    part('password-field', HTMLElement).hidden = way === 'guest'
    this.#name.ariaInvalid = this.#password.ariaInvalid = null
    this.#name.setAttribute('autocomplete', way === 'guest' ? 'nickname' : 'username')
    this.#password.autocomplete = way === 'login' ? 'current-password' : 'new-password'
    this.#name.placeholder = way === 'guest' ? say('entry.guest.placeholder') : ''
    this.#password.value = ''
    for (const button of this.#ways.querySelectorAll('button')) button.hidden = button.value === way
  }
}
