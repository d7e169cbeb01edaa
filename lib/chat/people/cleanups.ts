// Does away with what somebody made and said who is banned, as the ban asked for: an ordinary event for each room and message, a few
// at a time, so that nobody else waits for it. What is left is in the log, and so it goes on after a restart.

import { setTimeout as pause } from 'node:timers/promises'
import { ChatError } from '../../errors.ts'
import type { CleanupRow } from '../../store/tables/people-tables.ts'
import { rules, type LogEvent } from '../../store/log/log-events.ts'
import type { Parts } from '../parts.ts'
import { governs } from '../rules/rights.ts'

const limits = {
  eventsAtOnce: 5, // in one commit, which others wait for: a deletion takes a millisecond, most of it the search's
  looked: 2000, // events of the log in one go, for messages of theirs: a fraction of a millisecond
  shareOfTime: 0.3, // of the disk's time that all of it may take
  pauseMs: 5, // between two goes, at the least
  retryMs: 10_000, // where nothing can be stored now
}

export class Cleanups {
  readonly #parts: Parts
  readonly #onError: (error: unknown) => void
  #running: Promise<void> | undefined
  /** There may be more to do than was seen when it began. */
  #asked = false
  readonly #stop = new AbortController()

  /** `onError` is told what stopped it, if that was neither the storage nor `stop`. */
  constructor(parts: Parts, { onError }: { onError: (error: unknown) => void }) {
    this.#parts = parts
    this.#onError = onError
  }

  /** Looks for what there is to do, and does it. */
  begin(): void {
    this.#asked = true
    this.#running ??= this.#run()
      .catch((error) => this.#failed(error))
      .finally(() => {
        this.#running = undefined
        // Somebody asked while it was about to end.
        if (this.#asked && !this.#stop.signal.aborted) this.begin()
      })
  }

  /** Ends it where it is; the next start goes on. */
  async stop(): Promise<void> {
    this.#stop.abort()
    await this.#running
  }

  async #run(): Promise<void> {
    while (this.#asked && !this.#stop.signal.aborted) {
      this.#asked = false
      for (const cleanup of this.#parts.database.people.cleanups()) {
        try {
          await this.#cleanUp(cleanup)
        } catch (error) {
          // Damaged or dead, the storage takes nothing until the next start.
          if (!(error instanceof ChatError) || (error.code !== 'busy' && error.code !== 'storage_full')) throw error
          this.#asked = true
          await this.#pause(limits.retryMs)
        }
      }
    }
  }

  // Until it is asked again there is no use in trying.
  #failed(error: unknown): void {
    this.#asked = false
    // Of the storage's refusals it has told itself, and nothing can be read any more once all is closed.
    if (!(error instanceof ChatError) && !this.#stop.signal.aborted) this.#onError(error)
  }

  async #cleanUp({ user, ban, rooms, messages }: CleanupRow): Promise<void> {
    if (rooms) await this.#archiveRooms(user, ban)
    if (messages) await this.#deleteMessages(user, ban)
    if (this.#byWhom(user, ban) !== undefined)
      await this.#append([{ type: 'cleanup_end', rules, target: user, facts: { ban } }])
  }

  async #archiveRooms(user: number, ban: number): Promise<void> {
    for (let after = 0; ; ) {
      const by = this.#byWhom(user, ban)
      const ids = by === undefined ? [] : this.#parts.database.rooms.idsMadeBy(user, after, limits.eventsAtOnce)
      if (by === undefined || ids.length === 0) return
      await this.#append(
        ids.map((room) => ({ type: 'room_change', rules, user: by, room, facts: { archived: true, ban } })),
      )
      after = ids.at(-1)!
    }
  }

  // The newest first: they are what others see now.
  async #deleteMessages(user: number, ban: number): Promise<void> {
    for (let before: number | undefined = ban; before !== undefined && this.#byWhom(user, ban) !== undefined; ) {
      const found = this.#parts.database.messageIdsOf(user, { before, looked: limits.looked })
      for (let at = 0; at < found.ids.length; at += limits.eventsAtOnce) {
        const by = this.#byWhom(user, ban)
        if (by === undefined) return
        const messages = found.ids.slice(at, at + limits.eventsAtOnce)
        await this.#append(
          messages.map((target) => ({
            type: 'delete',
            rules,
            user: by,
            room: this.#parts.database.event(target)!.room!,
            target,
            facts: { ban },
          })),
        )
      }
      before = found.before
      await this.#pause(limits.pauseMs)
    }
  }

  // In whose name it goes on. It does not once they are no longer banned, somebody has asked for more, or who asked may ban nobody any more.
  #byWhom(user: number, ban: number): number | undefined {
    const cleanup = this.#stop.signal.aborted ? undefined : this.#parts.database.people.cleanup(user)
    return cleanup?.ban === ban && governs(this.#parts.database.people.user(cleanup.by)) ? cleanup.by : undefined
  }

  // Each is refused or not for itself: others may have done away with the same meanwhile.
  async #append(events: readonly LogEvent[]): Promise<void> {
    const began = performance.now()
    await this.#parts.log.append(events)
    const tookMs = performance.now() - began
    await this.#pause(Math.max(limits.pauseMs, tookMs / limits.shareOfTime - tookMs))
  }

  async #pause(ms: number): Promise<void> {
    // When it is stopped it is over.
    await pause(ms, undefined, { ref: false, signal: this.#stop.signal }).catch(() => {})
  }
}
