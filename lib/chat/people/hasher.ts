// The entry of the thread that hashes passwords, behind all else that this process has to do.

import { scryptSync } from 'node:crypto'
import { readlinkSync } from 'node:fs'
import { getPriority, setPriority } from 'node:os'
import { parentPort } from 'node:worker_threads'

const niceness = 10 // below the rest of the process: whatever the server does goes first

export interface Hashing {
  password: string
  salt: Uint8Array
  /** Bytes of the key. */
  length: number
  /** scrypt's N (as a power of two), r and p: https://www.rfc-editor.org/rfc/rfc7914.html#section-2 */
  cost: { logN: number; r: number; p: number }
}

lower()
parentPort!.on('message', (hashing: Hashing) => parentPort!.postMessage(keyOf(hashing)))

function keyOf({ password, salt, length, cost: { logN, r, p } }: Hashing): Uint8Array {
  // scrypt needs 128 * N * r bytes and a little more; Node's own bound is below that.
  return scryptSync(password, salt, length, { N: 2 ** logN, r, p, maxmem: 256 * r * (2 ** logN + p) })
}

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
