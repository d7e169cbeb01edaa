// @ts-check
// Notifications: what is said while nobody looks at the page is told outside of it. Imported only where they were turned on.
//
// All tabs of a browser hear the same, and one of them has to tell it. They agree by Web Locks, which are there wherever notifications
// are: whoever takes the lock of a message first tells it, and while somebody looks at any of the tabs none does.

/** @import { Message, Room } from '../../lib/chat/streams/events.ts' */

import { pathOf, scope } from '../parts/address.js'
import { balanced } from '../markdown/directions.js'
import { kept } from './kept.js'
import { isAttentive } from '../rooms/room-view.js'
import { say } from '../words/words.js'

const textMax = 120 // characters; what a system shows is less
const claimMs = 10_000 // for which a message is told by one tab alone; one that was asleep longer replaces what it told
const attention = `${scope}.attention` // the lock of who looks at a tab

/** Why this browser does not notify, if it does not. @typedef {'insecure' | 'missing' | 'denied' | ''} Obstacle */

export class Notifier {
  /** @type {Map<string, Notification>} the last one of each room */
  #shown = new Map()
  /** @type {(() => void) | undefined} */
  #lookAway
  #on

  /** @param {{ go: (path: string) => void, nameOf: (room: Room) => string }} on `go`: to a message */
  constructor(on) {
    this.#on = on
    const look = () => this.#look()
    window.addEventListener('focus', look)
    window.addEventListener('blur', look)
    document.addEventListener('visibilitychange', look)
    window.addEventListener('pagehide', () => this.#release())
    this.#look()
  }

  /** Somebody else has said something that calls me. @param {Message} message @param {Room} room */
  async tell(message, room) {
    if (kept('notifications') !== 'on' || obstacle() !== '' || isAttentive()) return
    const { held = [] } = await navigator.locks.query()
    if (held.some(({ name }) => name === attention)) return
    void navigator.locks.request(`${scope}.message.${message.id}`, { ifAvailable: true }, async (lock) => {
      if (!lock) return
      this.#show(message, room)
      await new Promise((resolve) => setTimeout(resolve, claimMs))
    })
  }

  /** What was told of a room is known by now. @param {string} room */
  read(room) {
    this.#shown.get(room)?.close()
    this.#shown.delete(room)
  }

  clear() {
    for (const room of this.#shown.keys()) this.read(room)
  }

  /** @param {Message} message @param {Room} room */
  #show({ id, from, text }, room) {
    const title =
      room.kind === 'direct' ? from.name : say('notifications.said', { name: from.name, room: this.#on.nameOf(room) })
    const notification = notify(title, { body: balanced(cut(text)), tag: `${scope}.${room.id}` })
    if (!notification) return
    this.#shown.set(room.id, notification)
    notification.addEventListener('click', () => {
      window.focus()
      this.#on.go(pathOf(room.id, id))
      notification.close()
    })
  }

  // Whoever looks at one of the tabs needs to be told nothing by the others.
  #look() {
    if (!isAttentive()) return this.#release()
    if (this.#lookAway) return
    const { promise, resolve } = Promise.withResolvers()
    this.#lookAway = () => resolve(undefined)
    void navigator.locks?.request(attention, { mode: 'shared' }, () => promise)
  }

  #release() {
    this.#lookAway?.()
    this.#lookAway = undefined
  }
}

/** @returns {Obstacle} */
export function obstacle() {
  if (!isSecureContext) return 'insecure'
  if (typeof Notification === 'undefined' || !('locks' in navigator)) return 'missing'
  return Notification.permission === 'denied' ? 'denied' : ''
}

/** Shows one, unless this browser has them for service workers only, as Chrome on Android: then none. @param {string} title @param {NotificationOptions} [options] */
export function notify(title, options = {}) {
  try {
    return new Notification(title, { icon: new URL('../icons/icon-192.png', import.meta.url).href, ...options })
  } catch {
    return null
  }
}

/** @param {string} text */
function cut(text) {
  const words = text.trim().replace(/\s+/g, ' ')
  const letters = [...new Intl.Segmenter().segment(words.slice(0, textMax * 8))]
  return letters.length <= textMax
    ? words
    : `${letters
        .slice(0, textMax)
        .map(({ segment }) => segment)
        .join('')}…`
}
