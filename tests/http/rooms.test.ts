// Rooms that are not everyone's: who sees them, who may change them, and who is in them.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Member, Room } from '../../lib/chat/streams/events.ts'
import { own, startChat, wholeAnswer, type ChatServer, type Person } from '../chat-server.ts'

interface Request {
  method?: string
  path: string
  body?: unknown
  headers?: Record<string, string>
}

async function answerTo(person: Person, { method = 'GET', path, body, headers = {} }: Request): Promise<string> {
  const init =
    method === 'GET'
      ? { headers }
      : {
          method,
          headers: { 'content-type': 'application/json', ...own, ...headers },
          ...(body !== undefined && { body: JSON.stringify(body) }),
        }
  return wholeAnswer(await person.fetch(path, init))
}

/** All that can be asked about a room, a message in it, and somebody who is in it. */
function requestsAbout(
  room: string,
  { message, member, inside }: { message: string; member: string; inside: string },
): Request[] {
  const at = `/rooms/${encodeURIComponent(room)}`
  return [
    { path: at },
    { path: `${at}/messages` },
    { path: `${at}/messages?before=${message}&limit=1` },
    { path: `${at}/messages/${message}` },
    { path: `${at}/messages`, headers: { accept: 'text/event-stream' } },
    { path: `${at}/messages`, headers: { accept: 'text/event-stream', 'last-event-id': message } },
    { path: `${at}/members` },
    { path: `/events?room=${encodeURIComponent(room)}` },
    { path: `/events?room=lobby&room=${encodeURIComponent(room)}&since=all` },
    { method: 'HEAD', path: at },
    { method: 'POST', path: `${at}/messages`, body: { text: 'x' } },
    { method: 'POST', path: `${at}/messages`, body: { text: 'x' }, headers: { 'idempotency-key': 'inside' } },
    { method: 'POST', path: `${at}/messages`, body: { text: 'x', replyTo: message } },
    { method: 'DELETE', path: `${at}/messages/${message}` },
    { method: 'PUT', path: `${at}/members/me` },
    { method: 'PUT', path: `${at}/members/me`, body: { role: 'owner' } },
    { method: 'PUT', path: `${at}/members/${member}` },
    { method: 'PUT', path: `${at}/members/${inside}`, body: { role: 'member' } },
    { method: 'DELETE', path: `${at}/members/me` },
    { method: 'DELETE', path: `${at}/members/${inside}` },
    { method: 'PATCH', path: at, body: { name: 'renamed' } },
    { method: 'DELETE', path: at },
    { method: 'POST', path: '/invites', body: { room } },
    { method: 'POST', path: '/tokens', body: { name: 'prying bot', rooms: ['lobby', room] } },
    // A message of the room is none of another.
    { path: `/rooms/lobby/messages/${message}` },
    { method: 'DELETE', path: `/rooms/lobby/messages/${message}` },
    { method: 'POST', path: '/rooms/lobby/messages', body: { text: 'x', replyTo: message } },
  ]
}

async function everybody(chat: ChatServer): Promise<Record<string, Person>> {
  const owner = await chat.owner()
  const admin = await chat.account('alma')
  await owner.giveRole(admin, 'admin')
  await chat.claiming('una').say('lobby', 'x')
  return {
    owner,
    admin,
    member: await chat.account('mark'),
    guest: await chat.comeIn('gus'),
    unproven: chat.claiming('una'),
    claiming: chat.claiming('nobody yet'),
    bot: await owner.makeBot({ name: 'robot' }),
    'bound bot': await owner.makeBot({ name: 'bound', rooms: ['lobby'] }),
    nobody: chat.stranger,
  }
}

for (const kind of ['private', 'direct'] as const) {
  test(`to who is not in it a ${kind} room answers byte for byte like one that never was`, async (t) => {
    const chat = await startChat(t)
    const outsiders = await everybody(chat)
    const ada = await chat.account('ada')
    const bob = await chat.account('bob')
    const removed = await chat.account('rita')
    const room = kind === 'private' ? await ada.makeRoom('Attic', { kind }) : await ada.direct(bob)
    if (kind === 'private') {
      await ada.add(room, bob)
      await ada.add(room, removed)
      await removed.say(room, 'I was here')
      await ada.remove(room, removed)
      outsiders['removed'] = removed
    }
    const { id: message } = await ada.say(room, 'between us', { key: 'inside' })
    const about = { message, member: outsiders['member']!.id, inside: bob.id }
    const none = room.slice(0, -1) + (room.endsWith('x') ? 'y' : 'x')
    // The premise: there is something to see.
    for (const person of [ada, bob]) assert.ok((await person.textsIn(room)).includes('between us'))

    for (const [name, person] of Object.entries(outsiders)) {
      // A message that never was has an id of as many digits.
      const requests = requestsAbout(room, about)
      const others = requestsAbout(none, { ...about, message: String(Number(message) + 1) })
      for (const [at, request] of requests.entries()) {
        const [there, not] = [await answerTo(person, request), await answerTo(person, others[at]!)]
        const what = `${name}: ${request.method ?? 'GET'} ${request.path} ${JSON.stringify(request.body ?? '')}`
        assert.equal(there.replaceAll(message, '…'), not.replaceAll(String(Number(message) + 1), '…'), what)
        assert.match(there, /^40[134]\n/, what)
        if (request.method === undefined) assert.match(there, /^404\n/, what)
        assert.ok(!there.includes('between us'), what)
      }
      const { rooms } = await person.read<{ rooms: Room[] }>('/rooms')
      assert.deepEqual(
        rooms.map(({ id }) => id),
        ['lobby'],
        name,
      )
      assert.ok(!(await (await person.fetch('/users')).text()).includes(room))
    }
    assert.deepEqual(await ada.membersOf(room), ['ada', 'bob'])
    assert.ok((await bob.textsIn(room)).includes('between us'))
  })
}

test('the name of a private room tells nobody that there is one', async (t) => {
  const chat = await startChat(t)
  const ada = await chat.account('ada')
  const bob = await chat.account('bob')
  const hidden = await ada.makeRoom('Attic', { kind: 'private' })

  assert.match(hidden, /^attic-[0-9a-z]{4,8}$/)
  assert.equal(await bob.makeRoom('Attic'), 'attic')
  assert.notEqual(await bob.makeRoom('attic', { kind: 'private' }), await ada.makeRoom('attic', { kind: 'private' }))
  assert.equal(await bob.refused('POST', '/rooms', { name: 'ATTIC' }), '409 room_exists')
  assert.equal(await bob.refused('POST', '/rooms', { name: 'x', kind: 'direct' }), '400 invalid_request')
  assert.equal(await bob.refused('GET', `/rooms/${hidden.toUpperCase()}`), '404 not_found')
  assert.equal((await ada.read<Room>(`/rooms/${hidden.toUpperCase()}`)).id, hidden)
})

test('no event of a private or a direct room reaches anybody outside', async (t) => {
  const chat = await startChat(t)
  const outsiders = await everybody(chat)
  const ada = await chat.account('ada')
  const bob = await chat.account('bob')
  const streams = await Promise.all(
    Object.entries(outsiders).flatMap(([name, person]) =>
      ['/events', '/events?since=all', '/rooms?since=all'].map(async (path) => ({
        what: `${name} ${path}`,
        stream: await person.listen({ path }),
      })),
    ),
  )

  const attic = await ada.makeRoom('attic', { kind: 'private', topic: 'hush' })
  const direct = await bob.direct(ada)
  for (const room of [attic, direct]) {
    if (room === attic) await ada.add(room, bob)
    const { id } = await ada.say(room, 'hush')
    await ada.ask('DELETE', `/rooms/${room}/messages/${id}`)
  }
  await ada.ask('PATCH', `/rooms/${attic}`, { topic: 'hush hush' })
  await bob.leave(attic)
  const { id: last } = await ada.say('lobby', 'the end')
  await ada.makeRoom('end')

  for (const { what, stream } of streams) {
    if (what.includes('/rooms')) {
      // A bot that is bound to rooms hears of no new one.
      if (!what.startsWith('bound'))
        while (JSON.parse((await stream.take('message', 1))[0]!.data).id !== 'end') continue
    } else {
      while ((await stream.next('message')).id !== last) continue
    }
    const bytes = stream.bytes.toString()
    for (const secret of [attic, direct, 'hush']) assert.ok(!bytes.includes(secret), `${what} has ${secret}: ${bytes}`)
    stream.leave()
  }
})

test('who may change a room, and who is in it, is told by a table', async (t) => {
  const chat = await startChat(t)
  const olga = await chat.owner()
  const alma = await chat.account('alma')
  await olga.giveRole(alma, 'admin')
  const [rose, mark, gus, out] = [
    await chat.account('rose'),
    await chat.account('mark'),
    await chat.comeIn('gus'),
    await chat.account('otto'),
  ]
  const target = await chat.account('tom')
  await chat.claiming('una').say('lobby', 'x')
  const deeds: [string, (person: Person, room: string) => Promise<string>][] = [
    ['rename', (person, room) => person.refused('PATCH', `/rooms/${room}`, { name: 'New name' })],
    ['topic', (person, room) => person.refused('PATCH', `/rooms/${room}`, { topic: 'a topic' })],
    ['archive', (person, room) => person.refused('DELETE', `/rooms/${room}`)],
    ['unarchive', (person, room) => person.refused('PATCH', `/rooms/${room}`, { archived: false })],
    ['add', (person, room) => person.refused('PUT', `/rooms/${room}/members/${target.id}`)],
    ['make owner', (person, room) => person.refused('PUT', `/rooms/${room}/members/${target.id}`, { role: 'owner' })],
    ['make member', (person, room) => person.refused('PUT', `/rooms/${room}/members/${target.id}`, { role: 'member' })],
    ['remove', (person, room) => person.refused('DELETE', `/rooms/${room}/members/${target.id}`)],
    ['add nobody proven', (person, room) => person.refused('PUT', `/rooms/${room}/members/una`)],
  ]
  for (const kind of ['open', 'private'] as const) {
    const room = await rose.makeRoom(`a ${kind} one`, { kind })
    for (const person of [alma, mark, gus]) await rose.add(room, person)
    const outside = kind === 'open' ? 'no' : 'unseen'
    // Of each: may they, or are they told so, or is there no such room for them?
    const table: [string, Person, string][] = [
      ['its owner', rose, 'yes'],
      ['the owner of the place, outside', olga, kind === 'open' ? 'yes' : 'unseen'],
      ['an admin in it', alma, 'yes'],
      ['a member', mark, 'no'],
      ['a guest in it', gus, 'no'],
      ['somebody outside', out, outside],
      ['somebody without proof', chat.claiming('una'), 'no'],
      ['nobody', chat.stranger, 'nobody'],
    ]
    for (const [who, person, may] of table) {
      for (const [deed, ask] of deeds) {
        const expected = {
          no: '403 forbidden',
          unseen: '404 not_found',
          nobody: '401 unauthorized',
          yes:
            deed === 'add nobody proven'
              ? '403 forbidden'
              : ['rename', 'topic', 'unarchive'].includes(deed)
                ? '200'
                : '204',
        }[may]
        assert.equal(await ask(person, room), expected, `${who}, ${kind}: ${deed}`)
      }
    }
    assert.deepEqual(await rose.membersOf(room), ['rose', 'alma', 'mark', 'gus'])
    const { at: _, ...changed } = await rose.read<Room>(`/rooms/${room}`)
    assert.deepEqual(changed, { id: room, name: 'New name', kind, topic: 'a topic' })
  }
  // Each may leave, whoever they are; and the lobby is always there, and only theirs who govern the place.
  assert.equal(await olga.refused('DELETE', '/rooms/lobby'), '403 forbidden')
  assert.equal(await rose.refused('PATCH', '/rooms/lobby', { name: 'mine' }), '403 forbidden')
  assert.equal((await olga.ask<Room>('PATCH', '/rooms/lobby', { topic: 'welcome' })).topic, 'welcome')
  assert.equal(await olga.refused('PATCH', '/rooms/lobby', {}), '400 invalid_request')
  assert.equal(await olga.refused('PATCH', '/rooms/lobby', { kind: 'private' }), '400 unknown_field')
})

test("a room's owners are made and unmade by owners, and a private room without any is its members'", async (t) => {
  const chat = await startChat(t)
  const [rose, mark, gus] = [await chat.account('rose'), await chat.account('mark'), await chat.comeIn('gus')]
  const room = await rose.makeRoom('attic', { kind: 'private' })
  const roles = async () =>
    Object.fromEntries(
      (await mark.read<{ members: Member[] }>(`/rooms/${room}/members`)).members.map(
        ({ name, roomRole = 'member' }) => [name, roomRole],
      ),
    )
  await rose.add(room, mark)
  const stream = await mark.listen({ path: `/events?room=${room}` })
  await rose.add(room, gus, 'owner')
  assert.deepEqual((await stream.next('join')).data, { room, user: { id: gus.id, name: 'gus' }, role: 'owner' })
  assert.deepEqual(await roles(), { rose: 'owner', mark: 'member', gus: 'owner' })

  assert.equal(await mark.refused('PUT', `/rooms/${room}/members/me`, { role: 'owner' }), '403 forbidden')
  // One's own step back needs nobody; the other owner may take the role, too.
  await gus.ask('PUT', `/rooms/${room}/members/me`, { role: 'member' })
  assert.deepEqual((await stream.next('join')).data, { room, user: { id: gus.id, name: 'gus' } })
  await rose.add(room, gus, 'owner')
  await gus.add(room, rose, 'member')
  assert.deepEqual(await roles(), { rose: 'member', mark: 'member', gus: 'owner' })
  assert.equal(await rose.refused('PUT', `/rooms/${room}/members/${mark.id}`, { role: 'owner' }), '403 forbidden')
  await gus.leave(room)

  // Nobody owns it now.
  await mark.ask('PATCH', `/rooms/${room}`, { topic: 'ours' })
  await mark.add(room, rose, 'owner')
  assert.equal(await mark.refused('PATCH', `/rooms/${room}`, { topic: 'mine' }), '403 forbidden')
  assert.deepEqual(await roles(), { rose: 'owner', mark: 'member' })
  assert.equal(await gus.refused('GET', `/rooms/${room}`), '404 not_found')
})

test('who is in a room already, or not in it, is told nothing new by coming or leaving once more', async (t) => {
  const chat = await startChat(t)
  const [rose, mark] = [await chat.account('rose'), await chat.account('mark')]
  const room = await rose.makeRoom('attic')
  const stream = await chat.stranger.listen({ path: `/events?room=${room}` })

  for (let again = 0; again < 2; again++) await mark.join(room)
  for (let again = 0; again < 2; again++) await rose.add(room, mark)
  for (let again = 0; again < 2; again++) await mark.leave(room)
  for (let again = 0; again < 2; again++) await rose.remove(room, mark)
  // By one's own id or name it is oneself all the same.
  for (const me of [mark.id, 'MARK', 'me']) {
    await mark.ask('PUT', `/rooms/${room}/members/${me}`)
    await mark.ask('DELETE', `/rooms/${room}/members/${me}`)
  }
  await rose.say(room, 'end')

  await stream.take('message', 1)
  assert.deepEqual(
    stream.all.map(({ event }) => event).filter((event) => event !== 'ping'),
    ['join', 'leave', 'join', 'leave', 'join', 'leave', 'join', 'leave', 'message'],
  )
})

test('in an archived room nothing more is said, and all of it can be read', async (t) => {
  const chat = await startChat(t)
  const [rose, mark, out] = [await chat.account('rose'), await chat.account('mark'), await chat.account('otto')]
  for (const kind of ['open', 'private'] as const) {
    const room = await rose.makeRoom(`a ${kind} one`, { kind })
    await rose.add(room, mark)
    const { id } = await mark.say(room, 'said')
    const { code } = await rose.invite({ room, uses: 9 })
    const stream = await mark.listen({ path: `/events?room=${room}` })
    await rose.ask('DELETE', `/rooms/${room}`)

    assert.equal((await stream.next('room')).data.archived, true)
    assert.equal((await mark.read<Room>(`/rooms/${room}`)).archived, true)
    assert.equal(await mark.refused('POST', `/rooms/${room}/messages`, { text: 'x' }), '409 archived')
    assert.equal(await rose.refused('POST', `/rooms/${room}/messages`, { text: 'x', replyTo: id }), '409 archived')
    assert.equal(await rose.refused('PUT', `/rooms/${room}/members/${out.id}`), '409 archived')
    if (kind === 'open') assert.equal(await out.refused('PUT', `/rooms/${room}/members/me`), '409 archived')
    await out.accept(code).catch(() => {})
    assert.deepEqual(await mark.membersOf(room), ['rose', 'mark'])
    assert.deepEqual(await mark.textsIn(room), ['said'])
    await mark.ask('DELETE', `/rooms/${room}/messages/${id}`)
    await mark.leave(room)

    await rose.ask('PATCH', `/rooms/${room}`, { archived: false })
    assert.equal((await rose.read<Room>(`/rooms/${room}`)).archived, undefined)
    await rose.say(room, 'again')
    assert.deepEqual(await rose.textsIn(room), ['again'])
  }
})

test('two who write to each other at once have one room, and it stays theirs alone', async (t) => {
  const chat = await startChat(t)
  const olga = await chat.owner()
  const [ada, bob, gus] = [await chat.account('ada'), await chat.account('bob'), await chat.comeIn('gus')]
  const answers = await Promise.all([
    ada.send('POST', '/direct', { user: 'bob' }),
    bob.send('POST', '/direct', { user: ada.id }),
    ada.send('POST', '/direct', { user: 'BOB' }),
  ])
  const rooms = (await Promise.all(answers.map((answer) => answer.json()))) as Room[]

  assert.deepEqual(answers.map(({ status }) => status).sort(), [200, 200, 201])
  assert.equal(new Set(rooms.map(({ id }) => id)).size, 1)
  const { id: room, kind } = rooms[0]!
  assert.equal(kind, 'direct')
  assert.deepEqual(
    answers.map(({ headers }) => headers.get('location')),
    Array(3).fill(`/rooms/${encodeURIComponent(room)}`),
  )
  assert.deepEqual((await ada.membersOf(room)).sort(), ['ada', 'bob'])
  await ada.say(room, 'hello')
  assert.deepEqual(await bob.textsIn(room), ['hello'])
  assert.equal(await ada.direct(bob), room)
  assert.notEqual(await ada.direct(gus), room)

  for (const [person, other] of [
    [ada, bob],
    [bob, ada],
  ] as const) {
    assert.equal(await person.refused('DELETE', `/rooms/${room}/members/${other.id}`), '403 forbidden')
    assert.equal(await person.refused('PATCH', `/rooms/${room}`, { name: 'ours' }), '403 forbidden')
    assert.equal(await person.refused('DELETE', `/rooms/${room}`), '403 forbidden')
    assert.equal(await person.refused('POST', '/invites', { room }), '403 forbidden')
    assert.match(await person.refused('PUT', `/rooms/${room}/members/${gus.id}`), /^40[34] /)
    assert.match(await person.refused('PUT', `/rooms/${room}/members/${bob.id}`, { role: 'owner' }), /^403 /)
    assert.match(await person.refused('PUT', `/rooms/${room}/members/me`, { role: 'owner' }), /^403 /)
  }
  assert.deepEqual(
    (await ada.read<{ members: Member[] }>(`/rooms/${room}/members`)).members.map(({ roomRole }) => roomRole),
    [undefined, undefined],
  )
  // With whom there is none.
  await chat.claiming('una').say('lobby', 'x')
  for (const [user, refusal] of [
    ['ada', '400 invalid_request'],
    ['me', '400 invalid_request'],
    ['una', '403 forbidden'],
    ['nobody', '404 not_found'],
  ] as const)
    assert.equal(await ada.refused('POST', '/direct', { user }), refusal, user)
  assert.equal(await chat.claiming('una').refused('POST', '/direct', { user: 'ada' }), '403 forbidden')
  assert.equal(await chat.stranger.refused('POST', '/direct', { user: 'ada' }), '401 unauthorized')
  await olga.ban(gus)
  assert.equal(await bob.refused('POST', '/direct', { user: 'gus' }), '403 forbidden')
  // Nobody can make a room that passes for one of theirs.
  const [, mine = ''] = /^-(.+)$/.exec(room) ?? []
  assert.notEqual(await bob.makeRoom(`-${mine}`), room)
})

test('nobody leaves no room for the rooms of others', async (t) => {
  const chat = await startChat(t)
  const olga = await chat.owner()
  const eve = await chat.comeIn('eve')
  for (let made = 0; made < 20; made++) await eve.makeRoom(`eve's ${made}`, { kind: made % 2 ? 'open' : 'private' })

  const answer = await eve.send('POST', '/rooms', { name: 'one more' })
  assert.equal(answer.status, 403)
  assert.match(((await answer.json()) as { detail: string }).detail, /20 rooms/)
  // Two people can talk all the same, and who governs makes rooms as needed.
  await eve.send('POST', '/direct', { user: olga.id })
  assert.equal((await olga.read<{ rooms: Room[] }>('/rooms')).rooms.filter(({ kind }) => kind === 'direct').length, 1)
  for (let made = 0; made < 25; made++) await olga.makeRoom(`olga's ${made}`)
})
