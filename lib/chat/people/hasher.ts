// The entry of the thread that hashes passwords, at a lower priority than the rest of the process.

import { scryptSync } from 'node:crypto'
import { parentPort } from 'node:worker_threads'
import { lowerPriority } from '../../store/threads/thread-priority.ts'

export interface Hashing {
  password: string
  salt: Uint8Array
  /** Bytes of the key. */
  length: number
  /** scrypt's N (as a power of two), r and p: https://www.rfc-editor.org/rfc/rfc7914.html#section-2 */
  cost: { logN: number; r: number; p: number }
}

lowerPriority()
parentPort!.on('message', (hashing: Hashing) => parentPort!.postMessage(keyOf(hashing)))

function keyOf({ password, salt, length, cost: { logN, r, p } }: Hashing): Uint8Array {
  // scrypt needs 128 * N * r bytes and a little more; Node's own bound is below that.
  return scryptSync(password, salt, length, { N: 2 ** logN, r, p, maxmem: 256 * r * (2 ** logN + p) })
}
