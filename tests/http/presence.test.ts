// Who is here, who comes, goes and types: signals to those who may see the room, and to nobody who is behind.

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { Member, Presence } from '../../lib/chat/streams/events.ts'
import { startChat, type Listener, type Person } from '../chat-server.ts'

const told = (stream: Listener, event: 'presence' | 'typing') =>
  stream.all.filter((one) => one.event === event).map(({ data }) => JSON.parse(data) as Presence)
const statesOf = (stream: Listener, name: string, room?: string) =>
  told(stream, 'presence')
    .filter(({ user, room: of }) => user.name === name && (room === undefined || of === room))
    .map(({ state }) => state)
const hereIn = async (person: Person, room: string) =>
  (await person.read<{ members: Member[] }>(`/rooms/${encodeURIComponent(room)}/members`)).members
    .filter(({ here }) => here)
    .map(({ name }) => name)
    .sort()
const type = (person: Person, room: string) => person.ask('POST', `/rooms/${encodeURIComponent(room)}/typing`)

/** Reads until somebody is told to be here, or away. */
async function until(stream: Listener, name: string, state: Presence['state']): Promise<Presence> {
  for (;;) {
    const { data } = await stream.next('presence')
    if (data.user.name === name && data.state === state) return data
  }
}

/** Reads all that was sent before now. */
async function upToNow(stream: Listener, speaker: Person): Promise<void> {
  const { id } = await speaker.say('lobby', 'now')
  while ((await stream.next('message')).id !== id) continue
}

// Who goes is still here for five seconds: that is waited for at once.
describe('who goes', { concurrency: true }, () => {
  test('three tabs are one person, who comes once, is here, and goes some seconds after the last', async (t) => {
    const chat = await startChat(t)
    const [ada, bob] = [await chat.comeIn('ada'), await chat.account('bob')]
    for (const person of [ada, bob]) await person.join('lobby')
    const watching = await ada.listen()
    assert.deepEqual(await hereIn(ada, 'lobby'), ['ada'])

    const again = await chat.logIn('bob')
    const tabs = [
      await bob.listen(),
      await again.listen({ path: '/events?mine' }),
      await again.listen({ path: '/events?room=lobby' }),
    ]
    assert.deepEqual(await until(watching, 'bob', 'here'), {
      room: 'lobby',
      user: { id: bob.id, name: 'bob' },
      state: 'here',
    })
    assert.deepEqual(await hereIn(chat.stranger, 'lobby'), ['ada', 'bob'])
    for (const tab of tabs.slice(1)) tab.leave()
    // He is loading again what was his last tab: that is no going.
    tabs[0]!.leave()
    const loaded = await bob.listen()
    const gus = await chat.comeIn('gus')
    await gus.join('lobby')
    const glance = await gus.listen()
    await until(watching, 'gus', 'here')
    glance.leave()
    assert.deepEqual(await hereIn(ada, 'lobby'), ['ada', 'bob', 'gus'], 'who has just gone may be back in a moment')
    const left = performance.now()
    await until(watching, 'gus', 'away')
    const graceMs = performance.now() - left
    assert.ok(graceMs > 2000 && graceMs < 15_000, `${graceMs}`)
    assert.deepEqual(statesOf(watching, 'bob'), ['here'])
    assert.deepEqual(await hereIn(ada, 'lobby'), ['ada', 'bob'])

    loaded.leave()
    await until(watching, 'bob', 'away')
    assert.deepEqual(statesOf(watching, 'bob'), ['here', 'away'])
    assert.deepEqual(await hereIn(ada, 'lobby'), ['ada'])
    await bob.listen()
    await until(watching, 'bob', 'here')
  })

  test('who gives a name without proof is here like others, and is shown as what they are', async (t) => {
    const chat = await startChat(t)
    const ada = await chat.comeIn('ada')
    await ada.join('lobby')
    const una = chat.claiming('una')
    await una.say('lobby', 'hello')
    const watching = await ada.listen()
    const [one, two] = [await una.listen(), await una.listen()]
    const { user } = await until(watching, 'una', 'here')
    assert.equal(user.unproven, true)
    assert.deepEqual(await hereIn(ada, 'lobby'), ['ada', 'una'])
    one.leave()
    two.leave()
    await until(watching, 'una', 'away')
    assert.deepEqual(statesOf(watching, 'una'), ['here', 'away'])
    // Who watches without a name is nobody that is here.
    await chat.stranger.listen()
    await chat.claiming('never said a word').listen()
    assert.deepEqual(await hereIn(ada, 'lobby'), ['ada'])
  })

  test('who comes and types in a private room is told to its members alone', async (t) => {
    const chat = await startChat(t)
    const olga = await chat.owner()
    const [ada, bob, eve] = [await chat.account('ada'), await chat.account('bob'), await chat.account('eve')]
    const closed = await ada.makeRoom('closed', { kind: 'private' })
    await ada.add(closed, bob)
    const direct = await ada.direct(bob)
    const bot = await olga.makeBot({ name: 'builds' })
    const inside = await ada.listen()
    const outside = await Promise.all([olga, eve, bot, chat.stranger].map((person) => person.listen()))
    const elsewhere = await ada.listen({ path: '/events?room=lobby' })

    const his = await bob.listen()
    for (const room of [closed, direct]) await type(bob, room)
    await until(inside, 'bob', 'here')
    await upToNow(inside, olga)
    assert.deepEqual(
      told(inside, 'presence')
        .filter(({ user }) => user.name === 'bob')
        .map(({ room }) => room)
        .sort(),
      [closed, direct].sort(),
    )
    assert.deepEqual(
      told(inside, 'typing').map(({ room, user, state }) => [room, user.name, state]),
      [
        [closed, 'bob', 'typing'],
        [direct, 'bob', 'typing'],
      ],
    )
    assert.ok(!inside.bytes.toString().includes('event: typing\nid:'), 'a signal has no id')
    for (const stream of [...outside, elsewhere]) {
      await upToNow(stream, olga)
      for (const word of [closed, direct, 'typing']) assert.ok(!stream.bytes.includes(word), word)
      assert.deepEqual(statesOf(stream, 'bob'), [])
    }
    assert.deepEqual(await hereIn(bob, closed), ['ada', 'bob'])
    assert.equal(await eve.refused('GET', `/rooms/${closed}/members`), '404 not_found')

    // Who is not in it any more hears nothing more of it, nor do its members of their going.
    await ada.remove(closed, bob)
    await his.next('leave')
    await type(ada, closed)
    await upToNow(his, olga)
    assert.ok(!told(his, 'typing').some(({ room, user }) => room === closed && user.name === 'ada'))
    assert.equal(await bob.refused('POST', `/rooms/${closed}/typing`), '404 not_found')
    his.leave()
    assert.deepEqual((await until(inside, 'bob', 'away')).room, direct)
    assert.deepEqual(statesOf(inside, 'bob', closed), ['here'])
  })
})

test('that somebody types is told once a second at the most, and each room of its own', async (t) => {
  const chat = await startChat(t)
  const [ada, bob] = [await chat.comeIn('ada'), await chat.comeIn('bob')]
  const attic = await ada.makeRoom('attic')
  const watching = await chat.stranger.listen()
  const began = performance.now()
  await Promise.all(
    Array.from({ length: 50 }, (_, number) => type(number % 5 ? ada : bob, number % 2 ? 'lobby' : attic)),
  )
  await upToNow(watching, ada)
  const most = 1 + Math.floor((performance.now() - began) / 1000)
  for (const person of [ada, bob]) {
    for (const room of ['lobby', attic]) {
      const times = told(watching, 'typing').filter((one) => one.room === room && one.user.id === person.id).length
      assert.ok(times >= 1 && times <= most, `${person.name} ${times} times in ${room}`)
    }
  }
  // After that second they are told again.
  const before = told(watching, 'typing').length
  while (told(watching, 'typing').length === before) {
    await type(ada, 'lobby')
    assert.ok(performance.now() - began < 10_000)
  }
  assert.ok(performance.now() - began >= 990)

  assert.equal(await chat.stranger.refused('POST', '/rooms/lobby/typing'), '401 unauthorized')
  const una = chat.claiming('una')
  assert.equal(await una.refused('POST', '/rooms/lobby/typing'), '403 forbidden')
  // Known by then, if nothing proves who they are.
  await una.say('lobby', 'hello')
  await type(una, 'lobby')
  assert.equal(await ada.refused('POST', '/rooms/nowhere/typing'), '404 not_found')
})

test('who is banned is no longer here', async (t) => {
  const chat = await startChat(t)
  const olga = await chat.owner()
  const gus = await chat.comeIn('gus')
  for (const person of [olga, gus]) await person.join('lobby')
  const watching = await olga.listen()
  const his = await gus.listen()
  await until(watching, 'gus', 'here')
  await olga.ban(gus)
  await his.over
  await until(watching, 'gus', 'away')
  assert.equal(await gus.refused('POST', '/rooms/lobby/typing'), '403 banned')
})

test('who is behind gets no signals, and all that is kept', async (t) => {
  const chat = await startChat(t)
  const [ada, bob] = [await chat.comeIn('ada'), await chat.comeIn('bob')]
  const behind = await bob.listen()
  const live = await bob.listen()
  await behind.next('ping')
  behind.response.pause()
  await Promise.all(Array.from({ length: 700 }, (_, count) => ada.say('lobby', `${count} ${'京'.repeat(3990)}`)))
  await live.texts(700)
  await type(ada, 'lobby')
  assert.equal((await live.next('typing')).data.user.name, 'ada')
  behind.response.resume()
  await behind.texts(700)
  await upToNow(behind, ada)
  assert.deepEqual(told(behind, 'typing'), [])
  await type(bob, 'lobby')
  assert.equal((await behind.next('typing')).data.user.name, 'bob')
})

test('of a room that hundreds watch nobody is told who comes and goes; who is here is in the list', async (t) => {
  const chat = await startChat(t)
  const [ada, bob] = [await chat.comeIn('ada'), await chat.comeIn('bob')]
  await bob.join('lobby')
  const small = await ada.makeRoom('small', { kind: 'private' })
  await ada.add(small, bob)
  const watching = await ada.listen()
  await Promise.all(Array.from({ length: 200 }, () => chat.stranger.listen()))
  await bob.listen()
  await upToNow(watching, ada)
  assert.deepEqual(
    told(watching, 'presence')
      .filter(({ user }) => user.name === 'bob')
      .map(({ room }) => room),
    [small],
  )
  assert.deepEqual(await hereIn(chat.stranger, 'lobby'), ['ada', 'bob'])
})
