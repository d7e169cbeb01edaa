// How far each person has read each room. It is state and no event: kept in groups, a little later, and the last one wins.

import type { Database } from '../store/database.ts'
import type { EventLog, ReadMark } from '../store/event-log.ts'

const limits = {
  keepMs: 1000, // between being told and the disk; a crash loses as much
  waiting: 1000, // for the disk
  counted: 100, // unread messages, or mentions; more are as good as these
  looked: 500, // of the newest in a room: whoever wrote all of these has no more than they show to catch up on
}

export interface Unread {
  /** The newest event that they have read. */
  read: string
  /** Others' messages since then, 100 at the most. */
  unread: number
  /** Those of them that name the reader, or everyone; 100 at the most. */
  mentions: number
}

export class Reads {
  readonly #log: EventLog
  readonly #database: Database
  #waiting = new Map<string, ReadMark>()
  #timer: NodeJS.Timeout | undefined

  constructor({ log, database }: { log: EventLog; database: Database }) {
    this.#log = log
    this.#database = database
  }

  /** Whether it is news: nobody reads backwards. */
  note(mark: ReadMark): boolean {
    if (mark.event <= (this.#upTo(mark.user, mark.room) ?? 0)) return false
    this.#waiting.set(`${mark.user} ${mark.room}`, mark)
    if (this.#waiting.size >= limits.waiting) this.keep()
    else this.#timer ??= setTimeout(() => this.keep(), limits.keepMs).unref()
    return true
  }

  /** Has the disk keep what was noted. */
  keep(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    if (this.#waiting.size > 0) this.#log.noteReads([...this.#waiting.values()])
    this.#waiting.clear()
  }

  /** In a room that somebody is in since an event, as of another. */
  unread({ user, room, since, upTo }: { user: number; room: number; since: number; upTo: number }): Unread {
    const after = Math.max(this.#upTo(user, room) ?? 0, since)
    const asked = { user, room, after, upTo, limit: limits.counted, looked: limits.looked }
    return { read: String(after), unread: this.#database.talk.unread(asked), mentions: this.#database.talk.unreadMentions(asked) }
  }

  #upTo(user: number, room: number): number | undefined {
    return this.#waiting.get(`${user} ${room}`)?.event ?? this.#database.talk.readUpTo(user, room)
  }
}
