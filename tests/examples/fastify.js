// The same news in Fastify 5. `hijack` tells it that the answer is ours from here on.

import fastify from 'fastify'
import { Hub, ServerSentEventsStream } from 'natter'

const hub = new Hub()
const app = fastify()

app.get('/events', (request, reply) => {
  reply.hijack()
  hub.follow(new ServerSentEventsStream(request.raw, reply.raw), ['news'])
})

app.post('/news', async (request) => {
  return `${hub.publish('news', { data: request.query.text })}\n`
})

app.get('/stats', async () => hub.stats())

console.log(await app.listen({ port: Number(process.env.PORT ?? 0), host: '127.0.0.1' }))

process.once('SIGTERM', async () => {
  await hub.close()
  await app.close()
})
