// What a stream can be fed from, and that a source goes no faster than its reader and no longer than it stays.

import assert from 'node:assert/strict'
import { Readable } from 'node:stream'
import { test, type TestContext } from 'node:test'
import type { ServerSentEventsStream, StreamSource } from '../../lib/sse/server-sent-events-stream.ts'
import { Listener } from '../chat-server.ts'
import { RawConnection } from '../raw-connection.ts'
import { serveStreams, turn } from './serve.ts'

async function start(t: TestContext): Promise<{ stream: ServerSentEventsStream; reader: Listener }> {
  const served = await serveStreams(t)
  const [reader, { stream }] = await Promise.all([Listener.open(served.url), served.next()])
  return { stream, reader }
}

/** What a reader gets of a source, piece by piece. */
async function read(t: TestContext, source: StreamSource): Promise<string[]> {
  const { stream, reader } = await start(t)
  await stream.pipe(source)
  assert.equal(stream.open, true)
  stream.close()
  await reader.over
  return reader.all.map(({ data }) => data)
}

test('a source may be a list, a generator, a Node stream or a web stream', async (t) => {
  async function* tokens() {
    yield 'Hel'
    await turn()
    yield 'lo\nthere'
  }
  assert.deepEqual(await read(t, tokens()), ['Hel', 'lo\nthere'])
  assert.deepEqual(await read(t, ['a', 'b']), ['a', 'b'])
  assert.deepEqual(await read(t, new Set(['a', ''])), ['a'])
  assert.deepEqual(await read(t, Readable.from([Buffer.from('a'), Buffer.from('b')])), ['a', 'b'])
  assert.deepEqual(await read(t, ReadableStream.from([Buffer.from('a'), new Uint8Array([98])])), ['a', 'b'])
  assert.deepEqual(await read(t, new Response('body').body!), ['body'])
})

test('a source may give whole events', async (t) => {
  const { stream, reader } = await start(t)
  await stream.pipe([{ event: 'price', id: 7, data: { symbol: 'ACME' } }, { data: 'plain' }])
  stream.close()
  await reader.over
  assert.deepEqual(reader.all, [
    { event: 'price', data: '{"symbol":"ACME"}', id: '7' },
    { event: 'message', data: 'plain', id: '7' },
  ])
})

test('characters that are cut between two pieces of bytes arrive whole', async (t) => {
  const text = 'naïve 漢字 🦔\n'
  const bytes = [...Buffer.from(text)].map((byte) => new Uint8Array([byte]))
  assert.deepEqual((await read(t, bytes)).join(''), [...text].join(''))
})

test('what a source throws comes out of pipe, after what it gave, and the stream lives on', async (t) => {
  const { stream, reader } = await start(t)
  async function* failing() {
    yield 'one'
    throw new Error('the model is overloaded')
  }
  for (const source of [failing(), Readable.from(failing()), ReadableStream.from(failing())]) {
    await assert.rejects(stream.pipe(source), /the model is overloaded/)
    stream.send({ data: 'sorry' })
    assert.deepEqual(
      (await reader.take('message', 2)).map(({ data }) => data),
      ['one', 'sorry'],
    )
  }
})

test("an item that can't be sent comes out of pipe as an error, and the source is told to return", async (t) => {
  const { stream } = await start(t)
  let returned = false
  async function* wrong() {
    try {
      yield { event: 'two\nlines' }
    } finally {
      returned = true
    }
  }
  await assert.rejects(stream.pipe(wrong()), TypeError)
  await turn()
  assert.equal(returned, true)
})

test('when its reader leaves a source is told to return, and nothing more is taken from it', async (t) => {
  const { stream, reader } = await start(t)
  const { promise: returned, resolve } = Promise.withResolvers<void>()
  let taken = 0
  async function* endless() {
    try {
      for (;;) {
        taken++
        yield 'x'
        await turn()
      }
    } finally {
      resolve()
    }
  }
  const piping = stream.pipe(endless())
  await reader.take('message', 3)
  reader.leave()
  await piping
  await returned

  const then = taken
  await turn()
  assert.equal(taken, then)
})

test('a source that hangs holds nobody: pipe is over when the reader has left', async (t) => {
  const sources: Record<string, (ended: () => void) => StreamSource> = {
    // A generator can't be told before its own await is over; whoever writes one gives that await a signal.
    generator: (ended) =>
      (async function* () {
        ended()
        await new Promise(() => {})
        yield ''
      })(),
    'Node stream': (ended) =>
      new Readable({
        read() {},
        destroy(error, callback) {
          ended()
          callback(error)
        },
      }),
    'web stream': (ended) => new ReadableStream<string>({ cancel: ended }),
  }
  for (const [name, make] of Object.entries(sources)) {
    const { stream, reader } = await start(t)
    const ended = Promise.withResolvers<void>()
    const piping = stream.pipe(make(ended.resolve))
    await turn()
    reader.leave()
    await piping
    assert.equal(stream.open, false, name)
    await ended.promise
  }
})

test('a stream that we close ourselves lets go of its source as well', async (t) => {
  const { stream } = await start(t)
  const piping = stream.pipe(new ReadableStream<string>())
  await turn()
  stream.close()
  await piping
})

test('a source goes no faster than its reader', async (t) => {
  const served = await serveStreams(t)
  const reader = new RawConnection(served.url)
  t.after(() => reader.leave())
  reader.socket.pause()
  reader.send('GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n')
  const { stream } = await served.next()
  const block = 'x'.repeat(1024 * 1024)
  const count = 40 // megabytes, of which the system's own buffers hold a few
  let taken = 0
  function* blocks() {
    for (; taken < count; taken++) yield block
  }

  const piping = stream.pipe(blocks())
  let before = -1
  while (taken !== before || !stream.writableNeedDrain) {
    before = taken
    for (let turns = 0; turns < 20; turns++) await turn()
  }
  assert.ok(taken < count / 2, `${taken} of ${count} were taken with nobody reading`)
  assert.ok(stream.writableLength <= block.length * 2)

  reader.socket.resume()
  await piping
  stream.close()
  await reader.over
  assert.equal(taken, count)
  assert.equal(reader.answer().chunks.length, count + 1)
})
