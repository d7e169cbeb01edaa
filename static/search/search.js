// @ts-check
// Searching what was said: a dialog with one field, and below it what is found, newest first, each a link to where it was said. One
// request is under way at a time; what somebody has typed since is asked for after it. Imported on first use, with its own style sheet.

/** @import { Message, Room } from '../../lib/chat/streams/events.ts' */
/** @import { Marks } from './search-result.js' */
/** @typedef {{ messages: Message[], marks: Record<string, Marks>, more: boolean, before?: string }} Answer */
/**
 * @typedef {object} Quest what is looked for, and how far one has come
 * @property {string} q
 * @property {string | undefined} room the id of the one that is searched; undefined for all
 * @property {string | undefined} before what is older than this has not been looked at
 * @property {boolean} answered at least once
 * @property {boolean} more there may be more
 * @property {number} goes how often it went on by itself
 * @property {number} failures
 * @property {Set<string>} found the ids of messages
 */

import { Refusal, backoffMs, isTemporary, request } from '../parts/api.js'
import { openDialog } from '../parts/parts.js'
import { unchanged } from '../parts/unchanged.js'
import { makeResult } from './search-result.js'
import { say } from '../words/words.js'

const pauseMs = 150 // somebody who types goes on within this time
const goesMax = 5 // an answer is cut off after a time, with whatever was found by then: so often it goes on by itself
const nearEnd = 300 // pixels from the end at which more is asked for

await loadStyle()

export class Search {
  /** @type {Quest | undefined} */
  #quest
  /** @type {Room | undefined} the one that is searched if one chooses so */
  #room
  /** @type {HTMLElement | undefined} the result that Enter leads to */
  #active
  #asking = false
  #notBefore = 0 // the server has asked to be left alone until then
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #pause
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #again
  #dialog = document.createElement('dialog')
  #field = document.createElement('input')
  #where = document.createElement('div')
  #scroller = document.createElement('div')
  #list = document.createElement('div')
  #more = document.createElement('button')
  #status = document.createElement('p')
  #on

  /** @param {{ nameOf: (room: string) => string, failed: (error: unknown) => void }} on `nameOf`: what a room is called */
  constructor(on) {
    this.#on = on
    this.#build()
    this.#field.addEventListener('input', (event) => {
      // What an input method has not settled yet is no word.
      if (!(event instanceof InputEvent && event.isComposing)) this.#typed()
    })
    this.#field.addEventListener('compositionend', () => this.#typed())
    this.#field.addEventListener('keydown', (event) => {
      if (event.isComposing || event.keyCode === 229) return
      if (this.#pressed(event)) event.preventDefault()
    })
    this.#where.addEventListener('change', () => this.#begin())
    this.#scroller.addEventListener(
      'scroll',
      () => {
        if (this.#quest && this.#isNearEnd) this.#goOn()
      },
      { passive: true },
    )
    this.#more.addEventListener('click', () => {
      this.#field.focus() // the button goes
      this.#goOn()
    })
    // The page follows links to messages by itself; the dialog goes before that, and gives back the focus.
    this.#list.addEventListener('click', (event) => {
      if (event.button === 0 && !event.ctrlKey && !event.metaKey && !event.shiftKey && !event.altKey)
        this.#dialog.close()
    })
    this.#dialog.addEventListener('close', () => this.#rest())
    window.addEventListener('online', () => {
      if (this.#dialog.open) void this.#ask()
    })
  }

  /** With what was looked for last. @param {Room | undefined} room the one that may be searched by itself */
  open(room) {
    this.#room = room
    this.#where.hidden = !room
    openDialog(this.#dialog)
    this.#field.focus()
    this.#field.select()
    this.#begin()
  }

  /** Somebody else is at the page. */
  clear() {
    this.#dialog.close()
    this.#field.value = ''
    this.#begin()
  }

  #build() {
    this.#dialog.id = 'search'
    this.#dialog.ariaLabel = say('search.title')
    this.#dialog.setAttribute('closedby', 'any')

    const head = document.createElement('div')
    head.className = 'search-head'
    Object.assign(this.#field, {
      id: 'search-field',
      type: 'text',
      role: 'combobox',
      autocomplete: 'off',
      spellcheck: false,
      enterKeyHint: 'search',
      dir: 'auto',
    })
    this.#field.setAttribute('autocapitalize', 'off')
    this.#field.setAttribute('aria-autocomplete', 'list')
    this.#field.setAttribute('aria-controls', 'search-results')
    this.#field.placeholder = this.#field.ariaLabel = say('search.title')
    const close = document.createElement('button')
    close.type = 'button'
    close.className = 'quiet icon-button'
    close.ariaLabel = say('page.close')
    close.append(makeSign('#close'))
    close.addEventListener('click', () => this.#dialog.close())
    head.append(makeSign('#sign-search'), this.#field, close)

    this.#where.className = 'search-where'
    this.#where.role = 'radiogroup'
    this.#where.ariaLabel = say('search.where')
    this.#where.append(makeChoice('', say('search.everywhere'), true), makeChoice('room', say('search.room'), false))

    this.#scroller.className = 'search-scroller'
    Object.assign(this.#list, { id: 'search-results', role: 'listbox', ariaLabel: say('search.results') })
    Object.assign(this.#more, { type: 'button', className: 'plain', textContent: say('search.more'), hidden: true })
    this.#status.role = 'status'
    this.#scroller.append(this.#list, this.#more, this.#status)

    this.#dialog.append(head, this.#where, this.#scroller)
    document.body.append(this.#dialog)
  }

  #typed() {
    clearTimeout(this.#pause)
    if (this.#field.value.trim() === '') return this.#begin()
    this.#pause = setTimeout(() => this.#begin(), pauseMs)
  }

  /** Looks for what stands in the field now. */
  #begin() {
    this.#rest()
    const q = this.#field.value.trim()
    this.#more.hidden = true
    if (q === '') {
      this.#quest = undefined
      this.#empty()
      return this.#tell(say('search.hint'))
    }
    const inRoom = !this.#where.hidden && this.#where.querySelector('input:checked')?.getAttribute('value') === 'room'
    this.#quest = {
      q,
      room: inRoom ? this.#room?.id : undefined,
      before: undefined,
      answered: false,
      more: true,
      goes: 0,
      failures: 0,
      found: new Set(),
    }
    void this.#ask()
  }

  /** Nothing more is asked for. */
  #rest() {
    clearTimeout(this.#pause)
    clearTimeout(this.#again)
    this.#pause = this.#again = undefined
  }

  #goOn() {
    if (!this.#quest || this.#again !== undefined) return
    this.#quest.goes = 0
    void this.#ask()
  }

  async #ask() {
    clearTimeout(this.#again)
    this.#again = undefined
    if (this.#asking) return
    this.#asking = true
    let quest = this.#quest
    while (quest?.more) {
      const waitMs = this.#notBefore - Date.now()
      if (waitMs > 0) {
        this.#wait(waitMs)
        break
      }
      const isCurrent = unchanged(() => this.#quest)
      const went = await this.#askFor(quest)
      if (isCurrent() && !(went && this.#mayGoOn(quest))) break
      quest = this.#quest
    }
    this.#asking = false
    this.#more.hidden = !this.#quest?.more || !this.#quest.answered || this.#again !== undefined || !this.#isNearEnd
  }

  /** @param {Quest} quest @returns {Promise<boolean>} whether that may go on */
  async #askFor(quest) {
    const isCurrent = unchanged(() => this.#quest)
    const { q, room, before } = quest
    const query = new URLSearchParams({
      q,
      ...(room !== undefined && { room }),
      ...(before !== undefined && { before }),
    })
    if (!quest.answered && quest.failures === 0 && this.#list.childElementCount === 0)
      this.#tell(say('search.searching'))
    try {
      const answer = await request('GET', `/search?${query}`)
      if (isCurrent()) this.#put(quest, answer)
      return true
    } catch (error) {
      if (error instanceof Refusal) this.#notBefore = Date.now() + error.retryAfterMs
      if (isCurrent()) this.#fail(quest, error)
      return false
    }
  }

  /** @param {Quest} quest @param {Answer} answer */
  #put(quest, { messages, marks, more, before }) {
    if (!quest.answered) this.#empty()
    quest.answered = true
    quest.more = more && before !== undefined
    quest.before = before
    quest.failures = 0
    for (const message of messages) {
      if (quest.found.has(message.id)) continue // changed since, and found again under its newest text
      quest.found.add(message.id)
      const room = quest.room === undefined ? this.#on.nameOf(message.room) : undefined
      this.#list.append(makeResult(message, marks[message.id] ?? [], { id: `search-result-${quest.found.size}`, room }))
    }
    const count = quest.found.size
    this.#field.ariaExpanded = String(count > 0)
    if (!this.#active) this.#mark(/** @type {HTMLElement | null} */ (this.#list.firstElementChild)) // made above
    if (count > 0) this.#tell(say('search.found', { count }), { unseen: true })
    else this.#tell(quest.more ? say('search.none_yet') : say('search.none'))
  }

  /** @param {Quest} quest @param {unknown} error */
  #fail(quest, error) {
    this.#on.failed(error)
    if (!isTemporary(error)) {
      quest.more = false
      this.#empty()
      return this.#tell(error instanceof Error ? error.message : '')
    }
    this.#wait(backoffMs(quest.failures++, error))
  }

  /** @param {number} ms */
  #wait(ms) {
    if (!this.#dialog.open) return
    this.#tell(navigator.onLine ? say('search.wait') : say('search.offline'))
    clearTimeout(this.#again)
    this.#again = setTimeout(() => void this.#ask(), ms)
  }

  /** @param {Quest} quest */
  #mayGoOn(quest) {
    return quest.more && this.#dialog.open && this.#isNearEnd && quest.goes++ < goesMax
  }

  get #isNearEnd() {
    const { scrollTop, scrollHeight, clientHeight } = this.#scroller
    return scrollHeight - scrollTop - clientHeight < nearEnd
  }

  /** @param {KeyboardEvent} event @returns {boolean} whether that key has done something */
  #pressed({ key, shiftKey, ctrlKey, altKey, metaKey }) {
    if (shiftKey || ctrlKey || altKey || metaKey) return false
    if (key === 'ArrowDown') this.#mark(this.#active?.nextElementSibling ?? this.#active)
    else if (key === 'ArrowUp') this.#mark(this.#active?.previousElementSibling ?? this.#active)
    else if (key === 'Enter') this.#enter()
    else return false
    return true
  }

  #enter() {
    // What is shown is not yet what was typed last.
    if (this.#pause !== undefined) this.#begin()
    else if (!this.#quest?.answered) return
    else if (matchMedia('(pointer: coarse)').matches)
      this.#field.blur() // the keyboard goes, and one sees what is found
    else this.#active?.click()
  }

  /** @param {Element | null | undefined} result */
  #mark(result) {
    if (!(result instanceof HTMLElement)) return
    if (this.#active) this.#active.ariaSelected = 'false'
    this.#active = result
    result.ariaSelected = 'true'
    result.scrollIntoView({ block: 'nearest' })
    this.#field.setAttribute('aria-activedescendant', result.id)
  }

  #empty() {
    this.#active = undefined
    this.#list.replaceChildren()
    this.#scroller.scrollTop = 0
    this.#field.ariaExpanded = 'false'
    this.#field.removeAttribute('aria-activedescendant')
  }

  /** @param {string} words @param {{ unseen?: boolean }} [options] `unseen`: they are for who can't see it anyway */
  #tell(words, { unseen = false } = {}) {
    this.#status.className = unseen ? 'unseen' : ''
    if (this.#status.textContent !== words) this.#status.textContent = words
  }
}

/** @param {string} value @param {string} text @param {boolean} checked */
function makeChoice(value, text, checked) {
  const label = document.createElement('label')
  const input = document.createElement('input')
  Object.assign(input, { type: 'radio', name: 'search-where', className: 'unseen', defaultChecked: checked })
  input.value = value
  label.append(input, text)
  return label
}

/** @param {string} href within index.html */
function makeSign(href) {
  const namespace = 'http://www.w3.org/2000/svg'
  const sign = document.createElementNS(namespace, 'svg')
  const use = document.createElementNS(namespace, 'use')
  for (const [name, value] of Object.entries({ width: '20', height: '20', 'aria-hidden': 'true' }))
    sign.setAttribute(name, value)
  use.setAttribute('href', href)
  sign.append(use)
  return sign
}

// A search looks odd without it, and works.
function loadStyle() {
  const link = document.createElement('link')
  link.rel = 'stylesheet'
  link.href = new URL('./search.css', import.meta.url).href
  document.head.append(link)
  return new Promise((resolve) => {
    link.addEventListener('load', resolve)
    link.addEventListener('error', resolve)
  })
}
