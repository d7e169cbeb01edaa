// The whole chat inside another program's HTTP server. Knows what may be asked for; mounted-chat.ts does it.

import { readOptions, type CreateChatOptions } from './chat-options.ts'
import type { MountedChat } from './mounted-chat.ts'

/**
 * Opens a chat that another HTTP server carries: `node:http`, `https`, `http2` (its types need a cast), Express, Koa, Fastify.
 *
 *     const chat = await createChat({ data: './chat', path: '/chat', identify: (request) => sessions.get(request)?.user })
 *     app.use('/chat', chat.handler)                 // Express; or server.on('request', chat.handler)
 *     await chat.post({ id: 'deploys', name: 'deploys', role: 'bot' }, 'lobby', { text: 'deployed' })
 *     await chat.close()                             // before server.close(), which waits for streams
 *
 * The server stays the host's, and so do its times. What `npx natter` sets on its own: `headersTimeout` 10 s and
 * `connectionsCheckingInterval` 2 s against slow headers, `keepAliveTimeout` 72 s behind a proxy that keeps connections, and
 * `requestTimeout` 0, since slow bodies have a limit here: 30 s without a byte, and 30 s altogether and one more for each 4 KiB. How many connections an
 * address may have is the server's to bound; `npx natter` gives it a quarter of all. A `timeout` on sockets must be above 30 s, or it
 * cuts quiet streams off.
 *
 * What never becomes a request is the host's to answer: what Node's parser refuses (`clientError`: 400, 408, 431), a request without a Host, and CONNECT.
 * Node's own answers to these have no body. Without `urls` so is a page of another site that has its name resolve to this machine, by its Host.
 *
 * @throws TypeError if an option can't be used
 * @throws Error in one line if the folder can't be used: another chat has it, it is damaged, or from a newer natter
 */
export async function createChat(options: CreateChatOptions = {}): Promise<MountedChat> {
  const settings = readOptions(options)
  // Only now: whoever takes no more than a Hub from this package loads no database.
  const mounted = await import('./mounted-chat.ts')
  return mounted.MountedChat.open(settings)
}
