// What can be asked for with an invite or a token, and by whom: the ways that nobody is meant to take.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Room } from '../../lib/chat/streams/events.ts'
import { Person, startChat, temporaryFolder, type ChatServer } from '../chat-server.ts'

/** Somebody who came in by a request, and what it was answered with. */
async function byCookie<T>(chat: ChatServer, answer: Response): Promise<{ person: Person; json: T }> {
  assert.equal(answer.status, 201, await answer.clone().text())
  const [cookie = ''] = answer.headers.getSetCookie()
  return { person: new Person(chat, { cookie: cookie.split(';')[0]! }), json: (await answer.json()) as T }
}

async function ownerOf(chat: ChatServer): Promise<Person> {
  // Each start prints another; only the newest is good.
  const code = [...chat.printed.matchAll(/\/join#(\S+)/g)].at(-1)![1]
  return (
    await byCookie(
      chat,
      await chat.stranger.send('POST', '/invites/accept', { code, name: 'olga', password: 'a password' }),
    )
  ).person
}

async function admin(chat: ChatServer, owner: Person, name: string): Promise<Person> {
  const { person } = await byCookie(chat, await chat.stranger.send('POST', '/users', { name, password: 'a password' }))
  assert.equal((await owner.send('PATCH', `/users/${name}`, { role: 'admin' })).status, 200)
  return person
}

async function made<T>(answer: Response): Promise<T> {
  assert.equal(answer.status, 201, await answer.clone().text())
  return (await answer.json()) as T
}

async function privateRoom(person: Person, name: string): Promise<string> {
  return (await made<Room>(await person.send('POST', '/rooms', { name, kind: 'private' }))).id
}

test('an invite until the year 9999 is refused, and hinders nobody: not even the next start', async (t) => {
  const data = await temporaryFolder(t)
  const chat = await startChat(t, { data })
  const ada = await chat.comeIn('ada')
  const room = await privateRoom(ada, 'attic')

  const refused = await ada.send('POST', '/invites', { room, expires: '9999-12-31' })

  assert.equal(refused.status, 400)
  assert.match(await refused.text(), /lasts 30 days at most/)
  assert.equal((await ada.read<{ invites: unknown[] }>('/invites')).invites.length, 0)
  await chat.stop()
  await chat.start()
  assert.deepEqual(await ownerOf(chat).then((olga) => olga.read('/invites')), { invites: [], more: false })
  assert.doesNotMatch(chat.errors, /incident/)
})

test('a token until the year 9999 works, and is listed', async (t) => {
  const chat = await startChat(t)
  const olga = await ownerOf(chat)

  const { token } = await made<{ token: string }>(
    await olga.send('POST', '/tokens', { name: 'robo', expires: '9999-12-31' }),
  )

  await new Person(chat, { authorization: `Bearer ${token}` }).say('lobby', 'hello')
  assert.equal((await olga.read<{ tokens: unknown[] }>('/tokens')).tokens.length, 1)
})

test("an admin reads no private room through another's bot", async (t) => {
  const chat = await startChat(t)
  const olga = await ownerOf(chat)
  const [adam, cleo] = [await admin(chat, olga, 'adam'), await admin(chat, olga, 'cleo')]
  const attic = await privateRoom(adam, 'attic')
  await made(await adam.send('POST', '/tokens', { name: 'robo', rooms: [attic] }))
  assert.equal((await cleo.fetch(`/rooms/${attic}`)).status, 404)

  const asked = await cleo.send('POST', '/tokens', { name: 'robo' })

  assert.equal(asked.status, 403, await asked.text())
  // Who made the bot can still give it another, and so can anybody where it has nothing to tell.
  await made(await adam.send('POST', '/tokens', { name: 'robo' }))
  await made(await adam.send('POST', '/tokens', { name: 'herald' }))
  await made(await cleo.send('POST', '/tokens', { name: 'herald' }))
})

test("a thousand invites of somebody else's hide none of one's own, and keep no old owner's link good", async (t) => {
  const data = await temporaryFolder(t)
  const chat = await startChat(t, { data })
  const [, old] = chat.ownerLink.split('#')
  const [ada, ...others] = await Promise.all(Array.from({ length: 51 }, (_, at) => chat.comeIn(`person ${at}`)))
  const attic = await privateRoom(ada!, 'attic')
  const { id } = await made<{ id: string }>(await ada!.send('POST', '/invites', { room: attic }))
  // As many as each may have.
  for (const other of others) {
    const room = await privateRoom(other, 'den')
    await Promise.all(Array.from({ length: 20 }, async () => made(await other.send('POST', '/invites', { room }))))
  }

  const { invites } = await ada!.read<{ invites: { id: string }[] }>('/invites')

  assert.deepEqual(
    invites.map((invite) => invite.id),
    [id],
  )
  await chat.stop()
  await chat.start()
  assert.equal(
    (await chat.stranger.send('POST', '/invites/accept', { code: old, name: 'eve', password: 'a password' })).status,
    409,
  )
})

test("the tokens of who no longer governs are good no more, nor are their bots' streams", async (t) => {
  const chat = await startChat(t)
  const olga = await chat.owner()
  const ada = await chat.account('ada')
  await olga.send('PATCH', `/users/${ada.id}`, { role: 'admin' })
  const { token } = await ada.ask<{ token: string }>('POST', '/tokens', { name: 'builds' })
  const bot = chat.withToken(token)
  const stream = await bot.listen()
  await bot.say('lobby', 'built')

  await olga.send('PATCH', `/users/${ada.id}`, { role: 'member' })

  await stream.over
  assert.equal((await bot.fetch('/rooms')).status, 401)
})
