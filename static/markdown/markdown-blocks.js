// @ts-check
// What the lines of a message are: paragraphs, quotes, lists, blocks of code. Whatever is none of them is text, and so is what
// would show nothing. Knows nothing of elements.

/** @import { Find, Inline } from './markdown-inline.js' */
/**
 * @typedef {string | Paragraph | Quote | List | CodeBlock} Block a string is the line breaks between two others
 * @typedef {{ kind: 'paragraph', inlines: Inline[], large: boolean }} Paragraph `large`: nothing but an emoji or three
 * @typedef {{ kind: 'quote', blocks: Block[] }} Quote
 * @typedef {{ kind: 'list', items: Item[] }} List
 * @typedef {{ marker: string, depth: number, inlines: Inline[] }} Item `marker`: as it is shown, `•` or the number as it was typed
 * @typedef {{ kind: 'block', language: string, text: string }} CodeBlock
 */

import { parseInlines } from './markdown-inline.js'

const quoteDepthMax = 3
const itemDepthMax = 3

const fence = /^(`{3,})([^\s`]*)[ \t]*$/
// A quote has a space after its mark, or a letter of a script that has none; >_< and >:( are faces.
const quoted = /^>(?=[ \t>\p{Lo}]|$) ?/u
const item = /^([ \t]*)([-*•]|\d{1,9}[.)])[ \t]+(?=\S)/
const continued = /^(?: {2}|\t)[ \t]*(?=\S)/
const fewEmoji = /^\s*(?:\p{RGI_Emoji}\s*){1,3}$/v
const fewEmojiUnitsMax = 100

/** @param {string} text @param {Find} [find] @returns {Block[]} */
export function parseBlocks(text, find) {
  return blocksOf(text.split('\n'), find, 0)
}

/** @param {string[]} lines @param {Find | undefined} find @param {number} depth of quotes around them @returns {Block[]} */
function blocksOf(lines, find, depth) {
  /** @type {(Block | string[])[]} */
  const found = []
  for (let at = 0; at < lines.length; ) {
    const { block, end } = blockAt(lines, at, find, depth)
    const last = found.at(-1)
    if (block) found.push(block)
    else if (Array.isArray(last)) last.push(...lines.slice(at, end))
    else found.push(lines.slice(at, end))
    at = end
  }

  /** @type {Block[]} */
  const blocks = []
  let breaks = 0
  for (const [index, block] of found.entries()) {
    if (index > 0) breaks++
    const plain = Array.isArray(block) ? block : undefined
    const start = plain ? plain.findIndex((line) => line !== '') : 0
    if (plain && start < 0) {
      breaks += plain.length - 1
      continue
    }
    const end = plain ? plain.findLastIndex((line) => line !== '') + 1 : 0
    if (breaks + start > 0) blocks.push('\n'.repeat(breaks + start))
    blocks.push(Array.isArray(block) ? paragraph(block.slice(start, end).join('\n'), find) : block)
    breaks = plain ? plain.length - end : 0
  }
  if (breaks > 0) blocks.push('\n'.repeat(breaks))
  const [only, another] = blocks.filter((block) => typeof block === 'object')
  if (depth === 0 && !another && only?.kind === 'paragraph') only.large = isFewEmoji(lines.join('\n'))
  return blocks
}

/**
 * The block that begins with this line, and the line after it; without a block, all lines before the end are text. Whatever was
 * looked at is done with, one way or the other, so that no line is looked at again.
 * @param {string[]} lines @param {number} at @param {Find | undefined} find @param {number} depth
 * @returns {{ block?: Block, end: number }}
 */
function blockAt(lines, at, find, depth) {
  const line = lines[at] ?? ''
  if (fence.test(line)) return codeAt(lines, at)
  if (depth < quoteDepthMax && quoted.test(line)) return quoteAt(lines, at, find, depth)
  if (item.test(line)) return listAt(lines, at, find)
  return { end: at + 1 }
}

/** One that nobody has closed goes to the end. @param {string[]} lines @param {number} at @returns {{ block?: CodeBlock, end: number }} */
function codeAt(lines, at) {
  const [, ticks = '', language = ''] = fence.exec(lines[at] ?? '') ?? []
  const isClose = (/** @type {string} */ line) => line.startsWith(ticks) && /^`+[ \t]*$/.test(line)
  let close = at + 1
  while (close < lines.length && !isClose(lines[close] ?? '')) close++
  const end = Math.min(close + 1, lines.length)
  const text = lines.slice(at + 1, close).join('\n')
  return text.trim() === '' ? { end } : { block: { kind: 'block', language, text }, end }
}

/** @param {string[]} lines @param {number} at @param {Find | undefined} find @param {number} depth @returns {{ block?: Quote, end: number }} */
function quoteAt(lines, at, find, depth) {
  let end = at
  while (quoted.test(lines[end] ?? '')) end++
  const inner = lines.slice(at, end).map((line) => line.replace(quoted, ''))
  if (inner.every((line) => /^[>\s]*$/.test(line))) return { end }
  return { block: { kind: 'quote', blocks: blocksOf(inner, find, depth + 1) }, end }
}

/** @param {string[]} lines @param {number} at @param {Find | undefined} find @returns {{ block?: List, end: number }} */
function listAt(lines, at, find) {
  /** @type {{ marker: string, depth: number, lines: string[] }[]} */
  const items = []
  let end = at
  for (; end < lines.length; end++) {
    const line = lines[end] ?? ''
    const [start, indent = '', marker = ''] = item.exec(line) ?? []
    if (start !== undefined) items.push({ marker, depth: depthOf(indent), lines: [line.slice(start.length)] })
    else if (continued.test(line)) items.at(-1)?.lines.push(line.replace(continued, ''))
    else break
  }
  // One line with a star is what somebody does (* waves), or a note on something above.
  if (end === at + 1 && items[0]?.marker === '*') return { end }
  const shown = items.map((one) => ({
    marker: /\d/.test(one.marker) ? one.marker : '•',
    depth: one.depth,
    inlines: parseInlines(one.lines.join('\n'), find),
  }))
  return { block: { kind: 'list', items: shown }, end }
}

/** Nothing is marked across an empty line. @param {string} text @param {Find | undefined} find @returns {Paragraph} */
function paragraph(text, find) {
  const inlines = text
    .split(/(\n\s*\n)/)
    .flatMap((part, index) => (index % 2 === 0 ? parseInlines(part, find) : [part]))
  return { kind: 'paragraph', inlines, large: false }
}

/** @param {string} indent */
function depthOf(indent) {
  return Math.min(Math.floor(indent.replaceAll('\t', '  ').length / 2), itemDepthMax)
}

/** @param {string} text */
function isFewEmoji(text) {
  return text.length <= fewEmojiUnitsMax && fewEmoji.test(text)
}
