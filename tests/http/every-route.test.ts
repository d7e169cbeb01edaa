// Each route of a place that is as full as it may get: what it reads for its answer and how long that is have bounds. What is counted are
// rows and bytes, since time differs from machine to machine. A new route has to be added here.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { idOfUser } from '../../lib/chat/streams/wire.ts'
import { routes } from '../../lib/http/routes.ts'
import { own, passwordOf, startChat, temporaryFolder, type Person } from '../chat-server.ts'
import { emojis, FullPlace } from '../full-place.ts'
import type { Work } from './work-counter.ts'

const counter = new URL('work-counter.ts', import.meta.url).href
const answerBytesMax = 512 * 1024
const rowsAtOnceMax = 1001 // a page of the most that may be asked for, and one that tells whether it goes on

const rooms = 5502
const closed = 3500

interface Asked {
  path: string
  /** How many rows it takes at the most, with those that tell who asks. */
  rows: number
  body?: object
  by?: Person
  status?: number
  /** It is a stream, which has told all that there was when it pings. */
  stream?: true
}

const many = {
  people: 3000,
  open: 2000,
  hidden: 3000,
  direct: 500,
  sessions: 400,
  blocks: 400,
  invites: 900,
  tokens: 900,
  messages: 3000,
  reacting: 1000,
}

/** Fills the folder of a server that was stopped, around one person. */
function fill(data: string, user: number) {
  const place = new FullPlace(data)
  const people = place.people(many.people)
  for (const person of people) place.join(person, place.lobby)
  for (let at = 0; at < many.open; at++) place.join(user, place.room(`open-${at}`))
  for (const { room, maker } of place.privateRooms(many.hidden)) {
    place.add({ type: 'join', user, room, facts: { by: maker } })
    place.say(maker, 'hello', room)
  }
  for (const other of people.slice(0, many.direct)) place.say(other, 'hello', place.directRoom(other, user))
  for (const target of people.slice(-many.blocks)) place.add({ type: 'block', user, target, facts: { on: true } })
  for (let at = 0; at < many.sessions; at++)
    place.add({ type: 'session_start', user, facts: { hash: `session ${at}` } })
  const expires = Date.now() * 1000 + 3600e6
  const invites = Array.from({ length: many.invites }, (_, at) =>
    place.add({ type: 'invite', user, facts: { hash: `invite ${at}`, role: 'guest', uses: 1, expires } }),
  )
  const folded = place.database.people.nameHash('bot')
  const tokens = Array.from({ length: many.tokens }, (_, at) =>
    place.add({ type: 'token', user, facts: { hash: `token ${at}`, folded, scopes: 'read' }, body: { name: 'bot' } }),
  )
  const loved = place.say(user, 'hello all')
  place.react(people.slice(0, many.reacting), [loved], ['👍'])
  const colourful = Array.from({ length: 20 }, (_, at) => place.say(user, `hello ${at}`))
  place.react(people.slice(0, 10), colourful, emojis)
  for (let at = 0; at < many.messages; at++) place.say(people[at]!, `hello ${'京'.repeat(300)}`)
  for (let at = 0; at < many.messages; at++)
    place.add({ type: 'delete', user, room: place.lobby, target: place.say(user, 'gone') })
  place.done()
  return { loved, invite: invites[0]!, token: tokens[0]! }
}

test('no route reads or answers more than its bound, however full the place is', async (t) => {
  const data = await temporaryFolder(t)
  const chat = await startChat(t, { data, execArgv: ['--import', counter] })
  const owner = await chat.owner()
  const { code } = await owner.invite()
  await chat.stop()
  const { loved, invite, token } = fill(data, idOfUser(owner.id)!)
  await chat.start()
  // The oldest sessions of somebody who has too many are over.
  const olga = await chat.logIn('olga')
  const [ada, bob] = [await chat.account('ada'), await chat.comeIn('bob')]
  const { sessions } = (await (await olga.fetch('/sessions')).json()) as { sessions: { id: string; current?: true }[] }
  const session = sessions.find(({ current }) => !current)!.id
  const message = `/rooms/lobby/messages/${loved}`
  const thumb = `${message}/reactions/${encodeURIComponent('👍')}`
  const mine = (await olga.say('lobby', 'mine')).id
  const workOf = async () => (await (await chat.fetch('/work?hold=0')).json()) as Work

  const asked: Record<string, Asked> = {
    'GET /events': { path: '/events', rows: closed + 200, stream: true },
    'GET /events (mine, the last few)': { path: '/events?mine&since=-20', rows: rooms + 2700, stream: true },
    'GET /rooms (as a stream)': { path: '/rooms', rows: 20_000, stream: true },
    'GET /rooms/:room/messages (as a stream)': { path: '/rooms/lobby/messages', rows: 10_000, stream: true },
    'GET /session': { path: '/session', rows: 20 },
    'POST /session': { path: '/session', by: chat.stranger, body: { name: 'carl' }, rows: 20, status: 201 },
    'GET /sessions': { path: '/sessions', rows: 60 },
    'GET /users': { path: '/users?limit=1000', rows: 1300 },
    'POST /users': {
      path: '/users',
      body: { name: 'dora', password: passwordOf('dora') },
      by: chat.stranger,
      rows: 30,
      status: 201,
    },
    'GET /users/:user': { path: '/users/ada', rows: 20 },
    'PATCH /users/:user': { path: '/users/me', body: { name: 'olga' }, rows: 30 },
    'GET /rooms': { path: '/rooms?limit=1000', rows: 4300 },
    'POST /rooms': { path: '/rooms', body: { name: 'new' }, rows: 30, status: 201 },
    'GET /rooms/:room': { path: '/rooms/lobby', rows: 20 },
    'PATCH /rooms/:room': { path: '/rooms/new', body: { topic: 'news' }, rows: 30 },
    'DELETE /rooms/:room': { path: '/rooms/new', rows: 30, status: 204 },
    'GET /rooms/:room/members': { path: '/rooms/lobby/members?limit=1000', rows: 1300 },
    'PUT /rooms/:room/members/:user': { path: '/rooms/open-1/members/ada', rows: 30, status: 204 },
    'DELETE /rooms/:room/members/:user': { path: '/rooms/open-1/members/ada', rows: 30, status: 204 },
    'POST /direct': { path: '/direct', body: { user: ada.id }, rows: 30, status: 201 },
    'GET /blocks': { path: '/blocks?limit=1000', rows: 1100 },
    'PUT /blocks/:user': { path: `/blocks/${bob.id}`, rows: 30, status: 204 },
    'DELETE /blocks/:user': { path: `/blocks/${bob.id}`, rows: 30, status: 204 },
    'GET /rooms/:room/messages': { path: '/rooms/lobby/messages?limit=200', rows: 600 },
    'POST /rooms/:room/messages': {
      path: '/rooms/lobby/messages',
      body: { text: 'hello @ada' },
      rows: 30,
      status: 201,
    },
    'GET /rooms/:room/messages/:message': { path: message, rows: 60 },
    'PATCH /rooms/:room/messages/:message': {
      path: `/rooms/lobby/messages/${mine}`,
      body: { text: 'edited' },
      rows: 60,
    },
    'DELETE /rooms/:room/messages/:message': { path: `/rooms/lobby/messages/${mine}`, rows: 60, status: 204 },
    'GET /rooms/:room/messages/:message/reactions/:emoji': { path: `${thumb}?limit=500`, rows: 1100 },
    'PUT /rooms/:room/messages/:message/reactions/:emoji': { path: thumb, rows: 60, status: 204 },
    'DELETE /rooms/:room/messages/:message/reactions/:emoji': { path: thumb, rows: 60, status: 204 },
    'POST /rooms/:room/typing': { path: '/rooms/lobby/typing', rows: 20, status: 204 },
    'PUT /rooms/:room/read': { path: '/rooms/lobby/read', body: { id: String(loved) }, rows: 20, status: 204 },
    'GET /search': { path: '/search?q=hello&limit=100', rows: 500 },
    'GET /invites': { path: '/invites?limit=1000', rows: 1100 },
    'POST /invites': { path: '/invites', body: { role: 'guest' }, rows: 1000, status: 201 },
    'POST /invites/accept': {
      path: '/invites/accept',
      body: { code, name: 'eve' },
      by: chat.stranger,
      rows: 60,
      status: 201,
    },
    'DELETE /invites/:id': { path: `/invites/${invite}`, rows: 60, status: 204 },
    'GET /tokens': { path: '/tokens?limit=1000', rows: 1100 },
    'POST /tokens': { path: '/tokens', body: { name: 'robot' }, rows: 60, status: 201 },
    'DELETE /tokens/:id': { path: `/tokens/${token}`, rows: 60, status: 204 },
    'DELETE /sessions/:id': { path: `/sessions/${session}`, rows: 60, status: 204 },
    'DELETE /session': { path: '/session', by: bob, rows: 30, status: 204 },
    'DELETE /sessions': { path: '/sessions', by: ada, rows: 60, status: 204 },
  }
  const known = new Set(Object.keys(asked).map((route) => route.split(' (')[0]))
  assert.deepEqual([...known].sort(), routes.map(({ method, path }) => `${method} ${path}`).sort())

  const over: string[] = []
  for (const [route, { path, rows: rowsMax, body, by = olga, status = 200, stream }] of Object.entries(asked)) {
    const method = route.split(' ')[0]!
    await workOf()
    let bytes = 0
    if (stream) {
      const listener = await by.listen({ path })
      await listener.next('ping')
      listener.leave()
    } else {
      const answer = await (method === 'GET' ? by.fetch(path) : by.send(method, path, body ?? '', own))
      const text = await answer.text()
      assert.equal(answer.status, status, `${route}: ${text}`)
      bytes = Buffer.byteLength(text)
    }
    const { rows, rowsAtOnce } = await workOf()
    if (rows > rowsMax || rowsAtOnce > rowsAtOnceMax || bytes > answerBytesMax)
      over.push(`${route}: ${rows} rows, ${rowsAtOnce} of them at once, ${bytes} bytes`)
  }
  assert.deepEqual(over, [])
})
