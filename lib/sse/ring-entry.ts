// An event as a hub's ring keeps it: encoded once, for all streams and for as long as it is kept.

import type { Seen } from './follower.ts'
import { frameOf } from './frame.ts'
import type { RingEntry } from './ring-buffer.ts'

const overheadBytes = 200 // what an entry takes beside its frame

export interface Entry extends Seen, RingEntry {
  readonly frame: string
}

/** @throws TypeError if it can't be written */
export function entryOf({ id, topics, event, data }: Seen): Entry {
  const frame = frameOf({ event, id, data: data === undefined ? '' : data })
  const encoded = Buffer.byteLength(frame)
  // One character beyond Latin-1 has V8 keep two bytes for each.
  const kept = encoded === frame.length ? encoded : Math.max(encoded, 2 * frame.length)
  return { id, topics, event, data, frame, bytes: 2 * kept + overheadBytes }
}

/** One that nobody gets: it only moves cursors on. */
export function emptyEntry(id: number): Entry {
  return { id, topics: [], frame: '', bytes: overheadBytes }
}
