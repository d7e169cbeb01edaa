// The oracle itself, held against the examples and the rules of
// https://html.spec.whatwg.org/multipage/server-sent-events.html#event-stream-interpretation

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { EventStreamParser } from './event-stream-parser.ts'

function parse(...chunks: (string | Uint8Array)[]) {
  const parser = new EventStreamParser()
  const events = chunks.flatMap((chunk) => parser.push(Buffer.from(chunk)))
  return { parser, events, data: events.map(({ data }) => data) }
}

test('the examples of the specification mean what it says they mean', () => {
  assert.deepEqual(parse('data: YHOO\ndata: +2\ndata: 10\n\n').data, ['YHOO\n+2\n10'])
  const { events, parser } = parse(
    ': test stream\n\ndata: first event\nid: 1\n\ndata:second event\nid\n\ndata:  third event\n',
  )
  assert.deepEqual(events, [
    { event: 'message', data: 'first event', id: '1' },
    { event: 'message', data: 'second event', id: '' },
  ])
  assert.equal(parser.lastEventId, '')
  assert.deepEqual(parse('data\n\ndata\ndata\n\ndata:').data, ['', '\n'])
  assert.deepEqual(parse('data:test\n\ndata: test\n\n').data, ['test', 'test'])
})

test('CRLF, CR and LF end a line, in whatever chunks they come', () => {
  for (const end of ['\n', '\r', '\r\n']) {
    const text = `event: a${end}data: 1${end}data: 2${end}${end}data: 3${end}${end}`
    assert.deepEqual(parse(text).data, ['1\n2', '3'], JSON.stringify(end))
    assert.deepEqual(parse(...text).data, ['1\n2', '3'], JSON.stringify(end))
  }
  assert.deepEqual(parse('data: 1\r', '\n\r', '\n').data, ['1'])
  assert.deepEqual(parse('data: 1\r', '\n', '\n').data, ['1'])
  assert.deepEqual(parse('data: 1\r', '', '\n', 'data: 2\r\r').data, ['1\n2'])
})

test('one byte order mark is passed over, and only at the beginning', () => {
  assert.deepEqual(parse('\ufeffdata: 1\n\n').data, ['1'])
  assert.deepEqual(parse(...[...Buffer.from('\ufeffdata: 1\n\n')].map((byte) => Uint8Array.of(byte))).data, ['1'])
  assert.deepEqual(parse('\ufeff\ufeffdata: 1\n\ndata: 2\n\n').data, ['2'])
  assert.deepEqual(parse('data: 1\n\n\ufeffdata: 2\n\ndata: \ufeff3\n\n').data, ['1', '\ufeff3'])
})

test('bytes that are no UTF-8 become U+FFFD, and a character may be cut anywhere', () => {
  assert.deepEqual(parse(Uint8Array.of(...Buffer.from('data: a'), 0xff, ...Buffer.from('b\n\n'))).data, ['a\ufffdb'])
  const bytes = Buffer.from('data: 😀é京\n\n')
  for (let at = 0; at <= bytes.length; at++)
    assert.deepEqual(parse(bytes.subarray(0, at), bytes.subarray(at)).data, ['😀é京'])
})

test('an id with NUL, a retry that is no number and an unknown field are passed over', () => {
  const { parser, events } = parse(
    'id: 1\nid: 2\0\nretry: 10\nretry: 1x\nretry: -1\nretry\nDATA: no\ncolour: red\ndata: yes\n\n',
  )
  assert.deepEqual(events, [{ event: 'message', data: 'yes', id: '1' }])
  assert.equal(parser.retry, 10)
})

test('an id alone moves the cursor on; without data nothing is dispatched, and the event type is forgotten', () => {
  const { parser, events } = parse('id: 5\n\nevent: gone\n\ndata: a\n\n')
  assert.deepEqual(events, [{ event: 'message', data: 'a', id: '5' }])
  assert.equal(parser.lastEventId, '5')
  // The id counts from its blank line on, not before.
  assert.equal(parse('id: 5\n').parser.lastEventId, '')
})

test('what comes after the last blank line is no event', () => {
  assert.deepEqual(parse('data: 1\n\ndata: 2\n').data, ['1'])
})
