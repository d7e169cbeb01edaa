// Frames go straight to the socket where that is safe, and nobody may be able to tell. So that what a reader gets is
// compared byte by byte, all of it is spelled out here; tests/versions runs this file on every Node there is to support.

import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http'
import * as http2 from 'node:http2'
import * as https from 'node:https'
import type { AddressInfo, Server, Socket } from 'node:net'
import { test, type TestContext } from 'node:test'
import { connect as connectTls, type TLSSocket } from 'node:tls'
import { ServerSentEventsStream } from '../../lib/sse/server-sent-events-stream.ts'
import { EventStreamParser } from '../event-stream-parser.ts'
import { RawConnection, readAnswer } from '../raw-connection.ts'

const head = [
  'HTTP/1.1 200 OK',
  'content-type: text/event-stream; charset=utf-8',
  'cache-control: no-store, no-transform',
  'x-accel-buffering: no',
  'x-content-type-options: nosniff',
]
const retry = 'retry: 3000\n\n'

const get = (path: string, ...lines: string[]) =>
  [`GET ${path} HTTP/1.1`, 'Host: localhost', ...lines, '', ''].join('\r\n')
const answered = (lines: readonly string[], body: string) => [...lines, '', body].join('\r\n')
const chunk = (text: string) => `${Buffer.byteLength(text).toString(16)}\r\n${text}\r\n`
const dataFrame = (data: string) => `data: ${data}\n\n`

function open(request: IncomingMessage, response: ServerResponse): ServerSentEventsStream {
  response.sendDate = false
  return new ServerSentEventsStream(request, response, { retryMs: 3000 })
}

async function listen(t: TestContext, server: Server): Promise<number> {
  const sockets = new Set<Socket>()
  server.on('connection', (socket: Socket) => sockets.add(socket))
  t.after(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return (server.address() as AddressInfo).port
}

interface Watched {
  url: string
  server: Server
  /** What was given to `socket.write`, a call each. */
  calls: string[]
  /** The connection that came, on our side. */
  socket: () => Socket
}

/** A server whose connections tell what is written to them. */
async function watch(t: TestContext, listener: RequestListener): Promise<Watched> {
  const calls: string[] = []
  let socket: Socket
  const server = createServer({ keepAliveTimeout: 60_000 }, listener)
  server.on('connection', (connection: Socket) => {
    socket = connection
    const { write } = connection
    connection.write = function (this: Socket, ...given: Parameters<typeof write>) {
      calls.push(Buffer.from(given[0]).toString('latin1'))
      return write.apply(this, given)
    } as typeof write
  })
  const url = `http://127.0.0.1:${await listen(t, server)}`
  return { url, server, calls, socket: () => socket }
}

function connect(t: TestContext, url: string): RawConnection {
  const connection = new RawConnection(url)
  t.after(() => connection.leave())
  return connection
}

test('over plain HTTP a frame is one write to the socket, with its chunk header', async (t) => {
  const { url, calls } = await watch(t, (request, response) => {
    const stream = open(request, response)
    stream.send({ data: 'one' })
    stream.send({ data: '二' })
    setImmediate(() => {
      stream.send({ data: 'three' })
      stream.close()
    })
  })
  const bytes = await RawConnection.ask(url, get('/', 'Connection: close'))
  const chunks = [retry, dataFrame('one'), dataFrame('二'), dataFrame('three')].map(chunk)

  assert.equal(
    bytes.toString(),
    answered([...head, 'Connection: close', 'Transfer-Encoding: chunked'], chunks.join('') + '0\r\n\r\n'),
  )
  for (const whole of chunks)
    assert.ok(
      calls.includes(Buffer.from(whole).toString('latin1')),
      `${JSON.stringify(whole)} was not written in one go`,
    )
})

test('the head and the time to come back leave at once, before anything is sent', async (t) => {
  const { url } = await watch(t, open)
  const reader = connect(t, url)
  reader.send(get('/'))
  assert.ok(await reader.until((text) => text.endsWith(chunk(retry))))
})

test('a write of nothing does not end the body', async (t) => {
  const { url } = await watch(t, (request, response) => {
    const stream = open(request, response)
    assert.equal(stream.write(new Uint8Array()), true)
    stream.send({ data: 'after' })
    stream.close()
  })
  const bytes = await RawConnection.ask(url, get('/', 'Connection: close'))
  assert.ok(bytes.toString().endsWith(`\r\n\r\n${chunk(retry)}${chunk(dataFrame('after'))}0\r\n\r\n`), bytes.toString())
})

test('where a middleware wraps the response, every frame goes through it', async (t) => {
  const seen: string[] = []
  const { url } = await watch(t, (request, response) => {
    const { write, end } = response
    response.write = function (this: ServerResponse, ...given: unknown[]) {
      seen.push(Buffer.from(given[0] as Uint8Array).toString())
      return write.apply(this, given as Parameters<typeof write>)
    } as typeof write
    response.end = function (this: ServerResponse, ...given: unknown[]) {
      seen.push('end')
      return end.apply(this, given as Parameters<typeof end>)
    } as typeof end
    const stream = open(request, response)
    stream.send({ data: 'one' })
    stream.close()
  })
  const bytes = await RawConnection.ask(url, get('/', 'Connection: close'))
  assert.deepEqual(seen, [retry, dataFrame('one'), 'end'])
  assert.equal(readAnswer(bytes).body.toString(), retry + dataFrame('one'))
})

test('HEAD gets the headers and an end, and what is sent to it goes nowhere', async (t) => {
  const { url } = await watch(t, (request, response) => {
    const stream = open(request, response)
    assert.deepEqual([stream.open, stream.send({ data: 'never' })], [false, false])
  })
  const bytes = await RawConnection.ask(url, get('/', 'Connection: close').replace('GET', 'HEAD'))
  assert.match(bytes.toString(), /^HTTP\/1\.1 200 OK\r\ncontent-type: text\/event-stream[^]*\r\n\r\n$/)
  assert.ok(!bytes.includes('retry'))
})

test('HTTP/1.0 gets no chunks, and the end of the connection as the end', async (t) => {
  const { url } = await watch(t, (request, response) => {
    const stream = open(request, response)
    stream.send({ data: 'one' })
    stream.close()
  })
  const bytes = await RawConnection.ask(url, 'GET / HTTP/1.0\r\n\r\n')
  assert.equal(bytes.toString(), answered([...head, 'Connection: close'], retry + dataFrame('one')))
})

test('headers that a framework set before go out with it', async (t) => {
  const { url } = await watch(t, (request, response) => {
    response.setHeader('Access-Control-Allow-Origin', 'https://example.org')
    response.setHeader('Set-Cookie', ['a=1', 'b=2'])
    open(request, response).close()
  })
  const bytes = await RawConnection.ask(url, get('/', 'Connection: close'))
  const before = ['Access-Control-Allow-Origin: https://example.org', 'Set-Cookie: a=1', 'Set-Cookie: b=2']
  const after = ['Connection: close', 'Transfer-Encoding: chunked']
  assert.equal(
    bytes.toString(),
    answered([head[0]!, ...before, ...head.slice(1), ...after], `${chunk(retry)}0\r\n\r\n`),
  )
})

test('a stream that is pipelined behind a slow answer waits for it, and then has everything in order', async (t) => {
  const { promise: slow, resolve: answerSlowly } = Promise.withResolvers<ServerResponse>()
  const { url } = await watch(t, (request, response) => {
    if (request.url === '/slow') return answerSlowly(response)
    assert.equal(response.socket, null)
    const stream = open(request, response)
    stream.send({ data: 'one' })
    setImmediate(async () => {
      stream.send({ data: 'two' })
      const { sendDate } = await slow
      assert.equal(sendDate, true)
      ;(await slow).end('slow answer')
      stream.send({ data: 'three' })
      setImmediate(() => {
        stream.send({ data: 'four' })
        stream.close()
      })
    })
  })
  const bytes = await RawConnection.ask(url, get('/slow') + get('/events', 'Connection: close'))
  const second = bytes.indexOf('HTTP/1.1', 1)
  assert.ok(bytes.subarray(0, second).toString().endsWith('\r\n\r\nslow answer'))
  assert.equal(
    readAnswer(bytes.subarray(second)).body.toString(),
    retry + ['one', 'two', 'three', 'four'].map(dataFrame).join(''),
  )
})

test('a stream that is pipelined behind a slow answer is over when the connection is', async (t) => {
  const { promise: opened, resolve } = Promise.withResolvers<ServerSentEventsStream>()
  const { url } = await watch(t, (request, response) => {
    if (request.url === '/events') resolve(open(request, response))
  })
  const reader = connect(t, url)
  reader.send(get('/slow') + get('/events'))
  const stream = await opened

  reader.leave()

  await stream.closed
  assert.deepEqual([stream.open, stream.send({ data: 'x' })], [false, false])
})

test('a request that is pipelined behind a stream is answered after its end', async (t) => {
  const { promise: opened, resolve } = Promise.withResolvers<ServerSentEventsStream>()
  const { promise: next, resolve: came } = Promise.withResolvers<void>()
  const { url } = await watch(t, (request, response) => {
    if (request.url === '/events') return resolve(open(request, response))
    response.sendDate = false
    response.end('next answer')
    came()
  })
  const reader = connect(t, url)
  reader.send(get('/events') + get('/next', 'Connection: close'))
  const stream = await opened
  await next
  stream.send({ data: 'one' })
  await reader.until((text) => text.includes('one'))
  stream.send({ data: 'two' })
  stream.close()

  await reader.over
  const { text } = reader
  assert.ok(
    text.includes(
      `\r\n\r\n${chunk(retry)}${chunk(dataFrame('one'))}${chunk(dataFrame('two'))}0\r\n\r\nHTTP/1.1 200 OK\r\n`,
    ),
    text,
  )
  assert.ok(text.endsWith('\r\n\r\nnext answer'), text)
})

test('after its end the connection is used again, without a stray byte or a listener left on it', async (t) => {
  const { url, calls, socket } = await watch(t, (request, response) => {
    const stream = open(request, response)
    stream.send({ data: request.url })
    stream.close()
    stream.close()
    assert.deepEqual([stream.send({ data: 'too late' }), stream.comment('too late')], [false, false])
  })
  const reader = connect(t, url)
  const listeners: number[][] = []
  for (let round = 0; round < 20; round++) {
    const before = reader.bytes.length
    reader.send(get(`/${round}`))
    assert.ok(await reader.until((text) => text.endsWith('\r\n0\r\n\r\n') && text.length > before))
    const { chunks } = readAnswer(reader.bytes.subarray(before))
    assert.deepEqual(chunks.map(String), [retry, dataFrame(`/${round}`)])
    assert.ok(calls.includes(chunk(dataFrame(`/${round}`))))
    await new Promise(setImmediate)
    listeners.push(['drain', 'close', 'error', 'data'].map((name) => socket().listenerCount(name)))
  }
  assert.deepEqual(listeners.at(-1), listeners[0])
  assert.equal(reader.bytes.toString().split('HTTP/1.1 200 OK').length - 1, 20)
})

test('a response that its owner has corked holds everything back, in order, until it is uncorked', async (t) => {
  const { url, calls } = await watch(t, (request, response) => {
    response.cork()
    const stream = open(request, response)
    stream.send({ data: 'one' })
    setImmediate(() => {
      response.uncork()
      stream.send({ data: 'two' })
      response.cork()
      stream.send({ data: 'three' })
      response.uncork()
      stream.send({ data: 'four' })
      stream.close()
    })
  })
  const bytes = await RawConnection.ask(url, get('/', 'Connection: close'))
  assert.equal(readAnswer(bytes).body.toString(), retry + ['one', 'two', 'three', 'four'].map(dataFrame).join(''))
  assert.ok(!calls.includes(chunk(dataFrame('one'))))
})

test('a response that is corked later loses and reorders nothing', async (t) => {
  const { url } = await watch(t, (request, response) => {
    const stream = open(request, response)
    response.cork()
    stream.send({ data: 'one' })
    response.uncork()
    response.cork()
    stream.send({ data: 'two' })
    stream.close()
  })
  const bytes = await RawConnection.ask(url, get('/', 'Connection: close'))
  assert.deepEqual(readAnswer(bytes).chunks.map(String), [retry, dataFrame('one'), dataFrame('two')])
})

test('a reader that went away costs nobody an error, however much is still written to it', async (t) => {
  const { promise: opened, resolve } = Promise.withResolvers<ServerSentEventsStream>()
  const { url, server, socket } = await watch(t, (request, response) => resolve(open(request, response)))
  const errors: unknown[] = []
  server.on('clientError', (error) => errors.push(error))
  const reader = connect(t, url)
  reader.send(get('/'))
  const stream = await opened
  await reader.until((text) => text.includes('retry'))

  reader.leave()
  socket().destroy()
  for (let count = 0; count < 100; count++) stream.send({ data: 'x'.repeat(1000) })
  await stream.closed
  stream.send({ data: 'x' })
  stream.close()
  stream.destroy()
  await new Promise(setImmediate)

  assert.equal(stream.open, false)
  assert.deepEqual(errors, [])
})

test("a reader that says it will send no more, and goes on reading, is no error of anybody's", async (t) => {
  const { promise: opened, resolve } = Promise.withResolvers<ServerSentEventsStream>()
  const { url, server, socket } = await watch(t, (request, response) => resolve(open(request, response)))
  const errors: unknown[] = []
  server.on('clientError', (error) => errors.push(error))
  const reader = connect(t, url)
  reader.send(get('/'))
  const stream = await opened
  stream.send({ data: 'before' })
  await reader.until((text) => text.includes('before'))

  reader.socket.end()
  await once(socket(), 'end')
  for (let count = 0; count < 10; count++) {
    stream.send({ data: 'after' })
    await new Promise(setImmediate)
  }
  await stream.closed

  assert.deepEqual(errors, [])
})

const large = 'x'.repeat(64 * 1024)
const largeCount = 400 // 25 MB, of which the system's own buffers hold a few

async function sendAll(stream: ServerSentEventsStream): Promise<number> {
  let waits = 0
  for (let count = 0; count < largeCount; count++) {
    if (stream.send({ id: count + 1, data: large })) continue
    waits++
    await stream.drained()
    assert.equal(stream.writableNeedDrain, false)
  }
  stream.close()
  return waits
}

function assertAll(body: Uint8Array): void {
  const events = new EventStreamParser().push(body)
  assert.deepEqual(
    events.map(({ id }) => Number(id)),
    Array.from({ length: largeCount }, (_, at) => at + 1),
  )
  assert.ok(events.every(({ data }) => data === large))
}

test('a reader that reads slowly gets everything in order, and its writer waits for it', async (t) => {
  const { promise: sent, resolve } = Promise.withResolvers<{ waits: Promise<number> }>()
  const { url, calls } = await watch(t, (request, response) => resolve({ waits: sendAll(open(request, response)) }))
  const reader = connect(t, url)
  reader.socket.pause()
  reader.send(get('/', 'Connection: close'))
  const { waits } = await sent
  for (let pause = 0; pause < 20; pause++) {
    reader.socket.resume()
    await once(reader.socket, 'data')
    reader.socket.pause()
    await new Promise(setImmediate)
  }
  reader.socket.resume()

  assert.ok((await waits) > 0)
  await reader.over
  assertAll(readAnswer(reader.bytes).body)
  assert.equal(calls.filter((call) => /^[0-9a-f]+\r\nid: /.test(call) && call.endsWith('\n\n\r\n')).length, largeCount)
})

// TLS by a shared key needs no certificate.
const shared = { ciphers: 'PSK', maxVersion: 'TLSv1.2' as const }
const key = Buffer.alloc(32, 7)

test('over HTTPS it is the same', async (t) => {
  const { promise: sent, resolve } = Promise.withResolvers<{ waits: Promise<number> }>()
  const server = https.createServer({ ...shared, pskCallback: () => key }, (request, response) =>
    resolve({ waits: sendAll(open(request, response)) }),
  )
  const port = await listen(t, server)
  const reader: TLSSocket = connectTls({
    ...shared,
    host: '127.0.0.1',
    port,
    pskCallback: () => ({ psk: key, identity: 'x' }),
    checkServerIdentity: () => undefined,
  })
  t.after(() => reader.destroy())
  const chunks: Buffer[] = []
  reader.pause()
  reader.write(get('/', 'Connection: close'))
  const { waits } = await sent
  reader.on('data', (bytes: Buffer) => chunks.push(bytes))
  reader.resume()

  assert.ok((await waits) > 0)
  await once(reader, 'close')
  const answer = readAnswer(Buffer.concat(chunks))
  assert.equal(answer.head, [...head, 'Connection: close', 'Transfer-Encoding: chunked'].join('\r\n'))
  assert.equal(answer.chunks.length, 1 + largeCount)
  assertAll(answer.body)
})

test('over HTTP/2 a stream is over when its reader leaves, or left before it began', async (t) => {
  const late = Promise.withResolvers<ServerSentEventsStream>()
  const early = Promise.withResolvers<ServerSentEventsStream>()
  const server = http2.createServer((request, response) => {
    const make = () => new ServerSentEventsStream(request, response)
    if (request.url === '/early') return early.resolve(make())
    response.on('close', () => setImmediate(() => late.resolve(make())))
    response.stream.close()
  })
  const port = await listen(t, server)
  const client = http2.connect(`http://127.0.0.1:${port}`)
  t.after(() => client.destroy())

  const leaving = client.request({ ':path': '/early' })
  leaving.on('error', () => {})
  const first = await early.promise
  leaving.close(http2.constants.NGHTTP2_CANCEL)
  await first.closed
  assert.deepEqual([first.open, first.send({ data: 'x' })], [false, false])

  const gone = client.request({ ':path': '/late' })
  gone.on('error', () => {})
  const second = await late.promise
  await second.closed
  assert.deepEqual([second.open, second.send({ data: 'x' })], [false, false])
})
