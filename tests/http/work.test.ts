// How much work the server does, counted and not timed: so it is the same on a busy machine, and a cost that creeps in turns this
// red. A figure here is what it takes now. One that gets smaller is to be made smaller here too; one that has to grow wants a reason.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startChat, type ChatServer, type Listener, type Person, type Scope } from '../chat-server.ts'
import { RawConnection } from '../raw-connection.ts'
import type { Statements, Work } from './work-counter.ts'

const counter = new URL('work-counter.ts', import.meta.url).href

/** A server whose work is counted, and somebody who has said something in its lobby: what the first time takes is no part of it. */
async function startCounted(t: Scope): Promise<{ chat: ChatServer; ada: Person }> {
  const chat = await startChat(t, { execArgv: ['--import', counter] })
  const ada = await chat.comeIn('ada')
  await ada.say('lobby', 'the first')
  return { chat, ada }
}

/** What was done since the last time. With `hold` the disk hears of the next posts only when so many of them wait for it. */
async function workOf(chat: ChatServer, { hold = 0 } = {}): Promise<Work> {
  return (await (await chat.fetch(`/work?hold=${hold}`)).json()) as Work
}

/** Readers without a name, who are up to date. */
async function open(chat: ChatServer, count: number): Promise<Listener[]> {
  const readers = await Promise.all(Array.from({ length: count }, () => chat.stranger.listen()))
  for (const reader of readers) await reader.next('ping')
  return readers
}

async function sayAtOnce(person: Person, count: number): Promise<void> {
  await Promise.all(Array.from({ length: count }, (_, at) => person.say('lobby', `at once ${at}`)))
}

function count(statements: Statements): number {
  return Object.values(statements).reduce((sum, times) => sum + times, 0)
}

function assertStatements(statements: Statements, expected: number, what: string): void {
  const all = Object.entries(statements)
    .map(([sql, times]) => `${times} × ${sql.replaceAll(/\s+/g, ' ').slice(0, 150)}`)
    .join('\n')
  assert.equal(count(statements), expected, `${what}:\n${all}`)
}

test('a message is one write a reader, of the same bytes for all', async (t) => {
  const { chat, ada } = await startCounted(t)
  const readers = await open(chat, 20)
  await workOf(chat)

  await ada.say('lobby', 'one')
  for (const reader of readers) await reader.next('message')

  const { writes, buffers } = await workOf(chat)
  assert.deepEqual({ writes, buffers }, { writes: 20, buffers: 1 })
})

test('messages that are stored together leave in one write a reader', async (t) => {
  const { chat, ada } = await startCounted(t)
  const readers = await open(chat, 20)
  await workOf(chat, { hold: 48 })

  await sayAtOnce(ada, 48)
  for (const reader of readers) await reader.texts(48)

  const { writes, buffers, frames, encoded, written } = await workOf(chat)
  const commits = written['commit']!
  // What came in the first one's tick, and all that came while it was under way: not a commit a message.
  assert.ok(commits === 1 || commits === 2, `${commits} commits`)
  assert.deepEqual(
    { writes, buffers, frames, encoded },
    { writes: 20 * commits, buffers: commits, frames: 48, encoded: commits },
  )
})

test('what a message takes to encode does not grow with its readers', async (t) => {
  const { chat, ada } = await startCounted(t)
  const encodings = async () => {
    await workOf(chat)
    const { id } = await ada.say('lobby', 'hello')
    for (const reader of readers) while ((await reader.next('message')).id !== id);
    const { frames, encoded, stringified } = await workOf(chat)
    return { frames, encoded, stringified }
  }
  const readers = await open(chat, 10)
  const forTen = await encodings()
  readers.push(...(await open(chat, 190)))

  // To JSON: the frame and the answer.
  assert.deepEqual(forTen, { frames: 1, encoded: 1, stringified: 2 })
  assert.deepEqual(await encodings(), forTen)
})

test('what a signal takes to encode does not grow with its readers', async (t) => {
  const { chat, ada } = await startCounted(t)
  const bob = await chat.comeIn('bob')
  const encodings = async (person: Person) => {
    await workOf(chat)
    await person.ask('POST', '/rooms/lobby/typing')
    for (const reader of readers) await reader.next('typing')
    const { encoded, stringified } = await workOf(chat)
    return { encoded, stringified }
  }
  const readers = await open(chat, 10)
  const forTen = await encodings(ada)
  readers.push(...(await open(chat, 190)))

  assert.deepEqual(forTen, { encoded: 1, stringified: 1 })
  assert.deepEqual(await encodings(bob), forTen)
})

test('lines are made once for all who asked for lines', async (t) => {
  const { chat, ada } = await startCounted(t)
  const readers = Array.from({ length: 20 }, () => new RawConnection(chat.url))
  t.after(() => readers.forEach((reader) => reader.leave()))
  for (const reader of readers)
    reader.send('GET /events HTTP/1.1\r\nHost: localhost\r\nAccept: application/x-ndjson\r\n\r\n')
  for (const reader of readers) assert.ok(await reader.until((text) => text.includes('"event":"ping"')))
  await workOf(chat)

  await ada.say('lobby', 'one')
  for (const reader of readers) assert.ok(await reader.until((text) => text.includes('"event":"message"')))

  const { frames, lines, writes, buffers } = await workOf(chat)
  assert.deepEqual({ frames, lines, writes, buffers }, { frames: 1, lines: 1, writes: 20, buffers: 1 })
})

test('a post takes so many statements, and one commit for all that came while the disk was busy', async (t) => {
  const { chat } = await startCounted(t)
  const [connections, pipelined] = [32, 16]
  const cookie = (await chat.comeIn('bob')).headers['cookie']!
  let key = 0
  const post = (text: string) =>
    `POST /rooms/lobby/messages HTTP/1.1\r\nHost: localhost\r\nCookie: ${cookie}\r\nSec-Fetch-Site: same-origin\r\nIdempotency-Key: ${key++}\r\nContent-Length: ${text.length}\r\n\r\n${text}`
  const first = new RawConnection(chat.url)
  first.send(post('the first of bob'))
  assert.ok(await first.until((text) => text.includes('the first of bob')))
  first.leave()
  await workOf(chat, { hold: connections * pipelined })

  const open = Array.from({ length: connections }, () => new RawConnection(chat.url))
  for (const connection of open) connection.send(Array.from({ length: pipelined }, () => post('one of many')).join(''))
  for (const connection of open)
    assert.ok(await connection.until((text) => text.split('HTTP/1.1 201').length > pipelined))
  for (const connection of open) connection.leave()

  const posts = connections * pipelined
  const { read, written, frames, planned } = await workOf(chat)
  const commits = written['commit']!
  assert.ok(commits === 1 || commits === 2, `${commits} commits`)
  // Nobody reads, and so nothing is encoded.
  assert.deepEqual({ frames, planned }, { frames: 0, planned: 0 })
  // Begin, how much is in the search's newest part, read back for all who follow and for the answers (2), how much is in that part by
  // now, commit; and for each post: its key, the search, the event and its body. Who it is and the room are recalled.
  assertStatements(written, 6 * commits + 4 * posts, `written for ${posts} posts`)
  // Whose session it is, the room and that bob is in it, which he is since his first, are asked for each post, and recalled.
  assertStatements(read, 1, `read for ${posts} posts`)
})

test('what is asked for takes as many statements, however much was said', async (t) => {
  const { chat, ada } = await startCounted(t)
  for (const name of ['attic', 'cellar']) await ada.makeRoom(name)
  const statementsOf = async (act: () => Promise<unknown>) => {
    await workOf(chat)
    await act()
    const { read, written, planned } = await workOf(chat)
    assert.deepEqual(written, {})
    return { read, planned }
  }
  const page = () => statementsOf(() => ada.read('/rooms/lobby/messages?limit=200'))
  const rooms = () => statementsOf(() => ada.read('/rooms'))
  const ofFew = { page: await page(), rooms: await rooms() }
  for (let round = 0; round < 5; round++) await sayAtOnce(ada, 40)

  // Whose session it is and the room are recalled. A page: how far to look at most, the messages, their reactions.
  assertStatements(ofFew.page.read, 3, 'a page of history')
  assert.deepEqual(await page(), { ...ofFew.page, planned: 0 })
  // The rooms: all, one's own, and for each of three of those how far one has read, what is unread, and what of it is to oneself.
  assertStatements(ofFew.rooms.read, 2 + 3 * 3, 'the rooms')
  assert.deepEqual(await rooms(), { ...ofFew.rooms, planned: 0 })
  assertStatements((await statementsOf(() => ada.read('/session'))).read, 0, 'who am I')
})

test('a stream that is opened takes so many statements', async (t) => {
  const { chat, ada } = await startCounted(t)
  for (const name of ['attic', 'cellar']) await ada.makeRoom(name)
  const statementsOf = async (person: Person) => {
    await workOf(chat)
    await (await person.listen()).next('ping')
    return (await workOf(chat)).read
  }

  assertStatements(await statementsOf(chat.stranger), 1, 'a stream of somebody unknown')
  // One's rooms; and once more to tell there that one came.
  assertStatements(await statementsOf(ada), 2, 'the first stream of somebody')
  assertStatements(await statementsOf(ada), 1, 'another of theirs')
})

test('whom one blocks is listed by one statement, however many they are, and a post into a room of two takes as many as ever', async (t) => {
  const { chat, ada } = await startCounted(t)
  const others = await Promise.all(['bob', 'eve', 'gus', 'kim', 'mia'].map((name) => chat.comeIn(name)))
  const list = async () => {
    // What is recalled was forgotten with the last change.
    await ada.read('/blocks')
    await workOf(chat)
    await ada.read('/blocks')
    return (await workOf(chat)).read
  }
  await ada.ask('PUT', `/blocks/${others[0]!.id}`)
  assertStatements(await list(), 1, 'one who is blocked')
  for (const other of others) await ada.ask('PUT', `/blocks/${other.id}`)
  assertStatements(await list(), 1, 'five who are')

  const bob = others[0]!
  const room = await bob.direct(others[1]!)
  await bob.say(room, 'the first')
  await workOf(chat)
  await bob.say(room, 'hello')
  const { written } = await workOf(chat)
  // As in any other room, without a key; and whether the other one has blocked them.
  assertStatements(written, 6 + 3 + 1, 'a post into a room of two')
})
