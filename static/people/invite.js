// @ts-check
// Making an invite link to a room. The link is shown once: the server keeps only what proves it.

import { request } from '../parts/api.js'
import { copyFrom } from '../parts/clipboard.js'
import { onSubmit, part } from '../parts/parts.js'
import { unchanged } from '../parts/unchanged.js'
import { dateOnlyFormat, say } from '../words/words.js'

export class InviteLink {
  #room = ''
  #url = part('invite-url', HTMLInputElement)
  #copy = part('invite-copy', HTMLButtonElement)

  constructor() {
    onSubmit(part('invite', HTMLFormElement), async () => {
      if (this.#url.value !== '') return // Enter in the field that shows the link makes no second one
      const isCurrent = unchanged(() => this.#room)
      const { url, uses, expires } = await request('POST', '/invites', { body: { room: this.#room } })
      if (!isCurrent()) return
      this.#url.value = url
      part('invite-note', HTMLElement).textContent = say('invite.note', {
        count: uses,
        date: dateOnlyFormat.format(new Date(expires)),
      })
      this.#show(true)
      this.#copy.focus()
    })
    this.#copy.addEventListener('click', async () => {
      if (await copyFrom(this.#url)) this.#copy.textContent = say('invite.copied')
    })
  }

  /**
   * For this room; what was made for another goes. `closed`: nobody comes in here without an invite.
   * @param {string} room @param {{ closed: boolean }} options
   */
  switchTo(room, { closed }) {
    this.#room = room
    part('invite-role', HTMLElement).hidden = !closed
    this.#url.value = ''
    this.#show(false)
  }

  /** @param {boolean} made */
  #show(made) {
    this.#copy.textContent = say('invite.copy')
    part('invite-made', HTMLElement).hidden = !made
    part('invite-make', HTMLElement).hidden = made
  }
}
