// @ts-check
// The dialog that asks before somebody is banned, and what is to be done away with of what they made and said.

/** @import { User } from '../../lib/chat/streams/events.ts' */

import { request } from '../parts/api.js'
import { onClick, openDialog, part, within } from '../parts/parts.js'
import { unchanged } from '../parts/unchanged.js'

export class Ban {
  #id = ''
  #dialog = part('ban', HTMLDialogElement)
  #problem = part('ban-problem', HTMLElement)
  #rooms = part('ban-rooms', HTMLInputElement)
  #messages = part('ban-messages', HTMLInputElement)

  /** @param {{ failed: (error: unknown) => void }} on */
  constructor({ failed }) {
    onClick(
      part('ban-go', HTMLButtonElement),
      this.#problem,
      async () => {
        const id = this.#id
        const isCurrent = unchanged(() => this.#id)
        const cleanup = {
          ...(this.#rooms.checked && { rooms: 'archive' }),
          ...(this.#messages.checked && { messages: 'delete' }),
        }
        await request('PATCH', `/users/${encodeURIComponent(id)}`, { body: { banned: true, ...cleanup } })
        if (isCurrent()) this.#dialog.close()
      },
      { failed },
    )
  }

  /** @param {Pick<User, 'id' | 'name'>} person */
  ask({ id, name }) {
    this.#id = id
    this.#problem.hidden = true
    // Nothing that can't be undone happens by an old choice.
    this.#rooms.checked = this.#messages.checked = false
    within(this.#dialog, 'h2 bdi', HTMLElement).textContent = name
    openDialog(this.#dialog)
  }
}
