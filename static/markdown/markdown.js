// @ts-check
// A message's text as elements: a small Markdown, made of nodes one by one, so that nothing in a text can be anything but text.
// What is selected and copied is what one reads.

/** @import { Block, Item } from './markdown-blocks.js' */
/** @import { Find, Inline, Link, Mention } from './markdown-inline.js' */

import { balanced } from './directions.js'
import { parseBlocks } from './markdown-blocks.js'

const tags = /** @type {const} */ ({ strong: 'strong', emphasis: 'em', strike: 's' })

/** @param {string} text @param {{ mention?: Find }} [options] `mention`: whom `@name` names, if anybody @returns {Node[]} */
export function format(text, { mention } = {}) {
  return parseBlocks(balanced(text), mention).map(nodeOf)
}

/** @param {Block} block @returns {Node} */
function nodeOf(block) {
  if (typeof block === 'string') return document.createTextNode(block)
  if (block.kind === 'paragraph') return make('p', block.inlines.map(inlineNode), block.large ? 'large' : '')
  // Its line is at the side where its text begins.
  if (block.kind === 'quote') return turned(make('blockquote', block.blocks.map(nodeOf)))
  if (block.kind === 'list') return makeList(block.items)
  const code = make('pre', [make('code', [block.text])])
  code.tabIndex = 0 // it scrolls sideways, by the keyboard too
  code.dir = 'ltr'
  return make('div', block.language === '' ? [code] : [make('small', [block.language]), '\n', code], 'code')
}

/** @param {Item[]} items */
function makeList(items) {
  const list = make(
    'ul',
    items.flatMap(({ marker, depth, inlines }, index) => {
      const element = make(
        'li',
        [make('span', [`${marker} `], 'marker'), ...inlines.map(inlineNode)],
        depth > 0 ? `deep-${depth}` : '',
      )
      return index > 0 ? ['\n', turned(element)] : [turned(element)]
    }),
  )
  list.role = 'list' // Safari does not call it one without its own bullets
  return list
}

/** @param {Inline} inline @returns {Node | string} */
function inlineNode(inline) {
  if (typeof inline === 'string') return inline
  if (inline.kind === 'code') return make('code', [inline.text])
  if (inline.kind === 'link') return makeLink(inline)
  if (inline.kind === 'mention') return makeMention(inline)
  return make(tags[inline.kind], inline.inlines.map(inlineNode))
}

/** @param {Mention} mention */
function makeMention({ text, who }) {
  const element = make('span', [text], 'mention')
  element.classList.toggle('of-me', who === 'me')
  return element
}

/** @param {Link} link */
function makeLink({ href, before, host, after }) {
  const link = document.createElement('a')
  link.href = href
  link.target = '_blank'
  link.rel = 'noopener noreferrer nofollow'
  link.dir = 'ltr'
  link.append(before, make('span', [host], 'host'), after)
  return link
}

/** Written from the right if its text is. @param {HTMLElement} element */
function turned(element) {
  element.dir = 'auto'
  return element
}

/** @param {string} tag @param {(Node | string)[]} children @param {string} [className] */
function make(tag, children, className = '') {
  const element = document.createElement(tag)
  if (className !== '') element.className = className
  element.append(...children)
  return element
}
