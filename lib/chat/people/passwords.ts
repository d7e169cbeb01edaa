// Passwords: what may be one, how it is kept, whether one is right, and for a few minutes which ones were. It does not know
// names or sessions; how often somebody may be wrong is counted in failed-logins.ts.

import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto'
import { ChatError } from '../../errors.ts'
import type { Party } from '../../store/threads/fair-queue.ts'
import { WorkerQueue } from '../../store/threads/worker-queue.ts'
import type { Hashing } from './hasher.ts'

const limits = {
  pointsMin: 8, // Unicode code points
  bytesMax: 1024, // of UTF-8, as it was typed
  rememberMs: 5 * 60_000, // a password that was right
  remembered: 1000, // users
}

const queueOptions = {
  does: 'hashes passwords',
  waitingMax: 60, // behind the one that is hashed: as many as may log in from one address at once, some seven seconds; other addresses have their turns in between
  busy: { message: 'too many people are logging in right now; try again in a few seconds', retryAfter: 7 }, // seconds: then the queue is empty
  idleMs: 60_000,
}

const newCost: Hashing['cost'] = { logN: 15, r: 8, p: 1 } // 32 MiB and about a tenth of a second
const saltBytes = 16
const keyBytes = 32

export class Passwords {
  readonly #now: () => number
  // One at a time, since on two cores two hashes at once, even at the lowest priority, leave a post no free core to wake up on.
  readonly #queue = new WorkerQueue<Hashing, Uint8Array>({
    entry: new URL('./hasher', import.meta.url),
    ...queueOptions,
  })
  /** Compared to for names that have no password, so that they take the same work. */
  readonly #dummy = { cost: newCost, salt: randomBytes(saltBytes), key: randomBytes(keyBytes) }
  /** By user, oldest first. */
  readonly #remembered = new Map<number, { version: number; mac: Buffer; until: number }>()
  /** Only in memory: what was remembered is of no use after this process. */
  readonly #secret = randomBytes(32)

  /** `now` is a clock that only goes forward, in ms. */
  constructor({ now = () => performance.now() }: { now?: () => number } = {}) {
    this.#now = now
  }

  /**
   * A new password as it is kept: `scrypt$15$8$1$salt$key`. `party` is who waits for it.
   * @throws ChatError `invalid_password` if it can't be one, `busy` if too many wait
   */
  async hash(password: string, party: Party): Promise<string> {
    const normal = normalised(password)
    if (normal.includes('\0')) throw new ChatError('invalid_password', 'the password has a NUL character; leave it out')
    if (!normal.isWellFormed())
      throw new ChatError('invalid_password', 'the password has half a character (a lone surrogate); leave it out')
    if ([...normal].length < limits.pointsMin)
      throw new ChatError('invalid_password', `the password is too short; take at least ${limits.pointsMin} characters`)
    const salt = randomBytes(saltBytes)
    const key = await this.#queue.run(() => ({ password: normal, salt, length: keyBytes, cost: newCost }), party)
    return [
      'scrypt',
      newCost.logN,
      newCost.r,
      newCost.p,
      salt.toString('base64url'),
      Buffer.from(key).toString('base64url'),
    ].join('$')
  }

  /**
   * Whether it is the password that was kept. Where none was kept (no such user, or one without a password) it is not, and the
   * answer takes as long. `party` is who waits for it.
   * @throws ChatError `invalid_password` if it is longer than any can be, `busy` if too many wait
   */
  async matches(password: string, stored: string | undefined, party: Party): Promise<boolean> {
    const { cost, salt, key } = stored === undefined ? this.#dummy : parsed(stored)
    const normal = normalised(password)
    const found = await this.#queue.run(() => ({ password: normal, salt, length: key.length, cost }), party)
    // To scrypt a password is the same with NULs behind it (HMAC fills up its key with them).
    return timingSafeEqual(found, key) && stored !== undefined && !normal.includes('\0')
  }

  /**
   * Remembers a password that was right. `version` is the id of the event that set it, read together with the hash that it was
   * compared to: so one that was changed meanwhile is never accepted.
   */
  remember(user: number, version: number, password: string): void {
    this.#remembered.delete(user)
    this.#remembered.set(user, { version, mac: this.#mac(password), until: this.#now() + limits.rememberMs })
    const [oldest] = this.#remembered.keys()
    if (this.#remembered.size > limits.remembered) this.#remembered.delete(oldest!)
  }

  /** Whether this was right a short while ago, for a user whose password was set by the event `version`. */
  known(user: number, version: number, password: string): boolean {
    // Before anything is looked up, so that the time does not tell who logged in.
    const mac = this.#mac(password)
    const remembered = this.#remembered.get(user)
    if (remembered?.version === version && remembered.until > this.#now()) return timingSafeEqual(mac, remembered.mac)
    this.#remembered.delete(user)
    return false
  }

  #mac(password: string): Buffer {
    return createHmac('sha256', this.#secret).update(normalised(password)).digest()
  }
}

// Two ways to type the same characters are the same password. Too long is refused first, since normalising takes its time.
function normalised(password: string): string {
  if (Buffer.byteLength(password) > limits.bytesMax)
    throw new ChatError('invalid_password', `the password is longer than ${limits.bytesMax} bytes; shorten it`)
  return password.normalize('NFKC')
}

// Each is kept with its cost, so that a later version can ask for more. An empty key would match anything, and a cost of 0 means
// Node's default.
function parsed(stored: string): { cost: Hashing['cost']; salt: Buffer; key: Buffer } {
  const [, logN, r, p, salt, key] =
    /^scrypt\$([1-9]\d?)\$([1-9]\d?)\$([1-9]\d?)\$([\w-]{22,86})\$([\w-]{43,86})$/.exec(stored) ?? []
  if (key === undefined) throw new Error('a stored password is malformed')
  return {
    cost: { logN: Number(logN), r: Number(r), p: Number(p) },
    salt: Buffer.from(salt!, 'base64url'),
    key: Buffer.from(key, 'base64url'),
  }
}
