// The id after which a stream goes on: read from what its client sent, and looked up before anything is replayed from it.

import type { History } from './history.ts'

/** Why a cursor can't be served; the `reason` of a `reset`. */
export type CursorRefusal = 'unknown_cursor' | 'too_old'

/** What a hub still knows of its events. */
interface Known {
  /** The newest id that was delivered. */
  delivered: number
  ring: { readonly floor: number; has(id: number): boolean }
  history: Pick<History, 'has'> | undefined
}

/** NaN for what is no id at all: it is equal to none, and so unknown. */
export function readCursor(lastEventId: string | undefined): number | undefined {
  if (lastEventId === undefined) return undefined
  return /^\d{1,16}$/.test(lastEventId) ? Number(lastEventId) : NaN
}

/** Why this cursor can't be served, or undefined if it can: a promise where the history has to be asked and takes its time. */
export function refusalOf(
  cursor: number,
  { delivered, ring, history }: Known,
): CursorRefusal | undefined | Promise<CursorRefusal | undefined> {
  if (cursor === delivered || cursor === ring.floor || ring.has(cursor)) return undefined
  // What is no number is not below the newest either.
  if (!(cursor < delivered)) return 'unknown_cursor'
  if (!history) return cursor < ring.floor ? 'too_old' : 'unknown_cursor'
  const refused = (has: boolean) => (has ? undefined : 'unknown_cursor')
  try {
    const has = history.has(cursor)
    return typeof has === 'boolean' ? refused(has) : has.then(refused)
  } catch (error) {
    // It is one that fails.
    return Promise.reject(error)
  }
}
