// A real server, people who talk, come, go, join and leave, and kills in between. Whoever asks after a cursor gets what came
// after it, from memory or from disk, with the bytes that it had live.

import assert from 'node:assert/strict'
import type { Membership, Message, Room } from '../../lib/chat/streams/events.ts'
import { startServer } from '../../lib/program/main.ts'
import { ChatServer, Listener, Person, settings, startChat, temporaryFolder } from '../chat-server.ts'
import { property, type Random } from '../random.ts'

const ours = { 'sec-fetch-site': 'same-origin' }

interface Frame {
  id: number
  /** The room that it is of, or undefined if it is of none. */
  room: string | undefined
  event: string
  data: unknown
  bytes: string
}

/** The frames of a stream that are events of the log, in the order they came. */
function framesOf(reader: Listener): Frame[] {
  // What was cut off before its blank line is no event.
  return reader.bytes
    .toString()
    .split('\n\n')
    .slice(0, -1)
    .flatMap((frame) => {
      const [, event, id, json] = /^event: (\w+)\nid: (\d+)\ndata: (.*)$/.exec(frame) ?? []
      if (!event || event === 'ping') return []
      assert.notEqual(event, 'reset', 'a reset where everything is known')
      const data = JSON.parse(json!) as Message | Membership | Room
      const room = event === 'room' ? (data as Room).id : 'room' in data ? data.room : undefined
      return [{ id: Number(id), room, event, data, bytes: frame }]
    })
}

/** Reads until the event with this id has come. */
async function framesUpTo(reader: Listener, id: number): Promise<Frame[]> {
  while (Number((await reader.take('message', 1))[0]!.id) < id) continue
  return framesOf(reader)
}

async function talk(random: Random, people: readonly Person[], rooms: readonly string[]): Promise<void> {
  const deeds = Array.from({ length: random.between(1, 20) }, () => {
    const person = random.pick(people)
    const room = random.pick(rooms)
    if (random.chance(0.7))
      return person.send('POST', `/rooms/${room}/messages`, { text: `x${random.text(10)}`.replaceAll('\0', '') })
    return person.fetch(`/rooms/${room}/members/me`, { method: random.pick(['PUT', 'DELETE']), headers: ours })
  })
  for (const answer of await Promise.all(deeds)) assert.ok([201, 204].includes(answer.status), String(answer.status))
}

const rooms = ['lobby', 'attic', 'cellar']

property(
  'what is replayed after any cursor is what came after it, from a large ring, a small one and disk alike',
  async (random, t) => {
    const data = await temporaryFolder(t)
    const serve = async (ring: number) => {
      const server = await startServer(settings({ data }), { ring })
      const chat = new ChatServer({})
      chat.url = server.url
      return { chat, stop: () => server.stop() }
    }
    let { chat, stop } = await serve(10_000)
    let people = await Promise.all(['ada', 'bob', 'eve'].map((name) => chat.comeIn(name)))
    for (const room of rooms.slice(1)) await people[0]!.makeRoom(room)
    const live = await chat.stranger.listen({ path: '/events?since=all' })
    for (let round = 0; round < 10; round++) await talk(random, people, rooms)
    const last = Number((await people[0]!.say('lobby', 'last')).id)
    const log = await framesUpTo(live, last)
    live.leave()
    const views = [[], ['lobby'], ['attic'], ['attic', 'cellar'], ['cellar', 'lobby', 'lobby']]
    const cursors = ['all', ...Array.from({ length: 6 }, () => String(random.pick(log.slice(0, -1)).id))]

    for (const ring of [10_000, 10_000, 30, 1]) {
      for (const since of cursors) {
        const view = random.pick(views)
        const query = [...view.map((room) => `room=${room}`), `since=${since}`].join('&')
        const reader = await chat.stranger.listen({ path: `/events?${query}` })
        const expected = log.filter(
          ({ id, room }) =>
            (since === 'all' || id > Number(since)) &&
            (view.length === 0 || (room !== undefined && view.includes(room))),
        )
        const end = expected.findLast(({ event }) => event === 'message')?.id
        if (end !== undefined) await framesUpTo(reader, end)
        await reader.next('ping')
        assert.deepEqual(
          framesOf(reader).map(({ bytes }) => bytes),
          expected.map(({ bytes }) => bytes),
          `${query}, ring ${ring}`,
        )
        reader.leave()
      }
      await stop()
      ;({ chat, stop } = await serve(ring))
      // A ring is filled by what comes after the start; so there is something in it, and something before it.
      people = people.map(({ headers }) => new Person(chat, headers))
      for (let count = random.below(20); count > 0; count--) await talk(random, people, rooms)
      const { id } = await people[0]!.say('lobby', 'last')
      const more = await chat.stranger.listen({ path: `/events?since=${log.at(-1)!.id}` })
      log.push(...(await framesUpTo(more, Number(id))))
      more.leave()
    }
    await stop()
  },
)

// Somebody who reads one view, is cut off now and then, and comes back with their cursor.
class Reader {
  readonly path: string
  readonly who: Person
  readonly frames: Frame[] = []
  readonly first: number
  cursor: string
  listener: Listener | undefined

  constructor(who: Person, path: string, cursor: string) {
    this.who = who
    this.path = path
    this.first = Number(cursor)
    this.cursor = cursor
  }

  async come(): Promise<void> {
    this.listener ??= await this.who.listen({ path: this.path, lastEventId: this.cursor })
  }

  /** The connection breaks, wherever it is just now. */
  async go(): Promise<void> {
    const { listener } = this
    if (!listener) return
    listener.leave()
    await listener.over
    this.frames.push(...framesOf(listener))
    this.cursor = listener.parser.lastEventId || this.cursor
    this.listener = undefined
  }
}

property(
  'whoever is cut off, over kills of the server too, gets each event of their rooms once and in order',
  async (random, t) => {
    const chat = await startChat(t, { data: await temporaryFolder(t) })
    const people = await Promise.all(['ada', 'bob', 'eve'].map((name) => chat.comeIn(name)))
    for (const room of rooms.slice(1)) await people[0]!.makeRoom(room)
    const { cursor } = await chat.stranger.read<{ cursor: string }>('/rooms')
    // Eve's rooms stay as they are, so that what is hers is known; ada and bob join and leave as they like.
    const [ada, bob, eve] = people as [Person, Person, Person]
    assert.equal((await eve.fetch('/rooms/attic/members/me', { method: 'PUT', headers: ours })).status, 204)
    const readers = [
      new Reader(chat.stranger, '/events', cursor),
      new Reader(ada, '/events?room=lobby', cursor),
      new Reader(chat.stranger, '/events?room=cellar&room=attic', cursor),
      new Reader(eve, '/events?mine', cursor),
    ]
    for (let round = 0; round < 12; round++) {
      const talking = talk(random, [ada, bob], rooms)
      for (const reader of random.some(readers)) await reader.come()
      if (random.chance(0.5)) await talking
      for (const reader of random.some(readers)) await reader.go()
      await talking
      if (random.chance(0.25)) {
        for (const reader of readers) if (random.chance(0.5)) await reader.come()
        await chat.kill()
        for (const reader of readers) await reader.go()
        await chat.start()
      }
    }
    const ends = [await ada.say('cellar', 'last'), await ada.say('attic', 'last'), await ada.say('lobby', 'last')]
    const whole = await chat.stranger.listen({ path: `/events?since=${cursor}` })
    const log = await framesUpTo(whole, Number(ends[2]!.id))

    const views: (readonly string[] | undefined)[] = [undefined, ['lobby'], ['cellar', 'attic'], ['attic']]
    for (const [at, reader] of readers.entries()) {
      await reader.come()
      const view = views[at]
      const expected = log.filter(({ room }) => !view || (room !== undefined && view.includes(room)))
      const end = expected.at(-1)!.id
      if (Number(reader.cursor) < end) await framesUpTo(reader.listener!, end)
      await reader.go()
      assert.deepEqual(
        reader.frames.map(({ bytes }) => bytes),
        expected.map(({ bytes }) => bytes),
        reader.path,
      )
    }
  },
)

property('on a stream of mine each room is a run from the join to the leave, without a gap', async (random, t) => {
  const chat = await startChat(t)
  const [ada, bob] = (await Promise.all(['ada', 'bob'].map((name) => chat.comeIn(name)))) as [Person, Person]
  for (const room of rooms.slice(1)) await ada.makeRoom(room)
  const bobId = (await bob.read<{ user: { id: string } }>('/session')).user.id
  const mine = await bob.listen({ path: '/events?mine' })
  const all = await chat.stranger.listen()
  await Promise.all([mine.next('ping'), all.next('ping')])

  for (let round = 0; round < 15; round++) {
    const room = random.pick(rooms)
    const talking = Promise.all(
      Array.from({ length: random.below(20) }, (_, at) => ada.say(random.pick(rooms), `${at}`)),
    )
    await bob.fetch(`/rooms/${room}/members/me`, { method: random.pick(['PUT', 'DELETE']), headers: ours })
    await talking
  }
  await bob.fetch('/rooms/lobby/members/me', { method: 'PUT', headers: ours })
  const last = Number((await ada.say('lobby', 'last')).id)

  const inside = new Set<string>()
  const expected = (await framesUpTo(all, last)).filter(({ event, room, data }) => {
    const own = room !== undefined && 'user' in (data as object) && (data as Membership).user.id === bobId
    if (own && event === 'join') inside.add(room)
    const seen = room !== undefined && inside.has(room)
    if (own && event === 'leave') inside.delete(room)
    return seen
  })
  assert.deepEqual(
    (await framesUpTo(mine, last)).map(({ bytes }) => bytes),
    expected.map(({ bytes }) => bytes),
  )
  assert.ok(expected.length > 0)
})
