// Answers of a search, for texts that were written to make them large: each has a bound, and what does not fit is found by going on.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { SearchResult } from '../../lib/chat/talk/search.ts'
import { startChat, temporaryFolder, type Person, type Scope } from '../chat-server.ts'
import { FullPlace } from '../full-place.ts'

const pageBytes = 256 * 1024
const slack = 1024 // for what is around the entries of a page

async function startWith(t: Scope, texts: readonly string[]) {
  const data = await temporaryFolder(t)
  const place = new FullPlace(data)
  const [person] = place.people(1)
  const ids = texts.map((text) => place.say(person!, text))
  place.done()
  return { chat: await startChat(t, { data }), ids }
}

async function answerOf(person: Person, query: Record<string, string>): Promise<SearchResult> {
  const body = await (await person.fetch(`/search?${new URLSearchParams({ limit: '100', ...query })}`)).text()
  assert.ok(Buffer.byteLength(body) <= pageBytes + slack, `${Buffer.byteLength(body)} bytes`)
  return JSON.parse(body) as SearchResult
}

/** All that is found, by going on until there is no more, and in how many answers. */
async function allOf(person: Person, q: string): Promise<{ ids: number[]; answers: number }> {
  const ids: number[] = []
  for (let [answers, before] = [1, {}]; ; answers++) {
    const { messages, more, before: rest } = await answerOf(person, { q, ...before })
    ids.push(...messages.map(({ id }) => Number(id)))
    if (!more) return { ids, answers }
    assert.ok(messages.length > 0, 'it gets ahead')
    before = { before: rest! }
  }
}

test('of a word that a text says two thousand times the first hundred are marked', async (t) => {
  const { chat, ids } = await startWith(t, ['a '.repeat(2000).trim(), 'a b a'])

  const { marks } = await answerOf(chat.stranger, { q: 'a' })

  assert.deepEqual(
    marks[String(ids[0])],
    Array.from({ length: 100 }, (_, at) => [2 * at, 2 * at + 1]),
  )
  assert.deepEqual(marks[String(ids[1])], [
    [0, 1],
    [4, 5],
  ])
})

for (const [what, text, q] of [
  ['of one word alone', 'a '.repeat(2000).trim(), 'a'],
  ['of characters of four bytes', '\u{20000}'.repeat(4000), '\u{20000}'],
  ['of Chinese', '北京'.repeat(2000), '京'],
  ['of signs that JSON writes in six bytes', `word ${'\u202a'.repeat(1000)}`, 'word'],
] as const) {
  test(`a hundred texts ${what} are found in answers of a page each, every one once`, async (t) => {
    const { chat, ids } = await startWith(
      t,
      Array.from({ length: 100 }, () => text),
    )

    const found = await allOf(chat.stranger, q)

    assert.deepEqual(found.ids, ids.toReversed())
    assert.ok(found.answers > 1)
  })
}

test('a hundred short ones are found in one answer', async (t) => {
  const { chat, ids } = await startWith(
    t,
    Array.from({ length: 100 }, (_, at) => `message ${at}`),
  )
  const { messages, marks, more } = await answerOf(chat.stranger, { q: 'message' })
  assert.deepEqual(
    messages.map(({ id }) => Number(id)),
    ids.toReversed(),
  )
  assert.ok(Object.values(marks).every((places) => JSON.stringify(places) === '[[0,7]]'))
  assert.equal(more, false)
})

test('going on finds edited messages once, under the time of their edits', async (t) => {
  const { chat } = await startWith(t, [])
  const ada = await chat.comeIn('ada')
  const said: string[] = []
  for (let at = 0; at < 30; at++) said.push((await ada.say('lobby', `old ${at}`)).id)
  for (const id of said.toReversed())
    await ada.ask('PATCH', `/rooms/lobby/messages/${id}`, { text: `new ${'京'.repeat(3900)}` })

  const found = await allOf(chat.stranger, 'new')

  assert.deepEqual(found.ids, said.map(Number))
  assert.ok(found.answers > 1)
})
