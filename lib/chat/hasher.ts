// The entry of the thread that hashes passwords: one after the other, and behind all else that this process has to do.

import { scryptSync } from 'node:crypto'
import { readlinkSync } from 'node:fs'
import { getPriority, setPriority } from 'node:os'
import { parentPort } from 'node:worker_threads'
import type { FromHasher, ToHasher } from './hashing-thread.ts'

const niceness = 10 // below the rest of the process: whatever the server does goes first

lower()
parentPort!.on('message', ({ password, salt, length, cost }: ToHasher) => {
  parentPort!.postMessage(hash() satisfies FromHasher)

  function hash(): FromHasher {
    try {
      const { logN, r, p } = cost
      // scrypt needs 128 * N * r bytes and a little more; Node's own bound is below that.
      return { key: scryptSync(password, salt, length, { N: 2 ** logN, r, p, maxmem: 256 * r * (2 ** logN + p) }) }
    } catch (error) {
      return { failed: error instanceof Error ? error.message : String(error) }
    }
  }
})

// On Linux a thread has a priority of its own. Elsewhere it would be that of the whole process, and is left as it is.
function lower(): void {
  if (process.platform !== 'linux') return
  try {
    const [pid, , thread] = readlinkSync('/proc/thread-self').split('/').map(Number)
    // A /proc of another container knows us by other numbers.
    if (pid === process.pid) setPriority(thread!, Math.min(19, getPriority(thread) + niceness))
  } catch {
    // No /proc, or no right to do it: hashing then takes its share like any other thread.
  }
}
