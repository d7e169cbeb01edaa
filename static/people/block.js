// @ts-check
// The question before somebody is blocked, which says what that means. Knows nothing of where it was asked.

/** @import { Author } from '../../lib/chat/streams/events.ts' */

import { request } from '../parts/api.js'
import { onClick, openDialog, part, within } from '../parts/parts.js'
import { unchanged } from '../parts/unchanged.js'

export class BlockDialog {
  /** @type {Author | undefined} */
  #asked
  #dialog = part('block', HTMLDialogElement)
  #problem = part('block-problem', HTMLElement)

  /** @param {{ blocked: (user: Author) => void, failed: (error: unknown) => void }} on */
  constructor(on) {
    onClick(
      part('block-go', HTMLButtonElement),
      this.#problem,
      async () => {
        const asked = this.#asked
        if (!asked) return
        const isCurrent = unchanged(() => this.#asked)
        await request('PUT', `/blocks/${encodeURIComponent(asked.id)}`)
        if (isCurrent()) this.#dialog.close()
        on.blocked(asked)
      },
      { failed: on.failed },
    )
  }

  /** Resolves once it is answered. @param {Author} user @returns {Promise<void>} */
  ask(user) {
    this.#asked = user
    this.#problem.hidden = true
    within(this.#dialog, 'bdi', HTMLElement).textContent = user.name
    openDialog(this.#dialog)
    return new Promise((resolve) => this.#dialog.addEventListener('close', () => resolve(), { once: true }))
  }
}
