// @ts-check
// A small window in which one chooses an emoji: with a search field, by arrows or by pointing. Knows nothing of what it is for.

/** @import { Emoji } from './emoji.js' */

import { findEmoji, groups, recentEmoji, rememberEmoji } from './emoji.js'
import { say } from '../words/words.js'

const marginPx = 8 // what is left between it and the edge of the screen

export class EmojiPicker {
  #window = document.createElement('div')
  #search = document.createElement('input')
  #list = document.createElement('div')
  #none = document.createElement('p')
  /** @type {HTMLElement | undefined} what has opened it */
  #anchor
  /** @type {((emoji: string | undefined) => void) | undefined} */
  #picked
  #pressedAgain = false // what has opened it is pressed while it is open

  constructor() {
    this.#window.className = 'emoji-picker'
    this.#window.popover = 'auto' // Escape and a click beside it close it
    this.#window.role = 'dialog'
    this.#window.ariaLabel = say('emoji.title')
    this.#search.type = 'search'
    this.#search.autocomplete = 'off'
    this.#search.spellcheck = false
    this.#search.enterKeyHint = 'done'
    this.#search.placeholder = this.#search.ariaLabel = say('emoji.search')
    this.#search.setAttribute('aria-controls', 'emoji-list')
    this.#list.id = 'emoji-list'
    this.#list.role = 'listbox'
    this.#list.tabIndex = 0
    this.#list.ariaLabel = say('emoji.title')
    this.#none.className = 'note'
    this.#none.role = 'status'
    this.#window.append(this.#search, this.#list, this.#none)

    this.#search.addEventListener('input', () => this.#show())
    this.#window.addEventListener('keydown', (event) => this.#pressed(event))
    this.#list.addEventListener('click', (event) => {
      const option = event.target instanceof Element ? event.target.closest('[role=option]') : null
      if (option) this.#take(option)
    })
    addEventListener(
      'pointerdown',
      ({ target }) => {
        this.#pressedAgain =
          this.#window.matches(':popover-open') && target instanceof Node && this.#anchor?.contains(target) === true
      },
      { capture: true },
    )
    this.#window.addEventListener('beforetoggle', (event) => {
      if (event.newState === 'closed') this.#closed()
    })
  }

  /** What somebody chooses; undefined if they close it. @param {HTMLElement} anchor beside which it opens, and which has the focus again afterwards @returns {Promise<string | undefined>} */
  async pick(anchor) {
    if (anchor === this.#anchor && this.#pressedAgain) {
      // Pressing there has closed it, and was meant to. The click comes after that.
      this.#pressedAgain = false
      return undefined
    }
    if (this.#window.matches(':popover-open')) this.#window.hidePopover()
    // In an open dialog, as nothing outside of that can be reached.
    const place = anchor.closest('dialog') ?? document.body
    if (this.#window.parentElement !== place) place.append(this.#window)
    this.#anchor = anchor
    this.#search.value = ''
    this.#show()
    this.#window.showPopover()
    this.#place(anchor.getBoundingClientRect())
    // Where one points with a finger the field would bring up a keyboard, and hide what one came for.
    const field = matchMedia('(pointer: coarse)').matches ? this.#list : this.#search
    field.focus({ preventScroll: true })
    return new Promise((resolve) => {
      this.#picked = resolve
    })
  }

  /** @param {Element} option */
  #take(option) {
    const emoji = option.getAttribute('data-emoji') ?? ''
    rememberEmoji(emoji)
    this.#picked?.(emoji)
    this.#picked = undefined
    this.#window.hidePopover()
  }

  #closed() {
    const hadFocus = this.#window.contains(document.activeElement)
    this.#picked?.(undefined)
    this.#picked = undefined
    if (hadFocus) this.#anchor?.focus({ preventScroll: true })
  }

  #show() {
    const typed = this.#search.value.trim()
    const shown =
      typed !== '' ? [{ name: '', emoji: findEmoji(typed) }] : [{ name: 'recent', emoji: recentEmoji() }, ...groups]
    let count = 0
    this.#list.replaceChildren(
      ...shown
        .filter(({ emoji }) => emoji.length > 0)
        .map(({ name, emoji }) => {
          const group = document.createElement('div')
          const options = document.createElement('div')
          options.className = 'emoji-options'
          options.append(...emoji.map((one) => makeOption(one, `emoji-${count++}`)))
          group.role = 'group'
          group.ariaLabel = name === '' ? say('emoji.found') : say(`emoji.${name}`)
          if (name !== '') {
            const heading = document.createElement('h3')
            heading.ariaHidden = 'true' // the group has it as its name
            heading.textContent = group.ariaLabel
            group.append(heading)
          }
          group.append(options)
          return group
        }),
    )
    this.#list.scrollTop = 0
    this.#none.textContent = count === 0 ? say('emoji.none') : ''
    this.#mark(this.#options[0])
  }

  get #options() {
    return /** @type {HTMLElement[]} */ ([...this.#list.querySelectorAll('[role=option]')])
  }

  /** @param {HTMLElement | undefined} option which Enter would take */
  #mark(option) {
    for (const other of this.#options) other.ariaSelected = String(other === option)
    for (const field of [this.#search, this.#list]) {
      if (option) field.setAttribute('aria-activedescendant', option.id)
      else field.removeAttribute('aria-activedescendant')
    }
    if (option && this.#window.matches(':popover-open')) option.scrollIntoView({ block: 'nearest' })
  }

  /** @param {KeyboardEvent} event */
  #pressed(event) {
    if (event.isComposing || event.keyCode === 229) return
    const options = this.#options
    const at = options.findIndex((option) => option.ariaSelected === 'true')
    const current = options[at]
    if (event.key === 'Enter' && current) this.#take(current)
    else if (event.key === 'ArrowRight') this.#mark(options[at + 1] ?? current)
    else if (event.key === 'ArrowLeft') this.#mark(options[at - 1] ?? current)
    else if (event.key === 'ArrowDown') this.#mark(inNextRow(current, options.slice(at + 1)) ?? current)
    else if (event.key === 'ArrowUp') this.#mark(inNextRow(current, options.slice(0, at).reverse()) ?? current)
    else return
    event.preventDefault()
    event.stopPropagation()
  }

  /** Above what has opened it if it fits there, else below, and always on the screen. @param {DOMRect} anchor */
  #place(anchor) {
    const { offsetWidth: width, offsetHeight: height } = this.#window
    const most = { left: innerWidth - width - marginPx, top: innerHeight - height - marginPx }
    const above = anchor.top - height - marginPx
    const left = Math.max(marginPx, Math.min(anchor.right - width, most.left))
    const top = Math.max(marginPx, Math.min(above >= marginPx ? above : anchor.bottom + marginPx, most.top))
    this.#window.style.left = `${left}px`
    this.#window.style.top = `${top}px`
  }
}

/** @param {Emoji} emoji @param {string} id */
function makeOption({ emoji, names }, id) {
  const option = document.createElement('div')
  option.id = id
  option.role = 'option'
  option.dataset['emoji'] = emoji
  option.title = option.ariaLabel =
    names.filter((name) => /[a-z]/.test(name) === !document.documentElement.lang.startsWith('zh'))[0] ?? emoji
  option.textContent = emoji
  return option
}

/** The nearest in the next row, whose ends need not be below each other. @param {HTMLElement | undefined} from @param {HTMLElement[]} others the nearest first */
function inNextRow(from, others) {
  if (!from) return undefined
  const row = others.find(({ offsetTop }) => offsetTop !== from.offsetTop)?.offsetTop
  const distance = (/** @type {HTMLElement} */ other) => Math.abs(other.offsetLeft - from.offsetLeft)
  return others.filter(({ offsetTop }) => offsetTop === row).sort((one, other) => distance(one) - distance(other))[0]
}
