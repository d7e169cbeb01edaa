import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Who } from '../../lib/chat/people/who.ts'
import { ChatError } from '../../lib/errors.ts'
import { Buckets } from '../../lib/http/limits/buckets.ts'
import { Limits } from '../../lib/http/limits/limits.ts'
import { startChat, type ChatServer, type Listener, type Person } from '../chat-server.ts'
import { property } from '../random.ts'
import { RawConnection } from '../raw-connection.ts'

/** Tests say by X-Forwarded-For where they come from, as a proxy on this machine would. */
const proxied = ['--trust-proxy', 'loopback']
const at = (address: string) => ({ 'x-forwarded-for': address })
const say = (person: Person, headers: Record<string, string> = {}) =>
  person.send('POST', '/rooms/lobby/messages', { text: 'x' }, headers)
const lines = (chat: ChatServer) => chat.errors.split('\n').filter((line) => line.includes('X-Forwarded-For'))

async function statuses(count: number, ask: (at: number) => Promise<Response>): Promise<number[]> {
  const found: number[] = []
  for (let at = 0; at < count; at++) found.push((await ask(at)).status)
  return found
}

test('who posts faster than a person may is told when to go on, and nobody else is held up', async (t) => {
  // So slow that no second of waiting fills the bucket meanwhile.
  const chat = await startChat(t, { limits: true, flags: ['--posts-per-second', '0.01'] })
  const ada = await chat.comeIn('ada')
  const bob = await chat.comeIn('bob')

  assert.deepEqual(await statuses(10, () => say(ada)), Array(10).fill(201))
  const refused = await say(ada)

  assert.equal(refused.status, 429)
  const seconds = Number(refused.headers.get('retry-after'))
  assert.ok(seconds >= 50 && seconds <= 100, `${seconds} s`)
  const { code, detail } = (await refused.json()) as { code: string; detail: string }
  assert.equal(code, 'too_many')
  assert.match(detail, new RegExp(`more than 0.01 a second; try again in ${seconds} s`))
  assert.equal((await say(bob)).status, 201)
  // Reading and leaving are free.
  assert.equal((await ada.fetch('/rooms/lobby/messages')).status, 200)
  assert.equal(
    (await ada.fetch('/session', { method: 'DELETE', headers: { 'sec-fetch-site': 'same-origin' } })).status,
    204,
  )
})

test('who waited as long as the answer says may go on', async (t) => {
  const chat = await startChat(t, { limits: true, flags: ['--posts-per-second', '4'] })
  const ada = await chat.comeIn('ada')
  const burst = await Promise.all(Array.from({ length: 40 }, () => say(ada)))
  const refused = burst.find(({ status }) => status === 429)!

  assert.ok(burst.filter(({ status }) => status === 201).length >= 10)
  await new Promise((resolve) => setTimeout(resolve, Number(refused.headers.get('retry-after')) * 1000))
  assert.equal((await say(ada)).status, 201)
})

test('a refused post is answered without its body', async (t) => {
  const chat = await startChat(t, { limits: true, flags: ['--posts-per-second', '0.01'] })
  const ada = await chat.comeIn('ada')
  await statuses(10, () => say(ada))

  const connection = new RawConnection(chat.url)
  connection.send(
    `POST /rooms/lobby/messages HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nCookie: ${ada.headers['cookie']}\r\nContent-Length: 1000\r\n\r\n{`,
  )

  assert.ok(await connection.until((text) => text.startsWith('HTTP/1.1 429 ')))
  connection.leave()
})

test("a page of another site can't use up what I may post", async (t) => {
  const chat = await startChat(t, { limits: true, flags: ['--posts-per-second', '0.01'] })
  const ada = await chat.comeIn('ada')

  assert.deepEqual(await statuses(20, () => say(ada, { origin: 'http://evil.example' })), Array(20).fill(403))
  assert.equal((await say(ada)).status, 201)
})

test("names can't be taken by the thousand", async (t) => {
  const chat = await startChat(t, { limits: true, flags: proxied })
  const comeIn = (count: number, address: string) =>
    statuses(count, (number) => chat.stranger.send('POST', '/session', { name: `${address} ${number}` }, at(address)))

  assert.deepEqual(await comeIn(61, '203.0.113.7'), [...Array(60).fill(201), 429])
  // A whole IPv6 network is one address.
  const network = await statuses(61, (number) =>
    chat.stranger.send('POST', '/session', { name: `v6 ${number}` }, at(`2001:db8::${number.toString(16)}:1`)),
  )
  assert.deepEqual(network, [...Array(60).fill(201), 429])
  assert.deepEqual(await comeIn(1, '203.0.113.8'), [201])
})

test('clients that their proxy does not name are not limited by address, and one line says why', async (t) => {
  const chat = await startChat(t, { limits: true, flags: ['--streams-per-address', '3'] })
  const listeners: Listener[] = []

  assert.deepEqual(
    await statuses(60, (number) => chat.stranger.send('POST', '/session', { name: `n${number}` })),
    Array(60).fill(201),
  )
  assert.deepEqual(lines(chat), [])
  assert.deepEqual(
    await statuses(30, (number) => chat.stranger.send('POST', '/session', { name: `m${number}` })),
    Array(30).fill(201),
  )
  for (let count = 0; count < 5; count++) listeners.push(await chat.stranger.listen())

  await (await chat.comeIn('ada')).say('lobby', 'hello')
  for (const listener of listeners) await listener.next('message')
  assert.equal(lines(chat).length, 1, chat.errors)
})

test('with 0 there is no limit on posts or streams', async (t) => {
  const chat = await startChat(t, {
    limits: true,
    flags: [...proxied, '--posts-per-second', '0', '--posts-per-address', '0', '--streams-per-address', '0'],
  })
  const ada = await chat.comeIn('ada')

  assert.deepEqual(await statuses(150, () => say(ada, at('203.0.113.7'))), Array(150).fill(201))
  assert.deepEqual(
    await statuses(80, (number) => chat.stranger.send('POST', '/session', { name: `n${number}` }, at('203.0.113.7'))),
    Array(80).fill(201),
  )
  const listeners = await Promise.all(
    Array.from({ length: 120 }, () => chat.claiming('x').fetch('/events', { headers: at('203.0.113.7') })),
  )
  assert.deepEqual(new Set(listeners.map(({ status }) => status)), new Set([200]))
  for (const { body } of listeners) await body!.cancel()
})

// Opens a stream, and tells whether it was sent on its way; if not, also what it was told.
async function open(
  chat: ChatServer,
  headers: Record<string, string>,
  path = '/events',
): Promise<{ refusal?: string; leave: () => void }> {
  const connection = new RawConnection(chat.url)
  connection.send(
    `GET ${path} HTTP/1.1\r\nHost: localhost\r\nAccept: text/event-stream\r\n${Object.entries(headers)
      .map(([name, value]) => `${name}: ${value}\r\n`)
      .join('')}\r\n`,
  )
  // A stream that stays begins with a retry and an event that holds its cursor, or what it missed.
  assert.ok(await connection.until((text) => /\nid: |\r\n0\r\n\r\n/.test(text)))
  const { status, body } = connection.answer()
  assert.equal(status, 200)
  const leave = () => connection.leave()
  if (!connection.text.endsWith('\r\n0\r\n\r\n')) return { leave }
  leave()
  return { refusal: body.toString(), leave }
}

// Until a stream that was left has been counted down.
async function openInTheEnd(chat: ChatServer, headers: Record<string, string>) {
  for (;;) {
    const stream = await open(chat, headers)
    if (stream.refusal === undefined) return stream
  }
}

test('a stream too many is told to come back later, and may when another has gone', async (t) => {
  const chat = await startChat(t, { limits: true, flags: [...proxied, '--streams-per-address', '3'] })
  await (await chat.comeIn('ada')).say('lobby', 'hello')
  const mine = at('2001:db8::1')
  const streams = [await open(chat, mine), await open(chat, at('2001:db8::2')), await open(chat, mine, '/rooms')]
  assert.ok(streams.every(({ refusal }) => refusal === undefined))

  for (const path of ['/events?since=all', '/rooms', '/rooms/lobby/messages']) {
    const { refusal } = await open(chat, mine, path)
    const [, retry] =
      /^retry: (\d+)\n\n: there are 3 streams open from this address; [^\n]+\n\n$/.exec(refusal ?? '') ?? []
    assert.ok(Number(retry) >= 5000 && Number(retry) <= 30_000, `${path}: ${refusal}`)
  }
  assert.equal((await open(chat, at('2001:db8:0:1::1'))).refusal, undefined)

  streams[2]!.leave()
  assert.equal((await openInTheEnd(chat, mine)).refusal, undefined)
  assert.match((await open(chat, mine)).refusal ?? '', /3 streams/)
})

test('a session has ten streams, wherever they are opened', async (t) => {
  const chat = await startChat(t, { limits: true, flags: proxied })
  const ada = await chat.comeIn('ada')
  const streams: { leave: () => void }[] = []
  for (let count = 0; count < 10; count++) {
    const stream = await open(chat, { ...ada.headers, ...at(`203.0.113.${count}`) })
    assert.equal(stream.refusal, undefined)
    streams.push(stream)
  }

  assert.match(
    (await open(chat, { ...ada.headers, ...at('203.0.113.99') })).refusal ?? '',
    /10 streams open for this session/,
  )
  assert.equal((await open(chat, at('203.0.113.99'))).refusal, undefined)
  // HEAD opens none.
  assert.equal((await ada.fetch('/events', { method: 'HEAD' })).status, 200)
  streams[0]!.leave()
  assert.equal((await openInTheEnd(chat, ada.headers)).refusal, undefined)
})

test('streams that come and go leave no count behind', async (t) => {
  const chat = await startChat(t, { limits: true, flags: [...proxied, '--streams-per-address', '5'] })
  const mine = at('203.0.113.7')
  for (let count = 0; count < 100; count++) (await openInTheEnd(chat, mine)).leave()

  const streams = []
  for (let count = 0; count < 5; count++) streams.push(await openInTheEnd(chat, mine))
  assert.match((await open(chat, mine)).refusal ?? '', /5 streams/)
})

// With a clock of our own

const person = (id: number, kind: 'account' | 'guest' | 'unproven' | 'bot' = 'guest'): Who => ({
  kind: 'user',
  user: {
    id,
    name: `n${id}`,
    named: id,
    folded: `n${id}`,
    kind,
    role: 'guest',
    banned: 0,
    password: null,
    outside: null,
  },
})
const posting = 'POST /rooms/:room/messages'

function limitsAt(
  clock: { ms: number },
  postsPerSecond = 1,
): { limits: Limits; allowed: (who: Who, address?: string, change?: string) => boolean } {
  const limits = new Limits({
    postsPerSecond,
    postsPerAddress: 10,
    streamsPerAddress: 100,
    log: () => {},
    now: () => clock.ms,
  })
  return {
    limits,
    allowed(who, address, change = posting) {
      try {
        limits.change(change, who, address)
        return true
      } catch (error) {
        assert.ok(error instanceof ChatError && error.code === 'too_many' && error.retryAfter! >= 1)
        return false
      }
    },
  }
}

test('a bot has ten times as much as a person', () => {
  const clock = { ms: 0 }
  const { allowed } = limitsAt(clock)
  const count = (who: Who) => Array.from({ length: 1000 }, () => allowed(who)).filter(Boolean).length
  assert.deepEqual([count(person(1)), count(person(2, 'bot'))], [10, 100])
  clock.ms += 2000
  assert.deepEqual([count(person(1)), count(person(2, 'bot'))], [2, 20])
})

test('whoever has used up what they may do can still end their sessions', () => {
  const { allowed } = limitsAt({ ms: 0 })
  while (allowed(person(1)));
  assert.ok(
    ['DELETE /session', 'DELETE /sessions', 'DELETE /sessions/:id'].every((change) =>
      allowed(person(1), undefined, change),
    ),
  )
})

test('newcomers of an address: sixty, then one in ten seconds', () => {
  const clock = { ms: 0 }
  const { allowed } = limitsAt(clock, 100)
  const count = (change: string) =>
    Array.from({ length: 100 }, () => allowed({ kind: 'nobody' }, '203.0.113.7', change)).filter(Boolean).length
  assert.equal(count('POST /session'), 60)
  assert.equal(count('POST /users') + count('POST /invites/accept'), 0)
  clock.ms += 60_000
  assert.equal(count('POST /users'), 6)
})

property('however requests and time are spread, nobody gets more than the burst and the rate, nor less', (random) => {
  for (let round = 0; round < 50; round++) {
    const burst = random.between(1, 40)
    const perSecond = random.pick([0.01, 0.1, 0.5, 1, 3, 10, 1000])
    // Far from 0, as a clock is after a year.
    const clock = { ms: random.pick([0, 1e6, 3e10]) }
    const buckets = new Buckets({ burst, perSecond }, () => clock.ms)
    let tokens = burst
    for (let step = 0; step < 300; step++) {
      const passed = random.pick([0, 0, 0, 1, 10, 100, 1000, 1e5]) * random.next()
      clock.ms += passed
      tokens = Math.min(burst, tokens + (passed * perSecond) / 1000)
      const waitMs = buckets.wait('a')
      const expected = Math.max(0, ((1 - tokens) * 1000) / perSecond)
      assert.ok(Math.abs(waitMs - expected) < 0.01 + expected * 1e-6, `${waitMs} ms, not ${expected}`)
      if (waitMs > 0) continue
      buckets.take('a')
      tokens -= 1
    }
  }
})

property('a clock that jumps by any time, or stands, gives nobody more than a full bucket', (random) => {
  const clock = { ms: 0 }
  const { allowed } = limitsAt(clock)
  for (let jump = 0; jump < 100; jump++) {
    clock.ms += random.pick([0, 1000, 3.6e6, 3.2e10])
    assert.ok(Array.from({ length: 30 }, () => allowed(person(1))).filter(Boolean).length <= 10)
  }
  clock.ms += 10_000
  assert.equal(Array.from({ length: 30 }, () => allowed(person(1))).filter(Boolean).length, 10)
})

test('no more than ten thousand are remembered, and who is still limited is kept before who is not', () => {
  const clock = { ms: 0 }
  const buckets = new Buckets({ burst: 2, perSecond: 0.001 }, () => clock.ms)
  buckets.take('limited')
  buckets.take('limited')
  clock.ms += 1_000_000
  for (let key = 0; key < 9_998; key++) buckets.take(`quiet ${key}`)
  clock.ms += 1_000_000
  for (let key = 0; key < 20_000; key++) buckets.take(`new ${key}`)

  assert.equal(buckets.size, 10_000)
  const recent = new Buckets({ burst: 1, perSecond: 0.001 }, () => clock.ms)
  recent.take('first')
  clock.ms += 999_000
  recent.take('limited')
  clock.ms += 2000
  for (let key = 0; key < 9_999; key++) recent.take(`new ${key}`)
  assert.equal(recent.size, 10_000)
  assert.ok(recent.wait('limited') > 0)
  assert.equal(recent.wait('first'), 0)
})
