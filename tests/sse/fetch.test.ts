// Streams for route handlers that answer with a `Response`, as a framework of the Fetch API would read them.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { collect, eventStreamResponse, Hub, streamResponse, type ServerSentEventsStream } from '../../lib/index.ts'
import { turn } from './serve.ts'

const url = 'http://test/events'

test('a route handler answers with a stream of a hub, and its reader gets what is published', async () => {
  const hub = new Hub()
  const response = eventStreamResponse(new Request(url), hub, ['news'])
  assert.equal(response.status, 200)
  assert.deepEqual(Object.fromEntries(response.headers), {
    'content-type': 'text/event-stream; charset=utf-8',
    'cache-control': 'no-store, no-transform',
    'x-accel-buffering': 'no',
    'x-content-type-options': 'nosniff',
  })

  const id = hub.publish('news', { event: 'headline', data: { text: 'one' } })
  hub.publish('sports', { data: 'not theirs' })
  hub.publish('news', { data: 'two' })

  const events = await collect(response, 2)
  assert.deepEqual(events[0], { event: 'headline', data: '{"text":"one"}', id: String(id) })
  assert.deepEqual(events[1]?.data, 'two')
})

test('the cursor comes from the header or the query', async () => {
  const hub = new Hub()
  const first = hub.publish('a', { data: '1' })
  const second = hub.publish('a', { data: '2' })
  hub.publish('a', { data: '3' })
  const texts = async (request: Request, count: number) =>
    (await collect(eventStreamResponse(request, hub, ['a']), count)).map(({ data }) => data)

  assert.deepEqual(await texts(new Request(url, { headers: { 'Last-Event-ID': String(first) } }), 2), ['2', '3'])
  assert.deepEqual(await texts(new Request(`${url}?last_event_id=${second}`), 1), ['3'])
  assert.deepEqual(await texts(new Request(`${url}?x=1&since=${second}`), 1), ['3'])
})

test('options of the hub and of the stream are given in one', async () => {
  const hub = new Hub()
  const first = hub.publish('a', { data: '1' })
  hub.publish('a', { data: '2' })
  hub.publish('a', { data: '3' })

  const response = eventStreamResponse(new Request(url), hub, ['a'], {
    after: first,
    who: 'ada',
    filter: ({ data }) => data !== '2',
    retryMs: 1234,
  })
  assert.deepEqual(hub.here, ['ada'])
  const reader = response.body!.getReader()
  assert.equal(Buffer.from((await reader.read()).value!).toString(), 'retry: 1234\n\n')
  assert.match(Buffer.from((await reader.read()).value!).toString(), /^id: \d+\ndata: 3\n\n$/)
  await reader.cancel()
})

test('cancelling the body, or aborting the request, ends the stream', async () => {
  const hub = new Hub()
  const cancelled = eventStreamResponse(new Request(url), hub, ['a'])
  const controller = new AbortController()
  const aborted = eventStreamResponse(new Request(url, { signal: controller.signal }), hub, ['a'])
  assert.equal(hub.stats().streams, 2)

  await cancelled.body!.cancel()
  await turn()
  assert.equal(hub.stats().streams, 1)

  controller.abort()
  assert.match(await aborted.text(), /^retry: /)
  assert.equal(hub.stats().streams, 0)
  hub.publish('a', { data: 'to nobody' })
  hub.flush()
})

test('a request that was aborted before gets a body that is over', async () => {
  const hub = new Hub()
  const response = eventStreamResponse(new Request(url, { signal: AbortSignal.abort() }), hub, ['a'])
  assert.doesNotMatch(await response.text(), /event:/)
  await turn()
  assert.equal(hub.stats().streams, 0)
})

test('HEAD gets the headers and no body', async () => {
  const hub = new Hub()
  const response = eventStreamResponse(new Request(url, { method: 'HEAD' }), hub, ['a'])
  assert.equal(response.body, null)
  assert.equal(response.headers.get('content-type'), 'text/event-stream; charset=utf-8')
  await turn()
  assert.equal(hub.stats().streams, 0)
})

test('closing the hub ends the body after what was published', async () => {
  const hub = new Hub()
  const response = eventStreamResponse(new Request(url), hub, ['a'])
  hub.publish('a', { data: 'last words' })
  await hub.close()
  assert.match(await response.text(), /^retry: \d+\n\n(event: ping\n[^]*)?id: \d+\ndata: last words\n\nretry: \d+\n\n$/)
})

test('a body that nobody reads takes no more than its buffer, and everything once it is read', async () => {
  const hub = new Hub({ ring: 20_000 })
  const response = eventStreamResponse(new Request(url), hub, ['a'])
  const count = 10_000
  for (let at = 0; at < count; at++) hub.publish('a', { data: `${at} ${'x'.repeat(500)}` })
  hub.flush()

  const { bytesBuffered, behind } = hub.stats()
  assert.equal(behind, 1)
  assert.ok(bytesBuffered <= 256 * 1024, `${bytesBuffered} bytes wait in the body`)
  const events = await collect(response, count)
  assert.deepEqual(
    events.map(({ data }) => Number(data.split(' ')[0])),
    Array.from({ length: count }, (_, at) => at),
  )
})

test('what a reader does to the bytes it got, nobody else sees', async () => {
  const hub = new Hub()
  const readers = [1, 2].map(() => eventStreamResponse(new Request(url), hub, ['a'], { retryMs: 1 }).body!.getReader())
  const next = async (reader: (typeof readers)[0]) => (await reader.read()).value!
  hub.publish('a', { data: 'hello' })
  for (const reader of readers) {
    let bytes: Uint8Array
    do bytes = await next(reader)
    while (!Buffer.from(bytes).includes('hello'))
    bytes.fill(0)
  }
  for (const reader of readers) await reader.cancel()
})

test('a handler writes a stream of its own, from any source, at the pace that its body is read', async () => {
  let taken = 0
  let returned = false
  async function* tokens() {
    try {
      for (; ; taken++) yield `token ${taken} ${'x'.repeat(1000)}`
    } finally {
      returned = true
    }
  }
  const response = streamResponse(new Request(url), (stream) => stream.pipe(tokens()))
  for (let turns = 0; turns < 50; turns++) await turn()
  assert.ok(taken > 0 && taken < 200, `${taken} tokens were taken with nobody reading`)

  const events = await collect(response, 1000)
  assert.ok(events.every(({ data }, at) => data.startsWith(`token ${at} `)))
  await turn()
  assert.equal(returned, true)
})

test('a handler that throws ends its stream after what it sent', async () => {
  const response = streamResponse(
    new Request(url),
    (stream) => {
      stream.send({ data: 'one' })
      throw new Error('it broke')
    },
    { retryMs: 1 },
  )
  assert.equal(await response.text(), 'retry: 1\n\ndata: one\n\n')
})

test('a stream that was let go of is closed, and takes nothing', async () => {
  const opened = Promise.withResolvers<ServerSentEventsStream>()
  const response = streamResponse(new Request(url), opened.resolve)
  const stream = await opened.promise
  await response.body!.cancel()
  await stream.closed
  assert.deepEqual([stream.open, stream.send({ data: 'x' }), stream.writableNeedDrain], [false, false, false])
  stream.close()
  stream.destroy()
})

test('collect reads what it is asked for and lets go of the stream; a stream that ends before is an error', async () => {
  const hub = new Hub()
  hub.publish('a', { data: 'x' })
  const response = eventStreamResponse(new Request(url), hub, ['a'], { after: 0 })
  hub.publish('a', { event: 'two', data: 'l1\nl2\n' })
  hub.publish('a', { data: '' })
  assert.deepEqual(
    (await collect(response, 3)).map(({ event, data }) => [event, data]),
    [
      ['message', 'x'],
      ['two', 'l1\nl2\n'],
      ['message', ''],
    ],
  )
  await turn()
  assert.equal(hub.stats().streams, 0)

  const short = streamResponse(new Request(url), (stream) => {
    stream.send({ data: 'only one' })
    stream.close()
  })
  await assert.rejects(collect(short, 2), /ended after 1 of 2 events/)
})
