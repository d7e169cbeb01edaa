// @ts-check
// Walking through the messages by keyboard: one of them at a time is a stop of the Tab key, arrows go to the next, Enter opens what can
// be done with it. Sees to it that the focus is never lost when messages go.

import { part } from '../parts/parts.js'

const walks = new Map([
  ['ArrowUp', -1],
  ['ArrowDown', 1],
])

export class MessageWalk {
  /** @type {HTMLElement | undefined} the message that has the focus, or had it last */
  #current
  #scroller = part('log', HTMLElement)
  #list = part('messages', HTMLElement)

  /** @param {{ open: (message: HTMLElement) => void, leave: () => void }} on `leave`: to where one writes */
  constructor(on) {
    this.#list.addEventListener('focusin', (event) => {
      const message = messageAround(event.target)
      if (message) this.#stop(message)
    })
    this.#scroller.addEventListener('keydown', (event) => {
      if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return
      const message = messageAround(event.target)
      const itself = message !== undefined && message === event.target
      const asks = event.key === 'Enter' || event.key === 'ContextMenu' || (event.key === 'F10' && event.shiftKey)
      if (asks && itself) on.open(message)
      else if (event.key === 'Escape' && (message || event.target === this.#scroller)) on.leave()
      else if (event.shiftKey || !this.#walk(event.key, message)) return
      event.preventDefault()
    })
  }

  /** Scrolls as far as it takes to see a message. @param {string} id */
  show(id) {
    this.#list.querySelector(`.message[data-id="${id}"]`)?.scrollIntoView({ block: 'nearest' })
  }

  /** To the message where one was last, if one is nowhere else. */
  focus() {
    const { activeElement } = document
    // A button of a dialog that has just been closed has it for a moment longer.
    if (activeElement && activeElement !== document.body && activeElement.checkVisibility()) return
    const to = this.#current?.isConnected ? this.#current : this.#scroller
    to.focus({ preventScroll: true })
  }

  /** This message is about to go: whoever is there goes to the one beside it. @param {HTMLElement} message */
  leave(message) {
    const beside = [message.nextElementSibling, message.previousElementSibling].find(
      (element) => element instanceof HTMLElement,
    )
    const isHere = message.contains(document.activeElement)
    if (message === this.#current) this.#stop(beside)
    if (isHere) (beside ?? this.#scroller).focus({ preventScroll: true })
  }

  /** All messages are about to go. */
  leaveAll() {
    this.#stop(undefined)
    if (this.#list.contains(document.activeElement)) this.#scroller.focus({ preventScroll: true })
  }

  /** @param {string} key @param {HTMLElement | undefined} from @returns {boolean} whether there was a way to go */
  #walk(key, from) {
    const step = walks.get(key)
    if (step === undefined) return false
    if (!from) return this.#to(this.#entrance)
    // One that is taller than its place is read to its end first, by scrolling as the browser does.
    const { top, bottom } = this.#scroller.getBoundingClientRect()
    const box = from.getBoundingClientRect()
    const goesOn = step < 0 ? box.top < top - 1 : box.bottom > bottom + 1
    if (box.height > bottom - top && goesOn) return false
    return this.#to(step < 0 ? from.previousElementSibling : from.nextElementSibling)
  }

  /** @param {Element | null | undefined} message */
  #to(message) {
    if (!(message instanceof HTMLElement)) return false
    message.focus({ preventScroll: true })
    message.scrollIntoView({ block: 'nearest' })
    return true
  }

  /** Where one comes in: where one was, if that can be seen, or else at the last that can be. */
  get #entrance() {
    const { top, bottom } = this.#scroller.getBoundingClientRect()
    const seen = [...this.#list.children].filter((message) => {
      const box = message.getBoundingClientRect()
      return box.bottom > top && box.top < bottom
    })
    return seen.find((message) => message === this.#current) ?? seen.at(-1)
  }

  /** @param {HTMLElement | undefined} message */
  #stop(message) {
    if (message === this.#current) return
    if (this.#current) this.#current.tabIndex = -1
    if (message) message.tabIndex = 0
    this.#current = message
  }
}

/** @param {EventTarget | null} target @returns {HTMLElement | undefined} */
export function messageAround(target) {
  const message = target instanceof Element ? target.closest('.message') : null
  return message instanceof HTMLElement ? message : undefined
}
