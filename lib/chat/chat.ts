// The operations of the chat. Each takes who asks, checks what can be checked on the reading connection, appends events, and
// answers when they are durable and delivered. Has never heard of a status code, a header or a URL.

import { createHash } from 'node:crypto'
import { ChatError } from '../errors.ts'
import type { History } from '../sse/history.ts'
import { Hub } from '../sse/hub.ts'
import type { ServerSentEventsStream } from '../sse/server-sent-events-stream.ts'
import type { Database, RoomRow } from '../store/database.ts'
import type { EventLog, LoggedEvent } from '../store/event-log.ts'
import { Appender } from './appender.ts'
import { noRoom } from './apply.ts'
import type { Message, Room, User } from './events.ts'
import { rules, type LogEvent, type Posted } from './log-events.ts'
import { People, type Who } from './people.ts'
import { readSince } from './since.ts'
import { cleanName, cleanText, foldName, slugOf } from './text.ts'
import { toMessage, topics, toRoom, toUser, toWire } from './wire.ts'

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

/** Which events a stream shows: of these rooms, of the rooms one is in, or else of all that may be seen. */
export interface View {
  rooms?: readonly string[]
  mine?: boolean
}

export interface FollowOptions {
  /** Where to go on: an id, or any form of `since`. */
  since?: string | undefined
  /** Where to start without a `since`. */
  after?: number | undefined
}

export interface ChatOptions {
  log: EventLog
  /** What the log adds up to, for reading. */
  database: Database
  /** How many of the newest events are kept in memory. */
  ring?: number | undefined
  /** Called when what a stream missed can't be read. */
  onError: (error: unknown) => void
}

const limits = {
  ringEvents: 10_000, // in memory, for whoever is a little behind
  pageMessages: 200, // of history in one answer
  pageCharacters: 256 * 1024, // of their texts: whoever asks may never read the answer, and it waits in memory
  lookedBack: 10_000, // events, for the last few that may be seen
  roomsListed: 10_000,
  membersListed: 1000,
}

export class Chat {
  readonly #log: EventLog
  readonly #database: Database
  /** All that happens. */
  readonly #hub: Hub
  /** The rooms, each as it is now, under the id of its newest change. */
  readonly #rooms: Hub
  readonly #appender: Appender
  /** Who asks, and who they are. */
  readonly people: People

  /** The log must not have been written to before; `start` has to be awaited before anything else. */
  constructor({ log, database, ring = limits.ringEvents, onError }: ChatOptions) {
    this.#log = log
    this.#database = database
    this.#appender = new Appender(log, database)
    this.people = new People(database, this.#appender, () => log.newest)
    const events: History = {
      has: (id) => database.hasEvent(id),
      read: (after, limit) => database.eventsAfter(after, limit).map(toWire),
    }
    const rooms: History = {
      has: (id) => database.hasEvent(id),
      read: (after, limit) => database.roomsChangedAfter(after, limit).map(roomListing),
    }
    this.#hub = new Hub({ ring, history: events, newest: log.newest, onError })
    this.#rooms = new Hub({ history: rooms, newest: log.newest, onError })
    log.tail((group) => {
      for (const event of group) this.#broadcast(event)
      this.#hub.flush()
      this.#rooms.flush()
    })
  }

  /** Makes what is always there. */
  async start(): Promise<void> {
    if (!this.#database.roomBySlug('lobby')) await this.#appender.append({ type: 'room', rules, facts: { slug: 'lobby', name: 'lobby', kind: 'open' } })
  }

  /** How many streams are open. */
  get streams(): number {
    return this.#hub.stats().streams + this.#rooms.stats().streams
  }

  /** Ends all streams over some ms, each told to come back. */
  async close(options: { spread: number }): Promise<void> {
    await Promise.all([this.#hub.close(options), this.#rooms.close(options)])
  }

  #broadcast(event: LoggedEvent): void {
    const { id, topics: seenBy, ...wire } = toWire(event)
    if (event.type === 'join') this.#forMine(event, (stream) => this.#hub.follow(stream, [topics.room(event.room!)]))
    // Who is behind must not get what is deleted by now; who is not has it, and gets the deletion.
    if (event.type === 'delete') this.#hub.forget(event.target!)
    if (seenBy.length === 0) this.#hub.advance(id)
    else this.#hub.publish(seenBy, { ...wire, id })
    if (event.type === 'leave') this.#forMine(event, (stream) => this.#hub.unfollow(stream, [topics.room(event.room!)]))
    if (event.type === 'room') this.#rooms.publish(topics.open, { id, data: wire.data })
    else this.#rooms.advance(id)
    if (event.type === 'session_end') {
      const { hash } = JSON.parse(event.facts!)
      for (const hub of [this.#hub, this.#rooms]) for (const stream of hub.followers(topics.session(hash))) stream.close()
    }
  }

  #forMine({ user }: LoggedEvent, change: (stream: ServerSentEventsStream) => void): void {
    for (const stream of this.#hub.followers(topics.mine(user!))) change(stream)
  }

  // Rooms

  rooms(): { rooms: Room[]; cursor: string } {
    return { rooms: this.#database.roomsChangedAfter(0, limits.roomsListed).map(toRoom), cursor: this.#cursor() }
  }

  room(slug: string): Room {
    return toRoom(this.#seen(slug))
  }

  async createRoom(who: Who, raw: string): Promise<Room> {
    const user = this.people.proven(who)
    const name = cleanName(raw)
    const { id } = await this.#appender.append({ type: 'room', rules, user: user.id, facts: { slug: slugOf(name), name, kind: 'open' } })
    return toRoom(this.#database.room(id)!)
  }

  members(slug: string): { members: User[]; cursor: string } {
    const room = this.#seen(slug)
    return { members: this.#database.members(room.id, limits.membersListed).map(toUser), cursor: this.#cursor() }
  }

  /** Does nothing for who is in it already. */
  async join(who: Who, slug: string): Promise<void> {
    const user = this.people.proven(who)
    const room = this.#seen(slug)
    await this.#appender.appendUnless('already_member', { type: 'join', rules, user: user.id, room: room.id })
  }

  /** Does nothing for who is not in it. */
  async leave(who: Who, slug: string): Promise<void> {
    const user = this.people.proven(who)
    const room = this.#seen(slug)
    await this.#appender.appendUnless('not_member', { type: 'leave', rules, user: user.id, room: room.id })
  }

  // Messages

  /** A page of a room's history, oldest first; `more` tells whether it goes on in the direction asked for. */
  messages(slug: string, { before, after, limit = 50 }: PageOptions): { messages: Message[]; cursor: string; more: boolean } {
    const room = this.#seen(slug)
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

  message(slug: string, id: string): Message {
    const room = this.#seen(slug)
    const event = /^\d{1,16}$/.test(id) && Number(id) <= this.#log.newest ? this.#database.event(Number(id)) : undefined
    if (event?.type !== 'message' || event.room !== room.id) throw new ChatError('not_found', `there is no message ${id.slice(0, 20)} in ${slug}`)
    return toMessage(event)
  }

  async post(who: Who, slug: string, { text: raw, replyTo, key }: PostOptions): Promise<Message> {
    const room = this.#seen(slug)
    const text = cleanText(raw)
    const target = replyTo === undefined ? undefined : Number(this.message(slug, replyTo).id)
    const user = await this.people.somebody(who)
    const post: Posted = { type: 'message', rules, user: user.id, room: room.id, text, ...(target !== undefined && { target }) }
    if (key !== undefined) Object.assign(post, { key, print: printOf(room.slug, text, replyTo ?? '') })
    // Who posts in an open room is in it from then on. Should somebody have been quicker, only the join is refused.
    const joined: LogEvent[] = this.#database.isMember(room.id, user.id) ? [] : [{ type: 'join', rules, user: user.id, room: room.id }]
    return toMessage(await this.#appender.append(post, joined))
  }

  /** Deletes one's own message: what it said is gone, everywhere; that there was one stays. */
  async remove(who: Who, slug: string, id: string): Promise<void> {
    const user = this.people.proven(who)
    const room = this.#seen(slug)
    const target = Number(this.message(slug, id).id)
    await this.#appender.append({ type: 'delete', rules, user: user.id, room: room.id, target })
  }

  // Streams

  /** Is there such a view for them? */
  mayFollow(who: Who, view: View): void {
    this.#roomsIn(who, view)
  }

  /**
   * Has a stream show what happens in a view: first what it missed since its cursor, then what comes. There must be no await
   * in here: who logs out or leaves meanwhile would be followed all the same.
   */
  follow(who: Who, stream: ServerSentEventsStream, view: View, { since, after }: FollowOptions): void {
    const rooms = this.#roomsIn(who, view)
    const followed = rooms ? rooms.map(topics.room) : [topics.open]
    if (view.mine && !view.rooms) followed.push(topics.mine(this.people.proven(who).id))
    const start = since === undefined ? after : readSince(since, this.#appender.idNow, (count) => this.#beforeLast(rooms, count))
    this.#hub.follow(stream, [...followed, ...sessionTopic(who)], { after: start })
  }

  /** Has a stream show the rooms, then each that is new or changed. */
  followRooms(who: Who, stream: ServerSentEventsStream): void {
    const { lastEventId: since } = stream
    const after = since === undefined ? 0 : readSince(since, this.#appender.idNow, (count) => this.#database.beforeLastRooms(count))
    this.#rooms.follow(stream, [topics.open, ...sessionTopic(who)], { after })
  }

  // The ids of the rooms that a view is bound to, or undefined for all that may be seen.
  #roomsIn(who: Who, { rooms, mine }: View): number[] | undefined {
    if (rooms) return rooms.map((slug) => this.#seen(slug).id)
    return mine ? this.#database.roomsOf(this.people.proven(who).id) : undefined
  }

  // The id after which the last so many events are: of all, or messages of these rooms.
  #beforeLast(rooms: number[] | undefined, count: number): number {
    if (!rooms) return this.#database.beforeLastOpen(count, limits.lookedBack)
    const ids = rooms.flatMap((room) => this.#database.lastMessageIds(room, count)).sort((a, b) => b - a)
    return (ids[count - 1] ?? ids.at(-1) ?? this.#log.newest + 1) - 1
  }

  // Common to several

  #cursor(): string {
    return String(this.#log.newest)
  }

  #seen(slug: string): RoomRow {
    const room = this.#database.roomBySlug(slug) ?? this.#database.roomBySlug(foldName(slug))
    if (!room) throw new ChatError(noRoom.code, noRoom.message)
    return room
  }
}

// As many as fit, and at least one.
function withinCharacters(page: LoggedEvent[], most: number): LoggedEvent[] {
  let characters = 0
  const end = page.findIndex(({ text }, at) => (characters += text?.length ?? 0) > most && at > 0)
  return end < 0 ? page : page.slice(0, end)
}

function sessionTopic(who: Who): string[] {
  return 'user' in who && who.session !== undefined ? [topics.session(who.session)] : []
}

function roomListing(room: RoomRow) {
  return { id: room.changed, topics: [topics.open], data: toRoom(room) }
}

// It stays when the text is deleted, so it is kept too short to tell the text by: 24 bits find a mistaken key all the same.
function printOf(...parts: string[]): string {
  return createHash('sha256').update(JSON.stringify(parts)).digest('base64url').slice(0, 4)
}
