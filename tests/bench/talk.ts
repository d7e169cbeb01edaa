// What was said in a room for years: every other message in words of Latin letters, every other in Chinese, both with some words
// that are everywhere and many that are rare, as in any language. The same number always gives the same text.

import { Random } from '../random.ts'
import { digits, marker, textBytes } from './load/text.ts'

const bytes = textBytes - marker.length - digits - 1 // beside the number and a space
const characterBytes = 3 // of a Chinese one in UTF-8
const characters = 4000 // different ones
const latinRanks = 27_000 // different words
const firstCharacter = 0x4e00
const syllables =
  'ka lo mi ter sen ru da ben ni ost va gel ho rin pa ul fe sta em co wi lan jo thu qua zi yor bra dex ing'.split(' ')

export function talk(number: number): string {
  const random = new Random(number)
  return (number % 2 === 0 ? latinWords(random) : chineseCharacters(random)).join(number % 2 === 0 ? ' ' : '')
}

/** Searches for what was said in one of so many messages: each has something to find. */
export const searches = {
  latin(messages: number, random: Random): string {
    const words = latinWords(new Random(random.below(messages / 2) * 2))
    const at = random.below(words.length - 2) // the last may be cut short
    return random.pick([
      words[at]!,
      words[at]!.slice(0, 3),
      `${words[0]} ${words[at + 1]}`,
      `"${words[at]} ${words[at + 1]}"`,
    ])
  },
  chinese(messages: number, random: Random): string {
    const said = chineseCharacters(new Random(random.below(messages / 2) * 2 + 1)).join('')
    const at = random.below(said.length - 4)
    return said.slice(at, at + random.pick([1, 2, 2, 4]))
  },
}

function latinWords(random: Random): string[] {
  const words: string[] = []
  for (let left = bytes; left > 0; left -= words.at(-1)!.length + 1) {
    // One is as common as its rank is low.
    const rank = Math.floor(latinRanks ** random.next())
    const parts = [rank, Math.floor(rank / 30), Math.floor(rank / 900)].filter((part, at) => part > 0 || at === 0)
    words.push(
      parts
        .map((part) => syllables[part % 30])
        .join('')
        .slice(0, left),
    )
  }
  return words
}

function chineseCharacters(random: Random): string[] {
  const rank = () => Math.floor(characters ** random.next()) - 1
  return Array.from({ length: Math.floor(bytes / characterBytes) }, () => String.fromCharCode(firstCharacter + rank()))
}
