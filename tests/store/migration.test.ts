// A folder that an older natter wrote, opened by this one: all of it is there, and it is what the log adds up to.

import assert from 'node:assert/strict'
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'
import type { ListedRoom, Member, Message, User } from '../../lib/chat/streams/events.ts'
import { hashOf } from '../../lib/chat/people/people.ts'
import { applicationId, migrations } from '../../lib/store/tables/schema.ts'
import { Person, runServer, startChat, temporaryFolder, type ChatServer } from '../chat-server.ts'
import { olderFolder } from './older/folder.ts'

/** What the first version wrote: a lobby, zoe who claimed her name and zoe who took it over, and ada, who came back after a day. */
function writeFirstVersion(folder: string, secret: string): void {
  const file = new DatabaseSync(join(folder, 'natter.db'))
  file.exec(
    `pragma journal_mode = wal; begin; pragma application_id = ${applicationId}; ${migrations[0]}; pragma user_version = 1; commit`,
  )
  const start = (Date.now() - 3 * 86_400_000) * 1000
  const event = file.prepare(
    'insert into events (id, type, rules, user, name, room, target, facts) values (?, ?, 1, ?, ?, ?, null, ?)',
  )
  const log = (
    id: number,
    type: string,
    {
      user = null,
      name = null,
      room = null,
      facts,
    }: { user?: number | null; name?: string | null; room?: number | null; facts?: object },
  ) =>
    event.run(start + id, type, user && start + user, name, room && start + room, facts ? JSON.stringify(facts) : null)
  log(1, 'room', { room: 1, facts: { slug: 'lobby', name: 'lobby', kind: 'open' } })
  log(2, 'user', { user: 2, name: 'zoe', facts: { name: 'zoe', folded: 'zoe', kind: 'unproven', role: 'guest' } })
  log(3, 'user', {
    user: 3,
    name: 'Zoe',
    facts: { name: 'Zoe', folded: 'zoe', kind: 'guest', role: 'guest', session: hashOf('zoe') },
  })
  log(4, 'user', {
    user: 4,
    name: 'ada',
    facts: { name: 'ada', folded: 'ada', kind: 'guest', role: 'guest', session: hashOf(secret) },
  })
  log(5, 'join', { user: 4, name: 'ada', room: 1 })
  log(6, 'message', { user: 4, name: 'ada', room: 1 })
  log(2 * 86_400e6, 'session', { user: 4, name: 'ada', facts: { hash: hashOf(secret) } })
  file.exec(`
    insert into users values (${start + 2}, 'zoe', 'unproven', 'guest'), (${start + 3}, 'Zoe', 'guest', 'guest'), (${start + 4}, 'ada', 'guest', 'guest');
    insert into names values ('zoe', ${start + 3}), ('ada', ${start + 4});
    insert into sessions values ('${hashOf('zoe')}', ${start + 3}, ${start + 3}, null), ('${hashOf(secret)}', ${start + 4}, ${start + 2 * 86_400e6}, null);
    insert into rooms values (${start + 1}, 'lobby', 'lobby', 'open', ${start + 1});
    insert into members values (${start + 1}, ${start + 4}, ${start + 5});
    insert into bodies values (${start + 6}, 'hello');
    insert into search (rowid, text, place) values (${start + 6}, 'hello', 'r u');
  `)
  file.close()
}

test('a folder of the first version is brought up to this one, and check finds it whole', async (t) => {
  const data = await temporaryFolder(t)
  const secret = 'a'.repeat(43)
  writeFirstVersion(data, secret)
  const chat = await startChat(t, { data })
  const ada = new Person(chat, { cookie: `natter=${secret}` })

  const { messages } = await ada.read<{ messages: { text: string }[] }>('/rooms/lobby/messages')
  const { sessions } = await ada.read<{ sessions: { began: string; used: string }[] }>('/sessions')

  assert.deepEqual(
    messages.map(({ text }) => text),
    ['hello'],
  )
  // It began days before it was used last.
  assert.equal(sessions.length, 1)
  assert.ok(sessions[0]!.began < sessions[0]!.used)
  await ada.say('lobby', 'after it')
  await chat.stop()
  const { code, err } = await runServer(['check', '--data', data])
  assert.deepEqual([code, err], [0, ''])
})

interface Told {
  users: User[]
  rooms: ListedRoom[]
  messages: Record<string, Message[]>
  members: Record<string, Member[]>
}

const told = JSON.parse(readFileSync(new URL('older/format-4.json', import.meta.url), 'utf8')) as {
  ids: Record<'kitchen' | 'attic' | 'cellar' | 'direct' | 'plain' | 'edited' | 'gone' | 'last', string>
  token: string
  code: string
  countess: Told
  bob: Told
}

const people = (chat: ChatServer) => ({
  countess: chat.withPassword('Countess'),
  bob: chat.withPassword('bob'),
  olga: chat.withPassword('olga'),
  gustav: chat.withPassword('Gustav'),
})

/** In which files of a folder some bytes stand. */
function filesWith(data: string, text: string): string[] {
  return readdirSync(data).filter((name) => readFileSync(join(data, name)).includes(text))
}

// What both versions tell of a message, and how many reacted with what.
// In no order: an emoji that is in use keeps its place now, also when the first who used it takes that back.
function plainMessage({ id, room, from, text, at, replyTo, mentions, edited, reactions }: Message): unknown {
  const counts = Array.isArray(reactions)
    ? reactions.map(({ emoji, count }: { emoji: string; count: number }) => [emoji, count])
    : Object.entries((reactions ?? {}) as Record<string, string[]>).map(([emoji, users]) => [emoji, users.length])
  return { id, room, from, text, at, replyTo, mentions, edited, counts: counts.sort() }
}

test('what was said and done before a file is brought up to date shows as it did', async (t) => {
  const data = await olderFolder(t)
  const chat = await startChat(t, { data })
  const { countess, bob } = people(chat)

  for (const [person, before] of [
    [countess, told.countess],
    [bob, told.bob],
  ] as const) {
    const { users } = await person.read<{ users: User[] }>('/users')
    // Whom another server knows came later.
    assert.deepEqual(users.slice(0, -1), before.users)
    assert.deepEqual(users.at(-1)!.name, 'Hosta')
    const { rooms } = await person.read<{ rooms: ListedRoom[] }>('/rooms')
    const shown = ({ id, name, kind, topic, archived, at, mentions }: ListedRoom) => ({
      id,
      name,
      kind,
      topic,
      archived,
      at,
      mentions,
    })
    // A direct room is called after its two, whatever they are called by now.
    const expected = before.rooms.map((room) => ({
      ...room,
      name: room.kind === 'direct' ? 'bob, Countess' : room.name,
    }))
    assert.deepEqual(
      rooms.map(shown).sort((a, b) => a.at.localeCompare(b.at)),
      expected.map(shown).sort((a, b) => a.at.localeCompare(b.at)),
    )
    for (const [room, messages] of Object.entries(before.messages)) {
      const page = await person.read<{ messages: Message[] }>(`/rooms/${room}/messages`)
      assert.deepEqual(page.messages.slice(0, messages.length).map(plainMessage), messages.map(plainMessage), room)
      const { members } = await person.read<{ members: Member[] }>(`/rooms/${room}/members`)
      assert.deepEqual(
        members.filter(({ name }) => name !== 'Hosta'),
        before.members[room],
        room,
      )
    }
  }
  const gone = await countess.read<Message>(`/rooms/lobby/messages/${told.ids.gone}`)
  assert.deepEqual([gone.deleted, gone.text, gone.from.name, gone.mentions], [true, '', 'Countess', undefined])
  await chat.stop()
  const { code, err } = await runServer(['check', '--data', data])
  assert.deepEqual([code, err], [0, ''])
})

test('what was superseded or deleted before a file is brought up to date stands in it no more, nor on any stream', async (t) => {
  const data = await olderFolder(t)
  const former = [
    'formertopic',
    'formertext',
    'Formerkitchen',
    'formergus',
    'Formerada',
    'Formerhost',
    '🦀',
    '🪰',
    '🐌',
    '"mentions":[',
  ]
  for (const text of ['formertopic', 'Formerkitchen', 'Formerada', '🦀', '"mentions":['])
    assert.deepEqual(filesWith(data, text), ['natter.db'], `the premise: ${text}`)
  const chat = await startChat(t, { data })
  const { countess, olga } = people(chat)
  const replay = async () => {
    const reader = await countess.listen({ path: '/events?since=all' })
    await reader.next('ping')
    reader.leave()
    return reader
  }
  const first = await replay()

  const ofKept = ['Formerada', 'formergus', 'Formerhost', '🐌', '"mentions":[']
  for (const text of former.filter((text) => !ofKept.includes(text))) {
    assert.ok(!first.bytes.includes(text), text)
    assert.deepEqual(filesWith(data, text), [], text)
  }
  // A message keeps its author's name of then, and nothing else does; a room's address is what it was.
  for (const { event, data } of first.all)
    if (event !== 'message' && event !== 'edit') assert.doesNotMatch(data, /Former|former(?!kitchen)/)
  assert.ok(first.bytes.includes('Formerada'))
  for (const room of ['lobby', told.ids.attic, told.ids.direct]) {
    const { messages } = await countess.read<{ messages: Message[] }>(`/rooms/${room}/messages`)
    for (const { id, from } of messages)
      if (/^former|^Hosta/i.test(from.name))
        await (from.id === (await countess.read<User>('/users/me')).id
          ? countess
          : room === told.ids.attic
            ? countess
            : olga
        ).ask('DELETE', `/rooms/${room}/messages/${id}`)
  }
  const { messages } = await countess.read<{ messages: Message[] }>('/rooms/lobby/messages')
  for (const { id } of messages) await olga.ask('DELETE', `/rooms/lobby/messages/${id}`)

  const last = await replay()
  for (const text of former.filter((text) => text !== 'Formerkitchen')) {
    assert.ok(!last.bytes.includes(text), text)
    assert.deepEqual(filesWith(data, text), [], text)
  }
})

test('what was begun before a file is brought up to date goes on', async (t) => {
  const data = await olderFolder(t)
  const chat = await startChat(t, { data })
  const { countess, bob, olga } = people(chat)
  const plain = `/rooms/lobby/messages/${told.ids.plain}`

  // A key that was used, a token, an invite with a use left, and names that are somebody's.
  assert.equal(
    (await countess.say('lobby', 'formertext that went, for @bob', { key: 'key-of-gone' })).id,
    told.ids.gone,
  )
  const bot = chat.withToken(told.token)
  assert.equal((await bot.say('lobby', 'still here')).from.name, 'robot')
  assert.equal((await (await chat.byInvite(told.code, 'ivy')).fetch(`/rooms/${told.ids.attic}/messages`)).status, 200)
  for (const name of ['Formerada', 'COUNTESS', 'bob', 'eve', 'robot'])
    assert.equal(await chat.stranger.refused('POST', '/session', { name }), '409 name_taken', name)
  assert.equal((await chat.claiming('claimed').say('lobby', 'anybody still could')).from.unproven, true)

  // Reactions are the same ones, and new ones beside them.
  await bob.ask('PUT', `${plain}/reactions/🎉`)
  await bob.ask('DELETE', `${plain}/reactions/👍`)
  await olga.ask('PUT', `${plain}/reactions/🐌`)
  await olga.ask('PUT', `${plain}/reactions/🐢`)
  const counts = (plainMessage(await bob.read<Message>(plain)) as { counts: unknown }).counts
  assert.deepEqual(counts, [
    ['🎉', 2],
    ['🐌', 1],
    ['🐢', 1],
    ['👍', 1],
  ])
  await countess.ask('PATCH', `/rooms/lobby/messages/${told.ids.edited}`, { text: 'once more, for @bob' })
  await countess.ask('PATCH', `/rooms/${told.ids.kitchen}`, { topic: 'nothing' })
  await countess.ask('PATCH', '/users/me', { name: 'Formerada' })
  assert.equal(await bob.refused('PUT', `/rooms/${told.ids.cellar}/members/me`), '409 archived')
  await olga.ask('PATCH', '/users/eve', { banned: false })
  await chat.kill()
  await chat.start()
  assert.equal((await olga.read<User>('/users/Formerada')).name, 'Formerada')
  await chat.stop()

  const { code, err } = await runServer(['check', '--data', data])
  assert.deepEqual([code, err], [0, ''])
  assert.deepEqual(filesWith(data, 'Countess').length, 1, 'she said something under that name')
})

test('who is killed while a file is brought up to date leaves one that the next start goes on with', async (t) => {
  for (const point of ['moving', 'before the copy is put in its place', 'after the copy is put in its place']) {
    const data = await olderFolder(t)
    const killed = await runServer(['--port', '0', '--data', data], {
      environment: {
        NODE_OPTIONS: `--import ${new URL('migration-kills.ts', import.meta.url).href}`,
        NATTER_KILL: point,
      },
    })
    assert.equal(killed.code, null, `${point}: ${killed.err}`)

    const chat = await startChat(t, { data })
    const { messages } = await people(chat).bob.read<{ messages: Message[] }>('/rooms/lobby/messages')
    assert.deepEqual(
      messages.slice(0, told.bob.messages['lobby']!.length).map(plainMessage),
      told.bob.messages['lobby']!.map(plainMessage),
      point,
    )
    await chat.stop()
    const { code, err } = await runServer(['check', '--data', data])
    assert.deepEqual([code, err], [0, ''], point)
    assert.deepEqual(readdirSync(data).sort(), ['natter.db', 'natter.lock'], point)
    assert.deepEqual(filesWith(data, 'formertopic'), [], point)
    assert.equal(statSync(join(data, 'natter.db')).mode & 0o777, 0o600, point)
  }
})

test('check says of a file of an older format that it has to be brought up to date first, and leaves it as it is', async (t) => {
  const data = await olderFolder(t)
  const before = readFileSync(join(data, 'natter.db'))

  const { code, out, err } = await runServer(['check', '--data', data])

  assert.deepEqual([code, out], [1, ''])
  assert.match(err, /^natter can't check: \S+natter\.db is from an older natter \(format 4, [^\n]+\n$/)
  assert.ok(readFileSync(join(data, 'natter.db')).equals(before))
})

test('the owner is told when it will take a while, and not where it does not', async (t) => {
  const data = await olderFolder(t)
  const small = await startChat(t, { data: await olderFolder(t) })
  assert.doesNotMatch(small.errors, /up to date/)
  const file = new DatabaseSync(join(data, 'natter.db'))
  file.exec(`insert into bodies values (1, '${'x'.repeat(20_000_000)}')`)
  file.close()

  const chat = await startChat(t, { data })

  assert.match(chat.errors, /natter\.db is from an older natter, and is brought up to date: 2\d MB take about 1 s/)
  assert.equal(chat.errors.split('up to date').length, 2)
})
