// @ts-check
// Making a room: a form that unfolds above the list of rooms.

/** @import { Room } from '../../lib/chat/streams/events.ts' */
import { request } from '../parts/api.js'
import { onSubmit, part, untell } from '../parts/parts.js'

export class NewRoom {
  #form = part('new-room', HTMLFormElement)
  #opener = part('new-room-open', HTMLButtonElement)

  /** @param {{ made: (room: Room) => void, failed: (error: unknown) => void }} on */
  constructor({ made, failed }) {
    onSubmit(
      this.#form,
      async ({ name, private: hidden }) => {
        const room = await request('POST', '/rooms', { body: { name, ...(hidden === 'true' && { kind: 'private' }) } })
        this.show(false)
        made(room)
      },
      failed,
    )
    this.#opener.addEventListener('click', () => this.show(this.#form.hidden !== false))
    this.#form.addEventListener('keydown', (event) => {
      if (event.key !== 'Escape') return
      event.preventDefault() // the drawer stays open
      this.show(false)
      this.#opener.focus()
    })
  }

  /** Only who has come in may make rooms. @param {boolean} allowed */
  allow(allowed) {
    this.#opener.hidden = !allowed
    if (!allowed) this.show(false)
  }

  /** @param {boolean} open */
  show(open) {
    this.#form.hidden = !open
    this.#opener.ariaExpanded = String(open)
    untell(this.#form)
    this.#form.reset()
    if (open) part('new-room-name', HTMLInputElement).focus()
  }
}
