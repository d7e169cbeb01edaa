// @ts-check
// This tab's end of the stream that all tabs of the browser share: a browser has six connections to a server on plain HTTP, and a
// stream for each tab would leave none for what is said. The stream itself is in a worker; where there are no such workers,
// it is here, and given up while nobody looks. Knows the ids of events, not what they mean.

/** @import { WireEvent } from '../../lib/chat/streams/events.ts' */
/** @import { StreamState } from './event-stream.js' */
/** @import { Batch, Said, StreamHub } from './stream-hub.js' */
/** @typedef {'connecting' | 'live' | 'reconnecting' | 'offline'} State */

import { base } from '../parts/address.js'
import { later } from '../parts/parts.js'

const silenceMsMax = 50_000 // the hub is heard every 20 s
const answerMsMax = 10_000 // that it has for its first word
const checkMs = 5_000
const hiddenMsMax = 60_000 // that a tab keeps a stream of its own

const workerUrl = new URL('./stream-worker.js', import.meta.url).href
/**
 * Trusted Types, where there are any (tsc knows of none): whatever is asked for, no script but this comes of it.
 * @type {{ createPolicy: (name: string, rules: object) => { createScriptURL: (url: string) => string } } | undefined}
 */
const trustedTypes = Reflect.get(globalThis, 'trustedTypes')
const trustedWorkerUrl =
  trustedTypes?.createPolicy('natter', { createScriptURL: () => workerUrl }).createScriptURL('') ?? workerUrl

export class Connection {
  #cursor = ''
  /** @type {string | undefined} */
  #who
  #talk = 0
  /** @type {MessagePort | null} */
  #port = null
  /** @type {Promise<StreamHub> | null} this tab's own, where it can't share one */
  #hub = null
  #heardAt = 0
  /** @type {StreamState | undefined} what the hub said last of its stream */
  #told
  /** @type {Promise<void> | undefined} */
  #asking
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #hiding
  #on

  /**
   * @param {{
   *   received: (happened: WireEvent, id: string) => void,
   *   changed: (state: State) => void,
   *   refused: () => Promise<void>,
   * }} on `received`: an event and its data, as in WireEvents, and its id, which is empty for a signal; on a reset that is where it
   *   goes on from. `refused`: the server ended the stream with an answer, for example because this session is over
   */
  constructor(on) {
    this.#on = on
    setInterval(() => this.#check(), checkMs)
    // Timers stand still while a machine sleeps, a tab is frozen or a phone has put the page away: each sign of life is a new beginning.
    document.addEventListener('visibilitychange', () => this.#seen(!document.hidden))
    document.addEventListener('resume', () => this.#begin())
    window.addEventListener('pageshow', ({ persisted }) => persisted && this.#begin())
    window.addEventListener('pagehide', () => this.#say({ say: 'leave', talk: ++this.#talk }))
    window.addEventListener('offline', () => this.#cursor !== '' && on.changed('offline'))
    window.addEventListener('online', () => {
      this.#say({ say: 'network' })
      this.#begin() // which is answered with how things stand
    })
    const network = Reflect.get(navigator, 'connection') // tsc knows of none, nor do all browsers
    let type = network?.type
    network?.addEventListener('change', () => {
      if (network.type === type) return // only faster or slower
      type = network.type
      this.#say({ say: 'network' })
    })
  }

  /** The id up to which everything has been received. */
  get cursor() {
    return this.#cursor
  }

  /**
   * Everything after this id will be received, once and in order.
   * @param {string} cursor @param {string} [who] the id of whoever is at the page, empty for nobody, if that is known
   */
  start(cursor, who) {
    this.#cursor = cursor
    this.#who = who
    this.#on.changed('connecting')
    this.#begin()
  }

  /** Goes on from the last id as somebody else. @param {string} who as in `start` */
  reopen(who) {
    this.#who = who
    this.#say({ say: 'reopen', who })
  }

  /** Nobody may hear anything here, until `start`. */
  stop() {
    this.#cursor = ''
    this.#say({ say: 'leave', talk: ++this.#talk })
  }

  #begin() {
    if (this.#cursor === '') return
    if (this.#port === null) this.#port = this.#connect()
    this.#heardAt = Date.now() - silenceMsMax + answerMsMax
    this.#told = undefined
    this.#say({ say: 'begin', talk: ++this.#talk, cursor: Number(this.#cursor), who: this.#who })
  }

  /** @param {Said} said */
  #say(said) {
    this.#port?.postMessage(said)
  }

  #connect() {
    const port = this.#shared() ?? this.#own()
    port.onmessage = (/** @type {MessageEvent<Batch>} */ { data }) => this.#hear(data)
    return port
  }

  #shared() {
    if (!('SharedWorker' in globalThis) || this.#hub) return undefined
    const worker = new SharedWorker(trustedWorkerUrl, { type: 'module', name: base })
    // It can't be loaded, or this browser has no modules in workers.
    worker.addEventListener('error', () => {
      if (worker.port !== this.#port) return
      this.#port = this.#own()
      this.#port.onmessage = (/** @type {MessageEvent<Batch>} */ { data }) => this.#hear(data)
      this.#begin()
    })
    return worker.port
  }

  // What is said meanwhile waits in the port. If the hub can't be fetched nothing answers, and the next check tries again.
  #own() {
    const { port1, port2 } = new MessageChannel()
    this.#hub ??= later(() => import('./stream-hub.js')).then(({ StreamHub }) => new StreamHub(`${base}/events`))
    this.#hub.then(
      (hub) => hub.connect(port2),
      () => (this.#hub = null),
    )
    return port1
  }

  /** @param {Batch} batch */
  #hear({ talk, state, cursor, entries, reset, refused }) {
    if (talk !== this.#talk) return // said before the last beginning
    this.#heardAt = Date.now()
    // What is not new leaves alone what the browser has said since: that it is offline, which the stream may not have noticed.
    if (state !== this.#told) this.#on.changed(state !== 'live' && !navigator.onLine ? 'offline' : state)
    this.#told = state
    if (reset) this.#receive({ event: 'reset', data: { reason: 'too_old', cursor: String(cursor) } }, String(cursor))
    for (const { event, text, id, signal } of entries) {
      if (talk !== this.#talk) return // what happened has ended this
      // One that is not new is known already, from before the last beginning.
      if (!signal && id <= Number(this.#cursor)) continue
      // The data is that of its type, as the server's own types have it.
      this.#receive(/** @type {WireEvent} */ ({ event, data: JSON.parse(text) }), signal ? '' : String(id))
    }
    if (talk !== this.#talk) return
    this.#cursor = String(cursor)
    this.#say({ say: 'taken', talk })
    if (refused) this.#asking ??= this.#on.refused().finally(() => (this.#asking = undefined))
  }

  /** @param {WireEvent} happened @param {string} id */
  #receive(happened, id) {
    if (id !== '') this.#cursor = id
    try {
      this.#on.received(happened, id)
    } catch (error) {
      reportError(error) // and what comes behind it is still received
    }
  }

  /** @param {boolean} shown */
  #seen(shown) {
    clearTimeout(this.#hiding)
    if (shown) this.#begin()
    else if (this.#hub) this.#hiding = setTimeout(() => this.#say({ say: 'leave', talk: ++this.#talk }), hiddenMsMax)
  }

  // By the clock on the wall, since the monotonic one stands still while some machines sleep.
  #check() {
    if (this.#cursor === '' || (this.#hub && document.hidden) || Math.abs(Date.now() - this.#heardAt) <= silenceMsMax)
      return
    this.#port?.close() // the worker is dead: this makes another
    this.#port = null
    this.#begin()
  }
}
