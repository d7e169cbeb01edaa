// The log on one box, with its real writing thread and the chat's rules: commit, tell, answer.

import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import type { LoggedEvent, NewEvent, Outcome } from '../../lib/store/log/event-log.ts'
import { LocalLog } from '../../lib/store/log/local-log.ts'
import { keyedHash } from '../../lib/store/tables/keyed-hash.ts'
import { temporaryFolder } from '../chat-server.ts'
import { property } from '../random.ts'

const realWriter = new URL('../../lib/chat/rules/writer.ts', import.meta.url)
const faultyWriter = new URL('writer-with-faults.ts', import.meta.url)

async function open(t: TestContext, { folder = ':memory:', writer = realWriter } = {}) {
  const told: LoggedEvent[] = []
  const reports: string[] = []
  const log = await LocalLog.open({ folder, writer, report: (line) => reports.push(line) })
  t.after(() => log.close().catch(() => {}))
  log.tail((events) => told.push(...events))
  return { log, told, reports }
}

const secret = 'a secret'
const room = (slug: string): NewEvent => ({
  type: 'room',
  rules: 3,
  facts: { slug, kind: 'open' },
  body: { name: slug },
})
const user = (name: string): NewEvent => ({
  type: 'user',
  rules: 3,
  facts: { folded: keyedHash(secret, name), kind: 'guest', role: 'guest', session: `hash of ${name}` },
  body: { name },
})

function idOf(outcome: Outcome | undefined): number {
  assert.ok(outcome && 'id' in outcome, JSON.stringify(outcome))
  return outcome.id
}

function codeOf(outcome: Outcome | undefined): string {
  assert.ok(outcome && 'refused' in outcome, JSON.stringify(outcome))
  return outcome.refused.code
}

async function begin(log: LocalLog) {
  const [, lobby, ada] = (
    await log.append([{ type: 'log', rules: 3, facts: { id: 'abc', secret } }, room('lobby'), user('ada')])
  ).map(idOf) as [number, number, number]
  const say = (text: string, more: Partial<NewEvent> = {}): NewEvent => ({
    type: 'message',
    rules: 3,
    user: ada,
    room: lobby,
    body: { text },
    ...more,
  })
  return { lobby, ada, say }
}

test('who appends is answered when the event is on disk and was told to the listener, in this order', async (t) => {
  const { log, told } = await open(t, { folder: await temporaryFolder(t) })
  const { say } = await begin(log)
  const toldAtAnswer: number[] = []
  const answers = Array.from({ length: 20 }, async (_, at) => {
    const id = idOf((await log.append([say(`${at}`)]))[0])
    assert.ok(log.database.event(id))
    assert.equal(told.find((event) => event.id === id)?.text, `${at}`)
    toldAtAnswer.push(told.length)
  })
  log.tail((events) => {
    // Committed before it is told.
    for (const { id } of events) assert.ok(log.database.event(id))
    told.push(...events)
  })
  await Promise.all(answers)
  assert.equal(toldAtAnswer.length, 20)
  assert.equal(log.newest, told.at(-1)!.id)
})

test('what is appended in one tick is one group, and keeps its order', async (t) => {
  const { log } = await open(t)
  const { say } = await begin(log)
  const groups: string[][] = []
  log.tail((events) => groups.push(events.map(({ text }) => text!)))

  await Promise.all([log.append([say('1'), say('2')]), log.append([say('3')]), log.append([]), log.append([say('4')])])

  assert.deepEqual(groups, [['1', '2', '3', '4']])
})

test('a refusal stands beside what was accepted in the same group, and leaves nothing', async (t) => {
  const { log, told } = await open(t)
  const { lobby, ada, say } = await begin(log)
  const before = told.length

  const [one, two, three] = await Promise.all([
    log.append([say('first')]),
    log.append([
      room('lobby'),
      user('ada'),
      say('nowhere', { room: 12345 }),
      say('to nothing', { target: lobby }),
      { type: 'leave', rules: 3, user: ada, room: lobby },
    ]),
    log.append([
      say('second'),
      { type: 'join', rules: 3, user: ada, room: lobby },
      { type: 'join', rules: 3, user: ada, room: lobby },
    ]),
  ])

  assert.deepEqual(two.map(codeOf), ['room_exists', 'name_taken', 'not_found', 'not_found', 'not_member'])
  assert.equal(codeOf(three[2]), 'already_member')
  assert.deepEqual(
    told.slice(before).map(({ id }) => id),
    [one[0], three[0], three[1]].map(idOf),
  )
})

test('an event that throws takes none of its group with it', async (t) => {
  const { log, told } = await open(t)
  const { say } = await begin(log)
  const before = told.length
  for (const bad of [
    { type: 'user', rules: 3 }, // no facts: a TypeError of ours
    say('half a user', { user: 1.5 }), // a value that the table does not take
    { ...user('eve'), facts: { ...user('eve').facts, session: 'hash of ada' } }, // a session that there is already
  ] satisfies NewEvent[]) {
    const [first, broken, last] = await Promise.all([
      log.append([say('before')]),
      log.append([bad]),
      log.append([say('after')]),
    ])
    assert.equal(codeOf(broken[0]), 'storage_failed', JSON.stringify(bad))
    assert.ok(idOf(first[0]) < idOf(last[0]))
  }
  assert.deepEqual(
    told.slice(before).map(({ text }) => text),
    Array(3).fill(['before', 'after']).flat(),
  )
  const [alone] = await Promise.allSettled([log.append([{ type: 'user', rules: 3 }])])
  assert.ok(alone.status === 'rejected' || codeOf(alone.value[0]) === 'storage_failed')
  idOf((await log.append([say('still writing')]))[0])
})

test('what was stored before the disk was full is told, also where a mistake had its group stored one by one', async (t) => {
  const { log, told } = await open(t, { writer: faultyWriter })
  const { say } = await begin(log)
  const before = told.length

  const [stored, mistaken, refused] = await Promise.all(
    ['one', 'a mistake', 'a full disk'].map((text) => log.append([say(text)])),
  )
  const [next] = await log.append([say('two')])

  assert.equal(codeOf(mistaken![0]), 'storage_failed')
  assert.equal(codeOf(refused![0]), 'storage_full')
  assert.ok(idOf(stored![0]) < idOf(next))
  assert.deepEqual(
    told.slice(before).map(({ text }) => text),
    ['one', 'two'],
  )
})

test('the same key again is the same event, in one group and over a restart; with another print it is refused', async (t) => {
  const folder = await temporaryFolder(t)
  const first = await open(t, { folder })
  const { ada, say } = await begin(first.log)
  const keyed = say('once', { key: 'k', print: 'p' })
  const outcomes = await first.log.append([keyed, keyed, { ...keyed, print: 'q' }])
  const id = idOf(outcomes[0])
  assert.deepEqual(outcomes[1], { id, repeated: true })
  assert.equal(codeOf(outcomes[2]), 'key_reused')
  await first.log.close()

  const second = await open(t, { folder })
  assert.deepEqual(await second.log.append([keyed]), [{ id, repeated: true }])
  assert.equal(second.told.length, 0)
  assert.equal(second.log.database.eventByKey(ada, 'k')?.id, id)
})

test('what was appended before the end is committed, what comes after is refused', async (t) => {
  const folder = await temporaryFolder(t)
  const { log } = await open(t, { folder })
  const { say } = await begin(log)
  const answers = Array.from({ length: 50 }, (_, at) => log.append([say(`${at}`)]))
  const closing = log.close()
  await assert.rejects(log.append([say('late')]), { code: 'stopping' })
  const ids = (await Promise.all(answers)).map(([outcome]) => idOf(outcome))
  await closing

  const again = await open(t, { folder })
  for (const id of ids) assert.ok(again.log.database.event(id))
  assert.equal(again.log.newest, ids.at(-1))
})

test('more than can wait for the disk is refused at once, and the rest is stored', async (t) => {
  const { log } = await open(t)
  const { say } = await begin(log)
  const answers = await Promise.allSettled(Array.from({ length: 12 }, () => log.append(Array(1000).fill(say('x')))))
  const stored = answers.filter(({ status }) => status === 'fulfilled').length
  assert.equal(stored, 10)
  for (const answer of answers) if (answer.status === 'rejected') assert.equal(answer.reason.code, 'busy')
  idOf((await log.append([say('room again')]))[0])
})

for (const death of ['a sudden end', 'an error that nobody catches']) {
  test(`a writing thread that dies of ${death} is reported once, and nothing waits for it`, async (t) => {
    const { log, reports } = await open(t, { writer: faultyWriter })
    const { say } = await begin(log)

    await Promise.allSettled([log.append([say(death)])])
    while (reports.length === 0) await new Promise((resolve) => setImmediate(resolve))

    await assert.rejects(log.append([say('later')]), { code: 'storage_failed', message: /can no longer write/ })
    assert.equal(reports.length, 1)
    assert.match(reports[0]!, /^the writing thread died: (it ended$|Error: nobody catches this\n)/)
    await log.close()
  })
}

property('ids increase, whatever the clock does and however often it starts again', async (random, t) => {
  const folder = await temporaryFolder(t)
  const now = Date.now()
  let newest = 0
  const all: number[] = []
  for (let life = 0; life < 6; life++) {
    const jump = () => random.pick([0, 0, 1, -1, 3600e3, -3600e3, 365 * 24 * 3600e3, -365 * 24 * 3600e3, -now])
    // A thread gets the environment as it is when it begins.
    process.env['TEST_CLOCK'] = String(Array.from({ length: 30 }, () => now + jump()))
    const { log, told } = await open(t, { folder, writer: new URL('writer-with-clock.ts', import.meta.url) })
    assert.equal(log.newest, newest)
    if (life === 0) await begin(log)
    const { id: ada } = log.database.people.nameHolder('ada')!
    const { id: lobby } = log.database.rooms.roomBySlug('lobby')!
    for (let group = 0; group < 5; group++) {
      await log.append(
        random.times(6, () =>
          random.pick<NewEvent>([
            { type: 'message', rules: 3, user: ada, room: lobby, body: { text: 'x' } },
            room('lobby'),
          ]),
        ),
      )
    }
    for (const { id } of told) {
      assert.ok(id > newest, `${id} after ${newest}`)
      all.push((newest = id))
    }
    assert.equal(log.newest, newest)
    await log.close()
  }
  assert.equal(new Set(all).size, all.length)
  assert.ok(all.length > 20)
})
