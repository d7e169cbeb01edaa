// How far people have read: counted as a small model counts, told to one's own streams, kept through a stop.

import assert from 'node:assert/strict'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'
import type { ListedRoom, Message, WireEvents } from '../../lib/chat/streams/events.ts'
import { startServer } from '../../lib/program/main.ts'
import {
  ChatServer,
  own,
  patienceMs,
  settings,
  startChat,
  temporaryFolder,
  type Listener,
  type Person,
} from '../chat-server.ts'
import { property } from '../random.ts'

type Counts = Pick<ListedRoom, 'read' | 'unread' | 'mentions'> | undefined

async function countsOf(person: Person, room: string): Promise<Counts> {
  const found = (await person.read<{ rooms: ListedRoom[] }>('/rooms')).rooms.find(({ id }) => id === room)
  return found?.read === undefined ? undefined : { read: found.read, unread: found.unread!, mentions: found.mentions! }
}

const read = (person: Person, room: string, id: string) =>
  person.ask('PUT', `/rooms/${encodeURIComponent(room)}/read`, { id })

/** The read signals that came until the next message; `ada` says one. */
async function readsOn(streams: Listener[], ada: Person): Promise<WireEvents['read'][][]> {
  const { id } = await ada.say('lobby', 'the end')
  return Promise.all(
    streams.map(async (stream) => {
      while ((await stream.next('message')).id !== id) continue
      return stream.all
        .filter(({ event }) => event === 'read')
        .map(({ data }) => JSON.parse(data) as WireEvents['read'])
    }),
  )
}

interface Said {
  id: number
  room: string
  by: Person
  mentions: readonly (Person | 'room')[]
  deleted: boolean
}

property(
  'what is unread is what a small model counts, whatever is said, edited, deleted, joined and read',
  async (random, t) => {
    const data = await temporaryFolder(t)
    const chat = await startChat(t, { data })
    const people = [
      await chat.account('ada'),
      await chat.comeIn('bob'),
      await chat.comeIn('eve'),
      await chat.comeIn('zoë'),
    ]
    const rooms = [
      'lobby',
      await people[0]!.makeRoom('attic'),
      await people[0]!.makeRoom('cellar', { kind: 'private' }),
    ]
    for (const person of people.slice(1)) await people[0]!.add(rooms[2]!, person)
    const said: Said[] = []
    /** By room, since when each is in it, and how far they have read. */
    const since = new Map(rooms.map((room) => [room, new Map<Person, number>()]))
    const marks = new Map(rooms.map((room) => [room, new Map<Person, number>()]))
    const cursor = async () => Number((await people[0]!.read<{ cursor: string }>('/rooms')).cursor)
    const enters = async (room: string, person: Person, at?: number) =>
      void (since.get(room)!.has(person) || since.get(room)!.set(person, at ?? (await cursor())))
    for (const person of people) {
      for (const room of rooms) {
        // As GET has it: the event by which they came in.
        const counted = await countsOf(person, room)
        if (counted) since.get(room)!.set(person, Number(counted.read))
      }
    }
    const named = () =>
      random.pick<readonly (Person | 'room')[]>([
        [],
        [],
        [random.pick(people)],
        ['room'],
        [random.pick(people), 'room'],
      ])
    const textOf = (mentions: readonly (Person | 'room')[]) =>
      `well ${mentions.map((one) => `@${one === 'room' ? one : one.name},`).join(' ')}`
    const mine = () => said.filter(({ deleted }) => !deleted)

    const deeds: (() => Promise<unknown>)[] = [
      ...Array<() => Promise<unknown>>(8).fill(async () => {
        const [room, by, mentions] = [random.pick(rooms.slice(0, 2)), random.pick(people), named()]
        const came = since.get(room)!.has(by)
        const { id } = await by.say(room, textOf(mentions))
        // The join was just before it.
        if (!came) since.get(room)!.set(by, Number((await countsOf(by, room))!.read))
        said.push({ id: Number(id), room, by, mentions, deleted: false })
      }),
      async () => {
        const [by, mentions] = [random.pick([...since.get(rooms[2]!)!.keys()]), named()]
        if (by)
          said.push({
            id: Number((await by.say(rooms[2]!, textOf(mentions))).id),
            room: rooms[2]!,
            by,
            mentions,
            deleted: false,
          })
      },
      ...Array<() => Promise<unknown>>(2).fill(async () => {
        const one = mine().length > 0 ? random.pick(mine()) : undefined
        if (!one || !(one.room !== rooms[2] || since.get(one.room)!.has(one.by))) return
        one.mentions = named()
        await one.by.ask('PATCH', `/rooms/${one.room}/messages/${one.id}`, { text: textOf(one.mentions) })
      }),
      async () => {
        const one = mine().length > 0 ? random.pick(mine()) : undefined
        if (!one || !(one.room !== rooms[2] || since.get(one.room)!.has(one.by))) return
        await one.by.ask('DELETE', `/rooms/${one.room}/messages/${one.id}`)
        one.deleted = true
      },
      ...Array<() => Promise<unknown>>(3).fill(async () => {
        const [room, person] = [random.pick(rooms), random.pick(people)]
        if (!since.get(room)!.has(person)) return
        // Also backwards, and what is not there yet.
        const id = random.pick([...said.map((one) => one.id), 1, await cursor()])
        await read(person, room, String(id))
        marks.get(room)!.set(person, Math.max(marks.get(room)!.get(person) ?? 0, id))
      }),
      async () => {
        const [room, person] = [random.pick(rooms), random.pick(people)]
        if (!since.get(room)!.has(person) || since.get(room)!.size < 2) return
        await person.leave(room)
        since.get(room)!.delete(person)
      },
      async () => {
        const [room, person] = [random.pick(rooms), random.pick(people)]
        const [member] = since.get(room)!.keys()
        if (since.get(room)!.has(person)) return
        if (room === rooms[2]) await member!.add(room, person).catch(() => undefined)
        else await person.join(room)
        if (await countsOf(person, room)) await enters(room, person)
      },
      async () => {
        await chat.stop()
        await chat.start()
      },
    ]

    for (let step = 0; step < 150; step++) {
      await random.pick(random.chance(0.97) ? deeds.slice(0, -1) : deeds)()
      const [person, room] = [random.pick(people), random.pick(rooms)]
      const came = since.get(room)!.get(person)
      const after = Math.max(came ?? 0, marks.get(room)!.get(person) ?? 0)
      const others = said.filter((one) => one.room === room && one.id > after && one.by !== person && !one.deleted)
      const mentions = others.filter((one) => one.mentions.includes('room') || one.mentions.includes(person))
      const expected =
        came === undefined
          ? undefined
          : { read: String(after), unread: Math.min(others.length, 100), mentions: Math.min(mentions.length, 100) }
      assert.deepEqual(await countsOf(person, room), expected, `step ${step}, ${person.name} in ${room}`)
    }
  },
)

test("what was read on one stream is told on the same person's others, and on nobody else's", async (t) => {
  const chat = await startChat(t)
  const olga = await chat.owner()
  const ada = await chat.account('ada')
  const again = await chat.logIn('ada')
  const attic = await ada.makeRoom('attic')
  for (const person of [olga, ada]) await person.join('lobby')
  const bot = await olga.makeBot({ name: 'builds' })
  const streams = await Promise.all([
    ada.listen(),
    again.listen(),
    again.listen({ path: '/events?mine' }),
    again.listen({ path: '/events?room=lobby' }),
    again.listen({ path: `/events?room=${attic}&room=lobby` }),
    chat.withPassword('ada').listen(),
    olga.listen(),
    chat.stranger.listen(),
    bot.listen(),
  ])
  const strangers = streams.slice(-3)
  const { id } = await olga.say('lobby', 'news')
  await read(ada, 'lobby', id)
  // Not news: the same again, and backwards.
  await read(again, 'lobby', id)
  await read(ada, 'lobby', String(Number(id) - 1))

  const told = await readsOn(streams, olga)
  for (const [at, reads] of told.entries())
    assert.deepEqual(reads, strangers.includes(streams[at]!) ? [] : [{ room: 'lobby', id }], `stream ${at}`)
  assert.ok(
    streams[0]!.all
      .filter(({ event }) => event === 'read')
      .every((one) => one.id === streams[0]!.all.find(({ event }) => event === 'message')!.id),
    'a signal has no id of its own',
  )
  assert.ok(!streams[0]!.bytes.toString().includes('event: read\nid:'))

  // Nor does its maker's reading reach a bot, or a bot's its maker; a stream of other rooms shows nothing of this one.
  const elsewhere = await ada.listen({ path: `/events?room=${attic}` })
  await olga.say('lobby', 'more news').then(({ id }) => Promise.all([read(olga, 'lobby', id), read(ada, 'lobby', id)]))
  assert.deepEqual((await readsOn([streams.at(-1)!], olga))[0], [])
  await bot.join('lobby')
  await read(bot, 'lobby', (await olga.say('lobby', 'for the bot')).id)
  assert.deepEqual((await readsOn([streams[6]!], ada))[0]!.length, 1, 'her own alone')
  await ada.say(attic, 'the end')
  await elsewhere.next('message')
  assert.ok(!elsewhere.all.some(({ event }) => event === 'read'))
})

test('a bot whose token is for some rooms hears nothing of what it read in others by another token', async (t) => {
  const chat = await startChat(t)
  const olga = await chat.owner()
  const closed = await olga.makeRoom('closed', { kind: 'private' })
  const bot = await olga.makeBot({ name: 'builds' })
  await olga.add(closed, bot)
  const bound = await olga.makeBot({ name: 'builds', rooms: ['lobby'] })
  assert.equal(bound.id, bot.id, 'the premise: one bot')
  const [all, lobby] = [await bot.listen(), await bound.listen()]
  await read(bot, closed, (await olga.say(closed, 'among us')).id)
  assert.equal((await all.next('read')).data.room, closed)
  assert.deepEqual(await readsOn([lobby], olga), [[]])
})

test('nobody reads backwards, before they came, or further than there is', async (t) => {
  const chat = await startChat(t)
  const [ada, bob] = [await chat.comeIn('ada'), await chat.comeIn('bob')]
  const [first, second] = [await ada.say('lobby', '1'), await ada.say('lobby', '2')]
  await bob.join('lobby')
  const came = (await countsOf(bob, 'lobby'))!.read!
  assert.ok(Number(came) > Number(second.id))
  const stream = await bob.listen()
  await read(bob, 'lobby', first.id)
  assert.deepEqual(await countsOf(bob, 'lobby'), { read: came, unread: 0, mentions: 0 })
  assert.deepEqual(await readsOn([stream], ada), [[]])

  assert.equal((await countsOf(bob, 'lobby'))!.unread, 1)
  await read(bob, 'lobby', '9999999999999999')
  const { cursor } = await bob.read<{ cursor: string }>('/rooms')
  assert.deepEqual(await countsOf(bob, 'lobby'), { read: cursor, unread: 0, mentions: 0 })
  await ada.say('lobby', 'later')
  assert.equal((await countsOf(bob, 'lobby'))!.unread, 1)

  for (const id of ['', 'x', '-1', '1.5', '1e3', ' 1', '99999999999999999'])
    assert.equal(await bob.refused('PUT', '/rooms/lobby/read', { id }), '400 invalid_request', id)
  for (const body of [{}, { id: 1 }, { id: '1', room: 'lobby' }])
    assert.match(await bob.refused('PUT', '/rooms/lobby/read', body), /^400 (invalid_request|unknown_field)$/)
  assert.equal(await (await chat.comeIn('eve')).refused('PUT', '/rooms/lobby/read', { id: first.id }), '409 not_member')
  await chat.claiming('una').say('lobby', 'hello')
  assert.equal(await chat.claiming('una').refused('PUT', '/rooms/lobby/read', { id: first.id }), '403 forbidden')
  assert.equal(await chat.stranger.refused('PUT', '/rooms/lobby/read', { id: first.id }), '401 unauthorized')
})

test('how far one has read outlives a stop, and a kill once it is kept', async (t) => {
  const data = await temporaryFolder(t)
  const chat = await startChat(t, { data })
  const [ada, bob] = [await chat.comeIn('ada'), await chat.comeIn('bob')]
  await bob.join('lobby')
  const said: Message[] = []
  for (let count = 0; count < 5; count++) said.push(await ada.say('lobby', `${count} @bob`))
  await read(bob, 'lobby', said[1]!.id)
  assert.deepEqual(await countsOf(bob, 'lobby'), { read: said[1]!.id, unread: 3, mentions: 3 })
  assert.equal(await chat.stop(), 0)
  await chat.start()
  assert.deepEqual(await countsOf(bob, 'lobby'), { read: said[1]!.id, unread: 3, mentions: 3 })

  await read(bob, 'lobby', said[3]!.id)
  const began = performance.now()
  const file = new DatabaseSync(join(data, 'natter.db'), { readOnly: true })
  const kept = file.prepare('select event from reads')
  while (kept.get()!['event'] !== Number(said[3]!.id)) {
    assert.ok(performance.now() - began < patienceMs, 'it is never kept')
    // What is asked for meanwhile never goes back.
    assert.equal((await countsOf(bob, 'lobby'))!.read, said[3]!.id)
  }
  file.close()
  t.diagnostic(`kept after ${Math.round(performance.now() - began)} ms`)
  await chat.kill()
  await chat.start()
  assert.deepEqual(await countsOf(bob, 'lobby'), { read: said[3]!.id, unread: 1, mentions: 1 })
})

test('whoever was away for a year has a hundred to catch up on, and no more', async (t) => {
  const chat = await startChat(t)
  const [ada, bob] = [await chat.comeIn('ada'), await chat.comeIn('bob')]
  await bob.join('lobby')
  await Promise.all(Array.from({ length: 130 }, (_, count) => ada.say('lobby', `${count} @bob`)))
  const counts = (await countsOf(bob, 'lobby'))!
  assert.deepEqual([counts.unread, counts.mentions], [100, 100])
  const { messages } = await bob.read<{ messages: Message[] }>('/rooms/lobby/messages?limit=200')
  await read(bob, 'lobby', messages[40]!.id)
  assert.equal((await countsOf(bob, 'lobby'))!.unread, 89)
  // One's own are none, however many there are; who said them has nothing to catch up on.
  assert.deepEqual([(await countsOf(ada, 'lobby'))!.unread, (await countsOf(ada, 'lobby'))!.mentions], [0, 0])
  const last = await bob.say('lobby', '@ada @room')
  await Promise.all(Array.from({ length: 300 }, () => ada.say('lobby', 'on and on @room')))
  assert.deepEqual([(await countsOf(ada, 'lobby'))!.unread, (await countsOf(ada, 'lobby'))!.mentions], [1, 1])
  await bob.fetch(`/rooms/lobby/messages/${last.id}`, { method: 'DELETE', headers: own })
  assert.deepEqual([(await countsOf(ada, 'lobby'))!.unread, (await countsOf(ada, 'lobby'))!.mentions], [0, 0])
})

test('two who read at once are at the further place', async (t) => {
  const server = await startServer(settings({ data: await temporaryFolder(t) }))
  t.after(() => server.stop())
  const chat = new ChatServer({})
  chat.url = server.url
  const [ada, bob] = [await chat.comeIn('ada'), await chat.comeIn('bob')]
  await bob.join('lobby')
  const said = await Promise.all(Array.from({ length: 50 }, (_, count) => ada.say('lobby', `${count}`)))
  const stream = await bob.listen()
  await Promise.all(said.map(({ id }) => read(bob, 'lobby', id)))
  const furthest = said
    .map(({ id }) => id)
    .sort()
    .at(-1)!
  assert.deepEqual(await countsOf(bob, 'lobby'), { read: furthest, unread: 0, mentions: 0 })
  const [told] = await readsOn([stream], ada)
  assert.ok(
    told!.length > 0 && told!.every(({ id }, at) => at === 0 || Number(id) > Number(told![at - 1]!.id)),
    'each further than the one before',
  )
  assert.equal(told!.at(-1)!.id, furthest)
})
