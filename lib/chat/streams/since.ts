// `since=` in all its forms: an id, a duration (`10m`), an ISO time, `all`, or `-20` for the last twenty events.

import { readMoment } from '../time.ts'

const lastMax = 1000 // more events than these are not looked for

/**
 * The id after which a stream starts, or undefined where it is an id or nothing we know, which is the hub's to judge.
 * `now` is about the id that an event would get now; `beforeLast` tells after which id the last so many events are.
 */
export function readSince(since: string, now: number, beforeLast: (count: number) => number): number | undefined {
  if (since === 'all') return 0
  const moment = readMoment(since, 'before', now)
  if (moment !== undefined) return Math.max(0, moment - 1)
  const last = /^-(\d{1,9})$/.exec(since)
  if (!last) return undefined
  return Number(last[1]) === 0 ? now : beforeLast(Math.min(Number(last[1]), lastMax))
}
