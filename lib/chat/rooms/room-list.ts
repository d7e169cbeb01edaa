// The list of rooms, in pages: first those that somebody is in, with what is unread there, then the others that they may see.

import type { Database } from '../../store/database.ts'
import type { RoomOf } from '../../store/tables/room-tables.ts'
import type { ListedRoom } from '../streams/events.ts'
import { foldName } from '../people/names.ts'
import { countOf, pageBytesMax, readPage, type Pages } from '../pages.ts'
import type { Parts } from '../parts.ts'
import type { Reads } from '../talk/reads.ts'
import { beginsIn, RoomNames } from './room-names.ts'
import { roomsOfToken, userIn, type Who } from '../people/who.ts'
import { toRoom } from '../streams/wire.ts'

export interface RoomPages extends Pages {
  /** How the name, or a word of it, begins. */
  q?: string | undefined
}

export interface RoomsPage {
  rooms: ListedRoom[]
  cursor: string
  more: boolean
}

const limits = {
  rooms: 1000, // in one page,
  usual: 200, // and in one that was not asked to have more
  direct: 200, // of one's own, the newest, that are looked through for a name
}

type ReadRooms = (after: number, count: number) => RoomOf[]

export class RoomList {
  readonly #parts: Parts
  readonly #reads: Reads
  readonly #names: RoomNames

  constructor(parts: Parts, reads: Reads) {
    this.#parts = parts
    this.#reads = reads
    this.#names = new RoomNames(parts.database)
  }

  /** `after` is the id of the last room of the page before, lost since then or not. @throws ChatError `not_found` for one that was never theirs to see */
  async page(who: Who, { after: slug, limit: asked = limits.usual, q }: RoomPages): Promise<RoomsPage> {
    const { access, database, log } = this.#parts
    access.reads(who)
    const user = userIn(who)
    const limit = countOf(asked, limits.rooms)
    // What is committed and not yet delivered, or comes meanwhile, is news, and not to be counted here as well.
    const { newest } = log
    const cursor = String(newest)
    const after = slug === undefined ? undefined : access.placeInList(who, slug)
    const ids = q === undefined ? roomsOfToken(who)?.toSorted((one, other) => one - other) : await this.#named(user, q)
    const among = ids && idsAfter(database, user, ids)

    const showMine = (room: RoomOf): ListedRoom | undefined => {
      const { since } = room
      if (since === null || !access.maySee(who, room)) return undefined
      return { ...toRoom(room), ...this.#reads.unread({ user, room: room.id, since, upTo: newest }) }
    }
    const showOther = (room: RoomOf): ListedRoom | undefined =>
      room.since === null && access.maySee(who, room) ? toRoom(room) : undefined
    const from = (id: number, read: ReadRooms) => (last: RoomOf | undefined, count: number) =>
      read(last?.id ?? id, count)
    // What can be lost is no open room, and so was one of their own.
    const isMine = after === undefined || after.lost || database.rooms.memberSince(after.id, user) !== undefined

    const mine = isMine
      ? await readPage({
          read: from(after?.id ?? 0, among ?? ((id, count) => database.rooms.mineAfter(user, id, count))),
          show: showMine,
          limit,
        })
      : { shown: [], more: false, left: pageBytesMax }
    if (mine.more) return { rooms: mine.shown, cursor, more: true }
    const others = await readPage({
      read: from(isMine ? 0 : after!.id, among ?? ((id, count) => database.rooms.openAfter(user, id, count))),
      show: showOther,
      limit: limit - mine.shown.length,
      bytes: mine.left,
    })
    return { rooms: [...mine.shown, ...others.shown], cursor, more: others.more }
  }

  // Rooms whose name begins so; of rooms of two, one's own.
  async #named(user: number, q: string): Promise<number[]> {
    const wanted = foldName(q)
    const direct = this.#parts.database.rooms
      .directOf(user, limits.direct)
      .filter(({ name }) => beginsIn(foldName(name), wanted))
    return [...(await this.#names.find(q)), ...direct.map(({ id }) => id)].sort((one, other) => one - other)
  }
}

/** Those of these rooms, in order, that come after one. */
function idsAfter(database: Database, user: number, ids: readonly number[]): ReadRooms {
  return (after, count) => {
    const begin = ids.findIndex((id) => id > after)
    return begin < 0
      ? []
      : ids
          .slice(begin, begin + count)
          .map((id) => ({ ...database.rooms.room(id)!, since: database.rooms.memberSince(id, user) ?? null }))
  }
}
