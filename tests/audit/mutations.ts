// Requests that are almost right, by chance and from a seed: the same seed makes the same requests.

import { routes } from '../../lib/http/routes.ts'

/** Numbers by chance that can be had again (mulberry32). */
export class Chance {
  #state: number

  constructor(seed: number) {
    this.#state = seed >>> 0
  }

  /** From 0 up to below `limit`. */
  below(limit: number): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * limit)
  }

  oneOf<T>(choices: readonly T[]): T {
    return choices[this.below(choices.length)]!
  }
}

const host = 'Host: localhost\r\n'
const ada = `Authorization: Basic ${btoa('ada:')}\r\n`

const segments = ['lobby', 'nowhere', '', '.', '..', '%2e%2e', '%', '%ff', '%00', '%2f', '%E4%BA%AC', '%u0041', '__proto__', 'constructor', '1795219200000000', '-1', '0', '9'.repeat(30), 'a'.repeat(5000), 'me', "';--", '\\', '?', '#', '*', '%F0%9F%92%A9']
const values = ['', '0', '1', '-1', '-20', '200', '1e9', '9'.repeat(16), '9'.repeat(400), 'NaN', 'null', 'all', '10m', '10y', '999999999w', '2026-01-01', '2026-99-99T99:99Z', 'lobby', '%00', '%ff', '+', 'ü', 'x'.repeat(3000)]
const names = ['since', 'room', 'mine', 'last_event_id', 'lastEventId', 'before', 'after', 'limit', '__proto__', 'x']
const texts = ['hello', '', ' ', 'é\u0301', '京'.repeat(50), '😀'.repeat(4000), 'x'.repeat(4001), '\u0000', '\ud800', '\u2028\u2029', '\r\n\r\n', 'a\rb\nc', '\u202e', '<script>', 'data: x\n\nevent: y', '\ufeff', '\x7f\x1b[0m', 'ﷺ'.repeat(100), '\u0130\u1e9e']
const bodies = ['', '{', '{}', '[]', 'null', '0', '"x"', '{"text":1}', '{"text":"a","text":"b"}', '{"__proto__":{"text":"a"}}', '{"text":"a","constructor":1}', '['.repeat(20_000), '{"text":"\\ud800"}', '{"text":"\\u0000"}', '{"name":""}', '{"text":"x","replyTo":"1"}', '{"text":"x","replyTo":"' + '9'.repeat(40) + '"}', '\ufeff{}', ' '.repeat(60_000)]
const headers = [
  'Accept: text/event-stream', 'Accept: text/html', 'Accept: */*;q=0.1', 'Cookie: natter=' + 'A'.repeat(43), 'Cookie: natter=; natter=x;; =', 'Authorization: Basic !!!!', 'Authorization: Bearer x',
  `Authorization: Basic ${btoa('ada:secret')}`, `Authorization: Basic ${Buffer.from([0xff, 0x3a]).toString('base64')}`, `Authorization: Basic ${btoa(':')}`, 'Origin: http://evil.example', 'Origin: null',
  'Sec-Fetch-Site: cross-site', 'Sec-Fetch-Site: same-origin', 'Idempotency-Key: k', 'Idempotency-Key: ' + 'k'.repeat(65), 'Idempotency-Key: \xff', 'Last-Event-ID: 1', 'Last-Event-ID: nonsense', 'Last-Event-ID: ' + '9'.repeat(9000),
  'If-None-Match: *', 'Content-Type: application/json', 'Content-Type: application/json; charset=x', 'X: ' + 'y'.repeat(12_000), 'Expect: nothing', 'Expect: 100-continue', 'Upgrade: websocket\r\nConnection: Upgrade', 'Connection: keep-alive',
]

// What is asked for most, and refused least.
const usual = routes.filter(({ method, path }) => method === 'POST' && ['/rooms/:room/messages', '/session'].includes(path))

/**
 * A request that is framed as HTTP wants it, whatever is in it: it must get an answer. `ends` says that it may be the last. A third are of
 * whoever is known by `authorization`, a third of a guest without proof; and every third says something or comes in.
 */
export function framedRequest(chance: Chance, authorization: string): { bytes: Buffer; ends: boolean } {
  const route = chance.oneOf(chance.below(3) === 0 ? usual : routes)
  const plain = chance.below(4) > 0
  let path = route.path.replace(/:\w+/g, () => (plain ? chance.oneOf(['lobby', 'lobby', 'lobby', 'me', '1']) : encodeSpaces(chance.oneOf(segments))))
  if (chance.below(20) === 0) path = chance.oneOf(['/', '//', '/healthz', '/readyz', '/chat.js', '/index.html', '/rooms//', '/a/b/c/d/e/f', '//evil.example/', '/?', '/%', '/..%2f..%2fetc/passwd'])
  const query = chance.below(3) === 0 ? '?' + Array.from({ length: 1 + chance.below(3) }, () => `${chance.oneOf(names)}=${encodeSpaces(chance.oneOf(values))}`).join('&') : ''
  const method = chance.below(10) === 0 ? chance.oneOf(['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'OPTIONS', 'PATCH', 'TRACE', 'PROPFIND']) : route.method
  let head = `${method} ${path}${query} HTTP/1.1\r\n${host}`
  head += chance.oneOf([ada, `Authorization: ${authorization}\r\n`, ''])
  for (let more = Math.max(0, chance.below(6) - 3); more > 0; more--) head += chance.oneOf(headers) + '\r\n'
  const takesBody = method !== 'GET' && method !== 'HEAD' && method !== 'TRACE'
  if (!takesBody) return { bytes: latin(head + '\r\n'), ends: true }
  const body = Buffer.from(bodyOf(chance))
  if (!head.includes('Content-Type')) head += `Content-Type: ${chance.oneOf(['application/json', 'text/plain'])}\r\n`
  if (chance.below(4) > 0) return { bytes: Buffer.concat([latin(`${head}Content-Length: ${body.length}\r\n\r\n`), body]), ends: false }
  const cut = chance.below(body.length + 1)
  const chunks = [body.subarray(0, cut), body.subarray(cut)].filter((chunk) => chunk.length > 0)
  const chunked = chunks.flatMap((chunk) => [latin(chunk.length.toString(16) + '\r\n'), chunk, latin('\r\n')])
  return { bytes: Buffer.concat([latin(`${head}Transfer-Encoding: chunked\r\n\r\n`), ...chunked, latin('0\r\n\r\n')]), ends: false }
}

const pieces = ['\r\n', '\r', '\n', '\r\n\r\n', '\0', ' ', '\t', ':', ';', ',', '%', '//', 'HTTP/1.1', 'HTTP/1.0', 'HTTP/9.9', 'Content-Length: 5\r\n', 'Content-Length: -1\r\n', 'Content-Length: 99999999999999999999\r\n',
  'Transfer-Encoding: chunked\r\n', 'Transfer-Encoding: gzip, chunked\r\n', 'Transfer-Encoding: chunked, identity\r\n', 'Host: evil.example\r\n', host, 'Connection: close\r\n', 'Expect: 100-continue\r\n', 'ffffffffffffffff\r\n', '0\r\n\r\n', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
  'CONNECT localhost:1 HTTP/1.1\r\n', 'GET http://evil.example/ HTTP/1.1\r\n', '\xff\xfe', '\xc0\x80', '\xed\xa0\x80', 'A'.repeat(20_000)]

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

function bodyOf(chance: Chance): string {
  switch (chance.below(5)) {
    case 0:
      return chance.oneOf(bodies)
    case 1:
      return chance.oneOf(texts)
    case 2:
      return JSON.stringify({ name: chance.oneOf(texts) + chance.below(1e6) })
    default:
      return JSON.stringify({ text: chance.oneOf(texts) + chance.below(1e6) })
  }
}

// A space would end the target.
function encodeSpaces(text: string): string {
  return text.replaceAll(' ', '%20')
}

function latin(text: string): Buffer {
  return Buffer.from(text, 'latin1')
}
