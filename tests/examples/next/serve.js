// Stands in for Next, so that route.js runs here: Node's request becomes a Request, the Response becomes Node's.

import { createServer } from 'node:http'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { hub } from './hub.js'
import * as route from './route.js'

const server = createServer(async (incoming, outgoing) => {
  if (incoming.url === '/stats') return outgoing.end(JSON.stringify(hub.stats()))
  const handler = route[incoming.method]
  if (!handler || !/^\/(events|news)(\?|$)/.test(incoming.url)) return outgoing.writeHead(404).end()
  const gone = new AbortController()
  outgoing.on('close', () => gone.abort())
  const { method, headers } = incoming
  const response = await handler(
    new Request(`http://localhost${incoming.url}`, { method, headers, signal: gone.signal }),
  )
  outgoing.writeHead(response.status, Object.fromEntries(response.headers))
  // It fails when the reader goes away, which is no failure.
  await pipeline(Readable.fromWeb(response.body), outgoing).catch(() => {})
})

server.listen(process.env.PORT ?? 0, '127.0.0.1', () => console.log(`http://127.0.0.1:${server.address().port}`))

process.once('SIGTERM', async () => {
  await hub.close()
  server.close()
})
