// @ts-check
// The life of the one EventSource that brings everything: where it goes on after a break, when it is given up for dead, when a
// new one is opened. Runs in a worker or in a page, and knows neither; of events it knows the ids, not what they mean.

/** @import { WireEvents } from '../../lib/chat/streams/events.ts' */
/** @typedef {'connecting' | 'live' | 'reconnecting'} StreamState */

const pingMs = 25_000 // give or take a fifth
// Counted from the last thing heard, whatever it was. Two pings take 60 s at the most, so by then two are missing.
const silenceMsMax = 2.5 * pingMs
const reopenMsMin = 1_000
const reopenMsMax = 30_000
const sameNewsMs = 2_000 // several tabs that tell of another network within this time tell of the same

/**
 * All that is heard, and what it is: an `event` has an id and moves the cursor on, a `signal` has none. A `reset` is neither.
 * @type {Record<Exclude<keyof WireEvents, 'reset'>, 'event' | 'signal'>}
 */
const heard = {
  message: 'event',
  edit: 'event',
  delete: 'event',
  reaction: 'event',
  join: 'event',
  leave: 'event',
  room: 'event',
  user: 'event',
  block: 'event',
  ping: 'event',
  read: 'signal',
  typing: 'signal',
  presence: 'signal',
}

export class EventStream {
  /** @type {StreamState} */
  state = 'connecting'
  /** The id up to which everything has been received. */
  cursor = 0
  /** @type {EventSource | null} */
  #source = null
  #openedAt = 0
  #heardAt = 0
  #refusals = 0
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #reopening
  #url
  #on

  /**
   * @param {string} url
   * @param {{
   *   event: (event: string, text: string, id: number) => void,
   *   signal: (event: string, text: string) => void,
   *   reset: () => void,
   *   changed: () => void,
   *   refused: () => void,
   * }} on `event` comes once and in order, its data as text; `reset`: what follows is after the cursor, and what was before it
   *   can't be told; `changed`: the state has, or a ping has moved the cursor; `refused`: the server ended the stream with an answer, for example because
   *   this session is over
   */
  constructor(url, on) {
    this.#url = url
    this.#on = on
  }

  /** It is to be open, be it broken just now. */
  get running() {
    return this.#source !== null
  }

  /** Everything after this id will be received. @param {number} cursor */
  start(cursor) {
    this.cursor = cursor
    this.state = 'connecting'
    this.#open()
  }

  /** Goes on from the last id with a new connection. */
  reopen() {
    this.#become('reconnecting')
    this.#open()
  }

  /** Another network means that the old connection is dead, even if nothing has noticed yet. */
  networkChanged() {
    if (this.running && Math.abs(Date.now() - this.#openedAt) > sameNewsMs) this.reopen()
  }

  /** To be called every few seconds. By the clock on the wall, since the other one stands still while some machines sleep. */
  check() {
    if (this.running && this.#reopening === undefined && Math.abs(Date.now() - this.#heardAt) > silenceMsMax)
      this.reopen()
  }

  stop() {
    clearTimeout(this.#reopening)
    this.#reopening = undefined
    this.#source?.close()
    this.#source = null
  }

  #open() {
    this.stop()
    this.#openedAt = this.#heardAt = Date.now()
    const source = new EventSource(`${this.#url}?since=${this.cursor}`)
    this.#source = source
    source.addEventListener('open', () => {
      this.#heardAt = Date.now()
      this.#refusals = 0
      this.#become('live')
    })
    source.addEventListener('error', () => this.#broken(source))
    for (const [type, kind] of Object.entries(heard)) {
      source.addEventListener(type, (event) => {
        if (source !== this.#source) return
        // A signal has no id of its own: what stands as its last one is that of an event before it.
        if (kind === 'event') this.#receive(event)
        else this.#on.signal(type, event.data)
      })
    }
    source.addEventListener('reset', (event) => source === this.#source && this.#reset(event))
  }

  /** @param {MessageEvent<string>} event */
  #receive({ type, data, lastEventId }) {
    this.#heardAt = Date.now()
    const id = Number(lastEventId)
    // Ids on a stream never go back. One that is not new was received before the last break.
    if (id <= this.cursor) return
    this.cursor = id
    if (type === 'ping') this.#on.changed()
    else this.#on.event(type, data, id)
  }

  /** @param {MessageEvent<string>} event */
  #reset({ data }) {
    this.#heardAt = Date.now()
    this.cursor = Number(JSON.parse(data).cursor)
    this.#on.reset()
  }

  /** @param {EventSource} source */
  #broken(source) {
    if (source !== this.#source) return
    this.#become('reconnecting')
    if (source.readyState !== EventSource.CLOSED) return // the browser reconnects by itself, after the time that the server gave

    // After any answer but a stream the browser never tries again: https://html.spec.whatwg.org/#sse-processing-model
    const ceilingMs = Math.min(reopenMsMax, 4_000 * 2 ** this.#refusals++)
    clearTimeout(this.#reopening)
    this.#reopening = setTimeout(() => this.#open(), reopenMsMin + Math.random() * (ceilingMs - reopenMsMin))
    this.#on.refused()
  }

  /** @param {StreamState} state */
  #become(state) {
    if (state === this.state) return
    this.state = state
    this.#on.changed()
  }
}
