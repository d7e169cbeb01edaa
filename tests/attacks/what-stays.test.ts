// What is left of something that was deleted, or that has another name, topic or text by now: in the files, right after the answer, and on
// every stream, from memory or from disk.

import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import type { Message, Room } from '../../lib/chat/streams/events.ts'
import { createChat } from '../../lib/index.ts'
import {
  passwordOf,
  runServer,
  startChat,
  temporaryFolder,
  type ChatServer,
  type Listener,
  type Person,
} from '../chat-server.ts'

const pathOf = ({ room, id }: Pick<Message, 'room' | 'id'>) => `/rooms/${encodeURIComponent(room)}/messages/${id}`

/** Which of these stand in a file of the folder. */
function foundIn(data: string, texts: readonly string[]): string[] {
  const files = readdirSync(data).map((name) => readFileSync(join(data, name)))
  return texts.filter((text) => files.some((bytes) => bytes.includes(text)))
}

/** All that a stream gives from the beginning on, until it is up to date. */
async function replayed(person: Person, path = '/events?since=all'): Promise<Listener> {
  const reader = await person.listen({ path })
  await reader.next('ping')
  reader.leave()
  return reader
}

/** Neither in the files nor on a stream, as long as it runs and once it was killed and started again: from memory, and from disk. */
async function assertGone({
  chat,
  data,
  readers,
  texts,
}: {
  chat: ChatServer
  data: string
  readers: readonly Person[]
  texts: readonly string[]
}): Promise<void> {
  for (const when of ['from memory', 'from disk']) {
    assert.deepEqual(foundIn(data, texts), [], `in the files, ${when}`)
    for (const reader of readers) {
      for (const path of ['/events?since=all', '/rooms']) {
        const { bytes } = await replayed(reader, path)
        assert.deepEqual(
          texts.filter((text) => bytes.includes(text)),
          [],
          `${path}, ${when}`,
        )
      }
    }
    if (when === 'from disk') break
    await chat.kill()
    await chat.start()
  }
}

async function assertWhole(chat: ChatServer, data: string): Promise<void> {
  assert.equal(await chat.stop(), 0)
  const { code, err } = await runServer(['check', '--data', data])
  assert.deepEqual([code, err], [0, ''])
}

test('of a deleted message neither mentions nor reactions stay, whether they were taken back or not', async (t) => {
  const data = await temporaryFolder(t)
  const chat = await startChat(t, { data })
  const [ada, bob, kim] = [await chat.account('ada'), await chat.account('bob'), await chat.account('kim')]
  await bob.join('lobby')
  const kept = await ada.say('lobby', 'kept')
  await bob.ask('PUT', `${pathOf(kept)}/reactions/🐢`)
  const gone = await ada.say('lobby', 'hello @bob')
  const start = await chat.stranger.listen({ lastEventId: kept.id })
  for (const [person, emoji] of [
    [bob, '🦀'],
    [kim, '🦀'],
    [ada, '🪰'],
  ] as const)
    await person.ask('PUT', `${pathOf(gone)}/reactions/${emoji}`)
  await kim.ask('DELETE', `${pathOf(gone)}/reactions/🦀`)
  await ada.ask('PATCH', pathOf(gone), { text: 'hello @room and @kim' })
  await start.next('edit')
  const texts = ['🦀', '🪰', '"mentions"', '"everyone"']
  assert.deepEqual(foundIn(data, texts), texts, 'the premise: they were there')
  assert.ok(start.bytes.includes('🦀'))

  await ada.ask('DELETE', pathOf(gone))

  await assertGone({ chat, data, readers: [chat.stranger, bob], texts })
  const { all } = await replayed(chat.stranger)
  assert.deepEqual(
    all.filter(({ event }) => event === 'reaction').map(({ data }) => JSON.parse(data).message),
    [kept.id],
  )
  const behind = await chat.stranger.listen({ lastEventId: kept.id })
  assert.equal((await behind.next('delete')).data.id, gone.id)
  const shown = await chat.stranger.read<Message>(pathOf(gone))
  assert.deepEqual([shown.deleted, shown.mentions, shown.reactions], [true, undefined, undefined])
  await assertWhole(chat, data)
})

test('an edit takes away whom the older text named', async (t) => {
  const data = await temporaryFolder(t)
  const chat = await startChat(t, { data })
  const [ada, bob] = [await chat.account('ada'), await chat.account('bob')]
  const message = await ada.say('lobby', 'hello @bob')
  assert.deepEqual(foundIn(data, ['"mentions"']), ['"mentions"'])

  await ada.ask('PATCH', pathOf(message), { text: 'hello nobody' })
  await assertGone({ chat, data, readers: [bob], texts: ['"mentions"'] })
  await ada.ask('PATCH', pathOf(message), { text: 'hello @bob again' })

  assert.deepEqual((await bob.read<Message>(pathOf(message))).mentions, [bob.id])
  const { all } = await replayed(chat.stranger)
  assert.deepEqual(
    all.filter(({ event }) => event === 'edit').map(({ data }) => JSON.parse(data).mentions),
    [[bob.id]],
  )
  await assertWhole(chat, data)
})

test('who takes another name leaves nothing of the one before, whatever they did under it but talk', async (t) => {
  const data = await temporaryFolder(t)
  const chat = await startChat(t, { data })
  const olga = await chat.owner()
  const zoe = await chat.account('Zoeformer')
  const [guest, bob] = [await chat.comeIn('Guestformer'), await chat.account('bob')]
  const said = await bob.say('lobby', 'look')
  for (const person of [zoe, guest]) {
    await person.join('lobby')
    await person.ask('PUT', `${pathOf(said)}/reactions/👍`)
    await person.leave('lobby')
  }
  const attic = await bob.makeRoom('attic', { kind: 'private' })
  for (const person of [zoe, guest]) await bob.add(attic, person)
  await bob.remove(attic, guest)
  await zoe.direct(bob)
  await bob.direct(guest)
  await olga.giveRole(zoe, 'admin')
  await olga.ban(zoe)
  await olga.ask('PATCH', `/users/${zoe.id}`, { banned: false })
  const live = await bob.listen()
  await live.next('ping')
  const again = await chat.logIn('Zoeformer', passwordOf('Zoeformer'))
  const texts = ['Zoeformer', 'zoeformer', 'Guestformer', 'guestformer', 'Zwischenname']
  assert.deepEqual(foundIn(data, texts), ['Zoeformer', 'Guestformer'], 'the premise')

  await again.ask('PATCH', '/users/me', { name: 'Zwischenname' })
  assert.equal((await live.next('user')).data.name, 'Zwischenname')
  await again.ask('PATCH', '/users/me', { name: 'Zora' })
  assert.equal(
    await chat.stranger.refused('POST', '/session', { name: 'zoeformer' }),
    '409 name_taken',
    'it is kept for her all the same',
  )
  await guest.ask('POST', '/users', { name: 'Gustav', password: passwordOf('Gustav') })

  await assertGone({ chat, data, readers: [bob, olga], texts })
  const { all } = await replayed(bob)
  const ofZoe = all
    .filter(({ data }) => data.includes(zoe.id))
    .map(({ event, data }) => [event, JSON.parse(data)] as const)
  assert.equal(ofZoe.filter(([event]) => event === 'user').length, 1, 'the newest tells the whole')
  assert.deepEqual(
    ofZoe.filter(([event]) => event === 'user').map(([, user]) => [user.name, user.role]),
    [['Zora', 'admin']],
  )
  for (const [event, { user, from }] of ofZoe)
    if (event === 'join' || event === 'leave' || event === 'reaction') assert.equal((user ?? from).name, 'Zora')
  assert.ok(ofZoe.some(([event]) => event === 'reaction') && ofZoe.some(([event]) => event === 'leave'))
  const { rooms } = await bob.read<{ rooms: Room[] }>('/rooms')
  assert.ok(
    rooms.some(({ kind, name }) => kind === 'direct' && name === 'Zora, bob'),
    JSON.stringify(rooms),
  )
  await assertWhole(chat, data)
})

test("a message keeps its author's name of then, for as long as it is there", async (t) => {
  const data = await temporaryFolder(t)
  const chat = await startChat(t, { data })
  const [ada, bob] = [await chat.account('Adaformer'), await chat.account('bob')]
  const [first, second] = [await ada.say('lobby', 'one'), await ada.say('lobby', 'two')]
  await ada.ask('PATCH', pathOf(second), { text: 'three' })
  await ada.ask('PATCH', '/users/me', { name: 'Countess' })

  for (const message of [first, second]) assert.equal((await bob.read<Message>(pathOf(message))).from.name, 'Adaformer')
  const { all } = await replayed(bob)
  assert.deepEqual(
    all.filter(({ event }) => event === 'message' || event === 'edit').map(({ data }) => JSON.parse(data).from.name),
    ['Adaformer', 'Adaformer'],
  )
  for (const message of [first, second]) await ada.ask('DELETE', pathOf(message))

  await assertGone({ chat, data, readers: [bob], texts: ['Adaformer', 'adaformer'] })
  assert.equal((await bob.read<Message>(pathOf(first))).from.name, 'Countess')
  await assertWhole(chat, data)
})

test('a room that gets another name or topic leaves nothing of the one before, nor does one that loses its topic', async (t) => {
  const data = await temporaryFolder(t)
  const chat = await startChat(t, { data })
  const [ada, bob] = [await chat.account('ada'), await chat.account('bob')]
  const open = await ada.makeRoom('Kitchen', { topic: 'Topicformer of the kitchen' })
  const closed = await ada.makeRoom('Atticformer', { kind: 'private', topic: 'Topicformer of the attic' })
  await ada.add(closed, bob)
  const lists = await bob.listen({ path: '/rooms' })
  await lists.next('ping')
  const live = await bob.listen()
  await live.next('ping')
  const texts = ['Topicformer', 'Atticformer', 'Nameformer']
  assert.deepEqual(foundIn(data, texts), ['Topicformer', 'Atticformer'], 'the premise')

  await ada.ask('PATCH', `/rooms/${open}`, { topic: 'Topicformer again' })
  await ada.ask('PATCH', `/rooms/${open}`, { name: 'Nameformer' })
  await ada.ask('PATCH', `/rooms/${open}`, { name: 'Pantry', topic: 'what there is' })
  await ada.ask('PATCH', `/rooms/${closed}`, { topic: '', name: 'Loft' })
  await ada.ask('DELETE', `/rooms/${open}`)

  const told = (await live.take('room', 5))
    .map(({ data }) => JSON.parse(data) as Room)
    .map(({ id, name, topic, archived }) => ({ id, name, topic, archived }))
  assert.deepEqual(told.at(-1), { id: open, name: 'Pantry', topic: 'what there is', archived: true })
  assert.deepEqual(told.at(-2), { id: closed, name: 'Loft', topic: undefined, archived: undefined })
  await assertGone({ chat, data, readers: [ada, bob, chat.stranger], texts })
  const { all } = await replayed(bob)
  const rooms = all.filter(({ event }) => event === 'room').map(({ data }) => JSON.parse(data) as Room)
  assert.deepEqual(
    rooms.map(({ id, name, archived = false }) => [id, name, archived]),
    [
      ['lobby', 'lobby', false],
      [open, 'Pantry', false],
      [closed, 'Loft', false],
      [open, 'Pantry', true],
    ],
  )
  const listed = await replayed(bob, '/rooms')
  assert.deepEqual(
    listed.all
      .filter(({ event }) => event === 'message')
      .map(({ data }) => (JSON.parse(data) as Room).name)
      .sort(),
    ['Loft', 'Loft', 'Pantry', 'lobby'].sort(),
  )
  await assertWhole(chat, data)
})

test('a list of rooms tells nothing of a room that one has lost but the loss, whatever it is called later', async (t) => {
  const data = await temporaryFolder(t)
  const chat = await startChat(t, { data })
  const [olga, ada, bob, cid] = [
    await chat.owner(),
    await chat.account('ada'),
    await chat.account('bob'),
    await chat.account('cid'),
  ]
  await olga.giveRole(cid, 'admin')
  const bot = await cid.makeBot({ name: 'robot' })
  const attic = await ada.makeRoom('Firstattic', { kind: 'private', topic: 'firsttopic' })
  for (const member of [bob, cid, bot]) await ada.add(attic, member)
  for (const reader of [bob, cid, bot])
    assert.ok((await replayed(reader, '/rooms')).bytes.includes('Firstattic'), 'the premise')
  await ada.remove(attic, bob)
  await ada.remove(attic, cid)

  await ada.ask('PATCH', `/rooms/${attic}`, { name: 'Secondattic', topic: 'secondtopic' })

  for (const when of ['from memory', 'from disk']) {
    for (const reader of [bob, cid, bot]) {
      const list = await replayed(reader, '/rooms')
      assert.deepEqual(
        list.all.filter(({ data }) => data.includes(attic)).map(({ event }) => event),
        ['leave'],
        when,
      )
      assert.doesNotMatch(list.bytes.toString(), /Firstattic|firsttopic|Secondattic|secondtopic/)
    }
    await chat.kill()
    await chat.start()
  }
})

test('whom another server knows by another name from now on leaves nothing of the one before', async (t) => {
  const data = await temporaryFolder(t)
  const chat = await createChat({ data, identify: () => null, log: () => {} })
  const someone = (name: string) => ({ id: 'outside-1', name })
  await chat.join(someone('Outformer'), 'lobby')
  await chat.direct({ id: 'outside-2', name: 'eve' }, someone('Outformer'))
  assert.deepEqual(foundIn(data, ['Outformer']), ['Outformer'], 'the premise')

  await chat.join(someone('Hosta'), 'lobby')

  assert.deepEqual(foundIn(data, ['Outformer', 'outformer']), [])
  assert.deepEqual(
    (await chat.rooms(someone('Hosta'))).rooms.map(({ name }) => name),
    ['lobby', 'eve, Hosta'],
  )
  await chat.close()
  assert.deepEqual(foundIn(data, ['Outformer', 'outformer']), [])
  const { code, err } = await runServer(['check', '--data', data])
  assert.deepEqual([code, err], [0, ''])
})

test("a name that is nobody's is told from one that is by the log's own secret, of which each has another", async (t) => {
  const folders = [await temporaryFolder(t), await temporaryFolder(t)]
  const hashes = await Promise.all(
    folders.map(async (data) => {
      const chat = await startChat(t, { data })
      await chat.comeIn('Ada Lovelace')
      assert.equal(await chat.stranger.refused('POST', '/session', { name: 'ada  lovelace' }), '409 name_taken')
      await chat.stop()
      const { DatabaseSync } = process.getBuiltinModule('node:sqlite')
      const file = new DatabaseSync(join(data, 'natter.db'), { readOnly: true })
      t.after(() => file.close())
      const [{ id, secret } = { id: '', secret: '' }, ...others] = file.prepare('select id, secret from log').all() as {
        id: string
        secret: string
      }[]
      assert.deepEqual(others, [])
      assert.deepEqual([id.length, Buffer.from(secret, 'base64url').length], [8, 32])
      assert.equal((file.prepare('select type from events order by id limit 1').get() as { type: string }).type, 'log')
      return file
        .prepare('select hash from names')
        .all()
        .map((row) => (row as { hash: string }).hash)
    }),
  )

  assert.equal(hashes.flat().length, 2)
  assert.notEqual(hashes[0]![0], hashes[1]![0])
})

test('who reacts at the same moment as others, with the same or with something new, reacts once and is heard', async (t) => {
  const data = await temporaryFolder(t)
  const chat = await startChat(t, { data })
  const people = await Promise.all(Array.from({ length: 12 }, (_, at) => chat.comeIn(`p${at}`)))
  const [message, other] = [await people[0]!.say('lobby', 'look'), await people[0]!.say('lobby', 'and here')]
  const live = await chat.stranger.listen()
  await live.next('ping')
  const emojis = ['😀', '😁', '😂', '😃', '😄', '😅', '😆', '😇', '😈', '😉', '😊', '😋']

  await Promise.all(
    people.flatMap((person, at) => [
      person.ask('PUT', `${pathOf(message)}/reactions/🎉`),
      person.ask('PUT', `${pathOf(message)}/reactions/🎉`),
      person.ask('PUT', `${pathOf(other)}/reactions/${emojis[at]}`),
    ]),
  )

  const came = (await live.take('reaction', 24)).map(
    ({ data }) => JSON.parse(data) as { message: string; emoji: string; from: { id: string } },
  )
  assert.equal(
    new Set(came.filter((reaction) => reaction.message === message.id).map(({ emoji, from }) => emoji + from.id)).size,
    12,
  )
  assert.deepEqual(
    came
      .filter((reaction) => reaction.message === other.id)
      .map(({ emoji }) => emoji)
      .sort(),
    emojis,
  )
  await assertWhole(chat, data)
})

test('what a deletion took away is in no file after the next start, also if it was killed before it could answer', async (t) => {
  const data = await temporaryFolder(t)
  const preload = new URL('../store/killed-after-commit.ts', import.meta.url).href
  const chat = await startChat(t, { data, execArgv: ['--import', preload] })
  const ada = await chat.comeIn('ada')
  const gone = await ada.say('lobby', 'Geheimnisvoll it was')
  await assert.rejects(ada.ask('DELETE', pathOf(gone)))
  assert.deepEqual(foundIn(data, ['Geheimnisvoll']), ['Geheimnisvoll'], 'the premise: it was killed too early')

  await chat.start()

  assert.equal((await ada.read<Message>(pathOf(gone))).deleted, true)
  assert.deepEqual(foundIn(data, ['Geheimnisvoll']), [])
})

test("no table but that of bodies and the search holds anything that people chose to write, but a room's address", async (t) => {
  const data = await temporaryFolder(t)
  const chat = await startChat(t, { data })
  const [olga, ada, gus] = [
    await chat.owner('Chosen Olga'),
    await chat.account('Chosen Ada'),
    await chat.comeIn('Chosen Gus'),
  ]
  const rooms = [
    await ada.makeRoom('Chosen kitchen', { topic: 'Chosen topic' }),
    await ada.makeRoom('Chosen attic', { kind: 'private', topic: 'Chosen too' }),
    await ada.direct(gus),
  ]
  await ada.add(rooms[1]!, gus)
  await ada.ask('PATCH', `/rooms/${rooms[0]}`, { name: 'Chosen pantry', topic: 'Chosen last' })
  for (const room of rooms) {
    const message = await ada.say(room, 'Chosen words for @Chosen Gus, 🦀')
    await gus.ask('PUT', `${pathOf(message)}/reactions/🦀`)
    await ada.ask('PATCH', pathOf(message), { text: 'Chosen again, @room' })
  }
  await olga.makeBot({ name: 'Chosen bot' })
  await chat.claiming('Chosen claim').say('lobby', 'Chosen by nobody')
  await gus.ask('POST', '/users', { name: 'Chosen Gustav', password: passwordOf('Gustav') })
  await ada.ask('PATCH', '/users/me', { name: 'Chosen Countess' })
  await olga.giveRole(ada, 'admin')
  await olga.ban(gus)
  await chat.stop()

  const { DatabaseSync } = process.getBuiltinModule('node:sqlite')
  const file = new DatabaseSync(join(data, 'natter.db'), { readOnly: true })
  t.after(() => file.close())
  const tables = (
    file.prepare("select name from sqlite_schema where type = 'table' and name not like 'sqlite%'").all() as {
      name: string
    }[]
  ).map(({ name }) => name)
  const holding = tables.filter((table) =>
    /Chosen|🦀|scrypt/.test(
      JSON.stringify(file.prepare(`select * from ${table}`).all(), (_, value) =>
        value instanceof Uint8Array ? Buffer.from(value).toString('latin1') : value,
      ),
    ),
  )
  assert.deepEqual(
    holding.filter((name) => !name.startsWith('search_')),
    ['bodies'],
  )
  // What is chosen in lower case is an address: it is asked for, and so can't go.
  const chosen = tables.filter(
    (table) =>
      !/^(bodies|search)/.test(table) && /chosen/i.test(JSON.stringify(file.prepare(`select * from ${table}`).all())),
  )
  assert.deepEqual(chosen.sort(), ['events', 'rooms'])
  for (const { facts } of file.prepare("select facts from events where facts like '%chosen%'").all() as {
    facts: string
  }[])
    assert.deepEqual(
      Object.entries(JSON.parse(facts))
        .filter(([, value]) => /chosen/i.test(String(value)))
        .map(([key]) => key),
      ['slug'],
    )
})
