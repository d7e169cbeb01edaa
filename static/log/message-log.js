// @ts-check
// The messages of one room on the screen: their order, days and groups, and what is new. Shows what it is given;
// knows nothing of the server, and asks for what it needs. Where one has scrolled to is in scroll-position.js.

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
import { part } from '../parts/parts.js'
import { ScrollPosition } from './scroll-position.js'
import { say } from '../words/words.js'

const groupMs = 5 * 60_000
const renameMs = 60_000 // how often it is looked whether today has become yesterday
const quietMs = 1_000 // history put in is not read out as if it were said now

export class MessageLog {
  /** @type {Item[]} by id, then what is being sent */
  #items = []
  /** @type {Map<string, Item>} those that have an id */
  #byId = new Map()
  #viewer
  #editing = '' // the id of the message that is being changed
  #filled = false
  #unseen = 0 // others' messages that came while one reads further up
  #newAfter = Infinity // others' messages after this id are new to whoever reads
  /** @type {Item | undefined} the first of those */
  #firstNew
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #quiet
  #today = new Date().toDateString()
  #scroller = part('log', HTMLElement)
  #list = part('messages', HTMLElement)
  #template = part('message-template', HTMLTemplateElement)
  #older = part('older', HTMLElement)
  #jump = part('jump', HTMLElement)
  #position
  #walk
  #wants

  /**
   * @param {import('./message-walk.js').MessageWalk} walk
   * @param {import('./message.js').Viewer} viewer
   * @param {{ more: (side: 'older' | 'newer') => void, newest: () => void, moved: () => void, retry: (key: string) => void, discard: (key: string) => void,
   *   react: (message: string, emoji: string, on: boolean) => Promise<void> }} wants
   */
  constructor(walk, viewer, wants) {
    this.#walk = walk
    this.#viewer = viewer
    this.#wants = wants
    this.#position = new ScrollPosition({
      more: wants.more,
      followed: () => {
        if (this.following) this.#unseen = 0
        this.#showState()
        wants.moved()
      },
    })
    this.#older.addEventListener('click', () => wants.more('older'))
    this.#jump.addEventListener('click', () => {
      this.toEnd()
      this.#scroller.focus({ preventScroll: true })
    })
    this.#list.addEventListener('click', (event) => void this.#clicked(event))
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
    return this.#position.following
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
    this.#filled = false
    this.#position.begin()
    this.#unseen = 0
    this.#walk.leaveAll()
    this.#list.replaceChildren()
    part('beginning', HTMLElement).querySelector('bdi')?.replaceChildren(roomName)
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
    if (!this.following && !history)
      this.#unseen += changed.filter(({ id, from }) => Number(id) > last && from.id !== this.#viewer.me).length
    this.#filled = true
    this.#position.bound({ older, newer })
    this.#divide()
    this.#showState()
    if (this.following && (history || gone.length > 0)) this.#position.stick()
    if (!this.following && anchor) this.#position.move(anchor.getBoundingClientRect().top - top)
    if (history) this.#position.askForMore()
    this.#wants.moved()
  }

  /** Brings a message before one's eyes and shows which it is. @param {string} id @returns {boolean} false: it is not here */
  reveal(id) {
    const item = this.#byId.get(id)
    if (!item) return false
    this.#position.reveal(item.element)
    for (const other of this.#list.querySelectorAll('.found')) other.classList.remove('found')
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
      item = { id: '', key: entry.key, message: { ...entry, from }, element: makeMessage(this.#template) }
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
    if (this.#position.newer) return this.#wants.newest()
    this.#unseen = 0
    this.#position.toEnd()
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
    const made = { id: message.id, key: '', message, element: makeMessage(this.#template) }
    this.#byId.set(message.id, made)
    this.#place(made)
  }

  /** @param {Item} item */
  #take(item) {
    this.#byId.delete(item.id)
    this.#walk.leave(item.element)
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
      this.#list.insertBefore(item.element, next)
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
    const some = this.#items.length > 0
    const { older, following } = this.#position
    part('loading', HTMLElement).hidden = this.#filled
    if (!older && this.#older === document.activeElement) this.#scroller.focus({ preventScroll: true })
    this.#older.hidden = !older
    part('beginning', HTMLElement).hidden = !this.#filled || older || !some
    part('empty', HTMLElement).hidden = !this.#filled || some || older
    this.#jump.hidden = following
    this.#jump.textContent = this.#unseen > 0 ? say('log.new', { count: this.#unseen }) : say('log.newest')
    this.#jump.classList.toggle('calling', this.#unseen > 0)
  }

  // What whoever reads further up has before their eyes, and must not move: the text, since its head may go to one before it.
  /** @param {Map<string, Message>} messages */
  #anchor(messages) {
    const { top } = this.#scroller.getBoundingClientRect()
    const first = this.#items.find(
      ({ id, element }) => (id === '' || messages.has(id)) && element.getBoundingClientRect().bottom > top,
    )
    return first?.element.querySelector('.text') ?? undefined
  }

  #hush() {
    this.#scroller.ariaLive = 'off'
    clearTimeout(this.#quiet)
    this.#quiet = setTimeout(() => {
      this.#scroller.ariaLive = 'polite'
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
