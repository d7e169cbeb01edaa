// A port for a program that can't choose a free one itself, as nginx.

import { once } from 'node:events'
import { createServer, type AddressInfo } from 'node:net'

/** It was free a moment ago; somebody may have been quicker by the time it is used. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  // A server that listens on a port has an address of this form.
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}
