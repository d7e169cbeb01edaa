// @ts-check
// The dialog of settings. Whoever has come in finds there who they are: a guest becomes an account, name and password are changed,
// and one logs out. What follows has a module each. Whoever is nobody yet finds what is the browser's alone.

/** @import { User } from '../../lib/chat/streams/events.ts' */

import { request } from '../parts/api.js'
import { showAppearance } from './appearance.js'
import { BlockedPeople } from './blocked-people.js'
import { NotificationSettings } from './notification-settings.js'
import { onClick, onSubmit, openDialog, part, within } from '../parts/parts.js'
import { hasAccount, initialOf, roleOf } from '../people/person.js'
import { governs } from '../state/rights.js'
import { Sessions } from './sessions.js'
import { Tokens } from './tokens.js'
import { say } from '../words/words.js'

export class Settings {
  /** @type {User | null} */
  #me = null
  #hosted = false
  #dialog = part('account', HTMLDialogElement)
  #leave = part('leave', HTMLDialogElement)
  #said = part('account-said', HTMLElement)
  #sessions
  #tokens = new Tokens()
  #notifications = new NotificationSettings()
  #on

  /** @param {import('./account.js').On} on */
  constructor(on) {
    this.#on = on
    this.#sessions = new Sessions({ over: () => this.#out(), failed: on.failed })
    new BlockedPeople(on.failed)

    onSubmit(
      part('make-account', HTMLFormElement),
      async ({ password }) => {
        const { user } = await request('POST', '/users', { body: { name: this.#me?.name, password } })
        on.changed(user)
        this.#say(say('keep.done'))
      },
      on.failed,
    )
    onSubmit(
      part('rename', HTMLFormElement),
      async ({ name }) => {
        if (name === this.#me?.name) return
        on.changed(await request('PATCH', '/users/me', { body: { name } }))
        this.#say(say('rename.done'))
      },
      on.failed,
    )
    onSubmit(part('password-form', HTMLFormElement), async ({ current, password }) => {
      await request('PATCH', '/users/me', { body: { current, password } })
      part('new-password', HTMLDetailsElement).open = false
      this.#say(say('password.done'))
      void this.#sessions.list()
    })

    part('shortcuts-open', HTMLButtonElement).addEventListener('click', () => {
      this.#dialog.close()
      on.shortcuts()
    })
    // What a guest loses by it is said first; an account only has to log in again.
    onClick(part('leave-open', HTMLButtonElement), part('account-problem', HTMLElement), async () => {
      if (hasAccount(this.#me)) return this.#logOut()
      within(this.#leave, 'bdi', HTMLElement).textContent = this.#me?.name ?? ''
      part('leave-problem', HTMLElement).hidden = true
      openDialog(this.#leave)
    })
    onClick(part('leave-confirm', HTMLButtonElement), part('leave-problem', HTMLElement), () => this.#logOut())
  }

  /** For whom it is. @param {User | null} me @param {{ hosted: boolean }} options */
  show(me, { hosted }) {
    const before = this.#me
    this.#me = me
    this.#hosted = hosted
    const own = me !== null && !hosted
    part('account-avatar', HTMLElement).textContent = initialOf(me?.name ?? '')
    part('account-avatar', HTMLElement).hidden = !me
    within(this.#dialog, 'h2 bdi', HTMLElement).textContent = me?.name ?? say('settings.title')
    within(this.#dialog, 'h2 small', HTMLElement).textContent = me ? roleOf(me) : ''
    part('make-account', HTMLElement).hidden = !own || hasAccount(me)
    part('rename', HTMLElement).hidden = !own
    part('new-password', HTMLElement).hidden = !own || !hasAccount(me)
    part('sessions', HTMLElement).hidden = part('leave-open', HTMLElement).hidden = !own
    part('tokens', HTMLElement).hidden = !governs(me)
    part('notifications', HTMLElement).hidden = part('blocked', HTMLElement).hidden = !me
    for (const field of this.#dialog.querySelectorAll('.username'))
      if (field instanceof HTMLInputElement) field.value = me?.name ?? ''
    const name = part('rename-name', HTMLInputElement)
    const touched = name.value !== name.defaultValue
    name.defaultValue = me?.name ?? ''
    if (!touched || me?.id !== before?.id) name.value = name.defaultValue
    if (before?.id === me?.id) return
    this.#tokens.forget()
    this.#dialog.close()
    this.#leave.close()
  }

  open() {
    this.#say('')
    for (const form of this.#dialog.querySelectorAll('form')) form.reset()
    for (const problem of this.#dialog.querySelectorAll('.problem')) problem.toggleAttribute('hidden', true)
    for (const folded of this.#dialog.querySelectorAll('details')) folded.open = false
    part('appearance', HTMLDetailsElement).open = !this.#me || this.#hosted
    this.#tokens.forget()
    this.#notifications.show()
    showAppearance(part('appearance', HTMLElement))
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
}
