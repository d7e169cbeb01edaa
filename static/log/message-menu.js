// @ts-check
// Where one finds what can be done with a message: a small toolbar on the message that is under the pointer or has the focus, and
// all of it in a menu, which is a sheet from below on a phone. Knows how they come and go, not what their buttons do.

/** @import { Message } from '../../lib/chat/streams/events.ts' */
/**
 * @typedef {object} Choice
 * @property {string} what the value of the button: `react`, `pick`, `reply`, `edit`, `copy`, `link`, `block`, `unblock` or `delete`
 * @property {Message} message
 * @property {string} emoji for `react`
 * @property {HTMLElement} anchor the message on the page
 */

import { messageAround } from './message-walk.js'
import { part, within } from '../parts/parts.js'
import { firstLine } from './quotes.js'
import { say } from '../words/words.js'

const quick = ['👍', '❤️', '😂']
const margin = 8 // pixels between the menu and the edge of the window

export class MessageMenu {
  /** @type {HTMLElement | undefined} the message that has the toolbar */
  #under
  /** @type {HTMLElement | undefined} the message whose menu is open */
  #opened
  #byFinger = false
  #selecting = false
  #list = part('messages', HTMLElement)
  #toolbar = part('toolbar', HTMLElement)
  #dialog = part('actions', HTMLDialogElement)
  #actions
  #walk
  #find

  /**
   * @param {{ actions: import('./message-actions.js').MessageActions, walk: import('./message-walk.js').MessageWalk }} parts
   * @param {(id: string) => Message | undefined} find
   */
  constructor({ actions, walk }, find) {
    this.#actions = actions
    this.#walk = walk
    this.#find = find
    for (const place of [this.#toolbar, this.#dialog])
      within(place, '.quick', HTMLElement).prepend(...quick.map(makeQuick))
    this.#listenForPointers()
    this.#toolbar.addEventListener('click', (event) => this.#clicked(event, this.#under))
    this.#listenToMenu()
  }

  /** The menu of a message. @param {HTMLElement} element @param {DOMRect} [beside] for a pointer, at what */
  open(element, beside) {
    const message = this.#find(element.dataset['id'] ?? '')
    if (!message) return
    this.#opened = element
    within(this.#dialog, '.name', HTMLElement).textContent = message.from.name
    within(this.#dialog, '.quote-text', HTMLElement).textContent = firstLine(message.text)
    this.#allow(this.#dialog, message)
    void this.#learn(message)
    this.#dialog.showModal()
    this.#put(beside ?? within(element, '.said', HTMLElement).getBoundingClientRect())
  }

  /** The messages are not what they were, or one may do other things with them. */
  refresh() {
    const shown = /** @type {const} */ ([
      [this.#toolbar, this.#under],
      [this.#dialog, this.#dialog.open ? this.#opened : undefined],
    ])
    for (const [place, element] of shown) {
      const message = element && this.#find(element.dataset['id'] ?? '')
      if (message) this.#allow(place, message)
    }
  }

  /** @param {Message} message */
  async #learn(message) {
    if (await this.#actions.learn(message)) this.refresh()
  }

  #listenForPointers() {
    const list = this.#list
    list.addEventListener('pointerover', (event) => {
      if (event.pointerType === 'mouse') this.#show(messageAround(event.target))
    })
    list.addEventListener('pointerleave', () => {
      if (!this.#under?.querySelector(':focus-visible') && !this.#under?.matches(':focus-visible'))
        this.#show(undefined)
    })
    // By keyboard: a finger gives the focus too, but opens the sheet instead.
    list.addEventListener('focusin', ({ target }) => {
      if (target instanceof HTMLElement && target.matches(':focus-visible')) this.#show(messageAround(target))
    })
    list.addEventListener('focusout', ({ relatedTarget }) => {
      if (messageAround(relatedTarget) !== this.#under && !this.#under?.matches(':hover')) this.#show(undefined)
    })
    list.addEventListener('pointerdown', ({ pointerType }) => {
      this.#byFinger = pointerType !== 'mouse'
      this.#selecting = hasSelection()
    })
    // A long press selects text, as everywhere on a phone; a tap that ends a selection does only that.
    list.addEventListener('click', ({ target }) => {
      if (!this.#byFinger || this.#selecting || hasSelection() || !(target instanceof Element)) return
      if (target.closest('a, button, summary, input, .day, .new')) return
      const message = messageAround(target)
      if (message) this.open(message)
    })
  }

  #listenToMenu() {
    const dialog = this.#dialog
    dialog.addEventListener('click', (event) => {
      if (event.target === dialog)
        dialog.close() // beside it, where the browser doesn't do that by itself
      else this.#clicked(event, this.#opened)
    })
    dialog.addEventListener('close', () => this.#walk.focus())
    // The menu key that opened it would open the browser's own menu once it is let go.
    dialog.addEventListener('contextmenu', (event) => {
      if (event.button !== 2) event.preventDefault()
    })
    dialog.addEventListener('keydown', (event) => {
      const step =
        event.key === 'ArrowDown' || event.key === 'ArrowRight'
          ? 1
          : event.key === 'ArrowUp' || event.key === 'ArrowLeft'
            ? -1
            : 0
      if (step === 0) return
      const buttons = [...dialog.querySelectorAll('button')].filter((button) => button.checkVisibility())
      const at = buttons.findIndex((button) => button === document.activeElement)
      buttons.at((at + step) % buttons.length)?.focus()
      event.preventDefault()
    })
  }

  /** @param {HTMLElement | undefined} element the message that has the toolbar from now on */
  #show(element) {
    if (element === this.#under && (!element || this.#toolbar.parentElement === element)) return
    const message = this.#find(element?.dataset['id'] ?? '')
    // Whoever has just clicked on it takes the focus away with the pointer; whoever works by keyboard keeps it.
    if (this.#toolbar.contains(document.activeElement)) {
      if (this.#toolbar.querySelector(':focus-visible')) return
      this.#under?.focus({ preventScroll: true })
    }
    this.#under = message && element
    if (!message || !element) return this.#toolbar.remove()
    this.#allow(this.#toolbar, message)
    element.append(this.#toolbar)
  }

  /** @param {HTMLElement} place @param {Message} message */
  #allow(place, message) {
    const may = this.#actions.may(message)
    within(place, '.quick', HTMLElement).hidden = !may.react
    for (const button of place.querySelectorAll('button')) {
      const { value } = button
      if (value === 'react')
        button.ariaPressed = String(
          message.reactions?.some(({ emoji, me }) => emoji === button.dataset['emoji'] && me) ?? false,
        )
      else if (value === 'reply' || value === 'edit' || value === 'delete' || value === 'block' || value === 'unblock')
        button.hidden = !may[value]
    }
  }

  /** @param {Event} event @param {HTMLElement | undefined} element */
  #clicked({ target }, element) {
    const button = target instanceof Element ? target.closest('button') : null
    const message = this.#find(element?.dataset['id'] ?? '')
    if (!button || !element) return
    if (!message) return this.#dialog.close() // it was deleted meanwhile
    if (button.value === 'more') return this.open(element, button.getBoundingClientRect())
    this.#dialog.close()
    void this.#actions.choose({ what: button.value, message, emoji: button.dataset['emoji'] ?? '', anchor: element })
  }

  /** Beside what it belongs to; where the style sheet makes it a sheet, this is of no effect. @param {DOMRect} beside */
  #put(beside) {
    const { width, height } = this.#dialog.getBoundingClientRect()
    const below = beside.bottom + height + margin <= innerHeight
    const top = below ? beside.bottom : Math.max(margin, beside.top - height)
    const left = Math.min(Math.max(margin, beside.right - width), innerWidth - width - margin)
    this.#dialog.style.setProperty('--top', `${Math.round(Math.min(top, innerHeight - height - margin))}px`)
    this.#dialog.style.setProperty('--left', `${Math.round(left)}px`)
  }
}

/** @param {string} emoji */
function makeQuick(emoji) {
  const button = document.createElement('button')
  button.type = 'button'
  button.className = 'emoji'
  button.value = 'react'
  button.dataset['emoji'] = emoji
  button.title = button.ariaLabel = say('message.react_with', { emoji })
  button.textContent = emoji
  return button
}

function hasSelection() {
  return getSelection()?.isCollapsed === false
}
