// Where a stream begins that asks for the last so many events (`since=-20`): the newest that its reader may see.

import type { Place } from '../../store/database.ts'
import type { Parts } from '../parts.ts'
import { makerIn, userIn, type Who } from '../people/who.ts'
import { placeOf } from '../rooms/direct.ts'

const limits = {
  lookedBack: 2000, // events, for the last few that may be seen: nothing else happens meanwhile
  roomsLooked: 200, // whose last messages are asked for room by room
}

/** Which events count: messages of the rooms of these ids, or of those that the reader is in, or else all. */
interface Asked {
  bound: readonly number[] | undefined
  mine: boolean
  count: number
}

/** The id after which they are. */
export function beforeLastEvents(parts: Parts, who: Who, { bound, mine, count }: Asked): number {
  const { access, database, log } = parts
  const asked = bound ?? (mine ? fewRooms(parts, who) : undefined)
  if (!asked) {
    return database.talk.beforeLastSeen({
      user: userIn(who),
      maker: makerIn(who),
      mine,
      count,
      looked: limits.lookedBack,
    })
  }
  const seen = [...new Set(asked)].map((id) => database.rooms.room(id)!).filter((room) => access.maySee(who, room))
  const places = seen.map((room) => placeOf(room, who))
  return (newestIn(parts, places, count).at(-1) ?? log.newest + 1) - 1
}

// Those they are in, unless these are too many to be asked room by room.
function fewRooms({ access }: Parts, who: Who): number[] | undefined {
  const rooms: number[] = []
  for (const page of access.roomsOf(who)) {
    rooms.push(...page.map(({ id }) => id))
    if (rooms.length > limits.roomsLooked) return undefined
  }
  return rooms
}

// The newest messages of several rooms, which share what is looked back: a few of each, then more of those alone whose last is not too
// old to count.
function newestIn({ database }: Parts, rooms: readonly Place[], count: number): number[] {
  let newest: number[] = []
  const share = Math.ceil(limits.lookedBack / rooms.length)
  let open = rooms.map((room) => ({ room, before: Number.MAX_SAFE_INTEGER }))
  for (let limit = Math.ceil(count / rooms.length); open.length > 0; limit *= 2) {
    const looked = Math.max(share, limit)
    const pages = open.map(({ room, before }) => ({
      room,
      ids: database.lastMessageIds(room, { before, limit, looked }),
    }))
    newest = [...newest, ...pages.flatMap(({ ids }) => ids)].sort((a, b) => b - a).slice(0, count)
    const oldest = newest.length < count ? 0 : newest.at(-1)!
    open = pages
      .filter(({ ids }) => ids.length === limit && ids.at(-1)! > oldest)
      .map(({ room, ids }) => ({ room, before: ids.at(-1)! }))
  }
  return newest
}
