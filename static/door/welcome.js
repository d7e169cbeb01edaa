// @ts-check
// The sheet that stands in place of everything else: for who comes with an invite, and where one can't come in without.

/** @import { Entry } from './entry.js' */
import { request } from '../parts/api.js'
import { onClick, part } from '../parts/parts.js'
import { say } from '../words/words.js'

export class Welcome {
  #sheet = part('welcome', HTMLElement)
  #entry

  /** @param {Entry} entry @param {() => Promise<void>} loggedOut */
  constructor(entry, loggedOut) {
    this.#entry = entry
    onClick(part('welcome-leave', HTMLButtonElement), part('welcome-problem', HTMLElement), async () => {
      await request('DELETE', '/session')
      await loggedOut()
    })
  }

  get shown() {
    return !this.#sheet.hidden
  }

  /** `login`: with the form to log in; `out`: with a way to the rooms; `leave`: with a way to be nobody again. @param {{ title: string, text: string, login?: boolean, out?: boolean, leave?: boolean }} what */
  show({ title, text, login = false, out = false, leave = false }) {
    this.#swap(true)
    part('welcome-title', HTMLElement).textContent = title
    part('welcome-text', HTMLElement).textContent = text
    part('welcome-text', HTMLElement).hidden = text === ''
    part('welcome-entry', HTMLElement).hidden = !login
    part('welcome-out', HTMLElement).hidden = !out
    part('welcome-leave', HTMLElement).hidden = !leave
    if (login) this.#entry.showLogin(part('welcome-entry', HTMLElement))
    for (const id of ['join', 'accept', 'join-ways']) part(id, HTMLElement).hidden = true
  }

  /** One can't come in without an invite. @param {string} place @param {{ hosted: boolean, login: boolean }} options */
  showClosed(place, { hosted, login }) {
    const text = say(hosted ? 'welcome.closed_hosted' : 'welcome.closed_text')
    this.show({ title: say('welcome.closed', { place }), text, login })
    this.focus()
  }

  hide() {
    this.#swap(false)
  }

  /** To the first thing to be done. */
  focus() {
    const field = [...this.#sheet.querySelectorAll('input, button, a')].find((element) => element.checkVisibility())
    if (field instanceof HTMLElement) field.focus()
  }

  /** @param {boolean} shown */
  #swap(shown) {
    this.#sheet.hidden = !shown
    for (const element of document.querySelectorAll('body > main, body > nav, body > .skip'))
      element.toggleAttribute('hidden', shown)
  }
}
