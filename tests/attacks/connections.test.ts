// Connections that one address takes from all others: unfinished bodies, answers that nobody takes, requests that were answered long ago.

import assert from 'node:assert/strict'
import { connect, type Socket } from 'node:net'
import { test, type TestContext } from 'node:test'
import { ServerResponse } from 'node:http'
import { ConnectionShares } from '../../lib/http/connection-shares.ts'
import { dueAt, totalMs } from '../../lib/http/patience.ts'
import { until } from '../audit/until.ts'
import { patienceMs, startChat, type ChatServer } from '../chat-server.ts'

/** A server that can open few files, behind a proxy on this machine. */
function startNarrow(t: TestContext): Promise<ChatServer> {
  return startChat(t, { flags: ['--trust-proxy', 'loopback'], node: 'sh', execArgv: ['-c', `ulimit -n 512; exec ${process.execPath} "$@"`, 'sh'] })
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

  const others = await Promise.all(Array.from({ length: 20 }, (_, at) => chat.fetch('/rooms', { headers: { 'x-forwarded-for': `198.51.100.${at}` } })))
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

  const stream = open(t, chat, 'GET /events HTTP/1.1\r\nHost: localhost\r\nAccept: text/event-stream\r\nX-Forwarded-For: 203.0.113.7\r\n\r\n')
  await new Promise((resolve) => stream.socket.on('close', resolve))

  assert.match(stream.back(), /^HTTP\/1\.1 200 [^]*retry: \d{4,5}/)
})

test('what is answered gives its place back', async (t) => {
  const chat = await startNarrow(t)
  for (let round = 0; round < 3; round++) {
    const answers = await Promise.all(Array.from({ length: 60 }, () => chat.fetch('/rooms', { headers: { 'x-forwarded-for': '203.0.113.7' } })))
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

test('an address has a quarter of all connections, at least 64, and each counts once from its first request until it is closed', () => {
  const lines: string[] = []
  let now = 0
  const shares = (connectionsMax: number) => new ConnectionShares({ connectionsMax, log: (line) => lines.push(line), now: () => now })
  const fake = () => {
    const closed: (() => void)[] = []
    return { once: (_: string, listener: () => void) => closed.push(listener), close: () => closed.forEach((listener) => listener()) } as unknown as Socket & ServerResponse & { close(): void }
  }
  for (const [connectionsMax, most] of [[448, 112], [100, 64], [20_000, 5000]] as const) {
    const share = shares(connectionsMax)
    const own = Array.from({ length: most }, fake)
    for (const socket of own) assert.equal(share.refuseConnection(socket, '203.0.113.7'), undefined)
    for (const socket of own) assert.equal(share.refuseConnection(socket, '203.0.113.7'), undefined, 'another request on it')
    assert.equal(share.refuseConnection(fake(), '203.0.113.7')?.code, 'busy')
    assert.equal(share.refuseRequest(fake(), '203.0.113.7')?.code, 'busy')
    assert.equal(share.refuseConnection(fake(), '203.0.113.8'), undefined)
    own[0]!.close()
    assert.equal(share.refuseConnection(fake(), '203.0.113.7'), undefined)
  }
  assert.equal(lines.length, 3)
  now = 3600_000
})

test('a network of 48 bits has no more than half of all connections', () => {
  const share = new ConnectionShares({ connectionsMax: 400, log: () => {} })
  const fake = () => ({ once: () => {} }) as unknown as Socket

  let taken = 0
  for (let at = 0; at < 300; at++) if (!share.refuseConnection(fake(), `2001:db8:1:${at.toString(16)}::/64`)) taken++

  assert.equal(taken, 200)
})

test('a body may be silent for thirty seconds, and take thirty and one more for each 4 KiB', () => {
  const began = 1000
  assert.equal(dueAt({ began, heard: began, bytes: 0 }), began + 30_000)
  // A byte each five seconds.
  assert.equal(dueAt({ began, heard: began + 25_000, bytes: 5 }), began + totalMs(5))
  assert.ok(totalMs(5) < 30_010)
  // A steady one gets to its end: 64 KiB at 5 KiB a second are there long before.
  for (let second = 1; second <= 13; second++) assert.ok(dueAt({ began, heard: began + second * 1000, bytes: second * 5 * 1024 }) > began + second * 1000 + 1000)
  // And even 2 KiB a second.
  for (let second = 1; second <= 32; second++) assert.ok(dueAt({ began, heard: began + second * 1000, bytes: second * 2 * 1024 }) > began + second * 1000 + 1000)
})
