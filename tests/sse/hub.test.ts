// Topics and who follows them, over real connections.

import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import type { HubOptions } from '../../lib/sse/hub-options.ts'
import { Hub } from '../../lib/sse/hub.ts'
import { RawConnection } from '../raw-connection.ts'
import { hubReaders, turn } from './serve.ts'

async function start(t: TestContext, options: HubOptions = {}) {
  const hub = new Hub({ onError: (error) => assert.fail(String(error)), ...options })
  return { hub, ...(await hubReaders(t, () => hub)) }
}

test('who follows a topic gets what is published to it, and nothing else', async (t) => {
  const { hub, follow } = await start(t)
  const acme = await follow(['ACME'])
  const both = await follow(['ACME', 'BETA'])

  const first = hub.publish('ACME', { event: 'price', data: { price: 12.3 } })
  hub.publish('BETA', { event: 'price', data: 'b' })
  hub.publish(['BETA', 'ACME'], { event: 'price', data: 'to two topics, once' })
  hub.publish('GAMMA', { event: 'price', data: 'nobody follows' })
  const last = hub.publish('ACME', { event: 'price', data: 'last' })

  assert.deepEqual(
    (await acme.take('price', 3)).map(({ data }) => data),
    ['{"price":12.3}', 'to two topics, once', 'last'],
  )
  assert.deepEqual(
    (await both.take('price', 4)).map(({ data }) => data),
    ['{"price":12.3}', 'b', 'to two topics, once', 'last'],
  )
  const ids = both.all.filter(({ event }) => event === 'price').map(({ id }) => Number(id))
  assert.deepEqual([ids[0], ids[3]], [first, last])
  assert.deepEqual(
    ids,
    [...ids].sort((a, b) => a - b),
  )
})

test('what is published in one tick leaves in one write; what is flushed does not wait for its end', async (t) => {
  const { hub, url, served } = await start(t)
  const reader = new RawConnection(url)
  reader.send('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n')
  const { stream } = await served.next()
  hub.follow(stream, ['a'])
  await reader.until((text) => text.includes('event: ping'))

  for (const data of ['1', '2', '3']) hub.publish('a', { data })
  await turn()
  const id = hub.publish('a', { data: '4' })
  assert.notEqual(stream.cursor, id)
  hub.flush()
  assert.equal(stream.cursor, id)
  await turn()
  hub.publish('a', { data: '5' })
  await reader.until((text) => text.includes('data: 5'))

  const written = reader
    .answer()
    .chunks.slice(2)
    .map((chunk) => [...chunk.toString().matchAll(/^data: (.*)$/gm)].map(([, data]) => data).join(''))
  assert.deepEqual(written, ['123', '4', '5'])
  reader.leave()
})

test('ids are given, or else the time, and always above the newest', async (t) => {
  const { hub, follow } = await start(t)
  const before = Date.now() * 1000
  const first = hub.publish('a', { data: 1 })
  assert.ok(first >= before && first <= Date.now() * 1000)
  assert.ok(hub.publish('a', { data: 2 }) > first)
  const far = first + 10 * 365 * 24 * 3600e6
  assert.equal(hub.publish('a', { id: far, data: 3 }), far)
  assert.equal(hub.publish('a', { data: 4 }), far + 1)
  assert.equal(hub.newest, far + 1)

  for (const id of [far + 1, far, 0, -1, NaN, Infinity, far + 1.5, 2 ** 53])
    assert.throws(() => hub.publish('a', { id, data: 5 }), RangeError, String(id))
  assert.throws(() => hub.advance(far), RangeError)
  for (const event of ['a\nb', 'a\0']) assert.throws(() => hub.publish('a', { event, data: 5 }), TypeError)
  assert.throws(() => hub.publish('a', { data: 7n }), TypeError)

  assert.equal(hub.newest, far + 1)
  const reader = await follow(['a'], first)
  hub.publish('a', { data: 'goes on' })
  assert.deepEqual(
    (await reader.take('message', 4)).map(({ data }) => data),
    ['2', '3', '4', 'goes on'],
  )
})

test('a topic may have any name', async (t) => {
  const { hub, follow } = await start(t)
  const names = ['', 'a', 'b', 'a\nb', 'a,b', '0', '["a","b"]', '__proto__', 'constructor']
  const readers = await Promise.all(names.map((name) => follow([name])))
  const ab = await follow(['a', 'b'])

  for (const name of names) hub.publish(name, { data: name })
  hub.publish(names, { data: 'end' })

  for (const [at, reader] of readers.entries())
    assert.deepEqual(
      (await reader.take('message', 2)).map(({ data }) => data),
      [names[at], 'end'],
    )
  assert.deepEqual(
    (await ab.take('message', 3)).map(({ data }) => data),
    ['a', 'b', 'end'],
  )
})

test('a reader that comes back gets what it missed of its topics, then what comes', async (t) => {
  const { hub, follow } = await start(t)
  const cursor = hub.publish('a', { data: 'seen' })
  hub.publish('a', { data: 'missed' })
  hub.publish('b', { data: 'not asked for' })

  const reader = await follow(['a'], cursor)
  hub.publish('a', { data: 'live' })

  assert.deepEqual(
    (await reader.take('message', 2)).map(({ data }) => data),
    ['missed', 'live'],
  )
  const ofAnotherTopic = await follow(['b'], cursor)
  assert.deepEqual(
    (await ofAnotherTopic.take('message', 1)).map(({ data }) => data),
    ['not asked for'],
  )
})

test('a cursor that was never given out, or is no longer known, gets a reset that says where to go on', async (t) => {
  const { hub, follow } = await start(t, { ring: 2 })
  const ids = ['1', '2', '3', '4'].map((data) => hub.publish('a', { data }))
  for (const [cursor, reason] of [
    [ids[0]!, 'too_old'],
    ['0', 'too_old'],
    [ids[3]! + 1, 'unknown_cursor'],
    ['x', 'unknown_cursor'],
    ['-1', 'unknown_cursor'],
    ['1e3', 'unknown_cursor'],
    [`${'9'.repeat(16)}`, 'unknown_cursor'],
  ] as const) {
    const reader = await follow(['a'], cursor)
    const { id, data } = await reader.next('reset')
    assert.deepEqual([id, data], [String(ids[3]), { reason, cursor: String(ids[3]) }], String(cursor))
    reader.leave()
  }
  // The last that was dropped is still known: all after it is there.
  const reader = await follow(['a'], ids[1])
  assert.deepEqual(
    (await reader.take('message', 2)).map(({ data }) => data),
    ['3', '4'],
  )
  const after = await follow(['a'], 'nonsense')
  hub.publish('a', { data: '5' })
  assert.deepEqual(
    (await after.take('message', 1)).map(({ data }) => data),
    ['5'],
  )
})

test('more is published in one tick than the ring holds: who is up to date gets all of it', async (t) => {
  for (const ring of [1, 2, 10]) {
    const { hub, follow } = await start(t, { ring })
    const [a, b, both] = [await follow(['a']), await follow(['b']), await follow(['a', 'b'])]
    const sent = Array.from({ length: 25 }, (_, at) => `${at}`)

    for (const data of sent) hub.publish(Number(data) % 3 === 0 ? 'a' : 'b', { data })
    hub.publish(['a', 'b'], { data: 'end' })

    const texts = async (reader: typeof a, count: number) =>
      (await reader.take('message', count)).map(({ data }) => data)
    assert.deepEqual(await texts(a, 10), [...sent.filter((data) => Number(data) % 3 === 0), 'end'])
    assert.deepEqual(await texts(b, 17), [...sent.filter((data) => Number(data) % 3 !== 0), 'end'])
    assert.deepEqual(await texts(both, 26), [...sent, 'end'])
    for (const reader of [a, b, both]) assert.ok(!reader.bytes.includes('reset'))
  }
})

test('an event larger than the whole ring is refused, one nearly as large is delivered', async (t) => {
  const { hub, follow } = await start(t)
  const reader = await follow(['a'])
  const other = await follow(['b'])
  hub.publish('b', { data: 'before' })
  assert.throws(() => hub.publish('a', { data: 'x'.repeat(16 * 1024 * 1024) }), RangeError)
  const large = 'x'.repeat(8 * 1024 * 1024 - 1000) // its frame and its data count
  hub.publish('a', { data: large })
  hub.publish('a', { data: 'after' })

  assert.ok((await reader.take('message', 1))[0]!.data === large)
  assert.equal((await reader.take('message', 1))[0]!.data, 'after')
  assert.equal((await other.take('message', 1))[0]!.data, 'before')
})

test('a hub with a ring of nothing has no past, and delivers all the same', async (t) => {
  const { hub, follow } = await start(t, { ring: 0 })
  const reader = await follow(['a'])
  for (const data of ['1', '2', '3']) hub.publish('a', { data })
  assert.deepEqual(
    (await reader.take('message', 3)).map(({ data }) => data),
    ['1', '2', '3'],
  )
})

test("events that are nobody's to see move cursors on without a frame", async (t) => {
  const { hub, follow } = await start(t, { newest: 100 })
  const reader = await follow(['a'])
  assert.equal((await reader.next('ping')).id, '100')
  hub.advance(105)
  hub.publish('b', { id: 110, data: 'not theirs' })
  hub.publish('a', { id: 115, data: 'theirs' })
  hub.advance(120)
  hub.flush()

  await reader.take('message', 1)
  assert.deepEqual(
    reader.all.map(({ event, id }) => [event, id]),
    [
      ['ping', '100'],
      ['message', '115'],
    ],
  )
  assert.equal(hub.newest, 120)
  for (const known of [105, 110, 115, 120]) {
    const again = await follow(['a'], known)
    assert.equal((await again.next('ping')).id, '120')
    assert.ok(!again.bytes.includes('reset'))
  }
})

test('pings come to who is up to date, and carry the cursor on past what they may not see', async (t) => {
  const { hub, follow } = await start(t, { pingMs: 500 })
  const reader = await follow(['a'])
  const first = await reader.next('ping')
  assert.equal(first.id, '0')
  const id = hub.publish('b', { data: 'not theirs' })
  assert.equal((await reader.next('ping')).id, String(id))
  hub.publish('a', { data: 'theirs' })
  await reader.take('message', 1)
  assert.equal((await reader.next('ping')).id, String(hub.newest))
  assert.deepEqual(
    reader.all.filter(({ event }) => event === 'ping').map(({ data }) => data),
    ['{}', '{}', '{}'],
  )
})

test('a signal goes out at once, behind what was published before it, and is not kept', async (t) => {
  const { hub, follow } = await start(t)
  const reader = await follow(['a'])
  const other = await follow(['b'])
  const id = hub.publish('a', { data: 'one' })
  hub.signal('a', { event: 'typing', data: { user: 'ada' } })
  hub.publish('a', { data: 'two' })
  hub.signal(['a', 'b'], { event: 'typing', data: 'both' })

  await reader.take('typing', 2)
  assert.deepEqual(
    reader.all.slice(1).map(({ event, data }) => [event, data]),
    [
      ['message', 'one'],
      ['typing', '{"user":"ada"}'],
      ['message', 'two'],
      ['typing', 'both'],
    ],
  )
  assert.equal(reader.all[2]!.id, String(id))
  assert.equal((await other.take('typing', 1))[0]!.data, 'both')
  const again = await follow(['a'], id)
  await again.take('message', 1)
  hub.publish('a', { data: 'three' })
  await again.take('message', 1)
  assert.ok(!again.bytes.includes('typing'))
})

test('a stream can follow more from now on, and less', async (t) => {
  const { hub, follow } = await start(t)
  const reader = await follow(['a'])
  hub.publish('b', { data: 'before b' })
  hub.follow(reader.stream, ['b'])
  hub.follow(reader.stream, ['b', 'a'])
  hub.publish('b', { data: 'b' })
  hub.publish('a', { data: 'a' })
  hub.unfollow(reader.stream, ['a'])
  hub.publish('a', { data: 'after a' })
  hub.publish('b', { data: 'b again' })
  hub.follow(reader.stream, ['a'])
  hub.publish('a', { data: 'a again' })
  hub.unfollow(reader.stream, ['never followed'])

  assert.deepEqual(
    (await reader.take('message', 4)).map(({ data }) => data),
    ['b', 'a', 'b again', 'a again'],
  )
})

test('a stream that follows nothing any more lives on, and can follow again', async (t) => {
  const { hub, follow } = await start(t)
  const reader = await follow(['a'])
  hub.unfollow(reader.stream, ['a'])
  hub.publish('a', { data: 'unheard' })
  hub.follow(reader.stream, ['a'])
  hub.publish('a', { data: 'heard' })
  assert.deepEqual(
    (await reader.take('message', 1)).map(({ data }) => data),
    ['heard'],
  )
})

test('when all have left, nothing of them is left', async (t) => {
  const { hub, follow } = await start(t)
  const readers = await Promise.all(['a', 'b', 'c'].map((topic) => follow([topic, 'all'])))
  assert.deepEqual([hub.stats().streams, [...hub.followers('all')].length, [...hub.followers('a')].length], [3, 3, 1])

  for (const reader of readers) {
    reader.leave()
    await reader.stream.closed
  }
  await turn()

  assert.deepEqual([hub.stats().streams, [...hub.followers('all')].length, [...hub.followers('a')].length], [0, 0, 0])
  hub.publish('all', { data: 'to nobody' })
})

test('closing ends all streams over a while, each told another time to come back, after what was published', async (t) => {
  const { hub, follow } = await start(t)
  const readers = await Promise.all(Array.from({ length: 20 }, () => follow(['a'])))
  const endings: number[] = []
  for (const reader of readers) void reader.over.then(() => endings.push(performance.now()))
  hub.publish('a', { data: 'last words' })

  const started = performance.now()
  await hub.close({ spread: 400 })
  await Promise.all(readers.map((reader) => reader.over))

  assert.ok(Math.max(...endings) - Math.min(...endings) > 50, 'they did not all end at once')
  assert.ok(performance.now() - started > 100)
  const times = new Set<number>()
  for (const reader of readers) {
    assert.match(reader.bytes.toString(), /data: last words\n\nretry: \d+\n\n$/)
    times.add(reader.parser.retry!)
  }
  assert.ok(times.size > 10)
  const late = await follow(['a'])
  await late.over
  assert.equal(hub.stats().streams, 0)
})
