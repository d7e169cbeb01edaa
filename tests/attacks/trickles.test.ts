// Bodies and answers that go a byte at a time, never silent for long, and would hold their connections for ever. Nobody waits half a minute here: the
// server's clocks run a hundred times as fast.

import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { Patience, totalMs } from '../../lib/http/limits/patience.ts'
import { patienceMs, startChat, type ChatServer } from '../chat-server.ts'
import { farChat } from '../far-chat.ts'
import { RawConnection } from '../raw-connection.ts'

const times = 100
const byteMs = 5000 / times // a byte each five seconds

// Only timers of the main thread: those of the threads for storage have nothing to do with connections.
const hurry = `
  import { isMainThread } from 'node:worker_threads'
  const { now } = performance
  const { setTimeout } = globalThis
  if (isMainThread) {
    performance.now = () => now.call(performance) * ${times}
    globalThis.setTimeout = (callback, ms, ...given) => setTimeout(callback, ms / ${times}, ...given)
  }`

function startHurried(t: TestContext): Promise<ChatServer> {
  return startChat(t, { execArgv: ['--import', `data:text/javascript,${encodeURIComponent(hurry)}`] })
}

/** Sends this head, then a piece each five seconds of the server's until it closes the connection; resolves with what came back. */
async function trickle(t: TestContext, chat: ChatServer, head: string, piece = 'x'): Promise<string> {
  const connection = new RawConnection(chat.url)
  connection.send(head)
  const timer = setInterval(() => connection.send(piece), byteMs)
  t.after(() => {
    clearInterval(timer)
    connection.leave()
  })
  const late = new Promise<'held'>((resolve) => setTimeout(resolve, patienceMs, 'held').unref())
  assert.notEqual(await Promise.race([connection.over, late]), 'held', 'the connection is still held')
  clearInterval(timer)
  return connection.text
}

const post = (headers: string) => `POST /rooms/lobby/messages HTTP/1.1\r\nHost: localhost\r\n${headers}\r\n`
const eve = `Authorization: Basic ${btoa('eve:')}\r\n`

test('a body that comes a byte at a time is given up, and its connection closed, however it is framed', async (t) => {
  const chat = await startHurried(t)
  const kinds = {
    'with a length': [post(`${eve}Content-Length: 60000\r\n`), 'x'],
    'in chunks': [post(`${eve}Transfer-Encoding: chunked\r\n`), '1\r\nx\r\n'],
    'that was asked for': [post(`${eve}Expect: 100-continue\r\nContent-Length: 60000\r\n`), 'x'],
    'behind another request': [
      `HEAD /rooms HTTP/1.1\r\nHost: localhost\r\n\r\n${post(`${eve}Content-Length: 60000\r\n`)}`,
      'x',
    ],
  } as const

  await Promise.all(
    Object.entries(kinds).map(async ([what, [head, piece]]) => {
      assert.match(await trickle(t, chat, head, piece), /HTTP\/1\.1 408 [^]*"code":"timeout"/, what)
    }),
  )
  assert.deepEqual(await chat.stranger.textsIn('lobby'), [])
})

test('what is left of a body that was refused holds its connection no longer', async (t) => {
  const chat = await startHurried(t)
  const kinds = {
    401: post('Content-Length: 60000\r\n'),
    404: `POST /nowhere HTTP/1.1\r\nHost: localhost\r\nContent-Length: 60000\r\n\r\n`,
    413: post(`${eve}Content-Length: 600000\r\n`),
    421: `POST /session HTTP/1.1\r\nHost: other.example\r\nContent-Length: 60000\r\n\r\n`,
    200: `GET /rooms HTTP/1.1\r\nHost: localhost\r\nContent-Length: 60000\r\n\r\n`,
  }

  await Promise.all(
    Object.entries(kinds).map(async ([status, head]) => {
      const text = await trickle(t, chat, head)
      assert.ok(text.startsWith(`HTTP/1.1 ${status} `), `${status}: ${text}`)
    }),
  )
})

/** Has timers and the clock stand still until it is told how many ms go by. */
function holdClock(t: TestContext): (ms: number) => void {
  let at = performance.now()
  t.mock.timers.enable({ apis: ['setTimeout'] })
  t.mock.method(performance, 'now', () => at)
  return (ms) => {
    at += ms
    t.mock.timers.tick(ms)
  }
}

test('whoever is slow but steady gets to the end, however long that takes', (t) => {
  const goOn = holdClock(t)
  let late = 0
  const patience = new Patience(() => late++)

  for (let second = 0; second < 300; second++) {
    patience.came(4096)
    goOn(1000)
  }

  assert.equal(late, 0)
  goOn(30_000)
  assert.equal(late, 1, 'silent then')
  goOn(1000_000)
  assert.equal(late, 1, 'once is enough')
})

test('of what nobody reads it is asked how much has come, and no more than so much may', (t) => {
  const goOn = holdClock(t)
  let late = 0
  let steady = 0
  let much = 0
  const patience = new Patience(() => late++, { arrived: () => steady, most: 1000_000 })
  const greedy = new Patience(() => much++, { arrived: () => 1000_001, most: 1000_000 })
  t.after(() => [patience, greedy].forEach((one) => one.end()))

  for (let second = 0; second < 100; second++) {
    steady += 4096
    goOn(1000)
  }

  assert.deepEqual([late, much], [0, 1])
  goOn(31_000)
  assert.equal(late, 1)
})

test('an answer that is taken byte by byte has its time, by how long it is, and then its connection is closed', async (t) => {
  const far = await farChat(t)
  const goOn = holdClock(t)
  const page = far.send('203.0.113.7', { taking: false })
  assert.equal(await far.statusOf(page), 200)
  const bytes = Number(/content-length: (\d+)/i.exec(page.heard)![1])

  goOn(totalMs(bytes) - 1000)
  assert.equal(page.destroyed, false)
  goOn(2000)

  assert.equal(page.destroyed, true)
})
