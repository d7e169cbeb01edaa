// What a connection is busy with: which requests wait for the one before them to be answered, and which stream goes over it.

import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { ServerSentEventsStream } from '../sse/server-sent-events-stream.ts'

const pipelinedMax = 16 // requests behind the one that is being answered on a connection; who sends more is cut off

export class Connections {
  /** How many requests of a connection wait for their turn. */
  #waiting = new WeakMap<Socket, number>()
  #streaming = new WeakSet<Socket>()

  /**
   * Calls `begin` for a request when all before it on its connection are answered. A hundred requests in one packet would have a
   * hundred pages made and kept in memory for somebody who may never read the first. And what is pipelined behind an open stream
   * must have no effect, since its answer could never be sent: it is cut off with the stream.
   */
  inTurn({ socket }: IncomingMessage, response: ServerResponse, begin: () => void): void {
    if (this.#streaming.has(socket)) return void socket.destroy()
    // Node parses the rest of a packet even if the connection is gone.
    if (socket.destroyed) return
    if (response.socket) return begin()
    const waiting = this.#waiting.get(socket) ?? 0
    if (waiting >= pipelinedMax) return void socket.destroy()
    this.#waiting.set(socket, waiting + 1)
    response.once('socket', () => {
      this.#waiting.set(socket, this.#waiting.get(socket)! - 1)
      // Not at once, since Node has yet to finish giving it the socket; and others get their turn in between.
      setImmediate(() => socket.destroyed || begin())
    })
  }

  /** Do requests wait for their turn on this connection? */
  othersWait(socket: Socket): boolean {
    return (this.#waiting.get(socket) ?? 0) > 0
  }

  /** From now on, and as long as it is open, a stream goes over this connection. */
  carries(socket: Socket, stream: ServerSentEventsStream): void {
    this.#streaming.add(socket)
    stream.closed.then(() => this.#streaming.delete(socket))
  }
}
