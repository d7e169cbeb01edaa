// What comes in that is too large, of the wrong kind, or means harm: each gets an answer that says why, and none an effect.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Message } from '../../lib/chat/streams/events.ts'
import { startChat, type ChatServer } from '../chat-server.ts'
import { RawConnection, readAnswer } from '../raw-connection.ts'

const host = 'Host: localhost\r\n'
const ada = 'Authorization: Basic YWRhOg==\r\n'

/** Asks for one thing on a connection of its own. */
async function ask(chat: ChatServer, head: string, body: string | Uint8Array = '') {
  return readAnswer(
    await RawConnection.ask(
      chat.url,
      Buffer.concat([Buffer.from(`${head}Connection: close\r\n\r\n`, 'latin1'), Buffer.from(body)]),
    ),
  )
}

function post(chat: ChatServer, body: string | Uint8Array, type = 'application/json') {
  return ask(
    chat,
    `POST /rooms/lobby/messages HTTP/1.1\r\n${host}${ada}Content-Type: ${type}\r\nContent-Length: ${Buffer.byteLength(body)}\r\n`,
    body,
  )
}

/** A test of something that a chat must survive: afterwards the same one still serves, and had nothing to complain about. */
function survived(name: string, tried: (chat: ChatServer) => Promise<void>): void {
  test(name, async (t) => {
    const chat = await startChat(t)
    const reader = await chat.stranger.listen({ path: '/events?room=lobby' })
    await reader.next('ping')

    await tried(chat)

    assert.equal((await chat.fetch('/healthz')).status, 200)
    const { id } = await (await chat.comeIn('bob')).say('lobby', 'still here')
    while ((await reader.next('message')).id !== id) continue
    assert.equal(chat.errors, '')
  })
}

async function textsOf(chat: ChatServer): Promise<string[]> {
  const { messages } = await chat.stranger.read<{ messages: Message[] }>('/rooms/lobby/messages')
  return messages.map(({ text }) => text)
}

survived('sizes are measured in bytes: a body of 64 KiB is read, one byte more is 413', async (chat) => {
  const sized = (bytes: number) => `{"text":"${'\\u0061'.repeat(3000)}"${' '.repeat(bytes - 18011)}}`
  assert.equal(Buffer.byteLength(sized(65536)), 65536)

  assert.equal((await post(chat, sized(65536))).status, 201)
  for (const body of [sized(65537), sized(300_000), `{"text":"${'京'.repeat(22000)}"}`]) {
    const { status, body: said } = await post(chat, body)
    assert.deepEqual([status, JSON.parse(said.toString()).code], [413, 'too_large'])
  }
  assert.deepEqual(await textsOf(chat), ['a'.repeat(3000)])
})

survived('a body without a length, in chunks, has the same bound', async (chat) => {
  const chunked = `POST /rooms/lobby/messages HTTP/1.1\r\n${host}${ada}Content-Type: text/plain\r\nTransfer-Encoding: chunked\r\n`
  const chunk = `1000\r\n${'x'.repeat(4096)}\r\n`

  assert.equal((await ask(chat, chunked, `2\r\nhi\r\n0\r\n\r\n`)).status, 201)
  assert.equal((await ask(chat, chunked, `${chunk.repeat(17)}0\r\n\r\n`)).status, 413)
  assert.deepEqual(await textsOf(chat), ['hi'])
})

survived('an endless body is cut off', async (chat) => {
  const sender = new RawConnection(chat.url)
  sender.send(
    `POST /rooms/lobby/messages HTTP/1.1\r\n${host}${ada}Content-Type: text/plain\r\nTransfer-Encoding: chunked\r\n\r\n`,
  )
  const chunk = Buffer.from(`10000\r\n${'x'.repeat(65536)}\r\n`)

  let sent = 0
  while (!sender.socket.destroyed && sent < 64 * 1024 * 1024) {
    sent += chunk.length
    if (!sender.socket.write(chunk))
      await new Promise<void>((resolve) => {
        sender.socket.once('drain', resolve).once('close', resolve)
      })
  }

  await sender.over
  assert.ok(sent < 64 * 1024 * 1024, 'it went on reading')
  assert.deepEqual(await textsOf(chat), [])
})

survived('who goes away in the middle of a body leaves nothing behind, not even a line in the log', async (chat) => {
  for (const sent of ['', 'x'.repeat(1000), 'x'.repeat(60_000)]) {
    const sender = new RawConnection(chat.url)
    sender.send(
      `POST /rooms/lobby/messages HTTP/1.1\r\n${host}${ada}Content-Type: text/plain\r\nExpect: 100-continue\r\nContent-Length: 65000\r\n\r\n`,
    )
    assert.ok(await sender.until((text) => text.includes('100 Continue')))
    sender.socket.end(sent)
    await sender.over
  }
  assert.deepEqual(await textsOf(chat), [])
})

survived('a text has at most 4,000 code points and a name 40, whatever they are made of', async (chat) => {
  const statusOf = async (text: string) => (await post(chat, JSON.stringify({ text }))).status
  assert.equal(await statusOf('😀'.repeat(4000)), 201)
  assert.equal(await statusOf('😀'.repeat(4001)), 413)
  // What is counted is what is kept.
  assert.equal(await statusOf('e\u0301'.repeat(4000)), 201)
  assert.equal(await statusOf(`${'x'.repeat(4000)}\x07`), 201)
  assert.equal(await statusOf('\u0958'.repeat(2001)), 413) // each becomes two
  const named = async (name: string) => (await chat.stranger.send('POST', '/session', { name })).status
  assert.equal(await named('𝕏'.repeat(40)), 201)
  assert.equal(await named('😀'.repeat(40)), 201)
  assert.equal(await named('😀'.repeat(41)), 400)
  assert.equal(await named('\ufdfa'.repeat(3)), 400) // each becomes eighteen
})

survived('headers over 16 KiB are 431', async (chat) => {
  const statusOf = async (bytes: number) =>
    (await ask(chat, `GET /rooms HTTP/1.1\r\n${host}X-Long: ${'x'.repeat(bytes)}\r\n`)).status
  assert.equal(await statusOf(15_000), 200)
  assert.equal(await statusOf(17_000), 431)
  assert.equal(await statusOf(100_000), 431)
})

survived('invalid UTF-8, a NUL, a wrong type or an unknown field is 400, in a room, a name or a text', async (chat) => {
  const invalid: [string, Uint8Array][] = [
    ['a lone continuation', Uint8Array.of(0x61, 0x80)],
    ['an overlong slash', Uint8Array.of(0xc0, 0xaf)],
    ['a surrogate', Uint8Array.of(0xed, 0xa0, 0x80)],
    ['above U+10FFFF', Uint8Array.of(0xf4, 0x90, 0x80, 0x80)],
    ['cut off', Buffer.from('京').subarray(0, 2)],
    ['never UTF-8', Uint8Array.of(0xff, 0xfe, 0x61, 0)],
    ['NUL', Uint8Array.of(0x61, 0, 0x62)],
  ]
  for (const [what, bytes] of invalid) {
    assert.equal((await post(chat, bytes, 'text/plain')).status, 400, what)
    assert.equal(
      (await post(chat, Buffer.concat([Buffer.from('{"text":"'), bytes, Buffer.from('"}')]))).status,
      400,
      what,
    )
  }
  for (const json of [
    '{"text":null}',
    '{"text":true}',
    '{"text":1}',
    '{"text":["a"]}',
    '{"text":{"a":1}}',
    '{"text":"a","replyTo":1}',
    '{"text":"a","replyTo":null}',
    '"text"',
    'null',
    '1',
    '[]',
    '',
    ' ',
    '{}',
    '{"text":"a","from":{"id":"u_1","name":"root"}}',
    '{"text":"a","room":"attic"}',
    '{"text":"a","id":"1"}',
    '{"text":"a","at":"2020-01-01"}',
    '{"text":"a","constructor":"x"}',
    '{"text":"a","__proto__":"x"}',
    '{"text":"a","toString":"x"}',
    '{"constructor":"a"}',
    '{"__proto__":{"text":"a"}}',
    '{"text":"a\\u0000b"}',
    '{"text":"a"} x',
    "{'text':'a'}",
    '{"text":"a",}',
    `${'['.repeat(30_000)}`,
    `{"text":${'['.repeat(20_000)}${']'.repeat(20_000)}}`,
  ]) {
    const { status, headers } = await post(chat, json)
    assert.equal(status, 400, json.slice(0, 80))
    assert.equal(headers.get('content-type'), 'application/problem+json')
  }
  assert.deepEqual(await textsOf(chat), [])
})

survived('author, room and time come from who asks and where, not from the body', async (chat) => {
  const said = JSON.parse((await post(chat, '{"text":"a","text":"b"}')).body.toString()) as Message
  assert.deepEqual([said.from.name, said.room, said.text], ['ada', 'lobby', 'b'])
})

survived('__proto__ and constructor are names like others', async (chat) => {
  for (const name of ['__proto__', 'constructor', 'toString', 'hasOwnProperty']) {
    assert.equal((await chat.fetch(`/rooms/${name}`)).status, 404)
    assert.equal((await chat.fetch(`/${name}`)).status, 404)
    assert.equal((await chat.fetch(`/events?room=${name}`)).status, 404)
    const person = await chat.comeIn(name)
    const room = await person.makeRoom(name)
    assert.deepEqual([room, (await person.say(room, name)).from.name], [name.toLowerCase(), name])
    assert.equal((await chat.stranger.read<{ name: string }>(`/rooms/${room}`)).name, name)
  }
  const { rooms } = await chat.stranger.read<{ rooms: unknown[] }>('/rooms')
  assert.equal(rooms.length, 5)
})

survived('numbers in a query are clamped or refused', async (chat) => {
  for (let count = 0; count < 3; count++) await post(chat, `{"text":"${count}"}`)
  for (const [query, status] of [
    ['limit=0', 400],
    ['limit=-1', 400],
    ['limit=1.5', 400],
    ['limit=1e3', 400],
    ['limit=', 400],
    ['limit=x', 400],
    ['limit=0x10', 400],
    ['limit=9999999', 400],
    ['limit=%00', 400],
    ['limit=１', 400],
    ['limit=999999', 200],
    ['limit=1&limit=x', 200],
    ['before=0', 200],
    ['before=9007199254740993', 200],
    ['before=9999999999999999', 200],
    ['before=99999999999999999', 400],
    ['before=-1', 400],
    ['before=NaN', 400],
    ['after=0', 200],
    ['after=9999999999999999', 200],
    ['after=', 400],
    ['colour=red', 200],
  ] as const) {
    const { status: got } = await ask(
      chat,
      `GET /rooms/lobby/messages?${Buffer.from(query).toString('latin1')} HTTP/1.1\r\n${host}`,
    )
    assert.equal(got, status, query)
  }
})

survived('a text that is hard on regular expressions costs no time', async (chat) => {
  const easy = await timeOf(() => post(chat, `{"text":"${'a'.repeat(4000)}"}`))
  for (const hard of [
    ' '.repeat(3999) + 'x',
    '\t'.repeat(60_000) + 'x',
    '\r'.repeat(3999) + 'x',
    '-'.repeat(3999) + 'x',
    'a '.repeat(2000),
    '\u0301'.repeat(4000),
    '; '.repeat(2000),
    '京'.repeat(4000),
  ]) {
    const took = await timeOf(() => post(chat, JSON.stringify({ text: hard })))
    assert.ok(took < 50 * easy + 500, `${JSON.stringify(hard.slice(0, 5))}: ${took} ms, an easy one ${easy} ms`)
    await chat.stranger.send('POST', '/session', { name: hard })
    await chat.fetch('/rooms', { headers: { cookie: hard.slice(0, 8000).replace(/[^\x20-\x7e\t]/g, ';') } })
  }
})

async function timeOf(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now()
  await work()
  return performance.now() - start
}

survived(
  'Expect: 100-continue is not answered 100 for what will be refused anyway, and the connection is of use no more',
  async (chat) => {
    const head = `POST /rooms/lobby/messages HTTP/1.1\r\n${host}${ada}Content-Type: text/plain\r\nExpect: 100-continue\r\n`
    const huge = await RawConnection.ask(chat.url, `${head}Connection: close\r\nContent-Length: 99999999999\r\n\r\n`)
    assert.match(huge.toString(), /^HTTP\/1\.1 413 /)
    const small = await RawConnection.ask(chat.url, `${head}Connection: close\r\nContent-Length: 2\r\n\r\nhi`)
    assert.match(small.toString(), /^HTTP\/1\.1 100 Continue\r\n\r\nHTTP\/1\.1 201 /)
  },
)

survived('nothing that is pipelined behind an open stream has an effect, and its connection is gone', async (chat) => {
  const say = `POST /rooms/lobby/messages HTTP/1.1\r\n${host}${ada}Content-Type: text/plain\r\nContent-Length: 2\r\n\r\nhi`
  const streams = ['/events', '/events?since=-5', '/rooms', '/rooms/lobby/messages'].map(
    (target) => `GET ${target} HTTP/1.1\r\n${host}Accept: text/event-stream\r\n\r\n`,
  )
  for (const stream of streams) {
    assert.doesNotMatch((await RawConnection.ask(chat.url, stream + say)).toString(), / 201 /)
    const later = new RawConnection(chat.url)
    later.send(stream)
    await later.until((text) => text.includes('retry: '))
    later.send(say)
    await later.over
    assert.doesNotMatch(later.text, / 201 /)
  }
  assert.deepEqual(await textsOf(chat), [])
})

survived('two Hosts, none, or a malformed one is 400; a foreign one is 421', async (chat) => {
  for (const [hosts, status] of [
    ['Host: localhost\r\nHost: localhost\r\n', 400],
    ['', 400],
    ['Host: a b\r\n', 400],
    ['Host:\r\n', 400],
    ['Host: localhost:x\r\n', 400],
    ['Host: user@localhost\r\n', 400],
    ['Host: localhost/evil\r\n', 400],
    ['Host: [::1\r\n', 400],
    ['Host: lo\xe7alhost\r\n', 400],
    ['Host: localhost, localhost\r\n', 400],
    ['Host: localhost:123456\r\n', 400],
    ['Host: evil.example\r\n', 421],
    ['Host: localhost.evil.example\r\n', 421],
    ['Host: 127.0.0.1.evil.example\r\n', 421],
    ['Host: 127.0.0.1\r\n', 200],
    ['host: LOCALHOST\r\n', 200],
  ] as const) {
    for (const target of ['/rooms', '/', '/healthz', '/events']) {
      const reader = new RawConnection(chat.url)
      reader.send(Buffer.from(`GET ${target} HTTP/1.1\r\n${hosts}Connection: close\r\n\r\n`, 'latin1'))
      await reader.until((text) => /^HTTP\/1\.1 \d{3} /.test(text))
      assert.equal(Number(reader.text.slice(9, 12)), status, `${target} ${hosts}`)
      reader.leave()
    }
  }
})

survived(
  'two lengths, a length and chunks, or a broken chunk is 400 and the end: nothing can be smuggled behind it',
  async (chat) => {
    const smuggled = `POST /rooms/lobby/messages HTTP/1.1\r\n${host}${ada}Content-Type: text/plain\r\nContent-Length: 2\r\n\r\nhi`
    const head = `POST /session HTTP/1.1\r\n${host}Content-Type: application/json\r\n`
    for (const request of [
      `${head}Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}`,
      `${head}Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
      `${head}Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n`,
      `${head}Transfer-Encoding: chunked\r\n\r\nx\r\n\r\n`,
      `${head}Content-Length: -1\r\n\r\n`,
      `${head}Content-Length : 2\r\n\r\n{}`,
      `${head}Content-Length: 2\n\n{}`,
      `${head} folded: yes\r\nX: a\r\n\x01: b\r\n\r\n`,
    ]) {
      const back = await RawConnection.ask(chat.url, request + smuggled)
      assert.match(back.toString(), /^HTTP\/1\.1 400 /, request)
      assert.doesNotMatch(back.toString(), / 201 /, request)
    }
    assert.deepEqual(await textsOf(chat), [])
  },
)
