// Who is let in from where: other sites' pages, listed ones, and secrets in a URL.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Message } from '../../lib/chat/streams/events.ts'
import { Listener, startChat, type ChatServer } from '../chat-server.ts'
import { property } from '../random.ts'
import { RawConnection } from '../raw-connection.ts'

const textsIn = async (chat: ChatServer) =>
  (await chat.stranger.read<{ messages: Message[] }>('/rooms/lobby/messages?limit=200')).messages.map(
    ({ text }) => text,
  )

test('a write is let in from our own page, from listed origins, or from no browser, whatever is combined', async (t) => {
  const chat = await startChat(t, { flags: ['--url', 'https://chat.example', '--allow-origin', 'https://app.example'] })
  const ada = await chat.comeIn('ada')
  const sites = [undefined, 'same-origin', 'none', 'same-site', 'cross-site', 'Same-Origin', '']
  const origins = [
    undefined,
    chat.url,
    'https://chat.example',
    'https://app.example',
    'https://app.example.evil.example',
    'https://evil.example',
    'http://app.example',
    'null',
    '',
  ]
  const expected: string[] = []
  let refused = 0

  for (const site of sites) {
    for (const origin of origins) {
      for (const identity of [ada.headers, chat.claiming('eve').headers]) {
        for (const type of ['application/json', 'text/plain']) {
          const headers: Record<string, string> = {
            ...identity,
            'content-type': type,
            ...(site !== undefined && { 'sec-fetch-site': site }),
            ...(origin !== undefined && { origin }),
          }
          const what = JSON.stringify({ site, origin, type, by: Object.keys(identity)[0] })
          const ours =
            site === 'same-origin' ||
            site === 'none' ||
            (origin !== undefined && [chat.url, 'https://chat.example', 'https://app.example'].includes(origin))
          const noBrowser =
            site === undefined && origin === undefined && ('authorization' in identity || type === 'application/json')

          // fetch would set some of these itself.
          const text = `${expected.length + refused}`
          const body = type === 'text/plain' ? text : JSON.stringify({ text })
          const lines = Object.entries({
            host: new URL(chat.url).host,
            ...headers,
            'content-length': body.length,
            connection: 'close',
          }).map(([name, value]) => `${name}: ${value}\r\n`)
          const back = await RawConnection.ask(
            chat.url,
            `POST /rooms/lobby/messages HTTP/1.1\r\n${lines.join('')}\r\n${body}`,
          )

          const status = ours || noBrowser ? 201 : 403
          assert.match(back.toString(), new RegExp(`^HTTP/1.1 ${status} `), what)
          if (status === 201) expected.push(text)
          else refused++
        }
      }
    }
  }

  assert.ok(refused > 50 && expected.length > 50)
  assert.deepEqual(await textsIn(chat), expected.slice(-200))
})

test('without origins that were listed no answer has a word of CORS', async (t) => {
  const chat = await startChat(t)
  const origin = 'https://app.example'
  const asked = [
    chat.fetch('/', { headers: { origin } }),
    chat.fetch('/rooms', { headers: { origin } }),
    chat.fetch('/rooms/lobby/messages', {
      method: 'OPTIONS',
      headers: { origin, 'access-control-request-method': 'POST' },
    }),
    chat.fetch('/events', { headers: { origin }, method: 'HEAD' }),
    chat.fetch('/nowhere', { headers: { origin } }),
    chat.claiming('ada').send('POST', '/rooms/lobby/messages', { text: 'x' }, { origin }),
  ]
  for (const { headers } of await Promise.all(asked)) {
    assert.deepEqual(
      [...headers.keys()].filter((name) => name.startsWith('access-control')),
      [],
    )
    assert.doesNotMatch(headers.get('vary') ?? '', /origin/)
  }
})

test('a listed origin may read every answer, be it a refusal or a stream; another may read none', async (t) => {
  const chat = await startChat(t, {
    flags: [
      '--allow-origin',
      'https://app.example,http://localhost:3000',
      '--streams-per-address',
      '1',
      '--trust-proxy',
      'loopback',
    ],
  })
  const stale = { cookie: `${(await chat.comeIn('stale')).headers['cookie']!.split('=')[0]}=${'x'.repeat(43)}` }
  const forwarded = { 'x-forwarded-for': '203.0.113.7' }
  await Listener.open(`${chat.url}/events`, forwarded)
  const cases: [string, number, (headers: Record<string, string>) => Promise<Response>][] = [
    ['the page', 200, (headers) => chat.fetch('/', { headers })],
    ['rooms', 200, (headers) => chat.fetch('/rooms', { headers })],
    ['a stream', 200, (headers) => chat.fetch('/events', { headers })],
    [
      'a list as a stream',
      200,
      (headers) => chat.fetch('/rooms', { headers: { ...headers, accept: 'text/event-stream' } }),
    ],
    ['a stream too many', 200, (headers) => chat.fetch('/events', { headers: { ...headers, ...forwarded } })],
    ['who is logged out', 204, (headers) => chat.fetch('/events', { headers: { ...headers, ...stale } })],
    ['nothing there', 404, (headers) => chat.fetch('/nowhere', { headers })],
    ['a wrong method', 405, (headers) => chat.fetch('/rooms', { method: 'PUT', headers })],
    ['a bad target', 400, (headers) => chat.fetch('/%ff', { headers })],
    ['nobody', 401, (headers) => chat.stranger.send('POST', '/rooms', { name: 'x' }, headers)],
  ]

  for (const [what, status, ask] of cases) {
    for (const origin of ['https://app.example', 'http://localhost:3000']) {
      const { status: got, headers, body } = await ask({ origin })
      await body?.cancel()
      assert.equal(got, status, what)
      assert.equal(headers.get('access-control-allow-origin'), origin, what)
      assert.equal(headers.get('access-control-allow-credentials'), 'true', what)
      assert.equal(headers.get('access-control-expose-headers'), 'location, retry-after', what)
      assert.match(headers.get('vary') ?? '', /\borigin\b/, what)
    }
    for (const origin of [
      'https://evil.example',
      'https://app.example.evil.example',
      'HTTPS://APP.EXAMPLE',
      'null',
      undefined,
    ]) {
      const { headers, body } = await ask(origin === undefined ? {} : { origin })
      await body?.cancel()
      assert.deepEqual(
        [...headers.keys()].filter((name) => name.startsWith('access-control')),
        [],
        `${what} ${origin}`,
      )
      assert.match(headers.get('vary') ?? '', /\borigin\b/, what)
    }
  }
  assert.equal(
    (await chat.fetch('/rooms', { headers: { origin: 'https://app.example' } })).headers.get('vary'),
    'origin, accept',
  )
})

test('a browser that asks first is told what a listed origin may do', async (t) => {
  const chat = await startChat(t, { flags: ['--allow-origin', 'https://app.example'] })
  const ask = (origin: string) =>
    chat.fetch('/rooms/lobby/messages', {
      method: 'OPTIONS',
      headers: { origin, 'access-control-request-method': 'POST', 'access-control-request-headers': 'authorization' },
    })

  const listed = await ask('https://app.example')
  assert.equal(listed.status, 204)
  assert.equal(listed.headers.get('access-control-allow-origin'), 'https://app.example')
  assert.equal(listed.headers.get('access-control-allow-methods'), 'GET, HEAD, POST, PUT, PATCH, DELETE')
  assert.equal(
    listed.headers.get('access-control-allow-headers'),
    'authorization, cache-control, content-type, idempotency-key, last-event-id',
  )
  assert.equal(listed.headers.get('access-control-max-age'), '600')

  const other = await ask('https://evil.example')
  assert.deepEqual(
    [...other.headers.keys()].filter((name) => name.startsWith('access-control')),
    [],
  )
  assert.equal(other.headers.get('allow'), 'GET, HEAD, POST')
})

const secrets = ['token', 'access_token', 'api_key', 'password', 'code', 'invite', 'secret', 'authorization', 'session']
const token = `natter_${'aB3_-'.repeat(8)}xyz`

test('a secret in a URL is refused on every path, without being repeated', async (t) => {
  const chat = await startChat(t)
  const ada = await chat.comeIn('ada')
  const paths = [
    '/',
    '/join',
    '/events',
    '/rooms',
    '/rooms/lobby',
    '/rooms/lobby/messages',
    '/session',
    '/healthz',
    '/chat.js',
    '/nowhere',
  ]
  const targets = [
    ...paths.map((path) => `${path}?token=hunter2`),
    ...secrets.flatMap((name) => [
      `/events?${name}=hunter2`,
      `/events?room=lobby&${name.toUpperCase()}=hunter2`,
      `/events?${name}`,
      `/events?%${name.charCodeAt(0).toString(16)}${name.slice(1)}=hunter2`,
    ]),
    `/${token}`,
    `/rooms/lobby/messages?x=${token}`,
    `/rooms/${token.replace('_', '%5f')}`,
    `/rooms/%${token.charCodeAt(0).toString(16)}${token.slice(1)}/%ff`,
    `/?${token}`,
  ]
  for (const target of targets) {
    for (const method of ['GET', 'HEAD', 'POST', 'DELETE', 'OPTIONS']) {
      const answer = await ada.fetch(target, {
        method,
        headers: { accept: 'text/html', 'sec-fetch-site': 'same-origin' },
      })
      assert.equal(answer.status, 400, `${method} ${target}`)
      const text = await answer.text()
      if (method === 'HEAD') continue
      assert.match(
        text,
        /"code":"invalid_request","detail":"\w+( token)? does not belong in a URL[^"]*(send|cookie)/,
        target,
      )
      assert.ok(!text.includes('hunter2') && !text.includes('aB3_'), text)
    }
  }
  assert.equal(chat.errors, '')
})

test('what only resembles a secret is not refused', async (t) => {
  const chat = await startChat(t)
  for (const target of [
    '/events?since=token',
    '/rooms?q=password=1',
    `/rooms?x=${token.slice(0, -1)}`,
    '/?tokens=1',
    '/?x=/token=1',
    '/rooms/lobby/messages?limit=3',
  ]) {
    const { status } = await chat.fetch(target, { method: 'HEAD' })
    assert.equal(status, 200, target)
  }
})

property('a token in a URL is found wherever it stands and however it is escaped', async (random, t) => {
  const chat = await startChat(t)
  for (let round = 0; round < 100; round++) {
    const letters = Array.from({ length: 43 }, () => random.pick([...'ABCxyz019_-'])).join('')
    const escaped = [...`natter_${letters}`]
      .map((letter) => (random.chance(0.3) ? `%${letter.charCodeAt(0).toString(16)}` : letter))
      .join('')
    const target = random.pick([
      `/${escaped}`,
      `/rooms/${escaped}`,
      `/?a=${escaped}`,
      `/events?x=1&y=a${escaped}b`,
      `/rooms/lobby/messages/${escaped}?limit=1`,
    ])
    assert.equal((await chat.fetch(target)).status, 400, target)
  }
})
