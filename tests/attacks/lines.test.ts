// Lines in front of a thread, for searches and for passwords: one address, or one person, that asks without end does not keep others
// from their turn.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createChat } from '../../lib/embed/create-chat.ts'
import type { Party } from '../../lib/store/threads/fair-queue.ts'
import { ReadingThread } from '../../lib/store/search/reading-thread.ts'
import { Database } from '../../lib/store/database.ts'
import { join } from 'node:path'
import { openChat, passwordOf, startChat, temporaryFolder, type ChatServer, type Scope } from '../chat-server.ts'

const proxied = { flags: ['--trust-proxy', 'loopback'] }
const from = (address: string) => ({ 'x-forwarded-for': address })
const attacker = from('203.0.113.66')
const home = from('203.0.113.1')

/** Keeps in which order things are done, and how each comes out; what is refused is not done. */
class Finish {
  readonly order: string[] = []
  refused = 0

  async note(name: string, asked: Promise<unknown>): Promise<string> {
    const outcome = await asked.then(
      (answer) => (answer instanceof Response ? String(answer.status) : 'done'),
      (error: { code?: string }) => error.code ?? String(error),
    )
    if (outcome === 'busy' || outcome === '503' || outcome === '429') this.refused++
    else this.order.push(name)
    return outcome
  }

  /** How many others were done before the first of this name. */
  before(name: string): number {
    return this.order.indexOf(name)
  }
}

async function someThread(t: Scope): Promise<ReadingThread> {
  const file = join(await temporaryFolder(t), 'some.db')
  const writer = Database.openForWriting(file, { durable: false })
  const reader = new ReadingThread(file, assert.fail)
  t.after(async () => {
    await reader.close()
    writer.close()
  })
  return reader
}

const query = () => ({ words: 'hello', rooms: [], open: true, user: undefined, after: 0, before: Infinity, limit: 20 })

const logIn = (chat: ChatServer, name: string, address: Record<string, string>, password = passwordOf(name)) =>
  chat.stranger.send('POST', '/session', { name, password }, address)
const register = (chat: ChatServer, name: string, address: Record<string, string>) =>
  chat.stranger.send('POST', '/users', { name, password: passwordOf(name) }, address)
const times = <Made>(count: number, make: (at: number) => Made) => Array.from({ length: count }, (_, at) => make(at))

test("twelve people of one address with ten searches each: everybody else's are found, and next but one", async (t) => {
  const reader = await someThread(t)
  const finish = new Finish()
  const search = (name: string, party: Party) => finish.note(name, reader.search(party, query))

  const theirs = times(120, (at) => search('theirs', { address: '203.0.113.66', person: 100 + (at % 12) }))
  const others = times(10, (at) => search(`other ${at}`, { address: `203.0.113.${at}`, person: at }))
  const neighbour = search('of the same address', { address: '203.0.113.66', person: 7 })

  assert.deepEqual([...new Set(await Promise.all(others))], ['done'])
  assert.equal(await neighbour, 'done')
  // The one that was under way, and one more turn of that address.
  for (const at of Array(10).keys())
    assert.ok(finish.before(`other ${at}`) <= 12, `other ${at}: ${finish.before(`other ${at}`)}`)
  const refused = (await Promise.all(theirs)).filter((outcome) => outcome !== 'done')
  assert.deepEqual([refused.length, ...new Set(refused)], [30, 'busy'])
})

test('people who have no name share with those of their address alone, and callers of functions each have a share', async (t) => {
  const reader = await someThread(t)
  const search = (party: Party) =>
    reader.search(party, query).then(
      () => 'done',
      (error: { code: string }) => error.code,
    )

  const nobody = times(30, () => search({ address: '203.0.113.66', person: 0 }))
  const others = times(10, (at) => search({ address: `203.0.113.${at}`, person: 0 }))
  const busyHost = times(10, () => search({ person: 1 }))
  const callers = times(40, (at) => search({ person: 2 + at }))

  assert.equal((await Promise.all(nobody)).filter((outcome) => outcome === 'too_many').length, 20)
  for (const outcomes of [others, busyHost, callers])
    assert.deepEqual([...new Set(await Promise.all(outcomes))], ['done'])
})

test('a search is in the line as whoever asks, from where they ask', async (t) => {
  const parties: Party[] = []
  const { search } = ReadingThread.prototype
  t.after(() => (ReadingThread.prototype.search = search))
  ReadingThread.prototype.search = function (party, asked) {
    parties.push(party)
    return search.call(this, party, asked)
  }
  const chat = await openChat(t, proxied)
  const ada = await chat.comeIn('ada')
  const mounted = await createChat({ data: ':memory:' })
  t.after(() => mounted.close())

  for (const [person, address] of [
    [ada, home],
    [chat.stranger, home],
    [chat.claiming('una'), attacker],
    [ada, {}],
    [chat.stranger, {}],
  ] as const) {
    assert.equal((await person.fetch('/search?q=hello', { headers: address })).status, 200)
  }
  await mounted.search(null, { q: 'hello' })
  await mounted.search({ id: '1', name: 'bob' }, { q: 'hello' })

  assert.deepEqual(
    parties.map(({ address, person }) => `${address} ${person === 0 ? 'nobody' : 'somebody'}`),
    [
      '203.0.113.1 somebody',
      '203.0.113.1 nobody',
      '203.0.113.66 nobody',
      'undefined somebody',
      'undefined nobody',
      'undefined nobody',
      'undefined somebody',
    ],
  )
})

test('an address that makes accounts and guesses passwords without end holds up nobody who logs in elsewhere', async (t) => {
  const chat = await startChat(t, proxied)
  await chat.account('ada')
  const finish = new Finish()
  const theirs = [
    ...times(70, (at) => finish.note('theirs', register(chat, `made ${at}`, attacker))),
    ...times(10, (at) => finish.note('theirs', logIn(chat, `guessed ${at}`, attacker))),
  ]
  // All of these are in the line, or refused, before anybody else asks.
  await Promise.race(theirs)

  const others = await Promise.all([
    finish.note('ada', logIn(chat, 'ada', home)),
    finish.note('bob', register(chat, 'bob', from('203.0.113.2'))),
  ])

  assert.deepEqual(others, ['201', '201'])
  assert.ok(finish.order.length < 15, `${finish.order}`)
  assert.ok(theirs.length - finish.refused > 50, 'the line was full')
})

test('where no address is known, strangers who make accounts and guesses at one account each have one share', async (t) => {
  const chat = await startChat(t)
  await chat.account('ada')
  const finish = new Finish()
  const theirs = [
    ...times(70, (at) => finish.note('theirs', register(chat, `made ${at}`, {}))),
    ...times(9, () => finish.note('theirs', logIn(chat, 'bob', {}, 'a guess'))),
    ...times(9, () => finish.note('theirs', logIn(chat, 'nobody', {}, 'a guess'))),
  ]
  await Promise.race(theirs)

  assert.equal(await finish.note('ada', logIn(chat, 'ada', {})), '201')

  assert.ok(finish.order.length < 25, `${finish.order}`)
  assert.ok(theirs.length - finish.refused > 50, 'the line was full')
})

test('a class of thirty and its teacher makes its accounts at once, and searches at once, and nobody of them is refused', async (t) => {
  const chat = await startChat(t, proxied)

  const made = await Promise.all(times(31, (at) => register(chat, `pupil ${at}`, home)))

  assert.deepEqual([...new Set(made.map(({ status }) => status))], [201])
  const found = await Promise.all(
    made.flatMap((answer) =>
      times(3, () =>
        chat.fetch('/search?q=pupil', {
          headers: { cookie: answer.headers.getSetCookie()[0]!.split(';')[0]!, ...home },
        }),
      ),
    ),
  )
  assert.deepEqual([...new Set(found.map(({ status }) => status))], [200])
})
