// @ts-check
// Reads what was said in a room: the newest page of its history, then older ones as one scrolls up. Decides which of its
// messages are kept, and knows when an answer comes too late, because by then another room is being read.

/** @import { Message, WireEvent } from '../lib/chat/events.ts' */
/** @typedef {{ messages: Message[], more: boolean }} Page */
import { Refusal } from './api.js'
import { fold } from './fold.js'

const pageSize = 50
const keptAtEndMax = 500 // whoever reads along keeps this many; older ones can be loaded again
const keptMax = 2_000 // whoever has scrolled far up gets no more than this; then the end is cut off until they jump to it
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
  #loadingOlder = false
  #mirror
  #log
  #outbox
  #changed

  /**
   * @param {{ mirror: import('./mirror.js').Mirror, log: import('./message-log.js').MessageLog, outbox: import('./outbox.js').Outbox }} parts
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

  /** Whether the newest messages were read. */
  get filled() {
    return this.#filled
  }

  /** Is this message kept, or would it be if it came? @param {string} room @param {string} id */
  holds(room, id) {
    return this.#filled && room === this.#room && Number(id) >= Number(this.#oldest) && !this.#isCutOff(id)
  }

  /** Shows the newest messages of a room. @param {string} room @param {string} name */
  async read(room, name) {
    this.#begin(room, name)
    const current = this.#reading
    this.#changed()
    try {
      await this.#mirror.ask(this.#path(), (/** @type {Page} */ page) => {
        for (const message of page.messages) this.#recognise(message)
        this.#filled = true
        this.#put(page)
      }, () => this.#reading === current)
      if (this.#reading === current) this.#show({ history: true })
    } catch (error) {
      if (this.#reading !== current) return
      this.#missing = true
      this.#changed()
      if (!(error instanceof Refusal)) throw error
    }
  }

  async readOlder() {
    const before = this.#oldest
    if (!before || this.#loadingOlder) return
    const current = this.#reading
    const wanted = () => this.#reading === current && this.#oldest === before
    this.#loadingOlder = true
    try {
      const page = await this.#mirror.ask(`${this.#path()}&before=${before}`, (/** @type {Page} */ page) => this.#put(page), wanted)
      if (this.#reading === current) this.#loadingOlder = false // before it is shown, which may ask for the next
      if (!page) return
      this.#trim()
      this.#show({ history: true })
    } catch {
      // The room is gone, or closed to us: what is shown stays, and scrolling up asks again.
    }
    if (this.#reading === current) this.#loadingOlder = false
  }

  /** Something was said, changed, deleted or reacted to, and the mirror has it already. @param {WireEvent} happened */
  happened({ event, data }) {
    if (event === 'message') this.#recognise(data)
    if (!this.#filled || !('room' in data) || data.room !== this.#room) return
    this.#trim()
    if (event === 'message' && this.#isCutOff(data.id)) this.#log.miss(data)
    this.#show()
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
    this.#missing = this.#filled = this.#loadingOlder = false
    this.#mirror.state.messages.clear()
    this.#log.clear(name)
  }

  /** @returns {Map<string, Message>} */
  get #messages() {
    return this.#mirror.state.messages.get(this.#room) ?? new Map()
  }

  /** A page that comes before what is there. @param {{ messages: Message[], more: boolean }} page */
  #put({ messages, more }) {
    this.#mirror.state.messages.set(this.#room, new Map([...messages.map((message) => /** @type {const} */ ([message.id, message])), ...this.#messages]))
    this.#oldest = more ? messages[0]?.id ?? this.#oldest : ''
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

  /** `history`: what is new on the page is not new in the room. @param {{ history?: boolean }} [options] */
  #show({ history = false } = {}) {
    this.#log.show(this.#messages, { more: this.#oldest !== '', cut: this.#newest !== '', history })
  }

  // Who is at the end loses the oldest, who is far up the newest.
  #trim() {
    const messages = this.#messages
    const atEnd = this.#log.following
    if (messages.size <= (atEnd ? keptAtEndMax + trimEvery : keptMax)) return
    const ids = [...messages.keys()].sort((one, other) => Number(one) - Number(other))
    if (atEnd) this.#oldest = ids.at(-keptAtEndMax) ?? ''
    else this.#newest = ids[keptMax - 1] ?? ''
    for (const id of ids) if (!this.holds(this.#room, id)) messages.delete(id)
  }

  #path() {
    return `/rooms/${encodeURIComponent(this.#room)}/messages?limit=${pageSize}`
  }
}
