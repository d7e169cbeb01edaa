import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Message } from '../../lib/chat/streams/events.ts'
import { startChat, type ChatServer } from '../chat-server.ts'
import { sendAtOnce } from '../raw-connection.ts'

interface Problem {
  status: number
  code: string
  detail: string
}

async function problemOf(answer: Response): Promise<Problem> {
  assert.equal(answer.headers.get('content-type'), 'application/problem+json')
  const problem = (await answer.json()) as Problem
  assert.equal(problem.status, answer.status)
  assert.ok(problem.detail.length > 10, 'a detail that helps')
  return problem
}

async function historyOf(chat: ChatServer, room = 'lobby'): Promise<string[]> {
  const { messages } = await chat.stranger.read<{ messages: Message[] }>(`/rooms/${room}/messages`)
  return messages.map(({ text }) => text)
}

const host = 'Host: localhost\r\n'

test('curl -u ada: -d hello says it; without a name the answer tells what to type', async (t) => {
  const chat = await startChat(t)
  const headers = { 'content-type': 'application/x-www-form-urlencoded' }

  const said = await chat.claiming('ada').fetch('/rooms/lobby/messages', { method: 'POST', headers, body: 'hello' })
  const message = (await said.json()) as Message
  assert.equal(said.status, 201)
  assert.equal(said.headers.get('location'), `/rooms/lobby/messages/${message.id}`)
  assert.deepEqual([message.text, message.from.name, message.from.unproven], ['hello', 'ada', true])
  assert.deepEqual(await chat.stranger.read(said.headers.get('location')!), message)

  const refused = await chat.fetch('/rooms/lobby/messages', { method: 'POST', headers, body: 'hello' })
  assert.equal(refused.status, 401)
  assert.equal(refused.headers.get('www-authenticate'), 'Bearer')
  assert.match((await problemOf(refused)).detail, /curl -u ada:/)
  assert.deepEqual(await historyOf(chat), ['hello'])
})

test("what can't be understood is refused with a reason, and nothing of it is stored", async (t) => {
  const chat = await startChat(t)
  const ada = await chat.comeIn('ada')
  const messages = '/rooms/lobby/messages'
  const cases: [string, Promise<Response>, number, string][] = [
    ['wrong JSON', ada.send('POST', messages, '{"text":'), 400, 'invalid_json'],
    ['no object', ada.send('POST', messages, '["text"]'), 400, 'invalid_json'],
    ['an unknown field', ada.send('POST', messages, { text: 'x', colour: 'red' }), 400, 'unknown_field'],
    ['__proto__ as a field', ada.send('POST', messages, '{"text":"x","__proto__":{"a":1}}'), 400, 'unknown_field'],
    ['a missing field', ada.send('POST', messages, {}), 400, 'invalid_request'],
    ['a wrong type', ada.send('POST', messages, { text: 7 }), 400, 'invalid_request'],
    ['an empty text', ada.send('POST', messages, { text: ' \n' }), 400, 'invalid_text'],
    ['a NUL', ada.send('POST', messages, { text: 'a\0b' }), 400, 'invalid_text'],
    [
      'invalid UTF-8',
      ada.fetch(messages, {
        method: 'POST',
        headers: { 'content-type': 'text/plain', 'sec-fetch-site': 'none' },
        body: Buffer.from([0x68, 0xff]),
      }),
      400,
      'invalid_request',
    ],
    ['a text of 4,001 characters', ada.send('POST', messages, { text: 'é'.repeat(4001) }), 413, 'too_large'],
    ['a text of 1 MB', ada.send('POST', messages, { text: 'x'.repeat(1e6) }), 413, 'too_large'],
    ['a key with a space', ada.send('POST', messages, { text: 'x' }, { 'idempotency-key': 'a b' }), 400, 'invalid_key'],
    [
      'a key of 65 characters',
      ada.send('POST', messages, { text: 'x' }, { 'idempotency-key': 'k'.repeat(65) }),
      400,
      'invalid_key',
    ],
    ['an answer to nothing', ada.send('POST', messages, { text: 'x', replyTo: '123' }), 404, 'not_found'],
    ['an unknown room', ada.send('POST', '/rooms/nowhere/messages', { text: 'x' }), 404, 'not_found'],
    ['the room __proto__', ada.send('POST', '/rooms/__proto__/messages', { text: 'x' }), 404, 'not_found'],
    ['an unknown place', ada.fetch('/nowhere'), 404, 'not_found'],
    ['an empty name', ada.send('POST', '/rooms', { name: '  ' }), 400, 'invalid_name'],
    ['a name of dashes', ada.send('POST', '/rooms', { name: '---' }), 400, 'invalid_name'],
    ['an invisible name', ada.send('POST', '/session', { name: 'a\u202eb' }), 400, 'invalid_name'],
    ['a long name', ada.send('POST', '/session', { name: 'n'.repeat(41) }), 400, 'invalid_name'],
    ['the lobby again', ada.send('POST', '/rooms', { name: 'Lobby' }), 409, 'room_exists'],
    ['a page before nothing', ada.fetch(`${messages}?before=x`), 400, 'invalid_request'],
    ['a page of none', ada.fetch(`${messages}?limit=0`), 400, 'invalid_request'],
  ]
  for (const [what, asked, status, code] of cases) {
    const answer = await asked
    assert.equal(answer.status, status, what)
    assert.equal((await problemOf(answer)).code, code, what)
  }

  assert.deepEqual(await historyOf(chat), [])
  assert.equal((await chat.fetch('/healthz')).status, 200)
})

test('a wrong method is told which ones there are', async (t) => {
  const chat = await startChat(t)
  const answer = await chat.fetch('/rooms/lobby/messages', { method: 'PUT' })
  assert.equal(answer.status, 405)
  assert.equal(answer.headers.get('allow'), 'GET, HEAD, POST')
  assert.equal((await problemOf(answer)).code, 'method_not_allowed')
})

test('a text of exactly 4,000 characters is kept as it is, whatever they are', async (t) => {
  const chat = await startChat(t)
  const ada = await chat.comeIn('ada')
  const reader = await chat.stranger.listen()
  for (const text of [
    '😀'.repeat(4000),
    'a\u2028b\u2029cd\x0be\x0c',
    ' leading',
    'a: b\ndata: c\n\nid: 7\n',
    '\u{10ffff}',
    '<b>&amp;',
  ]) {
    const { text: kept } = await ada.say('lobby', text)
    assert.equal(kept, text.replace(/[\x0b\x0c]/g, ''))
    assert.deepEqual(await reader.texts(1), [kept])
  }
  assert.equal((await ada.say('lobby', 'e\u0301 \ud800 a\r\nb\rc')).text, 'é \ufffd a\nb\nc')
})

test('the same key and request again is the same message; another request is refused', async (t) => {
  const chat = await startChat(t)
  const ada = await chat.comeIn('ada')
  const bob = await chat.comeIn('bob')

  const first = await ada.say('lobby', 'once', { key: 'k1' })
  const both = await Promise.all([ada.say('lobby', 'once', { key: 'k1' }), ada.say('lobby', 'once', { key: 'k1' })])
  const other = await ada.send('POST', '/rooms/lobby/messages', { text: 'twice' }, { 'idempotency-key': 'k1' })
  const his = await bob.say('lobby', 'once', { key: 'k1' })

  assert.deepEqual(both, [first, first])
  assert.equal((await problemOf(other)).code, 'key_reused')
  assert.notEqual(his.id, first.id)
  assert.deepEqual(await historyOf(chat), ['once', 'once'])
})

test('a name belongs to whoever came in with it; a name that was only claimed makes way', async (t) => {
  const chat = await startChat(t)
  const claimed = await chat.claiming('Eve').say('lobby', 'I say that I am Eve')
  const again = await chat.claiming('eve').say('lobby', 'me again')
  assert.equal(again.from.id, claimed.from.id)

  const eve = await chat.comeIn('ＥＶＥ')
  const proven = await eve.say('lobby', 'I am Eve')
  assert.notEqual(proven.from.id, claimed.from.id)
  assert.deepEqual([proven.from.name, proven.from.unproven], ['EVE', undefined])

  for (const taken of [
    chat.claiming('eve').send('POST', '/rooms/lobby/messages', { text: 'x' }),
    chat.stranger.send('POST', '/session', { name: 'eve' }),
  ]) {
    assert.equal((await problemOf(await taken)).code, 'name_taken')
  }
  const room = await chat.claiming('mallory').send('POST', '/rooms', { name: 'mine' })
  assert.equal(room.status, 403)
})

test('two who come in with one name at once: one does, the other is told', async (t) => {
  const chat = await startChat(t)
  const answers = await Promise.all(
    Array.from({ length: 8 }, () => chat.stranger.send('POST', '/session', { name: 'zoe' })),
  )
  assert.deepEqual(answers.map(({ status }) => status).sort(), [201, ...Array(7).fill(409)])

  const claims = await Promise.all(Array.from({ length: 8 }, (_, at) => chat.claiming('ivy').say('lobby', `${at}`)))
  assert.equal(new Set(claims.map(({ from }) => from.id)).size, 1)
})

test('history comes by pages, oldest first', async (t) => {
  const chat = await startChat(t)
  const ada = await chat.comeIn('ada')
  const ids: string[] = []
  for (let count = 1; count <= 5; count++) ids.push((await ada.say('lobby', String(count))).id)
  const page = async (query: string) => {
    const { messages, more } = await chat.stranger.read<{ messages: Message[]; more: boolean }>(
      `/rooms/lobby/messages?${query}`,
    )
    return [messages.map(({ text }) => text).join(''), more]
  }

  assert.deepEqual(await page('limit=2'), ['45', true])
  assert.deepEqual(await page(`limit=2&before=${ids[3]}`), ['23', true])
  assert.deepEqual(await page(`limit=2&before=${ids[1]}`), ['1', false])
  assert.deepEqual(await page(`limit=2&after=${ids[1]}`), ['34', true])
  assert.deepEqual(await page(`limit=2&after=${ids[2]}`), ['45', false])
  assert.deepEqual(await page('limit=999999'), ['12345', false])
})

test('who posts in an open room is in it from then on', async (t) => {
  const chat = await startChat(t)
  const ada = await chat.comeIn('ada')
  const reader = await chat.stranger.listen()
  const names = async () =>
    (await chat.stranger.read<{ members: { name: string }[] }>('/rooms/lobby/members')).members.map(({ name }) => name)
  assert.deepEqual(await names(), [])

  await Promise.all([ada.say('lobby', 'one'), ada.say('lobby', 'two'), ada.say('lobby', 'three')])

  assert.deepEqual(await names(), ['ada'])
  await reader.texts(3)
  assert.equal(reader.all.filter(({ event }) => event === 'join').length, 1)
})

test('a page of another site can do nothing in my name', async (t) => {
  const chat = await startChat(t)
  const ada = await chat.comeIn('ada')
  const post = (headers: Record<string, string>) => ada.send('POST', '/rooms/lobby/messages', { text: 'x' }, headers)

  for (const headers of [
    { 'sec-fetch-site': 'cross-site' },
    { origin: 'http://evil.example' },
    { origin: 'null' },
    { 'sec-fetch-site': 'same-site', origin: 'http://evil.localhost' },
  ]) {
    assert.equal((await post(headers)).status, 403, JSON.stringify(headers))
  }
  assert.deepEqual(await historyOf(chat), [])
  assert.equal((await post({ origin: chat.url })).status, 201)
  assert.equal(
    (await ada.fetch('/rooms/lobby/messages', { method: 'POST', headers: { 'content-type': 'text/plain' }, body: 'x' }))
      .status,
    403,
  )
})

test('request targets and Hosts that try something get a 4xx, and the server lives', async (t) => {
  const chat = await startChat(t)
  const statusOf = async (head: string) => /^HTTP\/1\.1 (\d+)/.exec(await sendAtOnce(chat.url, head))?.[1]

  for (const [target, status] of [
    ['//evil.example', '404'],
    ['/\\evil.example', '404'],
    ['/%', '400'],
    ['/%ff', '400'],
    ['http://evil.example/rooms', '400'],
    ['*', '400'],
    ['/rooms/..', '404'],
    ['/../server.ts', '404'],
    ['/tsconfig.json', '404'],
    ['/rooms/%2e%2e', '404'],
  ] as const) {
    assert.equal(await statusOf(`GET ${target} HTTP/1.1\r\n${host}Connection: close\r\n\r\n`), status, target)
  }
  for (const [hosts, status] of [
    ['', '400'],
    [`${host}${host}`, '400'],
    ['Host: a b\r\n', '400'],
    ['Host: \r\n', '400'],
    ['Host: evil.example\r\n', '421'],
    ['Host: LOCALHOST:1\r\n', '200'],
    ['Host: [::1]:8080\r\n', '200'],
  ] as const) {
    assert.equal(await statusOf(`GET /rooms HTTP/1.1\r\n${hosts}Connection: close\r\n\r\n`), status, hosts)
  }
  assert.equal((await chat.fetch('/healthz')).status, 200)
})

test('a body that is too large is not asked for', async (t) => {
  const chat = await startChat(t)
  const head = `POST /rooms/lobby/messages HTTP/1.1\r\n${host}Authorization: Basic YWRhOg==\r\nContent-Type: text/plain\r\nExpect: 100-continue\r\nConnection: close\r\n`
  assert.match(await sendAtOnce(chat.url, `${head}Content-Length: 100000000\r\n\r\n`), /^HTTP\/1\.1 413 /)
  assert.match(
    await sendAtOnce(chat.url, `${head}Content-Length: 2\r\n\r\nhi`),
    /^HTTP\/1\.1 100 Continue\r\n\r\nHTTP\/1\.1 201 /,
  )
})

test('what is pipelined behind an open stream has no effect', async (t) => {
  const chat = await startChat(t)
  const back = await sendAtOnce(
    chat.url,
    `GET /events HTTP/1.1\r\n${host}\r\nPOST /rooms/lobby/messages HTTP/1.1\r\n${host}Authorization: Basic YWRhOg==\r\nContent-Type: text/plain\r\nContent-Length: 2\r\n\r\nhi`,
  )
  assert.doesNotMatch(back, /HTTP\/1.1 201/)
  assert.deepEqual(await historyOf(chat), [])
})

test('a page of long messages is cut where it gets too large, and goes on from there', async (t) => {
  const chat = await startChat(t)
  const ada = await chat.comeIn('ada')
  const ids: string[] = []
  for (let count = 0; count < 70; count++) ids.push((await ada.say('lobby', 'x'.repeat(4000))).id)

  const last = await chat.stranger.read<{ messages: Message[]; more: boolean }>('/rooms/lobby/messages?limit=200')
  const before = await chat.stranger.read<{ messages: Message[]; more: boolean }>(
    `/rooms/lobby/messages?limit=200&before=${last.messages[0]!.id}`,
  )

  assert.ok(last.more && last.messages.length < 70 && !before.more)
  assert.deepEqual(
    [...before.messages, ...last.messages].map(({ id }) => id),
    ids,
  )
})
