// Notifications: everybody follows a topic of their own and one that all share, and listens to events by their names.
//   source.addEventListener('mention', …); source.addEventListener('invoice', …)

import express from 'express'
import { Hub, ServerSentEventsStream } from 'natter'

const kinds = ['mention', 'invoice', 'announcement']
const hub = new Hub()
const app = express()
app.use(express.json())

// In a real program who asks is known from the session, not from the path.
app.get('/users/:user/events', (request, response) => {
  const stream = new ServerSentEventsStream(request, response, { retryMs: 500 })
  hub.follow(stream, [`user:${request.params.user}`, 'everyone'])
})

app.post('/users/:user/:kind', (request, response) => {
  const { user, kind } = request.params
  if (!kinds.includes(kind)) return response.sendStatus(404)
  response.json(hub.publish(`user:${user}`, { event: kind, data: request.body }))
})

app.post('/announcements', (request, response) => {
  response.json(hub.publish('everyone', { event: 'announcement', data: request.body }))
})

app.get('/stats', (request, response) => response.json(hub.stats()))

const server = app.listen(process.env.PORT ?? 0, '127.0.0.1', () =>
  console.log(`http://127.0.0.1:${server.address().port}`),
)

process.once('SIGTERM', async () => {
  await hub.close()
  server.close()
})
