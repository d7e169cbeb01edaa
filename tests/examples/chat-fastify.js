// The whole chat at /chat of a Fastify site. The hook comes before Fastify reads a body; `hijack` tells it that the answer is
// ours from here on.

import fastify from 'fastify'
import { createChat } from 'natter'

const users = new Map([
  ['a-secret-of-ada', { id: '1', name: 'ada' }],
  ['a-secret-of-bob', { id: '2', name: 'bob' }],
])
const chat = await createChat({
  data: ':memory:',
  path: '/chat',
  identify: ({ headers }) => users.get(/session=([\w-]+)/.exec(headers.cookie)?.[1]),
})

const app = fastify()

app.addHook('onRequest', (request, reply, done) => {
  let ours = true
  chat.handler(request.raw, reply.raw, () => {
    ours = false
    done()
  })
  if (ours) reply.hijack()
})

app.get('/', async () => 'The chat is at /chat.\n')

console.log(await app.listen({ port: Number(process.env.PORT ?? 0), host: '127.0.0.1' }))

process.once('SIGTERM', async () => {
  await chat.close()
  await app.close()
})
