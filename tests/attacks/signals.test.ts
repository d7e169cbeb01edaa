// What need not be kept and costs a write to each reader: that somebody types, has read, comes or goes.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Member, Presence } from '../../lib/chat/streams/events.ts'
import type { Who } from '../../lib/chat/people/who.ts'
import { Limits } from '../../lib/http/limits/limits.ts'
import { Listener, openChat, startChat, type ChatServer, type Person } from '../chat-server.ts'

const type = (person: Person, room = 'lobby') =>
  person.fetch(`/rooms/${room}/typing`, { method: 'POST', headers: { 'sec-fetch-site': 'same-origin' } })
const typed = (stream: Listener) => stream.all.filter(({ event }) => event === 'typing').length

/** Readers who are up to date. */
async function readers(chat: ChatServer, count: number): Promise<Listener[]> {
  const open = await Promise.all(Array.from({ length: count }, () => chat.stranger.listen()))
  for (const reader of open) await reader.next('ping')
  return open
}

test('in a room of many readers nobody hears that somebody types, and of few everybody', async (t) => {
  const chat = await openChat(t)
  const ada = await chat.comeIn('ada')
  await ada.say('lobby', 'the first')
  const few = await readers(chat, 200)

  assert.equal((await type(ada)).status, 204)
  for (const reader of few) await reader.next('typing')

  const [one] = await readers(chat, 1)
  const bob = await chat.comeIn('bob')
  assert.equal((await type(bob)).status, 204)
  await ada.say('lobby', 'the second')
  await one!.next('message')
  assert.equal(typed(one!), 0)
  for (const reader of [...few, one!]) reader.leave()
})

test('who types as fast as a program is not told so, and is heard as often as somebody who types', async (t) => {
  const chat = await startChat(t, { limits: true })
  const ada = await chat.comeIn('ada')
  const rooms = ['a', 'b', 'c', 'd']
  for (const room of rooms) await ada.makeRoom(room)
  const [reader] = await readers(chat, 1)

  const statuses = await Promise.all(Array.from({ length: 100 }, (_, at) => type(ada, rooms[at % 4])))
  await ada.say('lobby', 'the end')
  await reader!.next('message')

  assert.deepEqual([...new Set(statuses.map(({ status }) => status))], [204])
  assert.ok(typed(reader!) > 0 && typed(reader!) <= 4, `${typed(reader!)} times`)
  reader!.leave()
})

test('guests of an address are heard no oftener together than a class would be', async (t) => {
  const chat = await startChat(t, { limits: true, flags: ['--trust-proxy', 'loopback'] })
  const from = { 'x-forwarded-for': '203.0.113.7' }
  const ask = (method: string, path: string, more: Record<string, string> = {}, body = '') =>
    chat.fetch(path, {
      method,
      headers: { ...from, ...more, 'content-type': 'application/json', 'sec-fetch-site': 'same-origin' },
      ...(body && { body }),
    })
  const cookies: string[] = []
  for (let at = 0; at < 60; at++) {
    const answer = await ask('POST', '/session', {}, JSON.stringify({ name: `guest ${at}` }))
    assert.equal(answer.status, 201)
    cookies.push(answer.headers.getSetCookie()[0]!.split(';')[0]!)
  }
  const owner = await chat.owner()
  const rooms = ['lobby', ...(await Promise.all(['a', 'b', 'c'].map((name) => owner.makeRoom(name))))]
  const [reader] = await readers(chat, 1)
  const began = performance.now()

  for (const room of rooms)
    for (const cookie of cookies) assert.equal((await ask('POST', `/rooms/${room}/typing`, { cookie })).status, 204)
  const seconds = (performance.now() - began) / 1000
  await owner.say('lobby', 'the end')
  await reader!.next('message')

  assert.ok(typed(reader!) >= 60, `${typed(reader!)} heard`)
  assert.ok(typed(reader!) <= 60 + 20 * (seconds + 1), `${typed(reader!)} heard in ${seconds} s`)
  reader!.leave()
})

test('a token that is for reading says nothing, not even that it types', async (t) => {
  const chat = await openChat(t)
  const owner = await chat.owner()
  const reads = await owner.makeBot({ name: 'watcher', scopes: ['read'] })
  const writes = await owner.makeBot({ name: 'writer', scopes: ['read', 'write'] })

  assert.equal(await reads.refused('POST', '/rooms/lobby/typing'), '403 forbidden')
  assert.equal((await type(writes)).status, 204)
})

test('read marks are bounded, and far above what a page sends', async (t) => {
  const chat = await startChat(t, { limits: true })
  const ada = await chat.comeIn('ada')
  const { id } = await ada.say('lobby', 'the first')
  const mark = (at: number) => ada.send('PUT', '/rooms/lobby/read', { id: String(Number(id) + at) })

  const statuses: number[] = []
  for (let at = 0; at < 400 && statuses.at(-1) !== 429; at++) statuses.push((await mark(at)).status)

  assert.equal(statuses.at(-1), 429)
  assert.ok(statuses.length > 200, `${statuses.length}`)
  assert.deepEqual([...new Set(statuses.slice(0, -1))], [204])
})

test('where others can not see, nobody hears that one types there', async (t) => {
  const chat = await openChat(t)
  const ada = await chat.comeIn('ada')
  const attic = await ada.makeRoom('attic', { kind: 'private' })
  const [outsider] = await readers(chat, 1)

  assert.equal((await type(ada, attic)).status, 204)
  await ada.say('lobby', 'the end')
  await outsider!.next('message')

  assert.equal(typed(outsider!), 0)
  outsider!.leave()
})

test('a token that is for reading marks nothing as read', async (t) => {
  const chat = await openChat(t)
  const owner = await chat.owner()
  const reads = await owner.makeBot({ name: 'watcher', scopes: ['read'] })
  const writes = await owner.makeBot({ name: 'writer', scopes: ['read', 'write'] })
  const { id } = await owner.say('lobby', 'the first')

  await writes.join('lobby')
  const { id: later } = await owner.say('lobby', 'the second')
  assert.equal(await reads.refused('PUT', '/rooms/lobby/read', { id }), '403 forbidden')
  await writes.ask('PUT', '/rooms/lobby/read', { id: later })
})

// With a clock of our own

const guest = (id: number, kind: 'guest' | 'account' = 'guest'): Who => ({
  kind: 'user',
  user: {
    id,
    name: `n${id}`,
    named: id,
    folded: `n${id}`,
    kind,
    role: kind === 'guest' ? 'guest' : 'member',
    banned: 0,
    password: null,
    outside: null,
  },
})

test('comings and goings, and that somebody types, are told of all whom an address makes as often as of a class', () => {
  const clock = { ms: 0 }
  const limits = new Limits({
    postsPerSecond: 1,
    postsPerAddress: 10,
    streamsPerAddress: 100,
    log: () => {},
    now: () => clock.ms,
  })
  const times = (most: number, tells: (at: number) => boolean) =>
    Array.from({ length: most }, (_, at) => tells(at)).filter(Boolean).length
  const both = (at: number) => guest(at, at % 2 ? 'account' : 'guest')

  assert.equal(
    times(500, (at) => limits.mayTellComing(both(at), '203.0.113.7')),
    100,
  )
  assert.equal(
    times(500, (at) => limits.mayTellTyping(both(at), '203.0.113.7')),
    60,
  )
  clock.ms += 10_000
  assert.equal(
    times(500, (at) => limits.mayTellComing(both(1000 + at), '203.0.113.7')),
    10,
  )
  // One who comes and goes all the time is told of now and then, from wherever that is.
  assert.equal(
    times(100, (at) => limits.mayTellComing(guest(9000), `203.0.113.${at}`)),
    5,
  )
  clock.ms += 60_000
  assert.equal(
    times(100, (at) => limits.mayTellComing(guest(9000), `198.51.100.${at}`)),
    5,
  )
})

test('who comes as one too many of an address is not told of, nor is their going, but is in the list', async (t) => {
  const chat = await startChat(t, {
    limits: true,
    flags: ['--trust-proxy', 'loopback', '--posts-per-address', '0', '--streams-per-address', '0'],
  })
  const from = { 'x-forwarded-for': '203.0.113.7' }
  const guests = await Promise.all(
    Array.from({ length: 130 }, async (_, at) => {
      const guest = await chat.comeIn(`guest ${at}`)
      await guest.join('lobby')
      return guest
    }),
  )
  const watching = await chat.stranger.listen()
  const told = (state: Presence['state']) =>
    watching.all
      .filter(({ event }) => event === 'presence')
      .map(({ data }) => JSON.parse(data) as Presence)
      .filter((one) => one.state === state)
      .map(({ user }) => user.name)
      .sort()
  const here = async () =>
    (await chat.stranger.read<{ members: Member[] }>('/rooms/lobby/members')).members.filter(({ here }) => here).length

  const began = performance.now()
  const streams = await Promise.all(
    guests.map((guest) => Listener.open(`${chat.url}/events`, { ...guest.headers, ...from })),
  )
  for (const stream of streams) await stream.next('ping')
  assert.equal(await here(), 130)
  const most = 100 + Math.ceil((performance.now() - began) / 1000)
  await guests[0]!.say('lobby', 'all are here')
  await watching.next('message')
  const cameIn = told('here')
  assert.ok(cameIn.length >= 100 && cameIn.length <= most, `${cameIn.length} of ${most}`)

  for (const stream of streams) stream.leave()
  while ((await here()) > 0) await new Promise((resolve) => setTimeout(resolve, 100))
  await guests[0]!.say('lobby', 'all are gone')
  await watching.next('message')
  assert.deepEqual(told('away'), cameIn)
})
