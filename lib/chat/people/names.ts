// The names of people and rooms: which there can be, in which form they are kept, and when two of them are the same. All of this
// happens before an event is appended, since Unicode's tables differ between versions of Node.

import { ChatError } from '../../errors.ts'
import { looksOf } from '../../store/tables/look-alikes.ts'
import { limits as textLimits, marked, pointsOver, tooMarked, visible } from '../talk/text.ts'

const limits = {
  points: textLimits.namePoints,
  rawUnits: 400, // of UTF-16 that are looked at: the longest name that is kept, folded, has 240
}

// Characters of which nothing is seen, beside those that Unicode calls default-ignorable: the blank of Braille, a note without
// a head, fillers of Khitan and Egyptian, marks that only change how their letter is drawn, a place for an object.
const inkless = String.raw`\u2800\u{1d159}\u{16fe4}\u{13440}-\u{13442}\u{1bc9d}\ufffc`
// What joins two consonants shows nothing itself, so it has to stand between letters of a script that has it.
const joiner = String.raw`[\u1039\u17d2\u1a60\u1bab\u2d7f\uaaf6\u{10a3f}\u{1107f}\u{11133}\u{113d0}\u{1193e}\u{11a47}\u{11a99}\u{11d45}\u{11d97}\u{11f42}]`
const unjoined = String.raw`${joiner}(?!\p{L})|(?<![^\p{sc=Latin}\p{sc=Greek}\p{sc=Cyrillic}\p{sc=Common}])${joiner}`
// Of all spaces NFKC leaves the common one, and that of Ogham, which is a line only where a font has it.
const unseen = new RegExp(String.raw`[\p{C}\p{Zl}\p{Zp}\p{DI}\u1680${inkless}]|${unjoined}`, 'u')
const unseenEverywhere = new RegExp(unseen.source, 'gu')

// A mark without a letter would be drawn over whatever stands before the name; the second of two that are the same is drawn over
// the first; and fonts have no place for a mark of one script on a letter of another.
const stray = /(?<![^ ])\p{M}/u
const twice = /(\p{Mn})\1/u
const foreign =
  /[\p{sc=Latin}\p{sc=Greek}\p{sc=Cyrillic}\p{sc=Common}]\p{sc=Inherited}*[\p{M}--[\p{sc=Inherited}\p{sc=Common}\p{sc=Latin}\p{sc=Greek}\p{sc=Cyrillic}]]/v

// A dot that is put on a letter that has one shows nothing, and other marks take the dot's place. What languages write is one
// character with its letter in NFKC, but for the tones of Navajo and Igbo on į and ị.
const dotted = /(?![\u012f\u1ecb][\u0300\u0301\u0304])[\p{Soft_Dotted}ıȷ]\p{M}|[\u012f\u1ecb][\u0300\u0301\u0304]\p{M}/u

/** These are no names for people: they are said to everybody, or stand for somebody else in a text or a URL. */
const reserved = ['room', 'all', 'everyone', 'here', 'me', 'natter']
const reservedLooks = new Set(reserved.flatMap(looksOf))

/**
 * A name as it may have been taken at any time, to find who has it or to keep it: NFKC, one space between words. Older versions
 * of natter were less strict than `cleanName`.
 * @throws ChatError `invalid_name` if it never can have been one
 */
export function readName(raw: string): string {
  if (raw.length > limits.rawUnits) throw tooLong()
  if (marked.test(raw)) throw new ChatError('invalid_name', tooMarked)
  const name = raw
    .normalize('NFKC')
    .replace(/[ \t\n]+/g, ' ')
    .trim()
  if (name === '') throw new ChatError('invalid_name', 'the name is empty; give one of 1 to 40 characters')
  if (/[\p{C}\p{Zl}\p{Zp}\p{DI}]/u.test(name) || !visible.test(name)) throw invisible()
  if (pointsOver(name, limits.points)) throw tooLong()
  return name
}

/** A new name of a room: in it is nothing that can't be seen. */
export function cleanName(raw: string): string {
  const name = readName(raw)
  if (unseen.test(name)) throw invisible()
  if (stray.test(name))
    throw new ChatError(
      'invalid_name',
      'the name has a combining mark at the beginning of a word; put a letter before it',
    )
  if (foreign.test(name))
    throw new ChatError(
      'invalid_name',
      'the name has a combining mark of one script on a letter of another; leave it out',
    )
  if (twice.test(decomposed(name)))
    throw new ChatError('invalid_name', 'the name has a combining mark twice on a letter; leave one out')
  if (dotted.test(name))
    throw new ChatError(
      'invalid_name',
      'the name has a combining mark on an i, a j or another letter with a dot; leave it out',
    )
  return name
}

/** A new name of a person or a bot: one that can be told from others, be mentioned, and stand in `curl -u name:password`. */
export function cleanPersonName(raw: string): string {
  const name = cleanName(raw)
  if (name.includes(':')) throw new ChatError('invalid_name', 'the name has a colon; leave it out')
  if (name.includes('@'))
    throw new ChatError('invalid_name', 'the name has an @, so nobody could mention it; leave it out')
  if (scriptsIn(name) > 1)
    throw new ChatError(
      'invalid_name',
      'the name mixes letters of Latin, Cyrillic or Greek, which can look the same; write it in one of them',
    )
  const looks = looksOf(name)
  const isReserved = reserved.includes(foldName(name)) || looks.some((look) => reservedLooks.has(look))
  if (isReserved || /^u_[0-9a-z]+$/.test(foldName(name)))
    throw new ChatError('invalid_name', `${name} stands for somebody else here; choose another name`)
  return name
}

/** The same, but whoever has a name may keep it, whatever the rules were when they took it. */
export function cleanOwnName(raw: string, own: string | undefined): string {
  return own !== undefined && readName(raw) === own ? own : cleanPersonName(raw)
}

/** A name by another server's word, of which nobody is asked: what can't be seen is left out. Undefined if nothing is left. */
export function shownName(raw: string): string | undefined {
  // Normal form first: it can make one character into several.
  const shown = raw.slice(0, limits.rawUnits).normalize('NFKC').replace(/\s+/g, ' ').replace(unseenEverywhere, '')
  const name = [...shown.replace(/^[\p{M} ]+/u, '')].slice(0, limits.points).join('')
  try {
    // The cut may have left a joiner without its letter.
    return readName(name.replace(unseenEverywhere, ''))
  } catch {
    return undefined
  }
}

/**
 * Two names that fold alike are the same name. What is too long to be a name or a room's slug, or has too many marks, folds to
 * nothing: then whoever looks for it finds nobody, as with any other unknown name.
 */
export function foldName(name: string): string {
  if (name.length > limits.rawUnits || marked.test(name)) return ''
  return name.normalize('NFKC').toLowerCase().toUpperCase().toLowerCase().normalize('NFKC')
}

/** A room's name as it stands in URLs: letters of any script, digits, `-` and `_`. */
export function slugOf(name: string): string {
  const slug = foldName(name)
    // With the marks on what goes: on a hyphen, or on nothing, they would be no part of a name.
    .replace(/[^\p{L}\p{M}\p{N}_][^\p{L}\p{N}_]*/gu, '-')
    .replace(/^-|-$/g, '')
  if (slug === '')
    throw new ChatError('invalid_name', 'the name has no letter or digit; a room needs one for its address')
  return slug
}

function scriptsIn(name: string): number {
  return [/\p{sc=Latin}/u, /\p{sc=Cyrillic}/u, /\p{sc=Greek}/u].filter((script) => script.test(name)).length
}

function decomposed(name: string): string {
  return name.normalize('NFD')
}

function tooLong(): ChatError {
  return new ChatError('invalid_name', `the name is longer than ${limits.points} characters; shorten it`)
}

function invisible(): ChatError {
  return new ChatError('invalid_name', 'the name has control or invisible characters; leave them out')
}
