// Invites: whom they let in, how often and how long, and a place where nobody comes in without one.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Member, Message, User } from '../../lib/chat/streams/events.ts'
import { routes } from '../../lib/http/routes.ts'
import { own, passwordOf, Person, refusalOf, startChat, temporaryFolder, type ChatServer } from '../chat-server.ts'

interface Listed {
  id: string
  room?: string
  role: string
  uses: number
  expires: string
}

const invitesOf = async (person: Person) => (await person.read<{ invites: Listed[] }>('/invites')).invites
const accept = (person: Person, body: unknown) => person.refused('POST', '/invites/accept', body)

test('whoever has the link of a private room comes into it, as a guest or with an account', async (t) => {
  const chat = await startChat(t)
  const ada = await chat.account('ada')
  const attic = await ada.makeRoom('attic', { kind: 'private' })
  await ada.say(attic, 'welcome')
  const watcher = await ada.listen({ path: `/events?room=${attic}` })

  const { id, code, url, ...invite } = await ada.invite({ room: attic, uses: 5 })
  assert.equal(url, `${chat.url}/join#${code}`)
  assert.match(code, /^[\w-]{22}$/)
  assert.match(id, /^\d+$/)
  assert.deepEqual({ ...invite, expires: '' }, { room: attic, role: 'guest', uses: 5, expires: '' })
  const week = 7 * 24 * 3600e3
  assert.ok(Math.abs(Date.parse(invite.expires) - Date.now() - week) < 60_000)

  const gus = await chat.byInvite(code, 'gus')
  const amy = await chat.byInvite(code, 'amy', passwordOf('amy'))
  const bob = await chat.account('bob')
  const came = await bob.accept(code)

  assert.deepEqual(came.user, { id: bob.id, name: 'bob', role: 'member' })
  assert.equal(came.room?.id, attic)
  assert.deepEqual(await gus.textsIn(attic), ['welcome'])
  assert.equal((await chat.logIn('amy')).id, amy.id)
  assert.deepEqual((await amy.read<{ members: Member[] }>(`/rooms/${attic}/members`)).members, [
    { id: ada.id, name: 'ada', role: 'member', roomRole: 'owner', here: true },
    { id: gus.id, name: 'gus', role: 'guest' },
    { id: amy.id, name: 'amy', role: 'member' },
    { id: bob.id, name: 'bob', role: 'member' },
  ])
  const joins = await watcher.take('join', 3)
  assert.deepEqual(
    joins.map(({ data }) => JSON.parse(data).user.name),
    ['gus', 'amy', 'bob'],
  )
  assert.deepEqual(
    (await invitesOf(ada)).map(({ uses }) => uses),
    [2],
  )
  assert.equal(await accept(bob, { code }), '409 invite_over')
  assert.equal((await invitesOf(ada))[0]!.uses, 2)
})

test('who was removed does not come back by the invite they came by', async (t) => {
  const chat = await startChat(t)
  const ada = await chat.account('ada')
  const attic = await ada.makeRoom('attic', { kind: 'private' })
  const { code } = await ada.invite({ room: attic, uses: 5 })
  const gus = await chat.byInvite(code, 'gus')
  await ada.remove(attic, gus)

  assert.equal(await accept(gus, { code }), '409 invite_over')
  assert.equal(await gus.refused('PUT', `/rooms/${attic}/members/me`), '404 not_found')
  // By another one they do.
  await gus.accept((await ada.invite({ room: attic })).code)
  assert.deepEqual(await ada.membersOf(attic), ['ada', 'gus'])
})

test('of two who take the last use at once one comes in', async (t) => {
  const chat = await startChat(t)
  const olga = await chat.owner()
  const attic = await olga.makeRoom('attic', { kind: 'private' })
  const bob = await chat.account('bob')
  const eve = await chat.comeIn('eve')
  let number = 0
  const ways: (() => [Person, unknown])[] = [
    () => [chat.stranger, { name: `guest ${number++}` }],
    () => [chat.stranger, { name: `account ${number++}`, password: 'long enough' }],
    () => [bob, {}],
    () => [eve, {}],
  ]
  for (const one of ways) {
    for (const other of ways) {
      const { code } = await olga.invite({ room: attic })
      const answers = await Promise.all(
        [one, other].map((way) => {
          const [person, body] = way()
          return accept(person, { code, ...(body as object) })
        }),
      )
      assert.ok(['200', '201'].includes(answers.sort()[0]!), String(answers))
      assert.equal(answers[1], '409 invite_over')
      assert.deepEqual(await invitesOf(olga), [])
      for (const person of [bob, eve]) await olga.remove(attic, person)
    }
  }
})

test('an invite that is used up, over, ended or unknown lets nobody in and leaves nothing behind', async (t) => {
  const chat = await startChat(t)
  const olga = await chat.owner()
  const used = await olga.invite()
  await chat.byInvite(used.code, 'gus')
  const ended = await olga.invite()
  await olga.ask('DELETE', `/invites/${ended.id}`)
  const expired = await olga.invite({ expires: '1s' })
  while ((await invitesOf(olga)).length > 0) continue
  const before = await chat.stranger.read<{ users: User[] }>('/users')
  const bob = await chat.comeIn('bob')

  for (const { code } of [used, ended, expired]) {
    for (const body of [
      { code, name: 'eve' },
      { code, name: 'eve', password: 'long enough' },
    ])
      assert.equal(await accept(chat.stranger, body), '409 invite_over')
    assert.equal(await accept(bob, { code }), '409 invite_over')
  }
  for (const code of ['x', '', 'A'.repeat(22), used.id, '__proto__'])
    assert.equal(await accept(chat.stranger, { code, name: 'eve' }), '404 not_found')
  assert.equal(await olga.refused('DELETE', `/invites/${ended.id}`), '404 not_found')
  for (const id of ['1', 'x', '__proto__', '99999999999999999999'])
    assert.equal(await olga.refused('DELETE', `/invites/${id}`), '404 not_found')
  assert.equal(await accept(chat.stranger, { code: (await olga.invite()).code }), '400 invalid_request')
  const { users } = await chat.stranger.read<{ users: User[] }>('/users')
  assert.deepEqual(
    users.map(({ name }) => name),
    [...before.users.map(({ name }) => name), 'bob'],
  )
})

test('a guest who wants an account by an invite that is over stays the guest they were', async (t) => {
  const chat = await startChat(t)
  const olga = await chat.owner()
  const { id, code } = await olga.invite({ role: 'member' })
  await olga.ask('DELETE', `/invites/${id}`)
  const gus = await chat.comeIn('gus')
  const stream = await gus.listen()

  assert.equal(await accept(gus, { code, password: passwordOf('gus') }), '409 invite_over')
  assert.equal(await accept(gus, { code: 'unknown', password: passwordOf('gus') }), '404 not_found')

  assert.deepEqual((await gus.read<{ user: User }>('/session')).user, { id: gus.id, name: 'gus', role: 'guest' })
  await gus.say('lobby', 'still here')
  assert.deepEqual(await stream.texts(1), ['still here'])
})

test('an invite can give a role, for which one needs an account', async (t) => {
  const chat = await startChat(t)
  const olga = await chat.owner()
  const attic = await olga.makeRoom('attic', { kind: 'private' })
  const { code } = await olga.invite({ role: 'admin', uses: 10, room: attic })
  const gus = await chat.comeIn('gus')
  const said = await gus.say('lobby', 'as a guest')

  assert.equal(await accept(chat.stranger, { code, name: 'eve' }), '400 invalid_password')
  assert.equal(await accept(gus, { code }), '400 invalid_password')
  assert.equal(await accept(chat.stranger, { code, name: 'eve', password: 'short' }), '400 invalid_password')
  assert.equal(await accept(chat.stranger, { code, name: 'gus', password: 'long enough' }), '409 name_taken')
  assert.equal((await invitesOf(olga))[0]!.uses, 10)

  const answer = await gus.send('POST', '/invites/accept', { code, password: passwordOf('gus') }, own)
  assert.equal(answer.status, 201)
  assert.match(answer.headers.getSetCookie().join(), /^natter-[0-9a-z]{8}=/)
  assert.deepEqual(((await answer.json()) as { user: User }).user, { id: gus.id, name: 'gus', role: 'admin' })
  assert.equal((await chat.stranger.read<Message>(`/rooms/lobby/messages/${said.id}`)).from.id, gus.id)
  const amy = await chat.byInvite(code, 'amy', passwordOf('amy'))
  assert.equal((await amy.read<User>('/users/me')).role, 'admin')
  const mark = await chat.account('mark')
  assert.equal((await mark.accept(code)).user.role, 'admin')
  // It raises, and never lowers.
  const { code: lower } = await olga.invite({ role: 'member', uses: 2 })
  assert.equal((await mark.accept(lower)).user.role, 'admin')
  assert.deepEqual(await olga.membersOf(attic), ['olga', 'gus', 'amy', 'mark'])
})

test('who may invite, and as what, is told by a table', async (t) => {
  const chat = await startChat(t)
  const olga = await chat.owner()
  const [alma, mark] = [await chat.account('alma'), await chat.account('mark')]
  await olga.giveRole(alma, 'admin')
  const gus = await chat.comeIn('gus')
  const people: Record<string, Person> = { olga, alma, mark, gus }
  const rooms = {
    mine: '',
    open: await olga.makeRoom('open'),
    closed: await olga.makeRoom('closed', { kind: 'private' }),
    shared: await olga.makeRoom('shared', { kind: 'private' }),
    lobby: 'lobby',
  }
  for (const person of [alma, mark, gus]) await olga.add(rooms.shared, person)
  // Of each: the place and the rooms, and there the roles that may be given.
  const table: Record<string, Record<string, string>> = {
    olga: {
      place: 'guest member admin',
      mine: 'guest member admin',
      open: 'guest member admin',
      closed: 'guest member admin',
      shared: 'guest member admin',
      lobby: 'guest member admin',
    },
    alma: {
      place: 'guest member',
      mine: 'guest member',
      open: 'guest member',
      closed: '',
      shared: 'guest member',
      lobby: 'guest member',
    },
    mark: { place: '', mine: 'guest', open: '', closed: '', shared: '', lobby: '' },
    gus: { place: '', mine: 'guest', open: '', closed: '', shared: '', lobby: '' },
  }
  for (const [name, may] of Object.entries(table)) {
    const person = people[name]!
    const mine = await person.makeRoom(`of ${name}`, { kind: 'private' })
    for (const [where, roles] of Object.entries(may)) {
      for (const role of ['guest', 'member', 'admin']) {
        const room = where === 'place' ? undefined : where === 'mine' ? mine : rooms[where as 'open']
        const what = `${name} invites to ${where} as ${role}`
        const asked = { role, ...(room !== undefined && { room }) }
        if (roles.split(' ').includes(role)) assert.equal((await person.invite(asked)).role, role, what)
        else
          assert.equal(
            await person.refused('POST', '/invites', asked),
            where === 'closed' ? '404 not_found' : '403 forbidden',
            what,
          )
      }
    }
  }
  for (const role of ['owner', 'bot', ''])
    assert.equal(await olga.refused('POST', '/invites', { role }), '400 invalid_request')
  for (const uses of [0, -1, 1.5, 1001])
    assert.equal(await olga.refused('POST', '/invites', { uses }), '400 invalid_request')
  for (const expires of ['', 'soon', '0s', '2020-01-01', '-1d'])
    assert.equal(await olga.refused('POST', '/invites', { expires }), '400 invalid_request', expires)
  const direct = await olga.direct(mark)
  assert.equal(await olga.refused('POST', '/invites', { room: direct }), '403 forbidden')
  assert.equal(await chat.stranger.refused('POST', '/invites', {}), '401 unauthorized')
  assert.equal(await chat.claiming('una').refused('POST', '/invites', { room: 'lobby' }), '403 forbidden')
})

test('an invite is worth what whoever made it may do now', async (t) => {
  const chat = await startChat(t)
  const olga = await chat.owner()
  const alma = await chat.account('alma')
  const attic = await olga.makeRoom('attic', { kind: 'private' })
  await olga.add(attic, alma, 'owner')
  await olga.giveRole(alma, 'admin')
  const toPlace = await alma.invite({ role: 'member' })
  const toRoom = await alma.invite({ room: attic })
  const bad = async (code: string) =>
    assert.equal(await accept(chat.stranger, { code, name: 'eve', password: 'long enough' }), '409 invite_over')

  await olga.ban(alma)
  for (const { code } of [toPlace, toRoom]) await bad(code)
  await olga.ban(alma, false)
  await olga.giveRole(alma, 'member')
  await bad(toPlace.code)
  await olga.remove(attic, alma)
  await bad(toRoom.code)
  await olga.add(attic, alma)
  await bad(toRoom.code)
  // And again what it was, once they may again.
  await olga.add(attic, alma, 'owner')
  await chat.byInvite(toRoom.code, 'gus')
  await olga.giveRole(alma, 'admin')
  await chat.byInvite(toPlace.code, 'amy', passwordOf('amy'))
})

test('invites are listed without their codes, to who made them and to who governs the place and sees the room', async (t) => {
  const chat = await startChat(t)
  const olga = await chat.owner()
  const [alma, mark] = [await chat.account('alma'), await chat.account('mark')]
  await olga.giveRole(alma, 'admin')
  const attic = await mark.makeRoom('attic', { kind: 'private' })
  const cellar = await mark.makeRoom('cellar')
  const [hidden, shown, general] = [
    await mark.invite({ room: attic }),
    await mark.invite({ room: cellar }),
    await alma.invite({ uses: 3 }),
  ]

  const withoutCode = ({ code: _, url: __, ...rest }: typeof hidden) => rest
  assert.deepEqual(await invitesOf(mark), [shown, hidden].map(withoutCode))
  for (const person of [olga, alma]) assert.deepEqual(await invitesOf(person), [general, shown].map(withoutCode))
  assert.deepEqual(await invitesOf(await chat.comeIn('gus')), [])
  assert.equal(await mark.refused('DELETE', `/invites/${general.id}`), '404 not_found')
  await alma.ask('DELETE', `/invites/${shown.id}`)
  await mark.ask('DELETE', `/invites/${hidden.id}`)
  assert.deepEqual(await invitesOf(mark), [])
})

test('the link that is printed makes one owner, is another at each start, and is none once there is one', async (t) => {
  const chat = await startChat(t, { data: await temporaryFolder(t) })
  const first = chat.ownerCode!
  assert.ok(first)
  await chat.stop()
  await chat.start()
  const second = chat.ownerCode!
  assert.notEqual(second, first)

  assert.equal(await accept(chat.stranger, { code: first, name: 'eve', password: 'long enough' }), '409 invite_over')
  assert.equal(await accept(chat.stranger, { code: second, name: 'eve' }), '400 invalid_password')
  const answers = await Promise.all(
    ['olga', 'eve'].map((name) => accept(chat.stranger, { code: second, name, password: passwordOf(name) })),
  )
  assert.deepEqual(answers.sort(), ['201', '409 invite_over'])

  const { users } = await chat.stranger.read<{ users: User[] }>('/users')
  assert.deepEqual(
    users.map(({ role }) => role),
    ['owner'],
  )
  await chat.kill()
  await chat.start()
  assert.equal(chat.ownerCode, undefined)
  assert.doesNotMatch(chat.printed, /join/)
})

test('an account that is there already can be the owner by the printed link', async (t) => {
  const chat = await startChat(t)
  const ada = await chat.account('ada')
  assert.deepEqual((await ada.accept(chat.ownerCode!)).user, { id: ada.id, name: 'ada', role: 'owner' })
})

const filled = (path: string) =>
  path.replace(':room', 'lobby').replace(':user', 'olga').replace(':message', '1').replace(':id', '1')

async function nothingFor(chat: ChatServer, person: Person, allowed: readonly string[]): Promise<void> {
  for (const { method, path } of routes) {
    if (allowed.includes(`${method} ${path}`)) continue
    const body =
      path === '/session'
        ? { name: 'newcomer' }
        : path === '/users'
          ? { name: 'newcomer', password: 'long enough' }
          : path === '/rooms'
            ? { name: 'cellar' }
            : path.endsWith('messages')
              ? { text: 'x' }
              : path === '/direct'
                ? { user: 'olga' }
                : {}
    const refusal =
      method === 'GET' ? await person.refused('GET', filled(path)) : await person.refused(method, filled(path), body)
    assert.match(
      refusal,
      /^(401 unauthorized|403 invite_needed)$/,
      `${method} ${path} ${JSON.stringify(person.headers)}`,
    )
  }
  for (const path of ['/events?mine', '/events?room=lobby', '/events?since=all'])
    assert.match(await person.refused('GET', path), /^40[13] /, path)
  const stream = await chat.fetch('/rooms', { headers: { ...person.headers, accept: 'text/event-stream' } })
  assert.match(await refusalOf(Promise.resolve(stream)), /^40[13] /)
}

test('where one has to be invited, nobody else reads or comes in, and the page loads all the same', async (t) => {
  const data = await temporaryFolder(t)
  const open = await startChat(t, { data })
  const olga = await open.owner()
  await olga.say('lobby', 'hello')
  const before = await open.comeIn('gus')
  await open.claiming('una').say('lobby', 'x')
  await open.stop()
  const chat = await startChat(t, { data, flags: ['--access', 'invite'] })
  const again = ({ headers }: Person) => new Person(chat, headers)

  assert.deepEqual(await chat.stranger.read('/session'), { user: null, access: 'invite' })
  for (const path of ['/', '/join', '/chat.js', '/styles/chat.css', '/healthz'])
    assert.equal((await chat.fetch(path)).status, 200, path)
  for (const person of [
    chat.stranger,
    chat.claiming('newcomer'),
    chat.claiming('una'),
    chat.claiming('olga'),
    chat.claiming('gus'),
  ]) {
    const open = ['GET /session', 'DELETE /session', 'POST /invites/accept']
    await nothingFor(chat, person, 'authorization' in person.headers ? [] : open)
  }
  // What a name is answered with does not tell whether somebody has it.
  const answers = await Promise.all(
    ['olga', 'gus', 'una', 'nobody'].map(async (name) => (await chat.claiming(name).fetch('/rooms')).text()),
  )
  assert.equal(new Set(answers).size, 1, answers.join(''))

  for (const person of [again(olga), chat.withPassword('olga'), again(before)])
    assert.ok((await person.textsIn('lobby')).includes('hello'))
  const { code } = await again(olga).invite({ uses: 2 })
  const guest = await chat.byInvite(code, 'amy')
  assert.deepEqual(await guest.textsIn('lobby'), ['hello', 'x'])
  assert.deepEqual((await guest.read<{ user: User; access: string }>('/session')).access, 'invite')
  // A guest lets nobody in, not even to a room of their own.
  const attic = await guest.makeRoom('attic', { kind: 'private' })
  assert.equal(await guest.refused('POST', '/invites', { room: attic }), '403 forbidden')
  const account = await chat.byInvite(code, 'mark', passwordOf('mark'))
  // Nor does an account make more of somebody than the invite did.
  assert.equal((await account.read<User>('/users/me')).role, 'guest')
  assert.equal((await chat.logIn('mark')).id, account.id)
  const bot = await again(olga).makeBot({ name: 'robot' })
  assert.ok((await bot.textsIn('lobby')).length > 0)
  // Whoever logs out reads no more.
  const stream = await guest.listen()
  await guest.logOut()
  await stream.over
  await nothingFor(chat, guest, ['GET /events', 'GET /session', 'DELETE /session', 'POST /invites/accept'])
  assert.equal((await guest.fetch('/events')).status, 401)
})
