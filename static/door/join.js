// @ts-check
// Coming with an invite, /join#CODE. What stands behind # never leaves the browser by itself; it is taken out of the
// address bar at once, kept in memory only, and sent in the body of the one request that uses it.

/** @import { Room, User } from '../../lib/chat/streams/events.ts' */
import { joinPath } from '../parts/address.js'
import { Refusal, request } from '../parts/api.js'
import { onSubmit, part, within } from '../parts/parts.js'
import { say } from '../words/words.js'

export class Join {
  #code = ''
  #over = '' // why the invite can't be used
  /** @type {User | null} */
  #me = null
  #login = false
  #form = part('join', HTMLFormElement)
  #accept = part('accept', HTMLFormElement)
  #ways = part('join-ways', HTMLElement)
  #password = part('join-password-field', HTMLElement)
  #welcome
  #place

  /**
   * @param {import('./welcome.js').Welcome} welcome @param {string} place what this place is called
   * @param {(user: User, room: Room | undefined) => Promise<void>} accepted
   */
  constructor(welcome, place, accepted) {
    this.#welcome = welcome
    this.#place = place
    /** @param {object} body */
    const accept = async (body) => {
      const { user, room } = await request('POST', '/invites/accept', { body: { code: this.#code, ...body } })
      this.#code = ''
      await accepted(user, room)
    }
    /** @param {'join' | 'accept'} form */
    const failed = (form) => (/** @type {unknown} */ error) => {
      if (!(error instanceof Refusal)) return
      if (error.code === 'invite_over' || error.code === 'not_found') {
        this.#over = error.message
        this.#show()
        this.#welcome.focus()
      } else if (error.code === 'invalid_password' && part(`${form}-password-field`, HTMLElement).hidden) {
        // It was not asked for yet, so nothing was wrong.
        part(`${form}-problem`, HTMLElement).hidden = true
        this.#askPassword(form, error.message)
      }
    }
    onSubmit(this.#form, accept, failed('join'))
    onSubmit(this.#accept, accept, failed('accept'))
    this.#ways.addEventListener('click', (event) => {
      if (!(event.target instanceof HTMLButtonElement)) return
      if (event.target.value === 'password') return this.#askPassword('join', say('password.why'))
      this.#login = event.target.value === 'login'
      this.#show()
      this.#welcome.focus()
    })
    // Another link opened in the same tab changes nothing but this.
    window.addEventListener('hashchange', () => {
      if (location.pathname === joinPath && this.#take()) this.#show()
    })
  }

  /** Did somebody come by an invite? Takes its code away from where it could be seen. */
  get asked() {
    if (location.pathname !== joinPath) return false
    this.#take()
    return true
  }

  /** @param {User | null} me */
  show(me) {
    this.#me = me
    this.#show()
    this.#welcome.focus()
  }

  #take() {
    const code = location.hash.slice(1)
    if (code === '') return false
    history.replaceState(null, '', joinPath)
    this.#code = code
    this.#over = ''
    return true
  }

  #show() {
    const usable = this.#code !== '' && this.#over === ''
    const login = usable && this.#login && !this.#me
    const words =
      this.#over !== ''
        ? { title: say('join.over'), text: say('server.refusal', { why: this.#over }) }
        : !usable
          ? { title: say('join.none'), text: say('join.none_text', { url: location.origin + joinPath }) }
          : login
            ? { title: say('join.login'), text: say('join.login_text') }
            : { title: say('join.title', { place: this.#place }), text: '' }
    this.#welcome.show({ ...words, login, out: !usable })
    this.#form.hidden = !usable || login || this.#me !== null
    this.#accept.hidden = !usable || this.#me === null
    within(this.#accept, 'bdi', HTMLElement).textContent = this.#me?.name ?? ''
    this.#ways.hidden = !usable || this.#me !== null
    for (const button of this.#ways.querySelectorAll('button')) {
      button.hidden = { password: login || !this.#password.hidden, login, new: !login }[button.value] ?? false
    }
  }

  /** @param {'join' | 'accept'} form @param {string} why */
  #askPassword(form, why) {
    part(`${form}-password-field`, HTMLElement).hidden = false
    part(`${form}-note`, HTMLElement).hidden = false
    part(`${form}-note`, HTMLElement).textContent = why
    this.#show()
    part(`${form}-password`, HTMLInputElement).focus()
  }
}
