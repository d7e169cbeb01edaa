// Guessing passwords: what a locked-out address is answered, whatever was remembered, and by whichever way it asks.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Listener, own, passwordOf, patienceMs, Person, refusalOf, startChat, type ChatServer } from '../chat-server.ts'
import { RawConnection } from '../raw-connection.ts'

const proxied = { flags: ['--trust-proxy', 'loopback'] }
const from = (address: string) => ({ 'x-forwarded-for': address })
const home = from('203.0.113.1')
const elsewhere = from('203.0.113.2')
const basic = (name: string, password: string) => ({
  authorization: `Basic ${Buffer.from(`${name}:${password}`).toString('base64')}`,
})

/** Somebody who shows a password each time, from an address. */
function at(chat: ChatServer, address: Record<string, string>, name: string, password = passwordOf(name)): Person {
  return new Person(chat, { ...basic(name, password), ...address })
}

/** Guesses until the address has no guess left. */
async function lockOut(chat: ChatServer, address: Record<string, string>, name = 'nobody'): Promise<void> {
  const answers = await Promise.all(
    Array.from({ length: 10 }, () => at(chat, address, name, 'a guess').fetch('/session')),
  )
  assert.deepEqual(
    answers.map(({ status }) => status),
    Array(10).fill(401),
  )
}

test('a locked-out address is refused the right password as any other, though it was right a moment ago, on every way in', async (t) => {
  const chat = await startChat(t, proxied)
  const ada = await chat.account('ada')
  const { id } = await ada.say('lobby', 'hello')
  // It is remembered from here on.
  assert.equal((await at(chat, home, 'ada').fetch('/session')).status, 200)
  const said = await at(chat, home, 'ada').send(
    'POST',
    '/rooms/lobby/messages',
    { text: 'once' },
    { 'idempotency-key': 'k1' },
  )
  assert.equal(said.status, 201)

  await lockOut(chat, home)

  const json =
    (method: string, path: string, body: unknown, headers = {}) =>
    (person: Person) =>
      person.send(method, path, body, { ...own, ...headers })
  const ways: Record<string, (person: Person) => Promise<Response>> = {
    'who am I': (person) => person.fetch('/session'),
    HEAD: (person) => person.fetch('/session', { method: 'HEAD' }),
    'with If-None-Match': (person) => person.fetch('/rooms', { headers: { 'if-none-match': '*' } }),
    'a search': (person) => person.fetch('/search?q='),
    'a stream in a terminal': (person) => person.fetch('/events'),
    'a stream of lines': (person) => person.fetch('/events', { headers: { accept: 'application/x-ndjson' } }),
    'a post': json('POST', '/rooms/lobby/messages', { text: 'x' }),
    'the retry of a post': json('POST', '/rooms/lobby/messages', { text: 'once' }, { 'idempotency-key': 'k1' }),
    'a read mark': json('PUT', '/rooms/lobby/read', { id }),
    typing: json('POST', '/rooms/lobby/typing', {}),
    'logging out': (person) => person.fetch('/sessions', { method: 'DELETE', headers: own }),
    'a new password': json('PATCH', '/users/me', { password: 'another one', current: passwordOf('ada') }),
  }
  for (const [way, ask] of Object.entries(ways)) {
    for (const name of ['ada', 'ADA', 'ａｄａ', ' ada ']) {
      for (const password of [passwordOf('ada'), 'a guess']) {
        const answer = await ask(at(chat, home, name, password))
        assert.equal(answer.status, 429, `${way} as ${name} with ${password}`)
        const seconds = Number(answer.headers.get('retry-after'))
        assert.ok(seconds > 100 && seconds <= 180, `${way}: ${seconds} s`)
      }
    }
  }
  // By a form, and by who is in and has to say the password again.
  for (const password of [passwordOf('ada'), 'a guess']) {
    assert.equal(
      await refusalOf(chat.stranger.send('POST', '/session', { name: 'ada', password }, home)),
      '429 too_many',
    )
    assert.equal(
      await refusalOf(
        ada.send('PATCH', '/users/me', { password: 'another one', current: password }, { ...own, ...home }),
      ),
      '429 too_many',
    )
  }
  // It is passwords that are not heard: who is in stays in, and who needs none comes in.
  assert.equal((await ada.fetch('/session', { headers: home })).status, 200)
  assert.equal((await chat.stranger.send('POST', '/session', { name: 'a guest' }, home)).status, 201)
  // Nothing was done, and from elsewhere all is as it was.
  assert.deepEqual(await ada.textsIn('lobby'), ['hello', 'once'])
  assert.equal((await at(chat, elsewhere, 'ada').fetch('/session')).status, 200)
})

test('guesses at a password that is remembered are counted as any others, and the right one is no better then', async (t) => {
  const chat = await startChat(t, proxied)
  await chat.account('ada')
  assert.equal((await at(chat, home, 'ada').fetch('/session')).status, 200)

  const statuses: number[] = []
  for (let guess = 0; guess < 12; guess++)
    statuses.push((await at(chat, elsewhere, 'ada', `guess ${guess}`).fetch('/session')).status)

  assert.deepEqual(statuses, [...Array(10).fill(401), 429, 429])
  assert.equal((await at(chat, elsewhere, 'ada').fetch('/session')).status, 429)
  // The account is locked for who never came in from there, and open where it came in before.
  assert.equal((await at(chat, from('203.0.113.3'), 'ada').fetch('/session')).status, 429)
  assert.equal((await at(chat, home, 'ada').fetch('/session')).status, 200)
  // Which helps nobody who guesses from there.
  await lockOut(chat, home)
  assert.equal((await at(chat, home, 'ada').fetch('/session')).status, 429)
})

test('of a hundred guesses at once ten are heard, be they separate, in one packet, or beside the right one', async (t) => {
  const chat = await startChat(t, proxied)
  await chat.account('ada')
  assert.equal((await at(chat, home, 'ada').fetch('/session')).status, 200)

  const answers = await Promise.all(
    Array.from({ length: 100 }, (_, guess) => at(chat, elsewhere, 'ada', `guess ${guess}`).fetch('/rooms')),
  )

  assert.deepEqual(
    [401, 429].map((status) => answers.filter((answer) => answer.status === status).length),
    [10, 90],
  )
  // The right one among them, behind more guesses than may be wrong.
  const third = from('203.0.113.3')
  const mixed = await Promise.all(
    Array.from({ length: 60 }, (_, guess) =>
      at(chat, third, guess === 59 ? 'ada' : `name ${guess}`, guess === 59 ? undefined : 'a guess').fetch('/rooms'),
    ),
  )
  assert.equal(mixed.at(-1)!.status, 429)
  // One behind the other on a connection.
  const connection = new RawConnection(chat.url)
  t.after(() => connection.leave())
  const request = (guess: number) =>
    `GET /session HTTP/1.1\r\nHost: localhost\r\nX-Forwarded-For: 203.0.113.4\r\nAuthorization: ${basic(`other ${guess}`, 'a guess').authorization}\r\n\r\n`
  connection.send(Array.from({ length: 16 }, (_, guess) => request(guess)).join(''))
  await connection.until((text) => text.split('HTTP/1.1 ').length > 16)
  const statuses = connection.text
    .split('HTTP/1.1 ')
    .slice(1)
    .map((answer) => Number(answer.slice(0, 3)))
  assert.deepEqual(statuses, [...Array(10).fill(401), ...Array(6).fill(429)])
})

test('where no address is known the account alone counts, remembered or not', async (t) => {
  const chat = await startChat(t)
  await chat.account('ada')
  await chat.account('bob')
  for (const name of ['ada', 'bob']) assert.equal((await chat.withPassword(name).fetch('/session')).status, 200)

  await lockOut(chat, {}, 'ADA')

  for (const password of [passwordOf('ada'), 'a guess'])
    assert.equal(await chat.withPassword('ada', password).refused('GET', '/session'), '429 too_many')
  assert.equal((await chat.withPassword('bob').fetch('/session')).status, 200)
})

test('an EventSource that is locked out is told to come back, and one whose password is wrong is not', async (t) => {
  const chat = await startChat(t, proxied)
  await chat.account('ada')
  const open = (address: Record<string, string>, password?: string) =>
    Listener.open(`${chat.url}/events`, at(chat, address, 'ada', password).headers)
  const reader = await open(home)
  t.after(() => reader.leave())
  // Any answer but 200 ends an EventSource for good: it does not go on guessing.
  await assert.rejects(open(home, 'a guess'), /answered with 401/)
  for (let guess = 0; guess < 9; guess++)
    assert.equal((await at(chat, home, 'ada', 'a guess').fetch('/session')).status, 401)

  for (const password of [passwordOf('ada'), 'a guess']) {
    const refused = await open(home, password)
    const ended = await Promise.race([
      refused.over.then(() => true),
      new Promise((resolve) => setTimeout(resolve, patienceMs, false).unref()),
    ])
    assert.ok(ended, `with ${password} it goes on: ${refused.bytes}`)
    const text = refused.bytes.toString()
    const [, retry] = /^retry: (\d+)$/m.exec(text) ?? []
    assert.ok(Number(retry) >= 5000 && Number(retry) <= 30_000, text)
    assert.match(text, /too many attempts to log in/)
    assert.doesNotMatch(text, /^id: \d|lobby/m)
  }
  // Who is on a stream already stays there.
  await (await chat.comeIn('bob')).say('lobby', 'still there?')
  assert.deepEqual(await reader.texts(1), ['still there?'])
})

test('a password that was right is quick again once its address is no longer locked out, and never past the one of the account', async (t) => {
  const chat = await startChat(t, proxied)
  await chat.account('ada')
  assert.equal((await at(chat, home, 'ada').fetch('/session')).status, 200)
  await lockOut(chat, elsewhere, 'ada')

  // A hundred at once from where it came in: none of them is hashed, and none refused.
  const answers = await Promise.all(Array.from({ length: 100 }, () => at(chat, home, 'ada').fetch('/session')))

  assert.deepEqual([...new Set(answers.map(({ status }) => status))], [200])
  assert.equal((await at(chat, from('203.0.113.9'), 'ada').fetch('/session')).status, 429)
})
