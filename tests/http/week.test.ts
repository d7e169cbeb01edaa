// A week of three people and a bot, over HTTP alone. Whoever folds the events, from the first on or after being cut off anywhere,
// arrives at exactly what the server answers.

import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import type { ListedRoom, Member, Message, Room, User } from '../../lib/chat/streams/events.ts'
import { startChat, temporaryFolder, type ChatServer, type Person } from '../chat-server.ts'
import { property, type Random } from '../random.ts'

interface State {
  rooms: Map<string, Room>
  members: Map<string, Map<string, 'owner' | 'member'>>
  messages: Map<string, Map<string, Message>>
  users: Map<string, User>
}

// The page's own, which is checked with the page.
const {
  empty,
  fold,
}: { empty: () => State; fold: (state: State, happened: { event: string; data: unknown }, me?: string) => void } =
  await import(new URL('../../static/state/fold.js', import.meta.url).href)

const emojis = ['👍', '❤️', '👩‍👩‍👧', '🇩🇪', '1️⃣', '🎉']

/** What GET shows somebody, in the shape of the fold's state. */
async function shownTo(person: Person): Promise<State> {
  const state = empty()
  for (const user of (await person.read<{ users: User[] }>('/users')).users) state.users.set(user.id, user)
  for (const { read: _, unread: __, mentions: ___, ...room } of (await person.read<{ rooms: ListedRoom[] }>('/rooms'))
    .rooms) {
    state.rooms.set(room.id, room)
    const path = `/rooms/${encodeURIComponent(room.id)}`
    const { members } = await person.read<{ members: Member[] }>(`${path}/members`)
    state.members.set(
      room.id,
      new Map(members.map(({ id, roomRole }): [string, 'owner' | 'member'] => [id, roomRole ?? 'member'])),
    )
    const messages = new Map<string, Message>()
    for (let before = ''; ; ) {
      const page = await person.read<{ messages: Message[]; more: boolean }>(`${path}/messages?limit=7${before}`)
      for (const message of page.messages) messages.set(message.id, message)
      if (!page.more) break
      before = `&before=${page.messages[0]!.id}`
    }
    state.messages.set(room.id, messages)
  }
  return state
}

/** The same without order, and without rooms that nothing was said in or nobody is in. */
function plain({ rooms, members, messages, users }: State): unknown {
  const nested = <Value>(maps: Map<string, Map<string, Value>>) =>
    Object.fromEntries([...maps].filter(([, map]) => map.size > 0).map(([key, map]) => [key, Object.fromEntries(map)]))
  return {
    rooms: Object.fromEntries(rooms),
    members: nested(members),
    messages: nested(messages),
    users: Object.fromEntries(users),
  }
}

async function folded(
  person: Person,
  { after, into = empty() }: { after?: string; into?: State } = {},
): Promise<{ state: State; ids: string[] }> {
  const stream = await person.listen(after === undefined ? { path: '/events?since=all' } : { lastEventId: after })
  await stream.take('ping', 1)
  stream.leave()
  const ids: string[] = []
  const me = await idOf(person)
  for (const { event, data, id } of stream.all) {
    if (event === 'ping') break
    fold(into, { event: event!, data: JSON.parse(data) }, me)
    ids.push(id)
  }
  return { state: into, ids }
}

async function idOf(person: Person): Promise<string> {
  return (await person.read<{ user: User }>('/session')).user.id
}

interface Cast {
  ada: Person
  bob: Person
  eve: Person
  bot: Person
}

async function liveAWeek(chat: ChatServer, random: Random, steps: number): Promise<Cast> {
  const ada = await chat.owner('ada')
  const bob = await chat.account('bob')
  const eve = await chat.comeIn('eve')
  const made = (await (await ada.send('POST', '/tokens', { name: 'builds' })).json()) as { token: string }
  const bot = chat.withToken(made.token)
  const people = [ada, bob, eve, bot]
  const rooms = ['lobby', await ada.makeRoom('Kitchen'), await bob.makeRoom('attic', { kind: 'private' })]
  await bob.send('PUT', `/rooms/${rooms[2]}/members/eve`, {})
  const said: Message[] = []
  const anyone = () => random.pick(people)
  const deeds: (() => Promise<unknown>)[] = [
    ...Array<() => Promise<unknown>>(6).fill(async () => {
      const replyTo = said.length > 0 && random.chance(0.3) ? { replyTo: random.pick(said).id } : {}
      const answer = await anyone().send('POST', `/rooms/${random.pick(rooms)}/messages`, {
        text: random.pick(['hello', '@bob look', 'all of you, @room!', '北京 @eve', 'x'.repeat(500)]),
        ...replyTo,
      })
      if (answer.status === 201) said.push((await answer.json()) as Message)
    }),
    ...Array<() => Promise<unknown>>(3).fill(async () => {
      if (said.length > 0)
        await anyone().send('PATCH', pathOf(random.pick(said)), { text: `changed ${random.below(1000)} @ada` })
    }),
    async () => void (said.length > 0 && (await anyone().send('DELETE', pathOf(random.pick(said)), {}))),
    ...Array<() => Promise<unknown>>(4).fill(async () => {
      if (said.length > 0)
        await anyone().send(
          random.chance(0.7) ? 'PUT' : 'DELETE',
          `${pathOf(random.pick(said))}/reactions/${encodeURIComponent(random.pick(emojis))}`,
          {},
        )
    }),
    () => anyone().send('PUT', `/rooms/${random.pick(rooms)}/members/me`, {}),
    () => anyone().send('DELETE', `/rooms/${random.pick(rooms)}/members/me`, {}),
    () => bob.send('PUT', `/rooms/${rooms[2]}/members/${random.pick(['ada', 'eve'])}`, {}),
    () => anyone().send('PATCH', `/rooms/${random.pick(rooms)}`, { topic: `topic ${random.below(10)}` }),
    () => bob.send('PATCH', '/users/me', { name: random.pick(['bob', 'robert', 'Bob']) }),
    () => ada.send('PATCH', `/users/${eve.id}`, { banned: random.chance(0.2) }),
  ]
  for (let step = 0; step < steps; step++) await random.pick(deeds)()
  await ada.send('PATCH', `/users/${eve.id}`, { banned: false })
  return { ada, bob, eve, bot }
}

function pathOf({ room, id }: Message): string {
  return `/rooms/${encodeURIComponent(room)}/messages/${id}`
}

property('whoever folds all events arrives at what the server answers, cut off anywhere or not', async (random, t) => {
  const chat = await startChat(t)
  const { ada, bob, eve, bot } = await liveAWeek(chat, random, 150)

  for (const person of [ada, bob, eve, bot]) {
    const shown = await shownTo(person)
    assert.ok(shown.messages.size > 0)
    const { state, ids } = await folded(person)
    // Of rooms that they are no longer in a stream tells only that they came and went.
    const seen = ({ members, ...rest }: State): State => ({
      ...rest,
      members: new Map([...members].filter(([room]) => shown.rooms.has(room))),
    })
    assert.deepEqual(plain(seen(state)), plain(shown))

    // Cut off after a part of it, and resumed.
    const cut = random.below(ids.length)
    const part = empty()
    const stream = await person.listen({ path: '/events?since=all' })
    await stream.take('ping', 1)
    stream.leave()
    for (const { event, data } of stream.all.slice(0, cut + 1))
      if (event !== 'ping') fold(part, { event: event!, data: JSON.parse(data) }, await idOf(person))
    await folded(person, { after: ids[cut]!, into: part })
    assert.deepEqual(plain(seen(part)), plain(shown))
  }
})

test('an older text is gone from the stream, the files and the search as soon as it is changed', async (t) => {
  const data = await temporaryFolder(t)
  const chat = await startChat(t, { data })
  const ada = await chat.comeIn('ada')
  const stream = await ada.listen()
  const { id } = await ada.say('lobby', 'pistachio at first')
  await ada.say('lobby', 'between')

  const edit = async (text: string) =>
    (await ada.send('PATCH', `/rooms/lobby/messages/${id}`, { text })).json() as Promise<Message>
  assert.equal((await edit('marzipan then')).text, 'marzipan then')
  assert.equal((await edit('nougat now')).text, 'nougat now')

  assert.deepEqual(
    (await stream.take('edit', 2)).map(({ data }) => (JSON.parse(data) as Message).text),
    ['marzipan then', 'nougat now'],
  )
  const replay = await ada.listen({ path: '/events?since=all' })
  await replay.take('ping', 1)
  assert.deepEqual(
    replay.all
      .filter(({ event }) => event === 'message' || event === 'edit')
      .map(({ data }) => (JSON.parse(data) as Message).text),
    ['between', 'nougat now'],
  )
  const page = await ada.read<{ messages: Message[] }>('/rooms/lobby/messages')
  assert.deepEqual(
    page.messages.map(({ text }) => text),
    ['nougat now', 'between'],
  )
  assert.ok(page.messages[0]!.edited)
  const inFiles = (word: string) => readdirSync(data).some((name) => readFileSync(join(data, name)).includes(word))
  for (const gone of ['pistachio', 'marzipan']) assert.ok(!inFiles(gone), gone)
  assert.ok(inFiles('nougat'))

  await ada.send('DELETE', `/rooms/lobby/messages/${id}`, {})
  assert.ok(!inFiles('nougat'))
})
