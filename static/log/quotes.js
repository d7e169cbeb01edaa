// @ts-check
// The line above a message that answers another: who said that, and how it begins. A reply never holds what it answers, so the line
// changes with the other message, and says so once that is deleted. What is not on the page is asked for once it comes in sight.

/** @import { Message, WireEvent } from '../../lib/chat/streams/events.ts' */
/** @typedef {{ name: string, text: string } | null} Said null: it is deleted */

import { pathOf } from '../parts/address.js'
import { Refusal, getPatiently } from '../parts/api.js'
import { format } from '../markdown/markdown.js'
import { within } from '../parts/parts.js'
import { unchanged } from '../parts/unchanged.js'
import { say } from '../words/words.js'

const knownMax = 1_000 // of more than these the oldest are asked for again
const atOnceMax = 3 // questions under way
const lineMax = 200 // characters; the style sheet cuts off what is too long for its place
const nearby = '300px' // so far outside of what is in sight it is asked for already

export class Quotes {
  /** @type {Map<string, Said>} by id */
  #known = new Map()
  /** @type {Map<string, string>} what is wanted and not known yet, by id: in which room it was said */
  #wanted = new Map()
  /** @type {Set<string>} the ids that are being asked for */
  #asking = new Set()
  #life = {} // answers to questions of an earlier one are dropped
  #mirror
  #sight

  /** @param {import('../state/mirror.js').Mirror} mirror */
  constructor(mirror) {
    this.#mirror = mirror
    this.#sight = new IntersectionObserver(
      (entries) => {
        for (const { target, isIntersecting } of entries)
          if (isIntersecting && target instanceof HTMLAnchorElement) this.#want(target)
      },
      { rootMargin: nearby },
    )
  }

  clear() {
    this.#life = {}
    this.#known.clear()
    this.#wanted.clear()
    this.#asking.clear()
  }

  /** Writes into a link what a message says; into none if there is no message. @param {HTMLAnchorElement} link @param {string} room @param {string | undefined} id */
  write(link, room, id) {
    if (id === undefined && link.hidden) return // as with nearly all messages
    link.hidden = id === undefined
    link.dataset['of'] = id ?? ''
    link.dataset['room'] = room
    if (id === undefined) {
      fill(link, { name: '', text: '' })
      return
    }
    link.href = pathOf(room, id)
    const held = this.#mirror.state.messages.get(room)?.get(id)
    if (held?.from) this.#note(id, held)
    const said = this.#known.get(id)
    fill(link, said)
    if (said === undefined) this.#sight.observe(link)
  }

  /** @param {WireEvent} happened */
  happened({ event, data }) {
    if (event !== 'edit' && event !== 'delete') return
    if (!this.#known.has(data.id) && !this.#asking.has(data.id)) return
    this.#note(data.id, event === 'delete' ? null : data)
    this.#rewrite(data.id)
  }

  /** @param {HTMLAnchorElement} link */
  #want(link) {
    const { of: id = '', room = '' } = link.dataset
    this.#sight.unobserve(link)
    if (id === '') return
    if (this.#known.has(id)) return fill(link, this.#known.get(id))
    if (this.#asking.has(id)) return
    this.#wanted.delete(id)
    this.#wanted.set(id, room)
    void this.#ask()
  }

  async #ask() {
    const isCurrent = unchanged(() => this.#life)
    while (isCurrent() && this.#asking.size < atOnceMax) {
      const next = [...this.#wanted].at(-1) // what came in sight last is most likely in sight still
      if (!next) return
      const [id, room] = next
      this.#wanted.delete(id)
      this.#asking.add(id)
      try {
        const message = await getPatiently(`/rooms/${encodeURIComponent(room)}/messages/${id}`, isCurrent)
        if (!isCurrent()) return
        // What the stream has told meanwhile is newer than the answer.
        if (!this.#known.has(id)) this.#note(id, message.deleted ? null : message)
      } catch (error) {
        if (!isCurrent()) return
        if (error instanceof Refusal && error.status === 404) this.#note(id, null)
      }
      this.#asking.delete(id)
      this.#rewrite(id)
    }
  }

  /** @param {string} id @param {Message | null} message */
  #note(id, message) {
    this.#known.delete(id)
    this.#known.set(id, message && { name: message.from.name, text: firstLine(message.text) })
    for (const oldest of [...this.#known.keys()].slice(0, -knownMax)) this.#known.delete(oldest)
  }

  /** @param {string} id */
  #rewrite(id) {
    for (const link of document.querySelectorAll(`.quote[data-of="${id}"]`)) fill(link, this.#known.get(id))
  }
}

/** How a text begins, in one line and without its marks. @param {string} text */
export function firstLine(text) {
  const shown = format(text.slice(0, 4 * lineMax))
    .map(({ textContent }) => textContent)
    .join('\n')
  const line = shown.split('\n').find((one) => one.trim() !== '') ?? ''
  return [...line.trim().slice(0, 2 * lineMax)].slice(0, lineMax).join('')
}

/** @param {Element} link @param {Said | undefined} said */
function fill(link, said) {
  const { name, text } = said ?? { name: '', text: said === null ? say('quote.deleted') : '…' }
  link.classList.toggle('gone', said === null)
  within(link, '.quote-name', HTMLElement).textContent = name
  within(link, '.quote-text', HTMLElement).textContent = text
}
