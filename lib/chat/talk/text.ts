// What people type, brought into one form before it is kept: texts, topics, emojis, and words for the search index. Names are in
// names.ts.
// All of it happens before an event is appended, since Unicode's tables differ between versions of Node; only `searchable`
// runs where events are applied, and uses no such table.

import { ChatError } from '../../errors.ts'

export const limits = {
  textPoints: 4000, // Unicode code points of a message
  namePoints: 40, // of a person's or a room's name
  topicPoints: 200,
  emojiUnits: 64, // of UTF-16; a family of four has 11, a flag of tags 14
  mentions: 50, // in one message
  mentionTries: 160, // to find a name, in one message: each has to be folded and looked up, at some 10 µs
  mentionTriesEach: 4, // at the least, for each `@`: words of a name, or letters where a script has no spaces
  rawUnits: 64 * 1024, // of UTF-16 that are looked at at all: more than any text can have before what it is brought to is shorter
}

// Neither space, nor control or format character, nor one of those that are made to show nothing (the Braille blank among them).
export const visible = /[^\s\p{Cc}\p{Cf}\p{DI}\u2800]/u

// Normalising puts the marks on a letter in order, and takes by the square of their number: 64 KiB of them stopped everything for
// most of a second. No writing has more than 30 in a row: https://www.unicode.org/reports/tr15/#Stream_Safe_Text_Format
// The two at the end are letters that become marks.
export const marked = /[\p{M}\uff9e\uff9f]{31}/u
export const tooMarked = 'it has a letter with more than 30 marks on it; leave some out'
const tooLong = `the text is longer than ${limits.textPoints} characters; send it in parts`

/** The text as it is kept and sent: well-formed, NFC, LF line ends, no control characters but tab and LF (C0, DEL, C1). */
export function cleanText(raw: string): string {
  if (raw.length > limits.rawUnits) throw new ChatError('too_large', tooLong)
  if (raw.includes('\0')) throw new ChatError('invalid_text', 'the text has a NUL character; leave it out')
  const plain = raw
    .toWellFormed()
    .replace(/\r\n?/g, '\n')
    .replace(/[\x01-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]/g, '')
  // What was dropped may have stood between marks.
  if (marked.test(plain)) throw new ChatError('invalid_text', tooMarked)
  const text = plain.normalize('NFC')
  if (!visible.test(text)) throw new ChatError('invalid_text', 'the text is empty; say something')
  if (pointsOver(text, limits.textPoints)) throw new ChatError('too_large', tooLong)
  return text
}

/** A room's topic: one line, or nothing. */
export function cleanTopic(raw: string): string {
  // White space is all that may be left out of it.
  if (raw.length > limits.rawUnits)
    throw new ChatError('invalid_text', `the topic is longer than ${limits.topicPoints} characters; shorten it`)
  const topic = raw.replace(/\s+/g, ' ').trim()
  if (topic === '') return ''
  if (pointsOver(topic, limits.topicPoints))
    throw new ChatError('invalid_text', `the topic is longer than ${limits.topicPoints} characters; shorten it`)
  return cleanText(topic)
}

/** One emoji, whichever, with all that belongs to it. */
export function cleanEmoji(raw: string): string {
  // Some keyboards leave out the character that asks for the colourful form. With it where Unicode wants it, one emoji is not two.
  const emoji = raw
    .slice(0, limits.emojiUnits + 1)
    .replaceAll('\ufe0f', '')
    .replace(/(?!\p{Emoji_Presentation})\p{Emoji}(?!\p{Emoji_Modifier})/gu, '$&\ufe0f')
  if (raw.length > limits.emojiUnits || !/^\p{RGI_Emoji}$/v.test(emoji))
    throw new ChatError('invalid_request', 'a reaction is one emoji')
  return emoji
}

// In scripts without spaces a name begins and ends anywhere.
const unspacedLetter = String.raw`[\p{scx=Han}\p{scx=Hiragana}\p{scx=Katakana}\p{scx=Hangul}\p{scx=Thai}\p{scx=Lao}\p{scx=Khmer}\p{scx=Myanmar}]`
const named = new RegExp(String.raw`(?:(?<![\p{L}\p{M}\p{N}_])|(?<=${unspacedLetter}))@([^@\n]{1,80})`, 'gu')
const nameEnd = new RegExp(
  String.raw`(?<=\S)(?:(?![\p{L}\p{M}\p{N}_])|(?<=${unspacedLetter})|(?=${unspacedLetter}))`,
  'gu',
)

/**
 * What a text may name by `@…`: for each `@` the longest name that `find` knows, of those that end where a word does. The more of them there are,
 * the fewer ends are tried for each, so that a text costs no more for having many.
 */
export function mentionsIn<Found>(text: string, find: (name: string) => Found | undefined): Found[] {
  const found: Found[] = []
  const all = [...text.matchAll(named)].slice(0, limits.mentions)
  const tries = Math.min(
    limits.namePoints,
    Math.max(limits.mentionTriesEach, Math.floor(limits.mentionTries / all.length)),
  )
  for (const { 1: rest = '' } of all) {
    // It is no name, and the text is none the worse for it: only normalising it made so many marks.
    if (marked.test(rest)) continue
    const ends = [...rest.matchAll(nameEnd)].map(({ index }) => index).slice(0, tries)
    const longest = ends
      .reverse()
      .values()
      .map((end) => find(rest.slice(0, end)))
      .find((name) => name !== undefined)
    if (longest !== undefined) found.push(longest)
  }
  return found
}

// Thai, Lao, Khmer, Myanmar, Hangul, Kana and Han: written without spaces, so each character is a word of its own.
const unspaced =
  /[\u0e00-\u0eff\u1000-\u109f\u1100-\u11ff\u1780-\u17ff\u3040-\u31ff\u3400-\u4dbf\u4e00-\u9fff\ua960-\ua97f\uac00-\ud7ff\uf900-\ufaff\uff66-\uffdc]|[\ud840-\ud88f][\udc00-\udfff]/g
const unspacedRun = new RegExp(`((?:${unspaced.source})+)`)

/** The text as the search index reads it: with a space around each character of a script that has none between words. */
export function searchable(text: string): string {
  return text.replace(unspaced, ' $& ')
}

/** What was typed in one go, cut where a script with spaces between words meets one without. */
export function cutAtScripts(typed: string): string[] {
  return typed.split(unspacedRun).filter((run) => run !== '')
}

export function pointsOver(text: string, limit: number): boolean {
  // No code point has more than two units.
  return text.length > limit && (text.length > limit * 2 || [...text].length > limit)
}
