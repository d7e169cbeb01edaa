// @ts-check
// The rooms at the side: the lobby first, then by name. Knows how they are listed, not what is said in them.

/** @import { Room } from '../lib/chat/events.ts' */

export class RoomList {
  /** @type {Map<string, { room: Room, item: HTMLLIElement, link: HTMLAnchorElement }>} */
  #entries = new Map()
  #current = ''
  #list

  /** @param {HTMLElement} list */
  constructor(list) {
    this.#list = list
  }

  /** @param {string} id */
  get(id) {
    return this.#entries.get(id)?.room
  }

  /** These are all the rooms; any other is gone. @param {Room[]} rooms */
  replace(rooms) {
    const ids = new Set(rooms.map((room) => room.id))
    for (const [id, { item }] of this.#entries) {
      if (ids.has(id)) continue
      item.remove()
      this.#entries.delete(id)
    }
    for (const room of rooms) this.put(room)
  }

  /** A room that is new or has changed. @param {Room} room */
  put(room) {
    const entry = this.#entries.get(room.id) ?? this.#make(room)
    const before = entry.room
    entry.room = room
    if (entry.item.isConnected && before.name === room.name) return
    entry.link.lastElementChild?.replaceChildren(room.name)
    entry.link.title = room.name

    // Only what has changed is moved, so that nobody loses the focus.
    const next = [...this.#list.children].find((item) => item !== entry.item && this.#isBefore(room, item))
    this.#list.insertBefore(entry.item, next ?? null)
  }

  /** The room that is being read. @param {string} id */
  mark(id) {
    this.#entries.get(this.#current)?.link.removeAttribute('aria-current')
    this.#current = id
    this.#entries.get(id)?.link.setAttribute('aria-current', 'page')
  }

  /** @param {Room} room @param {Element} item */
  #isBefore(room, item) {
    const other = this.#entries.get(/** @type {HTMLElement} */ (item).dataset['room'] ?? '')?.room // our own list holds only li
    return other !== undefined && inOrder(room, other) < 0
  }

  /** @param {Room} room */
  #make(room) {
    const item = document.createElement('li')
    const link = document.createElement('a')
    const sign = document.createElement('span')
    sign.className = 'sign'
    sign.ariaHidden = 'true'
    sign.textContent = '#'
    link.append(sign, document.createElement('bdi'))
    link.href = `/rooms/${encodeURIComponent(room.id)}`
    if (room.id === this.#current) link.setAttribute('aria-current', 'page')
    item.dataset['room'] = room.id
    item.append(link)
    const entry = { room, item, link }
    this.#entries.set(room.id, entry)
    return entry
  }
}

/** @param {Room} one @param {Room} other */
function inOrder(one, other) {
  return Number(other.id === 'lobby') - Number(one.id === 'lobby') ||
    one.name.localeCompare(other.name, undefined, { numeric: true }) || one.id.localeCompare(other.id)
}
