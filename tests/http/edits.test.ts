// Messages that are changed or deleted: who may, what becomes of what they said before, and what of all that hangs on them.

import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'
import type { Message } from '../../lib/chat/streams/events.ts'
import { startServer } from '../../lib/program/main.ts'
import {
  ChatServer,
  own,
  settings,
  startChat,
  temporaryFolder,
  wholeAnswer,
  type Listener,
  type Person,
} from '../chat-server.ts'

type Page = { messages: Message[]; cursor: string; more: boolean; newer?: boolean }

const pathOf = ({ room, id }: Pick<Message, 'room' | 'id'>) => `/rooms/${encodeURIComponent(room)}/messages/${id}`
const edit = (person: Person, message: Pick<Message, 'room' | 'id'>, text: string) =>
  person.ask<Message>('PATCH', pathOf(message), { text })
const mayEdit = (person: Person, message: Message) => person.refused('PATCH', pathOf(message), { text: 'changed' })
const mayDelete = (person: Person, message: Message) => person.refused('DELETE', pathOf(message))

/** What a reader gets from a stream until it is up to date. */
async function replayed(chat: ChatServer, path = '/events?since=all'): Promise<Listener> {
  const reader = await chat.stranger.listen({ path })
  await reader.next('ping')
  reader.leave()
  return reader
}

const textsOf = (reader: Listener) =>
  reader.all
    .filter(({ event }) => event === 'message' || event === 'edit')
    .map(({ data }) => (JSON.parse(data) as Message).text)

test('one edits what one wrote oneself, and nobody else does, whatever their role', async (t) => {
  const chat = await startChat(t)
  const olga = await chat.owner()
  const [ada, bob] = [await chat.account('ada'), await chat.comeIn('bob')]
  const bot = await olga.makeBot({ name: 'builds' })
  const [hers, botsOwn] = [await ada.say('lobby', 'hers'), await bot.say('lobby', 'built')]
  const claimed = await chat.claiming('eve').say('lobby', 'anybody could say so')

  for (const other of [olga, bob, bot]) assert.equal(await mayEdit(other, hers), '403 forbidden')
  assert.equal(await mayEdit(chat.stranger, hers), '401 unauthorized')
  assert.equal(await mayEdit(olga, botsOwn), '403 forbidden')
  assert.equal(await mayEdit(chat.claiming('eve'), claimed), '403 forbidden')
  assert.equal(await mayEdit(chat.claiming('nobody yet'), claimed), '403 forbidden')

  const changed = await edit(ada, hers, 'still hers')
  assert.deepEqual({ ...changed, edited: undefined }, { ...hers, text: 'still hers', edited: undefined })
  assert.ok(Date.parse(changed.edited!) >= Date.parse(hers.at))
  assert.equal((await edit(bot, botsOwn, 'built in 3 s')).text, 'built in 3 s')
  assert.deepEqual(await chat.stranger.read(pathOf(hers)), changed)
  const bare = await ada.fetch(pathOf(hers), {
    method: 'PATCH',
    headers: { ...own, 'content-type': 'text/plain' },
    body: 'bare text',
  })
  assert.equal(((await bare.json()) as Message).text, 'bare text')
})

test('a bot that may only read, or only elsewhere, edits and deletes nothing', async (t) => {
  const chat = await startChat(t)
  const olga = await chat.owner()
  const room = await olga.makeRoom('cellar')
  const writing = await olga.makeBot({ name: 'builds' })
  const said = await writing.say('lobby', 'built')
  const reading = await olga.makeBot({ name: 'builds', scopes: ['read'] })
  const elsewhere = await olga.makeBot({ name: 'builds', rooms: [room] })
  assert.deepEqual([reading.id, elsewhere.id], [writing.id, writing.id], 'the premise: one bot')

  for (const may of [mayEdit, mayDelete]) {
    assert.equal(await may(reading, said), '403 forbidden')
    assert.equal(await may(elsewhere, said), '404 not_found')
  }
  assert.equal(await mayEdit(writing, said), '200')
})

test('what can be said can be edited to, and nothing else', async (t) => {
  const chat = await startChat(t)
  const ada = await chat.comeIn('ada')
  const message = await ada.say('lobby', 'first')
  const cases: [unknown, string][] = [
    [{ text: '' }, '400 invalid_text'],
    [{ text: ' \n\u200b' }, '400 invalid_text'],
    [{ text: 'x'.repeat(4001) }, '413 too_large'],
    [{ text: 'a\0b' }, '400 invalid_text'],
    [{ text: 7 }, '400 invalid_request'],
    [{}, '400 invalid_request'],
    [{ text: 'x', replyTo: message.id }, '400 unknown_field'],
    ['{', '400 invalid_json'],
  ]
  for (const [body, refusal] of cases)
    assert.equal(await ada.refused('PATCH', pathOf(message), body), refusal, JSON.stringify(body).slice(0, 40))
  for (const id of [
    '12',
    '1',
    '0',
    '-1',
    'x',
    '9007199254740993',
    '99999999999999999999',
    `${message.id}0`,
    `0${message.id}`,
    `${message.id} `,
  ]) {
    assert.equal(
      await ada.refused('PATCH', `/rooms/lobby/messages/${encodeURIComponent(id)}`, { text: 'x' }),
      '404 not_found',
      id,
    )
  }
  assert.equal(
    (await ada.fetch(pathOf(message), { method: 'POST', headers: own })).headers.get('allow'),
    'GET, HEAD, PATCH, DELETE',
  )
  assert.equal((await edit(ada, message, 'e\u0301\r\n\x07')).text, 'é\n')
  // An event of another kind, and a message of another room, are no messages here.
  const room = await ada.makeRoom('attic')
  const { cursor } = await ada.read<Page>('/rooms/lobby/messages')
  assert.equal(await ada.refused('PATCH', `/rooms/${room}/messages/${message.id}`, { text: 'x' }), '404 not_found')
  assert.equal(await ada.refused('PATCH', `/rooms/lobby/messages/${cursor}`, { text: 'x' }), '404 not_found')
})

test('an archived room is read, and in it nothing is edited; deleted it may be', async (t) => {
  const chat = await startChat(t)
  const ada = await chat.comeIn('ada')
  const room = await ada.makeRoom('attic')
  const message = await ada.say(room, 'first')
  await ada.ask('DELETE', `/rooms/${room}`)

  assert.equal(await mayEdit(ada, message), '409 archived')
  assert.equal(await ada.refused('PUT', `${pathOf(message)}/reactions/👍`), '409 archived')
  assert.equal(await ada.refused('POST', `/rooms/${room}/typing`), '409 archived')
  assert.equal((await ada.read<Message>(pathOf(message))).text, 'first')
  await ada.ask('DELETE', pathOf(message))
})

test('whoever is no longer in a private room gets the same answer for its messages as for none', async (t) => {
  const chat = await startChat(t)
  const [ada, bob] = [await chat.account('ada'), await chat.account('bob')]
  const room = await ada.makeRoom('attic', { kind: 'private' })
  await ada.add(room, bob)
  const his = await bob.say(room, 'his own')
  assert.equal((await bob.fetch(pathOf(his))).status, 200)
  await ada.remove(room, bob)

  const none = `${room.slice(0, -1)}${room.endsWith('0') ? '1' : '0'}`
  for (const [method, rest, body] of [
    ['GET', ''],
    ['PATCH', '', { text: 'x' }],
    ['DELETE', ''],
    ['PUT', '/reactions/👍'],
    ['DELETE', '/reactions/👍'],
    ['PATCH', '', { text: '' }],
    ['PUT', '/reactions/no-emoji'],
  ] as const) {
    const answers = await Promise.all(
      [room, none].map(async (slug) => {
        const path = `/rooms/${slug}/messages/${his.id}${rest}`
        return (
          await wholeAnswer(await (method === 'GET' ? bob.fetch(path) : bob.send(method, path, body ?? '', own)))
        ).replaceAll(slug, '…')
      }),
    )
    assert.equal(answers[0], answers[1], `${method} ${rest}`)
    assert.match(answers[0]!, /^404/)
  }
  for (const [method, path, body] of [
    ['PUT', 'read', { id: his.id }],
    ['POST', 'typing'],
    ['GET', 'messages?around=1'],
  ] as const) {
    const answers = await Promise.all(
      [room, none].map(async (slug) =>
        wholeAnswer(
          await (method === 'GET'
            ? bob.fetch(`/rooms/${slug}/${path}`)
            : bob.send(method, `/rooms/${slug}/${path}`, body ?? '', own)),
        ),
      ),
    )
    assert.equal(answers[0], answers[1], path)
  }
})

test("deleted by role: one's own, or as who manages the room", async (t) => {
  const chat = await startChat(t)
  const olga = await chat.owner()
  const people: Record<string, Person> = {
    olga,
    alma: await chat.account('alma'),
    mia: await chat.account('mia'),
    roy: await chat.account('roy'),
    gus: await chat.comeIn('gus'),
    ada: await chat.account('ada'),
  }
  await olga.giveRole(people['alma']!, 'admin')
  const bot = await people['alma']!.makeBot({ name: 'builds' })
  Object.assign(people, { bot, 'somebody unproven': chat.claiming('una'), nobody: chat.stranger })
  await chat.claiming('una').say('lobby', 'hello')
  const [ada, roy] = [people['ada']!, people['roy']!]
  const open = await roy.makeRoom('open')
  const closed = await roy.makeRoom('closed', { kind: 'private' })
  for (const name of ['ada', 'mia', 'alma', 'bot']) await roy.add(closed, people[name]!)
  const direct = await ada.direct(olga)
  // Ada wrote it; who may delete it? Owner and admin of the place, an owner of the room, and herself.
  const table: [string, string, string][] = [
    ['lobby', 'olga alma ada', 'mia roy gus bot'],
    [open, 'olga alma roy ada', 'mia gus bot'],
    [closed, 'alma roy ada', 'mia bot'],
    [direct, 'ada', 'olga'],
  ]
  for (const [room, may, mayNot] of table) {
    for (const [name, person] of Object.entries(people)) {
      const message = await ada.say(room, 'hers')
      const refusal =
        name === 'nobody'
          ? '401 unauthorized'
          : mayNot.split(' ').includes(name) || person === people['somebody unproven']
            ? '403 forbidden'
            : '404 not_found'
      assert.equal(
        await mayDelete(person, message),
        may.split(' ').includes(name) ? '204' : refusal,
        `${name} in ${room}`,
      )
      assert.equal((await ada.read<Message>(pathOf(message))).deleted, may.split(' ').includes(name) ? true : undefined)
    }
  }
  // Rights are those of now: who is no admin any more, or is banned.
  const last = await ada.say('lobby', 'hers')
  await olga.giveRole(people['alma']!, 'member')
  assert.equal(await mayDelete(people['alma']!, last), '403 forbidden')
  await olga.ban(ada)
  for (const may of [mayEdit, mayDelete]) assert.equal(await may(ada, last), '403 banned')
})

test('a post that is sent again is the message as it is by then', async (t) => {
  const data = await temporaryFolder(t)
  const chat = await startChat(t, { data })
  const ada = await chat.comeIn('ada')
  const first = await ada.say('lobby', 'at first', { key: 'k' })
  const changed = await edit(ada, first, 'by now')

  assert.deepEqual(await ada.say('lobby', 'at first', { key: 'k' }), changed)
  assert.equal(
    (await ada.send('POST', '/rooms/lobby/messages', { text: 'by now' }, { 'idempotency-key': 'k' })).status,
    409,
  )
  await chat.kill()
  await chat.start()
  assert.deepEqual(await ada.say('lobby', 'at first', { key: 'k' }), changed)
  await ada.ask('DELETE', pathOf(first))
  const again = await ada.say('lobby', 'at first', { key: 'k' })
  assert.deepEqual(again, { id: first.id, room: 'lobby', from: first.from, at: first.at, text: '', deleted: true })
  assert.deepEqual(await ada.textsIn('lobby'), [])
})

test('what answers a message goes on answering it, edited or deleted', async (t) => {
  const chat = await startChat(t)
  const ada = await chat.comeIn('ada')
  const first = await ada.say('lobby', 'a question')
  const reply = await ada.ask<Message>('POST', '/rooms/lobby/messages', { text: 'an answer', replyTo: first.id })
  await edit(ada, first, 'another question')
  assert.equal((await edit(ada, reply, 'a better answer')).replyTo, first.id)
  await ada.ask('DELETE', pathOf(first))

  assert.equal((await ada.read<Message>(pathOf(reply))).replyTo, first.id)
  const late = await ada.ask<Message>('POST', '/rooms/lobby/messages', { text: 'too late', replyTo: first.id })
  assert.equal(late.replyTo, first.id)
  assert.equal(await mayEdit(ada, first), '404 not_found')
  assert.equal(await mayDelete(ada, first), '404 not_found')
  const stream = await replayed(chat)
  const replies = stream.all
    .filter(({ event }) => event === 'edit')
    .map(({ data }) => (JSON.parse(data) as Message).replyTo)
  assert.deepEqual(replies, [first.id])
})

const fillers = 700 // messages of 12 kB: loopback takes some MB before it is full

for (const ring of [10_000, 100, 1]) {
  test(`nobody who comes later, or back, is sent what was edited or deleted, from a ring of ${ring}`, async (t) => {
    const data = await temporaryFolder(t)
    const server = await startServer(settings({ data }), { ring })
    t.after(() => server.stop())
    const chat = new ChatServer({})
    chat.url = server.url
    const ada = await chat.comeIn('ada')
    const start = (await ada.read<Page>('/rooms/lobby/messages')).cursor
    const said: Message[] = []
    for (let count = 0; count < 120; count++) said.push(await ada.say('lobby', `older${count}.`))
    const live = await ada.listen()
    for (let count = 0; count < 120; count += 3) await edit(ada, said[count]!, `middle${count}.`)
    for (let count = 0; count < 120; count += 6) await edit(ada, said[count]!, `newer${count}.`)
    for (let count = 0; count < 120; count += 12) await ada.ask('DELETE', pathOf(said[count]!))

    const expected = (await ada.read<Page>('/rooms/lobby/messages?limit=200')).messages
    assert.equal(expected.length, 110)
    await live.take('delete', 10)
    assert.equal(textsOf(live).length, 60)
    for (const path of [
      '/events?since=all',
      '/events?room=lobby&since=all',
      `/events?since=${start}`,
      `/events?since=${said[0]!.id}`,
      '/rooms/lobby/messages?limit=200',
    ]) {
      const reader = await ada.listen({ path, ...(path.startsWith('/rooms') && { lastEventId: start }) })
      await reader.next('ping')
      reader.leave()
      assert.deepEqual(textsOf(reader).sort(), expected.map(({ text }) => text).sort(), path)
      assert.equal(reader.all.filter(({ event }) => event === 'delete').length, 10, path)
      assert.ok(!reader.all.some(({ event }) => event === 'reset'))
    }
  })

  test(`a reader far behind gets nothing of what was edited meanwhile but its newest text, from a ring of ${ring}`, async (t) => {
    const server = await startServer(settings({ data: await temporaryFolder(t) }), { ring })
    t.after(() => server.stop())
    const chat = new ChatServer({})
    chat.url = server.url
    const ada = await chat.comeIn('ada')
    const reader = await chat.stranger.listen()
    t.after(() => reader.leave())
    await reader.next('ping')
    reader.response.pause()

    const filling = Array.from({ length: fillers }, (_, count) => ada.say('lobby', `${count} ${'京'.repeat(3990)}`))
    await Promise.all(filling)
    const [one, two] = [await ada.say('lobby', 'pistachio'), await ada.say('lobby', 'marzipan')]
    await edit(ada, one, 'nougat')
    await edit(ada, one, 'praline')
    await edit(ada, two, 'almonds')
    await ada.ask('DELETE', pathOf(two))
    await ada.say('lobby', 'the end')
    reader.response.resume()
    while ((await reader.texts(1))[0] !== 'the end') continue

    assert.ok(!reader.all.some(({ event }) => event === 'reset'))
    for (const gone of ['pistachio', 'marzipan', 'nougat', 'almonds']) assert.ok(!reader.bytes.includes(gone), gone)
    assert.equal(reader.all.filter(({ event }) => event === 'message').length, fillers + 1)
    assert.deepEqual(
      reader.all.slice(-3).map(({ event, data }) => [event, (JSON.parse(data) as Message).text]),
      [
        ['edit', 'praline'],
        ['delete', undefined],
        ['message', 'the end'],
      ],
    )
  })
}

test('the last few are counted without texts that are gone', async (t) => {
  const chat = await startChat(t)
  const ada = await chat.comeIn('ada')
  const said = []
  for (const text of ['1', '2', '3', '4']) said.push(await ada.say('lobby', text))
  await edit(ada, said[3]!, '4 once more')
  await edit(ada, said[3]!, '4 at last')
  await edit(ada, said[1]!, 'gone soon')
  await ada.ask('DELETE', pathOf(said[1]!))

  // Message 3, the newest edit of 4, the deletion.
  const reader = await replayed(chat, '/events?since=-3')
  assert.deepEqual(
    reader.all
      .filter(({ event }) => event !== 'ping')
      .map(({ event, data }) => [event, (JSON.parse(data) as Message).text]),
    [
      ['message', '3'],
      ['edit', '4 at last'],
      ['delete', undefined],
    ],
  )
})

/** The files of the folder that hold these bytes, whatever their case. */
function filesWith(data: string, word: string): string[] {
  return readdirSync(data).filter((name) =>
    readFileSync(join(data, name))
      .toString('latin1')
      .toLowerCase()
      .includes(Buffer.from(word).toString('latin1').toLowerCase()),
  )
}

/** The messages that the index in the file finds for a word. */
function foundIn(data: string, word: string): number[] {
  const database = new DatabaseSync(join(data, 'natter.db'), { readOnly: true })
  try {
    const parts = database
      .prepare('select first from search_parts order by first')
      .all()
      .map(({ first }) => `search_${first}`)
    return parts.flatMap((part) =>
      database
        .prepare(`select rowid from ${part} where ${part} match ?`)
        .all(`"${word}"`)
        .map(({ rowid }) => Number(rowid)),
    )
  } finally {
    database.close()
  }
}

test('the older text is in no file and no search when an edit is answered, and after a kill right then', async (t) => {
  const data = await temporaryFolder(t)
  const chat = await startChat(t, { data })
  const ada = await chat.comeIn('ada')
  for (let life = 0; life < 2; life++) {
    const words = [0, 1, 2].map((number) => `Geheimnis${number}of${life}${Math.random().toString(36).slice(2)}`)
    const message = await ada.say('lobby', `${words[0]} was here`)
    for (let count = 0; count < 10; count++) await ada.say('lobby', `Geheimes around it ${count}`)
    assert.notDeepEqual(filesWith(data, words[0]!), [], 'the premise')
    assert.deepEqual(foundIn(data, words[0]!), [Number(message.id)])

    await edit(ada, message, `${words[1]} is here`)
    if (life === 1) await chat.kill()
    assert.deepEqual(filesWith(data, words[0]!), [])
    assert.deepEqual(foundIn(data, words[0]!), [])
    assert.equal(foundIn(data, words[1]!).length, 1)
    if (life === 1) await chat.start()

    await edit(ada, message, `${words[2]} will be`)
    await chat.kill()
    for (const gone of words.slice(0, 2)) assert.deepEqual([filesWith(data, gone), foundIn(data, gone)], [[], []])
    await chat.start()
    assert.equal((await ada.read<Message>(pathOf(message))).text, `${words[2]} will be`)

    await ada.ask('DELETE', pathOf(message))
    await chat.kill()
    for (const gone of words) assert.deepEqual([filesWith(data, gone), foundIn(data, gone)], [[], []])
    await chat.start()
  }
  assert.equal(await chat.stop(), 0)
})

test('the older text is gone from the files although others read and write all the while', async (t) => {
  const data = await temporaryFolder(t)
  const chat = await startChat(t, { data })
  const [ada, bob] = [await chat.comeIn('ada'), await chat.comeIn('bob')]
  for (let count = 0; count < 300; count++) await bob.say('lobby', `${count} ${'filling '.repeat(100)}`)
  let over = false
  t.after(() => (over = true))
  const busy = Array.from({ length: 6 }, async (_, number) => {
    while (!over)
      await (number === 0
        ? bob.say('lobby', 'beside it')
        : (await bob.fetch(number % 2 ? '/rooms/lobby/messages?limit=200' : '/rooms')).arrayBuffer())
  })

  for (let count = 0; count < 20; count++) {
    const word = `pistachio${count}x`
    const message = await ada.say('lobby', word)
    await edit(ada, message, 'nothing')
    assert.deepEqual(filesWith(data, word), [])
  }
  over = true
  await Promise.all(busy)
})

test('two edits at once leave one text, the same for all', async (t) => {
  const data = await temporaryFolder(t)
  const chat = await startChat(t, { data })
  const ada = await chat.comeIn('ada')
  const live = await ada.listen()
  const message = await ada.say('lobby', 'first')
  const texts = Array.from({ length: 20 }, (_, number) => `edit number ${number}.`)
  await Promise.all(texts.map((text) => edit(ada, message, text)))

  const { text } = await ada.read<Message>(pathOf(message))
  assert.deepEqual(textsOf(await replayed(chat)), [text])
  // Of those that were committed together only the last has its text still when it is told.
  while ((await live.next('edit')).data.text !== text) continue
  for (const older of texts.filter((other) => other !== text)) assert.deepEqual(filesWith(data, older), [])

  // With a deletion among them it is gone, whatever came first.
  const outcomes = await Promise.all([
    ...texts.map((text) => ada.refused('PATCH', pathOf(message), { text })),
    mayDelete(ada, message),
  ])
  assert.equal(outcomes.at(-1), '204')
  for (const outcome of outcomes.slice(0, -1)) assert.match(outcome, /^(200|404 not_found)$/)
  assert.equal((await ada.read<Message>(pathOf(message))).deleted, true)
  for (const older of texts) assert.deepEqual(filesWith(data, older), [])
})

test('whom a message names changes with its text', async (t) => {
  const chat = await startChat(t)
  const [ada, bob, eve] = [await chat.comeIn('ada'), await chat.comeIn('bob'), await chat.comeIn('eve')]
  for (const person of [bob, eve]) await person.join('lobby')
  const counts = async () => {
    const of = async (person: Person) =>
      (await person.read<{ rooms: { id: string; mentions?: number }[] }>('/rooms')).rooms[0]!.mentions
    return [await of(ada), await of(bob), await of(eve)]
  }
  const message = await ada.say('lobby', 'ask @bob')
  assert.deepEqual(message.mentions, [bob.id])
  assert.deepEqual(await counts(), [0, 1, 0])
  assert.deepEqual((await edit(ada, message, 'ask @eve')).mentions, [eve.id])
  assert.deepEqual(await counts(), [0, 0, 1])
  assert.deepEqual((await edit(ada, message, '@room, ask @eve')).mentions, [eve.id, 'room'])
  assert.deepEqual(await counts(), [0, 1, 1])
  assert.equal((await edit(ada, message, 'never mind')).mentions, undefined)
  assert.deepEqual(await counts(), [0, 0, 0])
  await edit(ada, message, '@room!')
  await ada.ask('DELETE', pathOf(message))
  assert.deepEqual(await counts(), [0, 0, 0])
})

test('a permalink shows a message in the middle of what was said around it', async (t) => {
  const chat = await startChat(t)
  const ada = await chat.comeIn('ada')
  const said: Message[] = []
  for (let count = 0; count < 30; count++) said.push(await ada.say('lobby', String(count)))
  const around = async (query: string) => {
    const { messages, more, newer } = await ada.read<Page>(`/rooms/lobby/messages?${query}`)
    return [messages.map(({ text }) => text).join(' '), more, newer]
  }

  assert.deepEqual(await around(`around=${said[15]!.id}&limit=4`), ['13 14 15 16', true, true])
  assert.deepEqual(await around(`around=${said[15]!.id}&limit=5`), ['13 14 15 16 17', true, true])
  assert.deepEqual(await around(`around=${said[15]!.id}&limit=1`), ['15', true, true])
  assert.deepEqual(await around(`around=${said[0]!.id}&limit=3`), ['0 1', false, true])
  assert.deepEqual(await around(`around=${said[29]!.id}&limit=3`), ['28 29', true, false])
  assert.deepEqual(await around('around=1&limit=2'), ['0', false, true])
  assert.deepEqual(await around('around=9007199254740991&limit=2'), ['29', true, false])
  // Of one that is deleted what was around it.
  await ada.ask('DELETE', pathOf(said[15]!))
  assert.deepEqual(await around(`around=${said[15]!.id}&limit=3`), ['14 16 17', true, true])
  for (const query of ['around=x', 'around=', 'around=1&before=2', 'around=1&after=2', 'around=-1', 'around=1e3']) {
    assert.equal(await ada.refused('GET', `/rooms/lobby/messages?${query}`), '400 invalid_request', query)
  }
})
