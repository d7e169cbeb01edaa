// What a name looks like, so that two names that a reader can't tell apart are found to be alike. It follows the skeletons of
// Unicode's UTS #39 (https://www.unicode.org/reports/tr39/#Confusable_Detection), with small and capital letters as one.
// Names are compared by hashes of this, which are kept in the log: it uses Unicode's tables, so `apply` never calls it.

import { confusables } from './confusables.ts'

/** What each character looks like. */
const prototypes = new Map<string, string>()
for (const group of confusables.split(';')) {
  const [prototype, sources] = group.split('<').map((part) => part.trim().split(/\s/))
  if (!prototype || !sources) continue
  const looks = prototype.map(characterOf).join('')
  for (const source of sources) prototypes.set(characterOf(source), looks)
}

// Unicode takes a capital I, a 1 and a bar for a small l. With capitals as small letters, Ian would then look like Lan. So
// they all are a stroke here, and so is a small l, while a capital L is none.
const stroke = '|'
for (const [source, looks] of prototypes) prototypes.set(source, looks.replaceAll('l', stroke))
prototypes.set('l', stroke)

/** A small m is like rn in the table. Here a capital M is too, since Mark may be written mark. */
const likeSmallM = 'rn'

/**
 * The forms that a name is compared in: as it is written, and as one would usually write it, with capitals at the beginnings of
 * words. Two names look alike if they have one of these in common. BILL looks like biIl only in the second form, and
 * ΑΝΝΑ looks like ANNA only in the first.
 */
export function looksOf(name: string): string[] {
  const usual = name.toLowerCase().replace(/(?<![\p{L}\p{M}\p{N}'’])\p{L}/gu, (letter) => letter.toUpperCase())
  return [...new Set([skeletonOf(name), skeletonOf(usual)])]
}

function skeletonOf(name: string): string {
  // The Turkish capital of i keeps its dot.
  const plain = decompose(name).replaceAll('I\u0307', 'i')
  const shapes = Array.from(plain, (character) => prototypes.get(character) ?? character).join('')
  // A dot on a letter that has one, or that looks as if it had one, shows nothing.
  return decompose(shapes.toLowerCase())
    .replaceAll('m', likeSmallM)
    .replace(/(?<=[ij])\u0307+/g, '')
}

// The letters of a Hangul syllable stand together in a square. Apart, 각가 and 가까 would be alike.
function decompose(text: string): string {
  return text.replace(/[^\uac00-\ud7a3]+/g, (run) => run.normalize('NFD'))
}

function characterOf(hexadecimal: string): string {
  return String.fromCodePoint(parseInt(hexadecimal, 16))
}
