import assert from 'node:assert/strict'
import { createServer, connect as connectHttp2 } from 'node:http2'
import type { AddressInfo } from 'node:net'
import { test } from 'node:test'
import { ServerSentEventsStream } from '../../lib/sse/server-sent-events-stream.ts'
import { Listener } from '../chat-server.ts'
import { EventStreamParser } from '../event-stream-parser.ts'
import { RawConnection } from '../raw-connection.ts'
import { serve, serveStreams, turn } from './serve.ts'

test('a stream sends events and comments, and its reader gets the events', async (t) => {
  const served = await serveStreams(t)
  const opening = Listener.open(served.url)
  const { stream } = await served.next()

  stream.send({ event: 'price', id: 7, data: { symbol: 'ACME' } })
  stream.comment('nobody sees this')
  stream.send({ data: 'two\nlines' })
  stream.close()

  const reader = await opening
  await reader.over
  assert.deepEqual(reader.all, [
    { event: 'price', data: '{"symbol":"ACME"}', id: '7' },
    { event: 'message', data: 'two\nlines', id: '7' },
  ])
  assert.match(reader.bytes.toString(), /\n: nobody sees this\n\n/)
})

test('nothing is written for no bytes: in HTTP an empty chunk would be the end', async (t) => {
  const served = await serveStreams(t)
  const opening = Listener.open(served.url)
  const { stream } = await served.next()

  assert.equal(stream.write(new Uint8Array()), true)
  stream.send({ data: 'after' })

  assert.deepEqual(
    (await (await opening).take('message', 1)).map(({ data }) => data),
    ['after'],
  )
})

test('headers that were set before go out with it, and the time to come back is what was asked for', async (t) => {
  const url = await serve(t, (request, response) => {
    response.setHeader('x-mine', 'yes')
    new ServerSentEventsStream(request, response, { retryMs: 1234 }).close()
  })
  const reader = await Listener.open(url)
  await reader.over
  assert.equal(reader.response.headers['x-mine'], 'yes')
  assert.equal(reader.bytes.toString(), 'retry: 1234\n\n')
})

test("an event that can't be written throws, and nothing of it is sent", async (t) => {
  const served = await serveStreams(t)
  const opening = Listener.open(served.url)
  const { stream } = await served.next()

  for (const event of [
    { event: 'a\ndata: evil' },
    { id: '1\r' },
    { id: '1\0' },
    { id: '' },
    { retry: 1.5 },
    { data: () => {} },
  ]) {
    assert.throws(() => stream.send({ data: 'never', ...event }), TypeError)
  }
  stream.close()

  const reader = await opening
  await reader.over
  assert.match(reader.bytes.toString(), /^retry: \d+\n\n$/)
})

test('the cursor comes from the header, or else from the query under one of three names', async (t) => {
  const served = await serveStreams(t)
  const cursorOf = async (query: string, headers: Record<string, string> = {}) => {
    const opening = Listener.open(served.url + query, headers)
    const { stream } = await served.next()
    stream.close()
    await opening
    return stream.lastEventId
  }
  assert.equal(await cursorOf('/'), undefined)
  assert.equal(await cursorOf('/?since=1&lastEventId=2&last_event_id=3', { 'last-event-id': '4' }), '4')
  assert.equal(await cursorOf('/?since=1&lastEventId=2&last_event_id=3'), '3')
  assert.equal(await cursorOf('/?since=1&lastEventId=2'), '2')
  assert.equal(await cursorOf('/?x=y&since=1'), '1')
  assert.equal(await cursorOf('/?since=', { 'last-event-id': '' }), undefined)
  assert.equal(await cursorOf('/?since=1', { 'last-event-id': '' }), '1')
})

test('closed resolves when the reader leaves, when we close, and when the reader was gone before', async (t) => {
  const served = await serveStreams(t)
  const leaving = await Promise.all([Listener.open(served.url), served.next()])
  leaving[0].leave()
  await leaving[1].stream.closed
  assert.deepEqual([leaving[1].stream.open, leaving[1].stream.send({ data: 'x' })], [false, false])

  const closing = await Promise.all([Listener.open(served.url), served.next()])
  closing[1].stream.close()
  await closing[1].stream.closed
  await closing[0].over

  const { promise, resolve } = Promise.withResolvers<ServerSentEventsStream>()
  const url = await serve(t, (request, response) => {
    response.on('close', () => resolve(new ServerSentEventsStream(request, response)))
    request.socket.destroy()
  })
  await assert.rejects(Listener.open(url))
  const late = await promise
  await late.closed
  assert.deepEqual([late.open, late.send({ data: 'x' })], [false, false])
})

test("who wants to be called at a stream's end is called once, and at once where it is over", async (t) => {
  const served = await serveStreams(t)
  const [reader, { stream }] = await Promise.all([Listener.open(served.url), served.next()])
  const told: unknown[] = []
  stream.whenClosed((over) => told.push(over))
  stream.whenClosed((over) => told.push(over))

  reader.leave()
  await Promise.all([stream.closed, stream.closed])
  assert.deepEqual(told, [stream, stream])
  stream.whenClosed((over) => told.push(over))
  assert.equal(told.length, 3)
})

// The system's own buffers take some megabytes before anything of it is to be seen.
const large = 'x'.repeat(32 * 1024 * 1024)

test('a stream whose reader does not read says so, and goes on when it does', async (t) => {
  const served = await serveStreams(t)
  const reader = new RawConnection(served.url)
  reader.socket.pause()
  reader.send('GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n')
  const { stream, response } = await served.next()
  const listeners = () => response.socket!.listenerCount('drain')
  const idle = listeners()

  assert.equal(stream.send({ data: large }), false)
  assert.equal(stream.send({ data: 'and more' }), false)
  assert.equal(listeners(), idle + 1)
  const drains = [stream.drained(), stream.drained()]
  await turn()
  assert.equal(stream.writableNeedDrain, true)
  reader.socket.resume()
  await Promise.all(drains)

  assert.equal(stream.writableNeedDrain, false)
  assert.equal(listeners(), idle)
  await stream.drained()
  stream.send({ data: 'the end' })
  stream.close()
  await reader.over
  const events = new EventStreamParser().push(reader.answer().body)
  assert.deepEqual(
    events.map(({ data }) => data),
    [large, 'and more', 'the end'],
  )
})

test('who waits for a full socket is woken when its reader leaves', async (t) => {
  for (const end of ['leave', 'close', 'destroy'] as const) {
    const served = await serveStreams(t)
    const reader = new RawConnection(served.url)
    reader.socket.pause()
    reader.send('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n')
    const { stream } = await served.next()
    stream.send({ data: large })
    const drained = stream.drained()

    if (end === 'leave') reader.leave()
    else stream[end]()

    await drained
    reader.leave()
    await stream.closed
    assert.deepEqual([stream.open, stream.writableNeedDrain, stream.send({ data: 'x' })], [false, false, false])
  }
})

test('HEAD is over at once', async (t) => {
  const served = await serveStreams(t)
  const answer = fetch(served.url, { method: 'HEAD' })
  const { stream } = await served.next()
  assert.equal(stream.open, false)
  assert.deepEqual(
    [(await answer).status, (await answer).headers.get('content-type')],
    [200, 'text/event-stream; charset=utf-8'],
  )
  await stream.closed
})

test('it writes HTTP/2 as well, and feels its backpressure', async (t) => {
  const opened = Promise.withResolvers<ServerSentEventsStream>()
  const server = createServer((request, response) => opened.resolve(new ServerSentEventsStream(request, response)))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const client = connectHttp2(`http://127.0.0.1:${(server.address() as AddressInfo).port}`)
  t.after(() => {
    client.destroy()
    server.close()
  })
  const request = client.request({ ':path': '/', 'last-event-id': '5' })
  const chunks: Buffer[] = []
  const stream = await opened.promise
  assert.equal(stream.lastEventId, '5')

  assert.equal(stream.send({ data: large }), false)
  await turn()
  assert.equal(stream.writableNeedDrain, true)
  request.on('data', (chunk: Buffer) => chunks.push(chunk))
  await stream.drained()
  stream.send({ data: 'the end' })
  stream.close()
  await Promise.all([new Promise((resolve) => request.on('end', resolve)), stream.closed])

  const events = new EventStreamParser().push(Buffer.concat(chunks))
  assert.deepEqual(
    events.map(({ data }) => data),
    [large, 'the end'],
  )
})
