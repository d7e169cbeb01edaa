// Random people do random things in random rooms, and a model of ten lines says what each of them may see. Lists, pages,
// replays and open streams have to agree with it, whoever comes, goes, is added, removed, banned or cut off meanwhile.

import assert from 'node:assert/strict'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import type { Deletion, Member, Membership, Message, ListedRoom, Room, User } from '../../lib/chat/streams/events.ts'
import {
  own,
  startChat,
  temporaryFolder,
  wholeAnswer,
  type ChatServer,
  type Listener,
  type Person,
} from '../chat-server.ts'
import type { ParsedEvent } from '../event-stream-parser.ts'
import { property, type Random } from '../random.ts'

/** What tells nothing of the log. */
const passing: readonly (string | undefined)[] = ['ping', 'presence', 'typing', 'read']
const lastsMs = 8000
const premisesMs = 40_000 // more at the most, until all has happened that this is about
const groupMs = 50 // within which two events may be committed together
const never = 'attic-0000000' // a room that never was

/** A row of the log, as it is on disk. */
interface Logged {
  id: number
  type: string
  user: number
  room: number
  target: number | null
  facts: {
    slug?: string
    kind?: string
    pair?: [number, number]
    banned?: boolean
    on?: boolean
    by?: number
    role?: string
    name?: boolean
    topic?: boolean
  }
}

interface Actor {
  name: string
  person: Person
  /** 0: nobody. */
  user: number
  /** The rooms that its token is bound to. */
  bound?: number[]
  /** Who made its token. */
  maker?: number
}

/** What there is, and who may see it. This is all of the model. */
class World {
  readonly rooms = new Map<
    number,
    {
      slug: string
      kind: string
      members: Set<number>
      pair: readonly number[]
      shadows: { user: number; by: number }[]
    }
  >()
  readonly banned = new Set<number>()
  /** By who blocks: whom. */
  readonly blocked = new Map<number, Set<number>>()
  /** By event: who alone is shown it. */
  readonly only = new Map<number, number>()
  readonly #governing = new Set<number>()

  take({ id, type, user, room, target, facts }: Logged): void {
    const place = this.rooms.get(room)
    const other = place?.pair.find((one) => one !== user)
    const by = facts.by ?? user
    if (type === 'user' || type === 'role')
      this.#governing[['owner', 'admin'].includes(facts.role!) ? 'add' : 'delete'](target ?? user)
    if (type === 'room')
      this.rooms.set(id, {
        slug: facts.slug!,
        kind: facts.kind!,
        members: new Set(),
        pair: facts.pair ?? [],
        shadows: [],
      })
    // Who is blocked opens a room for themselves alone, and talks there alone. Whom they put into another is there for them alone.
    const shunned =
      this.blocked.get(user)?.has(by) && !place!.members.has(user) && !(this.#governing.has(by) && !this.banned.has(by))
    if (type === 'join' && other !== undefined && this.blocked.get(user)?.has(other)) this.only.set(id, other)
    else if (type === 'join' && other === undefined && shunned) {
      this.only.set(id, by)
      place!.shadows.push({ user, by })
    } else if (type === 'join') {
      place!.members.add(user)
      place!.shadows = place!.shadows.filter((shadow) => shadow.user !== user)
    }
    if (type === 'message' && other !== undefined && this.blocked.get(other)?.has(user)) this.only.set(id, user)
    if (type === 'delete' && this.only.has(target!)) this.only.set(id, this.only.get(target!)!)
    if (type === 'leave' && !place!.members.delete(user)) {
      this.only.set(id, by)
      place!.shadows = place!.shadows.filter((shadow) => shadow.user !== user || shadow.by !== by)
    }
    if (type === 'ban') this.banned[facts.banned ? 'add' : 'delete'](target!)
    if (type === 'block') this.blocked.set(user, new Set(this.blocked.get(user)))
    if (type === 'block') this.blocked.get(user)![facts.on ? 'add' : 'delete'](target!)
  }

  /** Of the rooms that they see: is this for them? Of a room of two the coming and going is told to whose it is, but when it is made. */
  shows({ user }: Actor, { id, type, room, facts }: Logged): boolean {
    if (this.rooms.get(room)?.kind === 'direct' && (type === 'leave' || (type === 'join' && facts.slug === undefined)))
      return false
    return (this.only.get(id) ?? user) === user
  }

  sees({ user, bound, maker = user }: Actor, room: number): boolean {
    const { kind, members } = this.rooms.get(room)!
    return (
      !this.banned.has(user) &&
      (bound?.includes(room) ?? true) &&
      (kind === 'open' || members.has(user)) &&
      (kind !== 'private' || members.has(maker))
    )
  }

  /** Is it theirs to know that somebody comes or goes, beside what they see of the room? */
  concerns({ user, maker }: Actor, room: number, who: number): boolean {
    const { kind, members } = this.rooms.get(room)!
    if (maker === undefined || kind !== 'private') return who === user
    return (who === user && members.has(maker)) || (who === maker && members.has(user))
  }
}

function worldAt(log: readonly Logged[], id = Infinity): World {
  const world = new World()
  for (const event of log) if (event.id <= id) world.take(event)
  return world
}

function readLog(data: string): Logged[] {
  const database = new DatabaseSync(join(data, 'natter.db'), { readOnly: true })
  try {
    const rows = database
      .prepare('select id, type, user, room, target, facts from events order by id')
      .all() as unknown as (Omit<Logged, 'facts'> & { facts: string | null })[]
    return rows.map((row) => ({ ...row, facts: JSON.parse(row.facts ?? '{}') as Logged['facts'] }))
  } finally {
    database.close()
  }
}

// What is shown of an event: its id, its type on the wire, its room, and whose it is.

function shownOf(event: Logged, world: World): string | undefined {
  const { id, type, user, target } = event
  const slug = world.rooms.get(type === 'room' ? id : event.room)?.slug
  const author = (id: number) => `u_${id.toString(36)}`
  if (['message', 'join', 'leave'].includes(type)) return `${id} ${type} ${slug} ${author(user)}`
  if (type === 'delete') return `${id} delete ${slug}`
  if (type === 'room' || type === 'room_change') return `${id} room ${slug}`
  if (type === 'user') return `${id} user ${author(user)}`
  if (type === 'block') return `${id} block ${author(target!)}`
  if (['account', 'rename', 'role', 'ban', 'accept', 'token'].includes(type) && target !== null)
    return `${id} user ${author(target)}`
  return undefined
}

/** What told of a user or a room under a name, or a topic, that has been another since: the newer event tells the whole, and these nothing. By id: the newer one's. */
function supersededIn(log: readonly Logged[]): Map<number, number> {
  const about = ({ id, type, user, target, room }: Logged) =>
    type === 'user'
      ? `user ${user}`
      : ['account', 'rename', 'role', 'ban', 'accept', 'token'].includes(type)
        ? `user ${target}`
        : type === 'room'
          ? `room ${id}`
          : type === 'room_change'
            ? `room ${room}`
            : undefined
  const newer = new Map<string, number>()
  const superseded = new Map<number, number>()
  for (const event of log.toReversed()) {
    const subject = about(event)
    if (subject === undefined) continue
    const next = newer.get(subject)
    if (next !== undefined) superseded.set(event.id, next)
    if (
      ['account', 'rename'].includes(event.type) ||
      (event.type === 'room_change' && (event.facts.name || event.facts.topic))
    )
      newer.set(subject, event.id)
  }
  return superseded
}

function readFrame({ id, event, data }: ParsedEvent): string {
  const parsed = JSON.parse(data) as Message & Deletion & Membership & Room & User
  if (event === 'block') return `${id} block ${parsed.user.id}`
  if (event === 'room' || event === 'user') return `${id} ${event} ${parsed.id}`
  const author = event === 'message' ? parsed.from.id : event === 'delete' ? undefined : parsed.user.id
  return [id, event, parsed.room, author].filter((part) => part !== undefined).join(' ')
}

/** What a stream of events has to show: what it missed as its reader may see it when they come, then what happens as it happens. */
function expectedOn(
  { actor, rooms, mine, cursor, openedAt }: Reader,
  log: readonly Logged[],
): { shown: string[]; untold: Set<string>; ended: boolean } {
  const world = worldAt(log, openedAt)
  const bound = rooms ?? actor.bound
  const all = !bound && !mine
  const inView = (room: number) => bound?.includes(room) ?? true
  const isOpen = (room: number) => world.rooms.get(room)!.kind === 'open'
  const follows = new Set(
    [...world.rooms].flatMap(([room, { members }]) =>
      inView(room) && world.sees(actor, room) && (all || bound || members.has(actor.user)) ? [room] : [],
    ),
  )
  const gone = new Set(log.flatMap(({ id, type, target }) => (type === 'delete' && id <= openedAt ? [target] : [])))
  const superseded = supersededIn(log.filter(({ id }) => id <= openedAt))
  const shown: string[] = []
  // What was superseded at once may never have been told: where both are committed together, the older one has lost its name by then.
  const untold = new Set<string>()
  const allSuperseded = supersededIn(log)
  for (const event of log) {
    const { id, type, user } = event
    if (id > openedAt) {
      world.take(event)
      if (type === 'ban' && event.target === actor.user && event.facts.banned)
        return { shown: all ? [...shown, shownOf(event, world)!] : shown, untold, ended: true }
      if (type === 'room' && all && isOpen(id)) follows.add(id)
    }
    const room = type === 'room' ? id : event.room
    const oneself =
      (type === 'join' || type === 'leave') && inView(room) && world.concerns(actor, room, user) && !world.only.has(id)
    const inRoom = follows.has(room) && world.shows(actor, event)
    const anywhere = type === 'block' ? user === actor.user && !bound : all
    const frame = shownOf(event, world)
    if (
      id > cursor &&
      frame !== undefined &&
      (room === null ? anywhere : inRoom || oneself) &&
      !(type === 'message' && gone.has(id)) &&
      !superseded.has(id)
    ) {
      shown.push(frame)
      if ((allSuperseded.get(id) ?? Infinity) - id < groupMs * 1000) untold.add(frame)
    }
    if (id > openedAt && oneself && type === 'join' && world.sees(actor, room)) follows.add(room)
    if (id > openedAt && oneself && type === 'leave' && (mine || !isOpen(room))) follows.delete(room)
  }
  return { shown, untold, ended: false }
}

/** Somebody who watches, is cut off now and then, and comes back. */
class Reader {
  readonly actor: Actor
  /** Of these rooms. */
  readonly rooms: number[] | undefined
  readonly mine: boolean
  /** A stream of the list of rooms. */
  readonly lists: boolean
  readonly path: string
  listener: Listener | undefined
  cursor = 0
  openedAt = 0
  /** Its connection broke, and not because it was banned. */
  cutOff = false
  /** The rooms that its list has come to. */
  list = new Map<string, string>()
  #read = 0

  constructor(actor: Actor, view: { rooms?: number[]; mine?: boolean; lists?: boolean }, world: World) {
    this.actor = actor
    this.rooms = view.rooms
    this.mine = view.mine === true && !actor.bound
    this.lists = view.lists === true
    this.path = view.lists
      ? '/rooms'
      : `/events${view.mine ? '?mine' : view.rooms ? `?${view.rooms.map((room) => `room=${world.rooms.get(room)!.slug}`).join('&')}` : ''}`
  }

  /** Opens the stream, if that may be; nothing may happen meanwhile. */
  async come(log: readonly Logged[]): Promise<void> {
    const world = worldAt(log)
    const refused =
      world.banned.has(this.actor.user) || (this.rooms?.some((room) => !world.sees(this.actor, room)) ?? false)
    const lastEventId = this.listener?.parser.lastEventId
    const [from, before] = [lastEventId === undefined || lastEventId === '' ? undefined : lastEventId, this.listener]
    this.listener = await this.actor.person
      .listen({ path: this.path, ...(from !== undefined && { lastEventId: from }) })
      .catch(() => undefined)
    assert.equal(this.listener === undefined, refused, `${this.actor.name} opens ${this.path}`)
    if (refused) return void (this.listener = before)
    this.#read = 0
    this.cutOff = false
    this.openedAt = log.at(-1)!.id
    // Without a cursor a stream begins now, and a list at its beginning.
    this.cursor = from === undefined ? this.openedAt : Number(from)
  }

  cut(): void {
    if (this.open) this.cutOff = true
    this.listener?.leave()
  }

  get open(): boolean {
    return this.listener?.response.closed === false
  }

  /** It has what it has to have; or, where it was cut off, some of it. */
  async check(log: readonly Logged[], rooms: ReadonlyMap<string, string>): Promise<void> {
    if (!this.listener) return
    const what = `${this.actor.name} on ${this.path} from ${this.cursor}, opened at ${this.openedAt}`
    if (this.lists) return this.#checkList(log, rooms, what)
    const { shown: most, untold, ended } = expectedOn(this, log)
    const frames = () => this.listener!.all.filter(({ event }) => !passing.includes(event)).map(readFrame)
    const expected = () => {
      const come = new Set(frames())
      return most.filter((frame) => !untold.has(frame) || come.has(frame))
    }
    if (this.open && ended) await soon(this.listener.over, `${what} is still open`)
    if (this.open) {
      while (frames().length < expected().length) {
        assert.ok(
          this.open,
          `${what} ended with ${frames().length} of ${expected().length}: ${frames().at(-1)}, and not ${expected().join('; ')}`,
        )
        await this.listener.more(what)
      }
    }
    assert.deepEqual(frames(), this.cutOff ? expected().slice(0, frames().length) : expected(), what)
  }

  async #checkList(log: readonly Logged[], rooms: ReadonlyMap<string, string>, what: string): Promise<void> {
    const ended = log.some(
      ({ id, type, target, facts }) =>
        id > this.openedAt && type === 'ban' && target === this.actor.user && facts.banned,
    )
    if (this.open && ended) await soon(this.listener!.over, `${what} is still open`)
    for (;;) {
      this.#takeList(log, what)
      if (!this.open || same(this.list, rooms)) break
      await this.listener!.more(`${what} has ${JSON.stringify([...this.list])} and not ${JSON.stringify([...rooms])}`)
    }
  }

  #takeList(log: readonly Logged[], what: string): void {
    for (const { id, event, data } of this.listener!.all.slice(this.#read)) {
      this.#read++
      if (event === 'ping') continue
      assert.notEqual(event, 'reset', what)
      const slug = event === 'leave' ? (JSON.parse(data) as Membership).room : (JSON.parse(data) as Room).id
      if (event === 'leave') this.list.delete(slug)
      else this.list.set(slug, listed(JSON.parse(data) as Room))
      const world = worldAt(log, Math.max(Number(id), this.openedAt))
      const [room] = [...world.rooms].find(([, room]) => room.slug === slug)!
      // An older entry is of a room that was theirs then; that they lost it stands behind it.
      if (event !== 'leave' && Number(id) > this.openedAt)
        assert.ok(world.sees(this.actor, room), `${what} shows ${data} at ${id}`)
    }
  }
}

const same = (one: ReadonlyMap<string, string>, other: ReadonlyMap<string, string>) =>
  one.size === other.size && [...one].every(([key, value]) => other.get(key) === value)

async function soon(promise: Promise<unknown>, what: string): Promise<void> {
  const late = new Promise((_, reject) => setTimeout(() => reject(new Error(what)), 1000).unref())
  await Promise.race([promise, late])
}

/** What somebody gets of each room agrees with the model. */
async function checkReads(random: Random, actor: Actor, log: readonly Logged[]): Promise<void> {
  const { person, name } = actor
  const world = worldAt(log)
  const banned = world.banned.has(actor.user)
  const gone = new Set(log.flatMap(({ type, target }) => (type === 'delete' ? [target] : [])))
  const get = async (path: string) => wholeAnswer(await person.fetch(path))

  if (banned) assert.match(await get('/rooms'), /^403\n/)

  await Promise.all(
    [...world.rooms].map(async ([room, { slug, members, pair, shadows }]) => {
      const said = log.filter((event) => event.type === 'message' && event.room === room && world.shows(actor, event))
      const { id: one } = said.length > 0 ? random.pick(said) : { id: 1 }
      const what = `${name} in ${slug}`
      if (!world.sees(actor, room)) {
        for (const path of ['', '/messages', '/members', `/messages/${one}`, `/messages?before=${one}`])
          assert.equal(await get(`/rooms/${slug}${path}`), await get(`/rooms/${never}${path}`), `${what}${path}`)
        return
      }
      const { messages } = await person.read<{ messages: Message[] }>(`/rooms/${slug}/messages?limit=200`)
      assert.deepEqual(
        messages.map(({ id, from }) => `${id} ${from.id}`),
        said
          .filter(({ id }) => !gone.has(id))
          .slice(-200)
          .map(({ id, user }) => `${id} u_${user.toString(36)}`),
        what,
      )
      const found = await person.read<{ members: Member[] }>(`/rooms/${slug}/members`)
      assert.deepEqual(
        found.members.map(({ id }) => id).sort(),
        [
          ...(pair.length > 0
            ? pair
            : new Set([...members, ...shadows.filter(({ by }) => by === actor.user).map(({ user }) => user)])),
        ]
          .map((user) => `u_${user.toString(36)}`)
          .sort(),
        what,
      )
      if (said.length > 0)
        assert.equal(
          (await person.read<Message>(`/rooms/${slug}/messages/${one}`)).deleted ?? false,
          gone.has(one),
          what,
        )
    }),
  )
}

/** The rooms that somebody is listed, as JSON; they are those of the model. */
async function checkRooms(actor: Actor, world: World): Promise<Map<string, string>> {
  const rooms = world.banned.has(actor.user) ? [] : (await actor.person.read<{ rooms: ListedRoom[] }>('/rooms')).rooms
  const seen = [...world.rooms].filter(([room]) => world.sees(actor, room)).map(([, { slug }]) => slug)
  assert.deepEqual(rooms.map(({ id }) => id).sort(), seen.sort(), `the rooms of ${actor.name}`)
  // What is unread is told here alone.
  return new Map(rooms.map(({ read: _, unread: __, mentions: ___, ...room }) => [room.id, listed(room)]))
}

// A direct room is called after its two, whose new names their own events tell.
const listed = (room: Room) => JSON.stringify(room.kind === 'direct' ? { ...room, name: 'the two' } : room)

/** A replay of everything has exactly what they may see now, and what they did themselves. */
async function checkReplay(actor: Actor, log: readonly Logged[]): Promise<void> {
  if (worldAt(log).banned.has(actor.user))
    return assert.match(await actor.person.refused('GET', '/events?since=all'), /^403 banned$/)
  const listener = await actor.person.listen({ path: '/events?since=all' })
  await listener.next('ping')
  const reader = Object.assign(new Reader(actor, {}, worldAt(log)), { openedAt: log.at(-1)!.id })
  const frames = listener.all.filter(({ event }) => !passing.includes(event)).map(readFrame)
  listener.leave()
  assert.deepEqual(frames, expectedOn(reader, log).shown, `all that ${actor.name} may see`)
}

interface Story {
  random: Random
  actors: Actor[]
  /** Of everybody's messages: where and what. */
  said: { actor: Actor; slug: string; id: string }[]
}

/** Something that somebody may or may not do; gives the answer. */
function deed({ random, actors, said }: Story, world: World): { actor: Actor; room?: number; done: Promise<Response> } {
  // Mostly those who may do something.
  const actor = random.pick(random.chance(0.6) ? actors.slice(0, 4) : actors)
  const other = random.pick(actors.slice(0, -1).filter((one) => one !== actor))
  // And where they may.
  const all = [...world.rooms.keys()]
  const seen = all.filter((room) => world.sees(actor, room))
  const room = random.pick(seen.length > 0 && random.chance(0.7) ? seen : all)
  const { slug } = world.rooms.get(room)!
  const at = `/rooms/${slug}`
  const ask = (method: string, path: string, body?: unknown) => actor.person.send(method, path, body ?? '', own)
  const post = async () => {
    const answer = await ask('POST', `${at}/messages`, { text: `of ${actor.name}` })
    if (answer.ok) said.push({ actor, slug, id: ((await answer.clone().json()) as Message).id })
    return answer
  }
  const remove = () => {
    const mine = said.filter((message) => message.actor === actor)
    const one = mine.length > 0 ? random.pick(mine) : { slug, id: '1' }
    return ask('DELETE', `/rooms/${one.slug}/messages/${one.id}`)
  }
  const invite = async () => {
    const answer = await ask('POST', '/invites', { room: slug })
    if (!answer.ok) return answer
    const { code } = (await answer.clone().json()) as { code: string }
    await other.person.send('POST', '/invites/accept', { code }, own)
    return answer
  }
  const [olga, alma] = actors as [Actor, Actor]
  const inRoom: [number, () => Promise<Response>][] = [
    [12, post],
    [3, () => ask('PUT', `${at}/members/me`)],
    [4, () => ask('DELETE', `${at}/members/me`)],
    [
      6,
      () =>
        ask(
          'PUT',
          `${at}/members/${other.person.id}`,
          random.chance(0.3) ? { role: random.pick(['owner', 'member']) } : undefined,
        ),
    ],
    [6, () => ask('DELETE', `${at}/members/${other.person.id}`)],
    [3, invite],
    [2, () => ask('PATCH', at, { topic: `topic ${random.below(1000)}` })],
    [1, () => ask('PATCH', at, { archived: random.chance(0.3) })],
  ]
  const elsewhere: [number, () => Promise<Response>][] = [
    [3, remove],
    [1, () => ask('PATCH', '/users/me', { name: `${actor.name} ${random.below(1000)}` })],
    [
      2,
      () =>
        random
          .pick([olga, alma])
          .person.send('PATCH', `/users/${other.person.id}`, { banned: random.chance(0.35) }, own),
    ],
    [
      world.rooms.size < 9 ? 2 : 0,
      () =>
        ask('POST', '/rooms', {
          name: `room ${random.below(1000)}`,
          kind: random.pick(['open', 'private', 'private']),
        }),
    ],
    [world.rooms.size < 9 ? 2 : 1, () => ask('POST', '/direct', { user: other.person.id })],
    [2, () => ask('PUT', `/blocks/${other.person.id}`)],
    [2, () => ask('DELETE', `/blocks/${other.person.id}`)],
  ]
  const weighed = [
    ...inRoom.map(([weight, act]) => ({ weight, act, room })),
    ...elsewhere.map(([weight, act]) => ({ weight, act, room: undefined })),
  ]
  const chosen = random.pick(weighed.flatMap((choice) => Array<typeof choice>(choice.weight).fill(choice)))
  return { actor, ...(chosen.room !== undefined && { room: chosen.room }), done: chosen.act() }
}

async function everybody(chat: ChatServer): Promise<Actor[]> {
  const olga = await chat.owner()
  const [alma, mark, mia] = [await chat.account('alma'), await chat.account('mark'), await chat.account('mia')]
  await olga.giveRole(alma, 'admin')
  const rooms = [
    await olga.makeRoom('attic', { kind: 'private' }),
    await mark.makeRoom('cellar', { kind: 'private' }),
    await mia.makeRoom('garden'),
  ]
  const [gus, gina] = [await chat.comeIn('gus'), await chat.comeIn('gina')]
  // Enough of them in the closed rooms that somebody goes on talking there when others are gone.
  for (const person of [alma, mark, mia, gus]) await olga.add(rooms[0]!, person)
  for (const person of [olga, mia, gina]) await mark.add(rooms[1]!, person)
  const robot = await olga.makeBot({ name: 'robot' })
  const bound = await olga.makeBot({ name: 'bound', rooms: ['lobby', ...rooms] })
  await chat.claiming('una').say('lobby', 'x')
  const { id } = await chat.stranger.read<User>('/users/una')
  const una = Object.defineProperty(chat.claiming('una'), 'id', { value: id })
  const ids = (await olga.read<{ rooms: Room[] }>('/rooms')).rooms
    .filter((room) => room.id === 'lobby' || rooms.includes(room.id))
    .map(({ at, id }) => ({ at, id }))
  assert.equal(ids.length, 4)
  const people: [string, Person][] = Object.entries({ olga, alma, mark, mia, gus, gina, robot, bound, una })
  const idOf = (person: Person) => parseInt(person.id.slice(2), 36)
  const made = (name: string) => (name === 'robot' || name === 'bound' ? { maker: idOf(olga) } : {})
  return [
    ...people.map(([name, person]) => ({ name, person, user: idOf(person), ...made(name) })),
    { name: 'nobody', person: chat.stranger, user: 0 },
  ]
}

property(
  'everybody sees what they may see now, in lists, pages, replays and streams, whatever happens',
  async (random, t) => {
    const data = await temporaryFolder(t)
    const chat = await startChat(t, { data })
    const actors = await everybody(chat)
    const story: Story = { random, actors, said: [] }
    let log = readLog(data)
    let world = worldAt(log)
    const first = [...world.rooms.keys()]
    actors.find(({ name }) => name === 'bound')!.bound = first
    const readers = actors.flatMap((actor) => {
      const rooms = first.filter((room) => world.sees(actor, room))
      const views = [
        {},
        {},
        { rooms: [random.pick(rooms)] },
        { rooms },
        { lists: true },
        ...(actor.user === 0 ? [] : [{ mine: true }, { mine: true }]),
      ]
      return views.map((view) => new Reader(actor, view, world))
    })
    await Promise.all(readers.map((reader) => reader.come(log)))
    const until = performance.now() + lastsMs
    let killed = false
    let done = 0
    const types = ['message', 'delete', 'join', 'leave', 'ban', 'accept', 'room', 'room_change', 'rename', 'block']
    // The premises: much was done, and all of it came up.
    const missing = () => [
      ...types.filter((type) => !log.some((event) => event.type === type)),
      ...(killed ? [] : ['a kill']),
      ...(done > 150 ? [] : [`more than ${done} deeds`]),
    ]

    for (
      let round = 0;
      performance.now() < until || (missing().length > 0 && performance.now() < until + premisesMs);
      round++
    ) {
      for (let batch = random.between(1, 10); batch > 0; batch--) {
        const deeds = Array.from({ length: random.pick([1, 1, 2, 5]) }, () => deed(story, world))
        // Somebody's connection breaks in the middle of it.
        if (random.chance(0.3)) random.pick(readers).cut()
        const answers = await Promise.all(deeds.map(({ done }) => done))
        for (const answer of answers)
          assert.ok(answer.status < 500 && answer.status !== 400, `${answer.status} ${await answer.clone().text()}`)
        done += answers.filter(({ ok }) => ok).length
        const [{ actor, room }] = deeds as [ReturnType<typeof deed>]
        if (deeds.length === 1 && answers[0]!.ok && room !== undefined)
          assert.ok(world.sees(actor, room), `${actor.name} did something in a room that is not theirs to see`)
        log = readLog(data)
        world = worldAt(log)
      }
      const lists = new Map<Actor, Map<string, string>>()
      for (const actor of actors) lists.set(actor, await checkRooms(actor, world))
      await checkReads(random, random.pick(actors), log)
      await Promise.all(readers.map((reader) => reader.check(log, lists.get(reader.actor)!)))
      for (let some = 3; some > 0; some--) await checkReplay(random.pick(actors), log)
      if (!killed && round > 5 && (random.chance(0.1) || performance.now() > until - lastsMs / 3)) {
        killed = true
        await chat.kill()
        await Promise.all(readers.map((reader) => reader.listener?.over))
        for (const reader of readers) reader.cutOff = true
        await chat.start()
        log = readLog(data)
      }
      for (const reader of readers) if (!reader.open && random.chance(0.7)) await reader.come(log)
    }

    for (const actor of actors) {
      await checkReads(random, actor, log)
      await checkReplay(actor, log)
    }
    assert.deepEqual(missing(), [])
  },
)
