// @ts-check
// What was typed in each room and not sent yet, with the message that it answers or changes. Kept over a reload, for whoever
// typed it. Knows nothing of the page.
//
// It is kept in the storage of the tab, as what is being sent is: two tabs in one room have a draft each, and neither writes over
// the other's; and once the tab is closed nothing of it is left on a machine that others use too.

/**
 * @typedef {object} Draft
 * @property {string} text
 * @property {string} [replyTo] the id of the message that it answers
 * @property {{ id: string, text: string }} [edit] a message of mine that is being changed meanwhile, and what its text is so far
 */

import { scope } from '../parts/address.js'

const storageName = `${scope}.drafts`
const roomsMax = 50 // drafts of more rooms than these are forgotten, the oldest first
const keepMs = 300 // typing goes before writing to the storage

export class Drafts {
  #user = ''
  /** @type {Map<string, Draft>} by room; what was touched last comes last */
  #drafts = new Map()
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #keeping

  constructor() {
    // A phone may end the page without another word once it is out of sight.
    document.addEventListener('visibilitychange', () => this.#keep())
    window.addEventListener('pagehide', () => this.#keep())
  }

  /** @param {string} room @returns {Draft} */
  of(room) {
    return this.#drafts.get(room) ?? { text: '' }
  }

  /** @param {string} room @param {Draft} draft */
  put(room, draft) {
    this.#drafts.delete(room)
    if (draft.text !== '' || draft.replyTo !== undefined || draft.edit) this.#drafts.set(room, draft)
    for (const oldest of [...this.#drafts.keys()].slice(0, -roomsMax)) this.#drafts.delete(oldest)
    this.#keeping ??= setTimeout(() => this.#keep(), keepMs)
  }

  /** Goes on as somebody: with what they had typed in this tab, and nothing of anybody else's. @param {string} user */
  restore(user) {
    if (user === this.#user) return
    this.#user = user
    this.#drafts = kept(user)
    this.#write()
  }

  clear() {
    this.#drafts.clear()
    this.#write()
  }

  #keep() {
    if (this.#keeping !== undefined) this.#write()
  }

  #write() {
    clearTimeout(this.#keeping)
    this.#keeping = undefined
    try {
      if (this.#drafts.size === 0) sessionStorage.removeItem(storageName)
      else sessionStorage.setItem(storageName, JSON.stringify({ user: this.#user, drafts: [...this.#drafts] }))
    } catch {
      // Storage may be full or forbidden. Then a reload loses what was not sent, and nothing else changes.
    }
  }
}

/** @param {string} user @returns {Map<string, Draft>} */
function kept(user) {
  try {
    const { user: theirs, drafts } = JSON.parse(sessionStorage.getItem(storageName) ?? '{}')
    return new Map(theirs === user ? drafts : [])
  } catch {
    return new Map() // forbidden, or not ours
  }
}
