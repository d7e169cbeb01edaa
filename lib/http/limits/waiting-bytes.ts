// What waits in memory for somebody far away: bodies that are still on their way, and answers that nobody takes. Knows how much of it there is
// for each address, and not what it is.

import { ChatError } from '../../errors.ts'
import { networkOf } from '../../network.ts'

const limits = {
  bytes: 16 * 1024 * 1024, // of an address: a class of thirty that asks for the largest page at once has half of it
  networkTimes: 10, // an IPv6 network of 48 bits has as much as so many addresses
}

export class WaitingBytes {
  readonly #bytes = new Map<string, number>()

  /**
   * Undefined is an address that is not known: those who come by a proxy that names nobody are not limited, and it reads what they don't.
   * @throws ChatError `too_many` if as much as may be waits for it already
   */
  check(address: string | undefined): void {
    for (const [key, most] of boundsOf(address)) {
      if ((this.#bytes.get(key) ?? 0) < most) continue
      throw new ChatError(
        'too_many',
        `${most / 2 ** 20} MiB wait here for your address: read the answers that are there, and send the bodies to their end`,
        { retryAfter: 1 },
      )
    }
  }

  /** Counts what waits for an address, until the function returned is called. */
  add(address: string | undefined, bytes: number): () => void {
    this.#count(address, bytes)
    return () => this.#count(address, -bytes)
  }

  #count(address: string | undefined, bytes: number): void {
    for (const [key] of boundsOf(address)) {
      const now = (this.#bytes.get(key) ?? 0) + bytes
      if (now > 0) this.#bytes.set(key, now)
      else this.#bytes.delete(key)
    }
  }
}

function boundsOf(address: string | undefined): [key: string, most: number][] {
  if (address === undefined) return []
  const network = networkOf(address)
  return [
    [address, limits.bytes],
    ...(network === undefined ? [] : [[network, limits.bytes * limits.networkTimes] as [string, number]]),
  ]
}
