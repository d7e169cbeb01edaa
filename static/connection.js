// @ts-check
// The life of the one EventSource that brings everything: where it goes on after a break, when it is given up for dead,
// when a new one is opened. Knows the ids of events, not what they mean.

/** @import { WireEvent, WireEvents } from '../lib/chat/events.ts' */
/** @typedef {'connecting' | 'live' | 'reconnecting' | 'offline'} State */

import { base } from './address.js'

const silenceMsMax = 65_000 // pings come every 20 to 30 s: two of them are missing
const checkMs = 5_000
const reopenMsMin = 1_000
const reopenMsMax = 30_000

/** @type {(keyof WireEvents)[]} */
const types = ['message', 'edit', 'delete', 'reaction', 'join', 'leave', 'room', 'user', 'ping', 'reset']
/** @type {(keyof WireEvents)[]} of no consequence to where the stream goes on */
const signals = ['read', 'typing', 'presence']

export class Connection {
  /** @type {EventSource | null} */
  #source = null
  #cursor = ''
  #heardAt = 0
  #refusals = 0
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #reopening
  #on

  /**
   * @param {{
   *   received: (happened: WireEvent, id: string) => void,
   *   changed: (state: State) => void,
   *   refused: () => void,
   * }} on `received`: an event and its data, as in WireEvents, and its id; on a reset that is where it goes on from.
   *   `refused`: the server ended the stream with an answer, for example because this session is over
   */
  constructor(on) {
    this.#on = on
    setInterval(() => this.#check(), checkMs)
    // Timers stand still while a machine sleeps or a phone has put the page away, so look again on every sign of life.
    document.addEventListener('visibilitychange', () => this.#check())
    window.addEventListener('pageshow', () => this.#check())
    window.addEventListener('offline', () => this.#cursor !== '' && on.changed('offline'))
    // Another network means that the old connection is dead, even if nothing has noticed yet.
    window.addEventListener('online', () => this.reopen())
  }

  /** The id up to which everything has been received. */
  get cursor() {
    return this.#cursor
  }

  /** Everything after this id will be received, once and in order. @param {string} cursor */
  start(cursor) {
    this.#cursor = cursor
    this.#on.changed('connecting')
    this.#open()
  }

  /** Goes on from the last id with a new connection: as somebody else, or on another network. */
  reopen() {
    if (this.#cursor === '') return
    this.#on.changed('reconnecting')
    this.#open()
  }

  /** Nobody may hear anything here, until `start`. */
  stop() {
    clearTimeout(this.#reopening)
    this.#reopening = undefined
    this.#source?.close()
    this.#source = null
    this.#cursor = ''
  }

  #open() {
    clearTimeout(this.#reopening)
    this.#reopening = undefined
    this.#source?.close()
    this.#heardAt = Date.now()

    const source = new EventSource(`${base}/events?since=${encodeURIComponent(this.#cursor)}`)
    this.#source = source
    source.addEventListener('open', () => {
      this.#heardAt = Date.now()
      this.#refusals = 0
      this.#on.changed('live')
    })
    source.addEventListener('error', () => this.#broken(source))
    for (const type of [...types, ...signals]) {
      source.addEventListener(type, (event) => {
        if (source === this.#source) this.#receive(type, event)
      })
    }
  }

  /** @param {keyof WireEvents} type @param {MessageEvent<string>} event */
  #receive(type, event) {
    this.#heardAt = Date.now()
    const data = JSON.parse(event.data)
    if (signals.includes(type)) return this.#on.received(/** @type {WireEvent} */ ({ event: type, data }), this.#cursor)
    const id = event.lastEventId || data.cursor
    // Ids on a stream never go back. One that is not new was received before the last break.
    if (type !== 'reset' && Number(id) <= Number(this.#cursor)) return
    this.#cursor = id
    // The data is that of its type, as the server's own types have it.
    if (type !== 'ping') this.#on.received(/** @type {WireEvent} */ ({ event: type, data }), id)
  }

  /** @param {EventSource} source */
  #broken(source) {
    if (source !== this.#source) return
    this.#on.changed(navigator.onLine ? 'reconnecting' : 'offline')
    if (source.readyState !== EventSource.CLOSED) return // the browser reconnects by itself

    // After any answer but 200 the browser never tries again: https://html.spec.whatwg.org/#sse-processing-model
    const ceilingMs = Math.min(reopenMsMax, 4_000 * 2 ** this.#refusals++)
    clearTimeout(this.#reopening)
    this.#reopening = setTimeout(() => this.#open(), reopenMsMin + Math.random() * (ceilingMs - reopenMsMin))
    this.#on.refused()
  }

  // By the clock on the wall, since the monotonic one stands still while some machines sleep.
  #check() {
    if (this.#source !== null && this.#reopening === undefined && Math.abs(Date.now() - this.#heardAt) > silenceMsMax) this.reopen()
  }
}
