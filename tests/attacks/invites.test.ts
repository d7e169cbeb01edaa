// Where one has to be invited: whoever was let into one room as a guest lets nobody else in, whatever way they go.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Room, User } from '../../lib/chat/streams/events.ts'
import { cookieOf, own, passwordOf, Person, startChat, temporaryFolder } from '../chat-server.ts'
import { mount } from '../mounted/mount.ts'

const closed = { flags: ['--access', 'invite'] }
const accept = (person: Person, body: unknown) => person.refused('POST', '/invites/accept', body)
const me = (person: Person) => person.read<User>('/users/me')

/** A guest's own account, as the same person. */
async function makesAccount(guest: Person, name: string): Promise<Person> {
  const answer = await guest.send('POST', '/users', { name, password: passwordOf(name) }, own)
  assert.equal(answer.status, 201, await answer.clone().text())
  return guest.chat.logIn(name)
}

async function detailOf(asked: Promise<Response>): Promise<string> {
  const answer = await asked
  const { code, detail } = (await answer.json()) as { code: string; detail: string }
  return `${answer.status} ${code}: ${detail}`
}

test('a guest who makes an account uninvited is a guest still, lets nobody in, and is a member once somebody who governs says so', async (t) => {
  const chat = await startChat(t, closed)
  const olga = await chat.owner()
  const alma = await chat.byInvite((await olga.invite({ role: 'admin' })).code, 'alma', passwordOf('alma'))
  const attic = await olga.makeRoom('attic', { kind: 'private' })
  const guest = await chat.byInvite((await olga.invite({ room: attic })).code, 'mallory')
  const watcher = await olga.listen()

  const mallory = await makesAccount(guest, 'mallory')

  const shown = { id: guest.id, name: 'mallory', role: 'guest', account: true }
  assert.deepEqual(await me(mallory), shown)
  assert.deepEqual((await watcher.next('user')).data, shown)
  const den = await mallory.makeRoom('den', { kind: 'private' })
  const open = await mallory.makeRoom('cave')
  for (const room of [den, open, attic, 'lobby', undefined]) {
    for (const role of ['guest', 'member', 'admin'])
      assert.match(
        await mallory.refused('POST', '/invites', { role, ...(room !== undefined && { room }) }),
        /^403 /,
        `${role} to ${room}`,
      )
  }
  // Its own advice is good: who is told to become a member can't make themselves one.
  assert.match(
    await detailOf(mallory.send('POST', '/invites', { room: den }, own)),
    /an owner or an admin can make members/,
  )
  assert.equal(await mallory.refused('PATCH', '/users/me', { role: 'member' }), '403 forbidden')
  assert.match(
    await mallory.refused('POST', '/users', { name: 'second', password: 'long enough' }),
    /^409 account_exists/,
  )
  assert.equal(await mallory.refused('POST', '/tokens', { name: 'robot' }), '403 forbidden')
  assert.equal(await mallory.refused('PATCH', `/users/${alma.id}`, { banned: true }), '403 forbidden')

  assert.equal((await alma.giveRole(mallory, 'member')).role, 'member')

  assert.deepEqual(await me(mallory), { id: guest.id, name: 'mallory', role: 'member' })
  const { code } = await mallory.invite({ room: den })
  const friend = await chat.byInvite(code, 'friend', passwordOf('friend'))
  assert.equal((await me(friend)).role, 'guest')
  assert.equal(
    await friend.refused('POST', '/invites', { room: await friend.makeRoom('nest', { kind: 'private' }) }),
    '403 forbidden',
  )
})

test('an invite makes nobody more than it says, whichever way it is accepted', async (t) => {
  const chat = await startChat(t, closed)
  const olga = await chat.owner()
  const attic = await olga.makeRoom('attic', { kind: 'private' })
  const asGuest = await olga.invite({ room: attic, uses: 20 })
  const asMember = await olga.invite({ role: 'member', uses: 20 })
  assert.deepEqual([asGuest.role, asMember.role], ['guest', 'member'])
  const { invites } = await olga.read<{ invites: { role: string }[] }>('/invites')
  assert.deepEqual(
    invites.map(({ role }) => role),
    ['member', 'guest'],
  )

  // With a password at once, later, by another invite of the same kind, or twice by the same.
  const straight = await chat.byInvite(asGuest.code, 'straight', passwordOf('straight'))
  const later = await chat.byInvite(asGuest.code, 'later')
  const another = await olga.invite({ room: attic })
  const answer = await later.send('POST', '/invites/accept', { code: another.code, password: passwordOf('later') }, own)
  assert.deepEqual(((await answer.json()) as { user: User }).user, {
    id: later.id,
    name: 'later',
    role: 'guest',
    account: true,
  })
  for (const person of [straight, await chat.logIn('later')]) {
    assert.equal((await me(person)).role, 'guest')
    assert.equal(await accept(person, { code: asGuest.code }), '409 invite_over')
    assert.equal(await person.refused('POST', '/invites', { room: attic }), '403 forbidden')
  }
  // One that is for members does make one: of a stranger, a guest and a guest's account.
  assert.equal((await me(await chat.byInvite(asMember.code, 'mark', passwordOf('mark')))).role, 'member')
  assert.deepEqual((await straight.accept(asMember.code)).user, { id: straight.id, name: 'straight', role: 'member' })
  const gus = await chat.byInvite(asGuest.code, 'gus')
  assert.equal(await accept(gus, { code: asMember.code }), '400 invalid_password')
  const joined = await gus.send('POST', '/invites/accept', { code: asMember.code, password: passwordOf('gus') }, own)
  assert.equal(((await joined.json()) as { user: User }).user.role, 'member')
  // What a member's role is worth is not lowered by an invite for guests.
  assert.equal((await straight.accept((await olga.invite({ room: attic })).code)).user.role, 'member')
  assert.equal(
    await chat.stranger.refused('POST', '/users', { name: 'eve', password: 'long enough' }),
    '403 invite_needed',
  )
})

test('invites of members have bounds, those of whoever governs wider ones, and each refusal says which', async (t) => {
  const chat = await startChat(t)
  const olga = await chat.owner()
  const mark = await chat.account('mark')
  const gus = await chat.comeIn('gus')
  for (const person of [mark, gus]) {
    const room = await person.makeRoom(`of ${person.name}`, { kind: 'private' })
    const ask = (invite: object) => detailOf(person.send('POST', '/invites', { room, ...invite }, own))
    for (const expires of ['2099-01-01', '9999-12-31', '31d', '5w'])
      assert.match(
        await ask({ expires }),
        /^400 invalid_request: an invite of yours lasts 30 days at most.*30d/,
        expires,
      )
    assert.match(await ask({ uses: 51 }), /^400 invalid_request: an invite of yours is for at most 50 people/)
    const kept = [await person.invite({ room, expires: '30d', uses: 50 })]
    // All at once, which are looked at one behind the other.
    const asked = await Promise.all(Array.from({ length: 30 }, () => person.send('POST', '/invites', { room }, own)))
    assert.equal(asked.filter(({ status }) => status === 201).length, 19)
    assert.match(await ask({}), /^403 forbidden: 20 invites of yours are open; end one first/)
    // Whoever has used them up wins them back, and nobody else is kept from any.
    await person.ask('DELETE', `/invites/${kept[0]!.id}`)
    await person.invite({ room })
    assert.match(await ask({}), /^403 /)
    const { code } = await olga.invite({ room: 'lobby' })
    await person.accept(code)
  }
  assert.match(
    await detailOf(olga.send('POST', '/invites', { expires: '2099-01-01' }, own)),
    /^400 invalid_request: an invite of yours lasts 366 days at most/,
  )
  assert.equal((await olga.invite({ expires: '52w', uses: 1000 })).uses, 1000)
  for (let count = 0; count < 25; count++) await olga.invite()
  // Who no longer governs may have no more than others.
  const alma = await chat.account('alma')
  await olga.giveRole(alma, 'admin')
  for (let count = 0; count < 21; count++) await alma.invite()
  const room = await alma.makeRoom('of alma')
  await olga.giveRole(alma, 'member')
  assert.equal(await alma.refused('POST', '/invites', { room }), '403 forbidden')
})

test('what was given while anybody could come in lets nobody in once they have to be invited', async (t) => {
  const data = await temporaryFolder(t)
  const open = await startChat(t, { data })
  const olga = await open.owner()
  const gus = await open.comeIn('gus')
  const mark = await open.account('mark')
  const [byGuest, byMember, byOwner] = await Promise.all(
    [gus, mark, olga].map(async (person) =>
      person.invite({ room: await person.makeRoom(`of ${person.name}`, { kind: 'private' }), uses: 5 }),
    ),
  )
  const toMember = await open.byInvite(byGuest!.code, 'amy', passwordOf('amy'))
  assert.equal((await me(toMember)).role, 'member')
  await open.stop()

  const chat = await startChat(t, { data, ...closed })

  for (const body of [{ name: 'eve' }, { name: 'eve', password: 'long enough' }])
    assert.equal(await accept(chat.stranger, { code: byGuest!.code, ...body }), '409 invite_over')
  assert.equal(await accept(new Person(chat, mark.headers), { code: byGuest!.code }), '409 invite_over')
  assert.equal((await me(await chat.byInvite(byMember!.code, 'by mark', passwordOf('by mark')))).role, 'guest')
  assert.equal((await me(await chat.byInvite(byOwner!.code, 'by olga'))).role, 'guest')
  // Who was a member stays one; a guest's account made now is a guest's.
  assert.equal((await me(await chat.logIn('amy'))).role, 'member')
  const account = await makesAccount(new Person(chat, gus.headers), 'gus')
  assert.equal((await me(account)).role, 'guest')
  await chat.stop()

  // And where anybody may make an account again, an account is a member's.
  const again = await startChat(t, { data })
  assert.equal((await me(await again.account('newcomer'))).role, 'member')
  assert.equal((await me(new Person(again, account.headers))).role, 'guest')
})

test('who may make members of whom is told by a table', async (t) => {
  const chat = await startChat(t, closed)
  const olga = await chat.owner()
  const byRole = async (role: string, name: string) =>
    chat.byInvite((await olga.invite({ role })).code, name, passwordOf(name))
  const [alma, mark] = [await byRole('admin', 'alma'), await byRole('member', 'mark')]
  const guest = await chat.byInvite((await olga.invite({})).code, 'gina')
  const bot = await olga.makeBot({ name: 'robot' })
  let number = 0
  const account = async () => {
    const name = `guest ${number++}`
    return chat.byInvite((await olga.invite({})).code, name, passwordOf(name))
  }

  for (const doer of [olga, alma]) {
    assert.equal((await doer.giveRole(await account(), 'member')).role, 'member')
    const banned = await account()
    await olga.ban(banned)
    assert.equal(await doer.refused('PATCH', `/users/${banned.id}`, { role: 'member' }), '403 forbidden')
    for (const other of [guest, bot])
      assert.equal(await doer.refused('PATCH', `/users/${other.id}`, { role: 'member' }), '403 forbidden')
    assert.equal(
      await doer.refused('PATCH', `/users/${(await account()).id}`, { role: 'guest' }),
      '400 invalid_request',
    )
  }
  for (const role of ['admin', 'owner'])
    assert.equal(await alma.refused('PATCH', `/users/${(await account()).id}`, { role }), '403 forbidden')
  for (const [other, role] of [
    [mark, 'admin'],
    [olga, 'member'],
    [alma, 'owner'],
  ] as const)
    assert.equal(await alma.refused('PATCH', `/users/${other.id}`, { role }), '403 forbidden')
  for (const doer of [mark, guest, await account(), bot])
    assert.equal(await doer.refused('PATCH', `/users/${(await account()).id}`, { role: 'member' }), '403 forbidden')
  // An admin who is one no longer makes nobody a member, and what they made stays.
  const made = await alma.giveRole(await account(), 'member')
  await olga.giveRole(alma, 'member')
  assert.equal(await alma.refused('PATCH', `/users/${(await account()).id}`, { role: 'member' }), '403 forbidden')
  assert.equal((await olga.read<User>(`/users/${made.id}`)).role, 'member')
})

test('a mounted chat with people of its own keeps to it too, and where a host says who people are there are no invites', async (t) => {
  const { chat, fetch } = await mount(t, { access: 'invite', identify: undefined })
  const send = (path: string, body: object, cookie = '') =>
    fetch(`/chat${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...(cookie && { cookie }) },
      body: JSON.stringify(body),
    })
  const [, code] = (await chat.ownerPath())!.split('#')
  const olga = cookieOf(await send('/invites/accept', { code, name: 'olga', password: 'long enough' }))
  const invite = (await (await send('/invites', { room: 'lobby' }, olga)).json()) as { code: string }

  const guest = cookieOf(await send('/invites/accept', { code: invite.code, name: 'mallory' }))
  const made = await send('/users', { name: 'mallory', password: 'long enough' }, guest)

  assert.equal(made.status, 201)
  assert.equal(((await made.json()) as { user: User }).user.role, 'guest')
  const room = (await (await send('/rooms', { name: 'den', kind: 'private' }, cookieOf(made))).json()) as Room
  assert.equal((await send('/invites', { room: room.id }, cookieOf(made))).status, 403)
  const hosted = await mount(t, { access: 'invite' })
  assert.equal((await hosted.send('POST', '/chat/invites', {}, 'ada')).status, 403)
})

test("a guest's account makes as many rooms as a guest, and puts nobody into them who is not here", async (t) => {
  const chat = await startChat(t, closed)
  const olga = await chat.owner()
  const guest = await chat.byInvite((await olga.invite({})).code, 'mallory')
  const mallory = await makesAccount(guest, 'mallory')

  for (let count = 0; count < 20; count++)
    await mallory.ask<Room>('POST', '/rooms', { name: `room ${count}`, kind: count % 2 ? 'open' : 'private' })

  assert.equal(await mallory.refused('POST', '/rooms', { name: 'one more' }), '403 forbidden')
  const { rooms } = await mallory.read<{ rooms: Room[] }>('/rooms')
  const den = rooms.find(({ kind }) => kind === 'private')!.id
  assert.equal(await mallory.refused('PUT', `/rooms/${den}/members/nobody`, {}), '404 not_found')
  await mallory.add(den, olga)
  await olga.giveRole(mallory, 'member')
  await mallory.makeRoom('one more')
})

test('an invite to a room that is archived lets nobody in until it is open again', async (t) => {
  const chat = await startChat(t, closed)
  const olga = await chat.owner()
  const attic = await olga.makeRoom('attic', { kind: 'private' })
  const { code } = await olga.invite({ room: attic, uses: 3 })
  const { code: ofMembers } = await olga.invite({ role: 'member', uses: 2 })
  const mia = await chat.byInvite(ofMembers, 'mia', passwordOf('mia'))

  await olga.ask('DELETE', `/rooms/${attic}`)

  assert.equal(await accept(chat.stranger, { code, name: 'guest' }), '409 invite_over')
  assert.equal(await accept(chat.stranger, { code, name: 'guest', password: passwordOf('guest') }), '409 invite_over')
  assert.equal(await accept(mia, { code }), '409 invite_over')
  assert.equal(await olga.refused('GET', '/users/guest'), '404 not_found')
  assert.equal(await olga.refused('POST', '/invites', { room: attic }), '409 archived')

  await olga.ask('PATCH', `/rooms/${attic}`, { archived: false })
  await chat.byInvite(code, 'guest')
  assert.equal((await mia.accept(code)).room?.id, attic)
  assert.deepEqual(await olga.membersOf(attic), ['olga', 'guest', 'mia'])
})
