// Reactions: any emoji there is, once a person, at most twenty different ones a message.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Message, Reaction } from '../../lib/chat/streams/events.ts'
import { cleanEmoji } from '../../lib/chat/talk/text.ts'
import { own, refusalOf, startChat, type Person } from '../chat-server.ts'

const pathOf = ({ room, id }: Message, emoji: string) =>
  `/rooms/${room}/messages/${id}/reactions/${encodeURIComponent(emoji)}`
const react = (person: Person, message: Message, emoji: string) => person.refused('PUT', pathOf(message, emoji))
const takeBack = (person: Person, message: Message, emoji: string) => person.refused('DELETE', pathOf(message, emoji))
const reactionsTo = async (person: Person, { room, id }: Message) =>
  whoReacts(await person.read<Message>(`/rooms/${room}/messages/${id}`))

/** Of each emoji the ids of those who react with it. */
function whoReacts({ reactions }: Message): Record<string, string[]> | undefined {
  return reactions && Object.fromEntries(reactions.map(({ emoji, from }) => [emoji, from.map(({ id }) => id)]))
}

const emojis = [
  '👍',
  '😀',
  '❤️',
  '☺️',
  '©️',
  '™️',
  '↔️',
  '㊗️', // of one character, with what asks for its colour where it needs it
  '👍🏻',
  '👍🏿',
  '☝🏽',
  '🖐🏾',
  '🤌🏼', // skin tones
  '👩‍👩‍👧',
  '👨‍👩‍👧‍👦',
  '🧑🏽‍🚀',
  '👩🏽‍❤️‍💋‍👨🏿',
  '🕵️‍♀️',
  '🕵🏽‍♀️',
  '🏳️‍🌈',
  '🏳️‍⚧️',
  '🏴‍☠️',
  '👁️‍🗨️',
  '🐻‍❄️',
  '❤️‍🔥',
  '🧑🏻‍🤝‍🧑🏿',
  '⛹🏿‍♂️', // joined ones
  '🇩🇪',
  '🇨🇳',
  '🇪🇺',
  '🇺🇳', // flags
  '1️⃣',
  '#️⃣',
  '*️⃣',
  '🔟', // keycaps
  '🏴󠁧󠁢󠁥󠁮󠁧󠁿',
  '🏴󠁧󠁢󠁳󠁣󠁴󠁿',
  '🏴󠁧󠁢󠁷󠁬󠁳󠁿', // flags of tags
]

const none = [
  'a',
  'thumbsup',
  ':+1:',
  '+',
  '1',
  '#',
  '京',
  'é',
  ' ',
  '👍 ',
  ' 👍',
  '👍👍',
  '👍❤️',
  '👍a',
  '1️',
  '⃣',
  '🇩',
  '🇩🇪🇩',
  '🇽🇽', // no emoji, or more than one
  '😀\ufe0e',
  '❤\ufe0e',
  '\ufe0f',
  '\u200d',
  '👩\u200d',
  '👩\u200d👩\u200d',
  '🏽🏽',
  '👍🏽🏽', // halves, and what asks for text
  '👍\0',
  '👍\n',
  '👍/',
  '../👍',
  '__proto__',
  'constructor',
  '👍'.repeat(250),
  `👍${'\ufe0f'.repeat(1000)}`,
  `👩${'\u200d👩'.repeat(100)}`,
  '\u{e0067}\u{e007f}',
]

test('every kind of emoji is a reaction, and nothing else is', async (t) => {
  const chat = await startChat(t)
  const ada = await chat.comeIn('ada')
  for (let at = 0; at < emojis.length; at += 20) {
    const message = await ada.say('lobby', 'look')
    const some = emojis.slice(at, at + 20)
    for (const emoji of some) assert.equal(await react(ada, message, emoji), '204', emoji)
    assert.deepEqual(await reactionsTo(ada, message), Object.fromEntries(some.map((emoji) => [emoji, [ada.id]])))
  }

  const message = await ada.say('lobby', 'look')
  for (const emoji of none)
    assert.equal(await react(ada, message, emoji), '400 invalid_request', JSON.stringify(emoji).slice(0, 40))
  const path = pathOf(message, '')
  for (const rubbish of ['%', '%F0%9F', '%FF', '%ED%A0%BD', '%G0', '%C0%80', '%F0%9F%91%8D%']) {
    assert.match(
      await refusalOf(ada.fetch(path + rubbish, { method: 'PUT', headers: own })),
      /^400 invalid_request$/,
      rubbish,
    )
  }
  assert.equal(await refusalOf(ada.fetch(path, { method: 'PUT', headers: own })), '400 invalid_request')
  assert.equal(await refusalOf(ada.fetch(`${path}👍/x`, { method: 'PUT', headers: own })), '404 not_found')
  assert.equal(await reactionsTo(ada, message), undefined)
})

test('an emoji is one, however its keyboard writes it', () => {
  const regional = Array.from({ length: 26 }, (_, at) => String.fromCodePoint(0x1f1e6 + at))
  const known: string[] = [
    ...emojis,
    ...regional.flatMap((one) => regional.map((other) => one + other)).filter((flag) => /^\p{RGI_Emoji}$/v.test(flag)),
  ]
  for (let point = 0; point <= 0x1ffff; point++) {
    if (point >= 0xd800 && point <= 0xdfff) continue
    const character = String.fromCodePoint(point)
    if (!/\p{Emoji}/u.test(character)) continue
    known.push(
      ...['', '\ufe0f', '\ufe0f\u20e3', ...'🏻🏼🏽🏾🏿']
        .map((rest) => character + rest)
        .filter((emoji) => /^\p{RGI_Emoji}$/v.test(emoji)),
    )
  }
  assert.ok(known.length > 2000, `${known.length}`)
  for (const emoji of known) {
    assert.equal(cleanEmoji(emoji), emoji)
    assert.equal(cleanEmoji(emoji.replaceAll('\ufe0f', '')), emoji)
  }
})

test('to say the same twice is to say it once, and what was not said is taken back without harm', async (t) => {
  const chat = await startChat(t)
  const [ada, bob] = [await chat.comeIn('ada'), await chat.comeIn('bob')]
  const message = await ada.say('lobby', 'look')
  const stream = await chat.stranger.listen()

  for (const emoji of ['❤️', '❤️', '❤']) assert.equal(await react(bob, message, emoji), '204')
  assert.equal(await react(ada, message, '❤️'), '204')
  for (const emoji of ['❤', '❤️', '👍']) assert.equal(await takeBack(bob, message, emoji), '204')
  await ada.say('lobby', 'the end')
  await stream.texts(1)

  const told = stream.all.filter(({ event }) => event === 'reaction').map(({ data }) => JSON.parse(data) as Reaction)
  const reaction = (person: Person, on: boolean, count: number) => ({
    message: message.id,
    room: 'lobby',
    emoji: '❤️',
    from: { id: person.id, name: person.name },
    on,
    count,
  })
  assert.deepEqual(told, [reaction(bob, true, 1), reaction(ada, true, 2), reaction(bob, false, 1)])
  assert.deepEqual(await reactionsTo(ada, message), { '❤️': [ada.id] })
})

test('who may post in a room may react in it, if they can prove who they are', async (t) => {
  const chat = await startChat(t)
  const olga = await chat.owner()
  const [ada, gus] = [await chat.account('ada'), await chat.comeIn('gus')]
  const bot = await olga.makeBot({ name: 'builds' })
  const reading = await olga.makeBot({ name: 'watcher', scopes: ['read'] })
  const message = await ada.say('lobby', 'look')
  await chat.claiming('una').say('lobby', 'hello')

  for (const person of [olga, ada, gus, bot]) assert.equal(await react(person, message, '👍'), '204')
  for (const person of [reading, chat.claiming('una'), chat.claiming('new')])
    assert.equal(await react(person, message, '👍'), '403 forbidden')
  assert.equal(await react(chat.stranger, message, '👍'), '401 unauthorized')
  assert.deepEqual(await reactionsTo(ada, message), { '👍': [olga.id, ada.id, gus.id, bot.id] })
  // Of who is banned, what they said and meant stays; they do no more.
  await olga.ban(gus)
  assert.equal(await takeBack(gus, message, '👍'), '403 banned')
  const closed = await ada.makeRoom('closed', { kind: 'private' })
  assert.equal(await react(bot, await ada.say(closed, 'among us'), '👍'), '404 not_found')
})

test('a message has at most twenty different reactions, and any number of the same', async (t) => {
  const chat = await startChat(t)
  const people = await Promise.all(Array.from({ length: 30 }, (_, number) => chat.comeIn(`guest ${number}`)))
  const [ada, bob] = [people[0]!, people[1]!]
  const message = await ada.say('lobby', 'look')
  const many = emojis.slice(0, 30)

  // All at once, in as few commits as may be.
  const outcomes = await Promise.all(people.map((person, number) => react(person, message, many[number]!)))
  assert.deepEqual(outcomes.sort(), [...Array<string>(20).fill('204'), ...Array<string>(10).fill('403 forbidden')])
  const there = Object.keys((await reactionsTo(ada, message))!)
  assert.equal(there.length, 20)
  for (const emoji of there) assert.equal(await react(bob, message, emoji), '204')
  const other = many.find((emoji) => !there.includes(emoji))!
  assert.equal(await react(ada, message, other), '403 forbidden')
  // Where the last of a kind is taken back, there is room for another.
  for (const person of people) await takeBack(person, message, there[0]!)
  assert.equal(await react(ada, message, other), '204')
  assert.equal(Object.keys((await reactionsTo(ada, message))!).length, 20)
})

test('ten taps at once are one reaction, and on and off in a race ends as the stream tells', async (t) => {
  const chat = await startChat(t)
  const ada = await chat.comeIn('ada')
  const message = await ada.say('lobby', 'look')
  const stream = await chat.stranger.listen()
  assert.deepEqual(
    new Set(await Promise.all(Array.from({ length: 10 }, () => react(ada, message, '👍')))),
    new Set(['204']),
  )
  assert.deepEqual(await reactionsTo(ada, message), { '👍': [ada.id] })

  await Promise.all(
    Array.from({ length: 30 }, (_, number) => (number % 2 ? react(ada, message, '🎉') : takeBack(ada, message, '🎉'))),
  )
  await ada.say('lobby', 'the end')
  await stream.texts(1)
  const told = stream.all.filter(({ event }) => event === 'reaction').map(({ data }) => JSON.parse(data) as Reaction)
  assert.equal(told.filter(({ emoji }) => emoji === '👍').length, 1)
  const party = told.filter(({ emoji }) => emoji === '🎉').map(({ on }) => on)
  // Each change is told, and only changes.
  for (const [at, on] of party.entries()) assert.equal(on, at % 2 === 0)
  assert.equal((await reactionsTo(ada, message))!['🎉'] !== undefined, party.at(-1) ?? false)
})

test('reactions outlive an edit, and go with the message', async (t) => {
  const chat = await startChat(t)
  const [ada, bob] = [await chat.comeIn('ada'), await chat.comeIn('bob')]
  const [before, message, after] = [
    await ada.say('lobby', 'before'),
    await ada.say('lobby', 'first', { key: 'k' }),
    await ada.say('lobby', 'after'),
  ]
  for (const one of [before, message, after]) for (const person of [bob, ada]) await react(person, one, '👍')
  const path = `/rooms/lobby/messages/${message.id}`
  assert.deepEqual(whoReacts(await ada.ask<Message>('PATCH', path, { text: 'second' })), { '👍': [bob.id, ada.id] })
  assert.deepEqual(whoReacts(await ada.say('lobby', 'first', { key: 'k' })), { '👍': [bob.id, ada.id] })

  await ada.ask('DELETE', path)
  assert.equal(await reactionsTo(ada, message), undefined)
  for (const deed of [react, takeBack]) assert.equal(await deed(bob, message, '👍'), '404 not_found')
  const { messages } = await ada.read<{ messages: Message[] }>('/rooms/lobby/messages')
  assert.deepEqual(
    messages.map((message) => [message.text, whoReacts(message)]),
    [
      ['before', { '👍': [bob.id, ada.id] }],
      ['after', { '👍': [bob.id, ada.id] }],
    ],
  )
})

test('a page shows the reactions of its own messages, not those of other rooms between them', async (t) => {
  const chat = await startChat(t)
  const ada = await chat.comeIn('ada')
  const room = await ada.makeRoom('attic')
  const first = await ada.say('lobby', 'first')
  const elsewhere = await ada.say(room, 'elsewhere')
  const second = await ada.say('lobby', 'second')
  await react(ada, elsewhere, '👍')
  await react(ada, second, '🎉')
  const { messages } = await ada.read<{ messages: Message[] }>('/rooms/lobby/messages')
  assert.deepEqual(
    messages.map((message) => [message.id, whoReacts(message)]),
    [
      [first.id, undefined],
      [second.id, { '🎉': [ada.id] }],
    ],
  )
})
