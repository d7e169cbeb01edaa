// @ts-check
// The messages of one room on the screen: their order, days and groups, what is new, and where one has scrolled to. Shows what it is given;
// knows nothing of the server, and asks for what it needs.

/** @import { Message } from '../../lib/chat/streams/events.ts' */
/** @import { Entry } from '../composer/outbox.js' */
/**
 * @typedef {object} Item
 * @property {string} id empty until the server has given one; such items come last
 * @property {string} key of what is being sent; empty once it is a message like any other
 * @property {Pick<Message, 'room' | 'from' | 'text' | 'at' | 'replyTo'>} message
 * @property {HTMLElement} element
 */

import { nameOfDay } from './days.js'
import { makeMessage, writeMessage, writePlace, writeSending } from './message.js'
import { say } from '../words/words.js'

const groupMs = 5 * 60_000
const nearEnd = 60 // pixels from the end that still count as being at it
const nearEdge = 800 // pixels from the start or the end at which more messages are asked for
const renameMs = 60_000 // how often it is looked whether today has become yesterday
const quietMs = 1_000 // history put in is not read out as if it were said now

export class MessageLog {
  /** @type {Item[]} by id, then what is being sent */
  #items = []
  /** @type {Map<string, Item>} those that have an id */
  #byId = new Map()
  #viewer
  #editing = '' // the id of the message that is being changed
  #older = false
  #newer = false
  #filled = false
  #following = true
  #lastTop = 0
  #unseen = 0
  #newAfter = Infinity // others' messages after this id are new to whoever reads
  /** @type {Item | undefined} the first of those */
  #firstNew
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #quiet
  #today = new Date().toDateString()
  #parts
  #wants

  /**
   * @param {{ scroller: HTMLElement, list: HTMLElement, template: HTMLTemplateElement, older: HTMLElement, beginning: HTMLElement,
   *   empty: HTMLElement, loading: HTMLElement, jump: HTMLElement, walk: import('./message-walk.js').MessageWalk }} parts
   * @param {import('./message.js').Viewer} viewer
   * @param {{ more: (side: 'older' | 'newer') => void, newest: () => void, moved: () => void, retry: (key: string) => void, discard: (key: string) => void,
   *   react: (message: string, emoji: string, on: boolean) => Promise<void> }} wants
   */
  constructor(parts, viewer, wants) {
    this.#parts = parts
    this.#viewer = viewer
    this.#wants = wants
    parts.scroller.addEventListener('scroll', () => this.#scrolled(), { passive: true })
    parts.older.addEventListener('click', () => wants.more('older'))
    parts.jump.addEventListener('click', () => {
      this.toEnd()
      parts.scroller.focus({ preventScroll: true })
    })
    parts.list.addEventListener('click', (event) => void this.#clicked(event))
    // Whatever changes the height (a message, the keyboard of a phone, a longer draft): who was at the end stays there.
    const sizes = new ResizeObserver(() => {
      if (this.#following) this.#stick()
    })
    sizes.observe(parts.scroller)
    sizes.observe(parts.list)
    setInterval(() => this.#renameDays(), renameMs)
  }

  /** For whom it is shown: whose messages and reactions are marked as their own. @returns {import('./message.js').Viewer} */
  get viewer() {
    return this.#viewer
  }

  set viewer(viewer) {
    if (viewer.me === this.#viewer.me && viewer.mayReact === this.#viewer.mayReact) return
    this.#viewer = viewer
    for (const item of this.#items) this.#write(item)
  }

  /** Is whoever reads at the end, and stays there when something comes? */
  get following() {
    return this.#following
  }

  /** A line stands before the first message of others after this id. @param {string | undefined} id */
  set newAfter(id) {
    this.#newAfter = id === undefined ? Infinity : Number(id)
    this.#divide()
  }

  /** Does that line stand somewhere? */
  get divided() {
    return this.#firstNew !== undefined
  }

  /** Another room, or the same one afresh. @param {string} roomName */
  clear(roomName) {
    this.#items = []
    this.#byId.clear()
    this.#firstNew = undefined
    this.#older = this.#newer = this.#filled = false
    this.#following = true
    this.#unseen = 0
    this.#parts.walk.leaveAll()
    this.#parts.list.replaceChildren()
    this.#parts.beginning.querySelector('bdi')?.replaceChildren(roomName)
    this.#showState()
  }

  /**
   * These are the messages now; what is being sent stays behind them. `older`, `newer`: there are such too.
   * `history`: those that are new here were not said just now.
   * @param {Map<string, Message>} messages @param {{ older: boolean, newer: boolean, history: boolean }} how
   */
  show(messages, { older, newer, history }) {
    if (history) this.#hush()
    const last = Number(this.#items.findLast(({ id }) => id !== '')?.id ?? 0)
    const gone = [...this.#byId.values()].filter(({ id }) => !messages.has(id))
    const changed = [...messages.values()].filter(
      (message) => this.#byId.get(message.id)?.message !== message && isWhole(message),
    )
    // Nothing moves for who reads further up if all that is new comes at the end.
    const anchor =
      gone.length === 0 && changed.every(({ id }) => Number(id) > last) ? undefined : this.#anchor(messages)
    const top = anchor?.getBoundingClientRect().top ?? 0

    for (const item of gone) this.#take(item)
    for (const message of changed) this.#put(message)
    if (!this.#following && !history)
      this.#unseen += changed.filter(({ id, from }) => Number(id) > last && from.id !== this.#viewer.me).length
    this.#filled = true
    this.#older = older
    this.#newer = newer
    if (newer) this.#following = false
    this.#divide()
    this.#showState()
    if (this.#following && (history || gone.length > 0)) this.#stick()
    if (!this.#following && anchor) this.#scrollBy(anchor.getBoundingClientRect().top - top)
    if (history) this.#askForMore()
    this.#wants.moved()
  }

  /** Brings a message before one's eyes and shows which it is. @param {string} id @returns {boolean} false: it is not here */
  reveal(id) {
    const item = this.#byId.get(id)
    if (!item) return false
    this.#following = false
    item.element.scrollIntoView({ block: 'center' })
    this.#lastTop = this.#parts.scroller.scrollTop
    for (const other of this.#parts.list.querySelectorAll('.found')) other.classList.remove('found')
    item.element.classList.add('found')
    item.element.focus({ preventScroll: true })
    this.#showState()
    return true
  }

  /** A message that has come and is not shown, as the end is cut off. @param {Message} message */
  miss({ from }) {
    if (from.id !== this.#viewer.me) this.#unseen++
  }

  /** What is being sent, or could not be. @param {Entry} entry @param {Message['from']} from */
  pend(entry, from) {
    let item = this.#items.find((one) => one.key === entry.key)
    if (!item) {
      item = { id: '', key: entry.key, message: { ...entry, from }, element: makeMessage(this.#parts.template) }
      this.#place(item)
    }
    writeSending(item.element, entry)
    this.#showState()
  }

  /** What was being sent has become this message: the same element goes on, so that a screen reader does not read it twice. @param {string} key @param {string} id */
  settle(key, id) {
    const item = this.#items.find((one) => one.key === key)
    if (!item) return
    if (this.#byId.has(id)) return this.drop(key)
    item.id = id
    item.key = ''
    this.#byId.set(id, item)
    writeSending(item.element, null)
    this.#write(item)
    this.#remove(item)
    this.#place(item)
  }

  /** What was being sent is taken back. @param {string} key */
  drop(key) {
    const item = this.#items.find((one) => one.key === key)
    if (item) this.#take(item)
    this.#showState()
  }

  /** Of what was being sent, nothing is left but these. @param {Set<string>} keys */
  keepSending(keys) {
    for (const item of this.#items.filter(({ key }) => key !== '' && !keys.has(key))) this.#take(item)
    this.#showState()
  }

  /** The message that is being changed, if any. @param {string} id */
  set editing(id) {
    const before = this.#byId.get(this.#editing)
    this.#editing = id
    for (const item of [before, this.#byId.get(id)]) if (item) this.#write(item)
  }

  toEnd() {
    if (this.#newer) {
      this.#wants.newest()
      return
    }
    this.#following = true
    this.#stick()
    this.#showState()
  }

  #renameDays() {
    const today = new Date().toDateString()
    if (today === this.#today) return
    this.#today = today
    for (const index of this.#items.keys()) this.#decorate(index)
  }

  /** A message that is new, or not what it was. @param {Message} message */
  #put(message) {
    const item = this.#byId.get(message.id)
    if (item) {
      item.message = message
      this.#write(item)
      const index = this.#items.indexOf(item)
      this.#decorate(index)
      this.#decorate(index + 1)
      return
    }
    const made = { id: message.id, key: '', message, element: makeMessage(this.#parts.template) }
    this.#byId.set(message.id, made)
    this.#place(made)
  }

  /** @param {Item} item */
  #take(item) {
    this.#byId.delete(item.id)
    this.#parts.walk.leave(item.element)
    item.element.remove()
    this.#remove(item)
  }

  /** @param {Item} item */
  #remove(item) {
    const index = this.#items.indexOf(item)
    this.#items.splice(index, 1)
    this.#decorate(index)
  }

  /** @param {Item} item */
  #place(item) {
    let index = this.#items.length
    for (let before = this.#items[index - 1]; before && comesBefore(item, before); before = this.#items[index - 1])
      index--
    const next = this.#items[index]?.element ?? null
    if (!item.element.isConnected || item.element.nextElementSibling !== next) {
      const focused = document.activeElement
      this.#parts.list.insertBefore(item.element, next)
      // What is moved loses the focus.
      if (focused instanceof HTMLElement && item.element.contains(focused)) focused.focus({ preventScroll: true })
    }
    this.#items.splice(index, 0, item)
    this.#write(item)
    this.#decorate(index)
    this.#decorate(index + 1)
  }

  /** @param {Item} item */
  #write({ id, key, message, element }) {
    element.dataset['id'] = id
    element.dataset['key'] = key
    element.classList.toggle('changing', id !== '' && id === this.#editing)
    writeMessage(element, message, this.#viewer)
  }

  /** Is it the first of its day, the first of its author? @param {number} index */
  #decorate(index) {
    const item = this.#items[index]
    if (!item) return
    const before = this.#items[index - 1]?.message
    const { at, from, replyTo } = item.message
    const newDay = before === undefined || new Date(before.at).toDateString() !== new Date(at).toDateString()
    const isFirstNew = item === this.#firstNew
    const grouped =
      !newDay &&
      !isFirstNew &&
      replyTo === undefined &&
      before.from.id === from.id &&
      before.from.name === from.name &&
      before.from.unproven === from.unproven &&
      Math.abs(Date.parse(at) - Date.parse(before.at)) < groupMs
    writePlace(item.element, { day: newDay ? nameOfDay(at) : '', firstNew: isFirstNew, grouped })
  }

  #divide() {
    const first = this.#items.find(
      ({ id, message }) => Number(id) > this.#newAfter && message.from.id !== this.#viewer.me,
    )
    const before = this.#firstNew
    if (first === before) return
    this.#firstNew = first
    for (const item of [before, first]) if (item) this.#decorate(this.#items.indexOf(item))
  }

  #showState() {
    const { older, beginning, empty, loading, jump } = this.#parts
    const some = this.#items.length > 0
    loading.hidden = this.#filled
    if (!this.#older && older === document.activeElement) this.#parts.scroller.focus({ preventScroll: true })
    older.hidden = !this.#older
    beginning.hidden = !this.#filled || this.#older || !some
    empty.hidden = !this.#filled || some || this.#older
    jump.hidden = this.#following
    jump.textContent = this.#unseen > 0 ? say('log.new', { count: this.#unseen }) : say('log.newest')
    jump.classList.toggle('calling', this.#unseen > 0)
  }

  #scrolled() {
    const { scrollTop, scrollHeight, clientHeight } = this.#parts.scroller
    const was = this.#following
    // Growing at the end also moves the end away. Only who moves up has left it.
    if (scrollHeight - scrollTop - clientHeight < nearEnd) this.#following = !this.#newer
    else if (scrollTop < this.#lastTop) this.#following = false
    this.#lastTop = scrollTop
    if (this.#following) this.#unseen = 0
    if (was !== this.#following) {
      this.#showState()
      this.#wants.moved()
    }
    this.#askForMore()
  }

  #askForMore() {
    const { scrollTop, scrollHeight, clientHeight } = this.#parts.scroller
    if (this.#older && scrollTop < nearEdge) this.#wants.more('older')
    if (this.#newer && scrollHeight - scrollTop - clientHeight < nearEdge) this.#wants.more('newer')
  }

  // What whoever reads further up has before their eyes, and must not move: the text, since its head may go to one before it.
  /** @param {Map<string, Message>} messages */
  #anchor(messages) {
    const { top } = this.#parts.scroller.getBoundingClientRect()
    const first = this.#items.find(
      ({ id, element }) => (id === '' || messages.has(id)) && element.getBoundingClientRect().bottom > top,
    )
    return first?.element.querySelector('.text') ?? undefined
  }

  #stick() {
    this.#unseen = 0
    this.#scrollBy(this.#parts.scroller.scrollHeight)
  }

  /** @param {number} pixels */
  #scrollBy(pixels) {
    const { scroller } = this.#parts
    scroller.scrollTop += Math.round(pixels) // a browser may cut off a fraction, and after many pages that would show
    this.#lastTop = scroller.scrollTop
  }

  #hush() {
    this.#parts.scroller.ariaLive = 'off'
    clearTimeout(this.#quiet)
    this.#quiet = setTimeout(() => {
      this.#parts.scroller.ariaLive = 'polite'
    }, quietMs)
  }

  /** @param {Event} event */
  async #clicked(event) {
    const button = event.target instanceof Element ? event.target.closest('button') : null
    const item = this.#items.find(({ element }) => button && element.contains(button))
    if (!button || !item) return
    if (button.value === 'retry') return this.#wants.retry(item.key)
    if (button.value === 'discard') return this.#wants.discard(item.key)
    if (button.ariaBusy === 'true' || !button.closest('.reactions')) return
    button.ariaBusy = 'true'
    await this.#wants.react(item.id, button.value, button.ariaPressed !== 'true')
    button.ariaBusy = null
  }
}

/** @param {Item} one @param {Item} other */
function comesBefore(one, other) {
  return one.id !== '' && (other.id === '' || Number(one.id) < Number(other.id))
}

// Of one whose text was changed the reactions may come before it does.
/** @param {Message} message */
function isWhole(message) {
  return message.from !== undefined
}
