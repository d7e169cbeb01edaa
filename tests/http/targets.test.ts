// Whatever is asked for, by whatever method, there is an answer that says what it is.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startChat } from '../chat-server.ts'
import { property, type Random } from '../random.ts'
import { RawConnection, readAnswer } from '../raw-connection.ts'

const defined = [200, 201, 204, 400, 401, 403, 404, 405, 409, 413, 421, 431]

/** Only the head is waited for: a stream has no end. */
async function headOf(url: string, request: Buffer) {
  const connection = new RawConnection(url)
  connection.send(request)
  await connection.until((text) => text.includes('\r\n\r\n'))
  connection.leave()
  return readAnswer(connection.bytes)
}

property('any request target gets a defined status: no redirect, no failure of ours, no silence', async (random, t) => {
  const chat = await startChat(t)
  const { url } = chat
  await (await chat.comeIn('ada')).say('lobby', 'hello')
  let asked = 0
  const until = performance.now() + 4000
  while (asked < 1000 && performance.now() < until) {
    const requests = Array.from(
      { length: 20 },
      () =>
        `${random.pick(methods)} ${anyTarget(random)} HTTP/1.1\r\nHost: localhost\r\n${random.some(someHeaders).join('')}Connection: close\r\n\r\n`,
    )
    await Promise.all(
      requests.map(async (request) => {
        const { status, headers } = await headOf(url, Buffer.from(request, 'latin1'))
        assert.ok(defined.includes(status), `${status} for ${JSON.stringify(request)}`)
        assert.equal(headers.get('location'), undefined, JSON.stringify(request))
        if (status >= 400)
          assert.equal(headers.get('content-type'), 'application/problem+json', JSON.stringify(request))
        if (status === 405) assert.match(headers.get('allow') ?? '', /^[A-Z]+(, [A-Z]+)*$/)
      }),
    )
    asked += requests.length
  }
  assert.ok(asked >= 100, `${asked} asked`)
  assert.equal((await chat.fetch('/healthz')).status, 200)
  assert.equal(chat.errors, '')
  assert.deepEqual((await chat.stranger.read<{ rooms: unknown[] }>('/rooms')).rooms.length, 1)
})

const methods = [
  'GET',
  'GET',
  'GET',
  'GET',
  'HEAD',
  'POST',
  'PUT',
  'PATCH',
  'DELETE',
  'OPTIONS',
  'TRACE',
  'PROPFIND',
  'QUERY',
  'M-SEARCH',
  'PURGE',
  'LINK',
]
const someHeaders = [
  'Accept: text/event-stream\r\n',
  'Accept: text/html\r\n',
  'Authorization: Basic YWRhOg==\r\n',
  'Authorization: Bearer x\r\n',
  'Authorization: Basic AAAA\r\n',
  'Cookie: natter=x\r\n',
  `Cookie: natter=${'A'.repeat(43)}\r\n`,
  'Content-Type: application/json\r\n',
  'Last-Event-ID: 1\r\n',
  'Origin: null\r\n',
  'Range: bytes=0-\r\n',
  'If-None-Match: *\r\n',
  'Upgrade: websocket\r\n',
  'Accept-Encoding: gzip\r\n',
  'Idempotency-Key: \xff\r\n',
  'Sec-Fetch-Site: same-origin\r\n',
  'X-HTTP-Method-Override: DELETE\r\n',
  'Content-Encoding: gzip\r\n',
]

const segments = [
  'events',
  'rooms',
  'lobby',
  'messages',
  'members',
  'me',
  'session',
  'healthz',
  'readyz',
  'index.html',
  'chat.js',
  '',
  '.',
  '..',
  '%2e%2e',
  '%2f',
  '%00',
  '%',
  '%f',
  '%ff',
  '%ED%A0%80',
  '%zz',
  '+',
  '\\',
  '\\evil.example',
  '@evil.example',
  ':80',
  'evil.example',
  '__proto__',
  'constructor',
  '*',
  '~',
  '1',
  '9999999999999999',
  '-1',
  '%E4%BA%AC',
  '\xe4\xba\xac',
  "'",
  '"',
  '<script>',
  'a;b',
  '$',
  '|',
  'x'.repeat(5000),
]
const queries = ['since', 'room', 'mine', 'last_event_id', 'before', 'after', 'limit', '__proto__', '', 'q']

function anyTarget(random: Random): string {
  if (random.chance(0.05))
    return random.pick([
      '*',
      'http://evil.example/',
      'https://localhost/rooms',
      'localhost:80',
      '',
      '?',
      '#',
      '//',
      '///',
      '/?/',
      '/#/rooms',
      '\\',
      'rooms',
      '..',
      'file:///etc/passwd',
      '/\x7f',
      '/\x80',
    ])
  let target =
    random
      .times(5, () => `/${random.chance(0.05) ? random.text(3).replace(/[ \r\n]/g, '') : random.pick(segments)}`)
      .join('') || '/'
  if (random.chance(0.4))
    target += `?${random.times(3, () => `${random.pick(queries)}${random.pick(['', '='])}${random.pick(segments)}`).join('&')}`
  if (random.chance(0.05)) target += `#${random.pick(segments)}`
  return target
}

test('a method that a place does not know is told which ones it does', async (t) => {
  const chat = await startChat(t)
  for (const [path, allowed] of [
    ['/events', 'GET, HEAD'],
    ['/session', 'GET, HEAD, POST, DELETE'],
    ['/rooms', 'GET, HEAD, POST'],
    ['/rooms/lobby', 'GET, HEAD, PATCH, DELETE'],
    ['/rooms/lobby/messages', 'GET, HEAD, POST'],
    ['/rooms/lobby/members', 'GET, HEAD'],
    ['/rooms/lobby/members/me', 'PUT, DELETE'],
    ['/', 'GET, HEAD'],
    ['/healthz', 'GET, HEAD'],
    ['/readyz', 'GET, HEAD'],
    ['/chat.js', 'GET, HEAD'],
  ] as const) {
    const answer = await chat.fetch(path, { method: 'PROPFIND' })
    assert.deepEqual([answer.status, answer.headers.get('allow')], [405, allowed], path)
    assert.equal(((await answer.json()) as { code: string }).code, 'method_not_allowed')
    const options = await chat.fetch(path, { method: 'OPTIONS' })
    assert.deepEqual([options.status, options.headers.get('allow')], [204, allowed], path)
  }
})
