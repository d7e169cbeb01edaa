// @ts-check
// What I said and the server has not confirmed yet: sent one by one and in order, again and again under the same key until
// there is an answer, and kept over a reload. Knows nothing of the page.

/** @import { Message } from '../../lib/chat/streams/events.ts' */
/**
 * @typedef {object} Entry
 * @property {string} key the Idempotency-Key: under the same one, a message is never posted twice
 * @property {string} user the id of who said it
 * @property {string} room
 * @property {string} text
 * @property {string} [replyTo] the id of the message that it answers
 * @property {string} at when it was said, by this page's clock
 * @property {string} after the newest id at that time: the message itself will have a greater one
 * @property {number} tries
 * @property {string | null} refusal why the server will not have it
 * @property {string | null} seenAs the id of the message on the stream that looks like this one
 */

import { scope } from '../parts/address.js'
import { Refusal, backoffMs, isTemporary, request } from '../parts/api.js'
import { say } from '../words/words.js'

const storageName = `${scope}.outbox`

export class Outbox {
  /** @type {Entry[]} */
  #entries = []
  #running = false
  /** @type {(() => void) | null} */
  #wake = null
  #on

  /**
   * @param {{
   *   changed: (entry: Entry) => void,
   *   delivered: (entry: Entry, message: Message) => void,
   *   refused: (entry: Entry, error: unknown) => void,
   * }} on `changed`: it waits for another try
   */
  constructor(on) {
    this.#on = on
  }

  /** @param {string} room @returns {Entry[]} oldest first */
  in(room) {
    return this.#entries.filter((entry) => entry.room === room)
  }

  /** @param {Pick<Entry, 'user' | 'room' | 'text' | 'replyTo' | 'after'>} said @returns {Entry} */
  add(said) {
    const entry = { ...said, key: newKey(), at: new Date().toISOString(), tries: 0, refusal: null, seenAs: null }
    this.#entries.push(entry)
    this.#keep()
    void this.#run()
    return entry
  }

  /** Takes up what this tab had not sent when it was reloaded, if it was the same person. @param {string} user */
  restore(user) {
    this.#entries = kept().filter((entry) => entry.user === user)
    this.#keep()
    void this.#run()
  }

  /**
   * The entry that this message from the stream is, if any: the answer to our request may come later, or be lost. Not
   * certain, as the same words may have been said in another tab; whoever asks corrects it once there is an answer.
   * @param {Message} message
   */
  match(message) {
    const entry = this.#entries.find(
      (one) =>
        one.tries > 0 &&
        one.refusal === null &&
        one.seenAs === null &&
        one.user === message.from.id &&
        one.room === message.room &&
        one.text === message.text &&
        one.replyTo === message.replyTo &&
        Number(message.id) > Number(one.after),
    )
    if (entry) entry.seenAs = message.id
    return entry
  }

  /** @param {string} key @param {string} user who says it now: after a new session, perhaps another */
  retry(key, user) {
    const entry = this.#entries.find((one) => one.key === key)
    if (!entry) return
    entry.user = user
    entry.refusal = null
    this.#keep()
    this.#on.changed(entry)
    void this.#run()
  }

  /** @param {string} key */
  discard(key) {
    this.#entries = this.#entries.filter((entry) => entry.key !== key)
    this.#keep()
  }

  clear() {
    this.#entries = []
    this.#keep()
  }

  /** The server is there again: no need to wait any longer. */
  hurry() {
    this.#wake?.()
  }

  async #run() {
    if (this.#running) return
    this.#running = true
    let failures = 0
    for (let entry = this.#next(); entry; entry = this.#next()) {
      entry.tries++
      const outcome = await post(entry)
      if (outcome.message) {
        failures = 0
        this.discard(entry.key)
        this.#on.delivered(entry, outcome.message)
      } else if (!this.#entries.includes(entry)) {
        continue // it was withdrawn while we asked
      } else if (isTemporary(outcome.error)) {
        this.#on.changed(entry)
        await this.#pause(backoffMs(failures++, outcome.error), outcome.status !== 429)
      } else {
        entry.refusal = outcome.detail
        entry.seenAs = null
        this.#keep()
        this.#on.refused(entry, outcome.error)
      }
    }
    this.#running = false
  }

  #next() {
    return this.#entries.find((entry) => entry.refusal === null)
  }

  /** @param {number} ms @param {boolean} mayBeHurried */
  async #pause(ms, mayBeHurried) {
    await new Promise((resolve) => {
      setTimeout(resolve, ms)
      if (mayBeHurried) this.#wake = () => resolve(undefined)
    })
    this.#wake = null
  }

  #keep() {
    try {
      sessionStorage.setItem(storageName, JSON.stringify(this.#entries))
    } catch {
      // Storage may be full or forbidden. Then a reload loses what was not sent, and nothing else changes.
    }
  }
}

/**
 * @param {Entry} entry
 * @returns {Promise<{ message?: Message, error?: unknown, status: number, detail: string }>}
 */
async function post(entry) {
  try {
    const path = `/rooms/${encodeURIComponent(entry.room)}/messages`
    const { text, replyTo, key } = entry
    if (entry.tries > 1) await checkThatIsStillHere(entry.user)
    const message = await request('POST', path, { body: { text, ...(replyTo !== undefined && { replyTo }) }, key })
    return { message, status: 201, detail: '' }
  } catch (error) {
    const { message: detail, status = 0 } = /** @type {Error & { status?: number }} */ (error) // request throws nothing else
    return { error, status, detail }
  }
}

/**
 * Between two tries a tab may have slept while somebody else came in at this browser, in another tab: it would be said in their name.
 * @param {string} user
 */
async function checkThatIsStillHere(user) {
  const session = await request('GET', '/session')
  if (session.user?.id !== user) throw new Refusal(401, 'unauthorized', say('server.status', { status: '401' }), 0)
}

/** @returns {Entry[]} */
function kept() {
  try {
    const entries = JSON.parse(sessionStorage.getItem(storageName) ?? '[]')
    return Array.isArray(entries) ? entries : []
  } catch {
    return [] // forbidden, or not ours
  }
}

// crypto.randomUUID is missing on plain HTTP, where many small boxes live.
function newKey() {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, '0')).join('')
}
