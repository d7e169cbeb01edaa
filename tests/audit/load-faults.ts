// The faults that the audits of load must find; planted like all others (faults.ts).

import { scrypt, scryptSync, type ScryptOptions } from 'node:crypto'
import { Server } from 'node:http'
import { promisify } from 'node:util'
import type { Hashing } from '../../lib/chat/people/hasher.ts'

export const loadFaults: Record<string, () => Promise<void> | void> = {
  /** Goes on writing to a socket that is full. */
  async 'backpressure-ignored'() {
    const { ServerSentEventsStream } = await import('../../lib/sse/server-sent-events-stream.ts')
    Object.defineProperty(ServerSentEventsStream.prototype, 'writableNeedDrain', { get: () => false })
  },

  /** Remembers every stream that ever followed something. */
  async 'streams-kept'() {
    const { Hub } = await import('../../lib/sse/hub.ts')
    const { follow } = Hub.prototype
    const kept = new Set<unknown>()
    Hub.prototype.follow = function (stream, ...rest) {
      kept.add(stream)
      return follow.call(this, stream, ...rest)
    }
  },

  /** Never clears a stream's timer. */
  async 'timers-kept'() {
    const { Hub } = await import('../../lib/sse/hub.ts')
    const { follow } = Hub.prototype
    Hub.prototype.follow = function (...all) {
      setInterval(() => {}, 60_000).unref()
      return follow.apply(this, all)
    }
  },

  /** Never answers texts of some lengths. */
  async 'text-that-hangs'() {
    const { Talk } = await import('../../lib/chat/talk/talk.ts')
    const { post } = Talk.prototype
    Talk.prototype.post = function (who, slug, options) {
      return options.text.length % 7 === 3 ? new Promise(() => {}) : post.call(this, who, slug, options)
    }
  },

  /** Throws at names with a letter that is not ASCII. */
  async 'name-that-throws'() {
    const { Accounts } = await import('../../lib/chat/people/accounts.ts')
    const { comeIn } = Accounts.prototype
    Accounts.prototype.comeIn = async function (who, options) {
      if (/[^\0-\x7f]/.test(options.name)) throw new TypeError('no such letter')
      return comeIn.call(this, who, options)
    }
  },

  /** Leaves what can't be read to Node, which hangs up without a word on why. */
  async 'refused-without-a-word'() {
    const { on } = Server.prototype
    Server.prototype.on = function (event: string, listener: () => void) {
      return event === 'clientError' ? this : on.call(this, event, listener)
    }
  },

  /** Hashes passwords where everyone is served. */
  async 'hashed-on-main-thread'() {
    const { WorkerQueue } = await import('../../lib/store/threads/worker-queue.ts')
    WorkerQueue.prototype.run = async function (job) {
      // Nobody searches meanwhile.
      const { password, salt, length, cost } = job() as Hashing
      return scryptSync(password, salt, length, { N: 2 ** cost.logN, r: cost.r, p: cost.p, maxmem: 2 ** 27 })
    }
  },

  /** Hashes whatever comes, as many at a time as Node does. */
  async 'hashed-without-bound'() {
    const { WorkerQueue } = await import('../../lib/store/threads/worker-queue.ts')
    WorkerQueue.prototype.run = async function (job) {
      const { password, salt, length, cost } = job() as Hashing
      return promisify<string, Uint8Array, number, ScryptOptions, Buffer>(scrypt)(password, salt, length, {
        N: 2 ** cost.logN,
        r: cost.r,
        p: cost.p,
        maxmem: 2 ** 27,
      })
    }
  },
}
