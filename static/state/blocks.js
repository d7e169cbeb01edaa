// @ts-check
// Whom I block: asked for once, and then as the stream tells it, since another page of mine may change it too.

/** @import { Author, User } from '../../lib/chat/streams/events.ts' */
/** @typedef {{ blocks: { user: User }[], more: boolean }} BlockedPage */

import { later } from '../parts/parts.js'

export class Blocks {
  /** @type {import('../people/block.js').BlockDialog | undefined} once somebody was to be blocked */
  #dialog
  #mirror
  #on

  /**
   * @param {import('./mirror.js').Mirror} mirror
   * @param {{ blocked: (user: Author) => void, known: () => void, failed: (error: unknown) => void }} on `known`: all are known now
   */
  constructor(mirror, on) {
    this.#mirror = mirror
    this.#on = on
  }

  /** @param {string} user */
  has(user) {
    return this.#mirror.state.blocked.has(user)
  }

  /** Asks who it is. What can't be known calls me once too often. */
  async read() {
    if (!this.#mirror.me) return
    try {
      let after = ''
      do {
        const answer = await this.#mirror.ask(`/blocks${after}`, (/** @type {BlockedPage} */ { blocks }) => {
          for (const { user } of blocks) this.#mirror.state.blocked.add(user.id)
        })
        const last = answer?.more ? answer.blocks.at(-1) : undefined
        after = last ? `?after=${encodeURIComponent(last.user.id)}` : ''
      } while (after !== '')
      this.#on.known()
    } catch (error) {
      this.#on.failed(error)
    }
  }

  /** Asks whether to block somebody; resolves when that is answered. @param {Author} user */
  async ask(user) {
    const { BlockDialog } = await later(() => import('../people/block.js'))
    this.#dialog ??= new BlockDialog({ blocked: this.#on.blocked, failed: this.#on.failed })
    await this.#dialog.ask(user)
  }
}
