// Requests for all that there is, well framed, with what may be in them and what may not: by chance, and from a seed. What routes there
// are, and what each takes, is read from natter itself, so that nothing new is left out.

import { routes, type Route } from '../../lib/http/routes.ts'
import type { Chance } from './chance.ts'

/** Whom and what there is. */
export interface Known {
  /** Header of somebody who is known. */
  authorization: string
  /** The id of a message in the lobby. */
  message: string
  /** Somebody's id. */
  user: string
}

export interface FramedRequest {
  bytes: Buffer
  /** It may be the last on its connection: a stream, or what Node's parser refuses. */
  ends: boolean
}

// A name that nobody comes in by, or it would prove nothing any more and be refused.
const eve = `Authorization: Basic ${btoa('eve:')}\r\n`
const host = 'Host: localhost\r\n'

/** Names of people and rooms: plain ones, those that look like others, and what no name may have. */
const names = [
  'ada',
  'Ada',
  'admin',
  'judge',
  'bot',
  '',
  ' ',
  'x'.repeat(41),
  '京'.repeat(40),
  '😀'.repeat(41),
  'аda',
  'аdа',
  'αda',
  'ada\u2800',
  'ada\u{1d159}',
  'ada\u{16fe4}',
  'ada\u1680',
  'admi\u0307n',
  'ad\u00adа',
  'a\u200bda',
  'ｊudge',
  'ﬀ',
  'ſ',
  'room',
  'all',
  'everyone',
  'here',
  'me',
  'natter',
  '@ada',
  'a@b',
  'ada:',
  'a\u202eda',
  'a\u2066da',
  'a\u0085da',
  'a\u009bda',
  'a\x7fda',
  'a\u0000da',
  'ada\ud800',
  '\ufdfa'.repeat(40),
  '\ufdfa'.repeat(5000),
  'e' + '\u0301'.repeat(5000),
  '\u0130\u1e9e',
  '.',
  '..',
  '__proto__',
  'constructor',
  '1795219200000000',
  'u_1',
  '<script>',
  'a\r\nb',
]
const texts = [
  'hello',
  '',
  ' ',
  'é\u0301',
  '京'.repeat(50),
  '😀'.repeat(4000),
  'x'.repeat(4001),
  '\u0000',
  '\ud800',
  '\u2028\u2029',
  '\r\n\r\n',
  'a\rb\nc',
  '\u202e',
  '\u2066 \u2067 \u202a',
  '\u0080\u009b31m\u009f',
  '\x7f',
  '<script>',
  'data: x\n\nevent: y',
  '\ufeff',
  '\x7f\x1b[0m',
  'ﷺ'.repeat(100),
  '@room @ada @judge',
  '@'.repeat(50) + '京'.repeat(79),
  '@x'.repeat(2000),
  'a '.repeat(2000),
  '\u{20000}'.repeat(4000),
  '*'.repeat(4000),
  '`'.repeat(4000),
  'e' + '\u0301'.repeat(3999),
]
const emoji = [
  '👍',
  '👍🏽',
  '🏳️‍🌈',
  '🇫🇷',
  '❤',
  '❤️',
  '1️⃣',
  'x',
  '',
  '👍👍',
  '\u200d',
  '😀'.repeat(50),
  'é',
  '\u202e',
  '\u0085',
  '\ufe0f',
  '#️⃣',
  '🏴󠁧󠁢󠁥󠁮󠁧󠁿',
]
const ids = [
  '0',
  '1',
  '-1',
  '1795219200000000',
  '1795219200000001',
  '9'.repeat(15),
  '9'.repeat(16),
  '9'.repeat(30),
  '9007199254740993',
  '1e9',
  '0x1',
  '１',
  'u_1',
  'u_zzzzzzzz',
  'x',
]
const moments = [
  '0',
  '1',
  '-1',
  '-20',
  '-0',
  '-99999999',
  '1795219200000000',
  '1795219200000001',
  '9'.repeat(16),
  '9'.repeat(17),
  '9007199254740992',
  'all',
  'ALL',
  '10m',
  '90s',
  '1w',
  '10y',
  '0s',
  '999999999w',
  '2026-01-01',
  '2026-01-01T00:00:00Z',
  '2026-01-01T00:00:00+01:00',
  '2026-99-99T99:99Z',
  '+1',
  ' 1',
  '1,2',
  'nonsense',
  '',
  '\u0661',
  'é',
]
const counts = ['', '0', '1', '20', '200', '201', '99999999', '-1', '1e3', '1.5', 'NaN', 'x', '9'.repeat(400)]
const words = [
  'hello',
  'é',
  'é b',
  '"a b"',
  '"',
  '京',
  '北京 hello',
  'a '.repeat(300),
  'AND OR NOT NEAR(a b)',
  'text:hello',
  '*',
  '-x',
  '^x',
  '(',
  '\u0000',
  '\u202e',
  'x'.repeat(3000),
  '\ud800',
  '\ufdfa'.repeat(1000),
]
const strays = [
  'lobby',
  'nowhere',
  '',
  '.',
  '..',
  '%2e%2e',
  '%',
  '%ff',
  '%00',
  '%2f',
  '%E4%BA%AC',
  '%u0041',
  '%c2%9b',
  '%e2%80%ae',
  '__proto__',
  'a'.repeat(5000),
  "';--",
  '\\',
  '?',
  '#',
  '*',
  '%F0%9F%92%A9',
  '+',
  '%20',
  '&',
  '=',
]

const bodies = [
  '',
  '{',
  '{}',
  '[]',
  'null',
  '0',
  '"x"',
  '{"text":1}',
  '{"text":"a","text":"b"}',
  '{"__proto__":{"text":"a"}}',
  '{"text":"a","constructor":1}',
  '['.repeat(20_000),
  '{"a":'.repeat(9000),
  '{"text":"\\ud800"}',
  '{"text":"\\u0000"}',
  '\ufeff{}',
  ' '.repeat(60_000),
  `{"text":"${'\\u0041'.repeat(9000)}"}`,
]

const forwarded = [
  '203.0.113.7',
  '203.0.113.7, 10.0.0.1',
  '10.0.0.1, 203.0.113.7',
  '2001:db8::1',
  '[2001:db8::1]:443',
  '::ffff:203.0.113.7',
  '203.0.113.7:99',
  'unknown',
  '_hidden',
  '127.0.0.1',
  '',
  ',',
  ',,,',
  '%'.repeat(9000),
  '1'.repeat(9000),
  ','.repeat(9000),
  '[',
  '::',
  'fe80::1%eth0',
  `fe80::1%${'%'.repeat(5000)}`,
  'é',
  '203.0.113.007',
  '1.2.3',
]
const origins = [
  'http://evil.example',
  'null',
  'http://localhost',
  'https://localhost',
  'http://chat.example',
  'http://chat.example:80',
  'https://chat.example',
  '',
  'http://',
  'http://chat.example, http://evil.example',
  'HTTP://CHAT.EXAMPLE',
  'x'.repeat(5000),
]

/** Headers by name, each with what it may be given. */
const headers: Record<string, readonly string[]> = {
  Accept: [
    'text/event-stream',
    'text/html',
    'application/x-ndjson',
    'text/plain',
    '*/*;q=0.1',
    'text/event-stream;q=0',
    ',',
    'x'.repeat(3000),
  ],
  'Accept-Encoding': ['gzip', 'br', 'identity;q=0', '*'],
  Cookie: [
    'natter=' + 'A'.repeat(43),
    'natter=; natter=x;; =',
    '__Host-natter=x',
    `natter=${'x'.repeat(5000)}`,
    'natter_1=x; natter_2=y',
    'é=é',
  ],
  Authorization: [
    'Basic !!!!',
    'Basic',
    'Bearer x',
    'Bearer natter_x',
    `Basic ${btoa('ada:secret')}`,
    `Basic ${Buffer.from([0xff, 0x3a]).toString('base64')}`,
    `Basic ${btoa(':')}`,
    `Basic ${Buffer.from('аda:').toString('base64')}`,
    `Basic ${Buffer.from('a\u202eda:').toString('base64')}`,
    `Basic ${Buffer.from('room:').toString('base64')}`,
    `Basic ${Buffer.from(`${'\ufdfa'.repeat(3000)}:`).toString('base64')}`,
    'Digest x',
  ],
  Origin: origins,
  Referer: origins,
  'Sec-Fetch-Site': ['cross-site', 'same-site', 'same-origin', 'none', '', 'x'],
  'Sec-Fetch-Mode': ['navigate', 'no-cors', 'cors', 'websocket', ''],
  'Sec-Fetch-Dest': ['document', 'empty', 'image', 'iframe'],
  'Access-Control-Request-Method': ['POST', 'x'],
  'Access-Control-Request-Headers': ['cache-control, last-event-id', 'x'.repeat(3000)],
  'Idempotency-Key': ['k', 'k'.repeat(64), 'k'.repeat(65), '\xff', '', 'a b'],
  'Last-Event-ID': [...moments.filter(isAscii), 'nonsense', '9'.repeat(9000), '1, 2', '\xff'],
  'If-None-Match': ['*', '"x"', 'W/"x", "y"', '"'.repeat(3000)],
  'If-Modified-Since': ['Thu, 26 Nov 2026 00:00:00 GMT', 'x'],
  'Cache-Control': ['no-cache', 'no-store', 'max-age=0', 'x'.repeat(3000)],
  'Content-Type': [
    'application/json',
    'application/json; charset=x',
    'text/plain',
    'multipart/form-data; boundary=x',
    'application/x-www-form-urlencoded',
    '',
  ],
  'Content-Encoding': ['gzip', 'identity'],
  'X-Forwarded-For': forwarded,
  Forwarded: ['for=203.0.113.7', 'for="[2001:db8::1]";proto=https', ';'.repeat(5000)],
  'X-Real-IP': forwarded.slice(0, 8),
  'X-Forwarded-Host': ['evil.example', 'chat.example'],
  'X-Forwarded-Proto': ['https', 'http', 'x'],
  Expect: ['nothing', '100-continue', '100-Continue', ''],
  Upgrade: ['websocket\r\nConnection: Upgrade', 'h2c\r\nConnection: Upgrade, HTTP2-Settings\r\nHTTP2-Settings: x'],
  Connection: ['keep-alive', 'close', 'x'],
  Range: ['bytes=0-0'],
  X: ['y'.repeat(12_000)],
}

/** Besides ours. */
const hosts = [
  'chat.example',
  'chat.example:80',
  '127.0.0.1',
  '[::1]:1',
  'localhost.',
  'evil.example',
  'LOCALHOST',
  'a b',
  '',
  'localhost\r\nHost: localhost',
  'x'.repeat(3000),
]

// What is asked for most, and refused least.
const usual = routes.filter(
  ({ method, path }) => method === 'POST' && ['/rooms/:room/messages', '/session'].includes(path),
)
const fields = new Map(routes.map((route) => [route, fieldsOf(route)]))
const queries = new Map(routes.map((route) => [route, queryOf(route)]))
const otherPaths = [
  '/',
  '//',
  '/join',
  '/healthz',
  '/readyz',
  '/chat.js',
  '/index.html',
  '/rooms//',
  '/a/b/c/d/e/f',
  '//evil.example/',
  '/?',
  '/%',
  '/..%2f..%2fetc/passwd',
  '/static/',
  '/\xe9',
]

/**
 * A request that is framed as HTTP wants it, whatever is in it: it must get an answer. A third are of whoever is known by `authorization`, a
 * third of a guest without proof; and every third says something or comes in.
 */
export function framedRequest(chance: Chance, known: Known): FramedRequest {
  const route = chance.oneOf(chance.below(3) === 0 ? usual : routes)
  const plain = chance.below(4) > 0
  // Node's parser refuses what is not encoded, and closes the connection.
  const raw = chance.below(25) === 0
  const segment = (name: string) =>
    plain
      ? likely(chance, name, known)
      : chance.oneOf([() => chance.oneOf(strays), () => encoded(chance.oneOf(names), raw), () => chance.oneOf(ids)])()
  let path = route.path.replace(/:(\w+)/g, (_, name: string) => segment(name))
  if (chance.below(20) === 0) path = chance.oneOf(otherPaths)
  if (raw) path += chance.oneOf(['?q=é', '?q=a b', '/é', ' x', '?x=\t', '?x=\x7f', '?x=\u009b'])
  const query =
    chance.below(3) === 0
      ? '?' + Array.from({ length: 1 + chance.below(3) }, () => parameter(chance, route, raw)).join('&')
      : ''
  const method =
    chance.below(10) === 0
      ? chance.oneOf(['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'OPTIONS', 'PATCH', 'TRACE', 'PROPFIND', 'SEARCH'])
      : route.method
  let head = `${method} ${raw ? bytesOf(path + query) : path + query} HTTP/1.1\r\n${chance.below(40) === 0 ? `Host: ${chance.oneOf(hosts)}\r\n` : host}`
  head += chance.oneOf([eve, `Authorization: ${known.authorization}\r\n`, ''])
  for (let more = Math.max(0, chance.below(6) - 3); more > 0; more--) {
    const name = chance.oneOf(Object.keys(headers))
    head += `${name}: ${bytesOf(chance.oneOf(headers[name]!))}\r\n`
  }
  const takesBody = method !== 'GET' && method !== 'HEAD' && method !== 'TRACE'
  if (!takesBody) return { bytes: latin(head + '\r\n'), ends: true }
  const body = Buffer.from(bodyFor(chance, route, known))
  if (!head.includes('Content-Type')) head += `Content-Type: ${chance.oneOf(['application/json', 'text/plain'])}\r\n`
  if (chance.below(4) > 0)
    return { bytes: Buffer.concat([latin(`${head}Content-Length: ${body.length}\r\n\r\n`), body]), ends: raw }
  const cut = chance.below(body.length + 1)
  const chunks = [body.subarray(0, cut), body.subarray(cut)].filter((chunk) => chunk.length > 0)
  const chunked = chunks.flatMap((chunk) => [latin(chunk.length.toString(16) + '\r\n'), chunk, latin('\r\n')])
  return {
    bytes: Buffer.concat([latin(`${head}Transfer-Encoding: chunked\r\n\r\n`), ...chunked, latin('0\r\n\r\n')]),
    ends: raw,
  }
}

/** What a segment of that name mostly is. */
function likely(chance: Chance, name: string, { message, user }: Known): string {
  if (name === 'room') return chance.oneOf(['lobby', 'lobby', 'lobby', 'nowhere'])
  if (name === 'message') return chance.oneOf([message, message, '1'])
  if (name === 'emoji') return encodeURIComponent(chance.oneOf(emoji))
  if (name === 'user') return chance.oneOf(['me', 'ada', 'judge', user])
  return chance.oneOf(['1', message, user])
}

function parameter(chance: Chance, route: Route, raw: boolean): string {
  const name = chance.oneOf(
    chance.below(3) > 0 && queries.get(route)!.length > 0
      ? queries.get(route)!
      : [
          'since',
          'room',
          'mine',
          'last_event_id',
          'lastEventId',
          'Last-Event-ID',
          'evs_last_event_id',
          'before',
          'after',
          'around',
          'limit',
          'q',
          'from',
          'token',
          'password',
          '__proto__',
          'x',
        ],
  )
  return `${name}=${chance.below(6) === 0 ? chance.oneOf(strays) : encoded(chance.oneOf(chance.oneOf([moments, counts, words, names])), raw)}`
}

function bodyFor(chance: Chance, route: Route, known: Known): string {
  switch (chance.below(6)) {
    case 0:
      return chance.oneOf(bodies)
    case 1:
      return chance.oneOf(texts)
    case 2:
      return JSON.stringify({ name: chance.oneOf(names) + (chance.below(2) ? '' : chance.below(1e6)) })
    case 3:
      return JSON.stringify({ text: chance.oneOf(texts) + chance.below(1e6) })
    default:
      return JSON.stringify(
        Object.fromEntries(
          fields
            .get(route)!
            .filter(() => chance.below(3) > 0)
            .map(([name, kind]) => [name, valueFor(chance, name, kind, known)]),
        ),
      )
  }
}

function valueFor(chance: Chance, name: string, kind: string, { message, user }: Known): unknown {
  if (chance.below(10) === 0) return chance.oneOf([null, 0, -1, 1e21, true, '', [], {}, ['x'], 'x'.repeat(3000)])
  if (kind.startsWith('boolean')) return chance.oneOf([true, false])
  if (kind.startsWith('number')) return chance.oneOf([0, 1, 20, 21, -1, 1.5, 1e9, 2 ** 53])
  if (kind.startsWith('strings'))
    return chance.oneOf([[], ['read'], ['read', 'write'], ['lobby'], ['x'], Array<string>(300).fill('lobby')])
  if (name === 'text' || name === 'topic') return chance.oneOf(texts)
  if (name === 'id' || name === 'replyTo') return chance.oneOf([message, ...ids])
  if (name === 'user') return chance.oneOf([user, 'ada', 'judge', ...names])
  if (name === 'expires') return chance.oneOf(moments)
  if (name === 'kind' || name === 'role')
    return chance.oneOf(['open', 'private', 'direct', 'owner', 'admin', 'member', 'guest', 'bot', 'x'])
  if (name === 'rooms' || name === 'messages') return chance.oneOf(['archive', 'delete', 'x', ''])
  if (name === 'password' || name === 'current')
    return chance.oneOf([
      '',
      'short',
      'long enough to be one',
      'x'.repeat(5000),
      '\u0000'.repeat(10),
      'é'.repeat(30_000),
    ])
  return chance.oneOf(names)
}

// Which fields a body may have stands in the handler that reads it, with what each is.
function fieldsOf({ handler }: Route): [name: string, kind: string][] {
  return [...String(handler).matchAll(/readFields\(\w+, \{([^}]*)\}/g)].flatMap(([, inner]) =>
    [...inner!.matchAll(/(\w+): '(\w+\??)'/g)].map(([, name, kind]): [string, string] => [name!, kind!]),
  )
}

function queryOf({ handler }: Route): string[] {
  const code = String(handler)
  const destructured = /\{ ([\w, ]+) \} = Object\.fromEntries\(query\)/.exec(code)?.[1]?.split(', ') ?? []
  return [...new Set([...destructured, ...[...code.matchAll(/query(?:\.\w+\(|, )'(\w+)'/g)].map(([, name]) => name!)])]
}

// Without what would end the target, unless it is to be sent as it is.
function encoded(text: string, raw: boolean): string {
  return raw
    ? text.replace(/[\r\n]/g, '')
    : encodeURI(text.toWellFormed()).replaceAll(/[#?&]/g, (character) => encodeURIComponent(character))
}

function isAscii(text: string): boolean {
  return /^[\x20-\x7e]*$/.test(text)
}

/** As UTF-8, a character a byte. */
function bytesOf(text: string): string {
  return /[^\0-\xff]/.test(text) ? Buffer.from(text).toString('latin1') : text
}

function latin(text: string): Buffer {
  return Buffer.from(text, 'latin1')
}
