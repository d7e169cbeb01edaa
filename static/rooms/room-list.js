// @ts-check
// The rooms at the side: the lobby first, then by name, then people one talks to alone, then what is archived. Knows how
// rooms are listed and called, not what is said in them.

/** @import { Room } from '../../lib/chat/streams/events.ts' */
import { lobby, pathOf } from '../parts/address.js'
import { part } from '../parts/parts.js'
import { locale, say } from '../words/words.js'

export class RoomList {
  /** @type {Map<string, { room: Room, item: HTMLLIElement, link: HTMLAnchorElement }>} */
  #entries = new Map()
  #current = ''
  #me = ''
  #list

  /** @param {HTMLElement} list */
  constructor(list) {
    this.#list = list
  }

  /** One's own name, which says nothing in the name of a direct room. @param {string} name */
  set me(name) {
    if (name === this.#me) return
    this.#me = name
    for (const { room } of this.#entries.values()) if (room.kind === 'direct') this.#put(room)
  }

  /** A room that is listed. @param {string} id */
  get(id) {
    return this.#entries.get(id)?.room
  }

  /** What a room is called here: a direct one by who else is in it. @param {Room} room */
  nameOf({ name, kind }) {
    if (kind !== 'direct' || this.#me === '') return name
    if (name.startsWith(`${this.#me}, `)) return name.slice(this.#me.length + 2)
    return name.endsWith(`, ${this.#me}`) ? name.slice(0, -this.#me.length - 2) : name
  }

  /** These are the rooms now. `more`: there are others that can be asked for. @param {Map<string, Room>} rooms @param {{ more?: boolean }} [options] */
  show(rooms, { more = false } = {}) {
    part('more-rooms', HTMLButtonElement).hidden = !more
    for (const [id, { item }] of this.#entries) {
      if (rooms.has(id)) continue
      item.remove()
      this.#entries.delete(id)
    }
    for (const room of rooms.values()) if (this.#entries.get(room.id)?.room !== room) this.#put(room)
  }

  /** A room that is new or has changed. @param {Room} room */
  #put(room) {
    const entry = this.#entries.get(room.id) ?? this.#make(room)
    entry.room = room
    const { item, link } = entry
    const name = this.nameOf(room)
    const words = room.archived ? say('rooms.archived_name', { name }) : name
    if (item.isConnected && link.title === words) return
    link.title = words
    link.querySelector('bdi')?.replaceChildren(name)
    link.querySelector('use')?.setAttribute('href', signOf(room))
    link
      .querySelector(':scope > .unseen')
      ?.replaceChildren(room.archived ? say('rooms.archived') : room.kind === 'private' ? say('rooms.private') : '')
    item.dataset['rank'] = String(rankOf(room))

    // Only what has changed is moved, so that nobody loses the focus.
    this.#list.insertBefore(
      item,
      this.#after(
        room,
        [...this.#list.children].filter((other) => other !== item),
      ),
    )
  }

  /** How much in a room I have not read. @param {string} id @param {{ unread: number, mentions: number }} counts */
  count(id, { unread, mentions }) {
    const link = this.#entries.get(id)?.link
    const badge = link?.querySelector('.badge')
    if (!link || !(badge instanceof HTMLElement)) return
    link.classList.toggle('news', unread > 0)
    badge.classList.toggle('calling', mentions > 0)
    badge.hidden = unread === 0
    const words = unread > 99 ? '99+' : String(unread)
    if (badge.textContent !== words) badge.textContent = words
  }

  /** Whether the other one of a room of two is here. @param {string} id @param {boolean} here */
  showHere(id, here) {
    const dot = this.#entries.get(id)?.link.querySelector('.dot')
    if (!(dot instanceof HTMLElement) || dot.hidden !== here) return
    dot.hidden = !here
    dot.firstElementChild?.replaceChildren(here ? say('rooms.here') : '')
  }

  /** The room before or after one, as they are listed; of those with something new, if only they count. @param {string} id @param {1 | -1} step @param {{ unread: boolean }} only */
  next(id, step, { unread }) {
    const ids = [...this.#list.children].map((item) => /** @type {HTMLElement} */ (item).dataset['room'] ?? '') // our own list holds only li
    const others = ids.map((_, at) => ids[(ids.indexOf(id) + step * (at + 1) + ids.length * 2) % ids.length] ?? '')
    return others.find(
      (other) => other !== id && (!unread || this.#entries.get(other)?.link.classList.contains('news')),
    )
  }

  /** The room that is being read. @param {string} id */
  mark(id) {
    this.#entries.get(this.#current)?.link.removeAttribute('aria-current')
    this.#current = id
    this.#entries.get(id)?.link.setAttribute('aria-current', 'page')
  }

  // Halved, and not gone through: of hundreds of rooms each would be compared with each.
  /** The first that comes after a room. @param {Room} room @param {Element[]} items */
  #after(room, items) {
    let [begin, end] = [0, items.length]
    while (begin < end) {
      const middle = (begin + end) >> 1
      const item = items[middle]
      if (item && this.#isBefore(room, item)) end = middle
      else begin = middle + 1
    }
    return items[begin] ?? null
  }

  /** @param {Room} room @param {Element} item */
  #isBefore(room, item) {
    const other = this.#entries.get(/** @type {HTMLElement} */ (item).dataset['room'] ?? '')?.room // our own list holds only li
    return other !== undefined && this.#inOrder(room, other) < 0
  }

  /** @param {Room} one @param {Room} other */
  #inOrder(one, other) {
    return (
      rankOf(one) - rankOf(other) ||
      this.nameOf(one).localeCompare(this.nameOf(other), locale, { numeric: true }) ||
      one.id.localeCompare(other.id)
    )
  }

  /** @param {Room} room */
  #make(room) {
    const item = document.createElement('li')
    const link = document.createElement('a')
    const note = document.createElement('span')
    note.className = 'unseen'
    const dot = document.createElement('span')
    const here = document.createElement('span')
    dot.className = 'dot'
    dot.hidden = true
    here.className = 'unseen'
    dot.append(here)
    const badge = document.createElement('span')
    badge.className = 'badge'
    badge.hidden = true
    link.append(makeSign(room), document.createElement('bdi'), dot, note, badge)
    link.href = pathOf(room.id)
    if (room.id === this.#current) link.setAttribute('aria-current', 'page')
    item.dataset['room'] = room.id
    item.append(link)
    const entry = { room, item, link }
    this.#entries.set(room.id, entry)
    return entry
  }
}

/** The sign that stands before a room's name: an address within index.html. @param {Room | undefined} room */
export function signOf(room) {
  return `#sign-${room?.archived ? 'archived' : (room?.kind ?? 'open')}`
}

/** @param {Room} room */
function makeSign(room) {
  const namespace = 'http://www.w3.org/2000/svg'
  const sign = document.createElementNS(namespace, 'svg')
  const use = document.createElementNS(namespace, 'use')
  sign.setAttribute('class', 'sign')
  sign.setAttribute('width', '20')
  sign.setAttribute('height', '20')
  sign.setAttribute('aria-hidden', 'true')
  use.setAttribute('href', signOf(room))
  sign.append(use)
  return sign
}

/** @param {Room} room */
function rankOf(room) {
  if (room.archived) return 3
  if (room.kind === 'direct') return 2
  return room.id === lobby ? 0 : 1
}
