// Bytes of requests, made almost right.

import type { Chance } from './chance.ts'

const pieces = [
  '\r\n',
  '\r',
  '\n',
  '\r\n\r\n',
  '\0',
  ' ',
  '\t',
  ':',
  ';',
  ',',
  '%',
  '//',
  'HTTP/1.1',
  'HTTP/1.0',
  'HTTP/9.9',
  'Content-Length: 5\r\n',
  'Content-Length: -1\r\n',
  'Content-Length: 99999999999999999999\r\n',
  'Transfer-Encoding: chunked\r\n',
  'Transfer-Encoding: gzip, chunked\r\n',
  'Transfer-Encoding: chunked, identity\r\n',
  'Host: evil.example\r\n',
  'Host: localhost\r\n',
  'Connection: close\r\n',
  'Expect: 100-continue\r\n',
  'ffffffffffffffff\r\n',
  '0\r\n\r\n',
  'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
  'CONNECT localhost:1 HTTP/1.1\r\n',
  'GET http://evil.example/ HTTP/1.1\r\n',
  '\xff\xfe',
  '\xc0\x80',
  '\xed\xa0\x80',
  'A'.repeat(20_000),
]

/** The bytes with some of them changed, removed, doubled or put in between. */
export function mutate(bytes: Buffer, chance: Chance): Buffer {
  let mutated = bytes
  for (let left = 1 + chance.below(4); left > 0; left--) {
    const at = chance.below(mutated.length + 1)
    const to = Math.min(mutated.length, at + 1 + chance.below(chance.below(4) === 0 ? 200 : 4))
    const [before, part, after] = [mutated.subarray(0, at), mutated.subarray(at, to), mutated.subarray(to)]
    switch (chance.below(6)) {
      case 0:
        mutated = Buffer.concat([before, after])
        break
      case 1:
        mutated = Buffer.concat([before, part, part, after])
        break
      case 2:
        mutated = Buffer.concat([before, Buffer.from(part.map((byte) => byte ^ (1 << chance.below(8)))), after])
        break
      case 3:
        mutated = Buffer.concat([before, Buffer.from(part.map(() => chance.below(256))), after])
        break
      case 4:
        mutated = Buffer.concat([before, latin(chance.oneOf(pieces)), part, after])
        break
      default:
        mutated = before.length > 0 ? before : after
    }
  }
  return mutated
}

function latin(text: string): Buffer {
  return Buffer.from(text, 'latin1')
}
