// What somebody who asks may see: which rooms, and so which events. Operations and streams ask here; the rules themselves are
// in rights.ts.

import { ChatError } from '../errors.ts'
import type { Database } from '../store/database.ts'
import type { RoomRow } from '../store/tables/room-tables.ts'
import type { Member, SearchQuery } from '../store/search/search-tables.ts'
import { pairOf } from './rooms/direct-slug.ts'
import { sees, sharesWithMaker } from './rules/rights.ts'
import { noRoom } from './rules/rule.ts'
import { foldName } from './people/names.ts'
import { roomPages } from './rooms/room-pages.ts'
import { hasScope, inToken, makerIn, roomsOfToken, userIn, type Who } from './people/who.ts'

const limits = {
  lost: 1000, // rooms that somebody lost last: where a list goes on after one of these
  slugUnits: 1000, // of UTF-16: no room has a longer one, since of a name's 40 characters none makes more than 18
}

export class Access {
  readonly #database: Database
  readonly #open: boolean

  /** `open`: whoever asks may read the open rooms, without a name. */
  constructor(database: Database, { open }: { open: boolean }) {
    this.#database = database
    this.#open = open
  }

  /** @throws ChatError if they may read nothing at all */
  reads(who: Who): void {
    if (who.kind === 'user') {
      if (who.user.banned !== 0) throw new ChatError('banned', 'you are banned here')
      if (!hasScope(who.token, 'read')) throw new ChatError('forbidden', 'this token is not for reading')
    } else if (!this.#open) {
      throw new ChatError(
        'unauthorized',
        'only who was invited may read here; log in with POST /session {"name":"…","password":"…"}, or ask for an invite',
      )
    }
  }

  /** @throws ChatError `not_found` alike for a room that is not theirs to see and for none */
  room(who: Who, slug: string): RoomRow {
    this.reads(who)
    return this.roomToWrite(who, slug)
  }

  /** The same for who may write in it without reading. */
  roomToWrite(who: Who, slug: string): RoomRow {
    const room = slug.length > limits.slugUnits ? undefined : this.#find(who, slug)
    if (!this.maySee(who, room)) throw noRoom()
    return room
  }

  /**
   * Where a list of rooms goes on after one of them, which its reader may have lost since. A room that they were never shown is refused like
   * none: where it stands in the order would tell that there is one.
   * @throws ChatError `not_found`
   */
  placeInList(who: Who, slug: string): { id: number; lost: boolean } {
    this.reads(who)
    const room = slug.length > limits.slugUnits ? undefined : this.#find(who, slug)
    if (this.maySee(who, room)) return { id: room.id, lost: false }
    // A token showed the room while its maker was in it as well. Both are asked for in any case, or the time would tell who is in it.
    const [id, ofMaker] = [userIn(who), makerIn(who) ?? userIn(who)].map((user) => this.#everIn(user, slug))
    if (id === undefined || ofMaker === undefined || !inToken(who, id)) throw noRoom()
    return { id, lost: true }
  }

  // A room that they are in or lost lately.
  #everIn(user: number, slug: string): number | undefined {
    const lost = this.#database.rooms.lostRoom(user, slug, limits.lost)
    const seen = this.#database.rooms.roomSeenBy(user, slug)
    return seen?.id ?? lost
  }

  // Looks for a hidden room and for a missing one with the same statements, and caches the result of neither, or the time of the answer would tell
  // which rooms there are. The slug of a direct room names its two people, so for anybody else there is nothing to look up.
  #find(who: Who, slug: string): RoomRow | undefined {
    const user = userIn(who)
    const seen = (name: string) =>
      pairOf(name)?.includes(user) === false ? undefined : this.#database.rooms.roomSeenBy(user, name)
    const room = seen(slug)
    if (room) return room
    const folded = foldName(slug)
    return folded === slug ? undefined : seen(folded)
  }

  /** The rooms they are in, or those among them that are not open: newest first, a page at a time, each as it is when it is asked for. */
  *roomsOf(who: Who, { closed = false } = {}): Generator<Pick<RoomRow, 'id' | 'kind'>[], void> {
    for (const page of roomPages(this.#database, userIn(who), { closed }))
      yield page.filter((room) => this.#shows(who, room))
  }

  /** Where they may search: in one room, in those of their token, or in all that are open and those that they are in. */
  searched(who: Who, slug?: string): Pick<SearchQuery, 'rooms' | 'own' | 'open'> | { memberIn: Member; open: true } {
    this.reads(who)
    const user = userIn(who)
    const rooms =
      slug !== undefined
        ? [this.room(who, slug)]
        : roomsOfToken(who)
            ?.map((id) => this.#database.rooms.room(id)!)
            .filter((room) => this.maySee(who, room))
    if (!rooms) return { memberIn: { user, maker: makerIn(who) ?? user }, open: true }
    const direct = rooms.filter(({ kind }) => kind === 'direct')
    return { rooms: rooms.map(({ id }) => id), own: { author: user, rooms: direct.map(({ id }) => id) }, open: false }
  }

  /** At each use, and not when a token was made: a maker who has lost a private room has lost it for their tokens too. */
  maySee(who: Who, room: RoomRow | undefined): room is RoomRow {
    return room !== undefined && this.#shows(who, room) && sees(this.#database, userIn(who), room)
  }

  // What a token takes away from what its bot sees.
  #shows(who: Who, room: Pick<RoomRow, 'id' | 'kind'>): boolean {
    const maker = makerIn(who)
    return inToken(who, room.id) && (maker === undefined || sharesWithMaker(this.#database, maker, room))
  }
}
