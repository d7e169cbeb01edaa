// A network between the page and the chat, which can be cut: what a browser calls offline leaves open streams alone.

import { connect, createServer, type AddressInfo, type Socket } from 'node:net'
import type { Scope } from '../chat-server.ts'

/** `cut` ends all that is open, and lets nothing through until `mend`. */
export async function startLine(
  t: Scope,
  chat: { url: string },
): Promise<{ url: string; cut: () => void; mend: () => void }> {
  const sockets = new Set<Socket>()
  let whole = true
  const cut = () => {
    whole = false
    for (const socket of sockets) socket.destroy()
  }
  const server = createServer((near) => {
    if (!whole) return near.destroy()
    const far = connect(Number(new URL(chat.url).port), '127.0.0.1')
    for (const [socket, other] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(socket)
      socket.on('error', () => {}) // it was cut
      socket.on('close', () => {
        sockets.delete(socket)
        other.destroy()
      })
      socket.pipe(other)
    }
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.after(() => {
    cut()
    server.close()
  })
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, cut, mend: () => (whole = true) }
}
