// The rooms that somebody is in, a page at a time, so that thousands of them hold nothing up.

import type { Database } from '../../store/database.ts'
import type { RoomRow } from '../../store/tables/room-tables.ts'

const limits = {
  rooms: 10_000, // the newest, of whoever is in more
  pageRooms: 250, // read in one go
}

/** Newest first, all of them or those that are not open. A page has what there is when it is asked for. */
export function* roomPages(
  database: Database,
  user: number,
  { closed }: { closed: boolean },
): Generator<Pick<RoomRow, 'id' | 'kind'>[], void> {
  let before = Number.MAX_SAFE_INTEGER
  for (let left = limits.rooms; left > 0; left -= limits.pageRooms) {
    const page = database.rooms.newestRoomsOf(user, { closed, before, limit: limits.pageRooms })
    yield page
    if (page.length < limits.pageRooms) return
    before = page.at(-1)!.id
  }
}
