// @ts-check
// One stream for many tabs, in the way of the server's own hub: the newest events are kept in a ring, and a tab is nothing but a
// cursor. A tab has one batch under way at a time and answers when it has taken it, so one that is frozen costs one message
// and no queue. Knows the tabs by their ports; runs in the worker that they share, or in a page that has none.

import { EventStream } from './event-stream.js'

/** @import { StreamState } from './event-stream.js' */
/**
 * What a tab says. `talk` counts how often it has begun: what belongs to an earlier time is of no interest any more. `begin`: send
 * what comes after the cursor; `taken`: the batch; `reopen`: the stream, for `who`; `network`: it is another one; `leave`.
 * @typedef {{ say: 'begin', talk: number, cursor: number, who: string | undefined }
 *   | { say: 'reopen', who: string | undefined }
 *   | { say: 'taken' | 'leave', talk: number }
 *   | { say: 'network' }} Said
 */
/**
 * An event, or a signal: that has no id of its own, and here that of the event before it, for the order of them all.
 * @typedef {{ event: string, text: string, id: number, signal?: true }} Entry
 */
/**
 * What a tab is sent. `cursor` is where it is after the entries; `reset`: what came before that is not all told; `refused`: the server
 * does not want this stream, perhaps because nobody is logged in any more.
 * @typedef {{ talk: number, state: StreamState, cursor: number, entries: Entry[], reset: boolean, refused: boolean }} Batch
 */
/**
 * @typedef {object} Tab
 * @property {MessagePort} port
 * @property {number} talk
 * @property {number} cursor
 * @property {boolean} taking a batch is under way
 * @property {number} sentAt when the last one was sent
 * @property {Entry[]} signals that came while one was under way
 * @property {StreamState | undefined} told the state that it knows of
 * @property {boolean} refused it is still to be told
 */

const ringMax = 1_000 // events; who is further behind fetches afresh
const batchMax = 200 // entries, so that a tab that catches up is not held up for long
const signalsMax = 50 // that wait for a tab
const freshMs = 2_000 // a signal that had to wait longer is of no use any more
const checkMs = 5_000
const beatMs = 20_000 // a tab hears something this often, or takes us for dead; see connection.js
const forgetMs = 60_000 // after which a tab that has not answered is gone, or frozen: it begins again when it wakes up

export class StreamHub {
  /** @type {Set<Tab>} */
  #tabs = new Set()
  /** @type {Entry[]} */
  #ring = []
  #begins = 0 // the ring holds everything after this id
  /** @type {string | undefined} the id of the user that the stream is open for, empty for nobody; undefined if no tab has said */
  #who
  #stream

  /** @param {string} url of the stream */
  constructor(url) {
    this.#stream = new EventStream(url, {
      event: (event, text, id) => this.#push({ event, text, id }),
      signal: (event, text) => this.#signal(event, text),
      reset: () => this.#reset(),
      changed: () => this.#feedAll(),
      refused: () => {
        this.#who = undefined // it may come back as somebody else's
        for (const tab of this.#tabs) tab.refused = true
        this.#feedAll()
      },
    })
    setInterval(() => this.#check(), checkMs)
  }

  /** A tab may speak on this port. @param {MessagePort} port */
  connect(port) {
    /** @type {Tab} */
    const tab = { port, talk: 0, cursor: 0, taking: false, sentAt: 0, signals: [], told: undefined, refused: false }
    port.onmessage = (/** @type {MessageEvent<Said>} */ { data }) => this.#hear(tab, data)
  }

  /** @param {Tab} tab @param {Said} said */
  #hear(tab, said) {
    if (said.say === 'begin') {
      Object.assign(tab, { talk: said.talk, cursor: said.cursor, taking: false, signals: [], refused: false })
      this.#admit(tab, said.who)
      this.#stream.check() // it may have woken up with its machine
      this.#feed(tab, { always: true })
    } else if (said.say === 'taken' && said.talk === tab.talk) {
      if (Math.abs(Date.now() - tab.sentAt) > freshMs) tab.signals = []
      tab.taking = false
      this.#admit(tab, this.#who) // it may have slept for so long that it was forgotten
      this.#feed(tab)
    } else if (said.say === 'reopen') {
      this.#openFor(said.who)
    } else if (said.say === 'network') {
      this.#stream.networkChanged()
    } else if (said.say === 'leave') {
      tab.talk = said.talk
      this.#forget(tab)
    }
  }

  /** @param {Tab} tab @param {string | undefined} who */
  #admit(tab, who) {
    this.#tabs.add(tab)
    if (this.#stream.running) {
      if (who !== undefined) this.#openFor(who)
      return
    }
    this.#who = who
    this.#ring = []
    this.#begins = tab.cursor
    this.#stream.start(tab.cursor)
  }

  /** All tabs share the session: the first that says whose it is now has the stream opened anew. @param {string | undefined} who */
  #openFor(who) {
    if (!this.#stream.running || (who !== undefined && who === this.#who)) return
    this.#who = who
    this.#empty() // what somebody else was told is not for who is here now
    this.#stream.reopen()
  }

  /** @param {Tab} tab */
  #forget(tab) {
    this.#tabs.delete(tab)
    if (this.#tabs.size > 0) return
    this.#stream.stop()
    this.#who = undefined
  }

  /** @param {Entry} entry */
  #push(entry) {
    this.#ring.push(entry)
    if (this.#ring.length > ringMax) this.#begins = this.#ring.shift()?.id ?? this.#begins
    this.#feedAll()
  }

  /** @param {string} event @param {string} text */
  #signal(event, text) {
    for (const tab of this.#tabs) {
      if (tab.signals.length >= signalsMax) tab.signals = []
      tab.signals.push({ event, text, id: this.#stream.cursor, signal: true })
    }
    this.#feedAll()
  }

  #reset() {
    this.#empty()
    for (const tab of this.#tabs) tab.cursor = -1 // wherever it is: the new cursor may be an older one
    this.#feedAll()
  }

  #empty() {
    this.#ring = []
    this.#begins = this.#stream.cursor
  }

  #feedAll() {
    for (const tab of this.#tabs) this.#feed(tab)
  }

  /** @param {Tab} tab @param {{ always?: boolean }} [options] `always`: even if there is no news */
  #feed(tab, { always = false } = {}) {
    if (tab.taking) return
    const { state, cursor } = this.#stream
    const reset = tab.cursor < this.#begins
    if (reset) tab.cursor = cursor
    const behind = this.#after(tab.cursor)
    const events = behind.slice(0, batchMax)
    const upToDate = events.length === behind.length
    // Who is behind gets no signals. Sorting leaves a signal behind the event whose id it has.
    const entries = upToDate ? [...events, ...tab.signals].sort((one, other) => one.id - other.id) : events
    tab.signals = []
    // Whoever asked the server later than we heard from it is ahead of us, and stays there.
    tab.cursor = upToDate ? Math.max(tab.cursor, cursor) : (events.at(-1)?.id ?? tab.cursor)
    if (!always && !reset && entries.length === 0 && state === tab.told && !tab.refused) return
    /** @type {Batch} */
    const batch = { talk: tab.talk, state, cursor: tab.cursor, entries, reset, refused: tab.refused }
    tab.port.postMessage(batch)
    Object.assign(tab, { taking: true, sentAt: Date.now(), told: state, refused: false })
  }

  /** @param {number} cursor */
  #after(cursor) {
    let from = this.#ring.length
    while (from > 0 && (this.#ring[from - 1]?.id ?? 0) > cursor) from--
    return this.#ring.slice(from)
  }

  #check() {
    this.#stream.check()
    for (const tab of this.#tabs) {
      const forMs = Math.abs(Date.now() - tab.sentAt)
      if (tab.taking && forMs > forgetMs) this.#forget(tab)
      else if (forMs >= beatMs) this.#feed(tab, { always: true })
    }
  }
}
