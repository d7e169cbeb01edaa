// A hub that knows its events: whoever publishes another one, or with other data, is told by the compiler.

import { createServer } from 'node:http'
import { Hub, ServerSentEventsStream, type StreamEvent } from 'natter'

interface Price {
  symbol: string
  price: number
}

const hub = new Hub<{ price: Price; message: string }>({ ring: 100 })

export function publishAll(): void {
  hub.publish('ACME', { event: 'price', data: { symbol: 'ACME', price: 12.3 } })
  hub.publish(['ACME', 'HOOLI'], { data: 'one without a name is a message' })
  // @ts-expect-error: there is no event of this name
  hub.publish('ACME', { event: 'prize', data: { symbol: 'ACME', price: 12.3 } })
  // @ts-expect-error: its price is a number
  hub.publish('ACME', { event: 'price', data: { symbol: 'ACME', price: '12.3' } })
  // @ts-expect-error: a message is a string
  hub.signal('ACME', { data: 12.3 })
}

export const hello: StreamEvent = { event: 'hello', data: { from: 'typed.ts' } }

const server = createServer((request, response) => {
  if (request.url === '/stats') return void response.end(JSON.stringify(hub.stats()))
  if (request.method === 'POST') {
    const text = new URLSearchParams(request.url?.split('?')[1]).get('text') ?? ''
    return void response.end(`${hub.publish('ACME', { data: text })}\n`)
  }
  hub.follow(new ServerSentEventsStream(request, response), ['ACME'], { filter: ({ event }) => event !== 'price' })
})

server.listen(Number(process.env['PORT'] ?? 0), '127.0.0.1', () => {
  const address = server.address()
  if (address !== null && typeof address !== 'string') console.log(`http://127.0.0.1:${address.port}`)
})

process.once('SIGTERM', async () => {
  await hub.close()
  server.close()
})
