// @ts-check
// Who is here: has this place open somewhere. The server tells who comes and who goes, but not in rooms that hundreds watch, nor to a
// tab that is behind: so it is also asked, when one comes to a room and whenever something may have been missed.

/** @import { Presence as Told, WireEvents } from '../../lib/chat/streams/events.ts' */

import { askMembers } from './rights.js'

const againMs = 5_000 // between two times that a room is asked about
const spreadMs = 3_000 // in which all who have seen or missed the same ask, and not all at once
const crowdMin = 200 // in one room: of so many it is not told any more who comes and goes
const directMax = 30 // rooms of two that are asked about

export class Presence {
  /** @type {Set<string>} users; who is here is here in all their rooms */
  #here = new Set()
  /** @type {Set<string>} rooms of which it is known who of them is here */
  #known = new Set()
  /** @type {Set<string>} rooms that need not be asked about: their answer still holds, or there is none to be had */
  #settled = new Set()
  /** @type {Map<string, number>} by room */
  #askedAt = new Map()
  /** @type {Map<string, string>} by room of two: who the other one is */
  #others = new Map()
  /** @type {Set<Set<string>>} for each question under way: of whom something was told since */
  #toldSince = new Set()
  #asking = false
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer
  #mirror
  #on

  /**
   * @param {import('./mirror.js').Mirror} mirror
   * @param {{ room: () => string, changed: () => void }} on `room`: the one that is looked at
   */
  constructor(mirror, on) {
    this.#mirror = mirror
    this.#on = on
    document.addEventListener('visibilitychange', () => {
      if (!document.hidden) this.doubt() // a tab that nobody sees may be frozen, or left behind
    })
  }

  /** Nothing is known any more. */
  clear() {
    for (const all of [this.#here, this.#known, this.#settled, this.#askedAt, this.#others]) all.clear()
    clearTimeout(this.#timer)
    this.#timer = undefined
    this.#on.changed()
  }

  /** @param {string} user */
  has(user) {
    return user === this.#mirror.me?.id || this.#here.has(user)
  }

  /** How many are here of those in a room, if that is known. @param {string} room */
  count(room) {
    const members = this.#mirror.state.members.get(room)
    if (!members || !this.#known.has(room)) return undefined
    const count = [...members.keys()].filter((user) => this.has(user)).length
    return count < crowdMin ? count : undefined
  }

  /** Is the other one of a room of two here? @param {string} room */
  hasOther(room) {
    const other = this.#others.get(room)
    return other !== undefined && this.#here.has(other)
  }

  /** Was that room asked about a moment ago? @param {string} room */
  isFresh(room) {
    return Date.now() - (this.#askedAt.get(room) ?? 0) < againMs
  }

  /** Somebody comes or goes. @param {Told} told */
  heard({ room, user, state }) {
    for (const told of this.#toldSince) told.add(user.id)
    if (user.id !== this.#mirror.me?.id && this.#mirror.state.rooms.get(room)?.kind === 'direct')
      this.#others.set(room, user.id)
    if (state === 'here') this.#here.add(user.id)
    else this.#here.delete(user.id)
    this.#on.changed()
  }

  /** Somebody is in a room now: whether they are here too was told in their other rooms only. @param {WireEvents['join']} joined */
  joined({ room, user }) {
    if (!this.#known.has(room) || this.has(user.id) || (this.#mirror.state.members.get(room)?.size ?? 0) > crowdMin)
      return
    this.#settled.delete(room)
    this.#plan(Math.random() * spreadMs)
  }

  /** Something may have been missed. */
  doubt() {
    this.#settled.clear()
    this.#plan(Math.random() * spreadMs)
  }

  /** Asks for what is not known. */
  refresh() {
    this.#plan(0)
  }

  /**
   * Asks who is in a room, and who of them is here; gives the answer, or null if nobody waits for it any more.
   * @param {string} room @param {() => boolean} [wanted]
   */
  async ask(room, wanted) {
    this.#askedAt.set(room, Date.now())
    /** @type {Set<string>} */
    const toldSince = new Set()
    this.#toldSince.add(toldSince)
    try {
      const answer = await askMembers(this.#mirror, room, wanted)
      if (!answer) return null
      for (const { id, here } of answer.members) {
        if (toldSince.has(id)) continue
        if (here) this.#here.add(id)
        else this.#here.delete(id)
      }
      const other = answer.members.find(({ id }) => id !== this.#mirror.me?.id)
      if (other && this.#mirror.state.rooms.get(room)?.kind === 'direct') this.#others.set(room, other.id)
      this.#known.add(room)
      this.#settled.add(room)
      this.#on.changed()
      return answer
    } finally {
      this.#toldSince.delete(toldSince)
    }
  }

  /** @param {number} ms */
  #plan(ms) {
    if (this.#timer !== undefined || this.#wanted.every((room) => this.#settled.has(room))) return
    this.#timer = setTimeout(() => {
      this.#timer = undefined
      void this.#askAll()
    }, ms)
  }

  // One after the other: the messages come first, and whoever has many rooms is not to bother the server with all at once.
  async #askAll() {
    if (this.#asking || document.hidden) return
    this.#asking = true
    let waitMs = Infinity
    for (const room of this.#wanted) {
      if (this.#settled.has(room)) continue
      if (this.isFresh(room)) {
        waitMs = againMs
        continue
      }
      try {
        await this.ask(room)
      } catch {
        this.#settled.add(room) // it is gone or closed to us
      }
    }
    this.#asking = false
    if (waitMs < Infinity) this.#plan(waitMs)
  }

  /** The rooms whose people are shown. */
  get #wanted() {
    const { rooms } = this.#mirror.state
    const current = rooms.get(this.#on.room())
    const direct = [...rooms.values()]
      .filter(({ kind, archived }) => kind === 'direct' && !archived)
      .slice(0, directMax)
    return [...new Set([...(current ? [current] : []), ...direct].map(({ id }) => id))]
  }
}
