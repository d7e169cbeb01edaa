// How many of our connections one address may have. Only those count on which something was asked for: the others are closed soon by
// themselves. Knows nothing of what is asked.

import type { ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { ChatError } from '../errors.ts'
import type { Log } from '../log.ts'
import { networkOf } from '../network.ts'

const limits = {
  part: 4, // of all connections an address may have one in so many,
  least: 64, // and at least these: a class behind one address has some for each
  networkParts: 2, // an IPv6 network of 48 bits may have one in so many
  sayAgainMs: 10 * 60_000, // the owner is told once in this time
}

export interface ConnectionSharesOptions {
  /** How many connections there can be. */
  connectionsMax: number
  log: Log
  /** A clock that never goes back, in ms. */
  now?: () => number
}

export class ConnectionShares {
  readonly #options: ConnectionSharesOptions
  readonly #open = new Map<string, number>()
  readonly #counted = new WeakSet<Socket>()
  #saidAt = -Infinity

  constructor(options: ConnectionSharesOptions) {
    this.#options = options
  }

  /** Counts a client's own connection, from its first request until it is closed. Why there may be no more of them, if so. */
  refuseConnection(socket: Socket, address: string): ChatError | undefined {
    if (this.#counted.has(socket)) return undefined
    const refusal = this.#refusalOf(address)
    if (refusal) return refusal
    this.#counted.add(socket)
    const release = this.#count(address)
    socket.once('close', release)
    return undefined
  }

  /** The same where a proxy stands in front, whose connections carry requests of many clients: each counts until it is answered. */
  refuseRequest(response: ServerResponse, address: string): ChatError | undefined {
    const refusal = this.#refusalOf(address)
    if (!refusal) response.once('close', this.#count(address))
    return refusal
  }

  #refusalOf(address: string): ChatError | undefined {
    const over = this.#boundsOf(address).find(([key, most]) => (this.#open.get(key) ?? 0) >= most)
    if (!over) return undefined
    this.#sayOnce(...over)
    return new ChatError('busy', `${over[1]} connections are open from your address; close some, or come back later`, { retryAfter: 5 })
  }

  #count(address: string): () => void {
    const keys = this.#boundsOf(address).map(([key]) => key)
    for (const key of keys) this.#open.set(key, (this.#open.get(key) ?? 0) + 1)
    return () => {
      for (const key of keys) {
        const left = (this.#open.get(key) ?? 0) - 1
        if (left > 0) this.#open.set(key, left)
        else this.#open.delete(key)
      }
    }
  }

  #boundsOf(address: string): [key: string, most: number][] {
    const most = (parts: number) => Math.max(limits.least, Math.floor(this.#options.connectionsMax / parts))
    const network = networkOf(address)
    return [[address, most(limits.part)], ...(network === undefined ? [] : [[network, most(limits.networkParts)] as [string, number]])]
  }

  #sayOnce(address: string, most: number): void {
    const { log, now = () => performance.now() } = this.#options
    if (now() - this.#saidAt < limits.sayAgainMs) return
    this.#saidAt = now()
    log(`${address} has ${most} connections open, which is all that one address may have; further ones are refused`)
  }
}
