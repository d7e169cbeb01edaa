// How the hub of the page's one stream deals with its tabs: played through with a stream, tabs and a clock of the test's own.

import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'

interface Entry {
  event: string
  id: number
  signal?: true
}

interface Batch {
  talk: number
  state: string
  cursor: number
  entries: Entry[]
  reset: boolean
  refused: boolean
}

/** In the place of the browser's. */
class FakeEventSource {
  static readonly CLOSED = 2
  static opened: FakeEventSource[] = []
  readonly url: string
  readyState = 1
  #listeners = new Map<string, (event: object) => void>()
  #lastEventId = ''

  constructor(url: string) {
    this.url = url
    FakeEventSource.opened.push(this)
  }

  addEventListener(type: string, listener: (event: object) => void): void {
    this.#listeners.set(type, listener)
  }

  close(): void {
    this.readyState = FakeEventSource.CLOSED
  }

  /** As if that had come over the wire; without an id the last one stands, as in a browser. */
  bring(type: string, id?: number, data: object = {}): void {
    if (id !== undefined) this.#lastEventId = String(id)
    this.#listeners.get(type)?.({ type, data: JSON.stringify(data), lastEventId: this.#lastEventId })
  }
}

Object.assign(globalThis, { EventSource: FakeEventSource })
const { StreamHub } = (await import(new URL('../../static/stream/stream-hub.js', import.meta.url).href)) as {
  StreamHub: new (url: string) => { connect: (port: object) => void }
}

function startHub(t: TestContext) {
  t.mock.timers.enable({ apis: ['setInterval', 'setTimeout', 'Date'], now: 1_000_000 })
  FakeEventSource.opened = []
  const hub = new StreamHub('/events')
  return {
    /** The stream that is open, or was last. */
    get stream() {
      return FakeEventSource.opened.at(-1)!
    },
    get opened() {
      return FakeEventSource.opened.length
    },
    /** A tab, and the batches that it was sent. */
    openTab(cursor: number, who?: string) {
      const sent: Batch[] = []
      const port = {
        onmessage: (_: { data: object }) => {},
        postMessage: (batch: Batch) => void sent.push(structuredClone(batch)),
      }
      hub.connect(port)
      let talk = 0
      const say = (said: object) => port.onmessage({ data: { talk, ...said } })
      const begin = (cursor: number) => {
        talk++
        say({ say: 'begin', cursor, who })
      }
      begin(cursor)
      return {
        sent,
        say,
        begin,
        take: () => say({ say: 'taken' }),
        ids: () => sent.flatMap(({ entries }) => entries.filter(({ signal }) => !signal).map(({ id }) => id)),
      }
    },
  }
}

test('a tab has one batch under way, and what comes meanwhile is in the next', (t) => {
  const hub = startHub(t)
  const tab = hub.openTab(100)
  assert.equal(tab.sent.length, 1)

  for (const id of [101, 102, 102, 101, 103]) hub.stream.bring('message', id)
  assert.equal(tab.sent.length, 1)
  tab.take()
  assert.equal(tab.sent.length, 2)
  tab.take()

  assert.deepEqual(tab.ids(), [101, 102, 103])
  assert.equal(tab.sent.at(-1)!.cursor, 103)
  assert.equal(tab.sent.length, 2)
})

test('a tab that joins gets what comes after its own cursor: from the ring, or later if the stream is behind that, or a reset', (t) => {
  const hub = startHub(t)
  const first = hub.openTab(100)
  first.take()
  for (const id of [101, 102, 103]) hub.stream.bring('message', id)

  const [behind, ahead, lost] = [hub.openTab(101), hub.openTab(104), hub.openTab(99)]
  for (const tab of [behind, ahead, lost]) tab.take()
  for (const id of [104, 105]) hub.stream.bring('message', id)
  for (const tab of [behind, ahead, lost]) tab.take()
  for (const tab of [behind, ahead, lost]) tab.take()

  assert.deepEqual(behind.ids(), [102, 103, 104, 105])
  assert.deepEqual(ahead.ids(), [105])
  assert.deepEqual([lost.sent[0]!.reset, lost.sent[0]!.cursor, lost.ids()], [true, 103, [104, 105]])
  assert.equal(hub.opened, 1)
})

test('who is further behind than the ring gets a reset and goes on from there, the others do not', (t) => {
  const hub = startHub(t)
  const [slow, quick] = [hub.openTab(0), hub.openTab(0)]
  for (let id = 1; id <= 1001; id++) {
    hub.stream.bring('message', id)
    quick.take()
  }

  slow.take()
  slow.take()
  hub.stream.bring('message', 1002)
  quick.take()
  quick.take()

  assert.deepEqual([slow.sent[1]!.reset, slow.sent[1]!.cursor, slow.ids()], [true, 1001, [1002]])
  assert.equal(
    quick.sent.some(({ reset }) => reset),
    false,
  )
  assert.deepEqual(
    quick.ids(),
    Array.from({ length: 1002 }, (_, at) => at + 1),
  )
})

test('a reset by the server is one for every tab, also to an older cursor', (t) => {
  const hub = startHub(t)
  const tabs = [hub.openTab(100), hub.openTab(500)]
  for (const tab of tabs) tab.take()

  hub.stream.bring('reset', 50, { reason: 'unknown_cursor', cursor: '50' })
  for (const tab of tabs) tab.take()
  hub.stream.bring('message', 51)

  for (const tab of tabs) {
    assert.deepEqual(tab.sent.map(({ reset, cursor }) => [reset, cursor]).slice(1), [
      [true, 50],
      [false, 51],
    ])
    assert.deepEqual(tab.ids(), [51])
  }
})

test('a signal moves no cursor, keeps its place among the events, and is dropped for who is behind or takes too long', (t) => {
  const hub = startHub(t)
  const tab = hub.openTab(100)
  hub.stream.bring('typing') // while the first batch is under way
  hub.stream.bring('message', 101)
  hub.stream.bring('presence')
  tab.take()
  assert.deepEqual(
    tab.sent[1]!.entries.map(({ event }) => event),
    ['typing', 'message', 'presence'],
  )
  assert.equal(tab.sent[1]!.cursor, 101)

  hub.stream.bring('typing')
  t.mock.timers.tick(2_001)
  tab.take()
  assert.equal(tab.sent.length, 2)

  for (let id = 102; id <= 320; id++) hub.stream.bring('message', id)
  hub.stream.bring('read')
  tab.take() // the first of them alone
  assert.equal(tab.sent.at(-1)!.entries.length, 200)
  tab.take()
  assert.deepEqual([tab.sent.at(-1)!.cursor, tab.sent.at(-1)!.entries.some(({ signal }) => signal)], [320, false])
})

test('a tab that does not answer is forgotten after a minute, and has all of it when it wakes up', (t) => {
  const hub = startHub(t)
  const [asleep, awake] = [hub.openTab(100), hub.openTab(100)]
  const passAMinute = () => {
    for (let seconds = 0; seconds < 65; seconds += 5) {
      t.mock.timers.tick(5_000)
      hub.stream.bring('ping', 100)
      awake.take()
    }
  }
  awake.take()
  passAMinute()
  assert.equal(asleep.sent.length, 1)
  assert.ok(awake.sent.length >= 4, 'who answers hears something every 20 s')
  hub.stream.bring('message', 101)
  asleep.take()
  asleep.take()
  assert.deepEqual(asleep.ids(), [101])

  // Without anybody there is no stream; the first that wakes up has it opened from where it was.
  awake.say({ say: 'leave' })
  hub.stream.bring('message', 102)
  const before = hub.opened
  for (let seconds = 0; seconds < 70; seconds += 5) {
    t.mock.timers.tick(5_000)
    hub.stream.bring('ping', 102)
  }
  assert.equal(hub.stream.readyState, FakeEventSource.CLOSED)
  asleep.take()
  assert.equal(hub.opened, before + 1)
  assert.equal(hub.stream.url, '/events?since=102')
})

test('a stream that brings nothing for two and a half pings is given up, and goes on from where it was', (t) => {
  const hub = startHub(t)
  hub.openTab(100).take()
  hub.stream.bring('message', 101)

  t.mock.timers.tick(60_000)
  assert.equal(hub.opened, 1)
  t.mock.timers.tick(5_000)

  assert.equal(hub.opened, 2)
  assert.equal(hub.stream.url, '/events?since=101')
})

test('after an answer that is no stream it is opened again within 1 to 30 s, by chance, and every tab is told', (t) => {
  const hub = startHub(t)
  const tab = hub.openTab(100)
  const waits: number[] = []
  for (let tries = 0; tries < 12; tries++) {
    const refused = hub.stream
    refused.readyState = FakeEventSource.CLOSED
    refused.bring('error')
    tab.take()
    let waited = 0
    for (; hub.stream === refused && waited <= 31_000; waited += 100) t.mock.timers.tick(100)
    waits.push(waited)
  }

  assert.ok(
    waits.every((ms) => ms >= 1_000 && ms <= 30_100),
    waits.join(),
  )
  assert.ok(new Set(waits).size > 6, waits.join())
  assert.ok(
    waits.slice(0, 1).every((ms) => ms <= 4_100),
    waits.join(),
  )
  assert.ok(tab.sent.some(({ refused }) => refused))
})
