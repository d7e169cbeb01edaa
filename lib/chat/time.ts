// Times as people write them: a duration (`10m`, `7d`), or a date or time in ISO 8601. In microseconds, like ids.

import { ChatError } from '../errors.ts'

const units: Record<string, number> = { s: 1e6, m: 60e6, h: 3600e6, d: 86400e6, w: 604800e6 }

/** Which moment: a time, or a duration `before` or `after` now. Undefined if it is neither. */
export function readMoment(text: string, direction: 'before' | 'after', now: number): number | undefined {
  const [, count, unit] = /^(\d{1,9})([smhdw])$/.exec(text) ?? []
  if (count !== undefined) return now + Number(count) * units[unit!]! * (direction === 'after' ? 1 : -1)
  if (!/^\d{4}-\d\d-\d\d(T[\d:.]+(Z|[+-]\d\d:\d\d)?)?$/.test(text)) return undefined
  const time = Date.parse(text)
  return Number.isNaN(time) ? undefined : time * 1000
}

/**
 * When it will be: a moment, or a duration from `now` on.
 * @throws ChatError `invalid_request` if it is neither, or over
 */
export function readTime(text: string, now: number): number {
  const time = readMoment(text, 'after', now)
  if (time === undefined || time <= now)
    throw new ChatError('invalid_request', 'expires must be a time to come, like 2026-12-31 or 7d')
  // Further away it is no whole number of microseconds any more: a database keeps it, and can never be asked for it again.
  return Math.min(time, Number.MAX_SAFE_INTEGER)
}
