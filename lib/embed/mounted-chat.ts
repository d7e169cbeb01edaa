// A chat that is open: log, rules and doors wired together behind one handler, its operations as functions, and its end. Whose
// server carries it, it does not know: main.ts has one of its own, a host another.

import type { IncomingMessage, ServerResponse } from 'node:http'
import { extname } from 'node:path'
import type { ChatSettings } from './chat-options.ts'
import type { Cleanup } from '../chat/people/accounts.ts'
import { Chat, type NewRoom, type RoomChanges } from '../chat/chat.ts'
import type { RoomPages } from '../chat/rooms/room-list.ts'
import type { SearchOptions } from '../chat/talk/search.ts'
import type { Pages } from '../chat/pages.ts'
import type { PageOptions, PostOptions } from '../chat/talk/talk.ts'
import type { Who } from '../chat/people/who.ts'
import { userId } from '../chat/streams/wire.ts'
import { ChatError, StartError } from '../errors.ts'
import { readIdentity, type Identity } from './host-identity.ts'
import { hostPeople, type HostPeople } from './host-people.ts'
import { createHandler } from '../http/handler.ts'
import { isBelow, targetOf } from '../http/target.ts'
import { UnderWay } from '../http/limits/under-way.ts'
import { describe, neverThrowing } from '../log.ts'
import { LocalLog } from '../store/log/local-log.ts'
import { within } from '../within.ts'

const limits = {
  spreadMs: 3000, // at the most, over which streams are ended when we close
  spreadPerStreamMs: 3, // so that few streams make a quick end
  streamsMs: 8000, // after which we no longer wait for streams to end,
  answersMs: 9000, // whoever has not taken its answer is cut off,
  overMs: 9800, // and the disk is not waited for either: what was answered is on it already
}

// The thread's file is TypeScript beside our own source, and JavaScript in the published package.
const writer = new URL(`../chat/rules/writer${extname(import.meta.url)}`, import.meta.url)

/** A request handler of `node:http`, and a middleware of Express and whatever else hands `next` on. */
export type ChatHandler = (request: IncomingMessage, response: ServerResponse, next?: (error?: unknown) => void) => void

/**
 * What `createChat` gives. Its operations refuse with a `ChatError`, whose `code` says why; after `close` with `stopping`, and with
 * `invalid_request` where a `limit` is no whole number from 1 on.
 */
export class MountedChat {
  /**
   * Answers what is below the chat's path. For anything else it calls `next` at once, or answers 404 where there is none; so a
   * framework that has to be told whether the answer is ours (Koa's `respond`, Fastify's `hijack`) can be. It goes by
   * `request.originalUrl` if a framework has cut the path off `request.url`, takes the body from `request.body` if another
   * middleware has read it, and leaves a request alone that is answered already. It never throws.
   */
  readonly handler: ChatHandler
  readonly #chat: Chat
  readonly #events: LocalLog
  readonly #base: string
  /** Answers that are not out yet, streams among them. */
  readonly #open = new UnderWay<ServerResponse>()
  /** Operations that were called and are not done. */
  readonly #operations = new UnderWay<Promise<unknown>>()
  readonly #people: HostPeople | undefined
  #phase: 'open' | 'stopping' | 'over' = 'open'
  /** Of the first call of `close`, for those after it; whether there was one `#phase` says. */
  #closed: Promise<void> | undefined
  readonly #forget = () => this.#events.forget()

  /** Other programs call `createChat`. @throws StartError in one line if the folder can't be had. */
  static async open(settings: ChatSettings): Promise<MountedChat> {
    const { data, access, diskReserve, ring } = settings
    let serving = false // until then what fails is told in the one line of an error
    const log = neverThrowing(settings.log)
    const report = (line: string) => serving && log(line)
    const events = await LocalLog.open({ folder: data, writer, reserve: diskReserve, report, tell: log })
    try {
      // What the storage refuses to read it has told of itself.
      const onError = (error: unknown) => error instanceof ChatError || log(`reading failed: ${describe(error)}`)
      const chat = new Chat({ log: events, database: events.database, reader: events.reader, access, ring, onError })
      await chat.start()
      const mounted = new MountedChat(chat, events, { ...settings, log })
      serving = true
      return mounted
    } catch (error) {
      await events.close()
      // Making what is always there failed for a reason that the owner can mend: a full disk.
      throw error instanceof ChatError
        ? new StartError(`the data folder ${data} can't be used: ${error.message}`)
        : error
    }
  }

  private constructor(chat: Chat, events: LocalLog, settings: ChatSettings) {
    const { base, data, identify } = settings
    this.#chat = chat
    this.#events = events
    this.#base = base
    this.#people = identify && hostPeople(identify, chat.people)
    const handle = createHandler({
      ...settings,
      chat,
      people: this.#people,
      phase: () => this.#phase,
      open: this.#open,
    })
    this.handler = (request, response, next) => {
      if (response.headersSent || response.writableEnded) return
      if (next && !isBelow(targetOf(request), base)) return next()
      handle(request, response)
    }
    // What is kept in memory is a folder, and must not outlive the process, however that ends.
    if (data === ':memory:') process.once('exit', this.#forget)
  }

  // The operations. Who asks comes first: `null` is nobody in particular. Somebody else is named by an identity too, or by the id
  // (`u_…`) or name that they have in the chat.

  /**
   * Says something in a room, and puts whoever says it into the room if it is open. With the same `key`, the same again is the
   * same message: it is safe to try again.
   * @throws ChatError `not_found`, `invalid_text`, `invalid_key`, `too_large`, `key_reused`, `archived`, `banned`
   */
  readonly post = this.#bySomebody((who: Who, room: string, options: PostOptions) =>
    this.#chat.talk.post(who, room, options),
  )

  /** Deletes a message, by its id: what it said is gone, everywhere. @throws ChatError `not_found`, `forbidden` */
  readonly remove = this.#bySomebody((who: Who, room: string, message: string) =>
    this.#chat.talk.remove(who, room, message),
  )

  /** One message, by its id. @throws ChatError `not_found` */
  readonly message = this.#byAnybody((who: Who, room: string, message: string) =>
    this.#chat.talk.message(who, room, message),
  )

  /**
   * A page of a room's history, oldest first: the newest 50, or up to 200 before or after an id. `more` tells whether it goes on
   * that way, `cursor` where a stream takes over. @throws ChatError `not_found`
   */
  readonly messages = this.#byAnybody((who: Who, room: string, options: PageOptions = {}) =>
    this.#chat.talk.page(who, room, options),
  )

  /**
   * Who reacts to a message with an emoji, by when they came to the place: up to 500 from the beginning, or after the last one's id of the page
   * before. `more` tells whether it goes on. @throws ChatError `not_found`, `invalid_request` (no emoji)
   */
  readonly reactions = this.#byAnybody(
    (who: Who, room: string, message: string, emoji: string, { after, limit }: Pages = {}) => {
      return this.#chat.talk.reactions(who, room, message, { emoji, after, limit })
    },
  )

  /**
   * What was said, by its words: messages that they may see, newest first, as many as are found in 12 ms.
   * @throws ChatError `not_found`, `invalid_request`, `too_many`, `busy`
   */
  readonly search = this.#byAnybody((who: Who, options: SearchOptions) => this.#chat.search.find(who, options))

  /** Makes a room, which its maker owns. @throws ChatError `room_exists`, `invalid_name`, `invalid_request` (its kind) */
  readonly createRoom = this.#bySomebody((who: Who, room: NewRoom) => this.#chat.createRoom(who, room))

  /** Gives a room another name or topic, or archives it. @throws ChatError `not_found`, `forbidden`, `invalid_name` */
  readonly changeRoom = this.#bySomebody((who: Who, room: string, changes: RoomChanges) =>
    this.#chat.changeRoom(who, room, changes),
  )

  /** The room of two, made if need be. @throws ChatError `not_found`, `forbidden`, `blocked` */
  readonly direct = this.#bySomebody(
    async (who: Who, other: Identity | string) =>
      (await this.#chat.direct(who, { with: await this.#named(other) })).room,
  )

  /**
   * The rooms that somebody may see, in pages: first those that they are in, then the others; up to 1,000 (200 unless asked for) from the
   * beginning, or after the last one's id of the page before. `more` tells whether it goes on. With `q` those whose name, or a word of it,
   * begins so. @throws ChatError `not_found` (the room of `after`)
   */
  readonly rooms = this.#byAnybody((who: Who, pages: RoomPages = {}) => this.#chat.rooms(who, pages))

  /** One room, by its id. @throws ChatError `not_found` alike for one that is not theirs to see and for none */
  readonly room = this.#byAnybody((who: Who, room: string) => this.#chat.room(who, room))

  /** Who is in a room, in pages: up to 1,000 from the beginning, or after the last one's id of the page before. @throws ChatError `not_found` */
  readonly members = this.#byAnybody((who: Who, room: string, pages: Pages = {}) =>
    this.#chat.members(who, room, pages),
  )

  /** Comes into an open room; does nothing for who is in it already. @throws ChatError `not_found`, `archived` */
  readonly join = this.#bySomebody((who: Who, room: string) => this.#chat.join(who, room))

  /** Goes out of a room; does nothing for who is not in it. A direct room comes back when its other one says something. @throws ChatError `not_found` */
  readonly leave = this.#bySomebody((who: Who, room: string) => this.#chat.leave(who, room))

  /** Puts somebody else into a room, or gives them another role there. @throws ChatError `not_found`, `forbidden` */
  readonly addMember = this.#bySomebody(
    async (who: Who, room: string, other: Identity | string, options: { role?: 'owner' | 'member' } = {}) => {
      await this.#chat.join(who, room, { user: await this.#named(other), role: options.role })
    },
  )

  /** Takes somebody else out of a room; their streams no longer show it. @throws ChatError `not_found`, `forbidden` */
  readonly removeMember = this.#bySomebody(async (who: Who, room: string, other: Identity | string) =>
    this.#chat.leave(who, room, await this.#named(other)),
  )

  /**
   * They want nothing more of somebody else: their direct room leaves the list, what is said there is shown to who says it alone, and to be
   * named by them counts for nothing. The other is not told. Does nothing where it is so already. @throws ChatError `not_found`, `forbidden`
   */
  readonly block = this.#bySomebody(async (who: Who, other: Identity | string) =>
    this.#chat.blocks.block(who, await this.#named(other)),
  )

  /** And do again: their direct room is back in the list, without what was said meanwhile. @throws ChatError `not_found` */
  readonly unblock = this.#bySomebody(async (who: Who, other: Identity | string) =>
    this.#chat.blocks.unblock(who, await this.#named(other)),
  )

  /** Whom they block, the newest first: 500 at a time; `more` tells of others, after the id of the last one. */
  readonly blocks = this.#bySomebody((who: Who, options: { after?: string; limit?: number } = {}) =>
    this.#chat.blocks.list(who, options),
  )

  /**
   * Shuts somebody out, open streams and all, or lets them in again. With `rooms: 'archive'` and `messages: 'delete'` what they made and said
   * goes too, a little at a time from then on. @throws ChatError `not_found`, `forbidden`
   */
  readonly ban = this.#bySomebody(
    async (who: Who, other: Identity | string, banned: boolean = true, cleanup: Cleanup = {}) => {
      return this.#chat.accounts.ban(who, await this.#named(other), banned, cleanup)
    },
  )

  /**
   * The end of a link that makes whoever opens it first the owner, as long as there is none: `/chat/join#…`. Each call gives
   * another, and those before it are good no more. A host that says who people are gives roles itself.
   */
  async ownerPath(): Promise<string | undefined> {
    const code = await this.#chat.invites.forOwner()
    return code && `${this.#base}/join#${code}`
  }

  /**
   * Ends the open streams of whoever has this id: for the host's logout, and whenever what they may do has changed. Their pages
   * come back within seconds, and `identify` is asked again. Tokens that they made go by the role that was told last: whoever is an admin
   * no more, and may never come back, is told of by any operation in their name, such as `rooms({ id, name, role: 'member' })`.
   */
  async disconnect(id: Identity['id']): Promise<void> {
    // Who is still being identified may be somebody else by now, or nobody.
    this.#people?.outdate(id)
    if (this.#phase === 'open') this.#chat.disconnect(id)
  }

  /**
   * Ends it: tells each stream to come back later, lets answers and operations under way finish, and lets go of the folder, which can be
   * opened again at once. It takes at most 10 s, and as a rule less than a tenth of one. The handler answers 503 from then on.
   * Call it before the server's own `close`, which waits for streams.
   */
  close(): Promise<void> {
    return (this.#closed ??= this.#close())
  }

  async #close(): Promise<void> {
    const began = performance.now()
    const until = (ms: number) => ms - (performance.now() - began)
    const operations = Promise.allSettled(this.#operations.all)
    this.#phase = 'stopping'
    const cleanups = this.#chat.cleanups.stop()
    const spread = Math.min(limits.spreadMs, limits.spreadPerStreamMs * this.#chat.streams.open)
    await within(limits.streamsMs, this.#chat.streams.close({ spread }))
    this.#phase = 'over'
    this.#chat.talk.reads.keep()
    const answers = this.#open.all.map((response) => new Promise((resolve) => response.once('close', resolve)))
    await within(until(limits.answersMs), Promise.all([operations, cleanups, ...answers]))
    for (const response of this.#open.all) response.destroy()
    await within(until(limits.overMs), this.#events.close())
    this.#forget()
    process.off('exit', this.#forget)
  }

  async #named(other: Identity | string): Promise<string> {
    return typeof other === 'string' ? other : userId((await this.#chat.people.hosted(readIdentity(other))).user.id)
  }

  // Whoever calls an operation is told what is wrong with an identity; there is no log line.
  #byAnybody<Given extends unknown[], Result>(operation: (who: Who, ...given: Given) => Result | Promise<Result>) {
    return async (by: Identity | null, ...given: Given): Promise<Result> => {
      const identity = by && readIdentity(by)
      if (this.#phase !== 'open') throw new ChatError('stopping', 'this chat is closed')
      const done = (async () =>
        operation(identity ? await this.#chat.people.hosted(identity) : { kind: 'nobody' }, ...given))()
      return done.finally(this.#operations.add(done))
    }
  }

  #bySomebody<Given extends unknown[], Result>(
    operation: (who: Who, ...given: Given) => Result | Promise<Result>,
  ): (by: Identity, ...given: Given) => Promise<Result> {
    return this.#byAnybody(operation)
  }
}
