// @ts-check
// What stands within the lines of a message: **bold**, *italic*, ~~struck~~, `code`, addresses and @mentions. One walk over the
// text, in which nothing is looked at twice, so that no message is slow to show. Knows nothing of elements.

/**
 * @typedef {string | Span | Code | Link | Mention} Inline
 * @typedef {{ kind: 'strong' | 'emphasis' | 'strike', inlines: Inline[] }} Span
 * @typedef {{ kind: 'code', text: string }} Code
 * @typedef {{ kind: 'link', href: string, before: string, host: string, after: string }} Link in three parts, of which the host is where it leads
 * @typedef {{ kind: 'mention', text: string, who: Who }} Mention
 * @typedef {'me' | 'other'} Who
 * @typedef {(name: string) => Who | undefined} Find tells whom a name after an `@` means, if anybody
 */

import { linkAt } from './links.js'
import { mentionsIn } from '../composer/mentions.js'

/** @type {Record<string, Span['kind']>} */
const kinds = { '**': 'strong', '*': 'emphasis', _: 'emphasis', '~~': 'strike' }
const openMax = 12 // marks within marks; of more, the outermost are text
const shrug = '¯\\_(ツ)_/¯' // keeps the arm that would be an escape

const interesting = /[*_~`\\@¯]|https?:\/\//gi
const spaced = /^\s?$/u // the edge of the text too
const lettered = /[\p{L}\p{M}\p{N}]/u
const unspaced =
  /[\p{scx=Han}\p{scx=Hiragana}\p{scx=Katakana}\p{scx=Hangul}\p{scx=Thai}\p{scx=Lao}\p{scx=Khmer}\p{scx=Myanmar}]/u

/** @param {string} text @param {Find} [find] @returns {Inline[]} */
export function parseInlines(text, find) {
  return new InlineParser(text, find).parse()
}

class InlineParser {
  #text
  #at = 0
  /** @type {{ mark: string, inlines: Inline[] }[]} what is not closed yet, the whole text first, each within the one before */
  #open = [{ mark: '', inlines: [] }]
  #closingTicks
  #mentions

  /** @param {string} text @param {Find} [find] */
  constructor(text, find) {
    this.#text = text
    this.#closingTicks = pairTicks(text)
    this.#mentions = new Map(
      find && text.includes('@') ? mentionsIn(text, find).map((mention) => [mention.start, mention]) : [],
    )
  }

  parse() {
    while (this.#at < this.#text.length) {
      interesting.lastIndex = this.#at
      const next = interesting.exec(this.#text)
      this.#take(next?.index ?? this.#text.length)
      if (next) this.#read(next[0])
    }
    while (this.#open.length > 1) this.#abandon(this.#open.length - 1)
    return this.#innermost.inlines
  }

  /** @param {string} sign at which the text stands */
  #read(sign) {
    if (sign === '\\') this.#readEscape()
    else if (sign === '`') this.#readCode()
    else if (sign === '@') this.#readMention()
    else if (sign === '¯') this.#take(this.#at + (this.#text.startsWith(shrug, this.#at) ? shrug.length : 1))
    else if (sign.length > 1) this.#readLink()
    else this.#readMark(sign)
  }

  #readEscape() {
    if (!isEscape(this.#text, this.#at)) return this.#take(this.#at + 1)
    this.#at++
    this.#take(this.#at + 1)
  }

  #readCode() {
    const start = this.#at
    const width = runLength(this.#text, start)
    const close = this.#closingTicks.get(start)
    if (close === undefined) return this.#take(start + width)
    // A box with nothing in it tells nothing.
    if (this.#text.slice(start + width, close).trim() === '') return this.#take(close + width)
    // A space keeps a backtick of the code apart from those around it.
    const text = this.#text.slice(start + width, close).replace(/^ (`[^]*|[^]*`) $/, '$1')
    this.#push({ kind: 'code', text })
    this.#at = close + width
  }

  #readMention() {
    const mention = this.#mentions.get(this.#at)
    if (!mention) return this.#take(this.#at + 1)
    this.#push({ kind: 'mention', text: this.#text.slice(mention.start, mention.end), who: mention.found })
    this.#at = mention.end
  }

  #readLink() {
    const { link, end } = linkAt(this.#text, this.#at)
    if (!link) return this.#take(end)
    this.#push(link)
    this.#at = end
  }

  /** @param {string} sign */
  #readMark(sign) {
    const start = this.#at
    const length = runLength(this.#text, start)
    let width = length
    const fits = sign === '*' ? width <= 3 : sign === '_' ? width === 1 : width === 2
    if (!fits) return this.#take(start + width)
    const [before, after] = [letterBefore(this.#text, start), letterAt(this.#text, start + width)]
    // snake_case and 2*3*4 mark nothing, while scripts without spaces have marks right beside their letters.
    const mayOpen = !spaced.test(after) && !isJoined(before)
    const mayClose = !spaced.test(before) && !isJoined(after)
    this.#at += width

    for (let at = this.#open.length - 1; at > 0 && mayClose && width > 0; at--) {
      const { mark } = this.#open[at] ?? { mark: '' }
      if (mark[0] !== sign || (length === 3 ? mark.length > width : mark.length !== width)) continue
      this.#close(at)
      width -= mark.length
    }
    if (width === 0) return
    if (!mayOpen) return this.#push(sign.repeat(width))
    if (width > 1) this.#begin(sign + sign)
    if (width !== 2) this.#begin(sign)
  }

  /** @param {string} mark */
  #begin(mark) {
    if (this.#open.length > openMax) this.#abandon(1)
    this.#open.push({ mark, inlines: [] })
  }

  /** What was open within it was never meant to be. @param {number} at */
  #close(at) {
    while (this.#open.length > at + 1) this.#abandon(this.#open.length - 1)
    const closed = this.#open.pop()
    if (closed) this.#push({ kind: kinds[closed.mark] ?? 'emphasis', inlines: closed.inlines })
  }

  /** A mark that nothing closes is text, and what came after it belongs to what is around it. @param {number} at */
  #abandon(at) {
    const [abandoned] = this.#open.splice(at, 1)
    const around = this.#open[at - 1]
    if (!abandoned || !around) return
    append(around.inlines, abandoned.mark)
    for (const inline of abandoned.inlines) append(around.inlines, inline)
  }

  /** As it is. @param {number} end */
  #take(end) {
    this.#push(this.#text.slice(this.#at, end))
    this.#at = end
  }

  /** @param {Inline} inline */
  #push(inline) {
    append(this.#innermost.inlines, inline)
  }

  get #innermost() {
    return /** @type {{ mark: string, inlines: Inline[] }} */ (this.#open.at(-1)) // the first is never closed
  }
}

/** Strings side by side become one. @param {Inline[]} inlines @param {Inline} inline */
function append(inlines, inline) {
  const last = inlines.at(-1)
  if (inline === '') return
  if (typeof inline === 'string' && typeof last === 'string') inlines[inlines.length - 1] = last + inline
  else inlines.push(inline)
}

/** For each run of backticks where the next one of the same length is, if there is one. @param {string} text */
function pairTicks(text) {
  /** @type {Map<number, number>} */
  const pairs = new Map()
  /** @type {Map<number, number>} the last run of each length */
  const last = new Map()
  for (const {
    0: { length },
    index,
  } of text.matchAll(/`+/g)) {
    const before = last.get(length)
    if (before !== undefined) pairs.set(before, index)
    last.set(length, index)
  }
  return pairs
}

/** @param {string} text @param {number} at */
function runLength(text, at) {
  let end = at + 1
  while (text[end] === text[at]) end++
  return end - at
}

// Whatever would be a mark there can be escaped. All other backslashes stay: in C:\new, \d and \\server nothing is lost.
/** @param {string} text @param {number} at */
function isEscape(text, at) {
  const next = text[at + 1] ?? ''
  if (/[*_~`]/.test(next)) return true
  if (/[>•-]/.test(next)) return at === 0 || text[at - 1] === '\n'
  return /[.)]/.test(next) && /(?:^|\n)\d{1,9}$/.test(text.slice(Math.max(0, at - 10), at))
}

/** @param {string} text @param {number} at */
function letterAt(text, at) {
  return at < text.length ? String.fromCodePoint(text.codePointAt(at) ?? 0) : ''
}

/** @param {string} text @param {number} at */
function letterBefore(text, at) {
  const half = /[\uDC00-\uDFFF]/.test(text[at - 1] ?? '') && at > 1
  return at > 0 ? letterAt(text, at - (half ? 2 : 1)) : ''
}

/** Does a word of a script with spaces go on here? @param {string} letter */
function isJoined(letter) {
  return lettered.test(letter) && !unspaced.test(letter)
}
