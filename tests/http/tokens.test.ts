// Tokens: what a bot may do by one, and where it counts.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Message, Room, User } from '../../lib/chat/streams/events.ts'
import { routes } from '../../lib/http/routes.ts'
import { own, refusalOf, startChat, type Person } from '../chat-server.ts'

interface Listed {
  id: string
  user: User
  maker: { id: string; name: string }
  scopes: string[]
  rooms?: string[]
  expires?: string
}

const tokensOf = async (person: Person) => (await person.read<{ tokens: Listed[] }>('/tokens')).tokens

test('a bot posts and reads by its token, under its own name', async (t) => {
  const chat = await startChat(t)
  const olga = await chat.owner()
  const watcher = await chat.stranger.listen()

  const made = await olga.ask<Listed & { token: string }>('POST', '/tokens', { name: 'Robot' })

  assert.match(made.token, /^natter_[\w-]{43}$/)
  assert.deepEqual(
    { ...made, id: '', token: '', user: '' },
    { id: '', token: '', user: '', maker: { id: olga.id, name: 'olga' }, scopes: ['read', 'write'] },
  )
  assert.deepEqual((await watcher.next('user')).data, made.user)
  assert.deepEqual(made.user, { id: made.user.id, name: 'Robot', role: 'bot' })
  const bot = chat.withToken(made.token)
  const { from } = await bot.say('lobby', 'beep')
  assert.deepEqual(from, { id: made.user.id, name: 'Robot' })
  const stream = await bot.listen({ path: '/events?mine' })
  await olga.say('lobby', 'hello, Robot')
  assert.deepEqual(await stream.texts(1), ['hello, Robot'])
  await bot.ask('DELETE', `/rooms/lobby/messages/${(await bot.say('lobby', 'x')).id}`)
  assert.deepEqual((await bot.read<{ user: User }>('/session')).user, made.user)
  // A second token of the same bot.
  const second = await olga.makeBot({ name: 'robot', scopes: ['read'] })
  assert.equal(second.id, made.user.id)
  assert.deepEqual(
    (await tokensOf(olga)).map(({ user, scopes }) => [user.name, scopes]),
    [
      ['Robot', ['read']],
      ['Robot', ['read', 'write']],
    ],
  )
  assert.ok(!JSON.stringify(await tokensOf(olga)).includes('natter_'))
})

test('only who governs the place makes, sees and ends tokens', async (t) => {
  const chat = await startChat(t)
  const olga = await chat.owner()
  const [alma, mark, gus] = [await chat.account('alma'), await chat.account('mark'), await chat.comeIn('gus')]
  await olga.giveRole(alma, 'admin')
  const bot = await alma.makeBot({ name: 'robot' })
  assert.equal((await tokensOf(olga)).length, 1)

  for (const person of [mark, gus, bot]) {
    assert.equal(await person.refused('POST', '/tokens', { name: 'other' }), '403 forbidden')
    assert.equal(await person.refused('GET', '/tokens'), '403 forbidden')
    assert.match(await person.refused('DELETE', `/tokens/${bot.tokenId}`), /^40[34] /)
  }
  assert.equal(await chat.stranger.refused('GET', '/tokens'), '401 unauthorized')
  const bad: [object, string][] = [
    [{ name: '' }, '400 invalid_name'],
    [{ name: 'a:b' }, '400 invalid_name'],
    [{ name: 'me' }, '400 invalid_name'],
    [{ name: 'mark' }, '409 name_taken'],
    [{ name: 'gus' }, '409 name_taken'],
    [{}, '400 invalid_request'],
    [{ name: 'x', scopes: [] }, '400 invalid_request'],
    [{ name: 'x', scopes: ['admin'] }, '400 invalid_request'],
    [{ name: 'x', scopes: ['read', 1] }, '400 invalid_request'],
    [{ name: 'x', scopes: 'read' }, '400 invalid_request'],
    [{ name: 'x', rooms: [] }, '400 invalid_request'],
    [{ name: 'x', rooms: ['nowhere'] }, '404 not_found'],
    [{ name: 'x', rooms: Array(101).fill('lobby') }, '400 invalid_request'],
    [{ name: 'x', expires: 'never' }, '400 invalid_request'],
    [{ name: 'x', expires: '2020-01-01' }, '400 invalid_request'],
    [{ name: 'x', user: 'mark' }, '400 unknown_field'],
  ]
  for (const [body, refusal] of bad)
    assert.equal(await olga.refused('POST', '/tokens', body), refusal, JSON.stringify(body))
  assert.deepEqual(
    (await chat.stranger.read<{ users: User[] }>('/users')).users
      .filter(({ role }) => role === 'bot')
      .map(({ name }) => name),
    ['robot'],
  )
  for (const id of ['1', 'x', '__proto__']) assert.equal(await olga.refused('DELETE', `/tokens/${id}`), '404 not_found')
  await olga.ask('DELETE', `/tokens/${bot.tokenId}`)
  assert.equal(await olga.refused('DELETE', `/tokens/${bot.tokenId}`), '404 not_found')
  assert.deepEqual(await tokensOf(olga), [])
  assert.equal(await bot.refused('GET', '/rooms'), '401 unauthorized')
})

test('there are as many tokens as are listed, so that each can be found and ended', async (t) => {
  const chat = await startChat(t)
  const olga = await chat.owner()
  for (let made = 0; made < 1000; made += 50)
    await Promise.all(Array.from({ length: 50 }, () => olga.makeBot({ name: 'robot' })))

  assert.equal(await olga.refused('POST', '/tokens', { name: 'robot' }), '403 forbidden')

  const tokens = await tokensOf(olga)
  assert.equal(tokens.length, 1000)
  await olga.ask('DELETE', `/tokens/${tokens.at(-1)!.id}`)
  await olga.makeBot({ name: 'robot' })
})

test('on every route a token does what its scopes and its rooms say, and no more', async (t) => {
  const chat = await startChat(t)
  const olga = await chat.owner()
  const [attic, closed] = [await olga.makeRoom('attic'), await olga.makeRoom('closed', { kind: 'private' })]
  const cellar = await olga.makeRoom('cellar', { kind: 'private' })
  const { id: message } = await olga.say(cellar, 'in the cellar')
  const { id: elsewhere } = await olga.say(attic, 'in the attic')
  const bots: Record<string, Person> = {
    reader: await olga.makeBot({ name: 'reader', scopes: ['read'] }),
    writer: await olga.makeBot({ name: 'writer', scopes: ['write'] }),
    both: await olga.makeBot({ name: 'both' }),
    'bound reader': await olga.makeBot({ name: 'bound reader', scopes: ['read'], rooms: [cellar] }),
    'bound writer': await olga.makeBot({ name: 'bound writer', scopes: ['write'], rooms: [cellar] }),
    bound: await olga.makeBot({ name: 'bound', scopes: ['read', 'write'], rooms: [cellar] }),
  }
  // To be bound to a private room is to be in it.
  assert.deepEqual(await olga.membersOf(cellar), ['olga', 'bound reader', 'bound writer', 'bound'])
  const statusOf = async (person: Person, method: string, path: string, body?: unknown) => {
    const answer = await person.fetch(
      path,
      method === 'GET'
        ? {}
        : {
            method,
            headers: { 'content-type': 'application/json', ...own },
            ...(body !== undefined && { body: JSON.stringify(body) }),
          },
    )
    await answer.body?.cancel()
    return answer.status
  }
  const bodies: Record<string, unknown> = {
    'POST /rooms': { name: 'new' },
    'POST /rooms/:room/messages': { text: 'beep' },
    'PATCH /rooms/:room': { topic: 'x' },
    'PATCH /rooms/:room/messages/:message': { text: 'x' },
    'PUT /rooms/:room/read': { id: '1' },
    'POST /direct': { user: 'olga' },
    'PATCH /users/:user': { name: 'other' },
    'POST /invites': {},
    'POST /tokens': { name: 'x' },
    'POST /users': { name: 'x', password: 'long enough' },
    'POST /invites/accept': { code: 'x' },
  }
  // What a bot can ever do; all else is people's.
  const writing = [
    'PUT /rooms/:room/members/:user',
    'DELETE /rooms/:room/members/:user',
    'POST /rooms/:room/messages',
    'DELETE /rooms/:room/messages/:message',
    'PATCH /rooms/:room/messages/:message',
    'PUT /rooms/:room/messages/:message/reactions/:emoji',
    'DELETE /rooms/:room/messages/:message/reactions/:emoji',
  ]
  const free = [
    'POST /rooms/:room/typing',
    'PUT /rooms/:room/read',
    'GET /session',
    'GET /sessions',
    'DELETE /session',
    'POST /session',
  ]
  const governing = ['GET /invites', 'GET /tokens', 'GET /blocks']

  for (const [name, bot] of Object.entries(bots)) {
    const [reads, writes, bound] = [!name.includes('writer'), !name.includes('reader'), name.startsWith('bound')]
    for (const { method, path } of routes) {
      const route = `${method} ${path}`
      if (free.includes(route)) continue
      for (const [room, seen] of [
        [cellar, bound],
        [attic, !bound],
        ['lobby', !bound],
        [closed, false],
      ] as const) {
        if (!path.includes(':room') && room !== attic) continue
        const filled = path
          .replace(':room', room)
          .replace(':message', room === attic ? elsewhere : message)
          .replace(':user', path.startsWith('/users') || path.includes('members') ? 'me' : '')
          .replace(':id', '1')
          .replace(':emoji', encodeURIComponent('👍'))
        const status = await statusOf(bot, method, filled, bodies[route])
        const what = `${name}: ${method} ${filled} was ${status}`
        // It left, if it could.
        if (bound && method === 'DELETE' && path.includes('members')) await olga.add(cellar, bot)
        if (method === 'GET' && !governing.includes(route)) {
          if (!reads) assert.equal(status, 403, what)
          else if (!path.includes(':room')) assert.equal(status, 200, what)
          // Of the lobby there is no such message.
          else assert.equal(status, seen && !(path.includes(':message') && room === 'lobby') ? 200 : 404, what)
        } else if (!writing.includes(route)) {
          assert.equal(status, 403, what)
        } else if (!writes) {
          assert.equal(status, path.endsWith('/messages') && !seen ? 404 : 403, what)
        } else if (path.endsWith('/messages')) {
          assert.equal(status, seen ? 201 : 404, what)
        } else if (!reads) {
          assert.equal(status, 403, what)
        } else if (path.includes('/reactions/')) {
          assert.equal(status, seen && room !== 'lobby' ? 204 : 404, what)
        } else if (path.endsWith(':message')) {
          assert.equal(status, seen && room !== 'lobby' ? 403 : 404, what) // another's message
        } else {
          assert.equal(status, seen ? 204 : 404, what)
        }
      }
    }
  }
  assert.deepEqual((await bots['both']!.read<{ rooms: Room[] }>('/rooms')).rooms.map(({ id }) => id).sort(), [
    'attic',
    'lobby',
  ])
})

test('a token that is bound to rooms has streams of these alone', async (t) => {
  const chat = await startChat(t)
  const olga = await chat.owner()
  const attic = await olga.makeRoom('attic')
  const cellar = await olga.makeRoom('cellar', { kind: 'private' })
  const bot = await olga.makeBot({ name: 'robot', rooms: [attic, cellar] })
  await olga.say(cellar, 'before')
  assert.deepEqual(
    (await bot.read<{ rooms: Room[] }>('/rooms')).rooms.map(({ id }) => id).sort(),
    [attic, cellar].sort(),
  )
  const streams = await Promise.all(
    ['/events', '/events?since=all', '/events?mine', '/events?mine&since=all', '/events?since=-3'].map((path) =>
      bot.listen({ path }),
    ),
  )
  const lists = await Promise.all(['/rooms', '/rooms?since=all'].map((path) => bot.listen({ path })))

  await chat.comeIn('gus')
  await olga.say('lobby', 'not for bots')
  await olga.makeRoom('garden')
  for (const room of [attic, cellar]) await olga.ask('PATCH', `/rooms/${room}`, { topic: `of ${room}` })
  await olga.say(attic, 'here')
  const { id } = await olga.say(cellar, 'end')

  for (const stream of streams) {
    while ((await stream.next('message')).id !== id) continue
    const found = stream.all
      .filter(({ event }) => event !== 'ping')
      .map(({ event, data }) => [event, JSON.parse(data)] as const)
    assert.ok(found.length >= 4, stream.bytes.toString())
    for (const [event, data] of found)
      assert.ok([attic, cellar].includes(event === 'room' ? data.id : data.room), stream.bytes.toString())
  }
  // The same rooms in its list, whatever kind they are, as they change.
  for (const list of lists) {
    const topics = new Map<string, string>()
    while (topics.get(cellar) !== `of ${cellar}` || topics.get(attic) !== `of ${attic}`) {
      const [{ data } = { data: '' }] = await list.take('message', 1)
      const room = JSON.parse(data) as Room
      assert.ok([attic, cellar].includes(room.id), data)
      topics.set(room.id, room.topic ?? '')
    }
  }
})

test('a token counts in the header alone, and an unknown, ended or expired one for nothing', async (t) => {
  const chat = await startChat(t)
  const olga = await chat.owner()
  const { token } = await olga.ask<{ token: string }>('POST', '/tokens', { name: 'robot' })
  const short = await olga.makeBot({ name: 'short', expires: '1s' })

  for (const path of [
    `/events?token=${token}`,
    `/events?access_token=${token}`,
    `/rooms?x=${token}`,
    `/rooms/${token}`,
  ]) {
    assert.equal(await chat.stranger.refused('GET', path), '400 invalid_request', path)
    assert.equal(await olga.refused('GET', path), '400 invalid_request', path)
  }
  // What Authorization says counts alone: a cookie beside it does not help.
  const both = { ...olga.headers, authorization: `Bearer natter_${'x'.repeat(43)}` }
  assert.equal(await refusalOf(chat.fetch('/rooms', { headers: both })), '401 unauthorized')
  for (const authorization of [
    `Bearer ${token}x`,
    `Bearer ${token.slice(7)}`,
    `Bearer ${token.toUpperCase()}`,
    'Bearer',
    'Bearer ',
    `Token ${token}`,
    `Basic ${token}`,
  ]) {
    assert.match(await refusalOf(chat.fetch('/rooms', { headers: { authorization } })), /^40[019] /, authorization)
  }
  const answer = await chat.fetch('/rooms', { headers: { authorization: `Bearer ${token}x` } })
  assert.equal(answer.headers.get('www-authenticate'), 'Bearer')
  assert.equal((await chat.fetch('/rooms', { headers: { authorization: `bearer ${token}` } })).status, 200)
  assert.equal(
    (
      await chat.fetch('/session', {
        headers: { cookie: `${olga.headers['cookie']!.split('=')[0]}=${token.slice(7)}` },
      })
    ).headers
      .getSetCookie()
      .join()
      .includes('Max-Age=0'),
    true,
  )
  while ((await short.fetch('/rooms')).status === 200) continue
  assert.equal(await short.refused('GET', '/rooms'), '401 unauthorized')
})

test('a banned bot does nothing by any of its tokens, and a bot of a private room loses it when it is removed', async (t) => {
  const chat = await startChat(t)
  const olga = await chat.owner()
  const cellar = await olga.makeRoom('cellar', { kind: 'private' })
  const bot = await olga.makeBot({ name: 'robot', rooms: [cellar, 'lobby'] })
  await bot.say(cellar, 'beep')

  await olga.remove(cellar, bot)
  assert.equal(await bot.refused('POST', `/rooms/${cellar}/messages`, { text: 'x' }), '404 not_found')
  assert.deepEqual(
    (await bot.read<{ rooms: Room[] }>('/rooms')).rooms.map(({ id }) => id),
    ['lobby'],
  )
  await olga.add(cellar, bot)
  assert.deepEqual(
    (await bot.read<{ messages: Message[] }>(`/rooms/${cellar}/messages`)).messages.map(({ text }) => text),
    ['beep'],
  )
  const other = await olga.makeBot({ name: 'robot' })
  await olga.ban(bot)
  for (const token of [bot, other]) {
    assert.equal(await token.refused('GET', '/rooms'), '403 banned')
    assert.equal(await token.refused('POST', '/rooms/lobby/messages', { text: 'x' }), '403 banned')
  }
})
