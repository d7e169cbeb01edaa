// @ts-check
// Asks for the rooms, page by page: all that I am in, and of the others the first ones, then more of them whenever somebody wants them.

/** @import { ListedRoom, Room } from '../../lib/chat/streams/events.ts' */
/** @typedef {{ rooms: ListedRoom[], cursor: string, more: boolean }} Page */

import { Refusal, request } from '../parts/api.js'
import { unchanged } from '../parts/unchanged.js'

export class RoomsReader {
  #last = '' // the room after which there are more
  #reading = {} // stands for one reading of the whole list: what an earlier one would go on with is not asked for any more
  #mirror
  #on

  /**
   * @param {import('./mirror.js').Mirror} mirror
   * @param {{ listed: (page: Page, first: boolean) => void, changed: () => void }} on `listed`: a page is in the state; `changed`: and may be shown
   */
  constructor(mirror, on) {
    this.#mirror = mirror
    this.#on = on
  }

  /** Are there others than those that were asked for? */
  get more() {
    return this.#last !== ''
  }

  /** The list from its beginning. @returns {Promise<Page | null>} its last page so far, or null if nobody waits for it any more */
  async read() {
    this.#reading = {}
    const isCurrent = unchanged(() => this.#reading)
    /** @type {Set<string>} */
    const listed = new Set()
    let after = ''
    for (;;) {
      const page = await this.#ask(after, listed, isCurrent)
      if (!page) return null
      const last = page.rooms.at(-1)
      after = page.more ? (last?.id ?? '') : ''
      if (after !== '' && last?.read !== undefined) continue // mine go on
      this.#last = after
      for (const { id, kind } of [...this.#mirror.state.rooms.values()]) {
        // Of the others some are not listed yet.
        if (!listed.has(id) && (kind !== 'open' || after === '')) this.#mirror.state.rooms.delete(id)
      }
      this.#on.changed()
      return page
    }
  }

  /** The next page of the others. */
  async readOn() {
    const isCurrent = unchanged(() => this.#reading)
    const isLast = unchanged(() => this.#last)
    const page = await this.#ask(this.#last, new Set(), () => isCurrent() && isLast())
    if (!page) return
    this.#last = page.more ? (page.rooms.at(-1)?.id ?? '') : ''
    this.#on.changed()
  }

  /** A room that is read and was not listed so far. @param {string} id */
  async learn(id) {
    if (this.#mirror.state.rooms.has(id)) return
    try {
      const room = /** @type {Room} */ (await request('GET', `/rooms/${encodeURIComponent(id)}`))
      if (!this.#mirror.state.rooms.has(room.id)) this.#mirror.state.rooms.set(room.id, room)
      this.#on.changed()
    } catch (error) {
      // It is gone, or closed to us by now.
      if (!(error instanceof Refusal)) throw error
    }
  }

  /** @param {string} after @param {Set<string>} listed @param {() => boolean} wanted @returns {Promise<Page | null>} */
  #ask(after, listed, wanted) {
    return this.#mirror.ask(
      after === '' ? '/rooms' : `/rooms?after=${encodeURIComponent(after)}`,
      (/** @type {Page} */ page) => {
        for (const { read: _, unread: __, mentions: ___, ...room } of page.rooms) {
          listed.add(room.id)
          this.#mirror.state.rooms.set(room.id, room)
        }
        this.#on.listed(page, after === '')
      },
      wanted,
    )
  }
}
