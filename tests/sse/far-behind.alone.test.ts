// Readers that come back from far away are replayed from history, while everyone else goes on.
// NATTER_FULL=1 makes it a million events behind instead of a hundred thousand.

import assert from 'node:assert/strict'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { test } from 'node:test'
import { collect, eventStreamResponse, Hub, type History, type HistoryEvent } from '../../lib/index.ts'

const full = process.env['NATTER_FULL'] !== undefined
const behind = full ? 1_000_000 : 100_000

/** As many events as one likes, without a place that holds them; as quick to read as it could be. */
function generated(count: number): History & { reads: number } {
  return {
    reads: 0,
    has: (id) => id >= 1 && id <= count,
    read(after, limit) {
      this.reads++
      const events: HistoryEvent[] = []
      for (let id = after + 1; id <= count && events.length < limit; id++)
        events.push({ id, topics: ['lobby'], event: 'message', data: { id, text: `message ${id}` } })
      return events
    },
  }
}

/** Follows a hub from a cursor, and counts what comes up to an id without keeping it; throws at a gap. */
async function readTo(hub: Hub, after: number, last: number): Promise<number> {
  const decoder = new TextDecoder()
  let rest = ''
  let expected = after + 1
  for await (const bytes of eventStreamResponse(new Request('http://test/'), hub, ['lobby'], { after }).body!) {
    const frames = (rest + decoder.decode(bytes, { stream: true })).split('\n\n')
    rest = frames.pop()!
    for (const frame of frames) {
      const id = Number(/^event: message\nid: (\d+)\n/.exec(frame)?.[1])
      if (Number.isNaN(id)) continue
      assert.equal(id, expected++)
      if (id === last) return expected - 1 - after
    }
  }
  throw new Error(`the stream ended before ${last}`)
}

/** The same at next to no cost of its own: it looks at the order of what came, and for the last. */
async function skimTo(hub: Hub, after: number, last: number): Promise<void> {
  let before = after
  for await (const bytes of eventStreamResponse(new Request('http://test/'), hub, ['lobby'], { after }).body!) {
    const id = Number(/.*\nid: (\d+)\n/s.exec(Buffer.from(bytes).subarray(-200).toString())?.[1] ?? before)
    assert.ok(id >= before)
    before = id
    if (id === last) return
  }
  throw new Error(`the stream ended before ${last}`)
}

/** The worst of a hundred rounds of the event loop while this runs, and the same with nothing to do before it. */
async function loopDelay(run: () => Promise<unknown>): Promise<{ p99Ms: number; calmMs: number }> {
  const measure = async (work: () => Promise<unknown>) => {
    const delay = monitorEventLoopDelay({ resolution: 1 })
    delay.enable()
    await work()
    delay.disable()
    return delay.percentile(99) / 1e6
  }
  const calmMs = await measure(() => new Promise((resolve) => setTimeout(resolve, 200)))
  return { calmMs, p99Ms: await measure(run) }
}

test('a reader that is very far behind gets everything, while the event loop stays free', async (t) => {
  const history = generated(behind)
  const hub = new Hub({ history, newest: behind })
  t.after(() => hub.close())

  const { p99Ms, calmMs } = await loopDelay(async () => assert.equal(await readTo(hub, 0, behind), behind))

  t.diagnostic(
    `${behind} events, p99 of the event loop ${p99Ms.toFixed(1)} ms, ${calmMs.toFixed(1)} ms with nothing to do`,
  )
  assert.ok(p99Ms < 50 + calmMs * 10, `p99 ${p99Ms} ms, ${calmMs} ms with nothing to do`)
})

test('a hundred readers that are far behind at once are all brought up to date, while the event loop stays free', async (t) => {
  const each = full ? 10_000 : 2_000
  const history = generated(behind)
  const hub = new Hub({ history, newest: behind })
  t.after(() => hub.close())

  const { p99Ms, calmMs } = await loopDelay(async () => {
    await Promise.all(Array.from({ length: 100 }, () => skimTo(hub, behind - each, behind)))
  })

  t.diagnostic(
    `100 readers ${each} behind, p99 of the event loop ${p99Ms.toFixed(1)} ms, ${calmMs.toFixed(1)} ms with nothing to do`,
  )
  assert.ok(p99Ms < 50 + calmMs * 10, `p99 ${p99Ms} ms, ${calmMs} ms with nothing to do`)
})

test('what is published while somebody is replayed from history comes to them once, and in order', async (t) => {
  const history = generated(3_000)
  const hub = new Hub({ history, newest: 3_000, ring: 5_000 })
  t.after(() => hub.close())
  const reading = readTo(hub, 0, 3_500)
  for (let id = 3_001; id <= 3_500; id++) {
    hub.publish('lobby', { id, event: 'message', data: { id, text: 'live' } })
    if (id % 10 === 0) await new Promise(setImmediate)
  }
  assert.equal(await reading, 3_500)
})

test('a filter and the topics hold in history as they do in the ring, and cost nothing but the reading', async (t) => {
  const events: HistoryEvent[] = Array.from({ length: 5_000 }, (_, at) => ({
    id: at + 1,
    topics: [at % 2 === 0 ? 'a' : 'b'],
    data: at + 1,
  }))
  const history: History = { has: () => true, read: async (after, limit) => events.slice(after, after + limit) }
  const hub = new Hub({ history, newest: 5_000 })
  t.after(() => hub.close())
  hub.publish('a', { id: 6_000, data: 6_000 })
  hub.publish('a', { id: 6_001, data: 6_001 })

  const response = eventStreamResponse(new Request('http://test/'), hub, ['a'], {
    after: 10,
    filter: ({ data }) => Number(data) % 1000 === 1,
  })

  assert.deepEqual(
    (await collect(response, 5)).map(({ data }) => Number(data)),
    [1001, 2001, 3001, 4001, 6001],
  )
})

test('a history that fails ends the stream it failed for, says so, and serves the next one', async (t) => {
  const errors: unknown[] = []
  const sound = generated(100)
  let broken = true
  const history: History = {
    has: sound.has,
    read: (after, limit) => {
      if (broken) throw new Error('disk I/O error')
      return sound.read(after, limit)
    },
  }
  const hub = new Hub({ history, newest: 100, onError: (error) => errors.push(error) })
  t.after(() => hub.close())

  await assert.rejects(readTo(hub, 0, 100), /ended before/)
  assert.match(String(errors), /disk I\/O error/)
  broken = false

  assert.equal(await readTo(hub, 0, 100), 100)
})
