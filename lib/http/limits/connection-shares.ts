// How many of our connections one address may have. Those count on which something was asked for: a client's own from its first request on, and of
// a proxy's those on which a request of the client is under way. Connections that wait for a request give way to others. Knows nothing of what
// is asked.

import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { Settings } from '../../config.ts'
import { ChatError } from '../../errors.ts'
import type { Log } from '../../log.ts'
import { isOwnMachine, networkOf } from '../../network.ts'

const limits = {
  part: 4, // of all connections an address may have one in so many,
  least: 64, // and at least these: a class behind one address has some for each
  networkParts: 2, // an IPv6 network of 48 bits may have one in so many
  most: 1024, // where there can be many: each takes some 20 KiB,
  mostStreams: 2, // but as many for each stream that an address may have
  networkTimes: 10, // a network may have as much as so many addresses
  sparePart: 32, // of all connections are kept for whoever comes next, as long as there are some on which nothing was asked for
  sayAgainMs: 10 * 60_000, // the owner is told once in this time
  takenMs: 10_000, // for which all connections must be taken before that is news
}

export interface ConnectionSharesOptions extends Pick<Settings, 'streamsPerAddress'> {
  /** How many connections there can be. */
  connectionsMax: number
  /** Whose a connection is, as limits count it; undefined is a proxy's, or this machine's own. */
  ownerOf: (socket: Socket) => string | undefined
  log: Log
  /** A clock that never goes back, in ms. */
  now?: () => number
}

interface Connection {
  socket: Socket
  /** Whose it is; undefined is a proxy's, or this machine's own. */
  owner: string | undefined
  /** Something was asked for on it. */
  asked: boolean
  /** How many requests are under way on it, where it has an owner; one whose body is still to come is. */
  underWay: number
  /** Give back what it takes of shares. */
  releases: Set<() => void>
}

interface Owned {
  /** On which nothing was asked for so far. */
  waiting: Set<Connection>
  asked: Set<Connection>
}

export class ConnectionShares {
  readonly #options: ConnectionSharesOptions
  readonly #mostOfAddress: number
  readonly #mostOfNetwork: number
  readonly #connections = new WeakMap<Socket, Connection>()
  /** Those that have an owner, by that, and all of them on which nothing was asked for so far. The oldest come first. */
  readonly #owners = new Map<string, Owned>()
  readonly #waiting = new Set<Connection>()
  #count = 0
  /** How much each address and network has of its share. */
  readonly #taken = new Map<string, number>()
  #saidAt = -Infinity
  #full = { since: -Infinity, last: -Infinity, saidAt: -Infinity }

  constructor(options: ConnectionSharesOptions) {
    this.#options = options
    const { connectionsMax, streamsPerAddress } = options
    const most = streamsPerAddress === 0 ? Infinity : Math.max(limits.most, streamsPerAddress * limits.mostStreams)
    const partOf = (parts: number) => Math.max(limits.least, Math.floor(connectionsMax / parts))
    this.#mostOfAddress = Math.min(partOf(limits.part), most)
    this.#mostOfNetwork = Math.min(partOf(limits.networkParts), most * limits.networkTimes)
  }

  /** A new connection. It may take the place of one on which nothing was asked for. */
  opened(socket: Socket): void {
    const owner = this.#options.ownerOf(socket)
    const connection: Connection = { socket, owner, asked: false, underWay: 0, releases: new Set() }
    this.#connections.set(socket, connection)
    this.#count++
    socket.once('close', () => {
      this.#count--
      this.#forget(connection)
    })
    if (owner === undefined) return
    const owned: Owned = this.#owners.get(owner) ?? { waiting: new Set(), asked: new Set() }
    this.#owners.set(owner, owned)
    owned.waiting.add(connection)
    this.#waiting.add(connection)
    // Else whoever opens them again and again, and asks for nothing, would keep all others out until each is closed for its silence.
    if (owned.waiting.size > this.#mostOfAddress) this.#drop(owned.waiting.values().next().value!)
    const { connectionsMax } = this.#options
    const oldest = this.#waiting.values().next().value
    if (oldest !== connection && oldest && this.#count > connectionsMax - Math.floor(connectionsMax / limits.sparePart))
      this.#drop(oldest)
  }

  /**
   * A request begins, for a client whom a proxy names. Why it may not, if so: then it should be answered so, and its connection closed.
   */
  begin(request: IncomingMessage, response: ServerResponse, named: string | undefined): ChatError | undefined {
    const connection = this.#connections.get(request.socket)
    if (connection?.owner !== undefined) {
      connection.underWay++
      whenDone(request, response, () => connection.underWay--)
      return connection.asked ? undefined : this.#askFirst(connection, connection.owner)
    }
    if (!connection || named === undefined || isOwnMachine(named)) return undefined
    const refusal = this.#refusalOf(named)
    if (refusal) return refusal
    const release = this.#take(named)
    connection.releases.add(release)
    whenDone(request, response, () => {
      if (connection.releases.delete(release)) release()
    })
    return undefined
  }

  /** A connection was not taken, since all that there can be are there. */
  dropped(): void {
    const { connectionsMax, log, now = () => performance.now() } = this.#options
    const at = now()
    if (at - this.#full.last > limits.takenMs) this.#full.since = at
    this.#full.last = at
    // A moment's peak is none of the owner's business.
    if (at - this.#full.since < limits.takenMs || at - this.#full.saidAt < limits.sayAgainMs) return
    this.#full.saidAt = at
    log(
      `all ${connectionsMax} connections that there can be are taken, and others are turned away; a higher limit of open files (ulimit -n) allows more`,
    )
  }

  #askFirst(connection: Connection, owner: string): ChatError | undefined {
    const { waiting, asked } = this.#owners.get(owner)!
    // One that only waits for its owner's next request gives way to one that has a request.
    const idle =
      (this.#taken.get(owner) ?? 0) < this.#mostOfAddress
        ? undefined
        : asked.values().find(({ underWay }) => underWay === 0)
    if (idle) this.#drop(idle)
    const refusal = this.#refusalOf(owner)
    if (refusal) return refusal
    connection.asked = true
    connection.releases.add(this.#take(owner))
    this.#waiting.delete(connection)
    waiting.delete(connection)
    asked.add(connection)
    return undefined
  }

  #drop(connection: Connection): void {
    connection.socket.destroy()
    // Its place is free at once, and not only when the system has closed it.
    this.#forget(connection)
  }

  #forget(connection: Connection): void {
    for (const release of connection.releases) release()
    connection.releases.clear()
    const { owner } = connection
    const owned = owner === undefined ? undefined : this.#owners.get(owner)
    if (owner === undefined || !owned) return
    this.#waiting.delete(connection)
    owned.waiting.delete(connection)
    owned.asked.delete(connection)
    if (owned.waiting.size + owned.asked.size === 0) this.#owners.delete(owner)
  }

  #refusalOf(address: string): ChatError | undefined {
    const over = this.#boundsOf(address).find(([key, most]) => (this.#taken.get(key) ?? 0) >= most)
    if (!over) return undefined
    this.#sayOnce(...over)
    return new ChatError('busy', `${over[1]} connections are open from your address; close some, or come back later`, {
      retryAfter: 5,
    })
  }

  #take(address: string): () => void {
    const keys = this.#boundsOf(address).map(([key]) => key)
    for (const key of keys) this.#taken.set(key, (this.#taken.get(key) ?? 0) + 1)
    return () => {
      for (const key of keys) {
        const left = (this.#taken.get(key) ?? 0) - 1
        if (left > 0) this.#taken.set(key, left)
        else this.#taken.delete(key)
      }
    }
  }

  #boundsOf(address: string): [key: string, most: number][] {
    const network = networkOf(address)
    return [
      [address, this.#mostOfAddress],
      ...(network === undefined ? [] : [[network, this.#mostOfNetwork] satisfies [string, number]]),
    ]
  }

  #sayOnce(address: string, most: number): void {
    const { log, now = () => performance.now() } = this.#options
    if (now() - this.#saidAt < limits.sayAgainMs) return
    this.#saidAt = now()
    log(`${address} has ${most} connections open, which is all that one address may have; further ones are refused`)
  }
}

// When a request is answered and all of its body has come, whoever read that: what is left of it holds the connection. Of a connection that is closed
// nothing more is heard.
function whenDone(request: IncomingMessage, response: ServerResponse, done: () => void): void {
  let answered = false
  const look = () => {
    if (answered && (request.complete || request.socket.destroyed)) done()
  }
  response.once('close', () => {
    answered = true
    if (!request.complete) request.once('close', look)
    look()
  })
}
