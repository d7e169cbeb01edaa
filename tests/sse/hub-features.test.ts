// What a hub does beyond delivering: types, filters, attendance, figures, an end spread over a while.

import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { collect, eventStreamResponse, Hub, type FollowOptions, type HubOptions } from '../../lib/index.ts'
import { turn } from './serve.ts'

type Events = { price: { symbol: string; price: number }; news: string; message: string }

function start(t: TestContext, options: HubOptions = {}) {
  const hub = new Hub(options)
  t.after(() => hub.close())
  return {
    hub,
    follow: (topics: readonly string[], options: FollowOptions = {}) =>
      eventStreamResponse(new Request('http://test/'), hub, topics, options),
  }
}

const texts = async (response: Response, count: number) => (await collect(response, count)).map(({ data }) => data)

test('a hub of named events takes these and nothing else: the compiler says so', async () => {
  const hub = new Hub<Events>()
  const reader = eventStreamResponse(new Request('http://test/'), hub, ['ACME'])
  hub.publish('ACME', { event: 'price', data: { symbol: 'ACME', price: 12.3 } })
  hub.publish(['ACME'], { event: 'news', data: 'up' })
  hub.publish('ACME', { data: 'an event without a name is a message' })
  hub.signal('nobody', { event: 'news', data: 'up' })
  // @ts-expect-error: there is no such event
  hub.publish('nobody', { event: 'weather', data: 'rain' })
  // @ts-expect-error: a price is no text
  hub.publish('nobody', { event: 'price', data: '12.3' })
  // @ts-expect-error: a message is a text
  hub.publish('nobody', { data: 5 })
  // @ts-expect-error: an event needs its data
  hub.signal('nobody', { event: 'news' })
  // @ts-expect-error: where there is no `message`, an event needs its name
  new Hub<{ news: string }>().publish('nobody', { data: 'up' })
  new Hub().publish('nobody', { event: 'anything', data: [1, 2] })

  assert.deepEqual(
    (await collect(reader, 3)).map(({ event }) => event),
    ['price', 'news', 'message'],
  )
})

test('a filter decides what a stream sees: live, from the ring, and nobody else is touched', async (t) => {
  const { hub, follow } = start(t)
  const cursor = hub.publish('a', { data: 0 })
  for (let data = 1; data <= 4; data++) hub.publish('a', { data })
  const even = follow(['a'], { after: cursor, filter: ({ data }) => Number(data) % 2 === 0 })
  const all = follow(['a'], { after: cursor })
  for (let data = 5; data <= 8; data++) hub.publish('a', { data })

  assert.deepEqual(await texts(even, 4), ['2', '4', '6', '8'])
  assert.deepEqual(await texts(all, 8), ['1', '2', '3', '4', '5', '6', '7', '8'])
})

test('a filter that throws shows nothing, says so, and hurts nobody else', async (t) => {
  const errors: unknown[] = []
  const { hub, follow } = start(t, { onError: (error) => errors.push(error) })
  const broken = follow(['a'], {
    filter: ({ data }) => {
      if (data === 'secret') throw new Error('no such user')
      return true
    },
  })
  const other = follow(['a'])
  hub.publish('a', { data: 'secret' })
  hub.publish('a', { data: 'open' })

  assert.deepEqual(await texts(broken, 1), ['open'])
  assert.deepEqual(await texts(other, 2), ['secret', 'open'])
  assert.match(String(errors), /no such user/)
})

test('somebody with three streams came once, and left once the last was gone for a while', async (t) => {
  const seen: string[] = []
  const left = Promise.withResolvers<void>()
  const { hub, follow } = start(t, {
    graceMs: 20,
    came: (who) => seen.push(`${who} came`),
    left: (who) => {
      seen.push(`${who} left`)
      left.resolve()
    },
  })

  const streams = [1, 2, 3].map(() => follow(['a'], { who: 'ada' }))
  follow(['a'], { who: 'bob' })
  follow(['a'])
  assert.deepEqual(
    [seen, hub.here],
    [
      ['ada came', 'bob came'],
      ['ada', 'bob'],
    ],
  )
  for (const stream of streams) await stream.body!.cancel()
  await turn()
  assert.deepEqual(hub.here.toSorted(), ['ada', 'bob'])

  await left.promise
  assert.deepEqual([seen, hub.here], [['ada came', 'bob came', 'ada left'], ['bob']])
})

test('a page that is loaded again has not left', async (t) => {
  const seen: string[] = []
  const { hub, follow } = start(t, {
    graceMs: 60_000,
    came: (who) => seen.push(`${who} came`),
    left: (who) => seen.push(`${who} left`),
  })
  for (let load = 0; load < 5; load++) {
    const stream = follow(['a'], { who: 'ada' })
    await stream.body!.cancel()
    await turn()
    assert.deepEqual(hub.here, ['ada'])
  }
  assert.deepEqual(seen, ['ada came'])

  await hub.close()
  assert.deepEqual([seen, hub.here], [['ada came', 'ada left'], []])
})

test('who comes can be told to all others from where it is noticed', async (t) => {
  const { hub, follow } = start(t, { came: (who) => hub.publish('a', { event: 'came', data: who }) })
  const ada = follow(['a'], { who: 'ada' })
  follow(['a'], { who: 'bob' })
  assert.ok((await texts(ada, 2)).includes('bob'))
})

test('figures say how many follow, who is behind, what waits for them and how much is published', async (t) => {
  const { hub, follow } = start(t)
  assert.deepEqual(hub.stats(), { streams: 0, behind: 0, bytesBuffered: 0, eventsPerSecond: 0 })
  const slow = follow(['a'])
  follow(['b'])
  for (let count = 0; count < 50; count++) hub.publish('a', { data: 'x'.repeat(10_000) })
  hub.flush()

  const { streams, behind, bytesBuffered, eventsPerSecond } = hub.stats()
  assert.deepEqual([streams, behind], [2, 1])
  assert.ok(bytesBuffered >= 64 * 1024 && bytesBuffered <= 256 * 1024, `${bytesBuffered} bytes`)
  assert.ok(eventsPerSecond > 0 && eventsPerSecond <= 50, `${eventsPerSecond} a second`)
  await collect(slow, 50)
  await turn()
  assert.equal(hub.stats().streams, 1)
})

test('a signal passes over whoever is behind', async (t) => {
  const { hub, follow } = start(t)
  const slow = follow(['a'])
  for (let count = 0; count < 50; count++) hub.publish('a', { data: 'x'.repeat(10_000) })
  hub.flush()
  const quick = follow(['a'])
  hub.signal('a', { event: 'typing', data: 'ada' })
  hub.publish('a', { data: 'end' })

  assert.deepEqual(
    (await collect(quick, 2)).map(({ event }) => event),
    ['typing', 'message'],
  )
  const events = await collect(slow, 51)
  assert.ok(events.every(({ event }) => event === 'message'))
  assert.equal(events.at(-1)?.data, 'end')
})

test('an end that is spread tells every stream another time to come back, and none may follow then', async (t) => {
  const { hub, follow } = start(t)
  const streams = Array.from({ length: 20 }, () => follow(['a']))
  hub.publish('a', { data: 'last words' })
  const began = performance.now()
  const over = hub.close({ spread: 200 })
  const late = follow(['a'])

  const endings = await Promise.all(
    streams.map(async (stream) => ({ text: await stream.text(), afterMs: performance.now() - began })),
  )
  await over
  for (const { text } of endings) assert.match(text, /data: last words\n\nretry: \d{4}\n\n$/)
  assert.ok(new Set(endings.map(({ text }) => /retry: (\d+)\n\n$/.exec(text)![1])).size > 10)
  const times = endings.map(({ afterMs }) => afterMs)
  assert.ok(
    Math.max(...times) - Math.min(...times) > 20,
    `all ended within ${Math.max(...times) - Math.min(...times)} ms`,
  )
  assert.match(await late.text(), /^retry: \d+\n\n$/)
  assert.equal(hub.stats().streams, 0)
})

test('a hub is disposed of at the end of its block', async () => {
  const hub = new Hub()
  const stream = eventStreamResponse(new Request('http://test/'), hub, ['a'])
  await hub[Symbol.asyncDispose]()
  assert.match(await stream.text(), /retry/)
})

/** Pages of a thousand topics each, and what happens just before one is asked for. */
function* pages(count: number, before: (page: number) => void = () => {}): Generator<string[], void> {
  for (let page = 0; page < count; page++) {
    before(page)
    yield Array.from({ length: 1000 }, (_, topic) => `${page}:${topic}`)
  }
}

test('a stream that follows thousands of topics gets what happened meanwhile, in order, once it follows all', async (t) => {
  const { hub, follow } = start(t)
  const cursor = hub.publish('first', { data: 'before' })
  const publish = (page: number) => hub.publish([`${page}:7`, 'first'], { data: page })
  const reader = follow(['first'], { after: cursor, more: pages(5, publish) })
  hub.publish('4:999', { data: 'live' })

  const got = await texts(reader, 6)

  assert.equal(got.indexOf('live') >= 1, true, 'it was said while the stream gathered its topics')
  assert.deepEqual(
    got.filter((text) => text !== 'live'),
    ['0', '1', '2', '3', '4'],
  )
})

test('it follows no page that it has not asked for, and none that it was told to leave', async (t) => {
  const { hub, follow } = start(t)
  const left: string[] = []
  const leave = (page: number) => {
    if (page !== 3) return
    for (const stream of hub.followers('mine')) hub.unfollow(stream, ['1:0'])
    left.push(`${hub.following('1:0')} ${hub.following('4:0')}`)
  }
  const reader = follow(['mine'], { after: 0, more: pages(5, leave) })
  while (hub.following('4:0') === 0) await turn()
  hub.publish('1:0', { data: 'of what was left' })
  hub.publish('4:0', { data: 'of the last page' })

  assert.deepEqual(await texts(reader, 1), ['of the last page'])
  assert.deepEqual(left, ['0 0'])
})

test('a reader who goes before all topics are there leaves nothing behind', async (t) => {
  const { hub, follow } = start(t)
  let asked = 0
  const reader = follow(['mine'], { more: pages(100, () => asked++) })
  await reader.body!.cancel()
  while (hub.following('0:0') > 0) await turn()
  const stopped = asked
  await turn()

  assert.equal(stopped < 100 && asked === stopped, true, `${stopped}, then ${asked} pages were asked for`)
  assert.deepEqual([hub.following('mine'), hub.stats().streams], [0, 0])
})

test('pages that fail end the stream and say so', async (t) => {
  const errors: unknown[] = []
  const { follow } = start(t, { onError: (error) => errors.push(error) })
  const fail = (page: number) => {
    if (page === 2) throw new Error('no such room')
  }
  const now = follow(['mine'], { more: pages(3, (page) => fail(page + 2)) })
  const later = follow(['mine'], { more: pages(3, fail) })

  assert.deepEqual(
    [await now.text(), await later.text()].map((text) => text.includes('data: {')),
    [false, false],
  )
  assert.deepEqual(
    errors.map((error) => (error as Error).message),
    ['no such room', 'no such room'],
  )
})
