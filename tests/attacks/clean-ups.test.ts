// What a ban does away with: the rooms that somebody made and the messages that they wrote, wherever these are, whatever happens
// meanwhile, and nothing of anybody else's.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setImmediate } from 'node:timers/promises'
import type { Deletion, Message, Room } from '../../lib/chat/streams/events.ts'
import { mount } from '../mounted/mount.ts'
import { own, patienceMs, runServer, startChat, temporaryFolder, type Person } from '../chat-server.ts'

const times = <Made>(count: number, make: (at: number) => Made) => Array.from({ length: count }, (_, at) => make(at))
const everything = { banned: true, rooms: 'archive', messages: 'delete' }

function ban(by: Person, other: { id: string }, asked: object = everything): Promise<Response> {
  return by.send('PATCH', `/users/${other.id}`, asked, own)
}

/** Asks again until it is so. */
async function until(what: string, isSo: () => Promise<boolean>): Promise<void> {
  const end = performance.now() + patienceMs
  while (!(await isSo())) {
    assert.ok(performance.now() < end, `it never came: ${what}`)
    // A chat of this process gets its turn in between.
    await setImmediate()
  }
}

/** How many messages somebody wrote of those in a room, as somebody else sees it. */
async function countOf(author: { id: string }, by: Person, room = 'lobby'): Promise<number> {
  let count = 0
  for (let before = ''; ; ) {
    const { messages, more } = await by.read<{ messages: Message[]; more: boolean }>(
      `/rooms/${room}/messages?limit=200${before}`,
    )
    count += messages.filter(({ from }) => from.id === author.id).length
    if (!more) return count
    before = `&before=${messages[0]!.id}`
  }
}

/** Says much, in few requests at a time. */
async function sayMuch(person: Person, count: number): Promise<void> {
  for (let said = 0; said < count; said += 50)
    await Promise.all(times(50, (at) => person.say('lobby', `spam ${said + at}`)))
}

const archivedOf = async (person: Person, room: string) => (await person.read<Room>(`/rooms/${room}`)).archived === true

test("a ban archives the rooms somebody made and deletes what they said, in private and direct rooms too, and nothing of others'", async (t) => {
  const chat = await startChat(t)
  const olga = await chat.owner()
  const [mallory, bob] = [await chat.account('mallory'), await chat.account('bob')]
  const cave = await mallory.makeRoom('cave')
  const den = await mallory.makeRoom('den', { kind: 'private' })
  const garden = await bob.makeRoom('garden')
  await mallory.add(den, bob)
  const direct = await mallory.direct(bob)
  for (const room of ['lobby', cave, den, garden, direct]) {
    await mallory.say(room, `spam in ${room}`)
    await bob.say(room, `words in ${room}`)
  }
  const edited = await mallory.say('lobby', 'harmless')
  await mallory.ask('PATCH', `/rooms/lobby/messages/${edited.id}`, { text: 'spam after all' })
  const [ofBob, ofOlga] = [await bob.listen(), await olga.listen()]

  const answer = await ban(olga, mallory)

  assert.equal(answer.status, 202)
  assert.deepEqual(await answer.json(), { id: mallory.id, name: 'mallory', role: 'member', banned: true })
  for (const room of ['lobby', cave, den, garden, direct])
    await until(`nothing is left in ${room}`, async () => (await countOf(mallory, bob, room)) === 0)
  for (const room of [cave, den]) await until(`${room} is archived`, () => archivedOf(bob, room))
  for (const room of ['lobby', cave, den, garden, direct])
    assert.deepEqual(await bob.textsIn(room), [`words in ${room}`])
  assert.equal(await archivedOf(bob, garden), false)
  assert.equal(await archivedOf(bob, direct), false)
  const { messages } = await bob.read<{ messages: Message[] }>('/search?q=spam')
  assert.deepEqual(messages, [])
  // Each is an ordinary event to those who see the room, and whoever banned them learns nothing of rooms that are not theirs to see.
  const { id: last } = await bob.say('lobby', 'the end')
  const seen = async (stream: typeof ofBob) => {
    while ((await stream.next('message')).id !== last) continue
    return stream.all
  }
  const deletions = (await seen(ofBob))
    .filter(({ event }) => event === 'delete')
    .map(({ data }) => (JSON.parse(data) as Deletion).room)
  assert.deepEqual(deletions.sort(), ['lobby', 'lobby', cave, den, garden, direct].sort())
  const told = JSON.stringify(await seen(ofOlga))
  assert.ok(told.includes(cave) && !told.includes(den) && !told.includes(direct), told)
  for (const room of [den, direct]) assert.equal(await olga.refused('GET', `/rooms/${room}`), '404 not_found')

  // And back: what was archived is not gone.
  await olga.ban(mallory, false)
  for (const room of [cave, den]) {
    await mallory.ask('PATCH', `/rooms/${room}`, { archived: false })
    await mallory.say(room, 'again')
    assert.ok((await bob.textsIn(room)).includes('again'))
  }
})

test('one of the two is done where only one is asked for, and neither by a ban alone', async (t) => {
  const chat = await startChat(t)
  const olga = await chat.owner()
  const people = await Promise.all(['rooms', 'messages', 'neither'].map((name) => chat.account(name)))
  const rooms = await Promise.all(people.map((person) => person.makeRoom(`of ${person.name}`)))
  for (const person of people) await person.say('lobby', 'spam')

  const answers = await Promise.all([
    ban(olga, people[0]!, { banned: true, rooms: 'archive' }),
    ban(olga, people[1]!, { banned: true, messages: 'delete' }),
    ban(olga, people[2]!, { banned: true }),
  ])

  assert.deepEqual(
    answers.map(({ status }) => status),
    [202, 202, 200],
  )
  await until('the room is archived', () => archivedOf(olga, rooms[0]!))
  await until('the message is deleted', async () => (await countOf(people[1]!, olga)) === 0)
  assert.deepEqual(await Promise.all(rooms.map((room) => archivedOf(olga, room))), [true, false, false])
  assert.deepEqual(await Promise.all(people.map((person) => countOf(person, olga))), [1, 0, 1])
  // It can be asked for later, too.
  assert.equal((await ban(olga, people[2]!)).status, 202)
  await until(
    'all of it is done',
    async () => (await archivedOf(olga, rooms[2]!)) && (await countOf(people[2]!, olga)) === 0,
  )
})

test('it goes on after a crash in the middle of it, and after a stop', async (t) => {
  const data = await temporaryFolder(t)
  const chat = await startChat(t, { data })
  const olga = await chat.owner()
  const mallory = await chat.account('mallory')
  await sayMuch(mallory, 150)
  const kept = await olga.say('lobby', 'mine')
  const watcher = await olga.listen()

  await ban(olga, mallory)
  await watcher.next('delete')
  await chat.kill()
  await chat.start()
  const left = await countOf(mallory, olga)
  assert.ok(left > 0, 'it was over before the crash')
  await until('some more is deleted', async () => (await countOf(mallory, olga)) < left)
  assert.equal(await chat.stop(), 0)
  await chat.start()

  await until('all of it is deleted', async () => (await countOf(mallory, olga)) === 0)
  assert.deepEqual((await olga.read<{ messages: Message[] }>('/rooms/lobby/messages')).messages, [kept])
  assert.doesNotMatch(chat.errors, /incident|failed|died/)
  // The log adds up to it.
  await chat.stop()
  const { code, out, err } = await runServer(['check', '--data', data])
  assert.equal(code, 0, err)
  assert.match(out, /is whole/)
})

test('who talks meanwhile waits for no more than a few deletions at a time', async (t) => {
  const chat = await startChat(t)
  const olga = await chat.owner()
  const [mallory, bob] = [await chat.account('mallory'), await chat.account('bob')]
  await sayMuch(mallory, 150)
  const stream = await bob.listen()

  await ban(olga, mallory)
  const deleted = () => stream.all.filter(({ event }) => event === 'delete')
  let said = 0
  while (deleted().length < 150) await bob.say('lobby', `word ${said++}`)

  assert.ok(said > 10, `only ${said} were said meanwhile`)
  // An id tells the time in microseconds: what is committed together follows at once, and then others have their turn.
  const ids = deleted().map(({ id }) => Number(id))
  const groups = ids.reduce<number[][]>((groups, id) => {
    const last = groups.at(-1)
    if (last && id - last.at(-1)! < 1000) last.push(id)
    else groups.push([id])
    return groups
  }, [])
  const most = Math.max(...groups.map(({ length }) => length))
  assert.ok(most <= 5, `${most} were deleted in one go`)
})

test('lifting the ban ends it where it is, and asking once more asks for the rest', async (t) => {
  const chat = await startChat(t)
  const olga = await chat.owner()
  const [mallory, other] = [await chat.account('mallory'), await chat.account('other')]
  await sayMuch(mallory, 200)
  await other.say('lobby', 'spam')
  const watcher = await olga.listen()

  // As often as one likes: it is one ban, and one clean-up.
  for (let again = 0; again < 3; again++) assert.equal((await ban(olga, mallory)).status, 202)
  await watcher.next('delete')
  await olga.ban(mallory, false)
  const left = await countOf(mallory, olga)
  assert.ok(left > 0, 'it was over by then')

  assert.equal(watcher.all.filter(({ event }) => event === 'user').length, 2, 'banned, and no longer')
  // What comes behind it in the line is done, and it is not.
  await ban(olga, other)
  await until("the other one's is deleted", async () => (await countOf(other, olga)) === 0)
  assert.equal(await countOf(mallory, olga), left)
  await mallory.say('lobby', 'thanks')
  await ban(olga, mallory)
  await until('all of it is deleted', async () => (await countOf(mallory, olga)) === 0)
})

test('it stops with whoever asked for it, and another who governs can ask for the rest', async (t) => {
  const chat = await startChat(t)
  const olga = await chat.owner()
  const [rogue, bob, other] = [await chat.account('rogue'), await chat.account('bob'), await chat.account('other')]
  await olga.giveRole(rogue, 'admin')
  await sayMuch(bob, 200)
  await other.say('lobby', 'spam')
  const watcher = await olga.listen()

  assert.equal((await ban(rogue, bob)).status, 202)
  await watcher.next('delete')
  await olga.giveRole(rogue, 'member')
  const left = await countOf(bob, olga)
  await ban(olga, other)
  await until("the other one's is deleted", async () => (await countOf(other, olga)) === 0)

  assert.ok(left > 0 && (await countOf(bob, olga)) === left)
  assert.equal((await ban(olga, bob)).status, 202)
  await until('all of it is deleted', async () => (await countOf(bob, olga)) === 0)
})

test('only whoever may ban somebody may ask for it, and only with a ban', async (t) => {
  const chat = await startChat(t)
  const olga = await chat.owner()
  const [alma, mark] = [await chat.account('alma'), await chat.account('mark')]
  await olga.giveRole(alma, 'admin')
  const guest = await chat.comeIn('gus')
  await chat.claiming('una').say('lobby', 'spam')
  const bot = await olga.makeBot({ name: 'robot' })
  await bot.say('lobby', 'beep')
  for (const doer of [mark, guest, bot, chat.claiming('una')])
    assert.equal(await doer.refused('PATCH', `/users/${guest.id}`, everything), '403 forbidden')
  for (const other of [olga, alma])
    assert.equal(await alma.refused('PATCH', `/users/${other.id}`, everything), '403 forbidden')
  const wrong: object[] = [
    { banned: false, rooms: 'archive' },
    { banned: false, messages: 'delete' },
    { rooms: 'archive' },
    { messages: 'delete' },
    { banned: true, rooms: 'delete' },
    { banned: true, rooms: '' },
    { banned: true, messages: 'archive' },
    { banned: true, messages: '' },
    { banned: true, messages: true },
    { role: 'member', messages: 'delete' },
  ]
  for (const body of wrong)
    assert.equal(await olga.refused('PATCH', `/users/${mark.id}`, body), '400 invalid_request', JSON.stringify(body))
  assert.equal((await olga.read<{ banned?: true }>(`/users/${mark.id}`)).banned, undefined)

  // Of a bot and of a name that proves nothing as well.
  for (const name of ['una', 'robot']) {
    const { id } = await olga.read<{ id: string }>(`/users/${name}`)
    assert.equal((await ban(alma, { id })).status, 202)
    await until(`nothing is left of ${name}`, async () => (await countOf({ id }, olga)) === 0)
  }
  assert.equal((await ban(alma, mark)).status, 202)
})

test('a host does it by function and by request', async (t) => {
  const { chat, send } = await mount(t, {
    identify: ({ headers }) =>
      headers['x-user'] === 'olga'
        ? { id: '1', name: 'olga', role: 'owner' }
        : { id: String(headers['x-user']), name: String(headers['x-user']) },
  })
  const olga = { id: '1', name: 'olga', role: 'owner' as const }
  for (const name of ['eve', 'mallory']) {
    await chat.post({ id: name, name }, 'lobby', { text: 'spam' })
    await chat.createRoom({ id: name, name }, { name: `of ${name}` })
  }

  await chat.ban(olga, 'eve', true, { rooms: 'archive', messages: 'delete' })
  assert.equal((await send('PATCH', '/chat/users/mallory', everything, 'olga')).status, 202)

  await until('all of it is gone', async () => {
    const { rooms } = await chat.rooms(olga)
    return (
      (await chat.messages(olga, 'lobby')).messages.length === 0 &&
      rooms.filter(({ archived }) => archived).length === 2
    )
  })
})
