// How much one answer holds, whatever was stored: a page ends by number or by its bytes, and says whether it goes on; and what takes long
// to read is read in slices, between which others get the event loop.

import { setImmediate } from 'node:timers/promises'
import { ChatError } from '../errors.ts'
import { toJson } from '../sse/json.ts'

/** Of JSON in one page. One more entry than fits may be on it, where it would be empty otherwise. */
export const pageBytesMax = 256 * 1024

export interface Pages {
  /** The id of the last one of the page before. */
  after?: string | undefined
  limit?: number | undefined
}

const sliceMs = 1 // of reading; what is read in one step takes less
const answerMs = 0.7 // that JSON takes to be made of a page

/**
 * How many entries a page has: as many as were asked for, or the most. A host may hand on what it was sent itself, and of -1 or NaN entries
 * no page is ever full.
 * @throws ChatError `invalid_request`
 */
export function countOf(asked: number, most: number): number {
  if (!Number.isSafeInteger(asked) || asked < 1)
    throw new ChatError('invalid_request', 'limit must be a whole number from 1 on')
  return Math.min(asked, most)
}

/** What a value takes in an answer, with what is between two of them. */
export function bytesOf(value: unknown): number {
  return Buffer.byteLength(toJson(value)!) + 1
}

/** What is read between two turns of the event loop. */
export class Slice {
  #until = performance.now() + sliceMs

  /** Lets others have their turn if it is over: true if they had. What was read before may be otherwise by then. */
  async end({ aheadMs = 0 } = {}): Promise<boolean> {
    if (performance.now() + aheadMs < this.#until) return false
    await setImmediate()
    this.#until = performance.now() + sliceMs
    return true
  }

  /** After the last step: what was read is made into an answer, which takes a while as well. */
  async over(): Promise<void> {
    await this.end({ aheadMs: answerMs })
  }
}

interface Reading<Row, Shown> {
  /** The next rows after one, or from the beginning: fewer than were asked for means that there are no more. */
  read: (after: Row | undefined, count: number) => readonly Row[]
  /** Undefined where the reader may not see it. */
  show: (row: Row) => Shown | undefined
  limit: number
  /** Of JSON. */
  bytes?: number
}

const rowsMax = 200 // read in one step

/** Reads rows until a page of what is shown of them is full. */
export async function readPage<Row, Shown>({
  read,
  show,
  limit,
  bytes = pageBytesMax,
}: Reading<Row, Shown>): Promise<{
  shown: Shown[]
  more: boolean
  /** Of the bytes. */
  left: number
}> {
  const shown: Shown[] = []
  let left = bytes
  let last: Row | undefined
  const slice = new Slice()
  for (;;) {
    const count = Math.min(rowsMax, limit + 1)
    const rows = read(last, count)
    for (const row of rows) {
      const one = show(row)
      last = row
      if (one !== undefined) {
        left -= bytesOf(one)
        if (shown.length === limit || (left < 0 && shown.length > 0)) {
          await slice.over()
          return { shown, more: true, left }
        }
        shown.push(one)
      }
      await slice.end()
    }
    if (rows.length < count) {
      await slice.over()
      return { shown, more: false, left }
    }
  }
}
