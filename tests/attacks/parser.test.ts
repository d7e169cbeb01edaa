// What is no request, or none that can be read: each gets an answer that says what it was, and nothing else comes of it.

import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { test } from 'node:test'
import { Connections } from '../../lib/http/limits/connections.ts'
import { answerUnread } from '../../lib/http/unread.ts'
import { startChat, type ChatServer } from '../chat-server.ts'
import { property, type Random } from '../random.ts'
import { RawConnection, readAnswer, type RawAnswer } from '../raw-connection.ts'

const host = 'Host: localhost\r\n'
const utf8 = (text: string) => Buffer.from(text)
const latin1 = (text: string) => Buffer.from(text, 'latin1')

interface Problem {
  status: number
  code: string
  detail: string
}

/** Sends bytes, each part in a packet of its own, and gives the one answer, after which the connection has to end. */
async function problemOf(chat: Pick<ChatServer, 'url'>, ...parts: (string | Buffer)[]): Promise<Problem> {
  const connection = new RawConnection(chat.url)
  connection.socket.setNoDelay(true)
  for (const part of parts) {
    await new Promise((resolve) => connection.socket.write(part, resolve))
    await new Promise((resolve) => setImmediate(resolve))
  }
  await connection.over
  return readProblem(readAnswer(connection.bytes))
}

function readProblem({ status, headers, body }: RawAnswer): Problem {
  assert.equal(headers.get('content-type'), 'application/problem+json')
  assert.equal(headers.get('x-content-type-options'), 'nosniff')
  assert.equal(headers.get('connection'), 'close')
  assert.ok(headers.has('date'))
  assert.equal(Number(headers.get('content-length')), body.length)
  const problem = JSON.parse(body.toString()) as Problem
  assert.equal(problem.status, status)
  assert.ok(problem.detail.length > 10)
  return problem
}

test('a target that was typed as one speaks is shown as it should be written', async (t) => {
  const chat = await startChat(t)
  const ada = await chat.comeIn('ada')
  await ada.makeRoom('京都')
  for (const [line, shown] of [
    [utf8('GET /search?q=é HTTP/1.1'), '/search?q=%C3%A9'],
    [latin1('GET /search?q=é HTTP/1.1'), '/search?q=%C3%A9'],
    [utf8('GET /search?q=a b HTTP/1.1'), '/search?q=a%20b'],
    [utf8('GET /search?q=a b  c HTTP/1.1'), '/search?q=a%20b%20%20c'],
    [utf8('GET /rooms/京都 HTTP/1.1'), '/rooms/%E4%BA%AC%E9%83%BD'],
    [utf8('GET /search?q=100% ☺ HTTP/1.1'), '/search?q=100%%20%E2%98%BA'],
    [utf8('DELETE /rooms/京都/messages/1?x=😀 HTTP/1.0'), '/rooms/%E4%BA%AC%E9%83%BD/messages/1?x=%F0%9F%98%80'],
    [utf8('POST /rooms/a\tb HTTP/1.1'), '/rooms/a%09b'],
    [utf8('GET /rooms/\x7f HTTP/1.1'), '/rooms/%7F'],
    [utf8('GET /search?q=é#natter HTTP/1.1'), '/search?q=%C3%A9'],
  ] as const) {
    const { status, code, detail } = await problemOf(chat, Buffer.concat([line, utf8(`\r\n${host}\r\n`)]))
    assert.deepEqual([status, code], [400, 'invalid_request'], String(line))
    assert.equal(detail, `the target has characters that must be percent-encoded; ask for ${shown}`, String(line))
  }
  // What it says to ask for is there.
  assert.equal((await chat.fetch('/search?q=%C3%A9')).status, 200)
  assert.equal((await chat.fetch('/rooms/%E4%BA%AC%E9%83%BD')).status, 200)
})

test('where the target came in pieces, or behind a body, what to do about it is said all the same', async (t) => {
  const chat = await startChat(t)
  const { code, detail } = await problemOf(chat, 'GET /sear', 'ch?q=', utf8(`é HTTP/1.1\r\n${host}\r\n`))

  assert.equal(code, 'invalid_request')
  assert.match(detail, /%C3%A9/)
})

test('what is shown has a bound, and no secret in it', async (t) => {
  const chat = await startChat(t)
  const token = `natter_${'aB3_-'.repeat(8)}xyz`
  const long = await problemOf(chat, utf8(`GET /search?q=${'é'.repeat(3000)} HTTP/1.1\r\n${host}\r\n`))
  assert.match(long.detail, /ask for \/search\?q=(%C3%A9)+…$/)
  assert.ok(long.detail.length < 400)

  for (const target of [
    `/events?token=hunter2&q=é`,
    `/search?q=é&password=hunter2`,
    `/rooms/é/${token}`,
    `/search?q=a b ${token}`,
    `/search?q=${'é'.repeat(40)}${token}`,
    `/join?x=é&code=hunter2`,
    `/search?a;token=hunter2é`,
    `/search?token =hunter2é`,
  ]) {
    const { status, detail } = await problemOf(chat, utf8(`GET ${target} HTTP/1.1\r\n${host}\r\n`))
    assert.equal(status, 400)
    assert.match(detail, /does not belong in a URL/)
    assert.ok(!detail.includes('hunter2') && !detail.includes('aB3_'), detail)
  }
  const fragment = await problemOf(chat, utf8(`GET /join?é#${token} HTTP/1.1\r\n${host}\r\n`))
  assert.ok(!fragment.detail.includes('aB3_'), fragment.detail)
  assert.equal(chat.errors, '')
})

test("what can't be read is told apart: too large, too slow, or no HTTP", async (t) => {
  const chat = await startChat(t)
  const post = `POST /rooms/lobby/messages HTTP/1.1\r\n${host}Authorization: Basic YWRhOg==\r\n`
  const cases: [what: string, bytes: string | Buffer, status: number, code: string, detail: RegExp][] = [
    [
      'a header too large',
      `GET / HTTP/1.1\r\n${host}X: ${'a'.repeat(20_000)}\r\n\r\n`,
      431,
      'headers_too_large',
      /16 KiB/,
    ],
    ['headers too many', `GET / HTTP/1.1\r\n${host}${'X: y\r\n'.repeat(5000)}\r\n`, 431, 'headers_too_large', /16 KiB/],
    ['a target too large', `GET /${'a'.repeat(20_000)} HTTP/1.1\r\n${host}\r\n`, 431, 'headers_too_large', /16 KiB/],
    [
      'extensions of chunks too large',
      `${post}Transfer-Encoding: chunked\r\n\r\n1;${'a'.repeat(20_000)}\r\nx\r\n0\r\n\r\n`,
      413,
      'too_large',
      /chunk/,
    ],
    ['TLS', Buffer.from('16030100c8010000c403036162', 'hex'), 400, 'invalid_request', /HTTP, and not HTTPS/],
    ['SSH', 'SSH-2.0-OpenSSH_9.9\r\n', 400, 'invalid_request', /no request of HTTP\/1\.1/],
    ['HTTP/2', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 400, 'invalid_request', /HTTP\/2/],
    ['a method that is none', `FETCH / HTTP/1.1\r\n${host}\r\n`, 400, 'invalid_request', /no request of HTTP\/1\.1/],
    ['noise', Buffer.from('00ff80\0\0\r\n\r\n'), 400, 'invalid_request', /no request of HTTP\/1\.1/],
    ['Redis', '*1\r\n$4\r\nPING\r\n', 400, 'invalid_request', /no request of HTTP\/1\.1/],
    ['LF alone', 'GET / HTTP/1.1\nHost: localhost\n\n', 400, 'invalid_request', /no request of HTTP\/1\.1/],
    [
      'a header without a name',
      `GET / HTTP/1.1\r\n${host}: x\r\n\r\n`,
      400,
      'invalid_request',
      /no request of HTTP\/1\.1/,
    ],
    [
      'a NUL in a header',
      `GET / HTTP/1.1\r\n${host}X: a\0b\r\n\r\n`,
      400,
      'invalid_request',
      /no request of HTTP\/1\.1/,
    ],
    [
      'two lengths',
      `${post}Content-Length: 1\r\nContent-Length: 2\r\n\r\nab`,
      400,
      'invalid_request',
      /no request of HTTP\/1\.1/,
    ],
    [
      'a length beside chunks',
      `${post}Transfer-Encoding: chunked\r\nContent-Length: 2\r\n\r\n0\r\n\r\n`,
      400,
      'invalid_request',
      /no request of HTTP\/1\.1/,
    ],
    [
      'a chunk without a size',
      `${post}Content-Type: text/plain\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nhello\r\n0\r\n\r\n`,
      400,
      'invalid_request',
      /no request of HTTP\/1\.1/,
    ],
    [
      'a body in a coding',
      `${post}Content-Type: text/plain\r\nTransfer-Encoding: gzip\r\n\r\n`,
      400,
      'invalid_request',
      /no request of HTTP\/1\.1/,
    ],
    ['no Host', 'GET /rooms HTTP/1.1\r\nConnection: close\r\n\r\n', 400, 'invalid_request', /one valid Host/],
    [
      'CONNECT',
      'CONNECT example.com:443 HTTP/1.1\r\nHost: example.com:443\r\n\r\n',
      405,
      'method_not_allowed',
      /no proxy/,
    ],
  ]
  for (const [what, bytes, status, code, detail] of cases) {
    const problem = await problemOf(chat, bytes)
    assert.deepEqual([problem.status, problem.code], [status, code], what)
    assert.match(problem.detail, detail, what)
  }
  assert.deepEqual((await chat.stranger.read<{ messages: unknown[] }>('/rooms/lobby/messages')).messages, [])
  assert.equal(chat.errors, '')
})

test('a request that comes in pieces is answered as if it came whole', async (t) => {
  const chat = await startChat(t)
  assert.equal((await problemOf(chat, 'GET /sea', utf8('rch?q=é HTTP/1.1\r\n'), `${host}\r\n`)).status, 400)
  assert.equal(
    (await problemOf(chat, 'GET / HTTP/1.1\r\nX: ', 'a'.repeat(10_000), 'b'.repeat(10_000), '\r\n\r\n')).status,
    431,
  )
  assert.match((await problemOf(chat, utf8('GET /search?q=é'))).detail, /ask for \/search\?q=%C3%A9$/)

  // Who ends their side in the middle of it hears of that.
  const connection = new RawConnection(chat.url)
  connection.socket.end('GET /rooms HTTP/1.1\r\nHos')
  await connection.over
  assert.match(readProblem(readAnswer(connection.bytes)).detail, /cut off/)
})

test('HEAD gets no body, and HTTP/1.0 an answer that it knows', async (t) => {
  const chat = await startChat(t)
  const head = readAnswer(await RawConnection.ask(chat.url, utf8(`HEAD /é HTTP/1.1\r\n${host}\r\n`)))
  assert.deepEqual([head.status, head.body.length], [400, 0])
  assert.ok(Number(head.headers.get('content-length')) > 10)
  assert.equal((await problemOf(chat, utf8('GET /é HTTP/1.0\r\n\r\n'))).status, 400)
})

test('headers that never end are a timeout', async (t) => {
  // As main.ts does, which is more patient.
  const server = createServer({ headersTimeout: 100, connectionsCheckingInterval: 50, requestTimeout: 0 })
  answerUnread(server, new Connections())
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.after(() => server.close())
  // A server that listens on a port has an address of this form.
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`

  for (const begun of [
    `GET / HTTP/1.1\r\n${host}`,
    `POST /session HTTP/1.1\r\n${host}Content-Type: application/json\r\nX: y`,
    'GET /search?q=',
    'GET /\r\n',
  ]) {
    const { status, code, detail } = await problemOf({ url }, begun)
    assert.deepEqual([status, code], [408, 'timeout'], begun)
    assert.match(detail, /did not arrive in time/)
  }
})

/** What came back, answer by answer. */
function answersIn(text: string): { status: number; body: string }[] {
  return text
    .split(/(?=HTTP\/1\.1 \d)/)
    .filter(Boolean)
    .map((answer) => ({
      status: Number(/^HTTP\/1\.1 (\d+)/.exec(answer)![1]),
      body: answer.slice(answer.indexOf('\r\n\r\n') + 4),
    }))
}

const say = (text: string) =>
  `POST /rooms/lobby/messages HTTP/1.1\r\n${host}Authorization: Basic YWRhOg==\r\nContent-Length: ${text.length}\r\n\r\n${text}`

test('what comes behind a request waits for its answer, and is no part of it', async (t) => {
  const chat = await startChat(t)
  for (const rubbish of [
    'rubbish\r\n\r\n',
    `GET /a b HTTP/1.1\r\n${host}\r\n`,
    'CONNECT x:1 HTTP/1.1\r\nHost: x:1\r\n\r\n',
  ]) {
    const back = answersIn((await RawConnection.ask(chat.url, say('one') + say('two') + rubbish)).toString())
    assert.deepEqual(
      back.map(({ status }) => status),
      [201, 201, rubbish.startsWith('CONNECT') ? 405 : 400],
      rubbish,
    )
    assert.match(back[0]!.body, /"text":"one"/)
    assert.equal((JSON.parse(back[2]!.body) as Problem).status, back[2]!.status)
  }
  // Node reads no target that has the end of a body before it.
  const glued = answersIn((await RawConnection.ask(chat.url, `${say('hi')}GET /é HTTP/1.1\r\n\r\n`)).toString())
  assert.deepEqual(
    glued.map(({ status }) => status),
    [201, 400],
  )
})

test('nothing is written into a page that is still on its way', async (t) => {
  const chat = await startChat(t)
  const ada = await chat.comeIn('ada')
  for (let count = 0; count < 60; count++) await ada.say('lobby', 'x'.repeat(4000))
  const connection = new RawConnection(chat.url)
  connection.socket.pause()
  connection.send(`GET /rooms/lobby/messages?limit=200 HTTP/1.1\r\n${host}\r\n`.repeat(3))
  connection.send('rubbish\r\n\r\n')
  connection.socket.resume()
  await connection.over

  const back = answersIn(connection.text)
  assert.deepEqual(
    back.map(({ status }) => status),
    [200, 200, 200, 400],
  )
  for (const { body } of back.slice(0, 3))
    assert.equal((JSON.parse(body) as { messages: unknown[] }).messages.length, 60)
})

test('rubbish behind an open stream cuts it off, and is not written into it', async (t) => {
  const chat = await startChat(t)
  for (const rubbish of [
    'rubbish\r\n\r\n',
    'CONNECT x:1 HTTP/1.1\r\nHost: x:1\r\n\r\n',
    'GET / HTTP/1.1\r\nbad header\r\n\r\n',
    Buffer.from('1603010000', 'hex'),
  ]) {
    for (const together of [false, true]) {
      const connection = new RawConnection(chat.url)
      const stream = `GET /events HTTP/1.1\r\n${host}\r\n`
      if (together) {
        connection.send(Buffer.concat([Buffer.from(stream), Buffer.from(rubbish)]))
      } else {
        connection.send(stream)
        assert.ok(await connection.until((text) => text.includes('event: ping')))
        connection.send(rubbish)
      }
      await connection.over
      assert.doesNotMatch(connection.text, /problem|HTTP\/1\.1 4/)
    }
  }
  // And behind one whose reader is still being identified.
  await chat.account('bob')
  const connection = new RawConnection(chat.url)
  connection.send(
    `GET /events HTTP/1.1\r\n${host}Authorization: Basic ${btoa('bob:the password of bob')}\r\n\r\nrubbish\r\n\r\n`,
  )
  await connection.over
  assert.equal(connection.text, '')
})

test('what wants another protocol is answered in this one', async (t) => {
  const chat = await startChat(t)
  for (const [path, status] of [
    ['/rooms', 200],
    ['/nowhere', 404],
    ['/events?token=x', 400],
  ] as const) {
    for (const protocol of ['websocket', 'h2c', 'TLS/1.0']) {
      const back = await RawConnection.ask(
        chat.url,
        `GET ${path} HTTP/1.1\r\n${host}Connection: Upgrade\r\nUpgrade: ${protocol}\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\nGET / HTTP/1.1\r\n\r\n`,
      )
      assert.equal(readAnswer(back).status, status, `${protocol} ${path}`)
      assert.equal(answersIn(back.toString()).length, 1)
    }
  }
})

test('who is gone is not written to, and whoever goes on sending is cut off', async (t) => {
  const chat = await startChat(t)
  for (let count = 0; count < 200; count++) {
    const connection = new RawConnection(chat.url)
    connection.socket.write(
      count % 2 === 0 ? 'rubbish\r\n\r\n' : `GET / HTTP/1.1\r\n${host}X: ${'a'.repeat(20_000)}`,
      () => connection.socket.resetAndDestroy(),
    )
    await connection.over
  }
  const flood = new RawConnection(chat.url)
  const sending = setInterval(() => flood.send('rubbish\r\n'.repeat(1000)), 5)
  await flood.over
  clearInterval(sending)
  assert.equal(readAnswer(flood.bytes).status, 400)
  assert.equal((await chat.fetch('/healthz')).status, 200)
  assert.equal(chat.errors, '')
})

property(
  'whatever bytes come, all that is answered is answered whole, and in the end they are refused',
  async (random, t) => {
    const chat = await startChat(t)
    const until = performance.now() + 2000
    for (let round = 0; round < 300 && performance.now() < until; round++) {
      const bytes = anyBytes(random)
      const connection = new RawConnection(chat.url)
      // Whatever was begun, this is not how it goes on.
      connection.send(Buffer.concat([bytes, Buffer.from('\r\nrubbish\r\n\r\n'.repeat(5))]))
      await connection.over
      const back = answersIn(connection.text)
      for (const { status, body } of back) {
        if (status >= 400)
          assert.equal((JSON.parse(body) as Problem).status, status, JSON.stringify(bytes.toString('latin1')))
      }
      // Node 22 takes some of it for HTTP/0.9, of which nothing else comes by a connection.
      assert.ok(
        (back.at(-1)?.status ?? 0) >= 400 || /connection: close/i.test(connection.text),
        JSON.stringify([bytes.toString('latin1'), connection.text]),
      )
    }
    assert.equal((await chat.fetch('/healthz')).status, 200)
    assert.equal(chat.errors, '')
  },
)

function anyBytes(random: Random): Buffer {
  const request = Buffer.from(
    random.pick([
      `GET /rooms HTTP/1.1\r\n${host}\r\n`,
      say('hi'),
      `GET /search?q=a HTTP/1.1\r\n${host}\r\nGET / HTTP/1.1\r\n${host}\r\n`,
      `POST /session HTTP/1.1\r\n${host}Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n`,
    ]),
  )
  for (let times = random.between(1, 4); times > 0; times--)
    request[random.below(request.length)] = random.pick([
      0,
      9,
      10,
      13,
      32,
      37,
      58,
      127,
      128,
      195,
      255,
      random.below(256),
    ])
  return request
}
