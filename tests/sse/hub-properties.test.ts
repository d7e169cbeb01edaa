// Whatever is published, followed, cut off, joined, left and started again, in whatever order and however slowly a reader
// reads: what it has got of each topic is a run without a gap or a repeat, which starts behind its cursor or its join.

import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import type { TestContext } from 'node:test'
import { Hub } from '../../lib/sse/hub.ts'
import type { ServerSentEventsStream } from '../../lib/sse/server-sent-events-stream.ts'
import { EventStreamParser } from '../event-stream-parser.ts'
import { property, type Random } from '../random.ts'
import { RawConnection } from '../raw-connection.ts'
import { ListHistory } from './list-history.ts'
import { serveStreams, turn, type Served } from './serve.ts'

const topics = ['a', 'b', 'c', 'd', 'e'] as const
const padding = 'x'.repeat(20_000)

// One reader, who comes back with its cursor whenever it was cut off, as a browser does.
class Reader {
  /** Each topic, the id after which it has to get its events, and the id after which it need not. */
  readonly wanted = new Map<string, { after: number; until: number }>()
  /** What it got, of all its connections. */
  readonly got: { id: number; data: string }[] = []
  /** Its last event id, of all its connections. */
  cursor: string
  #connection: RawConnection | undefined
  stream: ServerSentEventsStream | undefined
  #read = 0
  #parser = new EventStreamParser()

  constructor(cursor: number, followed: readonly string[]) {
    this.cursor = String(cursor)
    for (const topic of followed) this.wanted.set(topic, { after: cursor, until: Infinity })
  }

  get following(): string[] {
    return [...this.wanted].filter(([, { until }]) => until === Infinity).map(([topic]) => topic)
  }

  get open(): boolean {
    return this.stream?.open === true
  }

  async connect(served: Served, hub: Hub): Promise<void> {
    this.#connection = new RawConnection(served.url)
    this.#parser = new EventStreamParser()
    this.#read = 0
    this.#connection.send(`GET / HTTP/1.1\r\nHost: localhost\r\nLast-Event-ID: ${this.cursor}\r\n\r\n`)
    const { stream } = await served.next()
    this.stream = stream
    hub.follow(stream, this.following)
  }

  pause(): void {
    this.#connection?.socket.pause()
  }

  resume(): void {
    this.#connection?.socket.resume()
  }

  /** Takes what came, and sees that no id goes back. */
  take(): void {
    if (!this.#connection?.bytes.includes('\r\n\r\n')) return
    const { body } = this.#connection.answer()
    for (const { event, id, data } of this.#parser.push(body.subarray(this.#read))) {
      assert.notEqual(event, 'reset', 'a reset where everything is known')
      if (event === 'message') {
        assert.ok(Number(id) > (this.got.at(-1)?.id ?? 0), `${id} after ${this.got.at(-1)?.id}`)
        this.got.push({ id: Number(id), data })
      }
      assert.ok(Number(id) >= Number(this.cursor), `the cursor went from ${this.cursor} back to ${id}`)
      this.cursor = id
    }
    this.#read = body.length
  }

  /** The connection breaks, wherever it is just now. */
  async cut(): Promise<void> {
    if (!this.#connection) return
    this.#connection.leave()
    this.take()
    await this.stream?.closed
    // What was joined while it was connected is asked for anew, from the cursor on; what it has seen of it is behind that.
    this.#connection = this.stream = undefined
  }

  check(history: ListHistory): void {
    const got = new Map(this.got.map((event) => [event.id, event.data]))
    for (const { id, data } of this.got) {
      const sent = history.events.find((event) => event.id === id)
      assert.equal(data, sent?.data, `${id} is not what was sent`)
      const mine = sent!.topics.some(
        (topic) => id > (this.wanted.get(topic)?.after ?? Infinity) && id <= this.wanted.get(topic)!.until,
      )
      assert.ok(mine, `${id} of ${sent!.topics} is none of theirs`)
    }
    const due = history.events.filter(({ id, topics }) =>
      topics.some(
        (topic) => id > (this.wanted.get(topic)?.after ?? Infinity) && this.wanted.get(topic)!.until === Infinity,
      ),
    )
    for (const { id, topics } of due)
      assert.ok(
        got.has(id),
        `${id} of ${topics} is missing; cursor ${this.cursor}, following ${[...this.wanted].map(([topic, { after }]) => `${topic} after ${after}`)}`,
      )
    // Where a topic was left while they were behind they got the first of it and not the rest, without a gap.
    for (const [topic, { after, until }] of this.wanted) {
      if (until === Infinity) continue
      const ofTopic = history.events.filter(
        (event) => event.topics.length === 1 && event.topics[0] === topic && event.id > after && event.id <= until,
      )
      const firstMissing = ofTopic.findIndex(({ id }) => !got.has(id))
      if (firstMissing >= 0)
        for (const { id } of ofTopic.slice(firstMissing)) assert.ok(!got.has(id), `a gap in ${topic} before ${id}`)
    }
  }
}

async function live(random: Random, t: TestContext): Promise<void> {
  const served = await serveStreams(t)
  const history = new ListHistory()
  if (random.chance(0.7)) history.delayMs = () => random.below(5)
  const ring = random.pick([1, 2, 10, 100])
  const start = () =>
    new Hub({ ring, history, newest: history.events.at(-1)?.id ?? 0, onError: (error) => assert.fail(String(error)) })
  let hub = start()
  const publish = () => {
    const to = random.some(topics)
    const data = `${history.events.length}${random.chance(0.3) ? padding : ''}`
    if (to.length === 0) {
      const id = Math.max(hub.newest + 1, Date.now() * 1000)
      hub.advance(id)
      history.events.push({ id, topics: [] })
    } else {
      history.events.push({ id: hub.publish(to, { data }), topics: to, data })
    }
  }
  publish()
  const readers: Reader[] = []

  const steps: Record<string, () => Promise<void> | void> = {
    publish,
    publishAgain: publish,
    publishMany: () => {
      for (let count = random.below(50); count > 0; count--) publish()
    },
    flush: () => hub.flush(),
    turn,
    wait: () => sleep(random.below(5)),
    signal: () => hub.signal(random.some(topics), { event: 'typing' }),
    come: async () => {
      if (readers.length >= 8) return
      const reader = new Reader(random.pick(history.events).id, random.some(topics))
      readers.push(reader)
      await reader.connect(served, hub)
    },
    comeBack: async () => {
      for (const reader of readers) if (!reader.stream) await reader.connect(served, hub)
    },
    cut: async () => {
      const reader = readers[random.below(readers.length)]
      // What it has joined counts from its join on only for this stream: whoever comes back is shown all after the cursor.
      if (
        !reader ||
        [...reader.wanted.values()].some(({ after, until }) => until === Infinity && after > Number(reader.cursor))
      )
        return
      await reader.cut()
    },
    pause: () => readers[random.below(readers.length)]?.pause(),
    resume: () => {
      for (const reader of random.some(readers)) reader.resume()
    },
    take: () => {
      for (const reader of readers) reader.take()
    },
    join: () => {
      const reader = readers[random.below(readers.length)]
      const topic = random.pick(topics)
      if (!reader?.open || reader.wanted.has(topic)) return
      hub.follow(reader.stream!, [topic])
      reader.wanted.set(topic, { after: hub.newest, until: Infinity })
    },
    leave: () => {
      const reader = readers[random.below(readers.length)]
      const topic = reader && reader.following[0]
      if (!topic || !reader.open) return
      reader.wanted.get(topic)!.until = hub.newest
      hub.unfollow(reader.stream!, [topic])
    },
    restart: async () => {
      if (
        random.chance(0.7) ||
        readers.some((reader) =>
          [...reader.wanted.values()].some(({ after, until }) => until === Infinity && after > Number(reader.cursor)),
        )
      )
        return
      for (const reader of readers) await reader.cut()
      await hub.close()
      hub = start()
    },
  }
  for (let count = random.between(50, 150); count > 0; count--) await steps[random.pick(Object.keys(steps))]!()

  await steps['comeBack']!()
  for (const reader of readers) if (reader.open) hub.follow(reader.stream!, ['end'])
  history.events.push({ id: hub.publish('end', { event: 'end' }), topics: ['end'], event: 'end' })
  for (const reader of readers) {
    reader.resume()
    while (Number(reader.cursor) < hub.newest) {
      assert.ok(reader.open, 'the stream is over')
      await sleep(1)
      reader.take()
    }
    reader.check(history)
  }
  for (const reader of readers) await reader.cut()
  await hub.close()
}

property('each reader gets, topic by topic, a run without a gap or a repeat', async (random, t) => {
  const until = performance.now() + 3000
  let rounds = 0
  for (; rounds < 40 && performance.now() < until; rounds++) await live(random, t)
  assert.ok(rounds > 0)
})
