// Requests that came before the one before them was answered. Each is begun when it is its turn: begun at once, a hundred of
// them in one packet had a hundred pages made and kept in memory for somebody who may never read the first.

import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'

const waitingMax = 16 // on one connection; who sends more is cut off

const waiting = new WeakMap<Socket, number>()

/** Calls `begin` as soon as the answer can be written. */
export function inTurn({ socket }: IncomingMessage, response: ServerResponse, begin: () => void): void {
  // Node parses the rest of a packet even if the connection is gone.
  if (socket.destroyed) return
  if (response.socket) return begin()
  const before = waiting.get(socket) ?? 0
  if (before >= waitingMax) return void socket.destroy()
  waiting.set(socket, before + 1)
  response.once('socket', () => {
    waiting.set(socket, waiting.get(socket)! - 1)
    // Not at once, since Node has yet to finish giving it the socket; and others get their turn in between.
    setImmediate(begin)
  })
}

/** Do requests wait for their turn on this connection? */
export function othersWait(socket: Socket): boolean {
  return (waiting.get(socket) ?? 0) > 0
}
