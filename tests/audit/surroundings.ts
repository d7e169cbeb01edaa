// The surroundings of a server that an audit makes for it: a slow disk, a clock that jumps, an eye on its event loop.
// Preloaded with `node --import` into the unchanged `server.ts`, in each of its threads. They are no faults: natter has to do
// well in them.

import { appendFileSync, readFileSync } from 'node:fs'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { isMainThread } from 'node:worker_threads'
import { Database } from '../../lib/store/database.ts'
import { otherSource } from './other-source.ts'

export interface Clock {
  aheadMs?: number
  passedMs?: number
  standsAt?: number
}

const {
  NATTER_SLOW_DISK_MS: slowDiskMs,
  NATTER_CLOCK: clockFile,
  NATTER_EVENT_LOOP: eventLoopFile,
  NATTER_BODY_MS: bodyMs,
} = process.env

// Every commit takes so much longer, and its thread waits for it as for a real disk.
if (slowDiskMs !== undefined && !isMainThread) {
  const { commit } = Database.prototype
  const never = new Int32Array(new SharedArrayBuffer(4))
  Database.prototype.commit = function () {
    Atomics.wait(never, 0, 0, Number(slowDiskMs))
    return commit.call(this)
  }
}

// The clocks go by a file. The wall clock is `aheadMs` ahead, and stands with `standsAt`; `passedMs` have passed for all of them.
// What counts from the start of the process goes on evenly, as on a real machine.
if (clockFile !== undefined) {
  const now = Date.now
  const { timeOrigin } = performance
  const even = performance.now.bind(performance)
  const read = () => JSON.parse(readFileSync(clockFile, 'utf8')) as Clock
  const atStart = read()
  Date.now = () => {
    const { aheadMs = 0, passedMs = 0, standsAt } = read()
    return Math.floor((standsAt ?? now()) + aheadMs + passedMs)
  }
  performance.now = () => even() + (read().passedMs ?? 0) - (atStart.passedMs ?? 0)
  Object.defineProperty(performance, 'timeOrigin', {
    value: timeOrigin + (atStart.aheadMs ?? 0) + (atStart.passedMs ?? 0),
  })
}

// On SIGUSR2 a line with how long the event loop was held up since the last one.
if (eventLoopFile !== undefined && isMainThread) {
  const delay = monitorEventLoopDelay({ resolution: 1 })
  delay.enable()
  process.on('SIGUSR2', () => {
    const [p99, max] = [delay.percentile(99) / 1e6, delay.max / 1e6]
    delay.reset()
    appendFileSync(eventLoopFile, `${JSON.stringify({ p99, max })}\n`)
  })
}

// Time goes by faster for bodies: that they have less of it than half a minute needs no half a minute to be seen.
if (bodyMs !== undefined && isMainThread) {
  otherSource('lib/http/limits/patience.ts', 'silenceMs: 30_000', `silenceMs: ${bodyMs}`)
  otherSource('lib/http/limits/patience.ts', 'totalMs: 30_000', `totalMs: ${bodyMs}`)
}
