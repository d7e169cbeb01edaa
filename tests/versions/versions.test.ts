// The server on every Node that it promises to run on, and what it says on one that is too old.

import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { text } from 'node:stream/consumers'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import type { ListedRoom, Room } from '../../lib/chat/streams/events.ts'
import type { SearchResult } from '../../lib/chat/talk/search.ts'
import { own, runServer, startChat, temporaryFolder, type Listener, type Person } from '../chat-server.ts'
import { install } from '../install.ts'
import { olderFolder } from '../store/older/folder.ts'

const folder = new URL('./', import.meta.url)
const skip = await install(folder)
const nodeOf = (name: string) => fileURLToPath(new URL(`node_modules/${name}/bin/node`, folder))

for (const name of ['node22', 'node24']) {
  test(`on ${name} people talk, a killed server comes back, and a reader gets what it missed`, { skip }, async (t) => {
    const chat = await startChat(t, { data: await temporaryFolder(t), node: nodeOf(name) })
    const ada = await chat.comeIn('ada')
    const reader = await chat.stranger.listen()
    await ada.say('lobby', 'one')
    const { id } = await reader.next('message')

    await chat.kill()
    await chat.start()
    await ada.say('lobby', '二')

    const again = await chat.stranger.listen({ lastEventId: id })
    assert.deepEqual(await again.texts(1), ['二'])
    assert.equal(await chat.stop(), 0)
    assert.doesNotMatch(chat.errors, /warning/i)
  })
}

for (const name of ['node22', 'node24']) {
  test(`on ${name} a folder of an older natter is brought up to date, and is whole`, { skip }, async (t) => {
    const data = await olderFolder(t)
    const chat = await startChat(t, { data, node: nodeOf(name) })
    await chat.withPassword('bob').say('lobby', 'after it')
    assert.equal(await chat.stop(), 0)

    const { code, err } = await runServer(['check', '--data', data], { node: nodeOf(name) })
    assert.deepEqual([code, err], [0, ''])
  })
}

/** Asks for something, and checks with which status it is answered. */
async function answered(
  status: number,
  person: Person,
  method: string,
  path: string,
  body: unknown = '',
): Promise<void> {
  const answer = await person.send(method, path, body, own)
  assert.equal(answer.status, status, `${method} ${path}: ${await answer.text()}`)
}

const unreadOf = async (person: Person, room: string) =>
  (await person.read<{ rooms: ListedRoom[] }>('/rooms')).rooms.find(({ id }) => id === room)?.unread
const found = async (person: Person, q: string) =>
  (await person.read<SearchResult>(`/search?${new URLSearchParams({ q })}`)).messages.map(({ text }) => text)

/** What came that is kept; signals and pings are not. */
const kept = (listener: Listener) =>
  listener.all
    .filter(({ event }) => !['ping', 'presence', 'read'].includes(event))
    .map(({ id, event, data }) => ({ id, event, data }))

// An older SQLite binding refuses a statement only when it is run: so these two run nearly all that there are.
for (const name of ['node22', 'node24']) {
  test(`on ${name} an owner, an account, a guest and a bot have rooms, talk, search, and are told it all again after a stop`, {
    skip,
  }, async (t) => {
    const chat = await startChat(t, { data: await temporaryFolder(t), node: nodeOf(name) })
    const olga = await chat.owner()
    await chat.account('ada')
    const ada = await chat.logIn('ada')
    const gus = await chat.byInvite((await olga.invite()).code, 'gus')
    const attic = await olga.makeRoom('attic', { kind: 'private' })
    const at = `/rooms/${attic}`
    await answered(204, olga, 'PUT', `${at}/members/${ada.id}`)
    await answered(201, ada, 'POST', '/direct', { user: olga.id })
    const robot = await olga.makeBot({ name: 'robot', rooms: [attic] })
    const live = await ada.listen()
    const { id: before } = await live.next('ping')

    const hello = await olga.say(attic, 'hello @ada', { key: 'hello' })
    assert.equal((await olga.say(attic, 'hello @ada', { key: 'hello' })).id, hello.id)
    await olga.say(attic, '我在北京大学')
    const regretted = await robot.say(attic, 'beep')
    assert.equal(await unreadOf(ada, attic), 3)
    await answered(200, olga, 'PATCH', `${at}/messages/${hello.id}`, { text: 'good morning @ada' })
    await answered(204, ada, 'PUT', `${at}/messages/${hello.id}/reactions/${encodeURIComponent('👍')}`)
    await answered(204, robot, 'DELETE', `${at}/messages/${regretted.id}`)
    assert.equal(await unreadOf(ada, attic), 2)
    await answered(204, ada, 'PUT', `${at}/read`, { id: hello.id })
    assert.equal(await unreadOf(ada, attic), 1)
    await answered(200, olga, 'PATCH', '/users/ada', { role: 'admin' })
    await answered(200, olga, 'PATCH', at, { topic: 'beams' })
    assert.equal(await gus.refused('GET', at), '404 not_found')
    await live.next('room')
    const events = ['message', 'message', 'message', 'edit', 'reaction', 'delete', 'user', 'room']
    assert.deepEqual(
      kept(live).map(({ event }) => event),
      events,
    )

    // Read marks are kept by a stop, and not by a kill.
    assert.equal(await chat.stop(), 0)
    await chat.start()
    const replay = await ada.listen({ lastEventId: before })
    await replay.next('ping')
    const all = await ada.listen({ path: '/events?since=all' })
    await all.next('ping')

    // Of what was edited or deleted there is no message any more.
    const lasting = kept(live).filter(({ id }) => id !== hello.id && id !== regretted.id)
    assert.equal(lasting.length, events.length - 2)
    assert.deepEqual(kept(replay), lasting)
    assert.deepEqual(kept(all).slice(-lasting.length), lasting)
    assert.deepEqual(await ada.textsIn(attic), ['good morning @ada', '我在北京大学'])
    assert.deepEqual(await found(ada, 'morning'), ['good morning @ada'])
    assert.deepEqual(await found(robot, '北京'), ['我在北京大学'])
    assert.deepEqual(await found(gus, 'morning'), [])
    assert.deepEqual(await ada.membersOf(attic), ['olga', 'ada', 'robot'])
    assert.equal(await unreadOf(ada, attic), 1)
    assert.equal(await chat.stop(), 0)
    assert.doesNotMatch(chat.errors, /incident|warning/i)
  })
}

for (const name of ['node22', 'node24']) {
  test(`on ${name} names, roles, places, reactions, tokens and sessions can be given and taken back`, {
    skip,
  }, async (t) => {
    const chat = await startChat(t, { data: await temporaryFolder(t), node: nodeOf(name) })
    const olga = await chat.owner()
    const [ada, gus] = [await chat.account('ada'), await chat.comeIn('gus')]
    const attic = await olga.makeRoom('attic', { kind: 'private' })
    const at = `/rooms/${attic}`
    const { id: invite, code } = await olga.invite({ room: attic, uses: 2 })
    assert.equal((await gus.accept(code)).room?.id, attic)
    assert.equal(await gus.refused('POST', '/invites/accept', { code }), '409 invite_over')
    await answered(204, olga, 'DELETE', `/invites/${invite}`)
    const robot = await olga.makeBot({ name: 'robot' })
    const { id } = await olga.say(attic, 'hello')
    const reaction = `${at}/messages/${id}/reactions/${encodeURIComponent('👍')}`
    const { id: before } = await (await ada.listen({ path: '/rooms' })).next('ping')

    for (const changed of ['ada l', 'ada m', 'ada n', 'ada o', 'ada'])
      await answered(200, ada, 'PATCH', '/users/me', { name: changed })
    await answered(204, olga, 'PUT', `${at}/members/${ada.id}`)
    await answered(204, olga, 'PUT', `${at}/members/${ada.id}`, { role: 'owner' })
    await answered(204, ada, 'PUT', reaction)
    await answered(204, ada, 'DELETE', reaction)
    await answered(200, olga, 'PATCH', '/rooms/lobby', { topic: 'all of us' })
    await answered(204, gus, 'DELETE', `${at}/members/me`)

    const last = await ada.listen({ path: '/events?since=-3' })
    await last.next('ping')
    assert.deepEqual(
      kept(last).map(({ event }) => event),
      ['reaction', 'room', 'leave'],
    )
    const rooms = await ada.listen({ path: '/rooms', lastEventId: before })
    await rooms.next('ping')
    assert.deepEqual([...new Set(kept(rooms).map(({ data }) => (JSON.parse(data) as Room).id))], [attic, 'lobby'])
    await answered(204, ada, 'DELETE', `${at}/members/me`)
    assert.equal(await ada.refused('GET', at), '404 not_found')
    await answered(204, olga, 'DELETE', `/tokens/${robot.tokenId}`)
    assert.equal(await robot.refused('GET', '/rooms'), '401 unauthorized')
    await answered(204, gus, 'DELETE', '/session')
    await answered(204, ada, 'DELETE', '/sessions')
    assert.equal((await ada.fetch('/events')).status, 204)
    assert.equal(await chat.stop(), 0)
    assert.doesNotMatch(chat.errors, /incident|warning/i)
  })
}

for (const name of ['node22', 'node24']) {
  test(`on ${name} a stream's bytes are the same`, { skip }, async () => {
    // Told that it runs below a test runner, a test reports in a form that only the runner reads.
    const { NODE_TEST_CONTEXT: _, ...environment } = process.env
    const child = spawn(
      nodeOf(name),
      ['--test-timeout=60000', fileURLToPath(new URL('../sse/socket.test.ts', import.meta.url))],
      { env: environment, stdio: ['ignore', 'pipe', 'inherit'] },
    )
    const [out, code] = await Promise.all([text(child.stdout), new Promise((resolve) => child.on('close', resolve))])
    assert.equal(code, 0, out)
    assert.match(out, /^(# |ℹ )pass [1-9]/m)
  })
}

test('on Node 20 it says in one line what it needs', { skip }, async () => {
  const { code, out, err } = await runServer([], { node: nodeOf('node20') })
  assert.deepEqual([code, out], [1, ''])
  assert.match(err, /^natter needs Node 22\.18 or newer, this is v20\.[\d.]+; try: npx -y node@26 server\.ts\n$/)
})
