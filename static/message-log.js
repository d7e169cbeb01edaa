// @ts-check
// The messages of one room on the screen: their order, days and groups, where one has scrolled to, and how many are kept.
// Knows nothing of the server; what it needs it asks for.

/** @import { Message } from '../lib/chat/events.ts' */
/** @import { Entry } from './outbox.js' */
/**
 * @typedef {object} Item
 * @property {string} id empty until the server has given one; such items come last
 * @property {string} key of what is being sent; empty once it is a message like any other
 * @property {Pick<Message, 'from' | 'text' | 'at'>} message
 * @property {HTMLElement} element
 */

import { hueOf, initialOf } from './person.js'

const shownAtEndMax = 500 // whoever reads along keeps this many; older ones can be loaded again
const shownMax = 2_000 // whoever has scrolled far up gets no more than this; then the end is cut off until they jump to it
const trimEvery = 50 // trimming forces a layout: not for each message
const groupMs = 5 * 60_000
const nearEnd = 60 // pixels from the end that still count as being at it
const nearStart = 800 // pixels from the start at which older messages are asked for
const renameMs = 60_000 // how often it is looked whether today has become yesterday
const quietMs = 1_000 // history put in is not read out as if it were said now

const timeFormat = new Intl.DateTimeFormat(undefined, { hour: 'numeric', minute: '2-digit' })
const dayFormat = new Intl.DateTimeFormat(undefined, { weekday: 'long', day: 'numeric', month: 'long' })
const dayOfYearFormat = new Intl.DateTimeFormat(undefined, { dateStyle: 'full' })
const wholeFormat = new Intl.DateTimeFormat(undefined, { dateStyle: 'full', timeStyle: 'medium' })

export class MessageLog {
  /** @type {Item[]} by id, then what is being sent */
  #items = []
  /** @type {Set<string>} */
  #ids = new Set()
  #me = ''
  #more = false
  #filled = false
  #following = true
  #cut = false
  #lastTop = 0
  #unseen = 0
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #quiet
  #today = new Date().toDateString()
  #parts
  #wants

  /**
   * @param {{ scroller: HTMLElement, list: HTMLElement, template: HTMLTemplateElement, older: HTMLElement, beginning: HTMLElement,
   *   empty: HTMLElement, loading: HTMLElement, jump: HTMLElement }} parts
   * @param {{ older: () => void, newest: () => void, retry: (key: string) => void, discard: (key: string) => void }} wants
   */
  constructor(parts, wants) {
    this.#parts = parts
    this.#wants = wants
    parts.scroller.addEventListener('scroll', () => this.#scrolled(), { passive: true })
    parts.older.addEventListener('click', () => wants.older())
    parts.jump.addEventListener('click', () => {
      this.toEnd()
      parts.scroller.focus({ preventScroll: true })
    })
    parts.list.addEventListener('click', (event) => this.#clicked(event))
    // Whatever changes the height (a message, the keyboard of a phone, a longer draft): who was at the end stays there.
    const sizes = new ResizeObserver(() => {
      if (this.#following) this.#stick()
    })
    sizes.observe(parts.scroller)
    sizes.observe(parts.list)
    setInterval(() => this.#renameDays(), renameMs)
  }

  /** Whose messages are marked as one's own: a user's id. @param {string} id */
  set me(id) {
    this.#me = id
    for (const item of this.#items) this.#write(item)
  }

  /** The id of the oldest message shown, where older ones are to be had. */
  get olderThan() {
    return this.#more ? this.#items[0]?.id : undefined
  }

  /** Whether the newest messages are there. */
  get filled() {
    return this.#filled
  }

  /** Another room, or the same one afresh. @param {string} roomName */
  clear(roomName) {
    this.#items = []
    this.#ids.clear()
    this.#more = this.#filled = this.#cut = false
    this.#following = true
    this.#unseen = 0
    this.#parts.list.replaceChildren()
    this.#parts.beginning.querySelector('bdi')?.replaceChildren(roomName)
    this.#showState()
  }

  /** The newest page of the history. What came live meanwhile stays. @param {Message[]} messages @param {boolean} more */
  fill(messages, more) {
    this.#hush()
    for (const message of messages) this.#put(message)
    this.#filled = true
    this.#more = more
    // A replay may have brought messages older than this page. Between them and the page there may be others.
    const oldest = messages[0]?.id
    if (more && oldest) this.#dropWhile((item) => item.id !== '' && Number(item.id) < Number(oldest))
    this.#showState()
    this.#stick()
    this.#askForOlder()
  }

  /** A page that comes before all others. @param {Message[]} messages @param {boolean} more */
  fillOlder(messages, more) {
    this.#hush()
    const anchor = this.#items[1]?.element // not the first: it may lose its day and its head to what comes before it
    const top = anchor?.getBoundingClientRect().top ?? 0
    for (const message of messages) this.#put(message)
    this.#more = more
    this.#showState()
    if (this.#following) this.#stick()
    else this.#scrollBy((anchor?.getBoundingClientRect().top ?? 0) - top)
    if (this.#items.length > shownMax) this.#cutEnd()
    this.#askForOlder()
  }

  /** A message that has come. One that is there already changes nothing. @param {Message} message */
  add(message) {
    if (this.#ids.has(message.id)) return
    const oldest = this.olderThan
    if (oldest && Number(message.id) < Number(oldest)) return // it comes when its page is loaded
    if (!this.#following && message.from.id !== this.#me) this.#unseen++
    if (!this.#following && this.#items.length >= shownMax) this.#cut = true
    if (!this.#cut) this.#put(message)
    if (this.#following && this.#items.length >= shownAtEndMax + trimEvery) this.#trim()
    this.#showState()
  }

  /** What is being sent, or could not be. @param {Entry} entry @param {Message['from']} from */
  pend(entry, from) {
    let item = this.#items.find((item) => item.key === entry.key)
    if (!item) {
      item = { id: '', key: entry.key, message: { from, text: entry.text, at: entry.at }, element: this.#make() }
      this.#place(item)
    }
    const { element } = item
    const failed = entry.refusal !== null
    element.dataset['state'] = failed ? 'failed' : 'pending'
    const state = /** @type {HTMLElement} */ (element.querySelector('.state')) // in the template
    const words = failed ? `Not sent: ${entry.refusal}` : entry.tries > 1 ? 'Not sent yet, trying again…' : 'Sending…'
    if (state.textContent !== words) state.textContent = words
    state.hidden = false
    const choices = /** @type {HTMLElement} */ (element.querySelector('.choices'))
    choices.hidden = !failed
    this.#showState()
  }

  /** What was being sent has become this message. @param {string} key @param {Message} message */
  settle(key, message) {
    const index = this.#items.findIndex((item) => item.key === key)
    const item = this.#items[index]
    if (!item || this.#ids.has(message.id)) {
      this.drop(key)
      this.add(message)
      return
    }
    // The same element goes on, so that a screen reader does not read it twice.
    item.id = message.id
    item.key = ''
    item.message = message
    this.#ids.add(message.id)
    delete item.element.dataset['state']
    for (const part of item.element.querySelectorAll('.state, .choices')) /** @type {HTMLElement} */ (part).hidden = true
    this.#write(item)
    const before = this.#items[index - 1]
    if (before && comesBefore(item, before)) {
      this.#items.splice(index, 1)
      this.#place(item)
    }
    this.#decorate(index)
    this.#decorate(index + 1)
  }

  /** What was being sent is taken back. @param {string} key */
  drop(key) {
    this.#take((item) => key !== '' && item.key === key)
  }

  /** What was said is deleted. @param {string} id */
  remove(id) {
    this.#take((item) => item.id === id)
  }

  /** @param {(item: Item) => boolean} is */
  #take(is) {
    const index = this.#items.findIndex(is)
    this.#items.splice(index, index < 0 ? 0 : 1)[0]?.element.remove()
    this.#decorate(index)
    this.#showState()
  }

  toEnd() {
    if (this.#cut) {
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

  /** @param {Message} message */
  #put(message) {
    if (this.#ids.has(message.id)) return
    this.#ids.add(message.id)
    this.#place({ id: message.id, key: '', message, element: this.#make() })
  }

  /** @param {Item} item */
  #place(item) {
    let index = this.#items.length
    for (let before = this.#items[index - 1]; before && comesBefore(item, before); before = this.#items[index - 1]) index--
    this.#parts.list.insertBefore(item.element, this.#items[index]?.element ?? null)
    this.#items.splice(index, 0, item)
    this.#write(item)
    this.#decorate(index)
    this.#decorate(index + 1)
  }

  #make() {
    const copy = /** @type {DocumentFragment} */ (this.#parts.template.content.cloneNode(true))
    return /** @type {HTMLElement} */ (copy.firstElementChild) // the template holds exactly one
  }

  /** @param {Item} item */
  #write({ id, key, message: { from, text, at }, element }) {
    element.dataset['id'] = id
    element.dataset['key'] = key
    element.classList.toggle('own', from.id === this.#me)
    element.style.setProperty('--hue', hueOf(from.id))
    const when = new Date(at)
    const part = (/** @type {string} */ name) => /** @type {HTMLElement} */ (element.querySelector(name)) // all in the template
    part('.avatar').textContent = initialOf(from.name)
    part('.name').textContent = from.name
    part('.tag').hidden = from.unproven !== true
    part('.text').textContent = text
    const time = /** @type {HTMLTimeElement} */ (part('time'))
    time.dateTime = at
    time.replaceChildren(...timeFormat.formatToParts(when).map(({ type, value }) => type === 'dayPeriod' ? halfOfDay(value) : value))
    time.title = wholeFormat.format(when)
  }

  /** Is it the first of its day, the first of its author? @param {number} index */
  #decorate(index) {
    const item = this.#items[index]
    if (!item) return
    const before = this.#items[index - 1]?.message
    const { at, from } = item.message
    const newDay = before === undefined || new Date(before.at).toDateString() !== new Date(at).toDateString()
    const grouped = !newDay && before.from.id === from.id && before.from.name === from.name &&
      before.from.unproven === from.unproven && Math.abs(Date.parse(at) - Date.parse(before.at)) < groupMs
    item.element.classList.toggle('grouped', grouped)
    const day = /** @type {HTMLElement} */ (item.element.firstElementChild) // as the template has it
    const name = newDay ? nameOfDay(at) : ''
    if (day.textContent !== name) day.textContent = name
    day.hidden = !newDay
  }

  #showState() {
    const { older, beginning, empty, loading, jump } = this.#parts
    const some = this.#items.length > 0
    loading.hidden = this.#filled
    older.hidden = !this.#more
    beginning.hidden = !this.#filled || this.#more || !some
    empty.hidden = !this.#filled || some
    jump.hidden = this.#following && !this.#cut
    jump.textContent = this.#unseen > 0 ? `${this.#unseen} new` : 'To the newest'
    jump.classList.toggle('calling', this.#unseen > 0)
  }

  #scrolled() {
    const { scrollTop, scrollHeight, clientHeight } = this.#parts.scroller
    const was = this.#following
    // Growing at the end also moves the end away. Only who moves up has left it.
    if (scrollHeight - scrollTop - clientHeight < nearEnd) this.#following = !this.#cut
    else if (scrollTop < this.#lastTop) this.#following = false
    this.#lastTop = scrollTop
    if (this.#following) this.#unseen = 0
    if (was !== this.#following) this.#showState()
    this.#askForOlder()
  }

  #askForOlder() {
    if (this.#more && this.#parts.scroller.scrollTop < nearStart) this.#wants.older()
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

  #trim() {
    let extra = this.#items.length - shownAtEndMax
    this.#dropWhile((item) => item.id !== '' && extra-- > 0)
    this.#more = true
    this.#stick()
  }

  #cutEnd() {
    for (const item of this.#items.splice(shownMax)) {
      this.#ids.delete(item.id)
      item.element.remove()
    }
    this.#cut = true
    this.#showState()
  }

  /** @param {(item: Item) => boolean} unwanted */
  #dropWhile(unwanted) {
    const end = this.#items.findIndex((item) => !unwanted(item))
    for (const item of this.#items.splice(0, end < 0 ? this.#items.length : end)) {
      this.#ids.delete(item.id)
      item.element.remove()
    }
    this.#decorate(0)
  }

  #hush() {
    this.#parts.scroller.ariaLive = 'off'
    clearTimeout(this.#quiet)
    this.#quiet = setTimeout(() => {
      this.#parts.scroller.ariaLive = 'polite'
    }, quietMs)
  }

  /** @param {Event} event */
  #clicked(event) {
    const button = event.target instanceof Element ? event.target.closest('button') : null
    const item = this.#items.find((item) => button && item.element.contains(button))
    if (!item) return
    if (button?.value === 'retry') this.#wants.retry(item.key)
    if (button?.value === 'discard') this.#wants.discard(item.key)
  }
}

/** @param {Item} one @param {Item} other */
function comesBefore(one, other) {
  return one.id !== '' && (other.id === '' || Number(one.id) < Number(other.id))
}

/** @param {string} value AM or PM, which can be left out where there is no room for it */
function halfOfDay(value) {
  const half = document.createElement('span')
  half.className = 'half'
  half.textContent = value
  return half
}

/** @param {string} at */
function nameOfDay(at) {
  const date = new Date(at)
  const day = new Date()
  if (date.toDateString() === day.toDateString()) return 'Today'
  const thisYear = date.getFullYear() === day.getFullYear()
  day.setDate(day.getDate() - 1)
  if (date.toDateString() === day.toDateString()) return 'Yesterday'
  return (thisYear ? dayFormat : dayOfYearFormat).format(date)
}
