// The same news in Koa. `respond = false` tells it that the answer is ours from here on.

import Koa from 'koa'
import { Hub, ServerSentEventsStream } from 'natter'

const hub = new Hub()
const app = new Koa()

app.use((context) => {
  if (context.path === '/events') {
    context.respond = false
    hub.follow(new ServerSentEventsStream(context.req, context.res), ['news'])
  } else if (context.path === '/news' && context.method === 'POST') {
    context.body = `${hub.publish('news', { data: context.query.text })}\n`
  } else if (context.path === '/stats') {
    context.body = hub.stats()
  }
})

const server = app.listen(process.env.PORT ?? 0, '127.0.0.1', () =>
  console.log(`http://127.0.0.1:${server.address().port}`),
)

process.once('SIGTERM', async () => {
  await hub.close()
  server.close()
})
