// What a post costs that names people, or looks as if it did.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { mentionsIn } from '../../lib/chat/talk/text.ts'

const han = (length: number, from: number) =>
  Array.from({ length }, (_, at) => String.fromCodePoint(0x4e00 + from + at)).join('')

/** How many names are looked up for a text, and how long finding them takes beside that. */
function costOf(text: string): { lookedUp: number; ms: number } {
  let lookedUp = 0
  const began = performance.now()
  mentionsIn(text, () => void lookedUp++)
  return { lookedUp, ms: performance.now() - began }
}

const worst: [what: string, text: string][] = [
  [
    'letters of a script without spaces behind each of fifty',
    Array.from({ length: 50 }, (_, at) => `@${han(79, at * 80)}`).join(''),
  ],
  ['a word a letter', Array.from({ length: 50 }, () => `@${'a '.repeat(39)}`).join('')],
  ['thousands of signs', '@'.repeat(4000)],
  ['thousands of signs and a letter', '@a'.repeat(2000)],
  ['marks on each letter', Array.from({ length: 26 }, () => `@${'a\u0301\u0302'.repeat(26)}`).join(' ')],
  ['characters that become eighteen', Array.from({ length: 50 }, () => `@${'\ufdfa'.repeat(79)}`).join('')],
]

for (const [what, text] of worst) {
  test(`a text costs no more than its mentions: ${what}`, () => {
    costOf(text)
    const { lookedUp, ms } = costOf(text)
    assert.ok(lookedUp <= 200, `${lookedUp} names`)
    assert.ok(ms < 5, `${ms} ms`)
  })
}

test('fifty people are all found, and a long name too where there are few', () => {
  const names = new Map(Array.from({ length: 50 }, (_, at) => [`person ${at}`, at]))
  const fifty = [...names.keys()].map((name) => `@${name} does this and that`).join('\n')
  assert.deepEqual(
    mentionsIn(fifty, (name) => names.get(name)),
    [...names.values()],
  )

  const long = 'a name of as many as nine words indeed'
  assert.deepEqual(
    mentionsIn(`and @${long}, too`, (name) => (name === long ? 1 : undefined)),
    [1],
  )
  assert.deepEqual(
    mentionsIn('请@小明同学看一下这个问题谢谢', (name) => (name === '小明同学' ? 1 : undefined)),
    [1],
  )
})
