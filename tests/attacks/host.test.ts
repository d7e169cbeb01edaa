// DNS rebinding: a site has its own name lead to this machine, and its page reads what comes from there as its own. What gives it away is
// the Host, which is still the site's.

import assert from 'node:assert/strict'
import { hostname } from 'node:os'
import { test } from 'node:test'
import { get, type IncomingMessage, type Server } from 'node:http'
import http2 from 'node:http2'
import type { AddressInfo } from 'node:net'
import { startChat, type ChatServer, type Scope } from '../chat-server.ts'
import { mount } from '../mounted/mount.ts'
import { RawConnection, readAnswer } from '../raw-connection.ts'

const evil = [
  'evil.example',
  'evil.example:8080',
  'EVIL.example',
  'chat.example.evil.example',
  'evil-chat.example',
  'localhost.evil.example',
  'localhosts',
  'foo.localhost',
  '127.0.0.1.evil.example',
  '127.0.0.1.nip.io',
  '7f000001.rbndr.example',
  'chat.examples',
  'chat.example:8080',
  'example',
  'x.chat.example',
  '1.2.3.4.5',
  'xn--cht-ela.example',
  '..',
  '-',
  '[1:2]',
  '256.1.1.1',
  '0x7f.1.evil.example',
]
const anybodys = [
  'localhost',
  'localhost:1',
  'LOCALHOST:65535',
  'localhost.',
  'localhost.:80',
  '127.0.0.1',
  '127.0.0.1:8080',
  '192.168.1.5:8080',
  '203.0.113.9',
  '[::1]',
  '[::1]:8080',
  '[2001:db8::7]:80',
  '[fe80::1%eth0]:8080',
  '[fe80::1%25eth0]',
  '[::ffff:127.0.0.1]',
  '0x7f.1',
  '0x7f.1:8080',
  '2130706433',
  '017700000001',
  '127.1',
  '0',
  '1.2.3.4.',
]
const ours = [
  'chat.example',
  'chat.example:443',
  'Chat.Example',
  'chat.example.',
  'chat.example.:443',
  'lan.example:8081',
  'xn--mnchen-3ya.example',
]
const urls = ['--url', 'https://chat.example', '--url', 'http://lan.example:8081,https://münchen.example']

// An address of this machine alone, in a form that natter does not take for one: so it believes that others can reach it.
const beyond = ['--host', '127.1']

async function statusOf(
  chat: Pick<ChatServer, 'url'>,
  host: string,
  { path = '/rooms', method = 'GET', more = '' } = {},
): Promise<number> {
  return readAnswer(
    await RawConnection.ask(
      chat.url,
      `${method} ${path} HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n${more}\r\n`,
    ),
  ).status
}

test('with a public address no other name is served, on loopback and beyond', async (t) => {
  for (const flags of [urls, [...urls, ...beyond]]) {
    const chat = await startChat(t, { flags })
    for (const host of [...ours, ...anybodys]) assert.equal(await statusOf(chat, host), 200, host)
    for (const host of [...evil, hostname()]) assert.equal(await statusOf(chat, host), 421, host)
  }
})

test("without one a machine that others reach is known by its own names, and one that they don't by none", async (t) => {
  const names = [
    hostname(),
    hostname().toUpperCase(),
    `${hostname().split('.')[0]}.local`,
    `${hostname()}:8080`,
    `${hostname()}.`,
  ]
  const open = await startChat(t, { flags: beyond })
  for (const host of [...names, ...anybodys]) assert.equal(await statusOf(open, host), 200, host)
  assert.deepEqual(open.errors, '')
  for (const host of [...evil, 'chat.example', `${hostname()}.evil.example`, `evil.${hostname()}`])
    assert.equal(await statusOf(open, host), 421, host)

  const closed = await startChat(t)
  for (const host of anybodys) assert.equal(await statusOf(closed, host), 200, host)
  for (const host of [...evil, ...names]) assert.equal(await statusOf(closed, host), 421, host)
})

test('who is refused is told by which setting they would not be, and so is the owner where others come', async (t) => {
  const chat = await startChat(t, { flags: beyond })
  assert.match(
    chat.printed,
    new RegExp(
      `Whoever can reach this machine can come in; .* By its IP addresses or as .*${hostname()}.*; --url gives it another name`,
    ),
  )

  for (let time = 0; time < 3; time++) {
    const answer = readAnswer(
      await RawConnection.ask(chat.url, 'GET /rooms HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n'),
    )
    assert.equal(answer.headers.get('content-type'), 'application/problem+json')
    assert.match(
      answer.body.toString(),
      /"code":"misdirected","detail":"natter does not know itself as evil\.example; its owner can start it with --url https:\/\/evil\.example/,
    )
  }
  const lines = chat.errors.trim().split('\n')
  assert.equal(lines.length, 1, chat.errors)
  assert.match(lines[0]!, /421.*--url/)
  // A Host is whatever somebody sends.
  assert.doesNotMatch(chat.errors, /evil/)
})

test('nothing is there for a foreign name: no page, no stream, no write, not even a sign of life', async (t) => {
  for (const flags of [urls, beyond]) {
    const chat = await startChat(t, { flags })
    const write =
      'Origin: http://evil.example\r\nSec-Fetch-Site: same-origin\r\nContent-Type: application/json\r\nContent-Length: 14\r\n'
    for (const path of [
      '/',
      '/chat.js',
      '/events',
      '/rooms/lobby/messages',
      '/healthz',
      '/readyz',
      '/session',
      '/search?q=x',
      '/nowhere',
    ]) {
      for (const method of ['GET', 'HEAD', 'OPTIONS', 'POST']) {
        assert.equal(
          await statusOf(chat, 'evil.example', { path, method, more: method === 'POST' ? write : '' }),
          421,
          `${method} ${path}`,
        )
      }
    }
    // What else may be said of a host counts for nothing.
    for (const more of [
      'X-Forwarded-Host: chat.example\r\n',
      'Forwarded: host=chat.example\r\n',
      'X-Host: localhost\r\n',
      'X-Original-Host: localhost\r\n',
      'Origin: https://chat.example\r\n',
      'X-Forwarded-For: 127.0.0.1\r\n',
    ]) {
      assert.equal(await statusOf(chat, 'evil.example', { more }), 421, more)
    }
    assert.equal(await statusOf(chat, 'evil.example', { path: 'http://localhost/rooms' }), 421)
    assert.equal(await statusOf(chat, 'localhost', { path: 'http://evil.example/rooms' }), 400)
    assert.equal(await statusOf(chat, '127.0.0.1:1', { path: '/healthz' }), 200)
  }
})

test('a Host that is none is a bad request; only HTTP/1.0 comes without', async (t) => {
  const chat = await startChat(t, { flags: urls })
  const status = async (head: string) =>
    readAnswer(await RawConnection.ask(chat.url, `${head}\r\nConnection: close\r\n\r\n`)).status
  for (const host of [
    '',
    ' ',
    'a b',
    'user@localhost',
    'localhost/',
    'localhost:',
    'localhost:x',
    'localhost:123456',
    'http://localhost',
    'localhost, evil.example',
    'münchen.example',
    '[::1',
    '::1',
    '[::1]x',
    '[fe80::1%]',
    `${'a'.repeat(400)}.example`,
    'localhost\\evil',
    'localhost#',
    'localhost?',
  ]) {
    assert.equal(await status(`GET /rooms HTTP/1.1\r\nHost: ${host}`), 400, host)
  }
  assert.equal(await status('GET /rooms HTTP/1.1\r\nHost: localhost\r\nHost: localhost'), 400)
  assert.equal(await status('GET /rooms HTTP/1.1\r\nHost: localhost\r\nhOST: evil.example'), 400)
  assert.equal(await status('GET /rooms HTTP/1.1\r\nX: y'), 400)
  assert.equal(await status('GET /rooms HTTP/1.0\r\nX: y'), 200)
  assert.equal(await status('GET /rooms HTTP/1.0\r\nHost: evil.example'), 421)
  assert.equal(await status('GET /rooms HTTP/1.0\r\nHost: '), 400)
})

test('a page that is ours by its Host alone may write only where that Host is', async (t) => {
  const chat = await startChat(t, { flags: ['--url', 'https://chat.example'] })
  const write = (host: string, origin: string) =>
    statusOf(chat, host, {
      path: '/session',
      method: 'POST',
      more: `Origin: ${origin}\r\nContent-Type: application/json\r\nContent-Length: 15\r\n\r\n{"name":"${`n${Math.random()}`.slice(2, 6)}"}`,
    })

  for (const [host, origin] of [
    ['chat.example', 'https://chat.example'],
    ['192.168.1.5:8080', 'http://192.168.1.5:8080'],
    ['localhost:1', 'http://localhost:1'],
    ['192.168.1.5:8080', 'https://chat.example'],
  ] as const) {
    assert.equal(await write(host, origin), 201, `${origin} to ${host}`)
  }
  for (const [host, origin] of [
    ['chat.example', 'https://evil.example'],
    ['192.168.1.5:8080', 'http://192.168.1.5:8081'],
    ['localhost:1', 'http://localhost'],
    ['localhost:1', 'null'],
    ['127.0.0.1:1', 'http://localhost:1'],
  ] as const) {
    assert.equal(await write(host, origin), 403, `${origin} to ${host}`)
  }
  assert.equal(await write('evil.example', 'http://evil.example'), 421)
})

test('inside another server the names are checked once they are given, by HTTP/2 too', async (t) => {
  const asked = (url: string, host: string) =>
    new Promise<IncomingMessage>((resolve) =>
      get(`${url}/chat/rooms`, { headers: { host } }, (response) => resolve(response.resume())),
    )
  const open = await mount(t)
  assert.equal((await asked(open.url, 'whatever.example')).statusCode, 200)

  const named = await mount(t, { urls: ['https://chat.example'] })
  for (const host of ['chat.example', 'localhost:80', '192.0.2.1'])
    assert.equal((await asked(named.url, host)).statusCode, 200, host)
  for (const host of ['evil.example', 'chat.example:8080', hostname()])
    assert.equal((await asked(named.url, host)).statusCode, 421, host)
  // What is not the chat's is not the chat's to refuse.
  const host = await mount(
    t,
    { urls: ['https://chat.example'] },
    (chat) => (request, response) => chat.handler(request, response, () => response.end('mine')),
  )
  assert.equal(
    (
      await new Promise<IncomingMessage>((resolve) =>
        get(`${host.url}/`, { headers: { host: 'evil.example' } }, (response) => resolve(response.resume())),
      )
    ).statusCode,
    200,
  )

  const h2 = http2.createServer((request, response) => named.chat.handler(request as never, response as never))
  const session = http2.connect(await listen(t, h2 as unknown as Server))
  t.after(() => session.destroy())
  const status = (authority: string) =>
    new Promise((resolve, reject) => {
      session
        .request({ ':path': '/chat/rooms', ':authority': authority })
        .on('response', (headers) => resolve(headers[':status']))
        .on('error', reject)
        .resume()
        .end()
    })
  assert.deepEqual(
    [
      await status('chat.example'),
      await status('CHAT.example:443'),
      await status('localhost:9'),
      await status('evil.example'),
    ],
    [200, 200, 200, 421],
  )
})

async function listen(t: Scope, server: Server): Promise<string> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.after(() => void server.close())
  // A server that listens on a port has an address of this form.
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

test('a link made for who came without a Host leads here', async (t) => {
  const chat = await startChat(t)
  const owner = await chat.owner()
  const back = await RawConnection.ask(
    chat.url,
    `POST /invites HTTP/1.0\r\nCookie: ${owner.headers['cookie']}\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}`,
  )
  assert.match(back.toString(), new RegExp(`"url":"${chat.url}/join#`))
})
