// Who follows what: streams of events and streams of the list of rooms. What happens is passed on to those who may see it now;
// a stream is widened, narrowed or ended the moment its reader's rights change.

import { ChatError } from '../../errors.ts'
import type { History } from '../../sse/history.ts'
import { Hub } from '../../sse/hub.ts'
import type { ServerSentEventsStream } from '../../sse/server-sent-events-stream.ts'
import type { LoggedEvent } from '../../store/log/event-log.ts'
import { eventType, isTypeWith, type TypesWith } from '../../store/log/event-types.ts'
import type { UserRow } from '../../store/tables/people-tables.ts'
import type { RoomRow } from '../../store/tables/room-tables.ts'
import type { Presence, WireEvents } from './events.ts'
import type { Parts } from '../parts.ts'
import { needsName } from '../people/people.ts'
import { governs } from '../rules/rights.ts'
import { beforeLastEvents } from './last-events.ts'
import { readSince } from './since.ts'
import { forgetSuperseded } from './superseded.ts'
import { topicsOfAllShared, topicsOfBound, topicsOfLost } from './views.ts'
import { makerIn, roomsOfToken, userIn, type Who } from '../people/who.ts'
import {
  isUnseen,
  onlyTopics,
  ownTopics,
  roomTopics,
  seenTopics,
  toListing,
  topics,
  toPerson,
  toRoom,
  toWire,
} from './wire.ts'

/** Which events a stream shows: of these rooms, of the rooms one is in, or else of all that may be seen. */
export interface View {
  rooms?: readonly string[]
  mine?: boolean
}

/** Begins a stream, or has answered otherwise. */
export type OpenStream = () => ServerSentEventsStream | undefined

const limits = {
  ringEvents: 10_000, // in memory, for whoever is a little behind
  timerMs: 2 ** 31 - 1, // 24 days; longer ones Node fires at once
  presenceRooms: 100, // that hear of somebody's coming and going: those they came into last
  presenceStreams: 200, // of a room, or GET members has to do: with thousands that come back at once each would be told of each
  typingMs: 1000, // in which one is told once that somebody types
}

export class Streams {
  readonly #parts: Parts
  /** All that happens. */
  readonly #hub: Hub
  /** The rooms, each as it is now, under the id of its newest change. */
  readonly #rooms: Hub
  /** Of the streams of tokens by which token, and which rooms they are bound to. */
  readonly #ofTokens = new WeakMap<ServerSentEventsStream, { who: Who; bound: readonly number[] | undefined }>()
  /** Who was told to be typing in which room, a moment ago. */
  readonly #typing = new Set<string>()
  /** Who is here though nobody was told so. */
  readonly #untold = new Set<number>()
  /** Whether the reader of the stream that is just being opened may be told to be here. */
  #tellsComing: () => boolean = always
  #closing = false

  /** `ring` is how many of the newest events are kept in memory; `onError` is called when what a stream missed can't be read. */
  constructor(
    parts: Parts,
    { ring = limits.ringEvents, onError }: { ring?: number | undefined; onError: (error: unknown) => void },
  ) {
    this.#parts = parts
    const { log, database } = parts
    let first: number | undefined
    // Any id in the log's range will do: whether there is an event with exactly this id may be private.
    const has = (id: number) => id >= (first ??= database.firstEvent() ?? Infinity) && id <= log.newest
    const events: History = { has, read: (after, limit) => database.eventsAfter(after, limit).map(toWire) }
    const rooms: History = { has, read: (after, limit) => database.rooms.roomChangesAfter(after, limit).map(toListing) }
    const came = (user: string) => this.#came(Number(user))
    const left = (user: string) => this.#left(Number(user))
    // A log without an event has given no id, and so 0 is none.
    const newest = log.newest || -1
    this.#hub = new Hub({ ring, history: events, newest, came, left, onError })
    this.#rooms = new Hub({ history: rooms, newest, onError })
    log.tail((group) => {
      for (const event of group) this.#broadcast(event)
      this.#hub.flush()
      this.#rooms.flush()
    })
  }

  /** How many are open. */
  get open(): number {
    return this.#hub.stats().streams + this.#rooms.stats().streams
  }

  /** Ends all of them over some ms, each told to come back. */
  async close(options: { spread: number }): Promise<void> {
    this.#closing = true
    await Promise.all([this.#hub.close(options), this.#rooms.close(options)])
  }

  /** Has somebody a stream open, or had one a moment ago? */
  isHere(user: number): boolean {
    return this.#hub.isHere(String(user))
  }

  /** On their own streams, but those of other rooms: a room was read up to an event. */
  tellSelf(user: number, room: RoomRow, event: string): void {
    this.#hub.signal(ownTopics(user, room), {
      event: 'read',
      data: { room: room.slug, id: event } satisfies WireEvents['read'],
    })
  }

  /** To a room: somebody is writing. */
  tellTyping(user: UserRow, room: RoomRow): void {
    if (this.#isCrowded(roomTopics(room))) return
    const key = `${user.id} ${room.id}`
    if (this.#typing.has(key)) return
    this.#typing.add(key)
    setTimeout(() => this.#typing.delete(key), limits.typingMs).unref()
    this.#hub.signal(roomTopics(room), {
      event: 'typing',
      data: { room: room.slug, user: toPerson(user), state: 'typing' } satisfies Presence,
    })
  }

  // With thousands of readers each signal of each would be a write to each: who types or is here is of use among a few.
  #isCrowded(told: readonly string[]): boolean {
    return told.some((topic) => this.#hub.following(topic) > limits.presenceStreams)
  }

  #came(user: number): void {
    if (this.#tellsComing()) this.#tellPresence(user, 'here')
    else this.#untold.add(user)
  }

  #left(user: number): void {
    // Whoever was not told that they came need not be told that they go.
    if (!this.#untold.delete(user)) this.#tellPresence(user, 'away')
  }

  #tellPresence(id: number, state: 'here' | 'away'): void {
    // At the end of everything everyone goes, there is nobody to hear of it, and soon no database either.
    const user = this.#closing ? undefined : this.#parts.database.people.user(id)
    if (!user) return
    for (const { slug, adder, ...room } of this.#parts.database.rooms.roomsWith(id, limits.presenceRooms)) {
      const told = adder === null ? roomTopics(room) : onlyTopics(adder, room)
      if (this.#isCrowded(roomTopics(room))) continue
      this.#hub.signal(told, {
        event: 'presence',
        data: { room: slug, user: toPerson(user), state } satisfies Presence,
      })
    }
  }

  /** Ends all that somebody has open. */
  endOf(user: number): void {
    this.#end(topics.user(user))
  }

  /**
   * Has a stream show what happens in a view: first what it missed since its cursor, or if it has none since `after`, then what
   * comes. It is opened only if there is such a view for them. There must be no await in here: who logs out or leaves meanwhile
   * would be followed all the same. `tells` is asked if it is the first stream of its reader: may others be told that they are here?
   * @throws ChatError before it is opened
   */
  follow(
    who: Who,
    view: View,
    open: OpenStream,
    { after, tells = () => true }: { after?: number | undefined; tells?: () => boolean } = {},
  ): void {
    const pages = this.#topicsOf(who, view)
    const { value: first } = pages.next()
    const stream = open()
    if (!stream) return
    this.#note(who, view, stream)
    const { lastEventId: since } = stream
    const start =
      since === undefined
        ? after
        : readSince(since, this.#parts.appender.idNow, (count) =>
            beforeLastEvents(this.#parts, who, {
              bound: this.#boundTo(who, view.rooms),
              mine: view.mine ?? false,
              count,
            }),
          )
    this.#tellsComing = tells
    this.#hub.follow(stream, [...first!, ...proofs(who)], {
      after: start,
      more: pages,
      ...(who.kind === 'user' && { who: String(who.user.id) }),
    })
    // It would keep the request and its connection in memory, long after both are gone.
    this.#tellsComing = always
    endWithToken(who, stream)
  }

  /** The same for a stream that shows the rooms, then each that is new or changed, and `leave` for each that is no longer theirs to see. */
  followRooms(who: Who, open: OpenStream): void {
    const pages = this.#topicsOf(who, {})
    const { value: first } = pages.next()
    const stream = open()
    if (!stream) return
    this.#note(who, {}, stream)
    const { lastEventId: since } = stream
    const after =
      since === undefined
        ? 0
        : readSince(since, this.#parts.appender.idNow, (count) => this.#parts.database.rooms.beforeLastRooms(count))
    const lost = topicsOfLost(this.#parts.database, who, after ?? (Number(since) || 0))
    this.#rooms.follow(stream, [...first!, ...lost, ...proofs(who)], { after, more: pages })
    endWithToken(who, stream)
  }

  #broadcast(event: LoggedEvent): void {
    const { id, topics: seenBy, ...wire } = toWire(event)
    // Whoever has blocked somebody does not come where these put them, nor do they go.
    const unseen = isUnseen(event)
    const [comes, goes] = ['join', 'leave'].map((type) => event.type === type && !unseen)
    if (comes) {
      this.#widen(event)
      this.#lookAgain(event)
    }
    forgetSuperseded(event, { database: this.#parts.database, events: this.#hub, rooms: this.#rooms })
    if (seenBy.length === 0) this.#hub.advance(id)
    else this.#hub.publish(seenBy, { ...wire, id })
    if (unseen) this.#rooms.advance(id)
    else this.#listRooms(event, seenBy, wire.data)
    if (goes) {
      this.#narrow(event)
      this.#lookAgain(event)
    }
    if (isTypeWith('endsStreams', event.type)) this.#endsWith[event.type](event)
  }

  // The same in the streams of the list of rooms as in that list's history.
  #listRooms({ id, type, user, room, roomKind: kind }: LoggedEvent, seenBy: readonly string[], data: unknown): void {
    const closed = kind === 'private' || kind === 'direct'
    if (eventType(type)?.frame === 'room') this.#rooms.publish(seenBy, { id, data })
    else if (type === 'join' && closed)
      this.#rooms.publish(ownTopics(user!, { id: room!, kind }), {
        id,
        data: toRoom(this.#parts.database.rooms.room(room!)!),
      })
    else if (type === 'leave' && closed)
      this.#rooms.publish(ownTopics(user!, { id: room!, kind }), { id, event: 'leave', data })
    else this.#rooms.advance(id)
  }

  // A room counts for a stream from its reader's own join on; what is older is not sent there.
  #widen({ user, room, roomKind: kind }: LoggedEvent): void {
    for (const hub of kind === 'open' ? [this.#hub] : [this.#hub, this.#rooms]) {
      for (const topic of ownTopics(user!, { id: room!, kind: kind! })) {
        for (const stream of hub.followers(topic)) hub.follow(stream, seenTopics(user!, room!))
      }
    }
  }

  // What a stream has not got of the room by now it never gets; only the leave itself, which is its reader's own.
  #narrow({ user, room, roomKind: kind }: LoggedEvent): void {
    // An open room may still be read by whoever asked for it by name.
    const bound = kind === 'open' ? [topics.of(user!)] : ownTopics(user!, { id: room!, kind: kind! })
    for (const hub of [this.#hub, this.#rooms]) {
      for (const topic of bound)
        for (const stream of hub.followers(topic)) hub.unfollow(stream, seenTopics(user!, room!))
    }
  }

  // Of a private room a token shows what its bot and its maker both see: now that one of them came or went, more of it or less.
  #lookAgain({ user, room: id, roomKind }: LoggedEvent): void {
    if (roomKind !== 'private') return
    const room = this.#parts.database.rooms.room(id!)!
    for (const hub of [this.#hub, this.#rooms]) {
      for (const stream of new Set([...hub.followers(topics.maker(user!)), ...hub.followers(topics.user(user!))])) {
        const { who, bound } = this.#ofTokens.get(stream) ?? {}
        if (!who || (bound && !bound.includes(room.id))) continue
        const now = topicsOfBound(this.#parts.database, who, room, { seen: this.#parts.access.maySee(who, room) })
        const all = [topics.room(room.id), topics.ofIn(userIn(who), room.id), topics.ofIn(makerIn(who)!, room.id)]
        hub.unfollow(
          stream,
          all.filter((topic) => !now.includes(topic)),
        )
        hub.follow(stream, now)
      }
    }
  }

  readonly #endsWith: Record<TypesWith<'endsStreams'>, (event: LoggedEvent) => void> = {
    token_end: ({ target }) => this.#end(topics.token(target!)),
    // Whoever still governs has their bots come back.
    role: ({ target }) => this.#end(topics.maker(target!)),
    hosted: ({ target }) => {
      if (!governs(this.#parts.database.people.user(target!))) this.#end(topics.maker(target!))
    },
    ban: ({ target, facts }) => {
      if (facts?.banned) for (const topic of [topics.user(target!), topics.maker(target!)]) this.#end(topic)
    },
    password: ({ user, facts }) => {
      this.#end(topics.user(user!), facts?.session)
    },
    session_end: ({ user, facts }) => {
      this.#end(facts?.hash === undefined ? topics.user(user!) : topics.session(facts.hash))
    },
  }

  #end(topic: string, exceptSession?: string): void {
    for (const hub of [this.#hub, this.#rooms]) {
      // What ends them is theirs to know, if they may see it.
      hub.flush()
      const kept = new Set(exceptSession === undefined ? [] : hub.followers(topics.session(exceptSession)))
      for (const stream of hub.followers(topic)) if (!kept.has(stream)) stream.close()
    }
  }

  // A page at a time. By the topics of the first page their reader's streams are found when a room comes or goes meanwhile.
  *#topicsOf(who: Who, { rooms, mine }: View): Generator<string[], void> {
    const { access, database } = this.#parts
    access.reads(who)
    const user = userIn(who)
    // Of the rooms that it is bound to those that may be seen, and the others once their reader is in them.
    const bound = this.#boundTo(who, rooms)?.map((id) => database.rooms.room(id)!)
    if (bound)
      return yield bound.flatMap((room) => topicsOfBound(database, who, room, { seen: access.maySee(who, room) }))
    if (mine && who.kind !== 'user') throw new ChatError('unauthorized', needsName)
    const ofToken = makerIn(who) !== undefined
    yield [
      ...(mine ? [] : [topics.open, topics.onlyOpen(user)]),
      topics.of(user),
      ...(ofToken ? [] : [topics.ofInPrivate(user)]),
    ]
    for (const page of access.roomsOf(who, { closed: !mine })) yield page.flatMap(({ id }) => seenTopics(user, id))
    if (ofToken) yield* topicsOfAllShared(database, who)
  }

  // Other streams follow what changes their rooms by themselves.
  #note(who: Who, { rooms }: View, stream: ServerSentEventsStream): void {
    if (makerIn(who) !== undefined) this.#ofTokens.set(stream, { who, bound: this.#boundTo(who, rooms) })
  }

  // The rooms that a view names, or else a token.
  #boundTo(who: Who, rooms: readonly string[] | undefined): readonly number[] | undefined {
    return rooms?.map((slug) => this.#parts.access.room(who, slug).id) ?? roomsOfToken(who)
  }
}

const always = (): boolean => true

// What the stream ends with.
function proofs(who: Who): string[] {
  if (who.kind !== 'user') return []
  const { user, session, token } = who
  // Whoever made a token knows it, and it is worth no more than they are.
  const byToken = token ? [topics.token(token.id), topics.maker(token.maker)] : []
  return [topics.user(user.id), ...(session === undefined ? [] : [topics.session(session)]), ...byToken]
}

function endWithToken(who: Who, stream: ServerSentEventsStream): void {
  if (who.kind !== 'user' || !who.token || who.token.expires === null) return
  // Who comes back is asked for their token again: so it is no harm if this is early.
  const timer = setTimeout(
    () => stream.close(),
    Math.min(who.token.expires / 1000 - Date.now(), limits.timerMs),
  ).unref()
  stream.whenClosed(() => clearTimeout(timer))
}
