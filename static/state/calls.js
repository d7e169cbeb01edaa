// @ts-check
// What calls for my attention: how many messages the title counts, and the notifications of those that come meanwhile. Knows how loud each room is
// set, not how a notification looks.

/** @import { Message } from '../../lib/chat/streams/events.ts' */
import { kept, onKept } from './kept.js'
import { later } from '../parts/parts.js'
import { namesMe } from './unread.js'

export class Calls {
  #mirror
  #levels
  #unread
  #on
  /** @type {import('./notifier.js').Notifier | undefined} where notifications were turned on */
  #notifier

  /**
   * @param {{ mirror: import('./mirror.js').Mirror, levels: import('./levels.js').Levels, unread: import('./unread.js').Unread }} parts
   * @param {{ ignores: (user: string) => boolean, go: (path: string) => void, nameOf: (room: import('../../lib/chat/streams/events.ts').Room) => string }} on
   *   `ignores`: whether I have blocked that user. `go`: a notification of what stands there was chosen
   */
  constructor({ mirror, levels, unread }, on) {
    this.#mirror = mirror
    this.#levels = levels
    this.#unread = unread
    this.#on = on
    onKept('notifications', () => void this.#load())
    void this.#load()
  }

  /** How many messages in all my rooms call for me. */
  get count() {
    let calls = 0
    for (const [id, room] of this.#mirror.state.rooms) calls += this.#levels.count(room, this.#unread.of(id))
    return calls
  }

  /** Somebody has said something that I have not read. @param {Message} message */
  heard(message) {
    const room = this.#mirror.state.rooms.get(message.room)
    if (!room || this.#on.ignores(message.from.id)) return
    const calls = this.#levels.count(room, {
      unread: 1,
      mentions: namesMe(message.mentions, this.#mirror.me ?? null) ? 1 : 0,
    })
    if (calls > 0) void this.#notifier?.tell(message, room)
  }

  /** I have read all of that room. @param {string} room */
  read(room) {
    this.#notifier?.read(room)
  }

  /** Somebody else begins with nothing. */
  clear() {
    this.#notifier?.clear()
  }

  async #load() {
    if (this.#notifier || kept('notifications') !== 'on') return
    const { Notifier } = await later(() => import('./notifier.js'))
    this.#notifier ??= new Notifier({ go: this.#on.go, nameOf: this.#on.nameOf })
  }
}
