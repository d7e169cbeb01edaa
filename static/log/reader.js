// @ts-check
// Reads what was said in a room: the newest page of its history or the one around a message, then older and newer ones as one
// scrolls. Decides which of its messages are kept, and knows when an answer comes too late, because by then another room is being read.

/** @import { Message, WireEvent } from '../../lib/chat/streams/events.ts' */
/** @typedef {{ messages: Message[], more: boolean, newer?: boolean }} Page */
import { Refusal } from '../parts/api.js'
import { unchanged } from '../parts/unchanged.js'
import { fold } from '../state/fold.js'

const pageSize = 50
const keptAtEndMax = 150 // whoever reads along keeps this many; older ones can be loaded again
const keptMax = 2_000 // whoever has scrolled far gets no more than this; then the other end is cut off until they come back to it
const trimEvery = 50 // trimming forces a layout: not for each message

export class Reader {
  #room = ''
  #missing = false
  #filled = false
  // Kept is what lies between these two ids, including them; without the one from the first message on, without the other to the newest.
  #oldest = ''
  #newest = ''
  /** @type {object} stands for one reading of a room: answers to an earlier reading are dropped */
  #reading = {}
  #loading = { older: false, newer: false }
  #frame = 0
  #mirror
  #log
  #outbox
  #changed

  /**
   * @param {{ mirror: import('../state/mirror.js').Mirror, log: import('./message-log.js').MessageLog, outbox: import('../composer/outbox.js').Outbox }} parts
   * @param {() => void} changed whether the room is there
   */
  constructor({ mirror, log, outbox }, changed) {
    this.#mirror = mirror
    this.#log = log
    this.#outbox = outbox
    this.#changed = changed
  }

  /** Is there no such room, as far as we may know? */
  get missing() {
    return this.#missing
  }

  /** Whether a page was read. */
  get filled() {
    return this.#filled
  }

  /** Whether what is kept goes on to the newest. */
  get complete() {
    return this.#filled && this.#newest === ''
  }

  /** Is this message kept, or would it be if it came? @param {string} room @param {string} id */
  holds(room, id) {
    return this.#filled && room === this.#room && Number(id) >= Number(this.#oldest) && !this.#isCutOff(id)
  }

  /** A message that is kept. @param {string} id */
  message(id) {
    return this.#messages.get(id)
  }

  /** The newest that fits. @param {(message: Message) => boolean} fits */
  newest(fits) {
    return this.#ids.map((id) => this.#messages.get(id)).findLast((message) => message?.from && fits(message))
  }

  /**
   * Shows the newest messages of a room, or those around one.
   * @param {string} room @param {string} name @param {{ around?: string | undefined }} [options]
   * @returns {Promise<boolean>} whether they are shown now
   */
  async read(room, name, { around } = {}) {
    this.#begin(room, name)
    const isCurrent = unchanged(() => this.#reading)
    this.#changed()
    try {
      const path = around === undefined ? this.#path() : `${this.#path()}&around=${around}`
      await this.#mirror.ask(
        path,
        (/** @type {Page} */ page) => {
          for (const message of page.messages) this.#recognise(message)
          this.#filled = true
          this.#newest = page.newer ? (page.messages.at(-1)?.id ?? '') : ''
          this.#oldest = page.more ? (page.messages[0]?.id ?? '') : ''
          this.#put(page)
        },
        isCurrent,
      )
      if (!isCurrent()) return false
      this.#show({ history: true })
      return true
    } catch (error) {
      if (!isCurrent()) return false
      this.#missing = true
      this.#changed()
      if (!(error instanceof Refusal)) throw error
      return false
    }
  }

  /** Goes on where what is kept ends. @param {'older' | 'newer'} side */
  async readOn(side) {
    const from = side === 'older' ? this.#oldest : this.#newest
    if (!from || this.#loading[side]) return
    const isCurrent = unchanged(() => this.#reading)
    const isEnd = unchanged(() => (side === 'older' ? this.#oldest : this.#newest))
    this.#loading[side] = true
    try {
      const page = await this.#mirror.ask(
        `${this.#path()}&${side === 'older' ? 'before' : 'after'}=${from}`,
        (/** @type {Page} */ asked) => {
          if (side === 'older') this.#oldest = asked.more ? (asked.messages[0]?.id ?? '') : ''
          else this.#newest = asked.more ? (asked.messages.at(-1)?.id ?? '') : ''
          this.#put(asked)
        },
        () => isCurrent() && isEnd(),
      )
      if (isCurrent()) this.#loading[side] = false // before it is shown, which may ask for the next
      if (!page) return
      this.#trim(side === 'older' ? 'newest' : 'oldest')
      this.#show({ history: true })
    } catch {
      // The room is gone, or closed to us: what is shown stays, and scrolling there asks again.
    }
    if (isCurrent()) this.#loading[side] = false
  }

  /** Something was said, changed, deleted or reacted to, and the mirror has it already. @param {WireEvent} happened */
  happened({ event, data }) {
    if (event === 'message') this.#recognise(data)
    if (!this.#filled || !('room' in data) || data.room !== this.#room) return
    this.#trim(this.#log.following ? 'oldest' : 'newest')
    if (event === 'message' && this.#isCutOff(data.id)) this.#log.miss(data)
    this.#showSoon()
  }

  /**
   * What I said was answered. If the stream is past it, then it has told, and perhaps of a change since.
   * @param {string} key @param {Message} message @param {string} cursor
   */
  delivered(key, message, cursor) {
    if (message.room !== this.#room) return
    const news = Number(message.id) > Number(cursor) && !message.deleted
    if (news && this.holds(message.room, message.id)) fold(this.#mirror.state, { event: 'message', data: message })
    this.#log.settle(key, message.id)
    if (this.#filled) this.#show()
  }

  /** Nothing is read any more. */
  stop() {
    this.#begin('', '')
  }

  /** @param {string} room @param {string} name */
  #begin(room, name) {
    this.#reading = {}
    this.#room = room
    this.#oldest = this.#newest = ''
    this.#missing = this.#filled = false
    this.#loading = { older: false, newer: false }
    this.#mirror.state.messages.clear()
    this.#log.clear(name)
  }

  /** @returns {Map<string, Message>} */
  get #messages() {
    return this.#mirror.state.messages.get(this.#room) ?? new Map()
  }

  /** Oldest first. */
  get #ids() {
    return [...this.#messages.keys()].sort((one, other) => Number(one) - Number(other))
  }

  /** @param {Page} page */
  #put({ messages }) {
    this.#mirror.state.messages.set(
      this.#room,
      new Map([...messages.map((message) => /** @type {const} */ ([message.id, message])), ...this.#messages]),
    )
  }

  /** Is this what I am sending? @param {Message} message */
  #recognise(message) {
    const mine = this.#outbox.match(message)
    if (mine && message.room === this.#room) this.#log.settle(mine.key, message.id)
  }

  /** @param {string} id */
  #isCutOff(id) {
    return this.#newest !== '' && Number(id) > Number(this.#newest)
  }

  // However many events come, the page is written once before it is painted; and not at all while nobody can see it.
  #showSoon() {
    this.#frame ||= requestAnimationFrame(() => this.#filled && this.#show())
  }

  /** `history`: what is new on the page is not new in the room. @param {{ history?: boolean }} [options] */
  #show({ history = false } = {}) {
    cancelAnimationFrame(this.#frame)
    this.#frame = 0
    this.#log.show(this.#messages, { older: this.#oldest !== '', newer: this.#newest !== '', history })
  }

  /** Who is at the end loses the oldest, who is far up the newest. @param {'oldest' | 'newest'} end */
  #trim(end) {
    const messages = this.#messages
    const atEnd = this.#log.following
    const kept = atEnd ? keptAtEndMax : keptMax
    if (messages.size <= (atEnd ? kept + trimEvery : kept)) return
    const ids = this.#ids
    if (end === 'oldest') this.#oldest = ids.at(-kept) ?? ''
    else this.#newest = ids[kept - 1] ?? ''
    for (const id of ids) if (!this.holds(this.#room, id)) messages.delete(id)
  }

  #path() {
    return `/rooms/${encodeURIComponent(this.#room)}/messages?limit=${pageSize}`
  }
}
