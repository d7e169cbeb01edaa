// Who loses access loses the open streams too, or what they show of a room: within a second, and before the next event.

import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import type { Membership, Message, Room } from '../../lib/chat/streams/events.ts'
import { startServer } from '../../lib/program/main.ts'
import {
  ChatServer,
  own,
  passwordOf,
  settings,
  startChat,
  temporaryFolder,
  type Listener,
  type Person,
} from '../chat-server.ts'
import { EventStreamParser, type ParsedEvent } from '../event-stream-parser.ts'
import { RawConnection } from '../raw-connection.ts'

const withinMs = 1000
const paths = ['/events', '/events?mine', '/events?room=lobby', '/rooms', '/rooms/lobby/messages', '/events?since=all']

const streamsOf = (person: Person) => Promise.all(paths.map((path) => person.listen({ path })))

/** The deed ends these streams in time, and what comes next is not on them; those go on. */
async function ends(
  chat: ChatServer,
  deed: () => Promise<unknown>,
  { over, goOn = [] }: { over: Listener[]; goOn?: Listener[] },
): Promise<void> {
  await deed()
  const began = performance.now()
  const { id } = await chat.claiming('una').say('lobby', 'the next event')
  await Promise.all(
    over.map((stream) => Promise.race([stream.over, new Promise((resolve) => setTimeout(resolve, withinMs).unref())])),
  )
  for (const [at, stream] of over.entries()) {
    assert.ok(stream.response.closed, `${paths[at % paths.length]} is still open after ${performance.now() - began} ms`)
    assert.ok(!stream.bytes.includes(id), `${paths[at % paths.length]} has what came next`)
    assert.equal(stream.response.complete, true, 'it was cut off, and not ended')
  }
  for (const stream of goOn) {
    while ((await stream.next('message')).id !== id) continue
    assert.equal(stream.response.closed, false)
  }
}

test("logging out ends the session's streams, and no other's", async (t) => {
  const chat = await startChat(t)
  const ada = await chat.account('ada')
  const other = await chat.logIn('ada')
  await ends(chat, () => ada.logOut(), {
    over: await streamsOf(ada),
    goOn: [await other.listen(), await chat.withPassword('ada').listen()],
  })
  assert.equal((await ada.fetch('/events')).status, 204)
  const guest = await chat.comeIn('gus')
  await ends(chat, () => guest.logOut(), { over: await streamsOf(guest), goOn: [await other.listen()] })
})

test('ending one session ends its streams; ending all ends all', async (t) => {
  const chat = await startChat(t)
  const ada = await chat.account('ada')
  const other = await chat.logIn('ada')
  const bob = await chat.account('bob')
  const { sessions } = await other.read<{ sessions: { id: string; current?: true }[] }>('/sessions')
  const adas = sessions.find(({ current }) => !current)!
  await ends(chat, () => other.ask('DELETE', `/sessions/${adas.id}`), {
    over: await streamsOf(ada),
    goOn: [await other.listen()],
  })
  const third = await chat.logIn('ada')
  const over = [
    ...(await streamsOf(other)),
    ...(await streamsOf(third)),
    ...(await streamsOf(chat.withPassword('ada'))),
  ]
  await ends(chat, () => third.ask('DELETE', '/sessions'), { over, goOn: [await bob.listen()] })
})

test('a new password ends the streams of all other sessions, and the own goes on', async (t) => {
  const chat = await startChat(t)
  const ada = await chat.account('ada')
  const other = await chat.logIn('ada')
  const basic = chat.withPassword('ada')
  const change = () => ada.ask('PATCH', '/users/me', { password: 'another password', current: passwordOf('ada') })
  await ends(chat, change, {
    over: [...(await streamsOf(other)), ...(await streamsOf(basic))],
    goOn: [await ada.listen(), await ada.listen({ path: '/events?room=lobby' })],
  })
})

test('a guest who becomes an account, and who comes in as somebody else, leaves the streams of before', async (t) => {
  const chat = await startChat(t)
  const guest = await chat.comeIn('gus')
  await ends(chat, () => guest.ask('POST', '/users', { name: 'gus', password: passwordOf('gus') }), {
    over: await streamsOf(guest),
  })
  const gus = await chat.logIn('gus')
  await ends(chat, () => gus.ask('POST', '/session', { name: 'gustav' }), { over: await streamsOf(gus) })
})

test('a ban ends all streams of who is banned, by whatever proof, and those of the tokens they made', async (t) => {
  const chat = await startChat(t)
  const olga = await chat.owner()
  const alma = await chat.account('alma')
  await olga.giveRole(alma, 'admin')
  const bot = await alma.makeBot({ name: 'robot' })
  const bound = await alma.makeBot({ name: 'bound', rooms: ['lobby'] })
  const others = await olga.makeBot({ name: 'robot' })
  const over = []
  for (const person of [alma, await chat.logIn('alma'), chat.withPassword('alma'), bot, bound])
    over.push(...(await streamsOf(person)))
  await ends(chat, () => olga.ban(alma), { over, goOn: [await others.listen(), await olga.listen()] })
  assert.equal(await bot.refused('GET', '/events'), '401 unauthorized')
  assert.equal(await alma.refused('GET', '/events'), '403 banned')

  const guest = await chat.comeIn('gus')
  await chat.claiming('eve').say('lobby', 'x')
  const eve = await chat.stranger.read<{ id: string }>('/users/eve')
  await ends(chat, () => olga.ban(guest), { over: await streamsOf(guest) })
  await ends(chat, () => olga.ask('PATCH', `/users/${eve.id}`, { banned: true }), {
    over: await streamsOf(chat.claiming('eve')),
  })
})

test("ending a token ends its streams, and not those of the bot's other token", async (t) => {
  const chat = await startChat(t)
  const olga = await chat.owner()
  const [one, other] = [await olga.makeBot({ name: 'robot' }), await olga.makeBot({ name: 'robot' })]
  await ends(chat, () => olga.ask('DELETE', `/tokens/${one.tokenId}`), {
    over: await streamsOf(one),
    goOn: [await other.listen()],
  })
})

test("a token's streams end with its time, by themselves", async (t) => {
  const chat = await startChat(t)
  const olga = await chat.owner()
  const { token, expires } = await olga.ask<{ token: string; expires: string }>('POST', '/tokens', {
    name: 'robot',
    expires: '2s',
  })
  const bot = chat.withToken(token)
  const streams = await streamsOf(bot)
  const lasting = await (await olga.makeBot({ name: 'robot', expires: '9000d' })).listen()
  assert.ok(streams.every(({ response }) => !response.closed))

  await Promise.all(streams.map(({ over }) => over))

  const lateMs = Date.now() - Date.parse(expires)
  assert.ok(lateMs >= -20 && lateMs < withinMs, `${lateMs} ms after its time`)
  assert.equal(await bot.refused('GET', '/events'), '401 unauthorized')
  await olga.say('lobby', 'still')
  assert.deepEqual(await lasting.texts(1), ['still'])
})

const losing: Record<string, (room: string, ada: Person, bob: Person) => Promise<void>> = {
  'who is removed from': (room, ada, bob) => ada.remove(room, bob),
  'who leaves': (room, _, bob) => bob.leave(room),
}
for (const [who, lose] of Object.entries(losing)) {
  test(`${who} a private room sees their own leave there, and nothing after it; and what comes once they are back`, async (t) => {
    const chat = await startChat(t)
    const [ada, bob] = [await chat.account('ada'), await chat.account('bob')]
    const attic = await ada.makeRoom('attic', { kind: 'private' })
    await bob.say('lobby', 'hello')
    await ada.add(attic, bob)
    const views = ['/events', '/events?mine', `/events?room=${attic}&room=lobby`, '/events?since=all']
    const streams = await Promise.all(views.map((path) => bob.listen({ path })))
    const list = await bob.listen({ path: '/rooms' })
    await ada.say(attic, 'before')
    for (const stream of streams) while ((await stream.next('message')).data.text !== 'before') continue
    const at = streams.map(({ all }) => all.length)

    await lose(attic, ada, bob)
    await ada.say(attic, 'after')
    await ada.ask('PATCH', `/rooms/${attic}`, { topic: 'after' })
    await ada.say('lobby', 'marker')
    await ada.makeRoom('marker')

    for (const [number, stream] of streams.entries()) {
      while ((await stream.next('message')).data.text !== 'marker') continue
      const came = stream.all
        .slice(at[number])
        .filter(({ event }) => !['ping', 'room'].includes(event))
        .map(({ event, data }) => [
          event,
          (JSON.parse(data) as Message).text ?? (JSON.parse(data) as Membership).user.name,
        ])
      assert.deepEqual(
        came.filter(([, what]) => what !== 'ada'),
        [
          ['leave', 'bob'],
          ['message', 'marker'],
        ],
        views[number]!,
      )
      assert.ok(!stream.bytes.includes('after'))
    }
    const left = await list.take('leave', 1)
    assert.deepEqual(
      left.map(({ data }) => JSON.parse(data)),
      [{ room: attic, user: { id: bob.id, name: 'bob' } }],
    )
    assert.equal((JSON.parse((await list.take('message', 1))[0]!.data) as Room).id, 'marker')
    assert.ok(!list.bytes.includes('after'))

    await ada.add(attic, bob)
    await ada.ask('PATCH', `/rooms/${attic}`, { topic: 'and again' })
    await ada.say(attic, 'and again')
    for (const stream of streams) {
      while ((await stream.next('join')).data.user.name !== 'bob') continue
      assert.equal((await stream.next('message')).data.text, 'and again')
      assert.ok(!stream.bytes.includes('"after"'))
    }
    const back = (await list.take('message', 2)).map(({ data }) => JSON.parse(data) as Room)
    // The room as it is, and as it became.
    assert.deepEqual(
      back.map(({ id, topic }) => [id, topic]),
      [
        [attic, 'after'],
        [attic, 'and again'],
      ],
    )
  })
}

test('who lost rooms while away finds them gone from the list, also after the server started anew', async (t) => {
  const chat = await startChat(t, { data: await temporaryFolder(t) })
  const [ada, bob] = [await chat.account('ada'), await chat.account('bob')]
  const rooms = [
    await ada.makeRoom('attic', { kind: 'private' }),
    await ada.makeRoom('cellar', { kind: 'private' }),
    await ada.makeRoom('shed', { kind: 'private' }),
  ] as const
  for (const room of rooms) await ada.add(room, bob)
  const before = await bob.listen({ path: '/rooms' })
  await before.next('ping')
  const { lastEventId } = before.parser
  before.leave()
  const [lost, again] = rooms
  await ada.remove(lost, bob)
  await bob.leave(again)
  await ada.add(again, bob)

  for (const life of ['first', 'second']) {
    const list = await bob.listen({ path: '/rooms', lastEventId })
    await list.next('ping')
    const came = list.all
      .filter(({ event }) => event !== 'ping')
      .map(({ event, data }) =>
        event === 'leave' ? `without ${(JSON.parse(data) as Membership).room}` : (JSON.parse(data) as Room).id,
      )
    assert.deepEqual(came, [`without ${lost}`, `without ${again}`, again], `in its ${life} life`)
    await chat.kill()
    await chat.start()
  }
})

/** A server in this process, which keeps so many events in memory. */
async function serve(t: TestContext, ring: number): Promise<ChatServer> {
  const server = await startServer(settings(), { ring })
  t.after(() => server.stop())
  return Object.assign(new ChatServer({}), { url: server.url })
}

// What loopback takes into its buffers is some 4 MB; all that comes behind it waits for its reader.
const large = '京'.repeat(3900)

for (const [where, ring] of [
  ['memory', 10_000],
  ['disk', 50],
] as const) {
  test(`a reader far behind whose private room is taken away gets none of what came after, from ${where}`, async (t) => {
    const chat = await serve(t, ring)
    const [ada, bob] = [await chat.account('ada'), await chat.account('bob')]
    const [attic, shed] = [
      await ada.makeRoom('attic', { kind: 'private' }),
      await ada.makeRoom('shed', { kind: 'private' }),
    ]
    for (const room of [attic, shed]) await ada.add(room, bob)
    const reader = new RawConnection(chat.url)
    t.after(() => reader.leave())
    reader.send(`GET /events HTTP/1.1\r\nHost: localhost\r\nCookie: ${bob.headers['cookie']}\r\n\r\n`)
    await reader.until((text) => text.includes('event: ping'))
    reader.socket.pause()

    const said: Message[] = []
    const talk = async (about: string, count: number, text: string) => {
      for (let at = 0; at < count; at += 30)
        said.push(
          ...(await Promise.all(
            Array.from({ length: 30 }, (_, number) => ada.say([attic, shed, 'lobby'][number % 3]!, `${about} ${text}`)),
          )),
        )
    }
    await talk('before', 900, large)
    // And many small ones: ten thousand in all.
    said.push(...(await sayTogether(ada, [attic, shed, 'lobby'], 9000, 'before small')))
    await ada.remove(attic, bob)
    await talk('without', 150, large)
    await ada.add(attic, bob)
    await talk('again', 30, large)
    const { id: last } = await ada.say('lobby', 'last')
    said.push({ ...said[0]!, id: last, room: 'lobby', text: 'last' })
    reader.socket.resume()
    assert.ok(await reader.untilLast(`id: ${last}\n`))

    const events: ParsedEvent[] = new EventStreamParser()
      .push(reader.answer().body)
      .filter(({ event }) => ['message', 'join', 'leave'].includes(event))
    const ids = events.map(({ id }) => Number(id))
    assert.deepEqual(
      ids,
      ids.toSorted((a, b) => a - b),
    )
    const inRoom = (room: string) =>
      events.filter(({ data }) => JSON.parse(data).room === room && JSON.parse(data).user?.name !== 'ada')
    const idsIn = (room: string) =>
      said
        .filter((message) => message.room === room)
        .map(({ id }) => id)
        .sort()
    // Of the rooms that they are in all the while: all, exactly.
    for (const room of ['lobby', shed])
      assert.deepEqual(
        inRoom(room).map(({ id }) => id),
        idsIn(room),
        room,
      )
    const seen = inRoom(attic)
    const leave = seen.findIndex(({ event }) => event === 'leave')
    const before = idsIn(attic).filter((id) => said.find((message) => message.id === id)!.text.startsWith('before'))
    assert.ok(
      leave > 0 && leave < before.length,
      `the premise: behind by ${before.length - leave} of ${before.length} events`,
    )
    assert.deepEqual(
      seen.slice(0, leave).map(({ id }) => id),
      before.slice(0, leave),
    )
    assert.deepEqual(
      seen.slice(leave, leave + 2).map(({ event, data }) => [event, JSON.parse(data).user.name]),
      [
        ['leave', 'bob'],
        ['join', 'bob'],
      ],
    )
    assert.deepEqual(
      seen.slice(leave + 2).map(({ id }) => id),
      idsIn(attic).filter((id) => said.find((message) => message.id === id)!.text.startsWith('again')),
    )
    assert.ok(!seen.some(({ data }) => data.includes('without')))
  })
}

/** Says something so often, in one room after the other: sixteen at once over a connection. */
async function sayTogether(person: Person, rooms: string[], count: number, text: string): Promise<Message[]> {
  const body = JSON.stringify({ text })
  const said: Message[] = []
  while (said.length < count) {
    const connection = new RawConnection(person.chat.url)
    const posts = Array.from(
      { length: Math.min(16, count - said.length) },
      (_, at) =>
        `POST /rooms/${rooms[at % rooms.length]}/messages HTTP/1.1\r\nHost: localhost\r\nCookie: ${person.headers['cookie']}\r\nSec-Fetch-Site: same-origin\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
    )
    connection.send(posts.join(''))
    const answers = () =>
      [...connection.bytes.toString().matchAll(/^\{"id":.*\}$/gm)].map(([json]) => JSON.parse(json) as Message)
    assert.ok(await connection.until(() => answers().length === posts.length))
    said.push(...answers())
    connection.leave()
  }
  return said
}

test('a reader far behind whose session ends gets nothing that came after', async (t) => {
  const chat = await serve(t, 50)
  const [ada, bob] = [await chat.account('ada'), await chat.account('bob')]
  const attic = await ada.makeRoom('attic', { kind: 'private' })
  await ada.add(attic, bob)
  const reader = new RawConnection(chat.url)
  t.after(() => reader.leave())
  reader.send(`GET /events HTTP/1.1\r\nHost: localhost\r\nCookie: ${bob.headers['cookie']}\r\n\r\n`)
  await reader.until((text) => text.includes('event: ping'))
  reader.socket.pause()
  const said: string[] = []
  for (let at = 0; at < 600; at += 30)
    said.push(...(await Promise.all(Array.from({ length: 30 }, () => ada.say(attic, large)))).map(({ id }) => id))

  assert.equal((await bob.send('DELETE', '/session', '', own)).status, 204)
  const { id: after } = await ada.say(attic, 'after')
  reader.socket.resume()
  assert.ok(await reader.until((text) => text.endsWith('\r\n0\r\n\r\n')))

  const seen = new EventStreamParser()
    .push(reader.answer().body)
    .filter(({ event }) => event === 'message')
    .map(({ id }) => id)
  assert.ok(seen.length > 0 && seen.length < said.length, `the premise: ${seen.length} of ${said.length}`)
  assert.deepEqual(seen, said.sort().slice(0, seen.length))
  assert.ok(!seen.includes(after))
})
