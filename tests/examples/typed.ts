// A hub that knows its events: whoever publishes another one, or with other data, is told by the compiler. So is whoever mounts a
// chat and says wrong who somebody is.

import { createServer } from 'node:http'
import {
  ChatError,
  createChat,
  Hub,
  ServerSentEventsStream,
  type Identity,
  type Message,
  type StreamEvent,
} from 'natter'

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

export async function mountChat(userOf: (cookie: string | undefined) => Promise<Identity | null>): Promise<void> {
  const chat = await createChat({ path: '/chat', identify: ({ headers }) => userOf(headers.cookie) })
  const site = createServer((request, response) =>
    chat.handler(request, response, () => response.end('not the chat\n')),
  )
  createServer(chat.handler).once('close', () => site.close())
  const message: Message = await chat.post({ id: 'deploys', name: 'deploys', role: 'bot' }, 'lobby', {
    text: 'deployed',
  })
  await chat.remove({ id: 'deploys', name: 'deploys' }, message.room, message.id).catch((error) => {
    if (!(error instanceof ChatError) || error.code !== 'not_found') throw error
  })
  // @ts-expect-error: there is no such role
  await chat.post({ id: 'deploys', name: 'deploys', role: 'robot' }, 'lobby', { text: 'deployed' })
  // @ts-expect-error: an identity has a name
  await createChat({ identify: () => ({ id: '1' }) })
  await chat.close()
}

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
