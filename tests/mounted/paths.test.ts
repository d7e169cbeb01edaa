// What a mounted chat takes for its own, and what it leaves to its host.

import assert from 'node:assert/strict'
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { request as send, type IncomingMessage } from 'node:http'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { createChat } from '../../lib/index.ts'
import { startServer } from '../../lib/program/main.ts'
import { Listener, patienceMs, settings } from '../chat-server.ts'
import { RawConnection, readAnswer } from '../raw-connection.ts'
import { mount } from './mount.ts'

const below = [
  ['/chat', 200],
  ['/chat/', 200],
  ['/chat?q=1', 200],
  ['/chat/?q=1', 200],
  ['/chat/rooms', 200],
  ['/chat/rooms?a=/b#c', 200],
  ['/chat/rooms/l%6Fbby', 200],
  ['/chat/healthz', 200],
  ['/chat/nothing', 404],
  ['/chat//', 404],
  ['/chat/rooms/%ff', 400],
  ['/chat/../secret', 404],
  ['/chat/chat', 404],
  ['/chat/%2e%2e', 404],
] as const
const beside = [
  '/',
  '/chatter',
  '/chat-room',
  '/cha',
  '/Chat',
  '/%63hat',
  '//chat',
  '//chat/rooms',
  '/x/chat',
  '/?/chat',
  '/rooms',
  '/chat%2Frooms',
  '/.%2Fchat',
  '*',
  'http://localhost/chat/rooms',
]

test('it answers what is below its path, and hands on everything else', async (t) => {
  const handedOn: string[] = []
  const host = await mount(t, {}, (chat) => (request, response) => {
    chat.handler(request, response, () => {
      handedOn.push(request.url!)
      response.writeHead(299).end()
    })
  })
  for (const [path, status] of below) assert.equal(await statusOf(host.url, path), status, path)
  assert.deepEqual(handedOn, [])

  for (const path of beside) assert.equal(await statusOf(host.url, path), 299, path)
  assert.deepEqual(handedOn, beside)
})

test('without anybody to hand on to, what is not below its path is not found', async (t) => {
  const host = await mount(t)
  for (const path of beside) {
    const answer = await answerOf(host.url, path)
    const status = path.startsWith('/') ? 404 : 400
    assert.equal(answer.status, status, path)
    assert.equal(answer.headers.get('content-type'), 'application/problem+json', path)
  }
  assert.equal(host.lines.length, 0)
})

test('it takes the whole URL from a framework that has cut its path off', async (t) => {
  const host = await mount(t, {}, (chat) => (request, response) => {
    Object.assign(request, { originalUrl: request.url, url: request.url!.replace(/^\/chat/, '') || '/' })
    chat.handler(request, response, () => response.writeHead(299).end())
  })
  for (const [path, status] of below) assert.equal(await statusOf(host.url, path), status, path)
  assert.equal(await statusOf(host.url, '/chatter'), 299)
  const ada = await host.send('POST', '/chat/rooms/lobby/messages', { text: 'hello' }, 'ada')
  assert.equal(ada.status, 201)
  const reader = await host.listen('/chat/events?since=all')
  assert.deepEqual(await reader.texts(1), ['hello'])
})

test("the headers of a stream are the host's to read for as long as it is open, and without a host are not kept", async (t) => {
  const requests: IncomingMessage[] = []
  const note = (message: unknown) => void requests.push((message as { request: IncomingMessage }).request)
  subscribe('http.server.request.start', note)
  t.after(() => unsubscribe('http.server.request.start', note))
  const host = await mount(t)
  const own = await startServer(settings())
  t.after(() => own.stop())

  for (const url of [`${host.url}/chat/events`, `${own.url}/events`]) {
    const reader = await Listener.open(url, { 'user-agent': 'a browser' })
    t.after(() => reader.leave())
    await reader.next('ping')
  }

  const [mounted, alone] = requests
  assert.deepEqual(
    [mounted!.url, mounted!.headers['user-agent'], mounted!.rawHeaders.includes('a browser')],
    ['/chat/events', 'a browser', true],
  )
  assert.deepEqual([alone!.url, alone!.headers, alone!.rawHeaders], ['/events', {}, []])
})

test('each method gets an answer there', async (t) => {
  const host = await mount(t)
  for (const [method, path, status] of [
    ['HEAD', '/chat', 200],
    ['HEAD', '/chat/rooms', 200],
    ['HEAD', '/chat/events', 200],
    ['OPTIONS', '/chat/rooms', 204],
    ['OPTIONS', '/chat', 204],
    ['POST', '/chat', 405],
    ['PURGE', '/chat/rooms', 405],
    ['POST', '/chat/nothing', 404],
  ] as const) {
    assert.equal((await host.fetch(path, { method })).status, status, `${method} ${path}`)
  }
  assert.equal((await host.fetch('/chat/rooms', { method: 'OPTIONS' })).headers.get('allow'), 'GET, HEAD, POST')
})

test('who asks for another protocol is answered all the same, and a host that knows it is not disturbed', async (t) => {
  const host = await mount(t)
  const ask = (path: string) =>
    new Promise<IncomingMessage>((resolve, reject) => {
      send(host.url + path, { headers: { connection: 'upgrade', upgrade: 'websocket' }, timeout: patienceMs }, resolve)
        .on('error', reject)
        .end()
    })
  assert.equal((await ask('/chat/rooms')).statusCode, 200)
  assert.equal((await ask('/rooms')).statusCode, 404)
})

test('a request that the host has answered is left alone', async (t) => {
  const host = await mount(t, {}, (chat) => (request, response) => {
    if (request.url === '/chat/rooms') response.end('mine')
    else response.write('mine')
    chat.handler(request, response, () => assert.fail('it is answered already'))
    response.end()
  })
  for (const path of ['/chat/rooms', '/chat/events', '/other']) {
    assert.equal(await (await host.fetch(path)).text(), 'mine')
  }
})

test('all that it links to is below its path', async (t) => {
  const host = await mount(t)
  const room = await host.send('POST', '/chat/rooms', { name: 'Kitchen' }, 'ada')
  assert.deepEqual([room.status, room.headers.get('location')], [201, '/chat/rooms/kitchen'])
  const message = await host.send('POST', '/chat/rooms/kitchen/messages', { text: 'hello' }, 'ada')
  const location = message.headers.get('location')!
  assert.match(location, /^\/chat\/rooms\/kitchen\/messages\/\d+$/)
  assert.equal(((await (await host.fetch(location)).json()) as { text: string }).text, 'hello')
})

test('people of its own keep a cookie that is sent there and nowhere else', async (t) => {
  const host = await mount(t, { identify: undefined })
  const came = await host.send('POST', '/chat/session', { name: 'ada' })
  assert.equal(came.status, 201)
  const [cookie = ''] = came.headers.getSetCookie()
  assert.match(cookie, /^natter-[0-9a-z]{8}-chat=[\w-]{43}; Path=\/chat; /)

  const secret = cookie.split(';')[0]!
  const { user } = (await (await host.fetch('/chat/session', { headers: { cookie: secret } })).json()) as {
    user: { name: string }
  }
  assert.equal(user.name, 'ada')
  const left = await host.fetch('/chat/session', {
    method: 'DELETE',
    headers: { cookie: secret, 'sec-fetch-site': 'same-origin' },
  })
  assert.equal(left.status, 204)
  assert.match(left.headers.getSetCookie()[0]!, /^natter-[0-9a-z]{8}-chat=; Path=\/chat; Max-Age=0; /)

  const secure = await mount(t, { identify: undefined, urls: ['https://example.com'] })
  const [sent = ''] = (await secure.send('POST', '/chat/session', { name: 'ada' })).headers.getSetCookie()
  assert.match(sent, /^__Secure-natter-[0-9a-z]{8}-chat=[\w-]{43}; Path=\/chat; .*; Secure$/)
})

test('mounted at the root it has everything', async (t) => {
  for (const path of ['', '/', undefined]) {
    const host = await mount(
      t,
      { path },
      (chat) => (request, response) => chat.handler(request, response, () => assert.fail('nothing is beside the root')),
    )
    for (const [asked, status] of [
      ['/', 200],
      ['/rooms', 200],
      ['/chat', 404],
      ['//', 404],
    ] as const)
      assert.equal(await statusOf(host.url, asked), status, asked)
  }
})

test("an option that can't be used is named", async () => {
  for (const [options, says] of [
    [{ path: 'chat' }, /path must be like \/chat/],
    [{ path: '/chat/' }, /path/],
    [{ path: '/a//b' }, /path/],
    [{ path: '/../x' }, /path/],
    [{ path: '/a b' }, /path/],
    [{ path: '/ä' }, /path/],
    [{ path: '/a?b' }, /path/],
    [{ path: '/"><script>' }, /path/],
    [{ data: '' }, /data must not be empty/],
    [{ urls: ['chat.example'] }, /urls must be like/],
    [{ allowOrigins: ['*'] }, /allowOrigins must be like/],
    [{ name: '' }, /name must have/],
    [{ trustProxy: 'nobody' }, /trustProxy must be/],
    [{ postsPerSecond: -1 }, /postsPerSecond must be/],
    [{ postsPerSecond: NaN }, /postsPerSecond must be/],
    [{ postsPerAddress: -1 }, /postsPerAddress must be/],
    [{ streamsPerAddress: 1.5 }, /streamsPerAddress must be/],
    // What only JavaScript gets this far with.
    [{ access: 'closed' }, /access must be open or invite/],
    [{ identify: 'ada' }, /identify must be a function/],
    [{ log: {} }, /log must be a function/],
    [{ data: {} }, /data must be text/],
    [{ pat: '/chat' }, /no option pat; there are data/],
  ] as const) {
    // @ts-expect-error: some are not of the right type
    const refused = createChat({ data: ':memory:', ...options })
    await assert.rejects(
      refused,
      (error) => error instanceof TypeError && says.test(error.message) && !error.message.includes('\n'),
      JSON.stringify(options),
    )
  }
})

test("a folder that can't be had is told in a line", async () => {
  const data = `${fileURLToPath(import.meta.url)}/data`
  await assert.rejects(
    createChat({ data }),
    (error) => error instanceof Error && /^the data folder [^\n]+ can't be made: [^\n]+$/.test(error.message),
  )
})

async function answerOf(url: string, target: string) {
  const connection = new RawConnection(url)
  connection.send(`GET ${target} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`)
  await connection.over
  return readAnswer(connection.bytes)
}

async function statusOf(url: string, target: string): Promise<number> {
  return (await answerOf(url, target)).status
}
