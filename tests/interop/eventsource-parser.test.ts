// The second oracle: eventsource-parser, which most programs outside a browser read event streams with.

import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { encodeComment, encodeFrame, type StreamEvent } from '../../lib/sse/frame.ts'
import { startChat } from '../chat-server.ts'
import { EventStreamParser, type ParsedEvent } from '../event-stream-parser.ts'
import { install } from '../install.ts'
import { property, type Random } from '../random.ts'
import { anyEvent, asRead } from '../sse/any-event.ts'

/** What we use of it. */
interface EventSourceParser {
  createParser(callbacks: {
    onEvent(event: { event?: string; data: string }): void
    onId(id: string): void
    onRetry(retry: number): void
  }): { feed(text: string): void }
}

let installing: Promise<string | false> | undefined

async function oracle(t: TestContext): Promise<EventSourceParser | undefined> {
  const why = await (installing ??= install(new URL('.', import.meta.url)))
  if (why) return void t.skip(why)
  // By a name that tsc does not follow: it is installed only when this runs.
  const name: string = './node_modules/eventsource-parser/dist/index.js'
  return (await import(name)) as EventSourceParser
}

/** Reads chunks as a program would that decodes them on the way. */
function readAll({ createParser }: EventSourceParser, chunks: readonly Uint8Array[]) {
  const events: ParsedEvent[] = []
  let lastEventId = ''
  let retry: number | undefined
  const parser = createParser({
    onEvent: ({ event = 'message', data }) => events.push({ event, data, id: lastEventId }),
    onId: (id) => (lastEventId = id),
    onRetry: (given) => (retry = given),
  })
  // The parser wants to see the byte order mark itself.
  const decoder = new TextDecoder('utf-8', { ignoreBOM: true })
  for (const chunk of chunks) parser.feed(decoder.decode(chunk, { stream: true }))
  return { events, lastEventId, retry }
}

function readOurselves(chunks: readonly Uint8Array[]) {
  const parser = new EventStreamParser()
  const events = chunks.flatMap((chunk) => parser.push(chunk))
  return { events, lastEventId: parser.lastEventId, retry: parser.retry }
}

property('eventsource-parser reads back all that was encoded, in whatever chunks it comes', async (random, t) => {
  const library = await oracle(t)
  if (!library) return
  for (let round = 0; round < 500; round++) {
    const sent: StreamEvent[] = []
    const bytes: Uint8Array[] = []
    for (let count = random.between(1, 8); count > 0; count--) {
      if (random.chance(0.2)) bytes.push(encodeComment(random.text()))
      const event = anyEvent(random)
      sent.push(event)
      bytes.push(encodeFrame(event))
    }

    assert.deepEqual(readAll(library, random.chunks(Buffer.concat(bytes))), asRead(sent))
  }
})

property('eventsource-parser and the parser in these tests agree on any bytes at all', async (random, t) => {
  const library = await oracle(t)
  if (!library) return
  for (let round = 0; round < 1000; round++) {
    const bytes = Buffer.from(anyStream(random))
    if (random.chance(0.1)) bytes[random.below(bytes.length)] = 0xff // no UTF-8

    assert.deepEqual(
      readAll(library, random.chunks(bytes)),
      readOurselves(random.chunks(bytes)),
      JSON.stringify(bytes.toString()),
    )
  }
})

function anyStream(random: Random): string {
  const fields = ['data', 'event', 'id', 'retry', 'date', '', ' data', 'DATA']
  const ends = ['\n', '\r', '\r\n', '\n\n', '\r\r', '\r\n\r\n']
  const lines = random.times(12, () => {
    const value = random.chance(0.2) ? String(random.below(1000)) : random.text(3)
    return random.pick(fields) + random.pick(['', ':', ': ', ':  ']) + value + random.pick(ends)
  })
  return (random.chance(0.2) ? '\ufeff' : '') + lines.join('') + 'data: end\n\n'
}

test('eventsource-parser reads a whole chat as it was said', async (t) => {
  const library = await oracle(t)
  if (!library) return
  const chat = await startChat(t)
  const ada = await chat.comeIn('ada')
  const reader = await chat.stranger.listen({ path: '/events?since=all' })
  const said = []
  for (const text of ['hello', ' a\n\n b\n', 'a\u2028b\u0085c', '👩‍👩‍👧 京 ไทย', 'data: x\nid: 7'])
    said.push(await ada.say('lobby', text))
  await reader.texts(said.length)

  const { events, lastEventId } = readAll(library, [reader.bytes])

  assert.deepEqual(
    events.filter(({ event }) => event === 'message').map(({ data }) => JSON.parse(data)),
    said,
  )
  assert.equal(lastEventId, said.at(-1)!.id)
})
