// What a logged event shows beside its own row: whose doing it is and where, under the names of then, and what others of the log have of
// it. Rows are filled in a page at a time.

import type { Connection } from './connection.ts'
import type { LoggedEvent } from './log/event-log.ts'
import { eventType } from './log/event-types.ts'
import type { PeopleTables, UserRow } from './tables/people-tables.ts'
import type { RoomRow, RoomTables } from './tables/room-tables.ts'

/** What was looked up beside a page of events: by id, what others of them show as well. */
interface Beside {
  id: number
  target: number | null
  name: string | null
  facts: string | null
}

/** An event's row as the database has it: with JSON. */
export type Raw<Row extends LoggedEvent> = Omit<Row, 'facts' | 'rest'> & { facts: string | null; rest: string | null }

export class EventRows {
  readonly #connection: Connection
  readonly #people: PeopleTables
  readonly #rooms: RoomTables

  constructor(connection: Connection, { people, rooms }: { people: PeopleTables; rooms: RoomTables }) {
    this.#connection = connection
    this.#people = people
    this.#rooms = rooms
  }

  /**
   * Who and where is the same for most rows of a page: recalled, and not joined to each. The rows are this page's own, and filled in
   * as they are, since copies of them took a tenth of a replay.
   */
  fill<Row extends LoggedEvent>(raw: Raw<Row>[]): Row[] {
    for (const row of raw) {
      // The log's own JSON, written by `insertEvent`. From here on it is a row with its parts parsed.
      const parsed = row as { facts: unknown; rest: unknown }
      if (row.facts !== null) parsed.facts = JSON.parse(row.facts)
      const rest = unlessEmptied(row.rest)
      parsed.rest = rest === null ? null : JSON.parse(rest)
    }
    const rows = raw as unknown as Row[]
    const beside = this.#beside(rows)
    for (const row of rows) {
      const user = row.user === null ? undefined : this.#people.user(row.user)
      const room = row.room === null ? undefined : this.#rooms.room(row.room)
      row.text = unlessEmptied(row.text)
      row.name = unlessEmptied(row.name) ?? user?.name ?? null
      row.userKind = user?.kind ?? null
      row.slug = room?.slug ?? null
      row.roomKind = room?.kind ?? null
      if (row.type !== 'message') this.#fillIn(row, { user, room, beside })
    }
    return rows
  }

  #fillIn(
    row: LoggedEvent,
    { user, room, beside }: { user: UserRow | undefined; room: RoomRow | undefined; beside: Map<number, Beside> },
  ): void {
    if (row.type === 'edit') {
      const first = beside.get(row.target!)
      row.firstName = unlessEmptied(first?.name) ?? row.name
      row.firstTarget = first?.target ?? null
    } else if (row.type === 'reaction') {
      row.emoji = emojiIn(beside.get(holderOf(row)))
    } else if (row.type === 'block') {
      row.targetName = this.#people.user(row.target!)?.name
    } else if (eventType(row.type)?.frame === 'room') {
      // The newest that has the room's name or its topic tells the whole of it, and those before tell nothing any more.
      row.name = room && row.id >= Math.max(room.named, room.described) ? room.name : null
      row.topic = room?.topic ?? ''
    } else if (eventType(row.type)?.frame === 'user') {
      const about = row.type === 'user' ? user : row.target === null ? undefined : this.#people.user(row.target)
      row.name = about && row.id >= about.named ? about.name : null
    }
  }

  // What edits and reactions show of other events. Most pages have a few, and many pages none.
  #beside(rows: readonly LoggedEvent[]): Map<number, Beside> {
    const ids = rows.flatMap((row) =>
      row.type === 'edit' ? [row.target] : row.type === 'reaction' ? [holderOf(row)] : [],
    )
    if (ids.length === 0) return new Map()
    const found = this.#connection.all<Beside>(
      'select e.id, e.target, b.name, b.facts from json_each(?) j cross join events e on e.id = j.value left join bodies b on b.event = e.id',
      JSON.stringify(ids),
    )
    return new Map(found.map((row) => [row.id, row]))
  }
}

// Text never begins with that character: see `cleanText`.
function unlessEmptied(part: string | null | undefined): string | null {
  return part === undefined || part === null || part.charCodeAt(0) === 1 ? null : part
}

// The event whose body has a reaction's emoji: it is the first with it, or names that.
function holderOf({ id, facts }: LoggedEvent): number {
  return facts?.body ?? id
}

function emojiIn(holder: Beside | undefined): string | null {
  const facts = unlessEmptied(holder?.facts)
  return facts === null ? null : (JSON.parse(facts) as { emoji: string }).emoji
}
