// A stream as it goes over the wire, byte by byte.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { toJson } from '../../lib/sse/json.ts'
import { startChat } from '../chat-server.ts'
import { EventStreamParser } from '../event-stream-parser.ts'
import { RawConnection, readAnswer } from '../raw-connection.ts'

const host = 'Host: localhost\r\n'

test('the head of a stream says what it is, keeps proxies from holding it back, and goes out with its first bytes', async (t) => {
  const chat = await startChat(t)

  const reader = new RawConnection(chat.url)
  reader.send(`GET /events HTTP/1.1\r\n${host}\r\n`)
  await reader.until((text) => text.includes('retry: '))

  const { status, headers, chunks } = reader.answer()
  assert.equal(status, 200)
  assert.equal(headers.get('content-type'), 'text/event-stream; charset=utf-8')
  assert.equal(headers.get('cache-control'), 'no-store, no-transform')
  assert.equal(headers.get('x-accel-buffering'), 'no')
  assert.equal(headers.get('x-content-type-options'), 'nosniff')
  assert.equal(headers.get('content-length'), undefined)
  assert.equal(headers.get('content-encoding'), undefined)
  assert.equal(headers.get('transfer-encoding'), 'chunked')
  assert.match(chunks[0]!.toString(), /^retry: [2-5]\d\d\d\n\n/)
  reader.leave()
})

test('the time to come back differs from reader to reader', async (t) => {
  const chat = await startChat(t)
  const times = new Set<number>()
  for (let count = 0; count < 20; count++) {
    const reader = await chat.stranger.listen()
    await reader.next('ping')
    times.add(reader.parser.retry!)
    reader.leave()
  }
  assert.ok(times.size > 10, [...times].join())
  for (const time of times) assert.ok(time >= 2000 && time <= 5000, String(time))
})

test('HEAD gets the headers and an end, and its connection goes on', async (t) => {
  const chat = await startChat(t)
  for (const target of ['/events', '/rooms', '/rooms/lobby/messages']) {
    const back = await RawConnection.ask(
      chat.url,
      `HEAD ${target} HTTP/1.1\r\n${host}Accept: text/event-stream\r\n\r\nHEAD ${target} HTTP/1.1\r\n${host}Accept: text/event-stream\r\nConnection: close\r\n\r\n`,
    )
    const answers = back.toString().split('\r\n\r\n')
    assert.equal(answers.length, 3, target)
    assert.equal(answers[2], '', target)
    for (const answer of answers.slice(0, 2))
      assert.match(
        answer,
        /^HTTP\/1\.1 200 OK\r\n(?:.+\r\n)*?Content-Type: text\/event-stream; charset=utf-8\r\n/i,
        target,
      )
  }
})

test('HTTP/1.0 gets the frames as they are, without chunks', async (t) => {
  const chat = await startChat(t)
  const ada = await chat.comeIn('ada')
  for (const more of ['', 'Connection: keep-alive\r\n']) {
    const reader = new RawConnection(chat.url)
    reader.send(`GET /events HTTP/1.0\r\n${more}\r\n`)
    await reader.until((text) => text.includes('event: ping'))
    await ada.say('lobby', 'hello')
    await reader.until((text) => text.includes('"hello"'))

    const { headers, body } = reader.answer()
    assert.equal(headers.get('transfer-encoding'), undefined)
    assert.equal(headers.get('connection'), 'close')
    assert.match(
      body.toString(),
      /^retry: \d{4}\n\nevent: ping\nid: \d+\ndata: \{\}\n\n(event: [a-z]+\nid: \d+\ndata: [^\n]*\n\n)+$/,
    )
    reader.leave()
  }
})

test('each chunk holds whole frames, LF only, and no byte order mark, whether replayed or live', async (t) => {
  const chat = await startChat(t)
  const ada = await chat.comeIn('ada')
  const wide = '京\u2028é😀 '.repeat(600)
  for (let count = 0; count < 40; count++) await ada.say('lobby', `${count} ${wide}`)

  const reader = new RawConnection(chat.url)
  reader.send(`GET /events?since=all HTTP/1.1\r\n${host}\r\n`)
  for (let count = 40; count < 80; count++) await ada.say('lobby', `${count} ${wide}`)
  await reader.until((text) => text.includes('"text":"79 ') && text.endsWith('\n\n\r\n'))

  const { chunks, body } = reader.answer()
  assert.ok(chunks.length > 5, `${chunks.length} chunks`)
  for (const chunk of chunks) {
    const frames = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(chunk)
    assert.match(frames, /^((event|id|data|retry): [^\n\r]+\n|\n)+$/)
    assert.ok(frames.endsWith('\n\n') && /^(event|retry): /.test(frames), JSON.stringify(frames.slice(0, 100)))
  }
  assert.ok(!body.includes('\r') && !body.includes('\ufeff'))
  assert.ok(!/^id: *$/m.test(body.toString()))
  const texts = new EventStreamParser()
    .push(body)
    .filter(({ event }) => event === 'message')
    .map(({ data }) => JSON.parse(data).text.split(' ')[0])
  assert.deepEqual(
    texts,
    Array.from({ length: 80 }, (_, at) => String(at)),
  )
  reader.leave()
})

test('what is broadcast is what was stored and what was answered, byte for byte', async (t) => {
  const chat = await startChat(t)
  const ada = await chat.comeIn('ada')
  const reader = await chat.stranger.listen()
  const spoken = [
    ['CRLF\r\nCR\rLF\nend', 'CRLF\nCR\nLF\nend'],
    ['a trailing line end\n', 'a trailing line end\n'],
    ['a\u0007\u0001\x1f\x1b[31mb', 'a[31mb'],
    ['tab\tstays', 'tab\tstays'],
    ['\x7f\u0080\u0085\u009fgo', 'go'],
    ['\u202aturned\u202e\u2066\u2069 stays', '\u202aturned\u202e\u2066\u2069 stays'],
    ['cafe\u0301', 'café'],
    ['\u212b', 'Å'],
    ['\u1100\u1161\u11a8', '각'],
    ['lone \ud83d surrogate', 'lone \ufffd surrogate'],
    ['\ufeffa mark', '\ufeffa mark'],
    ['U+2028\u2028U+2029\u2029', 'U+2028\u2028U+2029\u2029'],
    ['ﬁ stays, NFC is not NFKC', 'ﬁ stays, NFC is not NFKC'],
    ['data: x\n\nevent: y', 'data: x\n\nevent: y'],
  ] as const
  for (const [text, kept] of spoken) {
    const answer = await ada.send('POST', '/rooms/lobby/messages', { text })
    const message = JSON.parse(await answer.text())
    assert.equal(message.text, kept, JSON.stringify(text))
    const [event] = await reader.take('message', 1)
    assert.equal(event!.data, toJson(message))
    assert.doesNotMatch(event!.data, /[\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]/)
    assert.equal(event!.id, message.id)
    assert.equal(await (await chat.fetch(`/rooms/lobby/messages/${message.id}`)).text(), `${toJson(message)}\n`)
  }
})

test('names and rooms are brought into one form, and none has anything invisible', async (t) => {
  const chat = await startChat(t)
  const nameOf = async (name: string) => {
    const answer = await chat.stranger.send('POST', '/session', { name })
    return answer.status === 201 ? ((await answer.json()) as { user: { name: string } }).user.name : answer.status
  }
  assert.equal(await nameOf('Ａｄａ'), 'Ada')
  assert.equal(await nameOf('ﬁona'), 'fiona')
  assert.equal(await nameOf('  Zoe\u00a0\u3000 of  York '), 'Zoe of York')
  assert.equal(await nameOf('e\u0301lan'), 'élan')
  for (const [what, bad] of Object.entries({
    NUL: 'a\0b',
    bell: 'a\x07b',
    escape: '\x1b[0m',
    DEL: 'a\x7fb',
    C1: 'a\u0085b',
    'right to left override': 'a\u202eb',
    'zero width joiner': 'a\u200db',
    'zero width space': 'a\u200bb',
    'soft hyphen': 'a\u00adb',
    'word joiner': 'a\u2060b',
    tag: 'a\u{e0041}b',
    'line separator': 'a\u2028b',
    'paragraph separator': 'a\u2029b',
    'private use': 'a\ue000b',
    unassigned: 'a\u0378b',
    'lone surrogate': 'a\ud800b',
    'a mark within': 'a\ufeffb',
    'nothing else': '\u200b',
    space: '\u3000',
  })) {
    assert.equal(await nameOf(bad), 400, what)
  }
  const ada = await chat.comeIn('ada lovelace')
  assert.equal(await ada.makeRoom('Ｔｈｅ Attic / ２'), 'the-attic-2')
  assert.equal(await ada.makeRoom('../../etc/passwd'), 'etc-passwd')
  assert.equal((await ada.send('POST', '/rooms', { name: 'a\u202eb' })).status, 400)
})

test('a cursor that is twice, 10 kB, nonsense, of another log, or of the future gets a reset, and nothing of it comes back', async (t) => {
  const chat = await startChat(t)
  const ada = await chat.comeIn('ada')
  const { id } = await ada.say('lobby', 'before')
  const later = String(Number(id) + 3600e6)
  const cursors = [
    `Last-Event-ID: ${id}\r\nLast-Event-ID: ${id}\r\n`,
    'Last-Event-ID: secret-x\r\nLast-Event-ID: 1\r\n',
    `Last-Event-ID: ${'x'.repeat(10_000)}\r\n`,
    'Last-Event-ID: secret-\xff\xfe\r\n',
    'Last-Event-ID: +7\r\n',
    'Last-Event-ID: 1e3\r\n',
    'Last-Event-ID: 0x10\r\n',
    'Last-Event-ID: 1.5\r\n',
    `Last-Event-ID: ${later}\r\n`,
    'Last-Event-ID: 9007199254740993\r\n',
    'Last-Event-ID: 99999999999999999999\r\n',
    "Last-Event-ID: 1' or '1'='1\r\n",
    'Last-Event-ID: NaN\r\n',
    'Last-Event-ID: null\r\n',
    'Last-Event-ID: 1\r\n',
  ]
  const targets = [
    'since=secret-x',
    'since=%00',
    'since=%ff',
    'since=2026-13-45',
    'since=10x',
    'since=--5',
    'since=1;2',
    `since=${'9'.repeat(3000)}`,
    'last_event_id=secret-x&since=all',
    'lastEventId=secret-x',
    `since=${later}`,
  ]
  const requests = [
    ...cursors.map((cursor) => ['', cursor] as const),
    ...targets.map((target) => [`?${target}`, ''] as const),
  ]
  for (const [target, cursor] of requests) {
    const reader = new RawConnection(chat.url)
    reader.send(Buffer.from(`GET /events${target} HTTP/1.1\r\n${host}${cursor}\r\n`, 'latin1'))
    await reader.until((text) => text.includes('event: ping'))
    const what = `${target} ${cursor}`.slice(0, 80)
    const { status, chunks } = reader.answer()
    assert.equal(status, 200, what)
    const text = Buffer.concat(chunks).toString()
    assert.equal(
      text.replace(/^retry: \d+\n\n/, ''),
      `event: reset\nid: ${id}\ndata: {"reason":"unknown_cursor","cursor":"${id}"}\n\nevent: ping\nid: ${id}\ndata: {}\n\n`,
      what,
    )
    reader.leave()
  }
})

test('a cursor of a room that the reader does not follow is a cursor like any other', async (t) => {
  const chat = await startChat(t)
  const ada = await chat.comeIn('ada')
  await ada.makeRoom('attic')
  const { id } = await ada.say('attic', 'up here')
  await ada.say('lobby', 'down there')

  const reader = await chat.stranger.listen({ path: '/events?room=lobby', lastEventId: id })

  assert.deepEqual(await reader.texts(1), ['down there'])
  assert.ok(!reader.bytes.includes('reset'))
})

test('ids on one stream never go back: replay, ping, reset and live share one order', async (t) => {
  const chat = await startChat(t)
  const people = await Promise.all(['ada', 'bob', 'eve'].map((name) => chat.comeIn(name)))
  for (const room of ['attic', 'cellar']) await people[0]!.makeRoom(room)
  const talk = (count: number) =>
    Promise.all(
      people.flatMap((person) =>
        ['lobby', 'attic', 'cellar'].map(async (room) => {
          for (let at = 0; at < count; at++) await person.say(room, `${at}`)
        }),
      ),
    )
  await talk(10)
  const paths = [
    '/events',
    '/events?since=all',
    '/events?room=attic&room=lobby&since=all',
    '/events?room=cellar&since=-5',
    '/events?since=nonsense',
    '/events?since=1m',
  ]
  const readers = await Promise.all(paths.map((path) => chat.stranger.listen({ path })))
  await talk(20)
  const last = await people[0]!.say('lobby', 'last')
  await people[0]!.say('cellar', 'last')

  for (const [at, reader] of readers.entries()) {
    while ((await reader.texts(1))[0] !== 'last') continue
    const ids = [...reader.bytes.toString().matchAll(/^id: (\d+)$/gm)].map(([, id]) => Number(id))
    assert.ok(ids.length > 20, paths[at]!)
    for (let index = 1; index < ids.length; index++)
      assert.ok(ids[index]! >= ids[index - 1]!, `${paths[at]}: ${ids[index - 1]} then ${ids[index]}`)
    assert.ok(ids.at(-1)! >= Number(last.id))
  }
})

test("a stream asked for behind another request in one packet comes after that request's answer", async (t) => {
  const chat = await startChat(t)
  const reader = new RawConnection(chat.url)
  const post = `POST /rooms/lobby/messages HTTP/1.1\r\n${host}Authorization: Basic YWRhOg==\r\nContent-Type: text/plain\r\nContent-Length: 5\r\n\r\nfirst`
  reader.send(`${post}GET /events?since=all HTTP/1.1\r\n${host}\r\n`)
  assert.ok(await reader.until((text) => /"text":"first"[^]*"text":"first"/.test(text) && text.includes('event: ping')))

  const stream = reader.bytes.subarray(reader.text.indexOf('HTTP/1.1', 10))
  assert.match(reader.text, /^HTTP\/1\.1 201 /)
  assert.match(readAnswer(stream).body.toString(), /^retry: \d+\n\n[^]*"text":"first"/)
  const bob = await chat.comeIn('bob')
  await bob.say('lobby', 'second')
  assert.ok(await reader.until((text) => text.includes('"text":"second"')))
  reader.leave()
})
