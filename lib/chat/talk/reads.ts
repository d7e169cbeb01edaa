// How far each person has read each room. It is state and no event: kept in groups, a little later, and the last one wins.

import type { ReadMark } from '../../store/log/event-log.ts'
import type { ListedRoom } from '../streams/events.ts'
import type { Parts } from '../parts.ts'

const limits = {
  keepMs: 1000, // between being told and the disk; a crash loses as much
  waiting: 1000, // for the disk
  counted: 100, // unread messages, or mentions; more are as good as these
  looked: 500, // of the newest in a room: whoever wrote all of these has no more than they show to catch up on
}

export class Reads {
  readonly #parts: Parts
  /** What the disk is not known to have yet; of these are waiting those that it was not told of. */
  #noted = new Map<string, ReadMark>()
  #waiting = new Map<string, ReadMark>()
  #timer: NodeJS.Timeout | undefined

  constructor(parts: Parts) {
    this.#parts = parts
  }

  /** Whether it is news: nobody reads backwards, or before they came. */
  note(mark: ReadMark, { since }: { since: number }): boolean {
    if (mark.event <= Math.max(this.#upTo(mark.user, mark.room) ?? 0, since)) return false
    const key = `${mark.user} ${mark.room}`
    this.#noted.set(key, mark)
    this.#waiting.set(key, mark)
    if (this.#waiting.size >= limits.waiting) this.keep()
    else this.#timer ??= setTimeout(() => this.keep(), limits.keepMs).unref()
    return true
  }

  /** Has the disk keep what was noted. */
  keep(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    if (this.#waiting.size === 0) return
    const marks = this.#waiting
    this.#waiting = new Map()
    // Until it can be read back it counts from here: on a slow disk people would read backwards meanwhile.
    void this.#parts.log.noteReads([...marks.values()]).then(() => {
      for (const [key, mark] of marks) if (this.#noted.get(key) === mark) this.#noted.delete(key)
    })
  }

  /** In a room that somebody is in since an event, as of another. */
  unread({
    user,
    room,
    since,
    upTo,
  }: {
    user: number
    room: number
    since: number
    upTo: number
  }): Required<Pick<ListedRoom, 'read' | 'unread' | 'mentions'>> {
    const after = Math.max(this.#upTo(user, room) ?? 0, since)
    const asked = { user, room, after, upTo, limit: limits.counted, looked: limits.looked }
    return {
      read: String(after),
      unread: this.#parts.database.talk.unread(asked),
      mentions: this.#parts.database.talk.unreadMentions(asked),
    }
  }

  #upTo(user: number, room: number): number | undefined {
    return this.#noted.get(`${user} ${room}`)?.event ?? this.#parts.database.talk.readUpTo(user, room)
  }
}
