import assert from 'node:assert/strict'
import { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'
import { marksIn, wordsOf } from '../../lib/chat/talk/search.ts'
import { cleanText, searchable } from '../../lib/chat/talk/text.ts'
import { property, type Random } from '../random.ts'

test('what is typed is asked for word by word', () => {
  const asked: [typed: string, words: string | undefined][] = [
    ['hello', '"hello"*'],
    ['hello  world', '"hello"* AND "world"*'],
    ['to be', '"to" AND "be"'],
    ['"to be"', '"to be"'],
    ['“to be” hel', '"to be" AND "hel"*'],
    ['"to be', '"to" AND "be"'],
    ['北京', '"北 京"'],
    ['京', '"京"'],
    ['node在北京', '"node"* AND "在 北 京"'],
    ['привет', '"привет"*'],
    ['x.example.com', '"x example com"*'],
    ['node26', '"node26"'],
    ['NEAR(a b) place:open -x ^y *', '"NEAR a" AND "b" AND "place open"* AND "x" AND "y"'],
    ['a a A', '"a" AND "A"'],
    ['he\0l\x01lo', '"hello"*'],
    ['', ''],
    [' \n\t', ''],
    ['🙂', undefined],
    ['"', undefined],
    ['*', undefined],
  ]

  for (const [typed, words] of asked) assert.equal(wordsOf(typed), words, typed)
})

test('more than two hundred words are as good as two hundred', () => {
  const many = Array.from({ length: 1000 }, (_, at) => `${at}`)

  assert.equal(
    wordsOf(many.join(' ')),
    many
      .slice(0, 200)
      .map((word) => `"${word}"`)
      .join(' AND '),
  )
  assert.equal(wordsOf(`"${many.join(' ')}"`), `"${many.slice(0, 200).join(' ')}"`)
})

const pieces = [
  'hello',
  'Hello',
  'hel',
  'he',
  'wörld',
  'world',
  '北',
  '京',
  '北京',
  'ไทย',
  'привет',
  'हिन्दी',
  '"',
  ' ',
  '\n',
  '*',
  '(',
  ')',
  ':',
  '-',
  '^',
  '+',
  'AND',
  'NOT',
  'OR',
  'NEAR(',
  'place:open',
  'text:',
  '{',
  '}',
  "'",
  '\\',
  '\0',
  '\ud800',
  '🙂',
  '\u0301',
  '\uffff',
  ';--',
  'a',
  '1',
  '_',
]

function typedBy(random: Random): string {
  return Array.from({ length: random.between(1, 8) }, () =>
    random.chance(0.9) ? random.pick(pieces) : String.fromCharCode(random.below(0x10000)),
  ).join(random.pick(['', ' ']))
}

property('any text can be asked for, what is found has each of its words, and the marks stand on them', (random) => {
  const database = new DatabaseSync(':memory:')
  database.exec(
    `create virtual table search using fts5 (text, place, tokenize = "unicode61 remove_diacritics 2", columnsize = 0)`,
  )
  const texts = Array.from({ length: 300 }, () => `x${typedBy(random).replaceAll('\0', '')}`).map(cleanText)
  for (const [at, text] of texts.entries())
    database.prepare('insert into search (rowid, text, place) values (?, ?, ?)').run(at, searchable(text), 'r1 open')
  const find = database.prepare(
    'select rowid as at, highlight(search, 0, char(2), char(3)) as marked from search where search match ?',
  )
  const folded = (text: string) => text.normalize('NFD').replaceAll(/\p{M}/gu, '').toLowerCase()
  let hits = 0

  for (let round = 0; round < 3000; round++) {
    const typed = typedBy(random)
    const words = wordsOf(typed)
    if (!words) continue
    for (const row of find.all(`place : (open) AND text : (${words})`)) {
      const { at, marked } = row as { at: number; marked: string }
      const marks = marksIn(texts[at]!, marked).map(([begin, end]) => folded(texts[at]!.slice(begin, end)))
      hits++
      // Of these scripts what a word is can be told without SQLite's own tables.
      for (const word of typed.match(/(?<![\p{L}\p{N}\p{M}])[a-zA-Zö]+(?![\p{L}\p{N}\p{M}_])|[北京]/gu) ?? []) {
        assert.ok(
          marks.some((mark) => mark.includes(folded(word))),
          JSON.stringify({ typed, text: texts[at], marks }),
        )
      }
    }
  }
  assert.ok(hits > 1000, `${hits} were found`)
  database.close()
})
