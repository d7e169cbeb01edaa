// @ts-check
// Who may be named in a room: who is in it, asked for once it matters, and who has spoken there.

/** @import { Somebody } from '../composer/completion.js' */

export class RoomPeople {
  #mirror
  #presence
  #changed
  #asking = new Set()
  /** @type {Set<string>} rooms that can't be asked about */
  #closed = new Set()

  /** @param {import('../state/mirror.js').Mirror} mirror @param {import('../state/presence.js').Presence} presence @param {() => void} changed more are known now */
  constructor(mirror, presence, changed) {
    this.#mirror = mirror
    this.#presence = presence
    this.#changed = changed
  }

  /** All that are known by now; the others are asked for. @param {string} room @returns {Somebody[]} */
  in(room) {
    const { members, messages, users } = this.#mirror.state
    if (!members.has(room) && !this.#closed.has(room)) void this.#ask(room)
    /** @type {Map<string, Somebody>} */
    const people = new Map()
    for (const { from } of messages.get(room)?.values() ?? [])
      if (from && !from.unproven) people.set(from.id, { id: from.id, name: users.get(from.id)?.name ?? from.name })
    for (const id of members.get(room)?.keys() ?? []) {
      const user = users.get(id)
      if (user && !user.banned) people.set(id, { id, name: user.name, here: this.#presence.has(id) })
    }
    people.delete(this.#mirror.me?.id ?? '')
    return [...people.values()]
  }

  /** @param {string} room */
  async #ask(room) {
    if (this.#asking.has(room)) return
    this.#asking.add(room)
    try {
      await this.#presence.ask(room)
      this.#changed()
    } catch {
      // The room is gone or closed to us; who has spoken is offered all the same.
      this.#closed.add(room)
    } finally {
      this.#asking.delete(room)
    }
  }
}
