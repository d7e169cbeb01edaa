// @ts-check
// Who is writing in the room that one is in: says so at the foot while others do, and lets them know that one does oneself.

/** @import { Author, Presence } from '../../lib/chat/streams/events.ts' */

import { request } from '../parts/api.js'
import { part } from '../parts/parts.js'
import { say } from '../words/words.js'

const shownMs = 6_000 // after the last sign of somebody
const tellMs = 3_000 // between two signs of one's own
const nameMax = 18 // letters of a name: what they do is to be in the line too, on a narrow screen as well

export class Typing {
  #room = ''
  #toldAt = 0
  /** @type {Map<string, { name: string, going: ReturnType<typeof setTimeout> }>} by user; who began first comes first */
  #people = new Map()
  #line = part('typing', HTMLElement)
  #mirror

  /** @param {import('../state/mirror.js').Mirror} mirror @param {import('./drafts.js').Drafts} drafts */
  constructor(mirror, drafts) {
    this.#mirror = mirror
    const field = part('text', HTMLTextAreaElement)
    field.addEventListener('input', () => {
      const isNew = drafts.of(this.#room).edit === undefined
      if (field.value.trim() !== '' && isNew) this.#tell()
    })
  }

  /** Another room, or the same one afresh. @param {string} room */
  switchTo(room) {
    this.#room = room
    this.#toldAt = 0
    for (const { going } of this.#people.values()) clearTimeout(going)
    this.#people.clear()
    this.#show()
  }

  /** Somebody is writing. @param {Presence} typing */
  heard({ room, user }) {
    if (room !== this.#room || user.id === this.#mirror.me?.id) return
    clearTimeout(this.#people.get(user.id)?.going)
    this.#people.set(user.id, { name: user.name, going: setTimeout(() => this.#forget(user.id), shownMs) })
    this.#show()
  }

  /** Somebody has said it. @param {{ room: string, from: Author }} message */
  said({ room, from }) {
    if (room === this.#room) this.#forget(from.id)
  }

  /** @param {string} user */
  #forget(user) {
    clearTimeout(this.#people.get(user)?.going)
    if (this.#people.delete(user)) this.#show()
  }

  #show() {
    const [one, other, ...more] = [...this.#people.values()].map(({ name }) => shortened(name))
    const words =
      one === undefined
        ? ''
        : other === undefined
          ? say('typing.one', { name: one })
          : more.length === 0
            ? say('typing.two', { one, other })
            : say('typing.many')
    if (this.#line.textContent !== words) this.#line.textContent = words
  }

  #tell() {
    if (Date.now() - this.#toldAt < tellMs) return
    this.#toldAt = Date.now()
    // Should nobody come to know, nothing is lost.
    request('POST', `/rooms/${encodeURIComponent(this.#room)}/typing`).catch(() => {})
  }
}

/** @param {string} name */
function shortened(name) {
  const letters = [...new Intl.Segmenter().segment(name)].map(({ segment }) => segment)
  return letters.length > nameMax ? `${letters.slice(0, nameMax - 1).join('')}…` : name
}
