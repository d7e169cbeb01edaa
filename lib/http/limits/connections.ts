// What a connection is busy with: which requests wait for the one before them to be answered, and which stream goes over it.

import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'

const pipelinedMax = 16 // requests behind the one that is being answered on a connection; one more is refused, and ends it

export class Connections {
  /** How many requests of a connection have begun, and their answers wait; and how many don't begin before it is their turn to answer. */
  #pipelined = new WeakMap<Socket, { begun: number; waiting: number }>()
  #streaming = new WeakSet<Socket>()
  /** The request on a connection that all which comes behind it waits for. */
  #held = new WeakMap<Socket, IncomingMessage>()
  /** The last answer that is not out yet. */
  #last = new WeakMap<Socket, ServerResponse>()
  /** Connections on which no more requests are read. */
  #unread = new WeakSet<Socket>()

  /**
   * Calls `begin` for a request when it is its turn. What changes something begins at once, since its answer is short, and what is
   * posted together is committed together. What reads waits until its answer can be written: a hundred requests in one packet
   * had a hundred pages made and kept in memory for somebody who may never read the first. What is pipelined behind an open
   * stream must have no effect, since its answer could never be sent: it is cut off with the stream. Behind a held request
   * everything waits. Calls `tooMany` instead for the first request that is one too many: what has begun is still answered.
   */
  inTurn(
    { method, socket }: IncomingMessage,
    response: ServerResponse,
    { begin, tooMany }: { begin: () => void; tooMany: () => void },
  ): void {
    if (this.#streaming.has(socket)) return void socket.destroy()
    // Node parses the rest of a packet even if the connection is gone, or is to end.
    if (socket.destroyed || this.#unread.has(socket)) return
    const pipelined = this.#pipelined.get(socket) ?? { begun: 0, waiting: 0 }
    if (pipelined.begun + pipelined.waiting >= pipelinedMax) return tooMany()
    this.#last.set(socket, response)
    if (response.socket) return begin()
    this.#pipelined.set(socket, pipelined)
    // What it waits behind may be a stream.
    const state =
      method !== 'GET' && method !== 'HEAD' && pipelined.waiting === 0 && !this.#held.has(socket) ? 'begun' : 'waiting'
    pipelined[state]++
    response.once('socket', () => {
      pipelined[state]--
      // Not at once, since Node has yet to finish giving it the socket; and others get their turn in between.
      if (state === 'waiting') setImmediate(() => socket.destroyed || begin())
    })
    if (state === 'begun') begin()
  }

  /**
   * Has what comes behind a request wait: it is not known yet whether it becomes a stream, or who asks, and what comes later must
   * not overtake it. Must be called before the first await of a request, and followed by `release`.
   */
  hold(request: IncomingMessage): void {
    this.#held.set(request.socket, request)
  }

  release(request: IncomingMessage): void {
    if (this.#held.get(request.socket) === request) this.#held.delete(request.socket)
  }

  /** Did anything come behind the request that is being answered on this connection? */
  othersWait(socket: Socket): boolean {
    return (this.#pipelined.get(socket)?.waiting ?? 0) > 0 || this.#unread.has(socket)
  }

  /** To be called when an answer is out. */
  answered(socket: Socket, response: ServerResponse): void {
    // Otherwise it and its request would be kept as long as the connection.
    if (this.#last.get(socket) === response) this.#last.delete(socket)
  }

  /** The last answer on this connection that is not out yet. */
  lastOn(socket: Socket): ServerResponse | undefined {
    return this.#last.get(socket)
  }

  /** Notes that no more requests are read on this connection. False if that was noted before. */
  endReading(socket: Socket): boolean {
    if (this.#unread.has(socket)) return false
    this.#unread.add(socket)
    return true
  }

  /** A stream goes over this connection from now on, or no longer. */
  carries(socket: Socket, streaming: boolean): void {
    this.#streaming[streaming ? 'add' : 'delete'](socket)
  }
}
