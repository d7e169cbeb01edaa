// Blocking: somebody wants nothing more of somebody else. Their direct room leaves the list of the one, and nothing tells the other.

import type { User } from '../streams/events.ts'
import { slugOfTwo } from '../rooms/direct.ts'
import { rules } from '../../store/log/log-events.ts'
import { countOf } from '../pages.ts'
import type { Parts } from '../parts.ts'
import type { Who } from './who.ts'
import { timeOf, toUser } from '../streams/wire.ts'

/** Somebody who is blocked, and since when: ISO 8601, UTC. */
export interface Blocked {
  user: User
  since: string
}

export interface BlockedPage {
  /** The newest first. */
  blocks: Blocked[]
  cursor: string
  /** There are older ones: go on with `after`, the id of the last user. */
  more: boolean
}

const listedMax = 500 // in one answer: some 150 KiB of the longest names

export class Blocks {
  readonly #parts: Parts

  constructor(parts: Parts) {
    this.#parts = parts
  }

  /** Does nothing where it is so already. `raw` is their id or name. */
  async block(who: Who, raw: string): Promise<void> {
    const { appender, people } = this.#parts
    const { id: user } = people.person(who)
    const { id: target } = people.find(who, raw)
    const room = this.#roomOf(user, target)
    // The room goes from the list as by leaving it, which one's other pages and programs know.
    const after = room === undefined ? [] : [{ type: 'leave', rules, user, room } as const]
    await appender.appendUnless('unchanged', { type: 'block', rules, user, target, facts: { on: true } }, { after })
    // The other may have opened one meanwhile.
    const opened = this.#roomOf(user, target)
    if (opened !== undefined) await appender.appendUnless('not_member', { type: 'leave', rules, user, room: opened })
  }

  /** The room comes back, if it was in the list before: without what was said meanwhile. */
  async unblock(who: Who, raw: string): Promise<void> {
    const { appender, database, people } = this.#parts
    const { id: user } = people.person(who)
    const { id: target } = people.find(who, raw)
    const room = database.blocks.block(user, target)?.room ?? null
    const after = room === null ? [] : [{ type: 'join', rules, user, room } as const]
    await appender.appendUnless('unchanged', { type: 'block', rules, user, target, facts: { on: false } }, { after })
  }

  /** Whom they block. */
  list(
    who: Who,
    { after, limit = listedMax }: { after?: string | undefined; limit?: number | undefined } = {},
  ): BlockedPage {
    const { appender, database, people } = this.#parts
    const { id: user } = people.person(who)
    const count = countOf(limit, listedMax)
    const before =
      after === undefined
        ? Number.MAX_SAFE_INTEGER
        : (database.blocks.block(user, people.find(who, after).id)?.since ?? 0)
    const found = database.blocks.blockedBy(user, before, count + 1)
    return {
      blocks: found.slice(0, count).map((row) => ({ user: toUser(row), since: timeOf(row.since) })),
      cursor: appender.cursor,
      more: found.length > count,
    }
  }

  // Their direct room, if it is in the user's list.
  #roomOf(user: number, target: number): number | undefined {
    const { rooms } = this.#parts.database
    const room = rooms.roomBySlug(slugOfTwo(user, target))
    return room && rooms.roleIn(room.id, user) !== undefined ? room.id : undefined
  }
}
