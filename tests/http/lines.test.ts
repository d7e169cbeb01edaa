// Streams as lines: JSON for programs, words for whoever watches in a terminal. The same events as in frames, under the same rules.

import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { connect, type AddressInfo } from 'node:net'
import { test, type TestContext } from 'node:test'
import { Lines, type LineType } from '../../lib/http/lines.ts'
import { startServer } from '../../lib/program/main.ts'
import { Hub, ServerSentEventsStream } from '../../lib/index.ts'
import { encodeFrame } from '../../lib/sse/frame.ts'
import { ChatServer, Person, settings, startChat, temporaryFolder } from '../chat-server.ts'
import { EventStreamParser } from '../event-stream-parser.ts'
import { property, type Random } from '../random.ts'
import { RawConnection, readAnswer } from '../raw-connection.ts'

const json = 'application/x-ndjson'
const text = 'text/plain'
const types = [json, text] as const
const ours = { 'sec-fetch-site': 'same-origin' }

interface Line {
  event: string
  id: string
  data: unknown
  retry?: number
  comment?: string
}

/** A reader of one stream, by its bytes. */
class Reader extends RawConnection {
  static open(
    chat: { url: string },
    accept: string,
    {
      path = '/events',
      headers = {},
      version = '1.1',
    }: { path?: string; headers?: Record<string, string>; version?: string } = {},
  ): Reader {
    const reader = new Reader(chat.url)
    const more = Object.entries({ accept, ...headers })
      .map(([name, value]) => `${name}: ${value}\r\n`)
      .join('')
    reader.send(`GET ${path} HTTP/${version}\r\nHost: localhost\r\n${more}\r\n`)
    return reader
  }

  get body(): string {
    return this.text.includes('\r\n\r\n') ? this.answer().body.toString() : ''
  }

  /** Resolves with all that came once it satisfies this. */
  async bodyWith(found: string | RegExp): Promise<string> {
    assert.ok(
      await this.until(() => (typeof found === 'string' ? this.body.includes(found) : found.test(this.body))),
      `${found} is not in ${this.body.slice(-500)}`,
    )
    return this.body
  }

  /** Its lines of JSON up to the one that holds this. */
  async lines(found: string | RegExp): Promise<Line[]> {
    return (await this.bodyWith(found))
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as Line)
  }
}

function textsOf(lines: readonly Line[]): string[] {
  return lines.flatMap(({ event, data }) => (event === 'message' ? [(data as { text: string }).text] : []))
}

test('JSON lines: each event is an object on a line, and so are the time to come back and the ping', async (t) => {
  const chat = await startChat(t)
  const reader = Reader.open(chat, json)
  await reader.bodyWith('"ping"')
  const ada = await chat.comeIn('ada')
  const said = await ada.say('lobby', 'hello\nto you')

  const body = await reader.bodyWith('to you')

  assert.match(body, /^\{"retry":[2-5]\d\d\d\}\n\{"event":"ping","id":"\d+","data":\{\}\}\n/)
  assert.ok(body.endsWith(`{"event":"message","id":"${said.id}","data":${JSON.stringify(said)}}\n`), body)
  const { headers } = reader.answer()
  assert.equal(headers.get('content-type'), 'application/x-ndjson; charset=utf-8')
  assert.equal(headers.get('cache-control'), 'no-store, no-transform')
  assert.equal(headers.get('x-accel-buffering'), 'no')
  reader.leave()
})

test('plain text: what is said and done, in words', async (t) => {
  const chat = await startChat(t)
  const ada = await chat.comeIn('ada')
  const reader = Reader.open(chat, text)
  const [, first] = /since=(\d+)/.exec(await reader.bodyWith('# up to date')) ?? []
  const { at, id } = await ada.say('lobby', 'hello')
  await ada.say('lobby', 'several\n\n* bob joined lobby\nlines')
  await chat.claiming('bob').say('lobby', 'so they say')
  assert.equal((await ada.send('POST', '/rooms', { name: 'Attic', topic: 'old things' })).status, 201)
  assert.equal((await ada.send('PATCH', '/rooms/attic', { archived: true })).status, 200)
  assert.equal((await ada.fetch(`/rooms/lobby/messages/${id}`, { method: 'DELETE', headers: ours })).status, 204)
  assert.equal((await ada.fetch('/rooms/lobby/members/me', { method: 'DELETE', headers: ours })).status, 204)

  const when = at.slice(0, 16).replace('T', ' ')
  const body = await reader.bodyWith('left')
  // The story may go on into the next minute.
  const lines = body.replace(/^\d{4}-\d\d-\d\d \d\d:\d\d/gm, when)
  assert.equal(
    lines,
    [
      `# up to date; since=${first} goes on from here; times are UTC`,
      '* ada joined lobby',
      `${when} lobby <ada> hello`,
      `${when} lobby <ada> several`,
      '  ',
      '  * bob joined lobby',
      '  lines',
      '* user bob?: guest',
      '* bob? joined lobby',
      `${when} lobby <bob?> so they say`,
      '* room attic: open, called Attic, about old things',
      '* ada joined attic as its owner',
      '* room attic: open, called Attic, archived, about old things',
      '* a message in lobby was deleted',
      '* ada left lobby',
      '',
    ].join('\n'),
  )
  assert.equal(reader.answer().headers.get('content-type'), 'text/plain; charset=utf-8')
  assert.equal(reader.answer().headers.get('x-content-type-options'), 'nosniff')
  reader.leave()
})

async function talk(random: Random, people: readonly Person[], rooms: readonly string[]): Promise<void> {
  const deeds = Array.from({ length: random.between(1, 20) }, () => {
    const person = random.pick(people)
    const room = random.pick(rooms)
    if (random.chance(0.7))
      return person.send('POST', `/rooms/${room}/messages`, { text: `x${random.text(10)}`.replaceAll('\0', '') })
    return person.fetch(`/rooms/${room}/members/me`, { method: random.pick(['PUT', 'DELETE']), headers: ours })
  })
  for (const answer of await Promise.all(deeds)) assert.ok([201, 204].includes(answer.status), String(answer.status))
}

/** The events of a stream as a reader of frames understands them. */
function eventsOf(frames: string): Omit<Line, 'retry'>[] {
  return new EventStreamParser()
    .push(Buffer.from(frames))
    .map(({ event, id, data }) => ({ event, id, data: JSON.parse(data) as unknown }))
}

property('lines tell the same story as frames: live, from memory, from disk, after any cursor', async (random, t) => {
  const data = await temporaryFolder(t)
  const rooms = ['lobby', 'attic']
  for (const ring of [10_000, 20, 1]) {
    const server = await startServer(settings({ data }), { ring })
    const chat = new ChatServer({})
    chat.url = server.url
    const people = await Promise.all(['ada', 'bob'].map((name) => chat.comeIn(`${name} ${ring}`)))
    if (ring === 10_000) await people[0]!.makeRoom('attic')
    const live = types.map((type) => Reader.open(chat, type, { path: '/events?since=all' }))
    const framesLive = Reader.open(chat, 'text/event-stream', { path: '/events?since=all' })
    for (let round = 0; round < 5; round++) await talk(random, people, rooms)
    const last = await people[0]!.say('lobby', `last ${ring}`)
    const whole = eventsOf(await framesLive.bodyWith(`last ${ring}`)).filter(({ event }) => event !== 'ping')

    assert.deepEqual(
      (await live[0]!.lines(`last ${ring}`)).filter(({ event, retry }) => retry === undefined && event !== 'ping'),
      whole,
    )
    const inWords = await live[1]!.bodyWith(`last ${ring}`)
    // A line each begins at its start; what a text holds is behind its first line.
    assert.equal([...inWords.matchAll(/^(?!#| )\S/gm)].length, whole.length)
    for (let count = 0; count < 6; count++) {
      const { id } = random.pick(whole.slice(0, -1))
      const [path, headers] = random.chance(0.5)
        ? [`/events?since=${id}`, undefined]
        : ['/events?since=all', { 'last-event-id': id }]
      const again = Reader.open(chat, json, { path, ...(headers && { headers }) })
      const lines = (await again.lines(/"ping"/)).filter(({ event, retry }) => retry === undefined && event !== 'ping')
      assert.deepEqual(
        lines,
        whole.filter((event) => Number(event.id) > Number(id)),
        `${path}, ring ${ring}`,
      )
      assert.equal(lines.at(-1)!.id, last.id)
      again.leave()
    }
    for (const reader of [...live, framesLive]) reader.leave()
    await server.stop()
  }
})

property('however frames are joined in writes, each write is whole lines and none is lost', (random) => {
  for (let round = 0; round < 100; round++) {
    const events = random.times(20, () => ({
      event: random.pick(['message', 'user', undefined]),
      id: random.between(1, 1e9),
      data: { text: random.text().toWellFormed(), name: random.text().toWellFormed() },
    }))
    const frames = events.map(encodeFrame)
    const written: string[] = []
    const respond = new Lines().respond(
      { write: (bytes: Uint8Array) => written.push(bytes.toString()) > 0, flushHeaders() {} } as never,
      json,
    )
    while (frames.length > 0) respond.write(Buffer.concat(frames.splice(0, random.between(1, 5))))

    for (const lines of written) assert.match(lines, /^(\{.*\}\n)+$/)
    const read = written
      .join('')
      .split('\n')
      .slice(0, -1)
      .map((line) => JSON.parse(line) as unknown)
    assert.deepEqual(
      read,
      events.map(({ event, id, data }) => ({ event: event ?? 'room', id: String(id), data })),
    )
  }
})

test('who was cut off goes on with a cursor from any line, or with the time of the last message they read', async (t) => {
  const chat = await startChat(t)
  const ada = await chat.comeIn('ada')
  const first = Reader.open(chat, json)
  const [ping] = (await first.lines('"ping"')).slice(1)
  await ada.say('lobby', 'one')
  const one = (await first.lines('"one"')).at(-1)!
  first.leave()
  const words = Reader.open(chat, text, { path: '/events?since=all' })
  const [, when, minute] = /^(\S+) (\S+) lobby <ada> one$/m.exec(await words.bodyWith('# up')) ?? []
  const [, told] = /since=(\d+)/.exec(words.body) ?? []
  words.leave()
  await ada.say('lobby', 'two')
  await ada.say('lobby', 'three')

  for (const [since, expected] of [
    [ping!.id, ['one', 'two', 'three']],
    [one.id, ['two', 'three']],
    [told!, ['two', 'three']],
    [`${when}T${minute}Z`, ['one', 'two', 'three']],
    ['-2', ['two', 'three']],
  ] as const) {
    const again = Reader.open(chat, json, { path: `/events?since=${since}` })
    assert.deepEqual(textsOf(await again.lines('"ping"')), expected, since)
    again.leave()
  }
  const known = Reader.open(chat, text, { headers: { 'last-event-id': one.id } })
  assert.match(await known.bodyWith('# up'), /^\S+ \S+ lobby <ada> two\n\S+ \S+ lobby <ada> three\n# up/)
  const unknown = Reader.open(chat, text, { path: '/events?since=nonsense' })
  assert.match(
    await unknown.bodyWith('# up'),
    /^# what was missed can't be shown \(unknown cursor\); since=(\d+) goes on from here\n# up to date; since=\1 /,
  )
  for (const reader of [known, unknown]) reader.leave()
})

test("the rooms and a room's messages come as lines too", async (t) => {
  const chat = await startChat(t)
  const ada = await chat.comeIn('ada')
  await ada.makeRoom('Attic')
  for (const said of ['one', 'two', 'three']) await ada.say('lobby', said)

  const rooms = Reader.open(chat, json, { path: '/rooms' })
  const listed = (await rooms.lines('"ping"')).slice(1, -1)
  assert.deepEqual(
    listed.map(({ event, data }) => [event, (data as { name: string }).name]),
    [
      ['room', 'lobby'],
      ['room', 'Attic'],
    ],
  )
  const names = Reader.open(chat, text, { path: '/rooms' })
  assert.match(
    await names.bodyWith('# up'),
    /^\* room lobby: open, called lobby\n\* room attic: open, called Attic\n# up/,
  )
  const messages = Reader.open(chat, json, { path: '/rooms/lobby/messages?limit=2' })
  assert.deepEqual(textsOf(await messages.lines('"ping"')), ['two', 'three'])
  await ada.say('lobby', 'four')
  assert.deepEqual(textsOf(await messages.lines('"four"')), ['two', 'three', 'four'])
  for (const reader of [rooms, names, messages]) reader.leave()
})

test('what programs ask for without a thought is answered as it was before there were lines', async (t) => {
  const chat = await startChat(t)
  const frames = 'text/event-stream'
  const page = 'application/json'
  const asked: [accept: string, events: string, rooms: string][] = [
    ['*/*', frames, page], // curl
    ['text/event-stream', frames, frames], // EventSource
    ['text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8', frames, page], // browsers
    ['text/html, text/plain, text/css, */*;q=0.01', frames, page], // lynx
    ['application/json, text/plain, */*', frames, page], // axios
    ['text/plain, */*; q=0.01', text, text],
    ['text/event-stream, */*', frames, frames],
    ['text/event-stream, application/json', frames, frames],
    ['text/event-stream, application/x-ndjson', frames, frames],
    ['application/json', frames, page],
    ['application/*', frames, page],
    ['text/*', frames, page],
    ['image/png', frames, page],
    ['', frames, page],
    [',;q,;;=,', frames, page],
    ['application/x-ndjson', json, json],
    ['Application/X-NDJSON; charset=utf-8', json, json],
    ['text/plain', text, text],
    ['text/plain;q=0.5, application/x-ndjson; q=0.9', json, json],
    ['application/x-ndjson;q=0.5, text/plain', text, text],
    ['application/x-ndjson, text/event-stream;q=0.9', json, json],
    ['application/x-ndjson, */*;q=0.1', json, json],
    ['application/x-ndjson;q=0, */*', frames, page],
    ['text/plain;q=0', frames, page],
    ['text/event-stream;q=0', frames, page],
    ['application/x-ndjson;q=0.5, text/*', frames, page],
  ]
  for (const [accept, events, rooms] of asked) {
    for (const [path, expected] of [
      ['/events', events],
      ['/rooms', rooms],
      ['/rooms/lobby/messages', rooms],
    ] as const) {
      const { headers } = await chat.fetch(path, { method: 'HEAD', headers: { accept } })
      assert.equal(headers.get('content-type')!.split(';')[0], expected, `${path}, ${accept}`)
      // A stream is not to be stored, so it does not matter what it varies by.
      assert.equal(headers.get('vary'), expected === page ? 'accept' : null)
    }
  }
})

// What a terminal obeys, what it takes for the end of a line, and what turns the direction of what comes behind.
const dangerous = [
  '\x1b[31mred',
  '\x1b]0;title\x07',
  '\x9b31mred',
  '\x9d0;title\x9c',
  '\x90q',
  '\x85next',
  '\b\b\bover',
  '\rover',
  '\x0b',
  '\x0c',
  '\x0e',
  '\x7f',
  '\u2028* bob left',
  '\u2029',
  '\u202ereversed',
  '\u202d',
  '\u2066',
  '\u2067',
  '\u2069',
]

test('no control character, line separator or change of direction in what people wrote reaches a terminal', async (t) => {
  const chat = await startChat(t)
  const ada = await chat.comeIn('a>b<c')
  const readers = ['text/event-stream', ...types].map((type) => Reader.open(chat, type))
  for (const reader of readers) await reader.bodyWith(/ping|# up/)
  for (const part of dangerous) await ada.say('lobby', `before ${part} after`)
  await ada.send('POST', '/rooms', { name: 'Attic', topic: 'a\x9b31m\u202e topic' })
  await ada.say('lobby', 'tabs\tand 👩‍👩‍👧 שלום stay; the end')

  const [frames, ...lines] = await Promise.all(readers.map((reader) => reader.bodyWith('the end')))
  for (const body of [frames!, ...lines]) {
    assert.doesNotMatch(body, /[\p{Zl}\p{Zp}\u202a-\u202e\u2066-\u2069]|(?![\n\t\x7f])\p{Cc}/u)
    assert.match(body, /before 31mred after[^]*before \\u202ereversed after[^]*a31m\\u202e topic/)
    assert.match(body, /and 👩‍👩‍👧 שלום stay/)
  }
  const told = (await readers[1]!.lines('the end')).filter(
    ({ retry, event }) => retry === undefined && event !== 'ping',
  )
  assert.deepEqual(
    told,
    eventsOf(frames!).filter(({ event }) => event !== 'ping'),
  )
  const inWords = lines[1]!
  assert.match(inWords, /tabs\tand/)
  assert.doesNotMatch(inWords, /\x7f/)
  // Nobody can look like another: the brackets are ours.
  assert.match(inWords, /lobby <a\\u003eb\\u003cc> before/)
  assert.ok(
    inWords
      .split('\n')
      .slice(0, -1)
      .every((line) => /^(# |\* |  |\d{4}-\d\d-\d\d \d\d:\d\d lobby <)/.test(line)),
    inWords,
  )
  for (const reader of readers) reader.leave()
})

test('HEAD gets the headers and an end; HTTP/1.0 gets lines without chunks', async (t) => {
  const chat = await startChat(t)
  for (const type of types) {
    const ask = (more = '') => `HEAD /events HTTP/1.1\r\nHost: localhost\r\nAccept: ${type}\r\n${more}\r\n`
    const back = (await RawConnection.ask(chat.url, ask() + ask('Connection: close\r\n'))).toString()
    assert.equal(back.match(/^HTTP\/1\.1 200 OK\r$/gm)!.length, 2)
    assert.equal(back.match(new RegExp(`^content-type: ${type}; charset=utf-8\r$`, 'gm'))!.length, 2)
    assert.ok(back.endsWith('\r\n\r\n'))

    const old = Reader.open(chat, type, { version: '1.0' })
    assert.match(await old.bodyWith(/ping|# up/), /^(\{"retry":\d+\}\n\{"event":"ping",.*\}\n|# up to date.*\n)$/)
    assert.equal(old.answer().headers.get('transfer-encoding'), undefined)
    old.leave()
  }
})

test('who logs out loses the stream of lines, and is answered 204 when it comes back; who may not read is refused', async (t) => {
  const chat = await startChat(t)
  for (const type of types) {
    const ada = await chat.comeIn(`ada ${type.length}`)
    const reader = Reader.open(chat, type, { headers: ada.headers })
    await reader.bodyWith(/ping|# up/)

    assert.equal((await ada.fetch('/session', { method: 'DELETE', headers: ours })).status, 204)

    assert.ok(await reader.until((all) => all.endsWith('\r\n0\r\n\r\n')), 'it was cut off, or goes on')
    reader.leave()
    assert.equal((await ada.fetch('/events', { headers: { accept: type } })).status, 204)
    assert.equal((await chat.fetch('/events?mine', { headers: { accept: type } })).status, 401)
    assert.equal((await chat.fetch('/events?room=nowhere', { headers: { accept: type } })).status, 404)
  }
})

test('streams of lines count like others, and one too many is told so and when to come back', async (t) => {
  const chat = await startChat(t, {
    limits: true,
    flags: ['--trust-proxy', 'loopback', '--streams-per-address', '2', '--allow-origin', 'https://other.example'],
  })
  const headers = { 'x-forwarded-for': '203.0.113.7', origin: 'https://other.example' }
  const open = types.map((type) => Reader.open(chat, type, { headers }))
  for (const reader of open) await reader.bodyWith(/ping|# up/)

  const program = Reader.open(chat, json, { headers })
  await program.until((all) => all.endsWith('\r\n0\r\n\r\n'))
  assert.match(
    program.body,
    /^\{"retry":\d{4,5}\}\n\{"comment":"there are 2 streams open from this address; close one, or come back later"\}\n$/,
  )
  assert.equal(program.answer().headers.get('access-control-allow-origin'), 'https://other.example')
  assert.match(program.text, /^vary: origin\r$/m)
  const person = Reader.open(chat, text, { headers })
  await person.until((all) => all.endsWith('\r\n0\r\n\r\n'))
  assert.equal(person.body, '# there are 2 streams open from this address; close one, or come back later\n')
  for (const reader of [...open, program, person]) reader.leave()
})

test('what is sent behind a stream of lines is cut off with it', async (t) => {
  const chat = await startChat(t)
  for (const type of types) {
    const post =
      'POST /rooms/lobby/messages HTTP/1.1\r\nHost: localhost\r\nAuthorization: Basic YWRhOg==\r\nContent-Length: 2\r\n\r\nhi'
    await RawConnection.ask(
      chat.url,
      `GET /rooms/lobby/messages HTTP/1.1\r\nHost: localhost\r\nAccept: ${type}\r\n\r\n${post}`,
    )
    assert.deepEqual((await chat.stranger.read<{ messages: unknown[] }>('/rooms/lobby/messages')).messages, [])
  }
})

/** A server whose streams are lines, of a hub; gives the stream of each request. */
async function serveLines(
  t: TestContext,
  type: LineType,
): Promise<{ hub: Hub; url: string; next: () => Promise<ServerSentEventsStream> }> {
  const hub = new Hub({ ring: 20_000 })
  const lines = new Lines()
  const streams: ServerSentEventsStream[] = []
  let wake = () => {}
  const server = createServer((request, response) => {
    streams.push(new ServerSentEventsStream(request, lines.respond(response, type)))
    wake()
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.after(() => {
    server.closeAllConnections()
    server.close()
  })
  const next = async () => {
    while (streams.length === 0) await new Promise<void>((resolve) => (wake = resolve))
    return streams.shift()!
  }
  return { hub, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, next }
}

test('a reader of lines that stops costs at most 256 KiB, whatever is said, and gets all of it when it reads on', async (t) => {
  for (const type of types) {
    const { hub, url, next } = await serveLines(t, type)
    const chunks: Buffer[] = []
    const socket = connect(Number(new URL(url).port), '127.0.0.1')
    t.after(() => socket.destroy())
    socket.on('data', (chunk: Buffer) => chunks.push(chunk))
    socket.write(`GET /events HTTP/1.1\r\nHost: localhost\r\nAccept: ${type}\r\nConnection: close\r\n\r\n`)
    const stream = await next()
    hub.follow(stream, ['lobby'])
    await once(socket, 'data')
    socket.pause()
    const ids: number[] = []
    let most = 0
    // The worst of texts: each of its characters is escaped. The system's own buffers take some
    // MB before anything waits here.
    for (let id = 1; id <= 500; id++) {
      const data = {
        id: String(id),
        room: 'lobby',
        from: { id: 'u_1', name: 'ada' },
        text: `${id} ${'\x9b'.repeat(4000)}`,
        at: '2026-11-21T00:00:00.000Z',
      }
      ids.push(hub.publish('lobby', { event: 'message', id, data }))
      if (id % 20 === 0) await new Promise(setImmediate)
      most = Math.max(most, stream.writableLength)
    }
    assert.equal(hub.stats().behind, 1, 'it has stopped')
    t.diagnostic(`${type}: ${Math.round(most / 1024)} KiB at the most`)
    assert.ok(most > 0 && most <= 256 * 1024, `${most} bytes`)

    socket.resume()
    while (hub.stats().behind > 0) await once(socket, 'data')
    stream.close()
    await once(socket, 'close')
    const { body } = readAnswer(Buffer.concat(chunks))
    const got = [
      ...body
        .toString()
        .matchAll(type === json ? /^\{"event":"message","id":"(\d+)"/gm : /lobby <ada> (\d+) (?:\\u009b){4000}$/gm),
    ].map(([, id]) => Number(id))
    assert.deepEqual(got, ids)
  }
})

test('readers who are given up or go away leave nothing behind', async (t) => {
  for (const type of types) {
    const { hub, url, next } = await serveLines(t, type)
    for (const end of ['destroy', 'leave']) {
      const reader = Reader.open({ url }, type)
      const stream = await next()
      hub.follow(stream, ['lobby'])
      await reader.bodyWith(/ping|# up/)
      if (end === 'destroy') stream.destroy()
      else reader.leave()
      await Promise.all([reader.over, stream.closed])
      assert.equal(hub.stats().streams, 0)
    }
  }
})

test('that a stream was answered is known before there is anything to read', async (t) => {
  const { url, next } = await serveLines(t, text)
  const reader = Reader.open({ url }, text)
  await next()
  assert.ok(await reader.until((all) => all.endsWith('\r\n\r\n')))
  assert.equal(reader.answer().headers.get('content-type'), 'text/plain; charset=utf-8')
  assert.equal(reader.body, '')
  reader.leave()
})

test('a quiet room shows no pings in a terminal, though bytes are sent', async (t) => {
  const { url, next } = await serveLines(t, text)
  const reader = Reader.open({ url }, text)
  const stream = await next()
  for (let id = 1; id <= 3; id++) stream.send({ event: 'ping', id, data: '{}' })
  stream.send({ event: 'leave', id: 4, data: { room: 'lobby', user: { id: 'u_1', name: 'ada' } } })

  assert.equal(
    await reader.bodyWith('left'),
    '# up to date; since=1 goes on from here; times are UTC\n\r\r* ada left lobby\n',
  )
  reader.leave()
})
