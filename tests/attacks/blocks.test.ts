// What can be refused: a direct room is left, and whoever does not stop is blocked. Then nothing of theirs is shown, counted or called, and
// nothing tells them: to them all looks as it would have, down to what their streams bring.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import type {
  Block,
  ListedRoom,
  Member,
  Membership,
  Message,
  Reaction,
  Room,
  User,
} from '../../lib/chat/streams/events.ts'
import type { SearchResult } from '../../lib/chat/talk/search.ts'
import { apply } from '../../lib/chat/rules/apply.ts'
import { rules } from '../../lib/store/log/log-events.ts'
import { foldName } from '../../lib/chat/people/names.ts'
import { Database } from '../../lib/store/database.ts'
import {
  openChat,
  own,
  startChat,
  temporaryFolder,
  type ChatServer,
  type Listener,
  type Person,
} from '../chat-server.ts'
import { mount } from '../mounted/mount.ts'

interface State {
  messages: Map<string, Map<string, Message>>
}

// The page's own fold of events, which is JavaScript.
const {
  empty,
  fold,
}: { empty: () => State; fold: (state: State, happened: { event: string; data: unknown }, me: string) => void } =
  await import(new URL('../../static/state/fold.js', import.meta.url).href)

const thumb = encodeURIComponent('👍')

const listOf = async (person: Person) => (await person.read<{ rooms: ListedRoom[] }>('/rooms')).rooms
const slugsOf = async (person: Person) => (await listOf(person)).map(({ id }) => id)
const blocksOf = async (person: Person) =>
  (await person.read<{ blocks: { user: User; since: string }[] }>('/blocks')).blocks.map(({ user }) => user.name)
const block = (person: Person, other: Person) => person.ask('PUT', `/blocks/${other.id}`)
const unblock = (person: Person, other: Person) => person.ask('DELETE', `/blocks/${other.id}`)
const found = async (person: Person, q: string) =>
  (await person.read<SearchResult>(`/search?q=${q}&limit=100`)).messages.map(({ text }) => text)
const shown = (listener: Listener, what: string) => listener.bytes.includes(what)

/** Says something that everybody sees, and waits until these streams have it: so they have all that came before. */
async function upTo(person: Person, streams: readonly Listener[]): Promise<void> {
  const { id } = await person.say('lobby', 'a mark')
  for (const stream of streams) while ((await stream.next('message')).id !== id) continue
}

async function startTwo(chat: ChatServer) {
  const [ada, bob, eve] = [await chat.account('ada'), await chat.comeIn('bob'), await chat.comeIn('eve')]
  const room = await ada.direct(bob)
  return { ada, bob, eve, room }
}

test("a direct room that one leaves is gone from one's list, and back when the other speaks in it or one opens it again", async (t) => {
  const chat = await openChat(t)
  const olga = await chat.owner()
  const { ada, bob, room } = await startTwo(chat)
  await bob.say(room, 'hello')
  const [stream, list] = [await bob.listen(), await bob.listen({ path: '/rooms' })]
  const others = [await ada.listen(), await ada.listen({ path: `/events?room=${room}&room=lobby` })]

  await bob.leave(room)

  assert.equal((await stream.next('leave')).data.room, room)
  assert.equal((await list.next('leave')).data.room, room)
  assert.ok(!(await slugsOf(bob)).includes(room))
  for (const path of ['', '/messages', '/members'])
    assert.equal(await bob.refused('GET', `/rooms/${room}${path}`), '404 not_found')
  // To who is still there it looks as ever, and asking for the other brings nobody back.
  assert.deepEqual(await ada.membersOf(room), ['ada', 'bob'])
  assert.equal(await ada.direct(bob), room)
  await ada.ask('PUT', `/rooms/${room}/members/${bob.id}`)
  await ada.ask('POST', `/rooms/${room}/typing`)
  await upTo(ada, [...others, stream])
  for (const other of others)
    assert.ok(
      !shown(other, 'event: leave') &&
        !other.all.some(({ event, data }) => event === 'join' && (JSON.parse(data) as Membership).room === room),
    )
  assert.ok(!(await slugsOf(bob)).includes(room))

  const { id } = await ada.say(room, 'are you there?', { key: 'once' })
  assert.equal((await stream.next('join')).data.room, room)
  assert.equal((await stream.next('message')).id, id)
  const [listed] = await list.take('message', 1)
  assert.equal((JSON.parse(listed!.data) as Room).id, room)
  const { unread } = (await listOf(bob)).find(({ id }) => id === room)!
  assert.equal(unread, 1)
  assert.deepEqual(await bob.textsIn(room), ['hello', 'are you there?'])
  // What was said already calls nobody back by being sent again.
  await bob.leave(room)
  assert.equal((await ada.say(room, 'are you there?', { key: 'once' })).id, id)
  assert.ok(!(await slugsOf(bob)).includes(room))
  assert.equal(await bob.direct(ada), room)
  assert.ok((await slugsOf(bob)).includes(room))
  await upTo(ada, others)
  for (const other of others)
    assert.ok(
      !shown(other, 'event: leave') &&
        !other.all.some(({ event, data }) => event === 'join' && (JSON.parse(data) as Membership).room === room),
    )
  // It can be read again, whoever the other is by now.
  await bob.leave(room)
  await olga.ban(ada)
  assert.equal(await bob.direct(ada), room)
  assert.deepEqual(await bob.textsIn(room), ['hello', 'are you there?'])
})

test('what somebody who is blocked says, changes and does is taken and never shown to who blocks them, not even after', async (t) => {
  const chat = await startChat(t, { data: await temporaryFolder(t) })
  const { ada, bob, room } = await startTwo(chat)
  const { id: old } = await ada.say(room, 'old words')
  const { id: bobs } = await bob.say(room, 'mine')
  const before = await bob.listen()
  await before.next('ping')
  const { lastEventId } = before.parser
  const bound = await bob.listen({ path: `/events?room=${room}&room=lobby` })
  const list = await bob.listen({ path: '/rooms' })

  await block(bob, ada)

  assert.deepEqual((await before.next('block')).data, { user: { id: ada.id, name: 'ada' }, on: true } satisfies Block)
  for (const stream of [before, bound, list]) assert.equal((await stream.next('leave')).data.room, room)
  const said = await ada.say(room, 'hidden @bob')
  assert.deepEqual(said.mentions, [bob.id])
  await ada.ask('PATCH', `/rooms/${room}/messages/${said.id}`, { text: 'hidden still' })
  await ada.ask('PATCH', `/rooms/${room}/messages/${old}`, { text: 'hidden change' })
  await ada.ask('PUT', `/rooms/${room}/messages/${bobs}/reactions/${thumb}`)
  await ada.ask('POST', `/rooms/${room}/typing`)
  const deleted = await ada.say(room, 'hidden and deleted')
  await ada.ask('DELETE', `/rooms/${room}/messages/${deleted.id}`)
  const answered = await ada.send('POST', `/rooms/${room}/messages`, { text: 'hidden answer', replyTo: bobs })
  assert.equal(answered.status, 201)

  const nothing = async (what: string) => {
    assert.ok(!(await slugsOf(bob)).includes(room), what)
    assert.deepEqual([...(await found(bob, 'hidden')), ...(await found(bob, 'old'))], [], what)
    for (const path of ['', '/messages', '/members', `/messages/${said.id}`, `/messages/${bobs}`])
      assert.equal(await bob.refused('GET', `/rooms/${room}${path}`), '404 not_found', what)
    for (const path of [`/rooms/${room}/typing`, `/rooms/${room}/messages`])
      assert.equal(
        await bob.refused('POST', path, path.endsWith('messages') ? { text: 'x' } : undefined),
        '404 not_found',
        what,
      )
    const again = await Promise.all([
      bob.listen({ lastEventId }),
      bob.listen({ path: '/events?since=all' }),
      bob.listen({ path: '/rooms' }),
    ])
    await upTo(ada, [before, bound, ...again.slice(0, 2)])
    await again[2]!.next('ping')
    const seen = [before, bound, list, ...again]
    for (const stream of seen)
      assert.ok(
        !shown(stream, 'hidden') && !shown(stream, 'typing') && !shown(stream, said.id) && !shown(stream, deleted.id),
        `${what}: ${stream.bytes}`,
      )
    for (const stream of again) stream.leave()
  }
  await nothing('while blocked')
  assert.deepEqual((await found(ada, 'hidden')).sort(), ['hidden answer', 'hidden change', 'hidden still'])

  await unblock(bob, ada)

  assert.deepEqual((await before.next('block')).data, { user: { id: ada.id, name: 'ada' }, on: false })
  for (const stream of [before, bound]) assert.equal((await stream.next('join')).data.room, room)
  const [back] = await list.take('message', 1)
  assert.equal((JSON.parse(back!.data) as Room).id, room)
  const after = async (what: string) => {
    const { messages } = await bob.read<{ messages: Message[] }>(`/rooms/${room}/messages`)
    // What had been seen of the changed one is gone, and what it says now is hidden.
    assert.deepEqual(
      messages.map(({ text, reactions }) => [text, reactions ?? {}]),
      [
        ['mine', {}],
        ['seen again', {}],
      ],
      what,
    )
    for (const id of [said.id, old, deleted.id])
      assert.equal(await bob.refused('GET', `/rooms/${room}/messages/${id}`), '404 not_found', what)
    assert.equal(await bob.refused('PUT', `/rooms/${room}/messages/${said.id}/reactions/${thumb}`), '404 not_found')
    assert.equal(await bob.refused('POST', `/rooms/${room}/messages`, { text: 'x', replyTo: said.id }), '404 not_found')
    assert.deepEqual(await found(bob, 'hidden'), [], what)
    assert.deepEqual(await found(bob, 'seen'), ['seen again'], what)
    const { unread, mentions } = (await listOf(bob)).find(({ id }) => id === room)!
    assert.deepEqual([unread, mentions], [1, 0], what)
    const replays = await Promise.all([
      bob.listen({ lastEventId }),
      bob.listen({ path: `/events?room=${room}&since=all` }),
      bob.listen({ path: `/events?mine&since=all` }),
      bob.listen({ path: `/rooms/${room}/messages` }),
      bob.listen({ path: `/events?room=${room}&since=-2` }),
    ])
    for (const stream of replays) {
      while ((await stream.next('message')).data.text !== 'seen again') continue
      assert.ok(
        !shown(stream, 'hidden') && !shown(stream, said.id) && !shown(stream, deleted.id) && !shown(stream, 'reaction'),
        `${what}: ${stream.bytes}`,
      )
      stream.leave()
    }
    const last = await bob.listen({ path: `/events?room=${room}&since=-2` })
    await last.next('ping')
    assert.deepEqual(
      last.all.filter(({ event }) => event === 'message').map(({ data }) => (JSON.parse(data) as Message).text),
      ['mine', 'seen again'],
      what,
    )
    last.leave()
  }
  await ada.say(room, 'seen again')
  for (const stream of [before, bound]) while ((await stream.next('message')).data.text !== 'seen again') continue
  await after('unblocked')
  // A change of what was hidden is hidden, and one of what had been seen is shown.
  await ada.ask('PATCH', `/rooms/${room}/messages/${said.id}`, { text: 'hidden for good' })
  await ada.ask('DELETE', `/rooms/${room}/messages/${said.id}`)
  await ada.ask('DELETE', `/rooms/${room}/messages/${bobs}/reactions/${thumb}`)
  await upTo(ada, [before, bound])
  for (const stream of [before, bound])
    assert.ok(!shown(stream, 'hidden') && !shown(stream, said.id) && !shown(stream, 'reaction'))
  await chat.kill()
  await chat.start()
  await after('after a restart')
  assert.deepEqual(await ada.textsIn(room), ['hidden change', 'mine', 'hidden answer', 'seen again'])
  await ada.ask('PATCH', `/rooms/${room}/messages/${old}`, { text: 'new words' })
  assert.deepEqual(await bob.textsIn(room), ['new words', 'mine', 'seen again'])
})

test("a reaction that one is not shown is not counted on one's stream either", async (t) => {
  const chat = await openChat(t)
  const { ada, bob, room } = await startTwo(chat)
  const { id } = await bob.say(room, 'mine')
  const path = `/rooms/${room}/messages/${id}`
  const [adas, bobs] = [await ada.listen(), await bob.listen()]
  await block(bob, ada)
  await ada.ask('PUT', `${path}/reactions/${thumb}`)
  await unblock(bob, ada)

  const both = async (expected: { ada: number; bob: number }, what: string) => {
    await upTo(ada, [adas, bobs])
    for (const [person, stream, count] of [
      [ada, adas, expected.ada],
      [bob, bobs, expected.bob],
    ] as const) {
      const { reactions = [] } = await person.read<Message>(path)
      assert.equal(reactions[0]?.count ?? 0, count, `${what}: what ${person.name} is answered`)
      // The page counts from what it is told. It begins with the message, as it was before anybody reacted.
      const state = empty()
      fold(state, { event: 'message', data: { id, room } }, person.id)
      const told = stream.all
        .filter(({ event }) => event === 'reaction')
        .map(({ data }) => JSON.parse(data) as Reaction)
      for (const data of told) fold(state, { event: 'reaction', data }, person.id)
      assert.deepEqual(
        state.messages.get(room)!.get(id)!.reactions ?? [],
        reactions,
        `${what}: what the page of ${person.name} makes of its stream`,
      )
      assert.ok(
        told.every((reaction) => !('count' in reaction)),
        `${what}: ${JSON.stringify(told)}`,
      )
    }
  }
  await both({ ada: 1, bob: 0 }, 'one that is hidden')
  await bob.ask('PUT', `${path}/reactions/${thumb}`)
  await both({ ada: 2, bob: 1 }, 'one that both see')
  await ada.ask('DELETE', `${path}/reactions/${thumb}`)
  await both({ ada: 1, bob: 1 }, 'the hidden one is taken back')
  await ada.ask('PUT', `${path}/reactions/${thumb}`)
  await both({ ada: 2, bob: 2 }, 'another, after the block')
  await bob.ask('DELETE', `${path}/reactions/${thumb}`)
  await ada.ask('DELETE', `${path}/reactions/${thumb}`)
  await both({ ada: 0, bob: 0 }, 'none is left')
})

const worlds: Record<string, (story: { bob: Person; ada: Person; room: string }) => Promise<unknown>> = {
  'nothing was done': async () => {},
  'they are blocked': ({ bob, ada }) => block(bob, ada),
  'the other has left and blocked them': async ({ bob, ada, room }) => {
    await bob.leave(room)
    await block(bob, ada)
  },
  'the other has left': ({ bob, room }) => bob.leave(room),
  'they were blocked and are no more': async ({ bob, ada }) => {
    await block(bob, ada)
    await unblock(bob, ada)
  },
}

/** All that `ada` gets to see of what she does after `bob` did something, with what differs by chance made alike. */
async function lifeOfAda(chat: ChatServer, done: (typeof worlds)[string]): Promise<string[]> {
  const { ada, bob, eve, room } = await startTwo(chat)
  const plaza = await ada.makeRoom('plaza')
  const club = await ada.makeRoom('club', { kind: 'private' })
  await ada.add(club, eve)
  const { id: old } = await ada.say(room, 'old')
  const { id: bobs } = await bob.say(room, 'of bob')
  const paths = ['/events', '/events?mine', `/events?room=${room}`, `/events?room=${club}`, '/rooms']
  const streams = await Promise.all(paths.map((path) => ada.listen({ path })))
  for (const stream of streams) await stream.next('ping')

  await done({ ada, bob, room })

  const transcript: string[] = []
  const note = (what: string, text: string) => transcript.push(`${what}: ${text}`)
  const act = async (method: string, path: string, body?: unknown) => {
    const answer = await (method === 'GET' ? ada.fetch(path) : ada.send(method, path, body ?? '', own))
    const text = await answer.text()
    note(`${method} ${path}`, `${answer.status} ${answer.headers.get('location') ?? ''} ${text}`)
    return text
  }
  const post = async (where: string, body: object) =>
    (JSON.parse(await act('POST', `/rooms/${where}/messages`, body)) as Message).id
  const look = async () => {
    for (const path of [
      '/rooms',
      '/users/bob',
      ...[room, plaza, club].flatMap((slug) => ['', '/members', '/messages'].map((part) => `/rooms/${slug}${part}`)),
      '/search?q=words',
      '/search?q=words&from=ada',
      '/blocks',
    ])
      await act('GET', path)
  }
  await look()
  await act('POST', '/direct', { user: 'bob' })
  const said = await post(room, { text: 'words for @bob' })
  await post(room, { text: 'more words', replyTo: bobs })
  await act('PATCH', `/rooms/${room}/messages/${old}`, { text: 'other words' })
  await act('PATCH', `/rooms/${room}/messages/${said}`, { text: 'other words for @bob' })
  await act('PUT', `/rooms/${room}/messages/${bobs}/reactions/${thumb}`)
  await act('PUT', `/rooms/${room}/messages/${said}/reactions/${thumb}`)
  await act('DELETE', `/rooms/${room}/messages/${said}/reactions/${thumb}`)
  await act('POST', `/rooms/${room}/typing`)
  await act('PUT', `/rooms/${room}/read`, { id: said })
  await act('PUT', `/rooms/${room}/members/${bob.id}`)
  await act('PUT', `/rooms/${room}/members/${bob.id}`, { role: 'owner' })
  await act('DELETE', `/rooms/${room}/members/${bob.id}`)
  await act('PATCH', `/rooms/${room}`, { topic: 'ours' })
  const gone = await post(room, { text: 'gone words' })
  await act('DELETE', `/rooms/${room}/messages/${gone}`)
  for (const where of [plaza, club]) {
    await act('PUT', `/rooms/${where}/members/${bob.id}`)
    await act('PUT', `/rooms/${where}/members/${bob.id}`)
    await post(where, { text: 'words for @bob and @room' })
    await act('PUT', `/rooms/${where}/members/${bob.id}`, { role: 'owner' })
    await act('GET', `/rooms/${where}/members`)
    await act('PUT', `/rooms/${where}/members/${bob.id}`, { role: 'member' })
    await act('DELETE', `/rooms/${where}/members/${bob.id}`)
    await act('DELETE', `/rooms/${where}/members/${bob.id}`)
    await act('GET', `/rooms/${where}/members`)
    await act('PUT', `/rooms/${where}/members/${bob.id}`)
  }
  // The other comes, and is seen to be here, wherever they are known.
  await (await bob.listen()).next('ping')
  await look()
  await post('lobby', { text: 'last words' })
  const [again, atLast] = [await chat.logIn('ada'), await chat.logIn('ada')] // each with streams of its own
  const replays = await Promise.all(
    paths.map((path) => again.listen({ path: `${path}${path.includes('?') ? '&' : '?'}since=all` })),
  )
  for (const stream of replays) await stream.next('ping')
  await act('DELETE', `/rooms/${club}/members/me`)
  await act('DELETE', `/rooms/${room}/members/me`)
  const later = await Promise.all(
    ['/events', '/events?mine', '/rooms'].map((path) =>
      atLast.listen({ path: `${path}${path.includes('?') ? '&' : '?'}since=all` }),
    ),
  )
  for (const stream of later) await stream.next('ping')
  await act('POST', '/direct', { user: 'bob' })
  await look()
  const { id: last } = await ada.say('lobby', 'a mark')
  await ada.makeRoom('a mark')
  for (const [at, stream] of [...streams, ...replays].entries()) {
    const path = [...paths, ...paths][at]!
    if (path.includes('room=')) continue
    while (!shown(stream, path === '/rooms' ? 'a-mark' : last)) await stream.more(path)
  }
  for (const [at, stream] of [...streams, ...replays, ...later].entries()) {
    // Signals come beside events, and are told apart.
    const events = stream.all.filter(({ event }) => event !== 'ping')
    for (const signals of [false, true]) {
      for (const { event, data } of events.filter(
        ({ event }) => ['typing', 'presence', 'read'].includes(event) === signals,
      ))
        note(`stream ${at}`, `${event} ${data}`)
    }
  }
  return alike(transcript, { ada, bob, eve, room, club })
}

function alike(
  transcript: string[],
  { ada, bob, eve, room, club }: { ada: Person; bob: Person; eve: Person; room: string; club: string },
): string[] {
  const ids = new Map<string, string>()
  const idOf = (id: string) => ids.get(id) ?? ids.set(id, `id${ids.size}`).get(id)!
  return transcript.map((line) =>
    line
      .replace(/"cursor":"\d+"/g, 'cursor')
      .replace(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, 'TIME')
      .replaceAll(room, 'ROOM')
      .replaceAll(club, 'CLUB')
      .replaceAll(ada.id, 'ADA')
      .replaceAll(bob.id, 'BOB')
      .replaceAll(eve.id, 'EVE')
      .replace(/\d{16}/g, idOf)
      .replace(/u_[0-9a-z]+/g, 'SOMEBODY'),
  )
}

test('to who is blocked, or was left, all looks as if nothing had been done', async (t) => {
  const lives = new Map<string, string[]>()
  for (const [world, done] of Object.entries(worlds)) lives.set(world, await lifeOfAda(await openChat(t), done))

  const expected = lives.get('nothing was done')!
  // The premises: what must not give it away is there.
  for (const what of ['"here":true', 'presence', 'typing', '"mentions":["BOB"', '"unread"'])
    assert.ok(
      expected.some((line) => line.includes(what)),
      what,
    )
  assert.ok(expected.length > 150)
  for (const [world, life] of lives) assert.deepEqual(life, expected, world)
})

test('who is blocked opens a new direct room as ever, and nobody else sees it; who blocks does not open one', async (t) => {
  const chat = await openChat(t)
  const [ada, bob] = [await chat.comeIn('ada'), await chat.comeIn('bob')]
  await block(bob, ada)
  const [stream, list] = [await bob.listen(), await bob.listen({ path: '/rooms' })]
  const adas = await ada.listen()

  const opened = await ada.send('POST', '/direct', { user: bob.id })
  assert.equal(opened.status, 201)
  const { id: room } = (await opened.json()) as Room
  await ada.say(room, 'hidden @bob')

  assert.deepEqual(
    (await ada.read<{ members: Member[] }>(`/rooms/${room}/members`)).members.map(({ name }) => name),
    ['ada', 'bob'],
  )
  await upTo(ada, [adas, stream])
  // Both are told to have come into it.
  assert.deepEqual(
    adas.all
      .filter(({ event }) => event === 'join')
      .map(({ data }) => JSON.parse(data) as Membership)
      .filter((told) => told.room === room)
      .map(({ user }) => user.name)
      .sort(),
    ['ada', 'bob'],
  )
  await ada.makeRoom('a mark')
  while (!shown(list, 'a-mark')) await list.more('a new room')
  for (const seen of [stream, list]) assert.ok(!shown(seen, room) && !shown(seen, 'hidden'))
  assert.ok(!(await slugsOf(bob)).includes(room))
  const refused = await bob.send('POST', '/direct', { user: 'ada' })
  assert.equal(refused.status, 409)
  assert.match(((await refused.json()) as { detail: string }).detail, new RegExp(`DELETE /blocks/${ada.id}`))
  assert.equal(await bob.refused('PUT', `/rooms/${room}/members/me`), '404 not_found')

  await unblock(bob, ada)
  // They had nothing there before.
  assert.ok(!(await slugsOf(bob)).includes(room))
  assert.equal(await bob.direct(ada), room)
  assert.deepEqual(await bob.textsIn(room), [])
  await ada.say(room, 'now')
  assert.deepEqual(await bob.textsIn(room), ['now'])
})

test('to be named by somebody one blocks counts for nothing, wherever it is', async (t) => {
  const chat = await openChat(t)
  const [ada, bob, eve] = [await chat.comeIn('ada'), await chat.comeIn('bob'), await chat.comeIn('eve')]
  const attic = await eve.makeRoom('attic', { kind: 'private' })
  for (const person of [ada, bob]) await eve.add(attic, person)
  await bob.say('lobby', 'I am here')
  const counts = async () =>
    Object.fromEntries(
      (await listOf(bob))
        .filter(({ id }) => id === 'lobby' || id === attic)
        .map(({ id, unread, mentions }) => [id === attic ? 'attic' : id, [unread, mentions]]),
    )
  for (const room of ['lobby', attic]) await ada.say(room, 'before: @bob')
  assert.deepEqual(await counts(), { lobby: [1, 1], attic: [1, 1] })

  await block(bob, ada)
  assert.deepEqual(await counts(), { lobby: [1, 0], attic: [1, 0] })
  const stream = await bob.listen()
  for (const room of ['lobby', attic]) {
    for (const text of ['@bob', '@room', '@bob and @room']) assert.ok((await ada.say(room, text)).mentions!.length > 0)
    await eve.say(room, '@bob @room')
  }
  // It is there to be read, as all that one shares a room for.
  assert.deepEqual(await stream.texts(8), [
    '@bob',
    '@room',
    '@bob and @room',
    '@bob @room',
    '@bob',
    '@room',
    '@bob and @room',
    '@bob @room',
  ])
  assert.deepEqual(await counts(), { lobby: [5, 1], attic: [5, 1] })
  assert.equal((await listOf(eve)).find(({ id }) => id === attic)!.mentions, 2)

  await unblock(bob, ada)
  // What was said meanwhile still does not call; what was said before does again.
  assert.deepEqual(await counts(), { lobby: [5, 2], attic: [5, 2] })
  await ada.say(attic, '@bob')
  assert.deepEqual((await counts())['attic'], [6, 3])
})

test('to be named by an edit or by a word of an earlier block counts for nothing after either', async (t) => {
  const chat = await openChat(t)
  const [ada, bob, eve] = [await chat.comeIn('ada'), await chat.comeIn('bob'), await chat.comeIn('eve')]
  for (const person of [ada, bob, eve]) await person.join('lobby')
  const mentionsOf = async (person: Person) => (await listOf(person)).find(({ id }) => id === 'lobby')!.mentions
  const { id: old } = await ada.say('lobby', 'of before')

  await block(bob, ada)
  await ada.ask('PATCH', `/rooms/lobby/messages/${old}`, { text: 'of before, for @bob and @eve' })
  await ada.say('lobby', 'another for @bob and @eve')
  // The premise: both count for somebody who blocks nobody.
  assert.equal(await mentionsOf(eve), 2)
  await unblock(bob, ada)
  assert.equal(await mentionsOf(bob), 0)
  await block(bob, ada)
  await unblock(bob, ada)
  assert.equal(await mentionsOf(bob), 0)

  await ada.ask('PATCH', `/rooms/lobby/messages/${old}`, { text: 'of before, and now for @bob' })
  assert.equal(await mentionsOf(bob), 1)
})

test('a reaction to a message that is hidden for good is hidden as well, also after the block', async (t) => {
  const chat = await openChat(t)
  const { ada, bob, room } = await startTwo(chat)
  await block(bob, ada)
  const { id: hidden } = await ada.say(room, 'hidden')
  await unblock(bob, ada)
  const [mine, theirs] = [await ada.listen(), await bob.listen()]

  await ada.ask('PUT', `/rooms/${room}/messages/${hidden}/reactions/${thumb}`)
  await ada.ask('DELETE', `/rooms/${room}/messages/${hidden}/reactions/${thumb}`)

  for (const on of [true, false]) assert.equal((await mine.next('reaction')).data.on, on)
  const replays = await Promise.all([
    bob.listen({ path: '/events?since=all' }),
    bob.listen({ path: `/events?room=${room}&room=lobby&since=all` }),
  ])
  await upTo(ada, [theirs, ...replays])
  for (const stream of [theirs, ...replays]) assert.ok(!shown(stream, hidden), `${stream.bytes}`)
})

test('in a room of two each page of who reacts counts all that are shown', async (t) => {
  const chat = await openChat(t)
  const { ada, bob, room } = await startTwo(chat)
  const { id } = await ada.say(room, 'look')
  for (const person of [ada, bob]) await person.ask('PUT', `/rooms/${room}/messages/${id}/reactions/${thumb}`)
  const countFor = async (person: Person, query = '') =>
    (await person.read<{ count: number }>(`/rooms/${room}/messages/${id}/reactions/${thumb}${query}`)).count

  for (const query of ['', '?limit=1', `?after=${ada.id}`, `?after=${bob.id}`])
    assert.equal(await countFor(ada, query), 2, query)

  await ada.ask('DELETE', `/rooms/${room}/messages/${id}/reactions/${thumb}`)
  await block(bob, ada)
  await ada.ask('PUT', `/rooms/${room}/messages/${id}/reactions/${thumb}`)
  await unblock(bob, ada)
  for (const query of ['', `?after=${ada.id}`])
    assert.deepEqual([await countFor(ada, query), await countFor(bob, query)], [2, 1], query)
})

test('whom one blocks puts one into no room', async (t) => {
  const chat = await openChat(t)
  const olga = await chat.owner()
  const [ada, bob, eve] = [await chat.comeIn('ada'), await chat.comeIn('bob'), await chat.comeIn('eve')]
  await block(bob, ada)
  const [attic, plaza] = [await ada.makeRoom('attic', { kind: 'private' }), await ada.makeRoom('plaza')]
  await ada.add(attic, eve)
  const [stream, list, eves] = [await bob.listen(), await bob.listen({ path: '/rooms' }), await eve.listen()]

  for (const room of [attic, plaza]) {
    await ada.add(room, bob)
    await ada.add(room, bob, 'owner')
    await ada.say(room, 'hidden: @bob')
    assert.deepEqual(await ada.membersOf(room), room === attic ? ['ada', 'eve', 'bob'] : ['ada', 'bob'])
  }
  assert.deepEqual(await eve.membersOf(attic), ['ada', 'eve'])
  await upTo(ada, [stream, eves])
  assert.ok(!shown(stream, attic) && !shown(list, attic))
  assert.ok(!eves.all.some(({ event, data }) => event === 'join' && data.includes('"bob"')))
  assert.equal(await bob.refused('GET', `/rooms/${attic}`), '404 not_found')
  assert.deepEqual(
    (await listOf(bob)).filter(({ read }) => read !== undefined).map(({ id }) => id),
    [],
  )
  // An owner or admin of the place looks after everybody.
  await block(bob, olga)
  const board = await olga.makeRoom('board', { kind: 'private' })
  await olga.add(board, bob)
  assert.ok((await slugsOf(bob)).includes(board))
  // And others do as ever; who is added by them is there for all.
  await ada.add(attic, eve, 'owner')
  await eve.add(attic, bob)
  assert.ok((await slugsOf(bob)).includes(attic))
  assert.deepEqual(await ada.membersOf(attic), ['ada', 'eve', 'bob'])
  await bob.leave(attic)
  assert.deepEqual(await ada.membersOf(attic), ['ada', 'eve'])
  await unblock(bob, ada)
  await ada.add(attic, bob)
  assert.ok((await slugsOf(bob)).includes(attic))
})

test('who makes somebody the only owner of a room is no owner, also where they are blocked by them', async (t) => {
  const chat = await openChat(t)
  const [ada, bob, eve] = [await chat.comeIn('ada'), await chat.comeIn('bob'), await chat.comeIn('eve')]
  const answers = async () => {
    const room = await ada.makeRoom('attic', { kind: 'private' })
    await ada.add(room, eve)
    await ada.add(room, bob, 'owner')
    await ada.add(room, ada, 'member')
    const asked = [
      ['PATCH', '', { topic: 'mine' }],
      ['PUT', `/members/${eve.id}`, { role: 'owner' }],
      ['DELETE', `/members/${bob.id}`],
      ['DELETE', ''],
    ] as const
    const refusals: string[] = []
    for (const [method, path, body] of asked) refusals.push(await ada.refused(method, `/rooms/${room}${path}`, body))
    return [...refusals, await ada.membersOf(room)]
  }

  const before = await answers()
  await block(bob, ada)

  assert.deepEqual(before, [...Array(4).fill('403 forbidden'), ['ada', 'eve', 'bob']])
  assert.deepEqual(await answers(), before)
})

test("blocks are one's own: told on one's own streams, listed for oneself, and made by who proves who they are", async (t) => {
  const chat = await openChat(t)
  const olga = await chat.owner()
  const [bob, ada, eve] = [await chat.account('bob'), await chat.comeIn('ada'), await chat.comeIn('eve')]
  await chat.claiming('una').say('lobby', 'I am nobody')
  const bot = await olga.makeBot({ name: 'robot' })
  const elsewhere = await chat.logIn('bob')
  const own = [await bob.listen(), await elsewhere.listen({ path: '/events?mine' })]
  const others = await Promise.all([ada, eve, olga, bot, chat.stranger].map((person) => person.listen()))

  await block(bob, ada)
  await block(bob, ada)
  for (const name of ['una', 'robot', 'olga']) await bob.ask('PUT', `/blocks/${name}`)
  await unblock(bob, eve)

  for (const stream of own) {
    assert.deepEqual(
      (await stream.take('block', 4)).map(({ data }) => [
        (JSON.parse(data) as Block).user.name,
        (JSON.parse(data) as Block).on,
      ]),
      [
        ['ada', true],
        ['una', true],
        ['robot', true],
        ['olga', true],
      ],
    )
  }
  await upTo(eve, others)
  for (const stream of others) assert.ok(!shown(stream, 'block'))
  const replay = await ada.listen({ path: '/events?since=all' })
  await replay.next('ping')
  assert.ok(!shown(replay, 'block'))
  assert.deepEqual(await blocksOf(elsewhere), ['olga', 'robot', 'una', 'ada'])
  for (const person of [ada, eve, olga]) assert.deepEqual(await blocksOf(person), [])
  const first = await bob.read<{ blocks: { user: User }[]; more: boolean }>('/blocks?limit=3')
  assert.deepEqual([first.blocks.map(({ user }) => user.name), first.more], [['olga', 'robot', 'una'], true])
  const rest = await bob.read<{ blocks: { user: User }[]; more: boolean }>(
    `/blocks?limit=3&after=${first.blocks[2]!.user.id}`,
  )
  assert.deepEqual([rest.blocks.map(({ user }) => user.name), rest.more], [['ada'], false])
  // Whom one blocks governs all the same.
  await olga.ban(bob)
  assert.equal(await bob.refused('GET', '/blocks'), '403 banned')
  await olga.ban(bob, false)

  for (const user of ['me', bob.id]) assert.equal(await bob.refused('PUT', `/blocks/${user}`), '400 invalid_request')
  for (const user of ['nobody', 'u_1', '__proto__'])
    for (const method of ['PUT', 'DELETE']) assert.equal(await bob.refused(method, `/blocks/${user}`), '404 not_found')
  for (const [method, path] of [
    ['PUT', '/blocks/ada'],
    ['DELETE', '/blocks/ada'],
    ['GET', '/blocks'],
  ] as const) {
    assert.equal(await bot.refused(method, path), '403 forbidden')
    assert.equal(await chat.claiming('una').refused(method, path), '403 forbidden')
    assert.equal(await chat.stranger.refused(method, path), '401 unauthorized')
  }
  assert.equal(await bob.refused('POST', '/blocks'), '405 method_not_allowed')
})

test('a bot that is blocked is shown nowhere either, whatever its tokens', async (t) => {
  const chat = await openChat(t)
  const olga = await chat.owner()
  const bob = await chat.comeIn('bob')
  const bot = await olga.makeBot({ name: 'robot' })
  const room = await bob.direct(bot)
  const robots = [await bot.listen(), await bot.listen({ path: `/events?room=${room}` })]
  await block(bob, bot)

  const { id } = await bot.say(room, 'hidden')

  for (const stream of robots) assert.equal((await stream.next('message')).id, id)
  assert.deepEqual(await bot.textsIn(room), ['hidden'])
  assert.deepEqual(await found(bot, 'hidden'), ['hidden'])
  await unblock(bob, bot)
  assert.deepEqual(await bob.textsIn(room), [])
  assert.deepEqual(await found(bob, 'hidden'), [])
})

test('what was hidden stays hidden when whoever governs the place deletes it', async (t) => {
  const chat = await openChat(t)
  const olga = await chat.owner()
  const { ada, bob, room } = await startTwo(chat)
  const seen = await ada.say(room, 'seen')
  const before = await bob.listen()
  await before.next('ping')
  await block(bob, ada)
  const hidden = await ada.say(room, 'hidden')
  await unblock(bob, ada)

  assert.equal((await olga.send('PATCH', `/users/${ada.id}`, { banned: true, messages: 'delete' }, own)).status, 202)
  // The older one last: the newest go first.
  while ((await before.next('delete')).data.id !== seen.id) continue

  const after = await bob.listen({ path: '/events?since=all' })
  await after.next('ping')
  for (const stream of [before, after]) assert.ok(!shown(stream, hidden.id), stream.bytes.toString())
  assert.equal(await bob.refused('GET', `/rooms/${room}/messages/${hidden.id}`), '404 not_found')
  assert.equal((await bob.read<Message>(`/rooms/${room}/messages/${seen.id}`)).deleted, true)
})

test('somebody blocks a thousand people at the most, and who they no longer block makes room', async (t) => {
  const folder = await temporaryFolder(t)
  const database = Database.openForWriting(`${folder}/natter.db`, { durable: false })
  t.after(() => database.close())
  let id = 1_795_219_200_000_000
  database.begin()
  const made = (name: string) => {
    const outcome = apply(
      database,
      { type: 'user', rules, facts: { name, folded: foldName(name), kind: 'guest', role: 'guest', session: name } },
      ++id,
    )
    assert.ok('id' in outcome)
    return outcome.id
  }
  const bob = made('bob')
  const others = Array.from({ length: 1001 }, (_, number) => made(`guest ${number}`))
  const done = (target: number, on: boolean) => {
    const outcome = apply(database, { type: 'block', rules, user: bob, target, facts: { on } }, ++id)
    return 'refused' in outcome ? outcome.refused.code : 'done'
  }

  assert.deepEqual([...new Set(others.slice(0, 1000).map((other) => done(other, true)))], ['done'])
  assert.equal(done(others[1000]!, true), 'forbidden')
  assert.equal(done(others[0]!, false), 'done')
  assert.equal(done(others[1000]!, true), 'done')
  database.commit()
})

test('a program that mounts a chat blocks for its people', async (t) => {
  const { chat } = await mount(t)
  const [ada, bob] = [
    { id: 'host-ada', name: 'ada' },
    { id: 'host-bob', name: 'bob' },
  ]
  const room = await chat.direct(ada, bob)

  await chat.block(bob, ada)
  await chat.post(ada, room.id, { text: 'hidden' })

  assert.deepEqual(
    (await chat.blocks(bob)).blocks.map(({ user }) => user.name),
    ['ada'],
  )
  assert.deepEqual(
    (await chat.rooms(bob)).rooms.map(({ id }) => id),
    ['lobby'],
  )
  await assert.rejects(chat.direct(bob, ada), { code: 'blocked' })
  await chat.unblock(bob, 'ada')
  assert.deepEqual((await chat.messages(bob, room.id)).messages, [])
  await chat.leave(bob, room.id)
  assert.deepEqual(
    (await chat.rooms(bob)).rooms.map(({ id }) => id),
    ['lobby'],
  )
})
