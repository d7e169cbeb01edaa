// Frames as bytes: https://html.spec.whatwg.org/multipage/server-sent-events.html#parsing-an-event-stream

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { encodeComment, encodeFrame, type StreamEvent } from '../../lib/sse/frame.ts'
import { EventStreamParser } from '../event-stream-parser.ts'

function frame(event: StreamEvent): string {
  return encodeFrame(event).toString()
}

test('a frame has retry, event, id and data in this order, LF line ends, and one blank line at its end', () => {
  assert.equal(
    frame({ data: 'hello', id: 7, event: 'message', retry: 3000 }),
    'retry: 3000\nevent: message\nid: 7\ndata: hello\n\n',
  )
  assert.equal(frame({ retry: 3000 }), 'retry: 3000\n\n')
  assert.equal(frame({ id: 7 }), 'id: 7\n\n')
  assert.equal(frame({ data: '' }), 'data: \n\n')
  assert.equal(frame({}), '\n')
})

test('an event without data is dispatched all the same', () => {
  assert.equal(frame({ event: 'ping' }), 'event: ping\ndata: \n\n')
  assert.deepEqual(new EventStreamParser().push(encodeFrame({ event: 'ping' })), [{ event: 'ping', data: '', id: '' }])
})

test('a text splits at CRLF, CR and LF, and at nothing else', () => {
  assert.equal(frame({ data: 'a\nb\rc\r\nd' }), 'data: a\ndata: b\ndata: c\ndata: d\n\n')
  assert.equal(frame({ data: 'a\n' }), 'data: a\ndata: \n\n')
  assert.equal(frame({ data: '\n' }), 'data: \ndata: \n\n')
  assert.equal(frame({ data: 'a\n\rb' }), 'data: a\ndata: \ndata: b\n\n')
  for (const kept of ['\u2028', '\u2029', '\u0085', '\x0b', '\x0c', '\x1c', '\x1d', '\x1e', '\0']) {
    assert.equal(frame({ data: `a${kept}b` }), `data: a${kept}b\n\n`, JSON.stringify(kept))
  }
})

test('there is a space behind each colon, so that none of the text is eaten', () => {
  for (const data of [' a', '  a', ' ', '\n a\n  b', '\ta', ': a']) {
    assert.deepEqual(
      new EventStreamParser().push(encodeFrame({ data })).map((event) => event.data),
      [data],
      JSON.stringify(data),
    )
  }
})

test('a frame never has a byte order mark of its own, nor an empty id', () => {
  assert.equal(encodeFrame({ data: 'a' })[0], 'd'.charCodeAt(0))
  assert.throws(() => frame({ id: '', data: 'a' }), TypeError)
  assert.throws(() => frame({ event: '', data: 'a' }), TypeError)
  assert.equal(frame({ id: 0, data: 'a' }), 'id: 0\ndata: a\n\n')
})

test('a line end or NUL in event or id is refused: nothing can be smuggled in as another field', () => {
  for (const bad of ['\n', '\r', '\r\n', '\0', 'a\ndata: evil', 'a\rid: 7', 'a\n\ndata: evil', '7\0']) {
    assert.throws(() => frame({ event: bad, data: 'x' }), TypeError, `event ${JSON.stringify(bad)}`)
    assert.throws(() => frame({ id: bad, data: 'x' }), TypeError, `id ${JSON.stringify(bad)}`)
  }
  // What ends no line for a parser is no danger in a field.
  assert.equal(frame({ event: 'a\u2028b', id: 'c\u0085d' }), 'event: a\u2028b\nid: c\u0085d\ndata: \n\n')
})

test('retry is a whole number of milliseconds', () => {
  for (const retry of [-1, 1.5, NaN, Infinity, 2 ** 53, '1\nid: 7' as unknown as number, null as unknown as number]) {
    assert.throws(() => frame({ retry }), TypeError, String(retry))
  }
  assert.equal(frame({ retry: 0 }), 'retry: 0\n\n')
})

test('what is no string goes as JSON, on one line', () => {
  assert.equal(frame({ data: { text: 'a\nb\u2028', n: null } }), 'data: {"text":"a\\nb\\u2028","n":null}\n\n')
  assert.equal(
    frame({ data: '\x7f\x80\x85\x9f\u2029\u202a\u202e\u2066\u2069\x0b\x0c'.split('') }),
    'data: ["\\u007f","\\u0080","\\u0085","\\u009f","\\u2029","\\u202a","\\u202e","\\u2066","\\u2069","\\u000b","\\f"]\n\n',
  )
  assert.equal(frame({ data: null }), 'data: null\n\n')
  assert.equal(frame({ data: 0 }), 'data: 0\n\n')
  for (const data of [() => {}, Symbol('x'), 7n]) assert.throws(() => frame({ data }), TypeError)
})

test('every line of a comment is marked as one', () => {
  assert.equal(encodeComment('hello').toString(), ': hello\n\n')
  assert.equal(encodeComment('a\ndata: evil\r\n\r\nid: 7\rb').toString(), ': a\n: data: evil\n: \n: id: 7\n: b\n\n')
  assert.equal(encodeComment('').toString(), ': \n\n')
  const parser = new EventStreamParser()
  assert.deepEqual(parser.push(encodeComment('a\ndata: evil\n\nid: 7\rretry: 1\n\n')), [])
  assert.deepEqual([parser.lastEventId, parser.retry], ['', undefined])
})
