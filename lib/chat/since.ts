// `since=` in all its forms: an id, a duration (`10m`), an ISO time, `all`, or `-20` for the last twenty events.

import { setImmediate as others } from 'node:timers/promises'
import type { HistoryEvent } from '../sse/history.ts'

const units: Record<string, number> = { s: 1e6, m: 60e6, h: 3600e6, d: 86400e6, w: 604800e6 }

const limits = {
  lastEvents: 1000, // more than these are not looked for
  page: 500, // looked through in one go
  looked: 100_000, // of the newest events, to find those that may be seen
}

/**
 * The id after which a stream starts, or undefined where it is an id or nothing we know, which is the hub's to judge.
 * `before` reads the events with a smaller id, newest first.
 */
export async function readSince(
  since: string,
  now: number,
  topics: readonly string[],
  before: (id: number, limit: number) => HistoryEvent[],
): Promise<number | undefined> {
  if (since === 'all') return 0
  const duration = /^(\d{1,9})([smhdw])$/.exec(since)
  if (duration) return Math.max(0, now - Number(duration[1]) * units[duration[2]!]!)
  if (/^\d{4}-\d\d-\d\d(T[\d:.]+(Z|[+-]\d\d:\d\d)?)?$/.test(since)) {
    const time = Date.parse(since)
    return Number.isNaN(time) ? undefined : Math.max(0, time * 1000 - 1)
  }
  const last = /^-(\d{1,9})$/.exec(since)
  if (last) return beforeLast(Math.min(Number(last[1]), limits.lastEvents), topics, before)
  return undefined
}

async function beforeLast(count: number, topics: readonly string[], before: (id: number, limit: number) => HistoryEvent[]): Promise<number | undefined> {
  let id = Number.MAX_SAFE_INTEGER
  if (count === 0) return id
  for (let looked = 0; looked < limits.looked; looked += limits.page) {
    const page = before(id, limits.page)
    for (const event of page) {
      id = event.id
      if (event.topics.some((topic) => topics.includes(topic)) && --count === 0) return id - 1
    }
    if (page.length < limits.page) return 0
    await others()
  }
  return id - 1
}
