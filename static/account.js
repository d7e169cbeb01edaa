// @ts-check
// Who I am: my corner at the side, and the dialog behind it. A guest becomes an account there; name, password and sessions
// are changed, and one logs out.

/** @import { User } from '../lib/chat/events.ts' */
/** @typedef {{ id: string, began: string, used: string, current?: true }} Session */

import { request } from './api.js'
import { onClick, onSubmit, openDialog, part, tell, within } from './parts.js'
import { initialOf, roleOf } from './person.js'
import { dateAndTimeFormat, dateOnlyFormat, say } from './words.js'

export class Account {
  /** @type {User | null} */
  #me = null
  #corner = part('me', HTMLButtonElement)
  #dialog = part('account', HTMLDialogElement)
  #leave = part('leave', HTMLDialogElement)
  #sessions = part('sessions', HTMLDetailsElement)
  #said = part('account-said', HTMLElement)
  #on

  /** @param {{ changed: (user: User) => void, loggedOut: () => Promise<void>, failed: (error: unknown) => void }} on */
  constructor(on) {
    this.#on = on
    this.#corner.addEventListener('click', () => this.#open())

    onSubmit(part('make-account', HTMLFormElement), async ({ password }) => {
      const { user } = await request('POST', '/users', { body: { name: this.#me?.name, password } })
      on.changed(user)
      this.#say(say('keep.done'))
    }, on.failed)
    onSubmit(part('rename', HTMLFormElement), async ({ name }) => {
      if (name === this.#me?.name) return
      on.changed(await request('PATCH', '/users/me', { body: { name } }))
      this.#say(say('rename.done'))
    }, on.failed)
    onSubmit(part('password-form', HTMLFormElement), async ({ current, password }) => {
      await request('PATCH', '/users/me', { body: { current, password } })
      part('new-password', HTMLDetailsElement).open = false
      this.#say(say('password.done'))
      void this.#listSessions()
    })

    this.#sessions.addEventListener('toggle', () => void this.#listSessions())
    const problem = within(this.#sessions, '.problem', HTMLElement)
    onClick(part('log-out-everywhere', HTMLButtonElement), problem, async () => {
      await request('DELETE', '/sessions')
      await this.#out()
    }, { sure: say('sessions.end_all_sure'), failed: on.failed })
    // What a guest loses by it is said first; an account only has to log in again.
    onClick(part('leave-open', HTMLButtonElement), part('account-problem', HTMLElement), async () => {
      if (this.#me?.role !== 'guest') return this.#logOut()
      within(this.#leave, 'bdi', HTMLElement).textContent = this.#me.name
      part('leave-problem', HTMLElement).hidden = true
      openDialog(this.#leave)
    })
    onClick(part('leave-confirm', HTMLButtonElement), part('leave-problem', HTMLElement), () => this.#logOut())
  }

  /** `hosted`: another server says who one is, and there is nothing to change here. @param {User | null} me @param {{ hosted: boolean }} options */
  show(me, { hosted }) {
    const before = this.#me
    this.#me = me
    this.#corner.hidden = !me
    this.#corner.disabled = hosted
    const note = me ? roleOf(me) : ''
    part('me-avatar', HTMLElement).textContent = part('account-avatar', HTMLElement).textContent = initialOf(me?.name ?? '')
    part('me-name', HTMLElement).textContent = me?.name ?? ''
    part('me-note', HTMLElement).textContent = note
    within(this.#dialog, 'h2 bdi', HTMLElement).textContent = me?.name ?? ''
    within(this.#dialog, 'h2 small', HTMLElement).textContent = note
    part('make-account', HTMLFormElement).hidden = me?.role !== 'guest'
    part('new-password', HTMLDetailsElement).hidden = me?.role === 'guest'
    for (const field of this.#dialog.querySelectorAll('.username')) if (field instanceof HTMLInputElement) field.value = me?.name ?? ''
    const name = part('rename-name', HTMLInputElement)
    const touched = name.value !== name.defaultValue
    name.defaultValue = me?.name ?? ''
    if (!touched || me?.id !== before?.id) name.value = name.defaultValue
    if (me && before?.id === me.id) return
    this.#dialog.close()
    this.#leave.close()
  }

  #open() {
    this.#say('')
    for (const form of this.#dialog.querySelectorAll('form')) form.reset()
    for (const problem of this.#dialog.querySelectorAll('.problem')) problem.toggleAttribute('hidden', true)
    for (const folded of this.#dialog.querySelectorAll('details')) folded.open = false
    openDialog(this.#dialog)
  }

  /** @param {string} words */
  #say(words) {
    this.#said.hidden = words === ''
    this.#said.textContent = words
  }

  async #logOut() {
    await request('DELETE', '/session')
    await this.#out()
  }

  async #out() {
    this.#leave.close()
    this.#dialog.close()
    await this.#on.loggedOut()
  }

  async #listSessions() {
    if (!this.#sessions.open) return
    const problem = within(this.#sessions, '.problem', HTMLElement)
    problem.hidden = true
    try {
      const { sessions } = await request('GET', '/sessions')
      within(this.#sessions, 'ul', HTMLElement).replaceChildren(...sessions.toSorted(currentFirst).map((/** @type {Session} */ session) => this.#showSession(session, problem)))
    } catch (error) {
      tell(problem, error)
    }
  }

  /** @param {Session} session @param {HTMLElement} problem */
  #showSession({ id, began, used, current }, problem) {
    const item = document.createElement('li')
    const words = document.createElement('span')
    const title = document.createElement('strong')
    const note = document.createElement('small')
    title.textContent = say(current ? 'sessions.this' : 'sessions.other')
    const times = { began: dateOnlyFormat.format(new Date(began)), used: dateAndTimeFormat.format(new Date(used)) }
    note.textContent = say(current ? 'sessions.since' : 'sessions.since_used', times)
    words.append(title, note)
    item.append(words)
    if (current) return item
    const button = document.createElement('button')
    button.type = 'button'
    button.className = 'plain'
    button.textContent = say('leave.go')
    onClick(button, problem, async () => {
      await request('DELETE', `/sessions/${encodeURIComponent(id)}`)
      await this.#listSessions()
    })
    item.append(button)
    return item
  }
}

/** @param {Session} one @param {Session} other */
function currentFirst(one, other) {
  return Number(other.current === true) - Number(one.current === true) || other.used.localeCompare(one.used)
}
