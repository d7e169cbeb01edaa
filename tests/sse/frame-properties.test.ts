// What must hold for a frame of any event whatever.

import assert from 'node:assert/strict'
import { encodeComment, encodeFrame, type StreamEvent } from '../../lib/sse/frame.ts'
import { EventStreamParser, type ParsedEvent } from '../event-stream-parser.ts'
import { property } from '../random.ts'
import { asRead, anyEvent } from './any-event.ts'

property('the parser reads back what was encoded, in whatever chunks it comes', (random) => {
  for (let round = 0; round < 300; round++) {
    const parser = new EventStreamParser()
    const sent: StreamEvent[] = []
    const bytes: Uint8Array[] = []
    for (let count = random.between(1, 8); count > 0; count--) {
      if (random.chance(0.2)) bytes.push(encodeComment(random.text()))
      const event = anyEvent(random)
      sent.push(event)
      bytes.push(encodeFrame(event))
    }

    const read: ParsedEvent[] = []
    for (const chunk of random.chunks(Buffer.concat(bytes))) read.push(...parser.push(chunk))

    const expected = asRead(sent)
    assert.deepEqual(read, expected.events)
    assert.equal(parser.lastEventId, expected.lastEventId)
    assert.equal(parser.retry, expected.retry)
  }
})

property('the bytes of any event hold exactly one blank line, at the end, no CR, and UTF-8', (random) => {
  for (let round = 0; round < 2000; round++) {
    const bytes = random.chance(0.2) ? encodeComment(random.text()) : encodeFrame(anyEvent(random))
    const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)

    assert.ok(!text.includes('\r'), JSON.stringify(text))
    assert.ok(text === '\n' || text.indexOf('\n\n') === text.length - 2, JSON.stringify(text))
    for (const line of text.split('\n')) assert.match(line, /^$|^(retry: \d+|event: [^]+|id: [^]+|data: [^]*|: [^]*)$/)
    assert.notEqual(text.charCodeAt(0), 0xfeff)
  }
})
