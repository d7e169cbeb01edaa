// The same news in Hono, whose handlers answer with a Response of the Fetch API.

import { serve } from '@hono/node-server'
import { Hono } from 'hono'
import { eventStreamResponse, Hub } from 'natter'

const hub = new Hub()
const app = new Hono()

app.get('/events', (context) => eventStreamResponse(context.req.raw, hub, ['news']))

app.post('/news', (context) => context.text(`${hub.publish('news', { data: context.req.query('text') })}\n`))

app.get('/stats', (context) => context.json(hub.stats()))

const listening = { fetch: app.fetch, port: Number(process.env.PORT ?? 0), hostname: '127.0.0.1' }
const server = serve(listening, ({ port }) => console.log(`http://127.0.0.1:${port}`))

process.once('SIGTERM', async () => {
  await hub.close()
  server.close()
})
