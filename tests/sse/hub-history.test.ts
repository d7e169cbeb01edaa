// Readers who are further behind than the ring.

import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import type { HubOptions } from '../../lib/sse/hub-options.ts'
import { Hub } from '../../lib/sse/hub.ts'
import { RawConnection } from '../raw-connection.ts'
import { EventStreamParser } from '../event-stream-parser.ts'
import { ListHistory } from './list-history.ts'
import { hubReaders, turn } from './serve.ts'

async function start(t: TestContext, options: HubOptions = {}) {
  const history = new ListHistory()
  const errors: unknown[] = []
  const hub = new Hub({ ring: 3, history, onError: (error) => errors.push(error), ...options })
  const publish = (topics: string[], data?: unknown) => {
    const id = hub.publish(topics, { data })
    history.events.push({ id, topics, data })
    return id
  }
  return { hub, history, errors, publish, ...(await hubReaders(t, () => hub)) }
}

const numbers = (count: number, from = 0) => Array.from({ length: count }, (_, at) => String(from + at))

test('what the ring no longer has comes from history, then from the ring, then live, in one order', async (t) => {
  const { history, publish, follow } = await start(t)
  const cursor = publish(['a'], 'seen')
  for (const data of numbers(2000)) publish([Number(data) % 4 === 0 ? 'b' : 'a'], data)

  const reader = await follow(['a'], cursor)
  const both = await follow(['a', 'b'], cursor)
  publish(['a'], 'live')

  const expected = numbers(2000).filter((data) => Number(data) % 4 !== 0)
  assert.deepEqual(
    (await reader.take('message', 1501)).map(({ data }) => data),
    [...expected, 'live'],
  )
  assert.deepEqual(
    (await both.take('message', 2001)).map(({ data }) => data),
    [...numbers(2000), 'live'],
  )
  assert.ok(history.reads > 2)
})

test('live bytes are replayed bytes, whatever was said', async (t) => {
  const { publish, follow } = await start(t)
  const before = publish(['a'], 'before')
  const live = await follow(['a'])
  await live.next('ping')
  for (const data of ['x', 'a\nb', { text: ' \u2028' }, null, undefined, 0, '', false, 'end']) publish(['a'], data)
  await live.take('message', 9)

  const late = await follow(['a'], before)
  await late.take('message', 9)

  const framesOf = (bytes: Buffer) =>
    bytes
      .toString()
      .split('\n\n')
      .filter((frame) => frame.startsWith('id: '))
  assert.deepEqual(framesOf(late.bytes), framesOf(live.bytes))
  assert.equal(framesOf(live.bytes).length, 9)
})

test('a history that takes its time holds nobody up but who waits for it', async (t) => {
  const { history, publish, follow } = await start(t)
  const cursor = publish(['a'], 'seen')
  for (const data of numbers(10)) publish(['a'], data)
  const live = await follow(['a'])
  await live.next('ping')
  history.delayMs = () => 200

  const late = await follow(['a'], cursor)
  for (const data of numbers(10, 10)) {
    publish(['a'], data)
    await turn()
  }

  assert.deepEqual(
    (await live.take('message', 10)).map(({ data }) => data),
    numbers(10, 10),
  )
  assert.equal(late.all.length, 0)
  assert.deepEqual(
    (await late.take('message', 20)).map(({ data }) => data),
    numbers(20),
  )
})

test('a cursor is known if history knows it, and no other is', async (t) => {
  const { history, publish, follow } = await start(t)
  const first = publish(['a'], 'first')
  for (const delayMs of [undefined, () => 5]) {
    history.delayMs = delayMs
    const cursor = publish(['b'], 'of a topic that the reader does not follow')
    for (const data of numbers(5)) publish(['a'], data)
    const known = await follow(['a'], cursor)
    assert.deepEqual(
      (await known.take('message', 5)).map(({ data }) => data),
      numbers(5),
    )
    assert.ok(!known.bytes.includes('reset'))
    const unknown = await follow(['a'], first - 1)
    assert.equal((await unknown.next('reset')).data.reason, 'unknown_cursor')
    publish(['a'], 'on')
    assert.deepEqual(
      (await unknown.take('message', 1)).map(({ data }) => data),
      ['on'],
    )
  }
})

test('when history fails the stream ends, with its cursor unmoved, and others go on', async (t) => {
  const { history, errors, publish, follow } = await start(t)
  const cursor = publish(['a'], 'seen')
  for (const data of numbers(10)) publish(['a'], data)
  const live = await follow(['a'])

  for (const [failure, delayMs] of [
    [new Error('unreadable'), undefined],
    [new Error('unreadable'), () => 1],
  ] as const) {
    history.failure = failure
    history.delayMs = delayMs
    const late = await follow(['a'], cursor)
    await late.over
    assert.deepEqual(late.all, [])
  }

  assert.equal(errors.length, 2)
  history.failure = undefined
  publish(['a'], 'on')
  assert.deepEqual(
    (await live.take('message', 1)).map(({ data }) => data),
    ['on'],
  )
  const again = await follow(['a'], cursor)
  assert.deepEqual(
    (await again.take('message', 11)).map(({ data }) => data),
    [...numbers(10), 'on'],
  )
})

test("an event in history that can't be written ends the stream that it is for, not the process", async (t) => {
  const { history, errors, publish, follow } = await start(t)
  const cursor = publish(['a'], 'seen')
  for (const data of numbers(5)) publish(['a'], data)
  history.events[2] = { ...history.events[2]!, event: 'a\nb' }
  const late = await follow(['a'], cursor)
  await late.over
  assert.match(String(errors), /TypeError/)
})

test('a stream that is given more topics while it is behind gets the old ones whole, and the new ones from then on', async (t) => {
  const { hub, history, publish, follow } = await start(t)
  const cursor = publish(['a'], 'seen')
  for (const data of numbers(10)) publish(['a'], data)
  publish(['b'], 'before b')
  publish(['a', 'b'], 'both')
  history.delayMs = () => 20

  const reader = await follow(['a'], cursor)
  hub.follow(reader.stream, ['b'])
  publish(['b'], 'b')
  publish(['a'], 'a')

  assert.deepEqual(
    (await reader.take('message', 13)).map(({ data }) => data),
    [...numbers(10), 'both', 'b', 'a'],
  )
})

test('a stream that leaves a topic while it is behind gets no more of it', async (t) => {
  const { hub, history, publish, follow } = await start(t)
  const cursor = publish(['a'], 'seen')
  for (const data of numbers(10)) publish([Number(data) < 5 ? 'a' : 'b'], data)
  history.delayMs = () => 20

  const reader = await follow(['a', 'b'], cursor)
  hub.unfollow(reader.stream, ['a'])
  publish(['a'], 'unheard')
  publish(['b'], 'heard')

  assert.deepEqual(
    (await reader.take('message', 6)).map(({ data }) => data),
    [...numbers(5, 5), 'heard'],
  )
})

test('a reader who reads nothing has one piece waiting in memory, is passed over by signals, and gets all of it once', async (t) => {
  const { hub, publish, url, served } = await start(t, { ring: 20 })
  const reader = new RawConnection(url)
  reader.socket.pause()
  reader.send('GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n')
  const { stream } = await served.next()
  hub.follow(stream, ['a'])
  await turn()

  // More than the system's own buffers take.
  const padding = 'x'.repeat(30_000)
  for (const data of numbers(800)) {
    publish(['a'], data + padding)
    await turn()
    assert.ok(stream.writableLength < 256 * 1024, `${stream.writableLength} bytes wait`)
  }
  assert.equal(stream.writableNeedDrain, true)
  hub.signal('a', { event: 'typing', data: 'passed over' })
  const behind = stream.cursor
  assert.ok(behind < hub.newest)
  reader.socket.resume()
  const closing = Promise.withResolvers<void>()
  const caughtUp = setInterval(() => stream.cursor === hub.newest && !stream.writableNeedDrain && closing.resolve(), 5)
  await closing.promise
  clearInterval(caughtUp)
  hub.signal('a', { event: 'typing', data: 'heard' })
  stream.close()
  await reader.over

  const events = new EventStreamParser().push(reader.answer().body)
  assert.deepEqual(
    events.filter(({ event }) => event === 'message').map(({ data }) => data.replace(padding, '')),
    numbers(800),
  )
  assert.deepEqual(
    events.filter(({ event }) => event === 'typing').map(({ data }) => data),
    ['heard'],
  )
})

test('who joins a topic while their socket is full is not shown what others of the topic got before', async (t) => {
  const { hub, publish, follow, url, served } = await start(t, { ring: 100 })
  const other = await follow(['a', 'b'])
  const reader = new RawConnection(url)
  reader.socket.pause()
  reader.send('GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n')
  const { stream } = await served.next()
  hub.follow(stream, ['a'])

  // More than the system's own buffers take.
  let large = 0
  for (; !stream.writableNeedDrain; large++) {
    publish(['a'], 'x'.repeat(5 * 1024 * 1024))
    hub.flush()
  }
  publish(['b'], 'before the join')
  hub.follow(stream, ['b'])
  reader.socket.resume()
  await stream.drained()
  await turn()
  publish(['b'], 'after the join')
  assert.equal((await other.take('message', large + 2)).at(-1)!.data, 'after the join')
  stream.close()
  await reader.over

  const events = new EventStreamParser().push(reader.answer().body).filter(({ event }) => event === 'message')
  assert.deepEqual(
    events.slice(large).map(({ data }) => data),
    ['after the join'],
  )
})
