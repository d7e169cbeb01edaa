// What a page of another site has a visitor's browser read: it sees none of it, but each stream would take one of the visitor's places, and a
// search one of theirs in its line. The same in a real browser: tests/browser/cross-site.test.ts.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startChat, type ChatServer } from '../chat-server.ts'
import { mount } from '../mounted/mount.ts'
import { RawConnection, readAnswer } from '../raw-connection.ts'

type Headers = Record<string, string>

/** The status of an answer, or of a stream once it has begun, which is left then. */
async function statusOf(
  chat: Pick<ChatServer, 'url'>,
  path: string,
  headers: Headers = {},
  method = 'GET',
): Promise<number> {
  const connection = new RawConnection(chat.url)
  const lines = Object.entries({ Host: new URL(chat.url).host, ...headers })
    .map(([name, value]) => `${name}: ${value}\r\n`)
    .join('')
  connection.send(`${method} ${path} HTTP/1.1\r\n${lines}\r\n`)
  assert.ok(await connection.until((text) => text.includes('\r\n\r\n')))
  connection.leave()
  return readAnswer(connection.bytes).status
}

const sse = { Accept: 'text/event-stream' }
const streams: [path: string, headers: Headers][] = [
  ['/events', {}],
  ['/events', sse],
  ['/events?room=lobby&since=all', sse],
  ['/events', { Accept: 'application/x-ndjson' }],
  ['/events', { Accept: 'text/plain' }],
  ['/events', { Accept: 'image/avif,image/webp,*/*;q=0.8' }],
  ['/rooms', sse],
  ['/rooms', { Accept: 'application/x-ndjson' }],
  ['/rooms/lobby/messages', sse],
  ['/rooms/lobby/messages', { Accept: 'application/x-ndjson' }],
]
const pages = [
  '/rooms',
  '/rooms/lobby',
  '/rooms/lobby/messages',
  '/rooms/lobby/members',
  '/users',
  '/users/me',
  '/session',
  '/search?q=a',
]

/** What a foreign page can have a browser ask for. */
const foreign: Record<string, Headers> = {
  'fetch without CORS': { 'Sec-Fetch-Site': 'cross-site', 'Sec-Fetch-Mode': 'no-cors', 'Sec-Fetch-Dest': 'empty' },
  'fetch, EventSource': {
    'Sec-Fetch-Site': 'cross-site',
    'Sec-Fetch-Mode': 'cors',
    'Sec-Fetch-Dest': 'empty',
    Origin: 'https://evil.example',
  },
  'an image': { 'Sec-Fetch-Site': 'cross-site', 'Sec-Fetch-Mode': 'no-cors', 'Sec-Fetch-Dest': 'image' },
  'a script': { 'Sec-Fetch-Site': 'cross-site', 'Sec-Fetch-Mode': 'no-cors', 'Sec-Fetch-Dest': 'script' },
  'a module': {
    'Sec-Fetch-Site': 'cross-site',
    'Sec-Fetch-Mode': 'cors',
    'Sec-Fetch-Dest': 'script',
    Origin: 'https://evil.example',
  },
  'a video': {
    'Sec-Fetch-Site': 'cross-site',
    'Sec-Fetch-Mode': 'no-cors',
    'Sec-Fetch-Dest': 'video',
    Range: 'bytes=0-',
  },
  'a frame': { 'Sec-Fetch-Site': 'cross-site', 'Sec-Fetch-Mode': 'navigate', 'Sec-Fetch-Dest': 'iframe' },
  'an embedded object': { 'Sec-Fetch-Site': 'cross-site', 'Sec-Fetch-Mode': 'navigate', 'Sec-Fetch-Dest': 'embed' },
  'a link that may be followed': {
    'Sec-Fetch-Site': 'cross-site',
    'Sec-Fetch-Mode': 'navigate',
    'Sec-Fetch-Dest': 'document',
    'Sec-Purpose': 'prefetch;prerender',
  },
  'a page of another port or subdomain': {
    'Sec-Fetch-Site': 'same-site',
    'Sec-Fetch-Mode': 'no-cors',
    'Sec-Fetch-Dest': 'empty',
  },
  'a page without an origin': {
    'Sec-Fetch-Site': 'cross-site',
    'Sec-Fetch-Mode': 'cors',
    'Sec-Fetch-Dest': 'empty',
    Origin: 'null',
  },
  'a word that browsers may come to say': { 'Sec-Fetch-Site': 'other-site', 'Sec-Fetch-Mode': 'no-cors' },
}

/** What is nobody's page, or ours, or let in. */
const ours: Record<string, Headers> = {
  curl: {},
  'our own page': { 'Sec-Fetch-Site': 'same-origin', 'Sec-Fetch-Mode': 'cors', 'Sec-Fetch-Dest': 'empty' },
  'an address that was typed': { 'Sec-Fetch-Site': 'none', 'Sec-Fetch-Mode': 'navigate', 'Sec-Fetch-Dest': 'document' },
  'a link of another site': {
    'Sec-Fetch-Site': 'cross-site',
    'Sec-Fetch-Mode': 'navigate',
    'Sec-Fetch-Dest': 'document',
  },
  'a link, by a browser that says no more': { 'Sec-Fetch-Site': 'cross-site', 'Sec-Fetch-Mode': 'navigate' },
  'a listed origin': {
    'Sec-Fetch-Site': 'cross-site',
    'Sec-Fetch-Mode': 'cors',
    'Sec-Fetch-Dest': 'empty',
    Origin: 'https://app.example',
  },
  'a public address of ours': {
    'Sec-Fetch-Site': 'same-site',
    'Sec-Fetch-Mode': 'cors',
    'Sec-Fetch-Dest': 'empty',
    Origin: 'https://chat.example',
  },
}

test('a page of another site gets no stream, in whatever form and by whatever means, and takes no place', async (t) => {
  const chat = await startChat(t, {
    limits: true,
    flags: [
      '--trust-proxy',
      '',
      '--streams-per-address',
      '2',
      '--url',
      'https://chat.example',
      '--allow-origin',
      'https://app.example',
    ],
  })
  for (const [path, accept] of streams) {
    for (const [what, headers] of Object.entries(foreign)) {
      for (const method of ['GET', 'HEAD'])
        assert.equal(
          await statusOf(chat, path, { ...accept, ...headers }, method),
          403,
          `${what}: ${method} ${path} ${accept['Accept']}`,
        )
    }
  }

  // Left open, they would have taken all places there are.
  const held = Array.from({ length: 5 }, () => new RawConnection(chat.url))
  t.after(() => held.forEach((connection) => connection.leave()))
  for (const connection of held) {
    connection.send(
      `GET /events HTTP/1.1\r\nHost: localhost\r\n${Object.entries(foreign['fetch without CORS']!)
        .map(([name, value]) => `${name}: ${value}\r\n`)
        .join('')}\r\n`,
    )
    assert.ok(await connection.until((text) => text.includes('"code":"forbidden"')))
    assert.match(connection.text, /^HTTP\/1.1 403 [^]*--allow-origin/)
  }
  for (let count = 0; count < 2; count++) await (await chat.stranger.listen()).next('ping')
})

test('our own page, who follows a link, whoever was let in and who is no browser get theirs', async (t) => {
  const chat = await startChat(t, { flags: ['--url', 'https://chat.example', '--allow-origin', 'https://app.example'] })
  for (const [what, headers] of Object.entries(ours)) {
    for (const [path, accept] of streams)
      assert.equal(await statusOf(chat, path, { ...accept, ...headers }), 200, `${what}: ${path}`)
    for (const path of pages.filter((path) => path !== '/users/me'))
      assert.equal(await statusOf(chat, path, headers), 200, `${what}: ${path}`)
  }
})

test('nor does it get anything else that costs us work, or whoever visits it', async (t) => {
  const chat = await startChat(t)
  for (const [what, headers] of Object.entries(foreign))
    for (const path of pages) assert.equal(await statusOf(chat, path, headers), 403, `${what}: ${path}`)
  // What stands ready is no work: the page, which no frame shows, its files, and whether we are alive.
  for (const path of ['/', '/join', '/styles/chat.css', '/healthz'])
    assert.equal(await statusOf(chat, path, foreign['an image']!), 200, path)
  const page = await chat.fetch('/rooms/lobby', {
    headers: { ...foreign['a link, by a browser that says no more'], accept: 'text/html' },
  })
  assert.match(page.headers.get('content-security-policy') ?? '', /frame-ancestors 'none'/)
})

test('a program that a chat is mounted in lets pages in as it does elsewhere', async (t) => {
  const cors = await mount(t, { identify: undefined }, (chat) => (request, response) => {
    if (request.headers.origin === 'https://app.example')
      response.setHeader('access-control-allow-origin', 'https://app.example')
    if (request.headers.origin === 'https://any.example') response.setHeader('access-control-allow-origin', '*')
    chat.handler(request, response)
  })
  const status = (headers: Headers) => statusOf(cors, '/chat/events', { ...foreign['fetch, EventSource'], ...headers })

  assert.equal(await status({ Origin: 'https://app.example' }), 200)
  assert.equal(await status({ Origin: 'https://any.example' }), 200)
  assert.equal(await status({ Origin: 'https://evil.example' }), 403)
  assert.equal(await statusOf(cors, '/chat/events', foreign['fetch without CORS']), 403)
})
