// `since=` in all its forms: an id, a duration (`10m`), an ISO time, `all`, or `-20` for the last twenty events.

const units: Record<string, number> = { s: 1e6, m: 60e6, h: 3600e6, d: 86400e6, w: 604800e6 }

const lastMax = 1000 // more events than these are not looked for

/**
 * The id after which a stream starts, or undefined where it is an id or nothing we know, which is the hub's to judge.
 * `now` is about the id that an event would get now; `beforeLast` tells after which id the last so many events are.
 */
export function readSince(since: string, now: number, beforeLast: (count: number) => number): number | undefined {
  if (since === 'all') return 0
  const duration = /^(\d{1,9})([smhdw])$/.exec(since)
  if (duration) return Math.max(0, now - Number(duration[1]) * units[duration[2]!]!)
  if (/^\d{4}-\d\d-\d\d(T[\d:.]+(Z|[+-]\d\d:\d\d)?)?$/.test(since)) {
    const time = Date.parse(since)
    return Number.isNaN(time) ? undefined : Math.max(0, time * 1000 - 1)
  }
  const last = /^-(\d{1,9})$/.exec(since)
  if (!last) return undefined
  return Number(last[1]) === 0 ? now : beforeLast(Math.min(Number(last[1]), lastMax))
}
