import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Room } from '../../lib/chat/streams/events.ts'
import { startServer } from '../../lib/program/main.ts'
import { ChatServer, Listener, Person, settings, startChat, temporaryFolder } from '../chat-server.ts'

test('a reader who was away gets what it missed, once and in order', async (t) => {
  const chat = await startChat(t)
  const ada = await chat.comeIn('ada')

  const first = await chat.stranger.listen()
  await ada.say('lobby', 'one')
  const { id } = await first.next('message')
  first.leave()
  await ada.say('lobby', 'two')
  await ada.say('lobby', 'three')

  const again = await chat.stranger.listen({ lastEventId: id })
  await ada.say('lobby', 'four')
  assert.deepEqual(await again.texts(3), ['two', 'three', 'four'])
})

test('the first bytes are a retry, and every frame ends with a blank line', async (t) => {
  const chat = await startChat(t)
  const reader = await chat.stranger.listen()
  const ada = await chat.comeIn('ada')
  const { id, at, from } = await ada.say('lobby', 'hello')
  await reader.next('message')

  const text = reader.bytes.toString()
  assert.match(text, /^retry: [2-5]\d\d\d\n\n/)
  const frame = `event: message\nid: ${id}\ndata: ${JSON.stringify({ id, room: 'lobby', from, text: 'hello', at })}\n\n`
  assert.ok(text.endsWith(frame), text)
  const { headers } = reader.response
  assert.equal(headers['content-type'], 'text/event-stream; charset=utf-8')
  assert.equal(headers['cache-control'], 'no-store, no-transform')
  assert.equal(headers['x-accel-buffering'], 'no')
  assert.equal(headers['x-content-type-options'], 'nosniff')
  assert.equal(headers['content-length'], undefined)
})

test('a reader cut off before its first event has a cursor all the same', async (t) => {
  const chat = await startChat(t)
  const ada = await chat.comeIn('ada')
  const before = await ada.say('lobby', 'before')

  const reader = await chat.stranger.listen()
  const ping = await reader.next('ping')

  assert.equal(ping.id, before.id)
})

test('ten messages missed while the server was killed and started again come first, then live ones', async (t) => {
  const chat = await startChat(t, { data: await temporaryFolder(t) })
  const ada = await chat.comeIn('ada')
  const reader = await chat.stranger.listen()
  await ada.say('lobby', 'seen')
  const { id } = await reader.next('message')
  reader.leave()
  const missed = Array.from({ length: 10 }, (_, at) => `missed ${at}`)
  for (const text of missed) await ada.say('lobby', text)

  await chat.kill()
  await chat.start()

  const again = await chat.stranger.listen({ lastEventId: id })
  assert.deepEqual(await again.texts(10), missed)
  await ada.say('lobby', 'live')
  assert.deepEqual(await again.texts(1), ['live'])
})

test('a cursor that was never given out gets a reset, and then what comes', async (t) => {
  const chat = await startChat(t)
  const ada = await chat.comeIn('ada')
  const { id } = await ada.say('lobby', 'before')

  for (const lastEventId of [
    '1',
    '12345678901234567890',
    String(Number(id) + 1),
    'nonsense',
    `${id}, ${id}`,
    'x'.repeat(10_000),
    '-',
    '10y',
  ]) {
    const reader = await chat.stranger.listen({ lastEventId })
    const reset = await reader.next('reset')
    assert.deepEqual([reset.id, reset.data.reason, reset.data.cursor], [id, 'unknown_cursor', id], lastEventId)
    assert.ok(!reader.bytes.includes('nonsense'))
    reader.leave()
  }
  const reader = await chat.stranger.listen({ lastEventId: 'nonsense' })
  await reader.next('reset')
  await ada.say('lobby', 'after')
  assert.deepEqual(await reader.texts(1), ['after'])
})

test('since takes an id, a duration, a time, all, or a count', async (t) => {
  const chat = await startChat(t)
  const ada = await chat.comeIn('ada')
  const one = await ada.say('lobby', 'one')
  await ada.say('lobby', 'two')
  await ada.say('lobby', 'three')

  for (const since of ['all', '10m', '1w', encodeURIComponent(one.at), '2026-01-01', '-3', '-1000']) {
    const reader = await chat.stranger.listen({ path: `/events?since=${since}` })
    assert.deepEqual(await reader.texts(3), ['one', 'two', 'three'], since)
    reader.leave()
  }
  for (const path of [
    `/events?since=${one.id}`,
    '/events?since=-2',
    `/events?last_event_id=${one.id}&since=all`,
    `/events?lastEventId=${one.id}`,
  ]) {
    const reader = await chat.stranger.listen({ path })
    assert.deepEqual(await reader.texts(2), ['two', 'three'], path)
    reader.leave()
  }
  // On reconnect a browser repeats the URL and adds the header: the header is the newer one.
  const both = await chat.stranger.listen({ path: '/events?since=all', lastEventId: one.id })
  assert.deepEqual(await both.texts(2), ['two', 'three'])
})

test('with a ring of 100, a reader that missed 10,000 messages gets them all, in order, while others are served', async (t) => {
  const server = await startServer(settings(), { ring: 100 })
  t.after(() => server.stop())
  const chat = new ChatServer({})
  chat.url = server.url
  const writers = await Promise.all(['ada', 'bob', 'eve', 'dan'].map((name) => chat.comeIn(name)))
  const reader = await chat.stranger.listen()
  const { id } = await reader.next('ping')
  reader.leave()
  const ids: number[] = []
  await Promise.all(
    writers.map(async (writer, at) => {
      for (let count = 0; count < 2500; count++) ids.push(Number((await writer.say('lobby', `${at} ${count}`)).id))
    }),
  )

  const live = await chat.stranger.listen()
  await live.next('ping')
  const late = await chat.stranger.listen({ lastEventId: id })
  await writers[0]!.say('lobby', 'meanwhile')
  assert.deepEqual(await live.texts(1), ['meanwhile'])
  const got = (await late.take('message', 10_001)).map((event) => Number(event.id))

  assert.deepEqual(
    got.slice(0, 10_000),
    ids.sort((a, b) => a - b),
  )
  assert.equal(new Set(got).size, 10_001)
  live.leave()
  late.leave()
})

test('GET /rooms as a stream gives each room, then each new one, as default events', async (t) => {
  const chat = await startChat(t)
  const ada = await chat.comeIn('ada')
  await ada.makeRoom('Attic')

  const reader = await chat.stranger.listen({ path: '/rooms' })
  const names = async (count: number) =>
    (await reader.take('message', count)).map((event) => (JSON.parse(event.data) as Room).name)
  assert.deepEqual(await names(2), ['lobby', 'Attic'])
  await ada.makeRoom('Küche')
  assert.deepEqual(await names(1), ['Küche'])
  const { lastEventId } = reader.parser
  reader.leave()
  await ada.makeRoom('厨房')

  const again = await chat.stranger.listen({ path: '/rooms', lastEventId })
  const [missed] = await again.take('message', 1)
  assert.deepEqual((JSON.parse(missed!.data) as Room).id, '厨房')
})

test('a stream of some rooms shows only these, and one of mine follows what I join', async (t) => {
  const chat = await startChat(t)
  const ada = await chat.comeIn('ada')
  const bob = await chat.comeIn('bob')
  await ada.makeRoom('attic')
  await ada.makeRoom('cellar')

  const attic = await chat.stranger.listen({ path: '/events?room=attic' })
  const mine = await bob.listen({ path: '/events?mine' })
  await ada.say('lobby', 'in the lobby')
  await ada.say('attic', 'in the attic')
  assert.deepEqual(await attic.texts(1), ['in the attic'])
  assert.equal(
    (await bob.fetch('/rooms/cellar/members/me', { method: 'PUT', headers: { 'sec-fetch-site': 'same-origin' } }))
      .status,
    204,
  )
  await mine.next('join')
  await ada.say('cellar', 'in the cellar')
  assert.deepEqual(await mine.texts(1), ['in the cellar'])
  assert.equal(
    (await bob.fetch('/rooms/cellar/members/me', { method: 'DELETE', headers: { 'sec-fetch-site': 'same-origin' } }))
      .status,
    204,
  )
  await mine.next('leave')
  await ada.say('cellar', 'unheard')
  await bob.say('attic', 'and up again')
  assert.deepEqual(await mine.texts(1), ['and up again'])

  // Named rooms are all there is, even with mine beside them.
  const named = await bob.listen({ path: '/events?room=attic&mine' })
  await bob.say('cellar', 'joined again')
  await ada.say('attic', 'only this')
  await named.take('message', 1)
  assert.ok(!named.bytes.includes('cellar'))

  await assert.rejects(chat.stranger.listen({ path: '/events?mine' }), /401/)
  await assert.rejects(chat.stranger.listen({ path: '/events?room=nowhere' }), /404/)
})

test("a room's messages as a stream: the page, then what comes", async (t) => {
  const chat = await startChat(t)
  const ada = await chat.comeIn('ada')
  for (const text of ['one', 'two', 'three']) await ada.say('lobby', text)

  const reader = await Listener.open(`${chat.url}/rooms/lobby/messages?limit=2`)
  assert.deepEqual(await reader.texts(2), ['two', 'three'])
  await ada.say('lobby', 'four')
  assert.deepEqual(await reader.texts(1), ['four'])
})

test('who logs out loses the open stream, and is answered 204 when it comes back', async (t) => {
  const chat = await startChat(t)
  const ada = await chat.comeIn('ada')
  const bob = await chat.comeIn('bob')
  const reader = await ada.listen()
  const others = await bob.listen()

  assert.equal(
    (await ada.fetch('/session', { method: 'DELETE', headers: { 'sec-fetch-site': 'same-origin' } })).status,
    204,
  )
  await reader.over

  assert.equal((await ada.fetch('/events')).status, 204)
  assert.equal((await ada.send('POST', '/rooms/lobby/messages', { text: 'still me' })).status, 401)
  await bob.say('lobby', 'still here')
  assert.deepEqual(await others.texts(1), ['still here'])
})

test('HEAD gets the headers of a stream and an end', async (t) => {
  const chat = await startChat(t)
  const answer = await chat.fetch('/events', { method: 'HEAD' })
  assert.equal(answer.status, 200)
  assert.equal(answer.headers.get('content-type'), 'text/event-stream; charset=utf-8')
  assert.equal(await answer.text(), '')
})

test('readers see the same events in the same order, whatever they missed', async (t) => {
  const chat = await startChat(t)
  const people = await Promise.all(['ada', 'bob', 'eve'].map((name) => chat.comeIn(name)))
  const whole = await chat.stranger.listen({ path: '/events?since=all' })
  const said = people.map(async (person: Person, at) => {
    for (let count = 0; count < 50; count++) await person.say('lobby', `${at} ${count}`)
  })
  const texts = await whole.texts(150)
  await Promise.all(said)

  const later = await chat.stranger.listen({ path: '/events?since=all' })
  assert.deepEqual(await later.texts(150), texts)
  assert.equal(new Set(texts).size, 150)
})

test('the last few of several rooms are theirs together, whichever of them was busy', async (t) => {
  const chat = await startChat(t)
  const ada = await chat.comeIn('ada')
  const rooms = [await ada.makeRoom('quiet'), await ada.makeRoom('busy'), await ada.makeRoom('empty')]
  const said: string[] = []
  for (let at = 0; at < 40; at++) said.push((await ada.say(at % 13 === 0 ? 'quiet' : 'busy', String(at))).text)
  await ada.say('lobby', 'not asked for')

  for (const count of [1, 2, 3, 7, 20, 39, 40]) {
    const reader = await chat.stranger.listen({
      path: `/events?since=-${count}&${rooms.map((room) => `room=${room}`).join('&')}&room=Busy`,
    })

    assert.deepEqual(await reader.texts(count), said.slice(-count))
    reader.leave()
  }
})

test('a stream names 200 rooms at most, and one named often is one', async (t) => {
  const chat = await startChat(t)
  await (await chat.comeIn('ada')).say('lobby', 'hello')

  const reader = await chat.stranger.listen({ path: `/events?since=-1&${'room=lobby&'.repeat(1000)}` })
  const refused = await chat.stranger.fetch(
    `/events?${Array.from({ length: 201 }, (_, at) => `room=r${at}`).join('&')}`,
  )

  assert.deepEqual(await reader.texts(1), ['hello'])
  assert.equal(refused.status, 400)
})
