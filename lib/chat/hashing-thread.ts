// The line of passwords that wait to be hashed, and the thread that hashes them one at a time. It starts with the first one
// and ends when none came for a while. Has never heard of users, or of what is a good password.
//
// One at a time, since on two cores two hashes at once, even at the lowest priority, leave a post no free core to wake up on.

import { extname } from 'node:path'
import { Worker } from 'node:worker_threads'
import { ChatError } from '../errors.ts'

const limits = {
  waiting: 20, // behind the one that is hashed: some two seconds
  retryAfter: 3, // seconds: then the line is gone
  idleMs: 60_000, // after which the thread ends, and gives back some of its memory
}

/** scrypt's N (as a power of two), r and p: https://www.rfc-editor.org/rfc/rfc7914.html#section-2 */
export interface Cost {
  logN: number
  r: number
  p: number
}

export interface ToHasher {
  password: string
  salt: Uint8Array
  /** Bytes of the key. */
  length: number
  cost: Cost
}

export type FromHasher = { key: Uint8Array } | { failed: string }

interface Waiting {
  resolve: (key: Uint8Array) => void
  reject: (error: Error) => void
}

// TypeScript beside our own source, and JavaScript in the published package.
const hasher = new URL(`./hasher${extname(import.meta.url)}`, import.meta.url)

export class HashingThread {
  #worker: Worker | undefined
  /** In the order in which they were sent, which is that of the answers. */
  #line: Waiting[] = []
  #idle: NodeJS.Timeout | undefined

  /** @throws ChatError `busy` at once if too many wait already */
  async key(job: ToHasher): Promise<Uint8Array> {
    if (this.#line.length > limits.waiting) {
      throw new ChatError('busy', 'too many people are logging in right now; try again in a few seconds', { retryAfter: limits.retryAfter })
    }
    clearTimeout(this.#idle)
    const worker = (this.#worker ??= this.#start())
    // The process may not end while somebody waits.
    worker.ref()
    return new Promise((resolve, reject) => {
      this.#line.push({ resolve, reject })
      worker.postMessage(job)
    })
  }

  #start(): Worker {
    // What the program was started with is not for it: with `--input-type` a worker can't run a file at all.
    const worker = new Worker(hasher, { name: 'passwords', execArgv: [] })
    let cause: unknown = 'it ended'
    worker.on('message', (answer: FromHasher) => this.#answered(answer))
    worker.on('error', (error) => (cause = error))
    worker.on('exit', () => this.#ended(worker, cause))
    return worker
  }

  #answered(answer: FromHasher): void {
    const { resolve, reject } = this.#line.shift()!
    if ('key' in answer) resolve(answer.key)
    else reject(new Error(`hashing a password failed: ${answer.failed}`))
    if (this.#line.length > 0) return
    this.#worker?.unref()
    this.#idle = setTimeout(() => this.#stop(), limits.idleMs).unref()
  }

  #stop(): void {
    this.#worker?.terminate()
    this.#worker = undefined
  }

  // The next password starts another. One that we stopped had nobody waiting for it.
  #ended(worker: Worker, cause: unknown): void {
    if (worker !== this.#worker) return
    this.#worker = undefined
    for (const { reject } of this.#line.splice(0)) reject(new Error('the thread that hashes passwords died', { cause }))
  }
}
