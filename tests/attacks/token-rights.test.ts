// A token is known to whoever made it. So of private rooms it shows what its maker may see as well: now, and not when it was made.
// An admin must not get into a private room by a token that they made for a bot before the bot came there.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ListedRoom, Membership, Message, Room } from '../../lib/chat/streams/events.ts'
import type { SearchResult } from '../../lib/chat/talk/search.ts'
import { Listener, openChat, own, wholeAnswer, type ChatServer, type Person } from '../chat-server.ts'
import { mount } from '../mounted/mount.ts'

const withinMs = 1000
const never = 'cellar-0000000' // a room that never was

/** `alma`, an admin, makes a token while the bot is in no room; `mark` takes the bot into a room of his own later. */
async function startStory(chat: ChatServer) {
  const olga = await chat.owner()
  const [alma, mark] = [await chat.account('alma'), await chat.account('mark')]
  await olga.giveRole(alma, 'admin')
  const bot = await alma.makeBot({ name: 'robot' })
  const cellar = await mark.makeRoom('cellar', { kind: 'private' })
  const { id: secret } = await mark.say(cellar, 'a secret')
  await mark.add(cellar, bot)
  return { olga, alma, mark, bot, cellar, secret }
}

interface Use {
  method: string
  path: (room: string, message: string) => string
  body?: unknown
}

/** All that one does with a private room by its name. */
const uses: Record<string, Use> = {
  'sees it': { method: 'GET', path: (room) => `/rooms/${room}` },
  'reads a page': { method: 'GET', path: (room) => `/rooms/${room}/messages` },
  'reads around a message': { method: 'GET', path: (room, message) => `/rooms/${room}/messages?around=${message}` },
  'reads a message': { method: 'GET', path: (room, message) => `/rooms/${room}/messages/${message}` },
  'sees who is in it': { method: 'GET', path: (room) => `/rooms/${room}/members` },
  'searches it': { method: 'GET', path: (room) => `/search?q=secret&room=${room}` },
  'follows it': { method: 'GET', path: (room) => `/events?room=${room}` },
  'follows it among others': { method: 'GET', path: (room) => `/events?room=lobby&room=${room}&since=all` },
  posts: { method: 'POST', path: (room) => `/rooms/${room}/messages`, body: { text: 'beep' } },
  'answers a message': {
    method: 'POST',
    path: (room) => `/rooms/${room}/messages`,
    body: { text: 'beep', replyTo: 'message' },
  },
  edits: { method: 'PATCH', path: (room, message) => `/rooms/${room}/messages/${message}`, body: { text: 'beep' } },
  deletes: { method: 'DELETE', path: (room, message) => `/rooms/${room}/messages/${message}` },
  reacts: {
    method: 'PUT',
    path: (room, message) => `/rooms/${room}/messages/${message}/reactions/${encodeURIComponent('👍')}`,
  },
  types: { method: 'POST', path: (room) => `/rooms/${room}/typing` },
  'has read': { method: 'PUT', path: (room) => `/rooms/${room}/read`, body: { id: '1' } },
  'comes in': { method: 'PUT', path: (room) => `/rooms/${room}/members/me` },
  leaves: { method: 'DELETE', path: (room) => `/rooms/${room}/members/me` },
}

async function answerTo(person: Person, { method, path, body }: Use, room: string, message: string): Promise<string> {
  const filled = body && JSON.parse(JSON.stringify(body).replace('"message"', `"${message}"`))
  const answer = await person.fetch(
    path(room, message),
    method === 'GET'
      ? {}
      : {
          method,
          headers: { 'content-type': 'application/json', ...own },
          ...(body !== undefined && { body: JSON.stringify(filled) }),
        },
  )
  if (answer.headers.get('content-type')?.startsWith('text/event-stream')) {
    await answer.body?.cancel()
    return `${answer.status} a stream`
  }
  return (await wholeAnswer(answer)).replaceAll(room, 'ROOM').replaceAll(message, 'MESSAGE')
}

const slugsOf = async (person: Person) =>
  (await person.read<{ rooms: ListedRoom[] }>('/rooms')).rooms.map(({ id }) => id)
const found = async (person: Person) =>
  (await person.read<SearchResult>('/search?q=secret')).messages.map(({ text }) => text)
const shown = (listener: Listener, what: string) => listener.bytes.includes(what)

/** Says something that everybody sees, and waits until these streams have it: so they have all that came before. */
async function upTo(person: Person, streams: readonly Listener[]): Promise<void> {
  const { id } = await person.say('lobby', 'a mark')
  for (const stream of streams) while ((await stream.next('message')).id !== id) continue
}

test('a token made before its bot came into a private room shows nothing of it to a maker who is not in there, and does nothing in it', async (t) => {
  const chat = await openChat(t)
  const { alma, mark, bot, cellar, secret } = await startStory(chat)
  // The premise: the bot is in the room, and its maker is not.
  assert.deepEqual(await mark.membersOf(cellar), ['mark', 'robot'])
  assert.ok(!(await slugsOf(alma)).includes(cellar))

  for (const [what, use] of Object.entries(uses)) {
    assert.equal(await answerTo(bot, use, cellar, secret), await answerTo(bot, use, never, secret), what)
    assert.match(await answerTo(bot, use, cellar, secret), /^404/, what)
  }
  assert.deepEqual(await slugsOf(bot), ['lobby'])
  assert.deepEqual(await found(bot), [])
  assert.deepEqual(await mark.textsIn(cellar), ['a secret'])
  // And once its maker comes in, the same token does all of it.
  await mark.add(cellar, alma)
  for (const [what, use] of Object.entries(uses))
    if (what !== 'leaves')
      assert.match(
        await answerTo(bot, use, cellar, secret),
        what === 'edits' || what === 'deletes' ? /^403/ : /^20[014]/,
        what,
      )
  // Its own rooms come first.
  assert.deepEqual(await slugsOf(bot), [cellar, 'lobby'])
  assert.deepEqual(await found(bot), ['a secret'])
})

test('streams, replays and lists of such a token show nothing of the room, and no typing, presence or reading there', async (t) => {
  const chat = await openChat(t)
  const { mark, bot, cellar } = await startStory(chat)
  const other = await chat.comeIn('otto')
  const before = await bot.listen({ path: '/events?since=all' })
  await before.next('ping')
  const streams = await Promise.all(
    ['/events', '/events?mine', '/events?since=all', '/events?since=-20', '/events?mine&since=1h'].map((path) =>
      bot.listen({ path }),
    ),
  )
  await bot.say('lobby', 'I am here')
  const list = await bot.listen({ path: '/rooms' })

  const { id } = await mark.say(cellar, 'hidden @robot')
  await mark.ask('PATCH', `/rooms/${cellar}/messages/${id}`, { text: 'hidden too' })
  await mark.ask('PUT', `/rooms/${cellar}/messages/${id}/reactions/${encodeURIComponent('👍')}`)
  await mark.ask('POST', `/rooms/${cellar}/typing`)
  await mark.add(cellar, other)
  await (await other.listen()).next('ping')
  await mark.ask('PATCH', `/rooms/${cellar}`, { topic: 'hidden as well' })
  await mark.remove(cellar, bot)
  await mark.add(cellar, bot)
  await mark.ask('DELETE', `/rooms/${cellar}/messages/${id}`)
  await upTo(mark, [before, ...streams])
  const { lastEventId } = before.parser
  const replays = await Promise.all(['/events', '/events?mine'].map((path) => bot.listen({ path, lastEventId: '0' })))
  const resumed = await bot.listen({ lastEventId })
  await upTo(mark, [...replays, resumed])
  await mark.makeRoom('a mark')
  while (!shown(list, 'a-mark')) await list.more('a new room')

  for (const stream of [before, ...streams, ...replays, resumed, list])
    assert.ok(!shown(stream, 'cellar') && !shown(stream, 'hidden'), stream.bytes.toString())
})

test('the last few events of such a token are the last few that it shows', async (t) => {
  const chat = await openChat(t)
  const { mark, bot, cellar } = await startStory(chat)
  for (const number of [1, 2, 3]) await mark.say('lobby', `said ${number}`)
  for (let count = 0; count < 5; count++) await mark.say(cellar, 'hidden')

  const stream = await bot.listen({ path: '/events?since=-3' })
  await stream.next('ping')

  assert.deepEqual(
    stream.all.filter(({ event }) => event === 'message').map(({ data }) => (JSON.parse(data) as Message).text),
    ['said 1', 'said 2', 'said 3'],
  )
})

const losing: Record<string, (people: { mark: Person; alma: Person }, room: string) => Promise<unknown>> = {
  leaves: ({ alma }, room) => alma.leave(room),
  'is removed': ({ mark, alma }, room) => mark.remove(room, alma),
}
for (const [how, lose] of Object.entries(losing)) {
  test(`open streams of a token lose a private room as soon as its maker ${how}, and have it again when its maker is back`, async (t) => {
    const chat = await openChat(t)
    const { alma, mark, bot, cellar } = await startStory(chat)
    await mark.add(cellar, alma)
    const bound = await alma.makeBot({ name: 'bound', rooms: [cellar, 'lobby'] })
    const paths = ['/events', '/events?mine', `/events?room=${cellar}&room=lobby`, `/events?since=all`]
    await bot.say('lobby', 'I am here')
    const streams = await Promise.all([
      ...paths.map((path) => bot.listen({ path })),
      bound.listen(),
      bound.listen({ path: `/events?room=${cellar}&room=lobby` }),
    ])
    const page = await bot.listen({ path: `/rooms/${cellar}/messages` })
    const lists = [await bot.listen({ path: '/rooms' }), await bound.listen({ path: '/rooms' })]
    await mark.say(cellar, 'seen by all')
    for (const stream of [...streams, page]) while ((await stream.next('message')).data.text !== 'seen by all') continue

    await lose({ mark, alma }, cellar)
    const began = performance.now()
    await mark.say(cellar, 'lost')
    await mark.ask('POST', `/rooms/${cellar}/typing`)
    await upTo(mark, streams)
    assert.ok(performance.now() - began < withinMs)
    for (const stream of [...streams, page]) {
      assert.ok(!shown(stream, 'lost') && !shown(stream, 'typing'), stream.bytes.toString())
      const left = stream.all
        .filter(({ event }) => event === 'leave')
        .map(({ data }) => (JSON.parse(data) as Membership).user.name)
      assert.deepEqual(left, ['alma'])
    }
    for (const list of lists) assert.equal((await list.next('leave')).data.room, cellar)
    for (const person of [bot, bound])
      assert.equal(await person.refused('GET', `/rooms/${cellar}/messages`), '404 not_found')

    await mark.add(cellar, alma)
    await mark.say(cellar, 'seen again')
    for (const stream of [...streams, page]) {
      assert.equal((await stream.next('message')).data.text, 'seen again')
      assert.ok(!shown(stream, 'lost'))
    }
    for (const list of lists) {
      const [again] = await list.take('message', 1)
      assert.equal((JSON.parse(again!.data) as Room).id, cellar)
    }
  })
}

test('a token that was away finds the room gone from its list, whichever of the two went first', async (t) => {
  const chat = await openChat(t)
  const { alma, mark } = await startStory(chat)
  const bot = await alma.makeBot({ name: 'traveller' })
  const rooms = await Promise.all(
    ['one', 'other', 'third', 'fourth'].map((name) => mark.makeRoom(name, { kind: 'private' })),
  )
  for (const room of rooms) {
    await mark.add(room, alma)
    await mark.add(room, bot)
  }
  const before = await bot.listen({ path: '/rooms' })
  await before.next('ping')
  const { lastEventId } = before.parser
  before.leave()
  const [one, other, third, fourth] = rooms as [string, string, string, string]
  await mark.remove(one, bot)
  await mark.remove(one, alma)
  await alma.leave(other)
  await mark.remove(other, bot)
  await alma.leave(third)
  await alma.leave(fourth)
  await mark.add(fourth, alma)

  const list = await bot.listen({ path: '/rooms', lastEventId })
  await list.next('ping')
  const has = new Set(rooms)
  for (const { event, data } of list.all) {
    if (event === 'leave') has.delete((JSON.parse(data) as Membership).room)
    if (event === 'message') has.add((JSON.parse(data) as Room).id)
  }
  assert.deepEqual([...has], [fourth])
})

test('of several makers each has a token that shows what they see', async (t) => {
  const chat = await openChat(t)
  const { olga, alma, mark, bot, cellar } = await startStory(chat)
  await olga.giveRole(mark, 'admin')
  const marks = await mark.makeBot({ name: 'robot' })
  assert.equal(marks.id, bot.id)
  assert.deepEqual(await marks.textsIn(cellar), ['a secret'])
  const [his, hers] = [await marks.listen(), await bot.listen()]
  await marks.say(cellar, 'from the cellar')
  await upTo(olga, [his, hers])
  assert.ok(shown(his, 'from the cellar') && !shown(hers, 'cellar'))
  // What the bot has read by one token is not told by the other.
  await marks.ask('PUT', `/rooms/${cellar}/read`, { id: his.parser.lastEventId })
  await his.next('read')
  await upTo(olga, [hers])
  assert.ok(!shown(hers, 'event: read'))
  // A colleague who makes a third gets it only where they see all that the bot sees.
  assert.equal(await olga.refused('POST', '/tokens', { name: 'robot' }), '403 forbidden')
  assert.deepEqual(
    (await olga.read<{ tokens: { maker: { id: string; name: string } }[] }>('/tokens')).tokens.map(
      ({ maker }) => maker,
    ),
    [
      { id: mark.id, name: 'mark' },
      { id: alma.id, name: 'alma' },
    ],
  )
  await alma.ask('PATCH', '/users/me', { name: 'Alma B' })
  assert.equal((await olga.read<{ tokens: { maker: { name: string } }[] }>('/tokens')).tokens[1]!.maker.name, 'Alma B')
})

test("a bot's direct rooms are its own, whoever its maker is", async (t) => {
  const chat = await openChat(t)
  const { alma, mark, bot } = await startStory(chat)
  const stream = await bot.listen()
  const [marks, almas] = [await mark.direct(bot), await alma.direct(bot)]
  await mark.say(marks, 'between us')
  await alma.say(almas, 'from your maker')

  assert.deepEqual(await stream.texts(2), ['between us', 'from your maker'])
  for (const room of [marks, almas]) assert.equal((await bot.textsIn(room)).length, 1)
  await bot.say(marks, 'beep')
  assert.deepEqual((await slugsOf(bot)).sort(), [marks, almas, 'lobby'].sort())
  assert.equal(await alma.refused('GET', `/rooms/${marks}`), '404 not_found')
})

test('a maker who governs no more has no token that is good, and an invite is none whose maker may no longer give it', async (t) => {
  const chat = await openChat(t)
  const { olga, alma, mark, bot, cellar } = await startStory(chat)
  await mark.add(cellar, alma)
  await mark.add(cellar, alma, 'owner')
  const { code } = await alma.invite({ room: cellar })
  const stream = await bot.listen({ path: `/events?room=${cellar}` })

  await olga.giveRole(alma, 'member')
  await mark.remove(cellar, alma)

  await stream.over
  assert.equal(await bot.refused('GET', '/rooms'), '401 unauthorized')
  assert.equal(await chat.stranger.refused('POST', '/invites/accept', { code, name: 'nora' }), '409 invite_over')
})

test('whom a host says to be no admin any more has no token that is good, and its open streams end', async (t) => {
  let role: 'admin' | 'member' = 'admin'
  const host = await mount(t, {
    identify: ({ headers }) =>
      headers['x-user'] === 'alma'
        ? { id: 'alma', name: 'alma', role }
        : headers['x-user'] === 'mark'
          ? { id: 'mark', name: 'mark' }
          : null,
  })
  const { token, user } = (await (await host.send('POST', '/chat/tokens', { name: 'robot' }, 'alma')).json()) as {
    token: string
    user: { id: string }
  }
  const mark = { id: 'mark', name: 'mark' }
  const cellar = await host.chat.createRoom(mark, { name: 'cellar', kind: 'private' })
  await host.chat.addMember(mark, cellar.id, user.id)
  const asBot = (path: string) => host.fetch(path, { headers: { authorization: `Bearer ${token}` } })
  // The host's people are held to the same.
  assert.equal((await asBot(`/chat/rooms/${cellar.id}`)).status, 404)
  const headers = { authorization: `Bearer ${token}` }
  const streams = [
    await Listener.open(`${host.url}/chat/events`, headers),
    await Listener.open(`${host.url}/chat/rooms`, headers),
  ]
  for (const stream of streams) await stream.next('ping')

  role = 'member'
  await host.fetch('/chat/session', { headers: { 'x-user': 'alma' } })

  for (const stream of streams) await stream.over
  assert.equal((await asBot('/chat/rooms')).status, 401)

  // Or by the program itself, of who may never come back.
  role = 'admin'
  await host.fetch('/chat/session', { headers: { 'x-user': 'alma' } })
  const again = await Listener.open(`${host.url}/chat/events`, headers)
  await host.chat.rooms({ id: 'alma', name: 'alma', role: 'member' })
  await again.over
  assert.equal((await asBot('/chat/rooms')).status, 401)
})
