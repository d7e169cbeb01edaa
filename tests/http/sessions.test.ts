import assert from 'node:assert/strict'
import { connect } from 'node:net'
import { test } from 'node:test'
import type { Message, User } from '../../lib/chat/streams/events.ts'
import { startChat } from '../chat-server.ts'

const own = { 'sec-fetch-site': 'same-origin' }

test('a cookie that proves nothing any more is taken away, so that its browser can read on', async (t) => {
  const chat = await startChat(t)
  const [name] = (await chat.comeIn('ada')).headers['cookie']!.split('=')
  const stale = { cookie: `${name}=${'x'.repeat(43)}` }

  const who = await chat.fetch('/session', { headers: stale })
  assert.deepEqual(await who.json(), { user: null, access: 'open' })
  assert.ok(who.headers.get('set-cookie')!.startsWith(`${name}=; Path=/; Max-Age=0`))
  const stream = await chat.fetch('/events', { headers: stale })
  assert.equal(stream.status, 204)
  assert.ok(stream.headers.get('set-cookie')!.startsWith(`${name}=; Path=/; Max-Age=0`))
})

test('who comes in under another name leaves the session that they had', async (t) => {
  const chat = await startChat(t)
  const kim = await chat.comeIn('kim')
  const stream = await kim.listen()

  assert.equal((await kim.send('POST', '/session', { name: 'kim2' }, own)).status, 201)

  await stream.over
  assert.deepEqual(await (await kim.fetch('/session')).json(), { user: null, access: 'open' })
})

test('what is asked by a slow body counts for who one is when it is there', async (t) => {
  const chat = await startChat(t)
  const ada = await chat.comeIn('ada')
  const half = (identity: string) => {
    const socket = connect(Number(new URL(chat.url).port), '127.0.0.1')
    t.after(() => socket.destroy())
    const answer = new Promise<string>((resolve) => socket.once('data', (data) => resolve(String(data))))
    socket.write(
      `POST /rooms/lobby/messages HTTP/1.1\r\nHost: localhost\r\n${identity}\r\nContent-Type: application/json\r\nContent-Length: 15\r\n\r\n{"text"`,
    )
    return { rest: () => socket.write(':"late"}'), answer }
  }
  const asAda = half(`Cookie: ${ada.headers['cookie']}`)
  const claimed = await chat.claiming('eve').say('lobby', 'I say that I am eve')
  const asEve = half(`Authorization: ${chat.claiming('eve').headers['authorization']}`)
  // Both requests have begun when this one, sent after them on connections of its own, is answered.
  await chat.fetch('/healthz')

  assert.equal((await ada.fetch('/session', { method: 'DELETE', headers: own })).status, 204)
  await chat.comeIn('eve')
  asAda.rest()
  asEve.rest()

  assert.match(await asAda.answer, /^HTTP\/1\.1 401 /)
  assert.match(await asEve.answer, /^HTTP\/1\.1 409 /)
  const { messages } = await chat.stranger.read<{ messages: Message[] }>('/rooms/lobby/messages')
  assert.deepEqual(
    messages.map(({ id }) => id),
    [claimed.id],
  )
})

test('a post that is refused leaves nobody behind', async (t) => {
  const chat = await startChat(t)
  const reader = await chat.stranger.listen()
  const refused = await chat.claiming('zoe').send('POST', '/rooms/lobby/messages', { text: 'x', replyTo: '1' })
  await chat.claiming('ivy').say('lobby', 'x')

  assert.equal(refused.status, 404)
  const { data } = await reader.next('user')
  assert.equal((data as User).name, 'ivy')
})

test('a retry of what was said does not bring one back into a room that one has left', async (t) => {
  const chat = await startChat(t)
  const ada = await chat.comeIn('ada')
  const first = await ada.say('lobby', 'once', { key: 'k' })
  await ada.fetch('/rooms/lobby/members/me', { method: 'DELETE', headers: own })

  assert.deepEqual(await ada.say('lobby', 'once', { key: 'k' }), first)
  assert.deepEqual((await chat.stranger.read<{ members: User[] }>('/rooms/lobby/members')).members, [])
})

test('who left while away finds their own leave, and nothing after it, on a stream of their rooms', async (t) => {
  const chat = await startChat(t)
  const ada = await chat.comeIn('ada')
  const bob = await chat.comeIn('bob')
  const { id } = await ada.say('lobby', 'here')
  await ada.fetch('/rooms/lobby/members/me', { method: 'DELETE', headers: own })
  await bob.say('lobby', 'unheard')
  await ada.makeRoom('attic')
  const there = await ada.say('attic', 'elsewhere')

  const mine = await ada.listen({ path: '/events?mine', lastEventId: id })
  await mine.take('message', 1)

  // A ping may have come in the same packet.
  const events = mine.all.filter(({ event }) => event !== 'ping')
  assert.deepEqual(
    events.map(({ event, data }) => [event, JSON.parse(data).room ?? '']),
    [
      ['leave', 'lobby'],
      ['room', ''],
      ['join', 'attic'],
      ['message', 'attic'],
    ],
  )
  assert.equal(events.at(-1)!.id, there.id)
})

test('where we are reached by HTTPS alone, cookies are for HTTPS alone', async (t) => {
  const chat = await startChat(t, { flags: ['--url', 'https://chat.example,https://other.example'] })
  const answer = await chat.fetch('/session', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: '{"name":"ada"}',
  })
  const [cookie = ''] = answer.headers.getSetCookie()
  assert.match(cookie, /^__Host-natter-[0-9a-z]{8}=[\w-]{43}; Path=\/; Max-Age=\d+; HttpOnly; SameSite=Lax; Secure$/)
  const me = await chat.fetch('/session', { headers: { cookie: cookie.split(';')[0]! } })
  assert.equal(((await me.json()) as { user: User }).user.name, 'ada')
})

test('the cursor of a list of rooms is one that the stream of rooms goes on from, in every form', async (t) => {
  const chat = await startChat(t)
  const ada = await chat.comeIn('ada')
  await ada.makeRoom('attic')
  await ada.say('attic', 'hello')
  const { cursor } = await chat.stranger.read<{ cursor: string }>('/rooms')
  const goesOn = await chat.stranger.listen({ path: `/rooms?since=${cursor}` })
  await ada.makeRoom('cellar')

  assert.deepEqual(
    (await goesOn.take('message', 1)).map(({ data }) => JSON.parse(data).id),
    ['cellar'],
  )
  assert.ok(!goesOn.all.some(({ event }) => event === 'reset'))
  for (const [since, rooms] of [
    ['all', ['lobby', 'attic', 'cellar']],
    ['10m', ['lobby', 'attic', 'cellar']],
    ['-2', ['attic', 'cellar']],
  ] as const) {
    const reader = await chat.stranger.listen({ path: `/rooms?since=${since}` })
    assert.deepEqual(
      (await reader.take('message', rooms.length)).map(({ data }) => JSON.parse(data).id),
      rooms,
      since,
    )
  }
})

test('a form in parts is refused with what to send instead, and a slug is found however it is written', async (t) => {
  const chat = await startChat(t)
  const form = new FormData()
  form.set('text', 'hi')
  const refused = await chat.claiming('ada').fetch('/rooms/lobby/messages', { method: 'POST', body: form })
  assert.equal(refused.status, 400)
  assert.match(await refused.text(), /curl -d/)
  assert.equal((await chat.claiming('ada').say('Lobby', 'hi')).room, 'lobby')
})
