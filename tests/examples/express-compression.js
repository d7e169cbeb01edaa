// Express with `compression`, which would hold events back until it has enough of them to compress. natter says
// `Cache-Control: no-transform`, so streams go out at once and as they are, and everything else is compressed.

import compression from 'compression'
import express from 'express'
import { Hub, ServerSentEventsStream } from 'natter'

const hub = new Hub()
const app = express()
app.use(compression())

app.get('/', (request, response) => {
  response.type('text').send('A page that is long enough to be worth compressing. '.repeat(100))
})

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
