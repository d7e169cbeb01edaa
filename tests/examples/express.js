// The same news in Express 5: its request and response are Node's own.

import express from 'express'
import { Hub, ServerSentEventsStream } from 'natter'

const hub = new Hub()
const app = express()

app.get('/events', (request, response) => {
  hub.follow(new ServerSentEventsStream(request, response), ['news'])
})

app.post('/news', (request, response) => {
  response.send(`${hub.publish('news', { data: request.query.text })}\n`)
})

app.get('/stats', (request, response) => {
  response.json(hub.stats())
})

const server = app.listen(process.env.PORT ?? 0, '127.0.0.1', () =>
  console.log(`http://127.0.0.1:${server.address().port}`),
)

process.once('SIGTERM', async () => {
  await hub.close()
  server.close()
})
