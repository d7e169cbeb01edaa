// Answers that grow with what others have stored: each has a bound, in bytes and in what is read for it.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ListedRoom, Message, Reactions } from '../../lib/chat/streams/events.ts'
import { idOfUser } from '../../lib/chat/streams/wire.ts'
import { startChat, temporaryFolder, type Person, type Scope } from '../chat-server.ts'
import { emojis, FullPlace } from '../full-place.ts'

const pageBytes = 256 * 1024
const slack = 1024 // for what is around the entries of a page
const han = '京'.repeat(40) // as long as a name may be, and three times as many bytes

interface Page {
  messages: Message[]
  more: boolean
}

async function startFull(t: Scope, fill: (place: FullPlace) => void) {
  const data = await temporaryFolder(t)
  const place = new FullPlace(data)
  fill(place)
  place.done()
  return startChat(t, { data })
}

/** An answer as JSON, which is no larger than a page may be. */
async function pageOf<Answer>(person: Person, path: string): Promise<Answer> {
  const body = await (await person.fetch(path)).text()
  const bytes = Buffer.byteLength(body)
  assert.ok(bytes <= pageBytes + slack, `${path}: ${bytes} bytes`)
  return JSON.parse(body) as Answer
}

/** All pages of a room's history, from the newest on. */
async function historyOf(person: Person, room: string, limit: number): Promise<Message[]> {
  const messages: Message[] = []
  for (let before = ''; ; ) {
    const page = await pageOf<Page>(person, `/rooms/${room}/messages?limit=${limit}${before}`)
    assert.ok(page.messages.length > 0)
    messages.unshift(...page.messages)
    if (!page.more) return messages
    before = `&before=${page.messages[0]!.id}`
  }
}

test('a thousand people who react to each message make its page no larger than ten', async (t) => {
  let messages: number[] = []
  const chat = await startFull(t, (place) => {
    const people = place.people(1000)
    messages = Array.from({ length: 20 }, (_, at) => place.say(people[0]!, `message ${at}`))
    place.react(people, messages, ['👍'])
  })

  const body = await (await chat.stranger.fetch('/rooms/lobby/messages')).text()
  const page = JSON.parse(body) as Page
  assert.equal(page.messages.length, 20)
  for (const { reactions } of page.messages) {
    assert.deepEqual(
      reactions!.map(({ emoji, count, me, from }) => [emoji, count, me, from.map(({ name }) => name)]),
      [['👍', 1000, false, Array.from({ length: 10 }, (_, at) => `guest ${at}`)]],
    )
  }
  assert.ok(Buffer.byteLength(body) < 20 * 1000, `${body.length} bytes`)
})

test('every emoji there is room for, with the longest names, is given in pages that are whole together', async (t) => {
  let messages: number[] = []
  const chat = await startFull(t, (place) => {
    const people = place.people(10, (number) => han.slice(0, -2) + String.fromCodePoint(0x4e00 + number) + '京')
    messages = Array.from({ length: 40 }, (_, at) => place.say(people[0]!, `message ${at}`))
    place.react(people, messages, emojis)
  })

  const all = await historyOf(chat.stranger, 'lobby', 200)
  assert.deepEqual(
    all.map(({ id }) => Number(id)),
    messages,
  )
  for (const { reactions } of all)
    assert.deepEqual(
      reactions!.map(({ emoji, from }) => [emoji, from.length]),
      emojis.map((emoji) => [emoji, 10]),
    )
})

test('a page of the longest texts ends at its bytes, in any script and whatever JSON escapes', async (t) => {
  const texts = ['京'.repeat(4000), '"\n'.repeat(2000), '\u202a\u202c'.repeat(2000), '🧑🏽‍🚀'.repeat(1000)]
  let messages: number[] = []
  const chat = await startFull(t, (place) => {
    const ada = place.person('ada')
    messages = Array.from({ length: 120 }, (_, at) => place.say(ada, texts[at % texts.length]!))
  })

  const all = await historyOf(chat.stranger, 'lobby', 200)
  assert.deepEqual(
    all.map(({ id }) => Number(id)),
    messages,
  )
  const middle = messages[60]!
  const around = await pageOf<Page & { newer: boolean }>(
    chat.stranger,
    `/rooms/lobby/messages?around=${middle}&limit=200`,
  )
  assert.ok(around.messages.some(({ id }) => Number(id) === middle))
  assert.deepEqual([around.more, around.newer], [true, true])
  const after = await pageOf<Page>(chat.stranger, `/rooms/lobby/messages?after=${messages[0]! - 1}&limit=200`)
  assert.equal(Number(after.messages[0]!.id), messages[0])
  assert.ok(after.more)
})

test('all who react with an emoji are listed in pages, to those who may see the message', async (t) => {
  const ids: string[] = []
  let [shown, hidden] = [0, 0]
  const chat = await startFull(t, (place) => {
    const people = place.people(1201)
    shown = place.say(people[0]!, 'look')
    place.react(people, [shown], ['👍'])
    const attic = place.room('attic', { kind: 'private', user: people[0]! })
    place.join(people[0]!, attic)
    hidden = place.say(people[0]!, 'among us', attic)
  })
  const path = `/rooms/lobby/messages/${shown}/reactions/${encodeURIComponent('👍')}`
  type Listed = Reactions & { more: boolean }

  for (let after = ''; ; ) {
    const page = await pageOf<Listed>(chat.stranger, path + after)
    assert.deepEqual([page.emoji, page.count, page.me], ['👍', 1201, false])
    ids.push(...page.from.map(({ id }) => id))
    if (!page.more) break
    after = `?after=${page.from.at(-1)!.id}`
  }
  assert.equal(new Set(ids).size, 1201)
  assert.equal(ids.length, 1201)
  const ada = await chat.comeIn('ada')
  assert.equal(await ada.refused('PUT', path), '204')
  const few = await ada.read<Listed>(`${path}?limit=7`)
  assert.deepEqual([few.count, few.me, few.from.length, few.more], [1202, true, 7, true])
  const none = await ada.read<Listed>(`/rooms/lobby/messages/${shown}/reactions/${encodeURIComponent('🎉')}`)
  assert.deepEqual(none, { emoji: '🎉', count: 0, me: false, from: [], more: false })
  for (const [room, id] of [
    ['attic', hidden],
    ['lobby', hidden],
    ['lobby', 1],
  ]) {
    assert.equal(
      await ada.refused('GET', `/rooms/${room}/messages/${id}/reactions/${encodeURIComponent('👍')}`),
      '404 not_found',
    )
  }
  assert.equal(await ada.refused('GET', `/rooms/lobby/messages/${shown}/reactions/x`), '400 invalid_request')
})

test('a stream tells with each reaction how many there are, live and replayed alike', async (t) => {
  const chat = await startChat(t)
  const [ada, bob] = [await chat.comeIn('ada'), await chat.comeIn('bob')]
  const { id } = await ada.say('lobby', 'look')
  const live = await chat.stranger.listen()
  const path = `/rooms/lobby/messages/${id}/reactions/${encodeURIComponent('👍')}`
  for (const [person, method] of [
    [ada, 'PUT'],
    [bob, 'PUT'],
    [bob, 'PUT'],
    [ada, 'DELETE'],
    [bob, 'DELETE'],
    [ada, 'DELETE'],
    [bob, 'PUT'],
  ] as const)
    await person.refused(method, path)
  await ada.say('lobby', 'the end')
  await live.texts(1)

  const told = live.all.filter(({ event }) => event === 'reaction').map(({ data }) => data)
  assert.deepEqual(
    told.map((data) => (JSON.parse(data) as { count: number }).count),
    [1, 2, 1, 0, 1],
  )
  const again = await chat.stranger.listen({ path: '/events?since=all' })
  await again.next('ping')
  assert.deepEqual(
    again.all.filter(({ event }) => event === 'reaction').map(({ data }) => data),
    told,
  )
  assert.deepEqual((await ada.read<Message>(`/rooms/lobby/messages/${id}`)).reactions, [
    { emoji: '👍', count: 1, me: false, from: [{ id: bob.id, name: 'bob' }] },
  ])
  assert.equal((await bob.read<Message>(`/rooms/lobby/messages/${id}`)).reactions![0]!.me, true)
})

interface RoomsPage {
  rooms: ListedRoom[]
  more: boolean
}

/** All pages of the list of rooms, in their order. */
async function roomsOf(person: Person, query = ''): Promise<ListedRoom[]> {
  const rooms: ListedRoom[] = []
  for (let after = ''; ; ) {
    const page = await pageOf<RoomsPage>(person, `/rooms?limit=1000${query}${after}`)
    rooms.push(...page.rooms)
    if (!page.more) return rooms
    after = `&after=${encodeURIComponent(page.rooms.at(-1)!.id)}`
  }
}

test('thousands of rooms are listed in pages, my own first, and found by how their names begin', async (t) => {
  const chat = await startFull(t, (place) => {
    for (let at = 0; at < 2000; at++) place.room(`open-${at}`, { name: `open ${at}${han.slice(0, 20)}` })
    place.privateRooms(1000)
  })
  const ada = await chat.comeIn('ada')
  const mine = [await ada.makeRoom('Orchard', { kind: 'private' }), 'open-1400', 'open-17', await ada.makeRoom('zebra')]
  for (const slug of ['open-1400', 'open-17']) await ada.ask('PUT', `/rooms/${slug}/members/me`)

  const first = await pageOf<RoomsPage>(ada, '/rooms')
  assert.deepEqual([first.rooms.length, first.more], [200, true])
  const all = await roomsOf(ada)
  const [unique, own] = [new Set(all.map(({ id }) => id)), all.filter(({ read }) => read !== undefined)]
  assert.deepEqual([all.length, unique.size], [2003, 2003])
  assert.deepEqual(own.map(({ id }) => id).sort(), [...mine].sort())
  assert.deepEqual(all.slice(0, own.length), own)
  const named = async (q: string) => (await roomsOf(ada, `&q=${encodeURIComponent(q)}`)).map(({ id }) => id)
  assert.deepEqual(await named('ORCH'), [mine[0]])
  assert.deepEqual((await named('open 17')).slice(0, 1), ['open-17'])
  assert.deepEqual(await named('hidden'), [])
  assert.deepEqual(await named('zeb'), ['zebra'])
  await ada.ask('PATCH', '/rooms/zebra', { name: 'gnu' })
  assert.deepEqual(await named('gnu'), ['zebra'])
  assert.deepEqual((await roomsOf(chat.stranger)).length, 2002)
  assert.equal(await ada.refused('GET', '/rooms?after=hidden-1'), '404 not_found')
})

test('whoever was put into thousands of rooms gets them in pages too', async (t) => {
  const data = await temporaryFolder(t)
  const before = await startChat(t, { data })
  const ada = await before.account('ada')
  await before.stop()
  const place = new FullPlace(data)
  for (const { room, maker } of place.privateRooms(1500)) {
    place.add({ type: 'join', user: idOfUser(ada.id)!, room, facts: { by: maker } })
    place.say(maker, 'look', room)
  }
  place.done()
  await before.start()

  const all = await roomsOf(ada)
  assert.equal(all.length, 1501)
  assert.ok(all.slice(0, 1500).every(({ unread }) => unread === 1))
})

test('a list of rooms goes on after one that was lost meanwhile, and tells nothing of those that were never seen', async (t) => {
  const chat = await startChat(t)
  const [olga, ada, bob] = [await chat.owner(), await chat.account('ada'), await chat.account('bob')]
  await olga.giveRole(ada, 'admin')
  const makeRooms = async (names: string[]) => {
    const rooms: string[] = []
    for (const name of names) {
      rooms.push(await bob.makeRoom(name, { kind: 'private' }))
      await bob.add(rooms.at(-1)!, ada)
    }
    return rooms
  }
  const [first, second, third] = await makeRooms(['first', 'second', 'third'])
  const secret = await bob.makeRoom('secret', { kind: 'private' })
  const bot = await ada.makeBot({ name: 'robot', scopes: ['read'] })
  for (const room of [first!, second!, third!, secret]) await bob.add(room, bot)
  const pageAfter = async (person: Person, room: string) =>
    (await person.read<RoomsPage>(`/rooms?limit=1&after=${room}`)).rooms.map(({ id }) => id)
  assert.deepEqual([await pageAfter(ada, first!), await pageAfter(bot, first!)], [[second], [second]])

  await bob.remove(second!, ada)

  assert.deepEqual([await pageAfter(ada, second!), await pageAfter(bot, second!)], [[third], [third]])
  await bob.remove(second!, bot)
  assert.deepEqual(await pageAfter(bot, second!), [third])
  for (const room of [secret, 'none'])
    for (const person of [ada, bot, olga, chat.stranger])
      assert.equal(await person.refused('GET', `/rooms?after=${room}`), '404 not_found')
  for (const person of [olga, chat.stranger])
    assert.equal(await person.refused('GET', `/rooms?after=${second}`), '404 not_found')
})

test('a lobby of thousands, and all who were ever here, come in pages', async (t) => {
  const chat = await startFull(t, (place) => {
    for (const user of place.people(2500, (number) => `${han.slice(0, 30)}${number}`)) place.join(user, place.lobby)
  })
  for (const [path, name] of [
    ['/users', 'users'],
    ['/rooms/lobby/members', 'members'],
  ] as const) {
    const ids: string[] = []
    for (let after = ''; ; ) {
      const page = await pageOf<{ [key: string]: { id: string }[] } & { more: boolean }>(
        chat.stranger,
        `${path}?limit=1000${after}`,
      )
      ids.push(...page[name]!.map(({ id }) => id))
      if (!page.more) break
      after = `&after=${ids.at(-1)}`
    }
    assert.deepEqual([ids.length, new Set(ids).size], [2500, 2500], path)
  }
})

test('invites and tokens that are over are not looked through, and the open ones come in pages', async (t) => {
  const data = await temporaryFolder(t)
  const chat = await startChat(t, { data })
  const olga = await chat.owner()
  await chat.stop()
  const place = new FullPlace(data)
  const maker = idOfUser(olga.id)!
  const expires = Date.now() * 1000 + 3600e6
  for (let at = 0; at < 900; at++)
    place.add({
      type: 'invite',
      user: maker,
      facts: { hash: `invite ${at}`, role: 'guest', uses: 1, expires: expires + at },
    })
  for (let at = 0; at < 900; at++)
    place.add({
      type: 'token',
      user: maker,
      facts: { hash: `token ${at}`, folded: place.database.people.nameHash('bot'), scopes: 'read' },
      body: { name: 'bot' },
    })
  place.done()
  await chat.start()

  for (const [path, name] of [
    ['/invites', 'invites'],
    ['/tokens', 'tokens'],
  ] as const) {
    const ids: string[] = []
    for (let after = ''; ; ) {
      const page = await pageOf<{ [key: string]: { id: string }[] } & { more: boolean }>(
        olga,
        `${path}?limit=400${after}`,
      )
      ids.push(...page[name]!.map(({ id }) => id))
      if (!page.more) break
      after = `&after=${ids.at(-1)}`
    }
    assert.deepEqual([ids.length, new Set(ids).size], [900, 900], path)
    assert.equal(await olga.refused('GET', `${path}?after=x`), '400 invalid_request')
  }
})

test('a search for the longest texts ends at its bytes, and goes on', async (t) => {
  const chat = await startFull(t, (place) => {
    const ada = place.person('ada')
    for (let at = 0; at < 60; at++) place.say(ada, '京'.repeat(3990) + ` cake${at}`)
  })
  const found = new Set<string>()
  for (let before = ''; ; ) {
    const page = await pageOf<{ messages: Message[]; more: boolean; before?: string }>(
      chat.stranger,
      `/search?q=cake&limit=100${before}`,
    )
    for (const { id } of page.messages) found.add(id)
    if (!page.more) break
    before = `&before=${page.before}`
  }
  assert.equal(found.size, 60)
})

test('what was said before and after thousands of deleted messages is on one page', async (t) => {
  const chat = await startFull(t, (place) => {
    const ada = place.person('ada')
    place.say(ada, 'before')
    for (let at = 0; at < 2500; at++)
      place.add({ type: 'delete', user: ada, room: place.lobby, target: place.say(ada, 'gone') })
    place.say(ada, 'after')
  })
  const texts = async (query: string) =>
    (await pageOf<Page>(chat.stranger, `/rooms/lobby/messages?${query}`)).messages.map(({ text }) => text)
  assert.deepEqual(await texts('limit=50'), ['before', 'after'])
  assert.deepEqual(await texts('limit=50&after=1'), ['before', 'after'])
  assert.deepEqual(await texts('limit=1'), ['after'])
  assert.deepEqual(await texts('limit=1&after=1'), ['before'])
})
