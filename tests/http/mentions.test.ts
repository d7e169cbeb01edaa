// Whom a text names by `@…`, of those who may read it.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Message } from '../../lib/chat/streams/events.ts'
import { startChat, type Person } from '../chat-server.ts'

const namesOf = ({ mentions = [] }: Message, people: readonly Person[]) =>
  mentions.map((id) => (id === 'room' ? '@room' : people.find((person) => person.id === id)!.name))

test('a name after an @ is a mention, whatever its script, its spaces and its case', async (t) => {
  const chat = await startChat(t)
  const names = [
    'ada',
    'Ada Lovelace',
    'J. R. R. Tolkien',
    'Jean-Luc',
    "O'Brien",
    'C++',
    '小明',
    '山田太郎左衛門之助',
    '北京',
    'สมชาย ใจดี',
    '철수',
    'Zoë',
    'İnci',
    'straße',
    'x_y',
    '😀',
    'anna-bo!',
    'ﬁona',
    '3',
  ]
  const people = await Promise.all(names.map((name) => chat.comeIn(name)))
  const ada = people[0]!
  const cases: [string, string[]][] = [
    ['@ada', ['ada']],
    ['hello @ada!', ['ada']],
    ['(@ada, look)', ['ada']],
    ['@ada\n@Jean-Luc', ['ada', 'Jean-Luc']],
    ['"@ada" and @ADA, @Ada', ['ada']],
    ['@ada@zoë', ['ada']],
    ['@ada lovelace, look', ['Ada Lovelace']],
    ['@ada lovelaces', ['ada']],
    ['@Ada  Lovelace', ['ada']],
    ['@adam', []],
    ['@ad', []],
    ['@ ada', []],
    ['@j. r. r. tolkien.', ['J. R. R. Tolkien']],
    ['@jean-luc!', ['Jean-Luc']],
    ["@o'brien's", ["O'Brien"]],
    ['@c++ or not', ['C++']],
    ['@anna-bo!!', ['anna-bo!']],
    ['@小明', ['小明']],
    ['@小明你好', ['小明']],
    ['谢谢@小明，再见', ['小明']],
    ['@ada你好', ['ada']],
    ['你好@ada', ['ada']],
    ['@山田太郎左衛門之助さん', ['山田太郎左衛門之助']],
    ['去@北京的路', ['北京']],
    ['@สมชาย ใจดีมาก', ['สมชาย ใจดี']],
    ['@철수야', ['철수']],
    ['@zoe\u0308', ['Zoë']],
    ['@ZOË', ['Zoë']],
    ['@zoe', []],
    ['@ＡＤＡ', ['ada']],
    ['@STRASSE', ['straße']],
    ['@fiona', ['fiona']],
    ['@ﬁona', ['fiona']],
    ['@😀😀', ['😀']],
    ['@x_y_', []],
    ['@3.', ['3']],
    ['@３', ['3']],
    ['mail ada@ada', []],
    ['x@ada.example', []],
    ['1@ada', []],
    ['_@ada', []],
    ['é@ada', []],
    ['@@ada', ['ada']],
    ['.@ada', ['ada']],
    ['@room', ['@room']],
    ['@Room!', ['@room']],
    ['@roommate', []],
    ['mushroom@room', []],
    ['@ada and @room and @小明', ['ada', '小明', '@room']],
    ['@', []],
    ['@\n', []],
    ['@@@', []],
  ]
  for (const [text, expected] of cases) assert.deepEqual(namesOf(await ada.say('lobby', text), people), expected, text)
})

test('the longest name wins, of those that there are now', async (t) => {
  const chat = await startChat(t)
  const [ann, anna] = [await chat.account('ann'), await chat.account('Ann Lee')]
  assert.deepEqual(namesOf(await ann.say('lobby', '@ann lee jones'), [ann, anna]), ['Ann Lee'])
  await anna.ask('PATCH', '/users/me', { name: 'Lea' })
  assert.deepEqual(namesOf(await ann.say('lobby', '@ann lee jones, @lea'), [ann, anna]), ['ann', 'Ann Lee'])
  assert.deepEqual((await ann.say('lobby', '@nobody @me @u_1 @__proto__ @constructor')).mentions, undefined)
  await chat.claiming('una').say('lobby', 'hello')
  assert.equal((await ann.say('lobby', '@una')).mentions!.length, 1)
})

test('a text names only those who may read it, and tells of nobody else whether they are there', async (t) => {
  const chat = await startChat(t)
  const [ada, bob, eve] = [await chat.account('ada'), await chat.account('bob'), await chat.account('eve')]
  const closed = await ada.makeRoom('closed', { kind: 'private' })
  await ada.add(closed, bob)
  const direct = await ada.direct(eve)
  const people = [ada, bob, eve]
  assert.deepEqual(namesOf(await ada.say(closed, '@bob @eve @room'), people), ['bob', '@room'])
  assert.deepEqual(namesOf(await ada.say(direct, '@bob @eve'), people), ['eve'])
  // In an open room everyone reads.
  assert.deepEqual(namesOf(await ada.say('lobby', '@bob @eve'), people), ['bob', 'eve'])
  await ada.remove(closed, bob)
  assert.deepEqual(namesOf(await ada.say(closed, '@bob'), people), [])
})

test('a message names fifty at the most, each once', async (t) => {
  const chat = await startChat(t)
  const people = await Promise.all(Array.from({ length: 60 }, (_, number) => chat.comeIn(`guest${number}`)))
  const message = await people[0]!.say('lobby', people.map(({ name }) => `@${name}`).join(' '))
  assert.deepEqual(
    message.mentions,
    people.slice(0, 50).map(({ id }) => id),
  )
  assert.deepEqual((await people[0]!.say('lobby', '@guest1 '.repeat(40))).mentions, [people[1]!.id])
})
