// What is said: posting, editing, deleting and reacting, and reading it again by the page. Each takes who asks, and answers when
// it is durable and delivered.

import { hash } from 'node:crypto'
import { ChatError } from '../../errors.ts'
import type { MessageRow, Place } from '../../store/database.ts'
import type { RoomRow } from '../../store/tables/room-tables.ts'
import { otherOf, placeOf } from '../rooms/direct.ts'
import type { Message } from '../streams/events.ts'
import { bytesOf, countOf, pageBytesMax, Slice, type Pages } from '../pages.ts'
import { rules, type LogEvent, type Mentions, type Posted, type Reacted } from '../../store/log/log-events.ts'
import type { Parts } from '../parts.ts'
import { reactingMax, reactionsPage, withReactions, type ReactionsPage } from './reactions.ts'
import { Reads } from './reads.ts'
import { sees } from '../rules/rights.ts'
import type { Streams } from '../streams/streams.ts'
import { checkMayTalk } from '../rules/talk-rules.ts'
import { foldName } from '../people/names.ts'
import { cleanEmoji, cleanText, mentionsIn } from './text.ts'
import { userIn, type Who } from '../people/who.ts'
import { toMessage } from '../streams/wire.ts'

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
  /** The message in the middle. */
  around?: number | undefined
  limit?: number | undefined
}

export interface Page {
  /** Oldest first. */
  messages: Message[]
  cursor: string
  /** It goes on in the direction asked for; around a message, to the older side. */
  more: boolean
  /** Around a message: it goes on to the newer side too. */
  newer?: boolean
}

/** One direction's of a page. */
type Part = Pick<Page, 'messages' | 'more'>

const keyForm = /^[\x21-\x7e]{1,64}$/

type ReadMessages = (
  from: number,
  edge: number | undefined,
  asked: { limit: number; characters: number },
) => MessageRow[]

interface Size {
  count: number
  bytes: number
  /** All that a page reads shares one. */
  slice: Slice
}

const limits = {
  reactionTries: 100, // of one reaction, while others are quicker: a message has twenty different ones at most, and as many rounds
  pageMessages: 200, // of history in one answer
  looked: 1000, // messages, deleted or not, in one go
}

export class Talk {
  readonly #parts: Parts & { streams: Streams }
  readonly reads: Reads

  constructor(parts: Parts & { streams: Streams }) {
    this.#parts = parts
    this.reads = new Reads(parts)
  }

  /** A page of a room's history: the newest, or what is before, after or around an id. */
  async page(who: Who, slug: string, { before, after, around, limit = 50 }: PageOptions): Promise<Page> {
    const place = placeOf(this.#parts.access.room(who, slug), who)
    const count = countOf(limit, limits.pageMessages)
    const { cursor } = this.#parts.appender
    const slice = new Slice()
    if (around !== undefined) {
      // The message itself is one of the newer ones, and is on the page however large it is.
      const older = await this.#older(who, place, around, {
        count: Math.floor(count / 2),
        bytes: pageBytesMax / 2,
        slice,
      })
      const newer = await this.#newer(who, place, around - 1, {
        count: Math.ceil(count / 2),
        bytes: pageBytesMax / 2,
        slice,
      })
      await slice.over()
      return { messages: [...older.messages, ...newer.messages], cursor, more: older.more, newer: newer.more }
    }
    const size = { count, bytes: pageBytesMax, slice }
    const { messages, more } = await (after === undefined
      ? this.#older(who, place, before ?? Infinity, size)
      : this.#newer(who, place, after, size))
    await slice.over()
    return { messages, cursor, more }
  }

  message(who: Who, slug: string, id: string): Message {
    const place = placeOf(this.#parts.access.room(who, slug), who)
    const row =
      /^\d{1,16}$/.test(id) && Number(id) <= this.#parts.log.newest
        ? this.#parts.database.messageIn(place.id, Number(id))
        : undefined
    if (!row || this.#isUnseen(row.id, place))
      throw new ChatError('not_found', `there is no message ${id.slice(0, 20)} in ${slug}`)
    return this.#shown(who, place, row)
  }

  /** Who reacts to a message with an emoji, in pages. */
  reactions(
    who: Who,
    slug: string,
    id: string,
    { emoji: raw, after, limit = reactingMax }: Pages & { emoji: string },
  ): ReactionsPage {
    const message = Number(this.message(who, slug, id).id)
    const { reader } = placeOf(this.#parts.access.room(who, slug), who)
    const emoji = cleanEmoji(raw)
    return reactionsPage(this.#parts.database, {
      user: userIn(who),
      reader,
      message,
      emoji,
      after: after === undefined ? 0 : this.#parts.people.find(who, after).id,
      limit,
    })
  }

  async post(who: Who, slug: string, { text: raw, replyTo, key }: PostOptions): Promise<Message> {
    // What can't be kept would fail in the midst of a commit, and with it what others said.
    if (key !== undefined && !(typeof key === 'string' && keyForm.test(key)))
      throw new ChatError('invalid_key', 'the key (Idempotency-Key) must be 1 to 64 visible ASCII characters')
    const room = this.#parts.access.roomToWrite(who, slug)
    const text = cleanText(raw)
    const target = replyTo === undefined ? undefined : Number(this.message(who, slug, replyTo).id)
    const user = await this.#parts.people.somebody(who)
    const once = key !== undefined && { key, print: printOf(room.slug, text, replyTo ?? '') }
    const post: Posted = {
      type: 'message',
      rules,
      user: user.id,
      room: room.id,
      body: { text, ...this.#mentions(room, user.id, text) },
      ...(target !== undefined && { target }),
      ...once,
    }
    const { id, event } = await this.#parts.appender.append(post, { before: this.#comingIn(room, user.id, key) })
    // A retry after days gets the message as it is by then.
    return event ? toMessage(event) : this.#shown(who, placeOf(room, who), this.#parts.database.message(id)!)
  }

  /** Changes the text of one's own message: the older one is gone, everywhere. */
  async edit(who: Who, slug: string, id: string, { text: raw }: { text: string }): Promise<Message> {
    const about = this.#about(who, slug, id)
    const text = cleanText(raw)
    await this.#parts.appender.append({
      type: 'edit',
      rules,
      ...about,
      body: { text, ...this.#mentions(this.#parts.database.rooms.room(about.room)!, about.user, text) },
    })
    return this.message(who, slug, id)
  }

  /** Deletes a message, one's own or as who manages the room: what it said is gone, everywhere; that there was one stays. */
  async remove(who: Who, slug: string, id: string): Promise<void> {
    await this.#parts.appender.append({ type: 'delete', rules, ...this.#about(who, slug, id) })
  }

  /** Does nothing where it is so already. */
  async react(who: Who, slug: string, id: string, { emoji: raw, on }: { emoji: string; on: boolean }): Promise<void> {
    for (let tried = 1; ; tried++) {
      const about = this.#about(who, slug, id)
      const emoji = cleanEmoji(raw)
      const { talk } = this.#parts.database
      // In this order: what is committed between the two makes the number too low, and the reaction is refused and asked again. In the other
      // a new number could be for an emoji that is there by now.
      const ever = talk.emojisEver(about.target)
      const number = talk.emojiInUse(about.target, emoji)?.number
      const reaction: Reacted =
        number === undefined
          ? { type: 'reaction', rules, ...about, facts: { emoji: ever + 1, on, new: true }, body: { emoji } }
          : { type: 'reaction', rules, ...about, facts: { emoji: number, on } }
      try {
        return void (await this.#parts.appender.appendUnless('unchanged', reaction))
      } catch (error) {
        // Of several who react with something new at once one has the next number, and the others look again.
        if (!(error instanceof ChatError && error.code === 'outrun') || tried === limits.reactionTries) throw error
      }
    }
  }

  /** They have read the room up to an event; their other streams are told. */
  read(who: Who, slug: string, id: string): void {
    const user = this.#parts.people.writer(who)
    const room = this.#parts.access.room(who, slug)
    if (!/^\d{1,16}$/.test(id))
      throw new ChatError('invalid_request', 'id must be that of the newest message that was read')
    const since = this.#parts.database.rooms.memberSince(room.id, user.id)
    if (since === undefined)
      throw new ChatError('not_member', 'only who is in a room has something to read there; join it first')
    const event = Math.min(Number(id), this.#parts.log.newest)
    if (this.reads.note({ user: user.id, room: room.id, event }, { since }))
      this.#parts.streams.tellSelf(user.id, room, String(event))
  }

  /** They are writing something. Without `tells` it is only seen whether they may, and nobody hears of it. */
  typing(who: Who, slug: string, { tells }: { tells: boolean }): void {
    const user = this.#parts.people.speaker(who)
    const room = this.#parts.access.room(who, slug)
    checkMayTalk(this.#parts.database, { user: user.id, room: room.id })
    if (tells) this.#parts.streams.tellTyping(user, room)
  }

  // Who posts in an open room is in it from then on, and whoever has left a direct room comes back to it by what the other says. Should
  // somebody have been quicker, only the join is refused. A retry takes nobody back who has left since.
  #comingIn(room: RoomRow, user: number, key: string | undefined): LogEvent[] {
    const { database } = this.#parts
    const other = otherOf(room, user)
    const outside = [user, ...(other === undefined ? [] : [other])].filter(
      (one) => database.rooms.roleIn(room.id, one) === undefined,
    )
    if (outside.length === 0 || (key !== undefined && database.eventByKey(user, key))) return []
    return outside.map((one) => ({
      type: 'join',
      rules,
      user: one,
      room: room.id,
      ...(one === other && { facts: { by: user, again: true } }),
    }))
  }

  // Who does something with a message, and which.
  #about(who: Who, slug: string, id: string): { user: number; room: number; target: number } {
    const { id: user } = this.#parts.people.writer(who)
    const { id: room } = this.#parts.access.room(who, slug)
    return { user, room, target: Number(this.message(who, slug, id).id) }
  }

  async #older(who: Who, place: Place, before: number, size: Size): Promise<Part> {
    const { database, log } = this.#parts
    // A commit can be read before it was delivered; such a message would be on the page and come after its cursor as well.
    const rows = await this.#rows(
      place.id,
      Math.min(before, log.newest + 1),
      { ...size, older: true },
      (from, edge = 0, asked) => database.messagesBefore(place, from, { edge, ...asked }),
    )
    const { messages, more } = await this.#fitting(who, place, rows, size)
    return { messages: messages.reverse(), more }
  }

  async #newer(who: Who, place: Place, after: number, size: Size): Promise<Part> {
    const { database, log } = this.#parts
    const newest = Math.max(log.newest, 0)
    const rows = await this.#rows(place.id, after, { ...size, older: false }, (from, edge = newest, asked) =>
      database.messagesAfter(place, from, { edge: Math.min(edge, newest), ...asked }),
    )
    return this.#fitting(who, place, rows, size)
  }

  // One more than were asked for, or those whose texts are more than fits. Of deleted ones there may be any number between two that are left:
  // they are passed over a little at a time.
  async #rows(
    room: number,
    from: number,
    { count, bytes, older, slice }: Size & { older: boolean },
    read: ReadMessages,
  ): Promise<MessageRow[]> {
    const rows: MessageRow[] = []
    for (; ; await slice.end()) {
      const edge = this.#parts.database.talk.messageEdge(room, from, { older, looked: limits.looked })
      const characters = bytes - rows.reduce((sum, { text }) => sum + (text?.length ?? 0), 0)
      rows.push(...read(from, edge, { limit: count + 1 - rows.length, characters }))
      const full = rows.length > count || rows.reduce((sum, { text }) => sum + (text?.length ?? 0), 0) > bytes
      if (full || edge === undefined) return rows
      from = edge
    }
  }

  // As many as were asked for and fit, and at least one.
  async #fitting(
    who: Who,
    { reader }: Place,
    rows: readonly MessageRow[],
    { count, bytes, slice }: Size,
  ): Promise<Part> {
    const messages: Message[] = []
    let left = bytes
    while (messages.length < rows.length) {
      for (const message of withReactions(
        this.#parts.database,
        { user: userIn(who), reader },
        rows.slice(messages.length),
      )) {
        left -= bytesOf(message)
        if (messages.length === count || (left < 0 && messages.length > 0)) return { messages, more: true }
        messages.push(message)
      }
      await slice.end()
    }
    return { messages, more: false }
  }

  #shown(who: Who, { reader }: Place, row: MessageRow): Message {
    return withReactions(this.#parts.database, { user: userIn(who), reader }, [row])[0]!
  }

  #isUnseen(message: number, { reader }: Place): boolean {
    return reader !== undefined && this.#parts.database.blocks.unseen(message)?.user === reader
  }

  // Whom a text names, of those who may read it; 0 is everyone.
  #mentions(room: RoomRow, author: number, text: string): Mentions {
    if (!text.includes('@')) return {}
    const found = mentionsIn(text, (name) => this.#namedIn(room, author, name))
    const mentions = [...new Set(found)].filter((id) => id !== 0)
    const everyone = found.includes(0)
    return { ...(mentions.length > 0 && { mentions }), ...(everyone && { everyone }) }
  }

  #namedIn(room: RoomRow, author: number, name: string): number | undefined {
    const folded = foldName(name)
    if (folded === 'room') return 0
    const user = this.#parts.database.people.nameHolder(folded)
    if (user?.freed !== null) return undefined
    const there =
      sees(this.#parts.database, user.id, room) ||
      otherOf(room, user.id) !== undefined ||
      this.#parts.database.blocks.shadow(room.id, user.id, author) !== undefined
    return there ? user.id : undefined
  }
}

/** It stays when the text is deleted, so it is kept too short to find a text by, though guesses can be tried: 24 bits find a mistaken key all the same. */
export function printOf(...parts: string[]): string {
  return hash('sha256', JSON.stringify(parts), 'base64url').slice(0, 4)
}
