// @ts-check
// Addresses in a text. Only what begins with http:// or https:// is one, and what is shown names the host it leads to, as the
// URL parser reads it: no text can lie about that.

/** @import { Link } from './markdown-inline.js' */

// Chinese has no space after an address: its letters belong to one only where they begin a part of it, its punctuation never
// does, and neither do marks that turn the direction of writing.
const unspaced = String.raw`\p{scx=Han}\p{scx=Hiragana}\p{scx=Katakana}\p{scx=Hangul}\p{scx=Thai}\p{scx=Lao}\p{scx=Khmer}\p{scx=Myanmar}`
const address = new RegExp(
  String.raw`https?://(?:[^\s<>"\\\x60\p{C}\u2018-\u201f\u2026\u3000-\u303f\uff00-\uff65${unspaced}]|(?<=[/=_.\-])[${unspaced}]+)+`,
  'iuy',
)
const parts = /^(https?:\/\/)([^/?#]*)([^]*)$/i
const hostLike = /^(?:[\p{L}\p{M}\p{N}._-]+|\[[\da-f:.]+\])(?::\d+)?$/iu // the URL parser would take brackets and more
const wordBefore = /[A-Za-z0-9]/

const trailing = new Set(".,;:!?'*_~")
/** @type {Record<string, string>} */
const opening = { ')': '(', ']': '[', '}': '{' }

/**
 * The address that begins here, and where it ends; without a link what is before the end is nothing but text.
 * @param {string} text @param {number} at @returns {{ link?: Link, end: number }}
 */
export function linkAt(text, at) {
  address.lastIndex = at
  const found = address.exec(text)?.[0]
  if (found === undefined) return { end: at + 'http'.length }
  const typed = withoutTail(found)
  const end = at + typed.length
  const [, before = '', typedHost = '', after = ''] = parts.exec(typed) ?? []
  // Who writes https://bank.example@evil.example wants somebody to misread it.
  if (wordBefore.test(text[at - 1] ?? '') || !hostLike.test(typedHost) || !URL.canParse(typed)) return { end }
  const { href, host } = new URL(typed)
  return { link: { kind: 'link', href, before, host: typedHost.toLowerCase() === host ? typedHost : host, after }, end }
}

/** The end of a sentence, and a bracket that was opened before the address, are not part of it. @param {string} typed */
function withoutTail(typed) {
  /** @type {Map<string, number>} */
  const counts = new Map()
  for (const sign of typed) counts.set(sign, (counts.get(sign) ?? 0) + 1)
  const count = (/** @type {string} */ sign) => counts.get(sign) ?? 0
  let end = typed.length
  for (; end > 0; end--) {
    const last = typed[end - 1] ?? ''
    const opened = opening[last]
    if (!trailing.has(last) && (opened === undefined || count(last) <= count(opened))) break
    counts.set(last, count(last) - 1)
  }
  return typed.slice(0, end)
}
