// How much one address may change, however many people it makes: guests and names cost nothing, so those of an address share a bound. What a
// change costs grows with its body, since the disk pays for bytes.

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { Who } from '../../lib/chat/people/who.ts'
import { ChatError } from '../../lib/errors.ts'
import { networkOf } from '../../lib/network.ts'
import { Limits } from '../../lib/http/limits/limits.ts'
import { startChat, type ChatServer, type Person } from '../chat-server.ts'
import { mount } from '../mounted/mount.ts'
import { RawConnection } from '../raw-connection.ts'

const proxied = ['--trust-proxy', 'loopback']
const from = (address: string) => ({ 'x-forwarded-for': address })
const own = { 'sec-fetch-site': 'same-origin' }
const rare = String.fromCodePoint(0x20000)

function post(person: Person, address: string, text = 'x'): Promise<Response> {
  return person.fetch('/rooms/lobby/messages', {
    method: 'POST',
    headers: { ...own, ...from(address), 'content-type': 'text/plain' },
    body: text,
  })
}

async function statusesOf(asked: Iterable<Promise<Response>>): Promise<number[]> {
  return Promise.all(
    [...asked].map(async (answer) => {
      const { status, body } = await answer
      await body?.cancel()
      return status
    }),
  )
}

const count = (statuses: number[], status: number) => statuses.filter((one) => one === status).length

/** Comes in through an address. */
async function guestOf(chat: ChatServer, name: string, address: string): Promise<Person> {
  const answer = await chat.stranger.send('POST', '/session', { name }, from(address))
  assert.equal(answer.status, 201)
  return Object.assign(chat.stranger, { headers: { cookie: answer.headers.getSetCookie()[0]!.split(';')[0]! } })
}

test('thirty guests of one address post no more together than an address may, and other addresses notice nothing', async (t) => {
  const chat = await startChat(t, { limits: true, flags: proxied })
  const guests = await Promise.all(Array.from({ length: 30 }, (_, at) => guestOf(chat, `g${at}`, '203.0.113.7')))
  const began = performance.now()

  const answers = await Promise.all(
    guests.flatMap((guest) => Array.from({ length: 10 }, () => post(guest, '203.0.113.7'))),
  )

  // Each alone is within a person's ten.
  const statuses = answers.map(({ status }) => status)
  const allowed = 100 + Math.ceil((performance.now() - began) / 100)
  assert.ok(count(statuses, 201) >= 100 && count(statuses, 201) <= allowed, `${count(statuses, 201)} of ${allowed}`)
  assert.equal(count(statuses, 201) + count(statuses, 429), 300)
  const refused = answers.find(({ status }) => status === 429)!
  assert.equal(refused.headers.get('retry-after'), '1')
  assert.match(((await refused.json()) as { detail: string }).detail, /address/)
  const elsewhere = await guestOf(chat, 'elsewhere', '203.0.113.8')
  assert.equal((await post(elsewhere, '203.0.113.8')).status, 201)
})

test('whoever has an account speaks where the guests of the address have used up what they may; so do bots and the owner', async (t) => {
  const chat = await startChat(t, { limits: true, flags: [...proxied, '--posts-per-address', '0.01'] })
  const owner = await chat.owner()
  const account = await chat.account('ada')
  const bot = await owner.makeBot({ name: 'builds' })
  assert.deepEqual(await statusesOf([post(chat.claiming('una'), '203.0.113.7')]), [201])
  assert.deepEqual(
    await statusesOf([
      post(chat.claiming('una'), '203.0.113.7'),
      post(chat.claiming('una2'), '203.0.113.7'),
      post(await chat.comeIn('gus'), '203.0.113.7'),
    ]),
    [429, 429, 429],
  )

  for (const person of [owner, account, bot])
    assert.deepEqual(await statusesOf(Array.from({ length: 9 }, () => post(person, '203.0.113.7'))), Array(9).fill(201))
})

test('every kind of change counts: edits, reactions, rooms, comings and goings, a new name', async (t) => {
  const changes: [string, string, unknown?][] = [
    ['POST', '/rooms', { name: 'one more' }],
    ['PATCH', '/rooms/lobby/messages/1', { text: 'x' }],
    ['DELETE', '/rooms/lobby/messages/1'],
    ['PUT', '/rooms/lobby/messages/1/reactions/👍'],
    ['DELETE', '/rooms/lobby/messages/1/reactions/👍'],
    ['PUT', '/rooms/lobby/members/me'],
    ['DELETE', '/rooms/lobby/members/me'],
    ['PATCH', '/rooms/lobby', { topic: 'x' }],
    ['POST', '/direct', { user: 'somebody' }],
    ['PATCH', '/users/me', { name: 'another' }],
    ['POST', '/invites', { room: 'lobby' }],
  ]
  const chat = await startChat(t, { limits: true, flags: [...proxied, '--posts-per-address', '0.01'] })
  for (const [at, [method, path, body]] of changes.entries()) {
    const address = `203.0.113.${at}`
    const guest = await chat.comeIn(`gus${at}`)
    const ask = () =>
      guest.fetch(path, {
        method,
        headers: { ...own, ...from(address), 'content-type': 'application/json' },
        ...(body !== undefined && { body: JSON.stringify(body) }),
      })
    assert.notEqual((await ask()).status, 429, `${method} ${path}`)
    // Another guest's, so that it is the address and not the person.
    assert.equal((await post(chat.claiming(`name ${at}`), address)).status, 429, `${method} ${path}`)
  }
  // Leaving is free.
  assert.equal(
    (
      await (
        await chat.comeIn('last')
      ).fetch('/session', { method: 'DELETE', headers: { ...own, ...from('203.0.113.0') } })
    ).status,
    204,
  )
})

describe('what a body costs', () => {
  test('the longest text can always be said, and is paid for afterwards by who said it and by their address', async (t) => {
    const chat = await startChat(t, { limits: true, flags: [...proxied, '--posts-per-second', '0.1'] })
    const guest = await chat.comeIn('gus')
    assert.deepEqual(await statusesOf(Array.from({ length: 9 }, () => post(guest, '203.0.113.7'))), Array(9).fill(201))

    assert.equal((await post(guest, '203.0.113.7', rare.repeat(4000))).status, 201)

    // 16,000 bytes are 15 KiB and some: it cost sixteen, of which there was one.
    const refused = await post(guest, '203.0.113.7')
    assert.equal(refused.status, 429)
    const seconds = Number(refused.headers.get('retry-after'))
    assert.ok(seconds > 150 && seconds <= 160, `${seconds} s`)
    assert.equal((await post(await chat.comeIn('another'), '203.0.113.7')).status, 201)
  })

  test('a long text costs the guests of its address as much, so that another guest has to wait', async (t) => {
    const chat = await startChat(t, { limits: true, flags: [...proxied, '--posts-per-address', '0.5'] })
    const [gus, una] = [await chat.comeIn('gus'), await chat.comeIn('una')]
    assert.deepEqual(await statusesOf([post(gus, '203.0.113.7', rare.repeat(4000))]), [201])
    assert.deepEqual(await statusesOf([post(una, '203.0.113.7')]), [429])
    assert.deepEqual(await statusesOf([post(una, '203.0.113.8')]), [201])
  })

  test('a body that is refused, or sent in pieces, or cut off, costs what came of it', async (t) => {
    const chat = await startChat(t, { limits: true, flags: [...proxied, '--posts-per-second', '0.1'] })
    const secondsToWait = async (guest: Person) => {
      const answer = await post(guest, '203.0.113.98')
      return answer.status === 429 ? Number(answer.headers.get('retry-after')) : 0
    }
    const bodies: [string, (head: string) => string, number][] = [
      ['too long for a message', (head) => `${head}Content-Length: 20000\r\n\r\n${'x'.repeat(20_000)}`, 19],
      [
        'no JSON',
        (head) => `${head.replace('text/plain', 'application/json')}Content-Length: 20000\r\n\r\n${'['.repeat(20_000)}`,
        19,
      ],
      ['larger than a body may be', (head) => `${head}Content-Length: 200000\r\n\r\n${'x'.repeat(200_000)}`, 64],
      [
        'in chunks',
        (head) => `${head}Transfer-Encoding: chunked\r\n\r\n${`400\r\n${'x'.repeat(1024)}\r\n`.repeat(30)}0\r\n\r\n`,
        30,
      ],
      ['cut off', (head) => `${head}Expect: 100-continue\r\nContent-Length: 40000\r\n\r\n${'x'.repeat(30_000)}`, 29],
    ]
    for (const [at, [what, bytes, kibibytes]] of bodies.entries()) {
      const guest = await chat.comeIn(what)
      const address = `203.0.113.${at}`
      assert.deepEqual(
        await statusesOf(Array.from({ length: 9 }, () => post(guest, '203.0.113.99'))),
        Array(9).fill(201),
      )
      const connection = new RawConnection(chat.url)
      connection.send(
        bytes(
          `POST /rooms/lobby/messages HTTP/1.1\r\nHost: localhost\r\nSec-Fetch-Site: same-origin\r\nContent-Type: text/plain\r\nCookie: ${guest.headers['cookie']}\r\nX-Forwarded-For: ${address}\r\n`,
        ),
      )
      // Of the one that is cut off the beginning has to have arrived.
      assert.ok(
        await connection.until((text) => text.startsWith(what === 'cut off' ? 'HTTP/1.1 100' : 'HTTP/1.1 4')),
        what,
      )
      if (what === 'cut off') await chat.stranger.read('/rooms')
      connection.leave()
      const least = 10 * (kibibytes + 1) - 20
      let seconds: number
      // That a sender has gone is noticed a moment later.
      do seconds = await secondsToWait(guest)
      while (what === 'cut off' && seconds < least)
      assert.ok(seconds >= least && seconds <= 10 * (kibibytes + 1), `${what}: ${seconds} s`)
    }
  })

  test('where another server has read the body, it costs the same', async (t) => {
    const text = 'x'.repeat(3900)
    const { send } = await mount(t, { postsPerSecond: 0.1 }, (chat) => (request, response) => {
      let body = ''
      request
        .on('data', (chunk) => (body += chunk))
        .on('end', () => chat.handler(Object.assign(request, { body: JSON.parse(body) }), response))
    })
    const ask = (text: string) => send('POST', '/chat/rooms/lobby/messages', { text }, 'ada')
    const statuses = await statusesOf(Array.from({ length: 2 }, () => ask(text)))
    assert.deepEqual(statuses, [201, 201])
    assert.deepEqual(await statusesOf(Array.from({ length: 4 }, () => ask('x'))), [201, 201, 429, 429])
  })
})

// With a clock of our own

const person = (
  id: number,
  kind: 'account' | 'guest' | 'unproven' | 'bot' | 'hosted' = 'guest',
  role: 'owner' | 'member' | 'guest' = 'guest',
): Who => ({
  kind: 'user',
  user: { id, name: `n${id}`, named: id, folded: `n${id}`, kind, role, banned: 0, password: null, outside: null },
})
const posting = 'POST /rooms/:room/messages'

function limitsAt(
  clock: { ms: number },
  settings: { postsPerSecond?: number; postsPerAddress?: number; streamsPerAddress?: number } = {},
) {
  const lines: string[] = []
  const limits = new Limits({
    postsPerSecond: 1,
    postsPerAddress: 10,
    streamsPerAddress: 100,
    ...settings,
    log: (line) => lines.push(line),
    now: () => clock.ms,
  })
  const allowed = (who: Who, address: string | undefined, { change = posting, bytes = 0 } = {}): boolean => {
    try {
      limits.change(change, who, address)(bytes)
      return true
    } catch (error) {
      assert.ok(error instanceof ChatError && error.code === 'too_many' && error.retryAfter! >= 1)
      return false
    }
  }
  const times = (most: number, ask: (at: number) => boolean) =>
    Array.from({ length: most }, (_, at) => ask(at)).filter(Boolean).length
  return { limits, lines, allowed, times }
}

const address = '203.0.113.7'

test('a new name brings no new room: not one a second, nor ten thousand at once, nor after those before it are forgotten', () => {
  const clock = { ms: 0 }
  const { allowed, times } = limitsAt(clock)
  assert.equal(
    times(20_000, (at) => allowed({ kind: 'claim', claims: `n${at}` }, address)),
    100,
  )
  let more = 0
  for (; clock.ms < 60_000; clock.ms += 100)
    more += times(50, (at) => allowed({ kind: 'claim', claims: `m${clock.ms}-${at}` }, address))
  assert.equal(more, 599)
  // Guests and names that nothing proves have the same share.
  assert.equal(
    times(100, (at) => allowed(person(at), address)),
    1,
  )
  clock.ms += 1000
  assert.equal(
    times(100, (at) => allowed(at % 2 ? person(at) : { kind: 'claim', claims: `x${at}` }, address)),
    10,
  )
})

test('whoever has used up what they may gets none of it back by having others push them out of memory', () => {
  const clock = { ms: 0 }
  const { allowed, times } = limitsAt(clock, { postsPerSecond: 0.001 })
  assert.equal(
    times(100, () => allowed(person(1), address)),
    10,
  )
  // As fast as one address can make names, for two hours.
  for (; clock.ms < 2 * 3600_000; clock.ms += 100)
    times(3, (at) => allowed({ kind: 'claim', claims: `n${clock.ms}-${at}` }, address))
  clock.ms = 3 * 3600_000
  assert.ok(times(100, () => allowed(person(1), '203.0.113.8')) <= 10)
})

test('a network of 65,536 addresses that one customer is given has as much as ten', () => {
  const clock = { ms: 0 }
  const { allowed, times, limits } = limitsAt(clock)
  const network = (at: number) => `2001:db8:7:${at.toString(16)}::/64`
  assert.equal(networkOf(network(1)), '2001:db8:7::/48')
  assert.equal(networkOf('203.0.113.7'), undefined)

  assert.equal(
    times(5000, (at) => allowed({ kind: 'claim', claims: `n${at}` }, network(at))),
    1000,
  )
  assert.equal(
    times(5000, (at) => allowed({ kind: 'nobody' }, network(at), { change: 'POST /session' })),
    600,
  )
  let streams = 0
  while (limits.streamRefusal({ kind: 'nobody' }, network(streams)) === undefined)
    limits.countStream({ kind: 'nobody' }, network(streams++), 1)
  assert.equal(streams, 1000)
  // Another customer's.
  assert.ok(allowed({ kind: 'claim', claims: 'y' }, '2001:db8:8:1::/64'))
  for (let at = 0; at < streams; at++) limits.countStream({ kind: 'nobody' }, network(at), -1)
  assert.equal(limits.streamRefusal({ kind: 'nobody' }, network(1)), undefined)
})

test('accounts that anybody can make have together what an address may in the long run, and what an office needs at once', () => {
  const clock = { ms: 0 }
  const { allowed, times } = limitsAt(clock)
  const accounts = (most: number) => times(most, (at) => allowed(person(at % 5000, 'account'), address))
  assert.equal(accounts(20_000), 10_000)
  clock.ms += 10_000
  assert.equal(accounts(20_000), 100)
  // Whoever governs, a host's people and bots are given by somebody: they have what is theirs.
  for (const who of [person(9001, 'account', 'owner'), person(9002, 'hosted', 'member')])
    assert.equal(
      times(20, () => allowed(who, address)),
      10,
    )
  assert.equal(
    times(200, () => allowed(person(9003, 'bot'), address)),
    100,
  )
})

test('guests of a host share the bound of their address like any guests', () => {
  const { allowed, times } = limitsAt({ ms: 0 })
  assert.equal(
    times(500, (at) => allowed(person(at, 'hosted', 'guest'), address)),
    100,
  )
})

test('a rate below one lets in one at a time, and 0 is no limit for guests or newcomers, while a person has theirs', () => {
  const clock = { ms: 0 }
  const slow = limitsAt(clock, { postsPerAddress: 0.01 })
  assert.equal(
    slow.times(10, (at) => slow.allowed(person(at), address)),
    1,
  )
  clock.ms += 100_000
  assert.equal(
    slow.times(10, (at) => slow.allowed(person(at), address)),
    1,
  )

  const none = limitsAt(clock, { postsPerAddress: 0 })
  assert.equal(
    none.times(5000, (at) => none.allowed(person(at), address)),
    5000,
  )
  assert.equal(
    none.times(5000, () => none.allowed({ kind: 'nobody' }, address, { change: 'POST /session' })),
    5000,
  )
  assert.equal(
    none.times(100, () => none.allowed(person(9999), address)),
    10,
  )

  const unbound = limitsAt(clock, { postsPerSecond: 0 })
  assert.equal(
    unbound.times(500, () => unbound.allowed(person(1), address)),
    100,
  )
})

test('guests whom a proxy does not name are not limited together, and one line says so', () => {
  const { allowed, times, lines } = limitsAt({ ms: 0 })
  assert.equal(
    times(5000, (at) => allowed(person(at), undefined, { bytes: 64 * 1024 })),
    5000,
  )
  assert.equal(lines.length, 1)
})
