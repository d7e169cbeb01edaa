// The operations on rooms and messages. Each takes who asks, checks what can be checked on the reading connection, appends
// events, and answers when they are durable and delivered. Has never heard of a status code, a header or a URL.

import { createHash, randomBytes } from 'node:crypto'
import { ChatError } from '../errors.ts'
import type { Database } from '../store/database.ts'
import type { EventLog, LoggedEvent } from '../store/event-log.ts'
import { Access } from './access.ts'
import { Accounts } from './accounts.ts'
import { Appender } from './appender.ts'
import type { Member, Message, Room } from './events.ts'
import { Invites } from './invites.ts'
import { rules, type LogEvent, type Posted, type RoomMade } from './log-events.ts'
import { People } from './people.ts'
import type { Who } from './who.ts'
import { Streams } from './streams.ts'
import { cleanName, cleanText, cleanTopic, slugOf } from './text.ts'
import { Tokens } from './tokens.ts'
import { toMessage, toRoom, toUser } from './wire.ts'

export interface PostOptions {
  text: string
  /** The id of the message that this one answers. */
  replyTo?: string | undefined
  /** With the same key, the same request again is the same message. */
  key?: string | undefined
}

export interface PageOptions {
  before?: number | undefined
  after?: number | undefined
  limit?: number | undefined
}

export interface NewRoom {
  name: string
  /** `open` unless said otherwise. */
  kind?: 'open' | 'private' | undefined
  topic?: string | undefined
}

export interface RoomChanges {
  name?: string | undefined
  topic?: string | undefined
  archived?: boolean | undefined
}

export interface ChatOptions {
  log: EventLog
  /** What the log adds up to, for reading. */
  database: Database
  /** `open`: people come in by a name, and whoever comes may read open rooms; `invite`: nobody without an invite. */
  access?: 'open' | 'invite'
  /** How many of the newest events are kept in memory. */
  ring?: number | undefined
  /** Called when what a stream missed can't be read. */
  onError: (error: unknown) => void
}

const limits = {
  pageMessages: 200, // of history in one answer
  pageCharacters: 256 * 1024, // of their texts: whoever asks may never read the answer, and it waits in memory
  roomsListed: 10_000,
  membersListed: 1000,
}

export class Chat {
  readonly #log: EventLog
  readonly #database: Database
  readonly #access: Access
  readonly #appender: Appender
  /** Who asks. */
  readonly people: People
  readonly accounts: Accounts
  readonly invites: Invites
  readonly tokens: Tokens
  readonly streams: Streams

  /** The log must not have been written to before; `start` has to be awaited before anything else. */
  constructor({ log, database, access = 'open', ring, onError }: ChatOptions) {
    this.#log = log
    this.#database = database
    this.#access = new Access(database, { open: access === 'open' })
    this.#appender = new Appender(log, database)
    this.people = new People(database, this.#appender, { access, newest: () => log.newest })
    const parts = { database, appender: this.#appender, people: this.people, access: this.#access }
    this.accounts = new Accounts(parts)
    this.invites = new Invites({ ...parts, accounts: this.accounts })
    this.tokens = new Tokens(parts)
    this.streams = new Streams({ log, database, access: this.#access, ring, onError })
  }

  /** Makes what is always there. */
  async start(): Promise<void> {
    if (!this.#database.rooms.roomBySlug('lobby')) await this.#appender.append({ type: 'room', rules, facts: { slug: 'lobby', name: 'lobby', kind: 'open' } })
  }

  /** Ends the streams of somebody whom the server that natter is mounted in knows by this id. */
  disconnect(outside: string): void {
    const user = this.#database.people.userByOutside(outside)
    if (user) this.streams.endOf(user.id)
  }

  // Rooms

  rooms(who: Who): { rooms: Room[]; cursor: string } {
    return { rooms: this.#access.rooms(who, limits.roomsListed).map(toRoom), cursor: this.#cursor() }
  }

  room(who: Who, slug: string): Room {
    return toRoom(this.#access.room(who, slug))
  }

  /** Who makes a room is in it, and owns it. */
  async createRoom(who: Who, { name: raw, kind = 'open', topic: rawTopic = '' }: NewRoom): Promise<Room> {
    const { id: user } = this.people.person(who)
    const name = cleanName(raw)
    const topic = cleanTopic(rawTopic)
    // A private room is to be none for whoever is not in it: were its name all of its address, making another would tell of it.
    const slug = kind === 'private' ? `${slugOf(name)}-${randomBytes(5).readUIntBE(0, 5).toString(36)}` : slugOf(name)
    const made: RoomMade = { type: 'room', rules, user, facts: { slug, name, kind, ...(topic && { topic }) } }
    const { id } = await this.#appender.append(made, { after: [{ type: 'join', rules, user, facts: { slug, role: 'owner' } }] })
    return toRoom(this.#database.rooms.room(id)!)
  }

  async changeRoom(who: Who, slug: string, { name: rawName, topic: rawTopic, archived }: RoomChanges): Promise<Room> {
    const { id: user } = this.people.person(who)
    const room = this.#access.room(who, slug)
    const facts = {
      ...(rawName !== undefined && { name: cleanName(rawName) }),
      ...(rawTopic !== undefined && { topic: cleanTopic(rawTopic) }),
      ...(archived !== undefined && { archived }),
    }
    await this.#appender.append({ type: 'room_change', rules, user, room: room.id, facts })
    return toRoom(this.#database.rooms.room(room.id)!)
  }

  /** The room of two, made if need be. `with` is the other's id or name. */
  async direct(who: Who, { with: raw }: { with: string }): Promise<{ room: Room; made: boolean }> {
    const user = this.people.person(who)
    const other = this.people.find(who, raw)
    if (other.id === user.id) throw new ChatError('invalid_request', 'a direct room is for two; name somebody else')
    if (other.kind === 'unproven') throw new ChatError('forbidden', `nothing proves that ${other.name} is who they say; they have to come in first`)
    if (other.banned !== 0) throw new ChatError('banned', `${other.name} is banned`)
    const pair: [number, number] = user.id < other.id ? [user.id, other.id] : [other.id, user.id]
    // No name makes a slug that begins like this.
    const slug = `-${pair[0].toString(36)}-${pair[1].toString(36)}`
    const there = this.#database.rooms.roomBySlug(slug)
    if (there) return { room: toRoom(there), made: false }
    const made: RoomMade = { type: 'room', rules, user: user.id, facts: { slug, name: `${user.name}, ${other.name}`, kind: 'direct', pair } }
    const joins = pair.map((id) => ({ type: 'join', rules, user: id, facts: { slug, by: user.id } }) as const)
    try {
      const { id } = await this.#appender.append(made, { after: joins })
      return { room: toRoom(this.#database.rooms.room(id)!), made: true }
    } catch (error) {
      // The other may have made it at the same moment.
      const room = this.#database.rooms.roomBySlug(slug)
      if (room) return { room: toRoom(room), made: false }
      throw error
    }
  }

  // Who is in them

  members(who: Who, slug: string): { members: Member[]; cursor: string } {
    const room = this.#access.room(who, slug)
    const members = this.#database.rooms.members(room.id, limits.membersListed).map((row) => ({ ...toUser(row), ...(row.roomRole === 'owner' && { roomRole: row.roomRole }) }))
    return { members, cursor: this.#cursor() }
  }

  /** Does nothing for who is in it already. */
  async join(who: Who, slug: string): Promise<void> {
    const user = this.people.writer(who)
    const room = this.#access.room(who, slug)
    await this.#appender.appendUnless('already_member', { type: 'join', rules, user: user.id, room: room.id })
  }

  /** Adds somebody (their id or name), or gives them another role in the room. */
  async addMember(who: Who, slug: string, { user: raw, role }: { user: string; role?: 'owner' | 'member' | undefined }): Promise<void> {
    const { id: by } = this.people.person(who)
    const room = this.#access.room(who, slug)
    const user = this.people.find(who, raw)
    await this.#appender.appendUnless('already_member', { type: 'join', rules, user: user.id, room: room.id, facts: { by, ...(role && { role }) } })
  }

  /** Does nothing for who is not in it. */
  async leave(who: Who, slug: string): Promise<void> {
    const user = this.people.writer(who)
    const room = this.#access.room(who, slug)
    await this.#appender.appendUnless('not_member', { type: 'leave', rules, user: user.id, room: room.id })
  }

  async removeMember(who: Who, slug: string, raw: string): Promise<void> {
    const { id: by } = this.people.person(who)
    const room = this.#access.room(who, slug)
    const user = this.people.find(who, raw)
    await this.#appender.appendUnless('not_member', { type: 'leave', rules, user: user.id, room: room.id, facts: { by } })
  }

  // Messages

  /** A page of a room's history, oldest first; `more` tells whether it goes on in the direction asked for. */
  messages(who: Who, slug: string, { before, after, limit = 50 }: PageOptions): { messages: Message[]; cursor: string; more: boolean } {
    const room = this.#access.room(who, slug)
    const count = Math.min(limit, limits.pageMessages)
    // A commit can be read before it was delivered; such a message would be on the page and come after its cursor as well.
    const end = this.#log.newest + 1
    // One more than asked for tells whether there are more.
    const found = after === undefined
      ? this.#database.messagesBefore(room.id, Math.min(before ?? end, end), count + 1)
      : this.#database.messagesAfter(room.id, after, count + 1).filter(({ id }) => id < end)
    const page = withinCharacters(found.slice(0, count), limits.pageCharacters)
    const more = found.length > page.length
    if (after === undefined) page.reverse()
    return { messages: page.map(toMessage), cursor: this.#cursor(), more }
  }

  message(who: Who, slug: string, id: string): Message {
    const room = this.#access.room(who, slug)
    const event = /^\d{1,16}$/.test(id) && Number(id) <= this.#log.newest ? this.#database.event(Number(id)) : undefined
    if (event?.type !== 'message' || event.room !== room.id) throw new ChatError('not_found', `there is no message ${id.slice(0, 20)} in ${slug}`)
    return toMessage(event)
  }

  async post(who: Who, slug: string, { text: raw, replyTo, key }: PostOptions): Promise<Message> {
    const room = this.#access.roomToWrite(who, slug)
    const text = cleanText(raw)
    const target = replyTo === undefined ? undefined : Number(this.message(who, slug, replyTo).id)
    const user = await this.people.somebody(who)
    const post: Posted = { type: 'message', rules, user: user.id, room: room.id, text, ...(target !== undefined && { target }) }
    if (key !== undefined) Object.assign(post, { key, print: printOf(room.slug, text, replyTo ?? '') })
    // Who posts in an open room is in it from then on. Should somebody have been quicker, only the join is refused.
    const before: LogEvent[] = this.#database.rooms.roleIn(room.id, user.id) ? [] : [{ type: 'join', rules, user: user.id, room: room.id }]
    return toMessage(await this.#appender.append(post, { before }))
  }

  /** Deletes one's own message: what it said is gone, everywhere; that there was one stays. */
  async remove(who: Who, slug: string, id: string): Promise<void> {
    const user = this.people.writer(who)
    const room = this.#access.room(who, slug)
    const target = Number(this.message(who, slug, id).id)
    await this.#appender.append({ type: 'delete', rules, user: user.id, room: room.id, target })
  }

  #cursor(): string {
    return String(this.#log.newest)
  }
}

// As many as fit, and at least one.
function withinCharacters(page: LoggedEvent[], most: number): LoggedEvent[] {
  let characters = 0
  const end = page.findIndex(({ text }, at) => (characters += text?.length ?? 0) > most && at > 0)
  return end < 0 ? page : page.slice(0, end)
}

// It stays when the text is deleted, so it is kept too short to tell the text by: 24 bits find a mistaken key all the same.
function printOf(...parts: string[]): string {
  return createHash('sha256').update(JSON.stringify(parts)).digest('base64url').slice(0, 4)
}
