// What a stream shows, as the topics it follows: those of the rooms that its reader may see, and those by which it is told that they
// come into one or leave it. Knows which, not when: that is for streams.ts.

import type { Database } from '../../store/database.ts'
import type { RoomRow } from '../../store/tables/room-tables.ts'
import { roomPages } from '../rooms/room-pages.ts'
import { inToken, makerIn, userIn, type Who } from '../people/who.ts'
import { seenTopics, topics } from './wire.ts'

/** A private room, and whether those two are in it whose rights count for a token. */
interface Shared {
  room: number
  bot: boolean
  maker: boolean
}

/**
 * What a stream of a token follows of a private room. While both are in it, the room; while one is, the comings and goings of the
 * other, so that whoever was away is told of the room that came or went.
 */
function topicsOfShared(who: Who, { room, bot, maker }: Shared): string[] {
  const [own, makers] = [topics.ofIn(userIn(who), room), topics.ofIn(makerIn(who)!, room)]
  return [...(bot && maker ? [topics.room(room)] : []), ...(maker ? [own] : []), ...(bot ? [makers] : [])]
}

/** The same of all private rooms, a page at a time. */
export function* topicsOfAllShared(database: Database, who: Who): Generator<string[], void> {
  const [user, maker] = [userIn(who), makerIn(who)!]
  for (const one of [user, maker]) {
    for (const page of roomPages(database, one, { closed: true })) {
      const rooms = page.filter(({ kind }) => kind === 'private')
      yield rooms.flatMap(({ id: room }) => topicsOfShared(who, sharedBy(database, { room, user, maker })))
    }
  }
}

/**
 * Where a list of rooms that goes on after an event is told of those that it had, and that both have lost since: a token was in each of
 * them until the first of them went, and its maker's going tells no more than that.
 */
export function topicsOfLost(database: Database, who: Who, after: number): string[] {
  const maker = makerIn(who)
  // Without a cursor there was no list before.
  if (maker === undefined || after === 0) return []
  const lost = database.rooms
    .lostBy(userIn(who), after)
    .filter((room) => inToken(who, room) && database.rooms.roleIn(room, maker) === undefined)
  return lost.map((room) => topics.ofIn(maker, room))
}

/** What a stream follows of a room that it is bound to: the room if it may be seen, and else its reader's coming into it. */
export function topicsOfBound(database: Database, who: Who, room: RoomRow, { seen }: { seen: boolean }): string[] {
  const [user, maker] = [userIn(who), makerIn(who)]
  if (maker !== undefined && room.kind === 'private')
    return topicsOfShared(who, sharedBy(database, { room: room.id, user, maker }))
  return [...(seen ? seenTopics(user, room.id) : []), topics.ofIn(user, room.id)]
}

function sharedBy(database: Database, { room, user, maker }: { room: number; user: number; maker: number }): Shared {
  const [bot, made] = [user, maker].map((id) => database.rooms.roleIn(room, id) !== undefined) as [boolean, boolean]
  return { room, bot, maker: made }
}
