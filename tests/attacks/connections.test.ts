// Connections that one address takes from all others: unfinished bodies, answers that nobody takes, requests that were answered long ago.

import assert from 'node:assert/strict'
import { EventEmitter } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { connect, type AddressInfo, type Socket } from 'node:net'
import { test, type TestContext } from 'node:test'
import { ConnectionShares } from '../../lib/http/limits/connection-shares.ts'
import { dueAt, totalMs } from '../../lib/http/limits/patience.ts'
import { until } from '../audit/until.ts'
import { patienceMs, startChat, type ChatServer } from '../chat-server.ts'

/** A server that can open few files, behind a proxy on this machine. */
function startNarrow(t: TestContext): Promise<ChatServer> {
  return startChat(t, {
    flags: ['--trust-proxy', 'loopback'],
    node: 'sh',
    execArgv: ['-c', `ulimit -n 512; exec ${process.execPath} "$@"`, 'sh'],
  })
}

/** A connection that sends this, and all that came back on it. */
function open(t: TestContext, chat: ChatServer, bytes: string): { socket: Socket; back: () => string } {
  let text = ''
  const socket = connect(Number(new URL(chat.url).port), '127.0.0.1', () => socket.write(bytes))
  socket.on('data', (chunk) => (text += chunk)).on('error', () => {})
  t.after(() => socket.destroy())
  return { socket, back: () => text }
}

const unfinished = (address: string) =>
  `POST /rooms/lobby/messages HTTP/1.1\r\nHost: localhost\r\nX-Forwarded-For: ${address}\r\nAuthorization: Basic ${btoa('eve:')}\r\nContent-Length: 1000\r\n\r\nx`

test('four hundred unfinished bodies of one address leave the connections to others, and the owner reads of it', async (t) => {
  const chat = await startNarrow(t)

  const held = Array.from({ length: 400 }, () => open(t, chat, unfinished('203.0.113.7')))
  const refused = () => held.filter(({ back }) => /^HTTP\/1\.1 503 /.test(back())).length
  assert.ok(await until(() => refused() >= 400 - 112 - 5, patienceMs), `${refused()} refused`)

  const others = await Promise.all(
    Array.from({ length: 20 }, (_, at) => chat.fetch('/rooms', { headers: { 'x-forwarded-for': `198.51.100.${at}` } })),
  )
  assert.deepEqual([...new Set(others.map(({ status }) => status))], [200])
  assert.equal(chat.errors.match(/203\.0\.113\.7 has \d+ connections open/g)?.length, 1)
  assert.match(held.find(({ back }) => back() !== '')!.back(), /"code":"busy"/)
})

test('a connection that is one too many is closed with its answer, whatever it asks for', async (t) => {
  const chat = await startNarrow(t)
  const held = Array.from({ length: 130 }, () => open(t, chat, unfinished('203.0.113.7')))
  assert.ok(await until(() => held.some(({ back }) => back().startsWith('HTTP/1.1 503')), patienceMs))

  for (const target of ['/', '/healthz', '/rooms', '/nowhere']) {
    const more = open(t, chat, `GET ${target} HTTP/1.1\r\nHost: localhost\r\nX-Forwarded-For: 203.0.113.7\r\n\r\n`)
    const over = new Promise((resolve) => more.socket.on('close', resolve))
    await over
    assert.match(more.back(), /^HTTP\/1\.1 503 [^]*\r\nconnection: close\r\n/i, target)
  }
})

test('an event stream that is one too many is told to come back later', async (t) => {
  const chat = await startNarrow(t)
  const held = Array.from({ length: 130 }, () => open(t, chat, unfinished('203.0.113.7')))
  assert.ok(await until(() => held.some(({ back }) => back().startsWith('HTTP/1.1 503')), patienceMs))

  const stream = open(
    t,
    chat,
    'GET /events HTTP/1.1\r\nHost: localhost\r\nAccept: text/event-stream\r\nX-Forwarded-For: 203.0.113.7\r\n\r\n',
  )
  await new Promise((resolve) => stream.socket.on('close', resolve))

  assert.match(stream.back(), /^HTTP\/1\.1 200 [^]*retry: \d{4,5}/)
})

test('what is answered gives its place back', async (t) => {
  const chat = await startNarrow(t)
  for (let round = 0; round < 3; round++) {
    const answers = await Promise.all(
      Array.from({ length: 60 }, () => chat.fetch('/rooms', { headers: { 'x-forwarded-for': '203.0.113.7' } })),
    )
    assert.deepEqual([...new Set(answers.map(({ status }) => status))], [200])
  }
})

test('a connection that goes on after many bodies that nobody wanted keeps nothing of them', async (t) => {
  const chat = await startChat(t)
  // More than is read at once, so that the answer is out before the body has come.
  const refused = `POST /rooms/lobby/messages HTTP/1.1\r\nHost: localhost\r\nAuthorization: nonsense\r\nContent-Length: 60000\r\n\r\n${'x'.repeat(60_000)}`
  const connection = open(t, chat, '')

  for (let times = 1; times <= 30; times++) {
    connection.socket.write(refused)
    assert.ok(await until(() => connection.back().split('HTTP/1.1 401').length > times, patienceMs, 1))
  }

  assert.equal(chat.errors, '')
})

test('unfinished bodies that are refused at once hold no more than those that are waited for', async (t) => {
  const chat = await startNarrow(t)
  const kinds: Record<string, (head: string) => string> = {
    'without a name': (head) => `POST /rooms/lobby/messages HTTP/1.1\r\nHost: localhost\r\n${head}`,
    'to nowhere': (head) => `POST /nowhere HTTP/1.1\r\nHost: localhost\r\n${head}`,
    'by a method that is none': (head) => `PUT /rooms HTTP/1.1\r\nHost: localhost\r\n${head}`,
    'for another host': (head) => `POST /session HTTP/1.1\r\nHost: other.example\r\n${head}`,
    'with a read': (head) => `GET /rooms HTTP/1.1\r\nHost: localhost\r\n${head}`,
    'with a secret in the URL': (head) => `POST /session?token=natter_abc HTTP/1.1\r\nHost: localhost\r\n${head}`,
    'of a page that asks first': (head) => `OPTIONS /rooms HTTP/1.1\r\nHost: localhost\r\n${head}`,
  }
  for (const [at, [what, kind]] of Object.entries(kinds).entries()) {
    const head = `X-Forwarded-For: 203.0.113.${at}\r\nContent-Length: 1000\r\n\r\nx`
    const held = Array.from({ length: 130 }, () => open(t, chat, kind(head)))
    const refused = () => held.filter(({ back }) => back().startsWith('HTTP/1.1 503 ')).length
    assert.ok(await until(() => held.every(({ back }) => back() !== ''), patienceMs), what)
    assert.equal(refused(), 130 - 112, what)
    // Once its body has come, a place is free.
    for (const { socket } of held) socket.write('x'.repeat(999))
    assert.ok(
      await until(
        async () => (await chat.fetch('/rooms', { headers: { 'x-forwarded-for': `203.0.113.${at}` } })).status === 200,
        patienceMs,
      ),
      what,
    )
    for (const { socket } of held) socket.destroy()
  }
})

// Connections of a client's own, in a server of our own: what comes from this machine itself has no share.

interface Own {
  socket: Socket
  back: () => string
  over: Promise<void>
}

interface Owned {
  lines: string[]
  /** How many requests for `/held` have begun. */
  held: () => number
  /** A connection of this owner. */
  connect(owner: string): Promise<Own>
}

/** Answers each request at once, but for `/held`. */
async function startOwned(t: TestContext, connectionsMax: number): Promise<Owned> {
  const streamsPerAddress = 100
  const lines: string[] = []
  const owners: string[] = []
  let held = 0
  let opened = () => {}
  const shares = new ConnectionShares({
    connectionsMax,
    streamsPerAddress,
    ownerOf: () => owners.shift(),
    log: (line) => lines.push(line),
  })
  const server = createServer((request, response) => {
    const refusal = shares.begin(request, response, undefined)
    if (refusal) response.writeHead(503, { connection: 'close' }).end(refusal.code)
    else if (request.url === '/held') held++
    else response.end('answered')
  })
  server.on('connection', (socket) => {
    shares.opened(socket)
    opened()
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.after(() => {
    server.close()
    server.closeAllConnections()
  })
  const { port } = server.address() as AddressInfo
  return {
    lines,
    held: () => held,
    async connect(owner) {
      owners.push(owner)
      let text = ''
      const there = new Promise<void>((resolve) => (opened = resolve))
      const socket = connect(port, '127.0.0.1')
      socket.on('data', (chunk) => (text += chunk)).on('error', () => {})
      const over = new Promise<void>((resolve) => socket.on('close', () => resolve()))
      t.after(() => socket.destroy())
      await there
      return { socket, back: () => text, over }
    },
  }
}

const get = (target: string) => `GET ${target} HTTP/1.1\r\nHost: localhost\r\n\r\n`

test('connections on which nothing is asked give way to those of others, and to newer ones of their owner', async (t) => {
  const server = await startOwned(t, 256)
  const silent: Own[] = []
  for (let at = 0; at < 65; at++) silent.push(await server.connect('203.0.113.7'))
  await silent[0]!.over
  silent[64]!.socket.write(get('/'))
  assert.ok(await until(() => silent[64]!.back().endsWith('answered'), patienceMs))

  // Others fill all that there is, and are the oldest then.
  for (let owner = 0; owner < 3; owner++) for (let at = 0; at < 60; at++) await server.connect(`198.51.100.${owner}`)
  const late: Own[] = []
  for (let at = 0; at < 20; at++) late.push(await server.connect(`192.0.2.${at}`))
  for (const { socket } of late) socket.write(get('/'))
  assert.ok(await until(() => late.every(({ back }) => back().endsWith('answered')), patienceMs))
  assert.ok(silent.slice(1, 10).every(({ socket }) => socket.destroyed || socket.readableEnded))
})

test('of what has asked before, the longest without a request gives way to its owner, and busy ones do not', async (t) => {
  const server = await startOwned(t, 100)
  const idle = await server.connect('203.0.113.7')
  idle.socket.write(get('/'))
  assert.ok(await until(() => idle.back().endsWith('answered'), patienceMs))
  const busy: Own[] = []
  for (let at = 0; at < 63; at++) {
    busy.push(await server.connect('203.0.113.7'))
    busy[at]!.socket.write(get('/held'))
  }
  assert.ok(await until(() => server.held() === 63, patienceMs))

  const more = await server.connect('203.0.113.7')
  more.socket.write(get('/'))
  await idle.over
  assert.ok(await until(() => more.back().endsWith('answered'), patienceMs))
  const evenMore = await server.connect('203.0.113.7')
  evenMore.socket.write(get('/held'))
  await more.over
  assert.ok(await until(() => server.held() === 64, patienceMs))
  const tooMany = await server.connect('203.0.113.7')
  tooMany.socket.write(get('/'))
  await tooMany.over
  assert.match(tooMany.back(), /^HTTP\/1.1 503 [^]*busy/)
  assert.equal(server.lines.length, 1)
  assert.match(server.lines[0]!, /203\.0\.113\.7 has 64 connections open/)

  const other = await server.connect('203.0.113.8')
  other.socket.write(get('/'))
  assert.ok(await until(() => other.back().endsWith('answered'), patienceMs))
  busy[0]!.socket.destroy()
  await busy[0]!.over
  const again = await server.connect('203.0.113.7')
  again.socket.write(get('/'))
  assert.ok(await until(() => again.back().endsWith('answered'), patienceMs))
})

// A connection, its request and its response, as far as shares look at them.
function fake(shares: ConnectionShares, { named }: { named?: string } = {}) {
  const socket = Object.assign(new EventEmitter(), { destroyed: false, destroy: () => void (socket.destroyed = true) })
  const request = Object.assign(new EventEmitter(), { socket, complete: true })
  const response = new EventEmitter()
  shares.opened(socket as unknown as Socket)
  return {
    ask: () => shares.begin(request as unknown as IncomingMessage, response as unknown as ServerResponse, named)?.code,
    answer: () => response.emit('close'),
    close: () => socket.emit('close'),
  }
}

test('an address has a quarter of all connections, at least 64 and at most a thousand, and each counts once from its first request until it is closed', () => {
  for (const [connectionsMax, streamsPerAddress, most] of [
    [448, 100, 112],
    [100, 100, 64],
    [20_000, 100, 1024],
    [20_000, 2000, 4000],
    [20_000, 0, 5000],
    [Infinity, 100, 1024],
  ] as const) {
    let owner: string | undefined = '203.0.113.7'
    const shares = new ConnectionShares({ connectionsMax, streamsPerAddress, ownerOf: () => owner, log: () => {} })
    const own = Array.from({ length: most }, () => fake(shares))
    for (const one of own) assert.equal(one.ask(), undefined)
    for (const one of own) assert.equal(one.ask(), undefined, 'another request on it')
    assert.equal(fake(shares).ask(), 'busy')
    owner = '203.0.113.8'
    assert.equal(fake(shares).ask(), undefined)
    // By a proxy that names it.
    owner = undefined
    assert.equal(fake(shares, { named: '203.0.113.7' }).ask(), 'busy')
    own[0]!.close()
    const byProxy = fake(shares, { named: '203.0.113.7' })
    assert.equal(byProxy.ask(), undefined)
    owner = '203.0.113.7'
    assert.equal(fake(shares).ask(), 'busy')
    byProxy.answer()
    assert.equal(fake(shares).ask(), undefined)
    // This machine itself, and a proxy that names nobody.
    owner = undefined
    for (let at = 0; at < most * 2; at++)
      for (const named of [undefined, '127.0.0.1'])
        assert.equal(fake(shares, named === undefined ? {} : { named }).ask(), undefined)
  }
})

test('a network of 48 bits has no more than half of all connections', () => {
  let at = 0
  const shares = new ConnectionShares({
    connectionsMax: 400,
    streamsPerAddress: 100,
    ownerOf: () => `2001:db8:1:${at.toString(16)}::/64`,
    log: () => {},
  })
  let taken = 0
  for (; at < 300; at++) if (fake(shares).ask() === undefined) taken++

  assert.equal(taken, 200)
})

test('that all connections are taken is said once it has lasted, and not too often', () => {
  const lines: string[] = []
  const clock = { ms: 0 }
  const shares = new ConnectionShares({
    connectionsMax: 448,
    streamsPerAddress: 100,
    ownerOf: () => undefined,
    log: (line) => lines.push(line),
    now: () => clock.ms,
  })
  for (; clock.ms < 9000; clock.ms += 10) shares.dropped()
  assert.deepEqual(lines, [])
  for (; clock.ms < 60_000; clock.ms += 10) shares.dropped()
  assert.equal(lines.length, 1)
  assert.match(lines[0]!, /all 448 connections/)
  clock.ms += 3600_000
  shares.dropped()
  assert.equal(lines.length, 1, 'a peak much later')
})

test('a body may be silent for thirty seconds, and take thirty and one more for each 4 KiB', () => {
  const began = 1000
  assert.equal(dueAt({ began, heard: began, bytes: 0 }), began + 30_000)
  // A byte each five seconds.
  assert.equal(dueAt({ began, heard: began + 25_000, bytes: 5 }), began + totalMs(5))
  assert.ok(totalMs(5) < 30_010)
  // A steady one gets to its end: 64 KiB at 5 KiB a second are there long before.
  for (let second = 1; second <= 13; second++)
    assert.ok(dueAt({ began, heard: began + second * 1000, bytes: second * 5 * 1024 }) > began + second * 1000 + 1000)
  // And even 2 KiB a second.
  for (let second = 1; second <= 32; second++)
    assert.ok(dueAt({ began, heard: began + second * 1000, bytes: second * 2 * 1024 }) > began + second * 1000 + 1000)
})
