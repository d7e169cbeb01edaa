// @ts-check
// Which parts of a text name somebody by `@…`. The server decides whom a message names; this is its rule again (lib/chat/talk/text.ts),
// so that the page marks the same words, and a test holds the two together.

/**
 * @template Found
 * @typedef {{ start: number, end: number, found: Found }} Mention `start` is where the `@` is
 */

const mentionsMax = 50
const namePointsMax = 40
const triesMax = 160 // in one text, of names that end where a word does; at least so many for each `@`:
const triesEachMin = 4

// Scripts without spaces: a name, or a marked word, begins and ends anywhere.
const unspacedLetter = String.raw`[\p{scx=Han}\p{scx=Hiragana}\p{scx=Katakana}\p{scx=Hangul}\p{scx=Thai}\p{scx=Lao}\p{scx=Khmer}\p{scx=Myanmar}]`
const wordLetter = String.raw`[\p{L}\p{M}\p{N}_]`
const named = new RegExp(String.raw`(?:(?<!${wordLetter})|(?<=${unspacedLetter}))@([^@\n]{1,80})`, 'gu')
const nameEnd = new RegExp(String.raw`(?<=\S)(?:(?!${wordLetter})|(?<=${unspacedLetter})|(?=${unspacedLetter}))`, 'gu')
const typedAtEnd = new RegExp(String.raw`(?:(?<!${wordLetter})|(?<=${unspacedLetter}))@([^@\n]{0,80})$`, 'u')

/**
 * For each `@` the longest name that `find` knows, of those that end where a word does.
 * @template Found
 * @param {string} text @param {(name: string) => Found | undefined} find
 * @returns {Mention<Found>[]} in their order
 */
export function mentionsIn(text, find) {
  const mentions = []
  const all = [...text.matchAll(named)].slice(0, mentionsMax)
  const tries = Math.min(namePointsMax, Math.max(triesEachMin, Math.floor(triesMax / all.length)))
  for (const { 1: rest = '', index: start } of all) {
    const ends = [...rest.matchAll(nameEnd)].map(({ index }) => index).slice(0, tries)
    for (const end of ends.reverse()) {
      const found = find(rest.slice(0, end))
      if (found === undefined) continue
      mentions.push({ start, end: start + 1 + end, found })
      break
    }
  }
  return mentions
}

/** The `@…` that somebody is typing, if the text ends in one. @param {string} text @returns {{ start: number, name: string } | undefined} */
export function mentionAtEndOf(text) {
  const match = typedAtEnd.exec(text.slice(-100)) // of which a name is a part
  return match ? { start: text.length - match[0].length, name: match[1] ?? '' } : undefined
}

/** Two names that fold alike are the same name. @param {string} name */
export function foldName(name) {
  return name.normalize('NFKC').toLowerCase().toUpperCase().toLowerCase().normalize('NFKC')
}
