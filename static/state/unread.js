// @ts-check
// How much others have said in each of my rooms since I looked, and how much of it names me: what the server counted, and what
// has come since. Knows nothing of what is shown.

/** @import { ListedRoom, User, WireEvent } from '../../lib/chat/streams/events.ts' */
/**
 * @typedef {object} Mark
 * @property {string} read the event up to which the room was read
 * @property {number} at the event as of which the server has counted
 * @property {{ unread: number, mentions: number }} counted by the server
 * @property {Map<string, boolean>} since the ids of messages since then, and whether they name me
 */

import { backoffMs, isTemporary, request } from '../parts/api.js'

const noteMs = 1_000 // between two times the server is told what was read
const unsureMs = 2_000 // what can't be known from here is asked for, after a while

const none = { unread: 0, mentions: 0 }

export class Unread {
  /** @type {Map<string, Mark>} the rooms I am in */
  #marks = new Map()
  /** @type {Map<string, Mark>} as they were when the list began */
  #before = new Map()
  /** @type {Map<string, string>} what the server is to be told: room and event */
  #notes = new Map()
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #noting
  #failures = 0 // since it could be told last
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #asking
  #on

  /**
   * @param {{ changed: (room: string) => void, unsure: () => void, ignores: (user: string) => boolean }} on `unsure`: the rooms are to be asked for
   *   again; `ignores`: to be named by them counts for nothing
   */
  constructor(on) {
    this.#on = on
  }

  clear() {
    this.#marks.clear()
    this.#notes.clear()
  }

  /** The rooms as the server lists them. What the stream has brought since is to be told again. `anew`: these are the first of them.
   * @param {ListedRoom[]} rooms @param {string} cursor @param {{ anew?: boolean }} [options] */
  list(rooms, cursor, { anew = true } = {}) {
    if (anew) {
      this.#before = this.#marks
      this.#marks = new Map()
    }
    const before = this.#before
    for (const { id, read, unread = 0, mentions = 0 } of rooms) {
      if (read === undefined) continue
      this.#marks.set(id, { read, at: Number(cursor), counted: { unread, mentions }, since: new Map() })
      const known = before.get(id)?.read
      // We have read on, and the server had not heard of it when it counted.
      if (known !== undefined && Number(known) > Number(read)) {
        this.#readUpTo(id, known)
        this.#tell(id, known)
      }
      this.#on.changed(id)
    }
  }

  /** @param {string} room @returns {{ unread: number, mentions: number }} */
  of(room) {
    const mark = this.#marks.get(room)
    if (!mark) return none
    return {
      unread: mark.counted.unread + mark.since.size,
      mentions: mark.counted.mentions + [...mark.since.values()].filter(Boolean).length,
    }
  }

  /** The event up to which I have read, if I am in that room. @param {string} room */
  readIn(room) {
    return this.#marks.get(room)?.read
  }

  /** What the stream brings. @param {WireEvent} happened @param {string} id @param {User | null} me @returns {boolean} whether it is one more that I have not read */
  happened({ event, data }, id, me) {
    if (event === 'join' && data.user.id === me?.id && !this.#marks.has(data.room)) {
      this.#marks.set(data.room, { read: id, at: Number(id), counted: none, since: new Map() })
    }
    if (event === 'leave' && data.user.id === me?.id) this.#marks.delete(data.room)
    if (event === 'read' && !this.#readUpTo(data.room, data.id)) this.#ask()
    if (event !== 'message' && event !== 'edit' && event !== 'delete') return false
    const mark = this.#marks.get(data.room)
    if (!mark || Number(data.id) <= Number(mark.read)) return false
    if (event !== 'delete' && data.from.id === me?.id) return false
    // The stream may still be bringing what the server has counted already.
    if (Number(id) <= mark.at) return event === 'message'
    // A message that was changed while nobody listened comes by that change only.
    if (event !== 'delete' && Number(data.id) > mark.at)
      mark.since.set(data.id, namesMe(data.mentions, me) && !this.#on.ignores(data.from.id))
    else if (!mark.since.delete(data.id) && mark.counted.unread > 0) this.#ask()
    this.#on.changed(data.room)
    return event === 'message'
  }

  /** I have read all that is there in a room. @param {string} room @param {string} upTo an event */
  read(room, upTo) {
    if (this.of(room).unread === 0) return
    this.#readUpTo(room, upTo)
    this.#tell(room, upTo)
  }

  /** @param {string} room @param {string} upTo @returns {boolean} whether it is known how much is unread after that */
  #readUpTo(room, upTo) {
    const mark = this.#marks.get(room)
    if (!mark || Number(upTo) <= Number(mark.read)) return true
    mark.read = upTo
    for (const id of mark.since.keys()) if (Number(id) <= Number(upTo)) mark.since.delete(id)
    // Which of those that the server has counted came after it is not known here.
    if (Number(upTo) >= mark.at) mark.counted = none
    this.#on.changed(room)
    return mark.counted.unread === 0
  }

  /** @param {string} room @param {string} upTo */
  #tell(room, upTo) {
    this.#notes.set(room, upTo)
    this.#noting ??= setTimeout(() => this.#note(), noteMs)
  }

  async #note() {
    let error
    for (const [room, id] of [...this.#notes])
      if (this.#notes.get(room) === id) error = (await this.#noteOne(room, id)) ?? error
    this.#failures = error ? this.#failures + 1 : 0
    // What came meanwhile, and what could not be told: until then other devices count too many.
    this.#noting =
      this.#notes.size > 0
        ? setTimeout(() => this.#note(), noteMs + (error ? backoffMs(this.#failures, error) : 0))
        : undefined
  }

  /** @param {string} room @param {string} id @returns {Promise<unknown>} why it must be tried again, if it must */
  async #noteOne(room, id) {
    let error
    try {
      await request('PUT', `/rooms/${encodeURIComponent(room)}/read`, { body: { id } })
    } catch (thrown) {
      error = thrown
    }
    if (isTemporary(error)) return error
    if (this.#notes.get(room) === id) this.#notes.delete(room)
    if (!error && this.#marks.get(room)?.counted.unread) this.#ask() // now it counts as we do
    return undefined
  }

  #ask() {
    this.#asking ??= setTimeout(() => {
      this.#asking = undefined
      this.#on.unsure()
    }, unsureMs)
  }
}

/** @param {string[] | undefined} mentions @param {User | null} me */
export function namesMe(mentions = [], me) {
  return mentions.includes('room') || (me !== null && mentions.includes(me.id))
}
