// @ts-check
// Reads what was said in a room: the newest page of its history, then older ones as one scrolls up. Knows when an answer
// comes too late, because by then another room is being read.

import { Refusal, getPatiently } from './api.js'

const pageSize = 50

export class Reader {
  #room = ''
  #missing = false
  /** @type {object} stands for one reading of a room: answers to an earlier reading are dropped */
  #reading = {}
  #loadingOlder = false
  #log
  #outbox
  #changed

  /**
   * @param {import('./message-log.js').MessageLog} log @param {import('./outbox.js').Outbox} outbox
   * @param {() => void} changed whether the room is there
   */
  constructor(log, outbox, changed) {
    this.#log = log
    this.#outbox = outbox
    this.#changed = changed
  }

  /** Is there no such room, as far as we may know? */
  get missing() {
    return this.#missing
  }

  /** Shows the newest messages of a room. @param {string} room @param {string} name */
  async read(room, name) {
    const current = this.#reading = {}
    this.#room = room
    this.#missing = this.#loadingOlder = false
    this.#log.clear(name)
    this.#changed()
    try {
      const page = await getPatiently(this.#path(), () => this.#reading === current)
      if (this.#reading !== current) return
      for (const message of page.messages) {
        const mine = this.#outbox.match(message)
        if (mine) this.#log.drop(mine.key)
      }
      this.#log.fill(page.messages, page.more)
    } catch (error) {
      if (this.#reading !== current) return
      this.#missing = true
      this.#changed()
      if (!(error instanceof Refusal)) throw error
    }
  }

  async readOlder() {
    const before = this.#log.olderThan
    if (!before || this.#loadingOlder) return
    const current = this.#reading
    const wanted = () => this.#reading === current && this.#log.olderThan === before
    this.#loadingOlder = true
    try {
      const page = await getPatiently(`${this.#path()}&before=${before}`, wanted)
      if (page && wanted()) {
        this.#loadingOlder = false
        this.#log.fillOlder(page.messages, page.more)
      }
    } catch {
      // The room is gone, or closed to us: what is shown stays, and scrolling up asks again.
    }
    if (this.#reading === current) this.#loadingOlder = false
  }

  /** Nothing is read any more. */
  stop() {
    this.#reading = {}
    this.#log.clear('')
  }

  #path() {
    return `/rooms/${encodeURIComponent(this.#room)}/messages?limit=${pageSize}`
  }
}
