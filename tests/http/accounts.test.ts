// Accounts: making one, its name, its password, its sessions, and its role in the place.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Message, User } from '../../lib/chat/streams/events.ts'
import { cookieOf, own, passwordOf, Person, refusalOf, startChat } from '../chat-server.ts'

interface Session {
  id: string
  began: string
  used: string
  current?: true
}

const me = async (person: Person) => (await person.read<{ user: User | null }>('/session')).user
const register = (person: Person, name: string, password = passwordOf(name)) =>
  person.send('POST', '/users', { name, password }, own)

test('a guest who makes an account keeps their id, their rooms and what they said, and the guest is no more', async (t) => {
  const chat = await startChat(t)
  const guest = await chat.comeIn('ada')
  const said = await guest.say('lobby', 'as a guest')
  const attic = await guest.makeRoom('attic', { kind: 'private' })
  const stream = await guest.listen()
  const watcher = await chat.stranger.listen()

  const answer = await register(guest, 'Ada L')
  assert.equal(answer.status, 201)
  const { user } = (await answer.json()) as { user: User }
  const ada = await chat.logIn('Ada L')

  assert.deepEqual(user, { id: guest.id, name: 'Ada L', role: 'member' })
  assert.deepEqual((await watcher.next('user')).data, user)
  // The guest's session is over, and the account's is there.
  await stream.over
  assert.equal(await me(guest), null)
  assert.deepEqual(await me(new Person(chat, { cookie: cookieOf(answer) })), user)
  assert.deepEqual(await ada.membersOf(attic), ['Ada L'])
  const { messages } = await ada.read<{ messages: Message[] }>('/rooms/lobby/messages')
  assert.deepEqual(messages, [said])
  assert.equal(messages[0]!.from.id, ada.id)
  await ada.ask('DELETE', `/rooms/lobby/messages/${said.id}`)
  assert.equal(await refusalOf(register(ada, 'ada again')), '409 account_exists')
})

test('of two who want a name at once one gets it, however they ask', async (t) => {
  const chat = await startChat(t)
  const guest = await chat.comeIn('somebody')
  const account = await chat.account('somebody else')
  const ways: [string, (name: string) => Promise<Response>][] = [
    ['a new account', (name) => register(chat.stranger, name)],
    ['a new account in other letters', (name) => register(chat.stranger, name.toUpperCase(), 'another password')],
    ['a guest', (name) => chat.stranger.send('POST', '/session', { name })],
    ['a new name', (name) => account.send('PATCH', '/users/me', { name }, own)],
    ["a guest's new name", (name) => guest.send('PATCH', '/users/me', { name }, own)],
  ]
  let number = 0
  for (const [first, one] of ways) {
    for (const [second, other] of ways) {
      if (first === second && first.endsWith('new name')) continue // the same person
      const name = `name ${number++}`
      const answers = await Promise.all([one(name), other(name)])
      const what = `${first} and ${second}: ${name}`
      assert.deepEqual(answers.map(({ status }) => status >= 400).sort(), [false, true], what)
      const refused = answers.find(({ status }) => status >= 400)!
      const { code, detail } = (await refused.json()) as { code: string; detail: string }
      assert.deepEqual([refused.status, code], [409, 'name_taken'], what)
      assert.match(detail, /^the name name \d+ is somebody's already; choose another$/i)
      const { users } = await chat.stranger.read<{ users: User[] }>('/users')
      assert.equal(users.filter((user) => user.name.toLowerCase() === name).length, 1, what)
    }
  }
})

test("some names are nobody's to take", async (t) => {
  const chat = await startChat(t)
  const ada = await chat.account('ada')
  await chat.account('bob')
  await chat.comeIn('guest')
  const names: [string, string][] = [
    ['', '400 invalid_name'],
    ['a:b', '400 invalid_name'],
    ['a：b', '400 invalid_name'],
    ['me', '400 invalid_name'],
    ['ME', '400 invalid_name'],
    ['ｍｅ', '400 invalid_name'],
    ['u_1', '400 invalid_name'],
    ['U_ABC', '400 invalid_name'],
    [ada.id, '400 invalid_name'],
    ['x'.repeat(41), '400 invalid_name'],
    ['a\u0000', '400 invalid_name'],
    ['a\u200db', '400 invalid_name'],
    ['bob', '409 name_taken'],
    ['BOB', '409 name_taken'],
    ['ｂｏｂ', '409 name_taken'],
    [' bob ', '409 name_taken'],
    ['Guest', '409 name_taken'],
  ]
  for (const [name, refusal] of names) {
    const what = JSON.stringify(name)
    assert.equal(await refusalOf(register(chat.stranger, name, 'long enough')), refusal, what)
    assert.equal(await refusalOf(chat.stranger.send('POST', '/session', { name })), refusal, what)
    assert.equal(await ada.refused('PATCH', '/users/me', { name }), refusal, what)
  }
  // What only resembles them may be.
  for (const name of ['u_', 'u-1', 'mei', 'me too', 'u_ä']) await chat.comeIn(name)
  assert.equal((await ada.ask<User>('PATCH', '/users/me', { name: 'ADA' })).name, 'ADA')
})

test('who takes another name keeps the one they had from others, and may come back to it', async (t) => {
  const chat = await startChat(t)
  const ada = await chat.account('ada')
  const bob = await chat.comeIn('bob')
  const watcher = await chat.stranger.listen()
  const { id } = await ada.say('lobby', 'hello')

  assert.deepEqual(await ada.ask('PATCH', '/users/me', { name: 'Countess' }), {
    id: ada.id,
    name: 'Countess',
    role: 'member',
  })
  assert.deepEqual((await watcher.next('user')).data, { id: ada.id, name: 'Countess', role: 'member' })
  await bob.ask('PATCH', '/users/me', { name: 'robert' })

  for (const name of ['ada', 'bob', 'Countess', 'robert']) {
    assert.equal(await refusalOf(chat.stranger.send('POST', '/session', { name })), '409 name_taken')
    assert.equal(await refusalOf(register(chat.stranger, name)), '409 name_taken')
  }
  assert.equal(
    await chat.claiming('ada').refused('POST', '/rooms/lobby/messages', { text: 'I am she' }),
    '409 name_taken',
  )
  // One is found by the name one has, and logs in by it.
  assert.equal((await chat.stranger.read<User>('/users/countess')).id, ada.id)
  assert.equal(await chat.stranger.refused('GET', '/users/ada'), '404 not_found')
  assert.equal(
    await refusalOf(chat.stranger.send('POST', '/session', { name: 'ada', password: passwordOf('ada') })),
    '401 unauthorized',
  )
  assert.equal((await chat.logIn('Countess', passwordOf('ada'))).id, ada.id)
  // What was said stays said by who one was.
  assert.equal((await chat.stranger.read<Message>(`/rooms/lobby/messages/${id}`)).from.name, 'ada')
  assert.equal((await ada.ask<User>('PATCH', '/users/me', { name: 'ada' })).name, 'ada')
})

test('who may give roles and ban is told by a table', async (t) => {
  const chat = await startChat(t)
  const olga = await chat.owner()
  const [odin, alma, adam, mimi, mark] = [
    await chat.account('odin'),
    await chat.account('alma'),
    await chat.account('adam'),
    await chat.account('mimi'),
    await chat.account('mark'),
  ]
  await olga.giveRole(odin, 'owner')
  for (const admin of [alma, adam]) assert.equal((await olga.giveRole(admin, 'admin')).role, 'admin')
  const [gary, gina] = [await chat.comeIn('gary'), await chat.comeIn('gina')]
  const bot = await olga.makeBot({ name: 'robot' })
  await chat.claiming('una').say('lobby', 'x')
  const una = await chat.stranger.read<User>('/users/una')
  const doers = {
    owner: olga,
    admin: alma,
    member: mimi,
    guest: gary,
    bot,
    unproven: chat.claiming('una'),
    nobody: chat.stranger,
  }
  const others = { owner: odin.id, admin: adam.id, member: mark.id, guest: gina.id, bot: bot.id, unproven: una.id }
  const bans: Record<string, string> = { owner: 'admin member guest bot unproven', admin: 'member guest bot unproven' }

  for (const [doer, person] of Object.entries(doers)) {
    const expected = doer === 'nobody' ? '401 unauthorized' : '403 forbidden'
    for (const [other, id] of Object.entries(others)) {
      const what = `${doer} bans ${other}`
      if (bans[doer]?.split(' ').includes(other)) {
        assert.equal((await person.ask<User>('PATCH', `/users/${id}`, { banned: true })).banned, true, what)
        assert.equal((await chat.stranger.read<User>(`/users/${id}`)).banned, true, what)
        assert.equal((await person.ask<User>('PATCH', `/users/${id}`, { banned: false })).banned, undefined, what)
      } else {
        for (const banned of [true, false])
          assert.equal(await person.refused('PATCH', `/users/${id}`, { banned }), expected, what)
        assert.equal((await chat.stranger.read<User>(`/users/${id}`)).banned, undefined, what)
      }
      for (const role of ['owner', 'admin', 'member']) {
        const before = (await chat.stranger.read<User>(`/users/${id}`)).role
        if (doer === 'owner' && ['owner', 'admin', 'member'].includes(other)) {
          assert.equal(
            (await person.ask<User>('PATCH', `/users/${id}`, { role })).role,
            role,
            `${doer} makes ${other} ${role}`,
          )
          await person.ask('PATCH', `/users/${id}`, { role: before })
        } else if (before !== role) {
          assert.equal(
            await person.refused('PATCH', `/users/${id}`, { role }),
            expected,
            `${doer} makes ${other} ${role}`,
          )
        }
        assert.equal((await chat.stranger.read<User>(`/users/${id}`)).role, before)
      }
    }
    // Nobody's name or password is another's to change, nor their own role or ban.
    assert.equal(await person.refused('PATCH', `/users/${others.member}`, { name: 'other' }), expected)
    assert.equal(
      await person.refused('PATCH', `/users/${others.member}`, {
        password: 'another one',
        current: passwordOf('mark'),
      }),
      expected,
    )
    if (doer !== 'owner' && doer !== 'nobody')
      for (const change of [{ banned: true }, { role: 'owner' }])
        assert.match(await person.refused('PATCH', '/users/me', change), /^403 /, `${doer} ${JSON.stringify(change)}`)
  }
  assert.equal(await olga.refused('PATCH', `/users/${others.member}`, { role: 'guest' }), '400 invalid_request')
  assert.equal(
    await olga.refused('PATCH', `/users/${others.member}`, { role: 'admin', banned: true }),
    '400 invalid_request',
  )
  assert.equal(await olga.refused('PATCH', `/users/${others.member}`, {}), '400 invalid_request')
  assert.equal(await olga.refused('PATCH', '/users/u_zzzz', { banned: true }), '404 not_found')
})

test('the last owner stays owner', async (t) => {
  const chat = await startChat(t)
  const olga = await chat.owner()
  const odin = await chat.account('odin')

  assert.equal(await olga.refused('PATCH', '/users/me', { role: 'member' }), '403 forbidden')
  await olga.giveRole(odin, 'owner')
  // Of two who step back at once one stays.
  const answers = await Promise.all([
    olga.refused('PATCH', '/users/me', { role: 'admin' }),
    odin.refused('PATCH', '/users/me', { role: 'member' }),
  ])
  assert.deepEqual(answers.sort(), ['200', '403 forbidden'])
  const { users } = await chat.stranger.read<{ users: User[] }>('/users')
  assert.equal(users.filter(({ role }) => role === 'owner').length, 1)
})

test('who is banned can do nothing and read nothing, by any proof, and has all of it back afterwards', async (t) => {
  const chat = await startChat(t)
  const olga = await chat.owner()
  const eve = await chat.account('eve')
  await olga.giveRole(eve, 'admin')
  const guest = await chat.comeIn('gus')
  const token = await eve.makeBot({ name: 'robot' })
  const mark = await chat.account('mark')
  const attic = await eve.makeRoom('attic', { kind: 'private' })
  await eve.add(attic, mark)
  await eve.say(attic, 'mine')
  await chat.withPassword('eve').say('lobby', 'remembered')
  await chat.claiming('una').say('lobby', 'x')

  for (const other of ['eve', 'gus', 'una']) await olga.ask('PATCH', `/users/${other}`, { banned: true })

  for (const person of [eve, chat.withPassword('eve'), guest, chat.claiming('una')]) {
    const bearer = JSON.stringify(person.headers)
    for (const path of [
      '/rooms',
      '/rooms/lobby',
      '/rooms/lobby/messages',
      '/rooms/lobby/members',
      '/events',
      '/events?mine',
      '/events?room=lobby',
      '/users',
      '/users/me',
      `/rooms/${attic}/messages`,
    ]) {
      assert.match(await person.refused('GET', path), /^403 (banned|forbidden)$/, `${path} ${bearer}`)
    }
    const changes: [string, string, unknown?][] = [
      ['POST', '/rooms/lobby/messages', { text: 'x' }],
      ['POST', '/rooms', { name: 'cellar' }],
      ['PUT', '/rooms/lobby/members/me'],
      ['DELETE', '/rooms/lobby/members/me'],
      ['PATCH', '/users/me', { name: 'other' }],
      ['POST', '/invites', {}],
      ['POST', '/tokens', { name: 'second' }],
      ['POST', '/direct', { user: 'olga' }],
      ['PATCH', '/users/mark', { banned: true }],
      ['POST', '/users', { name: 'newer', password: 'long enough' }],
    ]
    for (const [method, path, body] of changes) {
      // What names an unproven one makes a new account of it.
      if (path === '/users' && bearer.includes(Buffer.from('una:').toString('base64'))) continue
      assert.match(await person.refused(method, path, body), /^403 (banned|forbidden)$/, `${method} ${path} ${bearer}`)
    }
  }
  assert.equal(
    await refusalOf(chat.stranger.send('POST', '/session', { name: 'eve', password: passwordOf('eve') })),
    '403 banned',
  )
  assert.equal(await token.refused('GET', '/rooms'), '401 unauthorized')
  assert.deepEqual(await mark.membersOf(attic), ['eve', 'mark'])
  // Their names are not free for others to be taken for them.
  for (const name of ['eve', 'gus', 'una'])
    assert.equal(await refusalOf(chat.stranger.send('POST', '/session', { name })), '409 name_taken', name)

  await olga.ban(eve, false)

  assert.deepEqual(await eve.textsIn(attic), ['mine'])
  assert.equal((await token.fetch('/rooms')).status, 200)
  assert.equal((await chat.withPassword('eve').fetch('/rooms')).status, 200)
  assert.equal((await me(eve))!.role, 'admin')
})

test('sessions are listed with the one that asks, and each can be ended', async (t) => {
  const chat = await startChat(t)
  const ada = await chat.account('ada')
  const [phone, laptop] = [await chat.logIn('ada'), await chat.logIn('ada')]
  const bob = await chat.account('bob')
  const list = async (person: Person) => (await person.read<{ sessions: Session[] }>('/sessions')).sessions

  const sessions = await list(phone)

  assert.equal(sessions.length, 3)
  assert.deepEqual(
    sessions.map(({ current }) => current),
    [undefined, true, undefined],
  )
  for (const { began, used } of sessions) assert.ok(Math.abs(Date.parse(began) - Date.now()) < 60_000 && used === began)
  assert.deepEqual(
    (await list(chat.withPassword('ada'))).map(({ current }) => current),
    [undefined, undefined, undefined],
  )
  assert.equal(await bob.refused('DELETE', `/sessions/${sessions[0]!.id}`), '404 not_found')
  assert.equal(await phone.refused('DELETE', '/sessions/123'), '404 not_found')
  assert.equal(await chat.stranger.refused('GET', '/sessions'), '401 unauthorized')

  await phone.ask('DELETE', `/sessions/${sessions[0]!.id}`)
  assert.deepEqual(
    (await list(ada)).map(({ id }) => id),
    [sessions[1]!.id, sessions[2]!.id],
  )
  assert.equal(await me(laptop), null)
  assert.equal(await phone.refused('DELETE', `/sessions/${sessions[0]!.id}`), '404 not_found')
  // Everywhere means this one too.
  await phone.ask('DELETE', '/sessions')
  for (const person of [ada, phone]) assert.equal(await me(person), null)
  assert.equal((await list(await chat.logIn('ada'))).length, 1)
  assert.equal((await me(bob))!.name, 'bob')
})

test('fifty sessions are enough: one more ends the oldest', async (t) => {
  const chat = await startChat(t)
  const first = await chat.account('ada')
  const second = await chat.logIn('ada')
  await chat.withPassword('ada').fetch('/session') // from now on the password is remembered, and quick
  for (let count = 2; count < 50; count++) await chat.logIn('ada')
  assert.notEqual(await me(first), null)

  await chat.logIn('ada')

  assert.equal(await me(first), null)
  assert.notEqual(await me(second), null)
  assert.equal((await second.read<{ sessions: Session[] }>('/sessions')).sessions.length, 50)
})

test('a password is changed by who knows it, and ends all other sessions', async (t) => {
  const chat = await startChat(t)
  const ada = await chat.account('ada')
  const other = await chat.logIn('ada')
  const basic = chat.withPassword('ada')
  await basic.say('lobby', 'x')
  const change = (body: unknown, person = ada) => person.refused('PATCH', '/users/me', body)

  assert.equal(await change({ password: 'a new password' }), '400 invalid_request')
  assert.equal(await change({ password: 'a new password', current: 'wrong' }), '401 unauthorized')
  assert.equal(await change({ password: 'short', current: passwordOf('ada') }), '400 invalid_password')
  assert.equal(await change({ password: 'x'.repeat(1025), current: passwordOf('ada') }), '400 invalid_password')
  assert.equal(await change({ password: 'a new password', current: 'x' }, await chat.comeIn('guest')), '403 forbidden')
  assert.notEqual(await me(other), null)

  assert.deepEqual(await ada.ask('PATCH', '/users/me', { password: 'a new password', current: passwordOf('ada') }), {
    id: ada.id,
    name: 'ada',
    role: 'member',
  })

  assert.equal((await me(ada))!.name, 'ada')
  assert.equal(await me(other), null)
  assert.equal(await basic.refused('GET', '/session'), '401 unauthorized')
  assert.equal(
    await refusalOf(chat.stranger.send('POST', '/session', { name: 'ada', password: passwordOf('ada') })),
    '401 unauthorized',
  )
  assert.equal((await chat.logIn('ada', 'a new password')).id, ada.id)
  assert.equal((await chat.withPassword('ada', 'a new password').read<{ user: User }>('/session')).user.id, ada.id)
  // By a password shown each time there is no session of one's own, and all end.
  await chat
    .withPassword('ada', 'a new password')
    .ask('PATCH', '/users/me', { password: 'the third one', current: 'a new password' })
  assert.equal(await me(ada), null)
})

test('the eleventh wrong password has to wait, for an account and for an address, be the name known or not', async (t) => {
  const chat = await startChat(t, { flags: ['--trust-proxy', 'loopback'] })
  await chat.account('ada')
  await chat.account('bob')
  const tries = async (name: string, address: (at: number) => string, password = 'wrong') => {
    const answers = []
    for (let at = 0; at < 11; at++)
      answers.push(await chat.stranger.send('POST', '/session', { name, password }, { 'x-forwarded-for': address(at) }))
    return answers
  }
  for (const name of ['ada', 'nobody']) {
    const answers = await tries(name, (at) => `198.51.100.${at}`)
    assert.deepEqual(
      answers.map(({ status }) => status),
      [...Array(10).fill(401), 429],
      name,
    )
    const last = answers.at(-1)!
    assert.match(last.headers.get('retry-after') ?? '', /^(1[5-7]\d|180)$/)
    assert.equal(((await last.json()) as { code: string }).code, 'too_many')
    // The right one is none the wiser.
    assert.equal(
      (
        await chat.stranger.send(
          'POST',
          '/session',
          { name, password: passwordOf(name) },
          { 'x-forwarded-for': '198.51.100.200' },
        )
      ).status,
      429,
    )
    assert.equal(
      await refusalOf(chat.withPassword(name).fetch('/rooms', { headers: { 'x-forwarded-for': '198.51.100.200' } })),
      '429 too_many',
    )
  }
  const address = '203.0.113.99'
  for (let at = 0; at < 10; at++)
    await chat.stranger.send(
      'POST',
      '/session',
      { name: `name ${at}`, password: 'wrong' },
      { 'x-forwarded-for': address },
    )
  assert.equal(
    (
      await chat.stranger.send(
        'POST',
        '/session',
        { name: 'bob', password: passwordOf('bob') },
        { 'x-forwarded-for': address },
      )
    ).status,
    429,
  )
  assert.equal(
    (
      await chat.stranger.send(
        'POST',
        '/session',
        { name: 'bob', password: passwordOf('bob') },
        { 'x-forwarded-for': '203.0.113.98' },
      )
    ).status,
    201,
  )
  // Who comes in without a password guesses none.
  assert.equal(
    (await chat.stranger.send('POST', '/session', { name: 'gus' }, { 'x-forwarded-for': address })).status,
    201,
  )
})

test('people are listed in pages, found by id and by name, and nobody unknown is', async (t) => {
  const chat = await startChat(t)
  const people: Person[] = []
  for (const name of ['ada', 'bob', 'Élan', '京']) people.push(await chat.comeIn(name))
  await chat.claiming('una').say('lobby', 'x')
  const all = await chat.stranger.read<{ users: User[]; cursor: string; more: boolean }>('/users')

  assert.deepEqual(
    all.users.map(({ name }) => name),
    ['ada', 'bob', 'Élan', '京', 'una'],
  )
  assert.equal(all.more, false)
  assert.match(all.cursor, /^\d+$/)
  assert.deepEqual(all.users.at(-1), { id: all.users.at(-1)!.id, name: 'una', role: 'guest', unproven: true })
  const first = await chat.stranger.read<{ users: User[]; more: boolean }>('/users?limit=2')
  const rest = await chat.stranger.read<{ users: User[]; more: boolean }>(
    `/users?limit=3&after=${first.users.at(-1)!.id}`,
  )
  assert.deepEqual([...first.users, ...rest.users], all.users)
  assert.deepEqual([first.more, rest.more], [true, false])
  for (const person of people) {
    for (const path of [person.id, encodeURIComponent(person.name), encodeURIComponent(person.name.toUpperCase())])
      assert.equal((await chat.stranger.read<User>(`/users/${path}`)).id, person.id)
  }
  assert.equal((await people[0]!.read<User>('/users/me')).name, 'ada')
  assert.equal(await chat.stranger.refused('GET', '/users/me'), '401 unauthorized')
  for (const path of ['nobody', 'u_', 'u_1', '__proto__', 'constructor', 'u_zzzzzzzzzzzz'])
    assert.equal(await chat.stranger.refused('GET', `/users/${path}`), '404 not_found', path)
})

test('who one is and what one may is never taken from a body', async (t) => {
  const chat = await startChat(t)
  const olga = await chat.owner()
  const ada = await chat.account('ada')
  const gus = await chat.comeIn('gus')
  const { code } = await olga.invite({ uses: 10 })
  const asked: [string, string, object][] = [
    ['POST', '/session', { name: 'eve', role: 'owner' }],
    ['POST', '/session', { name: 'eve', id: ada.id }],
    ['POST', '/users', { name: 'eve', password: 'long enough', role: 'admin' }],
    ['POST', '/invites/accept', { code, name: 'eve', role: 'admin' }],
    ['POST', '/rooms/lobby/messages', { text: 'x', from: { id: ada.id, name: 'ada' } }],
    ['POST', '/rooms/lobby/messages', { text: 'x', user: ada.id }],
    ['POST', '/rooms/lobby/messages', { text: 'x', room: 'attic' }],
    ['POST', '/rooms', { name: 'x', id: 'lobby' }],
    ['POST', '/rooms', { name: 'x', owner: 'ada' }],
    ['PUT', '/rooms/lobby/members/me', { user: ada.id }],
    ['POST', '/direct', { user: 'ada', from: 'olga' }],
    ['PATCH', '/users/me', { name: 'eve', id: olga.id }],
    ['PATCH', '/users/me', { kind: 'account' }],
    ['PATCH', '/users/me', { unproven: false }],
    ['POST', '/invites', { room: 'lobby', maker: olga.id }],
  ]
  for (const [method, path, body] of asked) {
    for (const person of [gus, chat.stranger]) {
      assert.match(
        await person.refused(method, path, body),
        person === gus ? /^400 unknown_field$/ : /^(400 unknown_field|401 unauthorized)$/,
        `${method} ${path} ${JSON.stringify(body)}`,
      )
    }
  }
  assert.equal(await gus.refused('PATCH', '/users/me', { role: 'owner' }), '403 forbidden')
  assert.deepEqual(
    (await chat.stranger.read<{ users: User[] }>('/users')).users.map(({ name, role }) => `${name} ${role}`),
    ['olga owner', 'ada member', 'gus guest'],
  )
  assert.deepEqual(await chat.stranger.textsIn('lobby'), [])
})
