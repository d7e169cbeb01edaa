// @ts-check
// Who may be named in a room: who is in it, asked for once it matters, and who has spoken there.

/** @import { Somebody } from './completion.js' */

import { askMembers } from './rights.js'

export class RoomPeople {
  #mirror
  #changed
  #asking = new Set()
  /** @type {Map<string, Set<string>>} who had a stream open when it was asked, by room */
  #here = new Map()

  /** @param {import('./mirror.js').Mirror} mirror @param {() => void} changed more are known now */
  constructor(mirror, changed) {
    this.#mirror = mirror
    this.#changed = changed
  }

  /** All that are known by now; the others are asked for. @param {string} room @returns {Somebody[]} */
  in(room) {
    const { members, messages, users } = this.#mirror.state
    if (!this.#here.has(room) || !members.has(room)) void this.#ask(room)
    /** @type {Map<string, Somebody>} */
    const people = new Map()
    for (const { from } of messages.get(room)?.values() ?? []) if (from && !from.unproven) people.set(from.id, { id: from.id, name: users.get(from.id)?.name ?? from.name })
    for (const id of members.get(room)?.keys() ?? []) {
      const user = users.get(id)
      if (user && !user.banned) people.set(id, { id, name: user.name, here: this.#here.get(room)?.has(id) ?? false })
    }
    people.delete(this.#mirror.me?.id ?? '')
    return [...people.values()]
  }

  /** @param {string} room */
  async #ask(room) {
    if (this.#asking.has(room)) return
    this.#asking.add(room)
    try {
      const answer = await askMembers(this.#mirror, room)
      if (answer) this.#here.set(room, new Set(answer.members.filter(({ here }) => here).map(({ id }) => id)))
      this.#changed()
    } catch {
      // The room is gone or closed to us; who has spoken is offered all the same.
      this.#here.set(room, new Set())
    } finally {
      this.#asking.delete(room)
    }
  }
}
