// The operations on rooms, and the parts that have all others. Each takes who asks, checks what can be checked on the reading connection, appends
// events, and answers when they are durable and delivered. Has never heard of a status code, a header or a URL.

import { randomBytes } from 'node:crypto'
import { ChatError } from '../errors.ts'
import type { MemberRow, RoomRow } from '../store/tables/room-tables.ts'
import { newLogId, newLogSecret } from '../store/tables/skeletons.ts'
import { Access } from './access.ts'
import { Accounts } from './people/accounts.ts'
import { Appender } from './appender.ts'
import { Blocks } from './people/blocks.ts'
import { Cleanups } from './people/cleanups.ts'
import { hasBlocked, slugOfTwo } from './rooms/direct.ts'
import type { Member, Room } from './streams/events.ts'
import { Invites } from './people/invites.ts'
import { rules, type RoomMade } from '../store/log/log-events.ts'
import { cleanName, readName, slugOf } from './people/names.ts'
import { countOf, readPage, type Pages } from './pages.ts'
import type { Parts } from './parts.ts'
import { People } from './people/people.ts'
import { RoomList, type RoomPages, type RoomsPage } from './rooms/room-list.ts'
import { Search } from './talk/search.ts'
import { Streams } from './streams/streams.ts'
import { cleanTopic } from './talk/text.ts'
import { Talk } from './talk/talk.ts'
import { Tokens } from './people/tokens.ts'
import { userIn, type Who } from './people/who.ts'
import { toRoom, toUser, userId } from './streams/wire.ts'

export interface NewRoom {
  name: string
  /** `open` unless said otherwise. */
  kind?: 'open' | 'private' | undefined
  topic?: string | undefined
}

/** Counts a room that is about to be made, or refuses it; what it returns takes that back. */
export type CountRoom = () => () => void

const uncounted: CountRoom = () => () => {}

export interface RoomChanges {
  name?: string | undefined
  topic?: string | undefined
  archived?: boolean | undefined
}

export interface ChatOptions extends Pick<Parts, 'log' | 'database' | 'reader'> {
  /** `open`: people come in by a name, and whoever comes may read open rooms; `invite`: nobody without an invite. */
  access?: 'open' | 'invite'
  /** How many of the newest events are kept in memory. */
  ring?: number | undefined
  /** Called when what a stream missed can't be read. */
  onError: (error: unknown) => void
}

const limits = {
  membersListed: 1000,
}

export class Chat {
  readonly #parts: Parts
  readonly #list: RoomList
  /** Who asks. */
  readonly people: People
  readonly accounts: Accounts
  readonly blocks: Blocks
  readonly cleanups: Cleanups
  readonly invites: Invites
  readonly tokens: Tokens
  readonly talk: Talk
  readonly streams: Streams
  readonly search: Search

  /** The log must not have been written to before; `start` has to be awaited before anything else. */
  constructor({ log, database, reader, access = 'open', ring, onError }: ChatOptions) {
    const appender = new Appender(log, database)
    this.people = new People(database, appender, access)
    this.#parts = {
      log,
      database,
      reader,
      appender,
      access: new Access(database, { open: access === 'open' }),
      people: this.people,
    }
    this.cleanups = new Cleanups(this.#parts, { onError })
    this.accounts = new Accounts({ ...this.#parts, cleanups: this.cleanups })
    this.blocks = new Blocks(this.#parts)
    this.invites = new Invites({ ...this.#parts, accounts: this.accounts })
    this.tokens = new Tokens(this.#parts)
    this.search = new Search(this.#parts)
    this.streams = new Streams(this.#parts, { ring, onError })
    this.talk = new Talk({ ...this.#parts, streams: this.streams })
    this.#list = new RoomList(this.#parts, this.talk.reads)
  }

  /** Makes what is always there, and goes on with what was under way. */
  async start(): Promise<void> {
    const { appender, database } = this.#parts
    if (!database.log())
      await appender.append({ type: 'log', rules, facts: { id: newLogId(), secret: newLogSecret() } })
    if (!database.rooms.roomBySlug('lobby'))
      await appender.append({ type: 'room', rules, facts: { slug: 'lobby', kind: 'open' }, body: { name: 'lobby' } })
    this.cleanups.begin()
  }

  /** What tells this place from others, for good and on all of its nodes; it is no secret. */
  get id(): string {
    return this.#parts.database.log()!.id
  }

  /** Ends the streams of somebody whom the server that natter is mounted in knows by this id. */
  disconnect(outside: string): void {
    const user = this.#parts.database.people.userByOutside(outside)
    if (user) this.streams.endOf(user.id)
  }

  // Rooms

  /** In pages: first those that they are in, with what is unread there, then the others that they may see. */
  rooms(who: Who, pages: RoomPages = {}): Promise<RoomsPage> {
    return this.#list.page(who, pages)
  }

  room(who: Who, slug: string): Room {
    return toRoom(this.#parts.access.room(who, slug))
  }

  /** Who makes a room is in it, and owns it. */
  async createRoom(
    who: Who,
    { name: raw, kind = 'open', topic: rawTopic = '' }: NewRoom,
    count = uncounted,
  ): Promise<Room> {
    const { id: user } = this.people.person(who)
    // A host may hand on what it was sent itself.
    if (kind !== 'open' && kind !== 'private')
      throw new ChatError('invalid_request', 'kind must be open or private; the room of two is made as a direct one')
    const name = cleanName(raw)
    const topic = cleanTopic(rawTopic)
    // A private room is to be none for whoever is not in it: were its name all of its address, making another would tell of it.
    const slug = kind === 'private' ? `${slugOf(name)}-${randomBytes(5).readUIntBE(0, 5).toString(36)}` : slugOf(name)
    const made: RoomMade = { type: 'room', rules, user, facts: { slug, kind }, body: { name, ...(topic && { topic }) } }
    this.#parts.appender.check(made)
    const takeBack = count()
    try {
      const { id } = await this.#parts.appender.append(made, {
        after: [{ type: 'join', rules, user, facts: { slug, role: 'owner' } }],
      })
      return toRoom(this.#parts.database.rooms.room(id)!)
    } catch (error) {
      takeBack()
      throw error
    }
  }

  async changeRoom(who: Who, slug: string, { name: rawName, topic: rawTopic, archived }: RoomChanges): Promise<Room> {
    const { id: user } = this.people.person(who)
    const room = this.#parts.access.room(who, slug)
    // A name that is there may stay.
    const name = rawName === undefined ? undefined : readName(rawName) === room.name ? room.name : cleanName(rawName)
    const topic = rawTopic === undefined ? undefined : cleanTopic(rawTopic)
    const facts = {
      ...(name !== undefined && { name: true as const }),
      ...(topic !== undefined && { topic: true as const }),
      ...(archived !== undefined && { archived }),
    }
    // To have no topic is said by the facts alone.
    const body = { ...(name !== undefined && { name }), ...(topic && { topic }) }
    await this.#parts.appender.append({ type: 'room_change', rules, user, room: room.id, facts, body })
    return toRoom(this.#parts.database.rooms.room(room.id)!)
  }

  /** The room of two, made if need be. `with` is the other's id or name. */
  async direct(who: Who, { with: raw }: { with: string }, count = uncounted): Promise<{ room: Room; made: boolean }> {
    const user = this.people.person(who)
    const other = this.people.find(who, raw)
    if (other.id === user.id) throw new ChatError('invalid_request', 'a direct room is for two; name somebody else')
    if (other.kind === 'unproven')
      throw new ChatError('forbidden', `nothing proves that ${other.name} is who they say; they have to come in first`)
    if (hasBlocked(this.#parts.database, user.id, other.id))
      throw new ChatError(
        'blocked',
        `you have blocked ${other.name}; end that first, with DELETE /blocks/${userId(other.id)}`,
      )
    const inOrder = user.id < other.id ? [user.id, other.id] : [other.id, user.id]
    const slug = slugOfTwo(user.id, other.id)
    const known = this.#parts.database.rooms.roomBySlug(slug)
    if (known) {
      // They may have left it. The other one comes back by what is said there.
      await this.#parts.appender.appendUnless('already_member', { type: 'join', rules, user: user.id, room: known.id })
      return { room: toRoom(known), made: false }
    }
    if (other.banned !== 0) throw new ChatError('forbidden', `${other.name} is banned`)
    const room: RoomMade = {
      type: 'room',
      rules,
      user: user.id,
      facts: { slug, kind: 'direct', pair: [user.id, other.id] },
    }
    const after = inOrder.map((id) => ({ type: 'join', rules, user: id, facts: { slug, by: user.id } }) as const)
    const takeBack = count()
    let made = false
    try {
      made = await this.#parts.appender.appendUnless('room_exists', room, { after })
    } finally {
      if (!made) takeBack()
    }
    return { room: toRoom(this.#parts.database.rooms.roomBySlug(slug)!), made }
  }

  // Who is in them

  /** As they came. @throws ChatError `not_found` also for who was the last of a page, and has left since */
  async members(
    who: Who,
    slug: string,
    { after, limit = limits.membersListed }: Pages = {},
  ): Promise<{ members: Member[]; cursor: string; more: boolean }> {
    const room = this.#parts.access.room(who, slug)
    const { cursor } = this.#parts.appender
    const { rooms } = this.#parts.database
    const first = after === undefined ? 0 : this.#placeIn(room, this.people.find(who, after).id, userIn(who))
    // That somebody has left a direct room is theirs alone to know, and that they blocked somebody who put them into one.
    const read =
      room.kind === 'direct'
        ? (last: MemberRow | undefined) => rooms.bothOf(room.id).filter(({ since }) => since > (last?.since ?? first))
        : (last: MemberRow | undefined, count: number) =>
            rooms.members(room.id, { reader: userIn(who), after: last?.since ?? first, limit: count })
    const show = (row: MemberRow): Member => ({
      ...toUser(row),
      ...(row.roomRole === 'owner' && { roomRole: row.roomRole }),
      ...(this.streams.isHere(row.id) && { here: true }),
    })
    const { shown, more } = await readPage({ read, show, limit: countOf(limit, limits.membersListed) })
    return { members: shown, cursor, more }
  }

  // Where in the list of who is in a room somebody stands.
  #placeIn({ id, kind }: RoomRow, user: number, reader: number): number {
    const place = kind === 'direct' ? user : this.#parts.database.rooms.memberFor(id, user, reader)
    if (place === undefined)
      throw new ChatError('not_found', 'they are not in this room any more; begin again without after')
    return place
  }

  /** Comes in, or with `user` (an id or name) adds somebody else, or gives a role in the room. Does nothing where it is so already. */
  async join(
    who: Who,
    slug: string,
    { user: raw = 'me', role }: { user?: string; role?: 'owner' | 'member' | undefined } = {},
  ): Promise<void> {
    const { user, room, by } = this.#coming(who, slug, raw)
    if (role) this.people.person(who)
    await this.#parts.appender.appendUnless('already_member', {
      type: 'join',
      rules,
      user,
      room,
      facts: { ...(by !== undefined && { by }), ...(role && { role }) },
    })
  }

  /** Goes, or removes somebody else. Does nothing for who is not in it. */
  async leave(who: Who, slug: string, raw = 'me'): Promise<void> {
    const { user, room, by } = this.#coming(who, slug, raw)
    await this.#parts.appender.appendUnless('not_member', {
      type: 'leave',
      rules,
      user,
      room,
      ...(by !== undefined && { facts: { by } }),
    })
  }

  // Who comes or goes, and by whose doing if it is not their own.
  #coming(who: Who, slug: string, raw: string): { user: number; room: number; by: number | undefined } {
    const { id: self } = this.people.writer(who)
    const { id: room } = this.#parts.access.room(who, slug)
    const { id: user } = this.people.find(who, raw)
    return { user, room, by: user === self ? undefined : this.people.person(who).id }
  }
}
