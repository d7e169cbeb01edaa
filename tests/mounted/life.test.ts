// A mounted chat opens, is used by its host, and goes again without a trace.

import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { existsSync, readdirSync } from 'node:fs'
import { test } from 'node:test'
import { promisify } from 'node:util'
import { ChatError, createChat } from '../../lib/index.ts'
import { patienceMs, temporaryFolder } from '../chat-server.ts'
import { RawConnection } from '../raw-connection.ts'
import { byHeader, codeOf, mount, serve } from './mount.ts'

const deploys = { id: 'deploys', name: 'deploys', role: 'bot' } as const
const refusedWith = (code: string) => (error: unknown) => error instanceof ChatError && error.code === code

test('what the host does by function is seen on streams, and by function', async (t) => {
  const { chat, ...host } = await mount(t)
  const reader = await host.listen('/chat/events')

  const message = await chat.post(deploys, 'lobby', { text: 'deployed' })
  const seen = await reader.next('message')
  assert.deepEqual(seen.data, message)
  assert.equal(message.from.name, 'deploys')
  assert.equal(
    (await chat.post(deploys, 'lobby', { text: 'again', key: 'k' })).id,
    (await chat.post(deploys, 'lobby', { text: 'again', key: 'k' })).id,
  )

  const ada = { id: 'host-ada', name: 'ada' }
  const room = await chat.createRoom(ada, { name: 'Kitchen' })
  await chat.join(deploys, room.id)
  const names = async () => (await chat.members(ada, room.id)).members.map(({ name }) => name)
  assert.deepEqual(await names(), ['ada', 'deploys'])
  await chat.leave(deploys, room.id)
  assert.deepEqual(await names(), ['ada'])
  assert.deepEqual(await chat.room(null, room.id), room)
  assert.deepEqual(
    (await chat.rooms(null)).rooms.map(({ id }) => id),
    ['lobby', 'kitchen'],
  )
  await chat.remove(deploys, 'lobby', message.id)
  assert.deepEqual(
    (await chat.messages(ada, 'lobby')).messages.map(({ text }) => text),
    ['again'],
  )
  assert.equal((await reader.next('delete')).data.id, message.id)

  // Whoever comes with the same id over HTTP is the same.
  const said = await host.send('POST', '/chat/rooms/kitchen/messages', { text: 'hello' }, 'ada')
  const { id } = (await said.json()) as { id: string }
  await chat.remove(ada, 'kitchen', id)
})

test('others are named as the host knows them, also before they ever came', async (t) => {
  const { chat, ...host } = await mount(t)
  const [ada, bob, eve] = [
    { id: 'host-ada', name: 'ada', role: 'owner' },
    { id: 'host-bob', name: 'bob' },
    { id: 'host-eve', name: 'eve' },
  ] as const
  const attic = await chat.createRoom(ada, { name: 'Attic', kind: 'private' })
  await assert.rejects(chat.room(bob, attic.id), refusedWith('not_found'))
  await chat.addMember(ada, attic.id, bob, { role: 'owner' })
  await chat.addMember(bob, attic.id, eve)
  const reader = await host.listen('/chat/events', 'eve')
  await chat.post(bob, attic.id, { text: 'psst' })
  assert.deepEqual(await reader.texts(1), ['psst'])
  await chat.removeMember(bob, attic.id, 'eve')
  await assert.rejects(chat.messages(eve, attic.id), refusedWith('not_found'))

  const two = await chat.direct(ada, bob)
  assert.deepEqual([two.kind, await chat.direct(bob, ada)], ['direct', two])
  const renamed = await chat.changeRoom(ada, attic.id, { topic: 'under the roof', archived: true })
  assert.deepEqual([renamed.topic, renamed.archived], ['under the roof', true])

  await chat.ban(ada, eve)
  await reader.over
  assert.equal((await host.fetch('/chat/rooms', { headers: { 'x-user': 'eve' } })).status, 403)
  await assert.rejects(chat.post(eve, 'lobby', { text: 'hello' }), refusedWith('banned'))
  await chat.ban(ada, eve, false)
  const message = await chat.post(eve, 'lobby', { text: 'hello' })
  assert.deepEqual(await chat.message(null, 'lobby', message.id), message)
  await assert.rejects(chat.ban(bob, eve), refusedWith('forbidden'))
})

test('an operation that is refused says why', async (t) => {
  const { chat } = await mount(t)
  await assert.rejects(chat.post(deploys, 'nowhere', { text: 'hello' }), refusedWith('not_found'))
  await assert.rejects(chat.post(deploys, 'lobby', { text: '' }), refusedWith('invalid_text'))
  await assert.rejects(chat.createRoom(deploys, { name: 'lobby' }), refusedWith('room_exists'))
})

test('a number of entries that is none is refused, and a page of the longest is as long as any', async (t) => {
  const { chat } = await mount(t)
  const { id } = await chat.post(deploys, 'lobby', { text: 'deployed' })
  const pages: Record<string, (limit: number) => Promise<unknown>> = {
    rooms: (limit) => chat.rooms(deploys, { limit }),
    members: (limit) => chat.members(deploys, 'lobby', { limit }),
    messages: (limit) => chat.messages(deploys, 'lobby', { limit }),
    search: (limit) => chat.search(deploys, { q: 'deployed', limit }),
    blocks: (limit) => chat.blocks(deploys, { limit }),
    reactions: (limit) => chat.reactions(deploys, 'lobby', id, '👍', { limit }),
  }

  for (const [what, page] of Object.entries(pages)) {
    // A parameter that is not there is NaN as a number.
    for (const limit of [-1, 0, 1.5, NaN, Infinity])
      await assert.rejects(page(limit), refusedWith('invalid_request'), `${what} ${limit}`)
    await page(1e9)
  }
})

test('a room is open or private, whatever a program hands on', async (t) => {
  const { chat } = await mount(t)
  for (const kind of ['direct', 'secret', '', null]) {
    // A program in JavaScript is not held to the types.
    await assert.rejects(
      chat.createRoom(deploys, { name: `a room of kind ${kind}`, kind: kind as 'open' }),
      refusedWith('invalid_request'),
    )
  }
  assert.deepEqual(
    (await chat.rooms(deploys)).rooms.map(({ name }) => name),
    ['lobby'],
  )
})

test("a key that can't be kept is refused, and others' posts of the same moment are not", async (t) => {
  const { chat, lines } = await mount(t)
  const posts = await Promise.allSettled(
    ['one', {}, 'k'.repeat(65), 'two'].map((key) =>
      chat.post(deploys, 'lobby', { text: 'deployed', key: key as string }),
    ),
  )
  assert.deepEqual(
    posts.map((post) => (post.status === 'rejected' ? post.reason.code : 'said')),
    ['said', 'invalid_key', 'invalid_key', 'said'],
  )
  assert.deepEqual(lines, [])
})

test('two chats in one process keep to themselves', async (t) => {
  const [one, two] = [
    await createChat({ data: ':memory:', path: '/one', name: 'One', identify: byHeader }),
    await createChat({ data: ':memory:', path: '/one/two', name: 'Two' }),
  ]
  t.after(() => Promise.all([one.close(), two.close()]))
  const url = await serve(t, (request, response) =>
    two.handler(request, response, () => one.handler(request, response)),
  )
  await one.post(deploys, 'lobby', { text: 'in one' })
  await two.post(deploys, 'lobby', { text: 'in two' })

  const texts = async (path: string) =>
    (
      (await (await fetch(`${url}${path}/rooms/lobby/messages`)).json()) as { messages: { text: string }[] }
    ).messages.map(({ text }) => text)
  assert.deepEqual([await texts('/one'), await texts('/one/two')], [['in one'], ['in two']])
  assert.match(await (await fetch(`${url}/one/`)).text(), /"\/one\/static-[^\/]+\/chat\.js"/)
  assert.match(await (await fetch(`${url}/one/two`)).text(), /"\/one\/two\/static-[^\/]+\/chat\.js"/)

  await one.close()
  assert.deepEqual(await texts('/one/two'), ['in two'])
  assert.equal((await fetch(`${url}/one/rooms`)).status, 503)
})

test('closing tells streams to come back, finishes what is under way, and refuses the rest', async (t) => {
  let goOn = () => {}
  let asked = () => {}
  const gate = new Promise<void>((resolve) => (goOn = resolve))
  const waiting = new Promise<void>((resolve) => (asked = resolve))
  const { chat, ...host } = await mount(t, {
    identify: async (request) => {
      if (request.headers['x-slow'] !== undefined) {
        asked()
        await gate
      }
      return byHeader(request)
    },
  })
  const reader = await host.listen('/chat/events', 'ada')
  const underWay = host.fetch('/chat/rooms/lobby/messages', {
    method: 'POST',
    body: '{"text":"last words"}',
    headers: { 'content-type': 'application/json', 'x-user': 'ada', 'x-slow': '' },
  })
  await waiting

  const closed = chat.close()
  assert.equal(chat.close(), closed)
  await assert.rejects(chat.post(deploys, 'lobby', { text: 'too late' }), refusedWith('stopping'))
  await reader.over
  assert.match(reader.bytes.toString(), /\n\nretry: \d+\n\n$/)
  const late = await host.fetch('/chat/rooms', { headers: { 'x-user': 'ada' } })
  goOn()
  const answer = await underWay
  await closed

  assert.equal(answer.status, 201, await answer.text())
  assert.ok([200, 503].includes(late.status))
  for (const path of ['/chat', '/chat/events', '/chat/rooms', '/chat/healthz', '/chat/nothing']) {
    const refused = await host.fetch(path)
    assert.deepEqual(
      [refused.status, refused.headers.get('retry-after'), await codeOf(refused)],
      [503, '2', 'stopping'],
      path,
    )
  }
  await assert.rejects(chat.rooms(null), refusedWith('stopping'))
  await chat.disconnect('host-ada')
  assert.deepEqual(host.lines, [])
})

test('a reader that takes nothing, and an upload that never ends, are cut off in time', async (t) => {
  const { chat, url } = await mount(t, { identify: undefined })
  const upload = new RawConnection(url)
  upload.send(
    'POST /chat/session HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{',
  )
  const reader = new RawConnection(url)
  t.after(() => reader.leave())
  reader.socket.pause()
  reader.send('GET /chat/events?since=all HTTP/1.1\r\nHost: localhost\r\n\r\n')
  const many = Array.from({ length: 2000 }, (_, at) =>
    chat.post(deploys, 'lobby', { text: `${at} ${'much '.repeat(790)}` }),
  )
  await Promise.all(many)

  const began = performance.now()
  await chat.close()

  assert.ok(performance.now() - began < 10_000)
  await upload.over
})

test('the folder can be opened again at once, and what was said is there', async (t) => {
  const data = await temporaryFolder(t)
  for (let time = 0; time < 5; time++) {
    const chat = await createChat({ data })
    await assert.rejects(createChat({ data }), /another natter is running/)
    await chat.post(deploys, 'lobby', { text: String(time) })
    assert.equal((await chat.messages(null, 'lobby')).messages.length, time + 1)
    await chat.close()
  }
  assert.deepEqual(readdirSync(data).sort(), ['natter.db', 'natter.lock'])
})

const index = JSON.stringify(new URL('../../lib/index.ts', import.meta.url).href)

/** Runs a host program, which must end by itself, and gives back what it printed. */
async function run(program: string, ...args: string[]): Promise<string> {
  const { stdout, stderr } = await promisify(execFile)(
    process.execPath,
    ['--input-type=module', '-e', program, ...args],
    { timeout: patienceMs },
  )
  assert.equal(stderr, '')
  return stdout
}

test("after close nothing is left that keeps the host's process", async (t) => {
  const data = await temporaryFolder(t)
  const out = await run(
    `
    import { readdirSync } from 'node:fs'
    import { createServer, get } from 'node:http'
    import { createChat } from ${index}
    const listeners = () => process.eventNames().map((name) => [String(name), process.listenerCount(name)]).sort()
    const before = listeners()
    const server = createServer()
    await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve))
    const { port } = server.address()
    for (let time = 0; time < 20; time++) {
      const chat = await createChat({ data: time % 2 ? process.argv[1] : ':memory:', path: '/chat', identify: async () => ({ id: '1', name: 'Ada' }) })
      server.on('request', chat.handler)
      const stream = await new Promise((resolve) => get({ port, path: '/chat/events', agent: false }, resolve))
      await new Promise((resolve) => stream.once('data', resolve))
      stream.resume()
      await chat.post({ id: '1', name: 'Ada' }, 'lobby', { text: 'hello' })
      await chat.close()
      server.off('request', chat.handler)
    }
    await new Promise((resolve) => server.close(resolve))
    const files = readdirSync('/proc/self/fd').length
    // A handle that is closed goes in a later turn.
    for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setImmediate(resolve))
    console.log(JSON.stringify({ before, after: listeners(), resources: process.getActiveResourcesInfo(), files }))
  `,
    data,
  )
  const { before, after, resources, files } = JSON.parse(out)
  assert.deepEqual(after, before)
  // What a program prints with, and reads its folder with, is its own.
  assert.deepEqual(
    resources.filter((name: string) => !/^(TTYWrap|PipeWrap|FSReq)/.test(name)),
    [],
  )
  assert.ok(files < 40, `${files} files are open`)
})

test('a password that was hashed keeps no process either', async () => {
  const out = await run(`
    import { createServer } from 'node:http'
    import { createChat } from ${index}
    const chat = await createChat({ data: ':memory:', path: '/chat' })
    const server = createServer(chat.handler)
    await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve))
    const answer = await fetch('http://127.0.0.1:' + server.address().port + '/chat/users', {
      method: 'POST', headers: { 'content-type': 'application/json', connection: 'close' }, body: JSON.stringify({ name: 'ada', password: 'correct horse battery staple' }),
    })
    console.log(answer.status, (await answer.json()).user?.name)
    await chat.close()
    server.close()
  `)
  assert.equal(out, '201 ada\n')
})

test('a log that throws takes nothing with it', async (t) => {
  const host = await mount(t, {
    log: () => {
      throw new Error('no disk')
    },
    identify: (request) =>
      request.headers['x-user'] === 'eve' ? Promise.reject(new Error('no database')) : byHeader(request),
  })
  assert.equal((await host.send('POST', '/chat/rooms', { name: 'attic' }, 'eve')).status, 500)
  assert.equal((await host.send('POST', '/chat/rooms', { name: 'attic' }, 'ada')).status, 201)
})

test('a host that ends without closing leaves no memory behind', {
  skip: !existsSync('/dev/shm') && 'there is no /dev/shm',
}, async () => {
  const out = await run(`
    import { createChat } from ${index}
    import { readdirSync } from 'node:fs'
    const kept = () => readdirSync('/dev/shm').filter((name) => name.startsWith('natter-memory-'))
    const others = kept()
    await createChat({ data: ':memory:' })
    console.log(kept().filter((name) => !others.includes(name)).join())
    process.exit()
  `)
  const folders = out.trim().split(',')
  assert.ok(folders[0] !== '')
  // Other tests come and go meanwhile: which of these is ours nobody else can tell, but none of them may stay.
  for (const folder of folders)
    while (existsSync(`/dev/shm/${folder}`)) await new Promise((resolve) => setTimeout(resolve, 20))
})

test('who takes only a Hub from the package loads no database', async () => {
  const out = await run(`
    const { Hub, createChat } = await import(${index})
    new Hub()
    console.log(typeof createChat, process.moduleLoadList.filter((name) => /sqlite|worker_threads|internal\\/worker$/.test(name)).join())
  `)
  assert.doesNotMatch(out, /sqlite/)
})
