// @ts-check
// One message that a search has found: where it was said, by whom and when, and what of its text stands around the words that were
// looked for. All of it is text.

/** @import { Message } from '../../lib/chat/streams/events.ts' */
/** @typedef {[begin: number, end: number][]} Marks where in a text the words stand, in UTF-16 code units */

import { pathOf } from '../parts/address.js'
import { hueOf } from '../people/person.js'
import { dateAndTimeFormat, locale, say, wholeFormat } from '../words/words.js'

const beforeMax = 24 // what is shown of a text before the first mark: it has to be within the first line
const lengthMax = 240
const wordMax = 16 // the beginning of a longer word is not looked for

const words = new Intl.Segmenter(locale, { granularity: 'word' })
const graphemes = new Intl.Segmenter(locale)

/**
 * @param {Message} message @param {Marks} marks
 * @param {{ id: string, room?: string | undefined }} as `id`: of the element. `room`: what the room is called, if that is to be shown
 */
export function makeResult({ id: messageId, room: slug, from, text, at }, marks, { id, room }) {
  const link = document.createElement('a')
  link.id = id
  link.role = 'option'
  link.tabIndex = -1
  link.href = pathOf(slug, messageId)
  link.style.setProperty('--hue', hueOf(from.id))
  const head = document.createElement('span')
  head.className = 'result-head'
  head.append(made('bdi', 'name', from.name))
  if (from.unproven) head.append(' ', made('span', 'tag', say('role.unproven')))
  if (room !== undefined) head.append(' ', made('bdi', 'result-room', room))
  const when = new Date(at)
  const time = document.createElement('time')
  time.dateTime = at
  time.title = wholeFormat.format(when)
  time.textContent = dateAndTimeFormat.format(when)
  head.append(' ', time)
  const said = document.createElement('span')
  said.className = 'result-text'
  said.dir = 'auto'
  said.append(...snippetOf(text, marks))
  link.append(head, ' ', said)
  return link
}

/**
 * What stands around the first mark, with all marks that are within it.
 * @param {string} text @param {Marks} marks @returns {(string | HTMLElement)[]}
 */
function snippetOf(text, marks) {
  const start = wordAt(text, (marks[0]?.[0] ?? 0) - beforeMax)
  const end = wordAt(text, start + lengthMax)
  /** @type {(string | HTMLElement)[]} */
  const pieces = start > 0 ? ['…'] : []
  let at = start
  for (const [begin, stop] of marks) {
    if (begin < at || begin >= end) continue
    pieces.push(inLine(text.slice(at, begin)), made('mark', '', inLine(text.slice(begin, Math.min(stop, end)))))
    at = Math.min(stop, end)
  }
  pieces.push(inLine(text.slice(at, end)))
  if (end < text.length) pieces.push('…')
  return pieces
}

/** Where the word begins in which that place is; of a long one only the letter. @param {string} text @param {number} index */
function wordAt(text, index) {
  if (index <= 0) return 0
  if (index >= text.length) return text.length
  const word = words.segment(text).containing(index)?.index ?? index
  return index - word <= wordMax ? word : (graphemes.segment(text).containing(index)?.index ?? index)
}

/** @param {string} text */
function inLine(text) {
  return text.replace(/\s+/g, ' ')
}

/** @param {string} tag @param {string} className @param {string} text */
function made(tag, className, text) {
  const element = document.createElement(tag)
  if (className !== '') element.className = className
  element.textContent = text
  return element
}
