// Filling the place with rooms: what one address can make, what those who govern win back, and what a ban cleans up.

import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { apply } from '../../lib/chat/rules/apply.ts'
import type { Room } from '../../lib/chat/streams/events.ts'
import { rules } from '../../lib/store/log/log-events.ts'
import type { Who } from '../../lib/chat/people/who.ts'
import { ChatError } from '../../lib/errors.ts'
import { Limits } from '../../lib/http/limits/limits.ts'
import { Database } from '../../lib/store/database.ts'
import type { NewEvent } from '../../lib/store/log/event-log.ts'
import { own, Person, startChat, temporaryFolder, type ChatServer } from '../chat-server.ts'

const proxied = { limits: true, flags: ['--trust-proxy', 'loopback'] }
const at = (person: Person, address: string) =>
  new Person(person.chat, { ...person.headers, 'x-forwarded-for': address })
const times = <Made>(count: number, make: (at: number) => Made) => Array.from({ length: count }, (_, at) => make(at))

/** Somebody who comes in from an address, and stays there. */
async function guestAt(chat: ChatServer, address: string, name: string): Promise<Person> {
  return at(await chat.comeIn(name), address)
}

function make(person: Person, name: string, more: object = {}): Promise<Response> {
  return person.send('POST', '/rooms', { name, ...more }, own)
}

const statuses = async (asked: Promise<Response>[]) => (await Promise.all(asked)).map(({ status }) => status)
const count = (all: number[], status: number) => all.filter((one) => one === status).length

test('guests of one address make twenty rooms a day together, archived or not, and others go on', async (t) => {
  const chat = await startChat(t, proxied)
  const owner = at(await chat.owner(), '203.0.113.66')
  const account = at(await chat.account('ada'), '203.0.113.66')
  const guests = await Promise.all(times(5, (number) => guestAt(chat, '203.0.113.66', `guest ${number}`)))

  // Two rooms each are archived at once, which gives nothing back; nor does what was refused cost anything.
  const first = await Promise.all(
    guests.map(async (guest, number) => (await (await make(guest, `first ${number}`)).json()) as Room),
  )
  for (const [number, room] of first.entries())
    assert.equal((await guests[number]!.fetch(`/rooms/${room.id}`, { method: 'DELETE', headers: own })).status, 204)
  assert.deepEqual(
    await statuses([make(guests[0]!, 'lobby'), make(guests[1]!, ''), make(guests[2]!, 'x', { kind: 'direct' })]),
    [409, 400, 400],
  )
  const made = await statuses(
    guests.flatMap((guest, number) =>
      times(5, (more) => make(guest, `more ${number} ${more}`, { kind: more % 2 ? 'open' : 'private' })),
    ),
  )

  assert.deepEqual(
    [201, 429].map((status) => count(made, status)),
    [15, 10],
  )
  const refused = await make(await guestAt(chat, '203.0.113.66', 'yet another'), 'one more')
  assert.equal(refused.status, 429)
  const seconds = Number(refused.headers.get('retry-after'))
  assert.ok(seconds > 86_000 && seconds <= 86_400, `${seconds} s`)
  assert.match(
    ((await refused.json()) as { detail: string }).detail,
    /guests of this address have made 20 rooms within a day.*account/,
  )
  // Accounts there, whoever governs, and guests elsewhere.
  assert.deepEqual(
    await statuses([
      ...times(5, (number) => make(account, `of ada ${number}`)),
      ...times(5, (number) => make(owner, `of olga ${number}`)),
    ]),
    Array(10).fill(201),
  )
  assert.equal((await make(await guestAt(chat, '203.0.113.7', 'elsewhere'), 'elsewhere')).status, 201)
  // A room of two is no such room.
  assert.equal((await guests[0]!.send('POST', '/direct', { user: 'ada' }, own)).status, 201)
})

const user = {
  id: 1,
  name: 'x',
  named: 1,
  folded: 'x',
  kind: 'guest',
  role: 'guest',
  banned: 0,
  password: null,
  outside: null,
} as const
const guest: Who = { kind: 'user', user }
const account: Who = { kind: 'user', user: { ...user, kind: 'account', role: 'member' } }
const owner: Who = { kind: 'user', user: { ...user, kind: 'account', role: 'owner' } }

/** A door whose clock is set by hand. */
function doorOf() {
  const clock = { ms: 1e6 }
  const limits = new Limits({
    postsPerSecond: 1,
    postsPerAddress: 10,
    streamsPerAddress: 100,
    log: () => {},
    now: () => clock.ms,
  })
  /** How many rooms somebody makes until they are refused. */
  const most = (
    kind: 'rooms' | 'directRooms',
    who: Who,
    address: (count: number) => string | undefined = () => '203.0.113.66',
  ) => {
    for (let made = 0; made < 20_000; made++) {
      try {
        limits.newRoom(kind, who, address(made))
      } catch (error) {
        assert.ok(error instanceof ChatError && error.code === 'too_many')
        return made
      }
    }
    return Infinity
  }
  return { clock, limits, most }
}

test('what an address made is forgotten after a day and not before, and what was not made in the end at once', () => {
  const { clock, limits, most } = doorOf()
  for (let tries = 0; tries < 100; tries++) limits.newRoom('rooms', guest, '203.0.113.66')()
  assert.equal(most('rooms', guest), 20)

  clock.ms += 24 * 3600_000 - 1
  assert.equal(most('rooms', guest), 0)
  clock.ms += 1
  assert.equal(most('rooms', guest), 20)
})

test('direct rooms, accounts and IPv6 networks each have a bound of their own, and whoever governs has none', () => {
  const { most } = doorOf()

  assert.equal(most('rooms', guest), 20)
  assert.equal(most('directRooms', guest), 500)
  assert.equal(most('rooms', account), 200)
  assert.equal(most('directRooms', account), 5000)
  assert.equal(most('rooms', owner), Infinity)
  assert.equal(
    most('rooms', guest, () => undefined),
    Infinity,
  )
  // As much as ten addresses, of the 65,536 that it has.
  assert.equal(
    most('rooms', guest, (made) => `2001:db8:7:${(made % 50).toString(16)}::/64`),
    200,
  )
})

test('a class of thirty guests behind one address opens rooms of two and makes some for its groups', async (t) => {
  const chat = await startChat(t, proxied)
  const pupils = await Promise.all(times(30, (number) => guestAt(chat, '203.0.113.1', `pupil ${number}`)))
  const open = (number: number) => pupils[number]!.send('POST', '/direct', { user: `pupil ${(number + 1) % 30}` }, own)

  assert.deepEqual(await statuses(times(30, open)), Array(30).fill(201))
  assert.deepEqual(await statuses(times(15, (number) => make(pupils[number]!, `group ${number}`))), Array(15).fill(201))
  // One that is there is only opened.
  assert.deepEqual(await statuses(times(30, open)), Array(30).fill(200))
})

/** A place of its own, without a server: what happens there comes out as it would behind one. */
async function emptyPlace(t: TestContext) {
  const database = Database.openForWriting(join(await temporaryFolder(t), 'natter.db'), { durable: false })
  t.after(() => database.close())
  let id = 1_700_000_000_000_000
  const happens = (event: Omit<NewEvent, 'rules'>): string => {
    const outcome = apply(database, { ...event, rules }, ++id)
    return 'refused' in outcome ? outcome.refused.code : String(outcome.id)
  }
  const made = (event: Omit<NewEvent, 'rules'>): number => {
    const outcome = happens(event)
    assert.match(outcome, /^\d+$/)
    return Number(outcome)
  }
  const comesIn = (name: string, kind: 'guest' | 'account', role = kind === 'guest' ? 'guest' : 'member') => {
    const invite = role === 'owner' || role === 'admin' ? `invite of ${name}` : undefined
    if (invite) made({ type: 'invite', facts: { hash: invite, role, uses: 1, expires: id + 1e9 } })
    return made({
      type: 'user',
      facts: {
        folded: database.people.nameHash(name),
        kind,
        role,
        session: `session of ${name}`,
        ...(invite && { invite }),
      },
      body: { name, ...(kind === 'account' && { text: 'scrypt' }) },
    })
  }
  const room = (user: number, slug: string, kind = 'open') =>
    happens({ type: 'room', user, facts: { slug, kind }, body: { name: slug } })
  const archive = (user: number, room: number, archived = true, more: object = {}) =>
    happens({ type: 'room_change', user, room, facts: { archived, ...more } })
  // Five hundred guests with twenty rooms each, every second of them private.
  database.begin()
  made({ type: 'log', facts: { id: 'abc', secret: 'a secret' } })
  const olga = comesIn('olga', 'account', 'owner')
  const ada = comesIn('ada', 'account')
  const guests = times(500, (at) => comesIn(`guest ${at}`, 'guest'))
  const rooms = guests.map((guest, at) =>
    times(20, (more) => Number(room(guest, `${at} ${more}`, more % 2 ? 'private' : 'open'))),
  )
  for (const [at, guest] of guests.entries())
    for (const one of rooms[at]!) made({ type: 'join', user: guest, room: one, facts: { role: 'owner' } })
  database.commit()
  return { happens, made, room, archive, olga, ada, guests, rooms }
}

test('where five hundred guests have made all the rooms there can be, whoever governs makes more, and wins back what they archive', async (t) => {
  const { room, archive, olga, ada, guests, rooms } = await emptyPlace(t)
  assert.equal(room(ada, 'of ada'), 'forbidden')
  assert.equal(room(guests[0]!, 'one more'), 'forbidden')

  assert.match(room(olga, 'of olga'), /^\d+$/)
  // It counts, and so do rooms whose makers archive them.
  for (const one of rooms[0]!) assert.match(archive(guests[0]!, one), /^\d+$/)
  assert.equal(room(ada, 'of ada'), 'forbidden')

  // Of those that are archived already as well.
  assert.match(archive(olga, rooms[0]![0]!), /^\d+$/)
  assert.match(archive(olga, rooms[1]![0]!), /^\d+$/)
  assert.match(room(ada, 'of ada'), /^\d+$/)
  assert.equal(room(ada, 'another of ada'), 'forbidden')
  // What came back would count again; for whoever governs it may.
  assert.equal(archive(guests[1]!, rooms[1]![0]!, false), 'forbidden')
  assert.match(archive(olga, rooms[1]![0]!, false), /^\d+$/)
  // Being archived once more by its maker, or named anew, makes nothing count that did not.
  assert.match(archive(guests[0]!, rooms[0]![0]!), /^\d+$/)
  assert.equal(room(ada, 'another of ada'), 'forbidden')
  for (const one of rooms[2]!.filter((_, at) => at % 2 === 0)) archive(olga, one)
  assert.match(room(ada, 'another of ada'), /^\d+$/)
})

test('private rooms that nobody else sees are won back with a ban, and by whoever asked for it alone', async (t) => {
  const { happens, made, room, archive, olga, ada, guests, rooms } = await emptyPlace(t)
  const [mallory, hidden] = [guests[7]!, rooms[7]![1]!]
  assert.equal(archive(olga, hidden), 'not_found')
  for (const ban of [1, 0, mallory]) assert.equal(archive(olga, hidden, true, { ban }), 'forbidden')

  const plain = made({ type: 'ban', user: olga, target: mallory, facts: { banned: true } })
  assert.equal(archive(olga, hidden, true, { ban: plain }), 'forbidden')
  const ban = made({ type: 'ban', user: olga, target: mallory, facts: { banned: true, rooms: true } })
  assert.equal(archive(ada, hidden, true, { ban }), 'forbidden')
  assert.equal(archive(mallory, hidden, true, { ban }), 'banned')
  assert.equal(archive(olga, rooms[8]![1]!, true, { ban }), 'forbidden')
  assert.equal(archive(olga, hidden, true, { ban: plain }), 'forbidden')
  for (const one of rooms[7]!) assert.match(archive(olga, one, true, { ban }), /^\d+$/)
  for (let count = 0; count < 20; count++) assert.match(room(ada, `of ada ${count}`), /^\d+$/)
  assert.equal(room(ada, 'one too many'), 'forbidden')

  made({ type: 'ban', user: olga, target: mallory, facts: { banned: false } })
  assert.equal(archive(olga, hidden, true, { ban }), 'forbidden')
  assert.equal(happens({ type: 'cleanup_end', target: mallory, facts: { ban } }), 'unchanged')
})
