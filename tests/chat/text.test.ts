// What people type, as it is kept.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { cleanName, foldName, slugOf } from '../../lib/chat/people/names.ts'
import { cleanText, searchable } from '../../lib/chat/talk/text.ts'
import { property } from '../random.ts'

test('a text keeps all that can be seen, and line ends become LF', () => {
  assert.equal(cleanText('a\r\nb\rc\n\n d\te'), 'a\nb\nc\n\n d\te')
  assert.equal(cleanText('\u2028\u2029\ufeff\u200d\u202ex'), '\u2028\u2029\ufeff\u200d\u202ex')
  assert.equal(cleanText('👩‍👩‍👧 🏳️‍🌈 ไทย 京'), '👩‍👩‍👧 🏳️‍🌈 ไทย 京')
})

test('control characters are dropped, but tab and LF; NUL is refused', () => {
  const all =
    Array.from({ length: 31 }, (_, at) => String.fromCharCode(at + 1)).join('') +
    Array.from({ length: 33 }, (_, at) => String.fromCharCode(0x7f + at)).join('')
  assert.equal(cleanText(`<${all}>`), '<\t\n\n>')
  for (const text of ['\0', 'a\0', '\0\n']) assert.throws(() => cleanText(text), { code: 'invalid_text' })
})

test('a text is NFC and well-formed, so that what looks alike is alike', () => {
  assert.equal(cleanText('e\u0301 \u212b \u1100\u1161'), 'é Å 가')
  assert.equal(cleanText('\ud83d x \ude00'), '\ufffd x \ufffd')
  // What was dropped may have kept two apart that belong together.
  assert.equal(cleanText('e\x01\u0301'), 'é')
})

test('a text has something in it, and at most 4,000 characters of it', () => {
  for (const text of ['', ' ', '\n\t\r', '\x07', '\u3000\ufeff'])
    assert.throws(() => cleanText(text), { code: 'invalid_text' }, JSON.stringify(text))
  assert.equal(cleanText('😀'.repeat(4000)).length, 8000)
  for (const text of ['x'.repeat(4001), '😀'.repeat(4001), '\u0958'.repeat(2001)])
    assert.throws(() => cleanText(text), { code: 'too_large' })
})

test('two names are one if they fold alike', () => {
  for (const [a, b] of [
    ['Ada', 'aDA'],
    ['STRASSE', 'straße'],
    ['Ａｄａ', 'ada'],
    ['ΣΊΣΥΦΟΣ', 'σίσυφος'],
    ['ﬁ', 'FI'],
    ['é', 'E\u0301'],
  ] as const) {
    assert.equal(foldName(cleanName(a)), foldName(cleanName(b)), `${a} ${b}`)
  }
  assert.notEqual(foldName('ada'), foldName('eda'))
})

test("a room's slug has letters of any script, digits, - and _, and nothing that a path could trip over", () => {
  for (const [name, slug] of [
    ['The Attic', 'the-attic'],
    ['  a -- b  ', 'a-b'],
    ['snake_case', 'snake_case'],
    ['北京', '北京'],
    ['Küche!', 'küche'],
    ['a/../b', 'a-b'],
    ['C++', 'c'],
    ['हिन्दी', 'हिन्दी'],
    ['№ 5', 'no-5'],
    ['%2e%2e', '2e-2e'],
    ['|\u036ev: a+\u0301b', 'v-a-b'],
  ] as const) {
    assert.equal(slugOf(cleanName(name)), slug)
  }
  for (const name of ['---', '!?', '😀', '../..', '%'])
    assert.throws(() => slugOf(cleanName(name)), { code: 'invalid_name' }, name)
})

test('each character of a script without spaces is a word of its own for the search', () => {
  assert.equal(searchable('abc 北京 def'), 'abc  北  京  def')
  assert.equal(searchable('한국 カナ ไทย 𠀀'), ' 한  국   カ  ナ   ไ  ท  ย   𠀀 ')
  assert.equal(searchable('plain café'), 'plain café')
})

property('what was cleaned once is clean, whatever it was', (random) => {
  for (let round = 0; round < 3000; round++) {
    const raw = random.text()
    const cleaned: [once: (text: string) => string, again: (text: string) => string][] = [
      [cleanText, cleanText],
      [cleanName, cleanName],
      // An address need not be a name: lower case can put a mark on an i, which no name has.
      [(text) => slugOf(cleanName(text)), slugOf],
    ]
    for (const [clean, again] of cleaned) {
      let once: string
      try {
        once = clean(raw)
      } catch (error) {
        assert.match(
          String((error as { code?: string }).code),
          /^(invalid_text|invalid_name|too_large)$/,
          JSON.stringify(raw),
        )
        continue
      }
      assert.equal(again(once), once, JSON.stringify(raw))
      assert.ok(once.isWellFormed())
      assert.doesNotMatch(once, /[\0-\x08\x0b-\x1f]/)
      if (again === slugOf) assert.doesNotMatch(once, /^\p{M}|-\p{M}/u, JSON.stringify(raw))
      if (clean !== cleanText) assert.doesNotMatch(once, /[\p{C}\p{Zl}\p{Zp}]|^\s|\s$|\s\s/u, JSON.stringify(once))
    }
  }
})
