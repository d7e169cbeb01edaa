// News on plain node:http. Whoever opens /events gets what they missed, then what comes:
//   curl -N localhost:8080/events        curl -X POST 'localhost:8080/news?text=hello'

import { createServer } from 'node:http'
import { Hub, ServerSentEventsStream } from 'natter'

const hub = new Hub()

const server = createServer((request, response) => {
  const [path, query] = request.url.split('?')
  if (path === '/events') {
    hub.follow(new ServerSentEventsStream(request, response), ['news'])
  } else if (path === '/news' && request.method === 'POST') {
    const id = hub.publish('news', { data: new URLSearchParams(query).get('text') })
    response.end(`${id}\n`)
  } else if (path === '/stats') {
    response.end(JSON.stringify(hub.stats()))
  } else {
    response.writeHead(404).end()
  }
})

server.listen(process.env.PORT ?? 0, '127.0.0.1', () => console.log(`http://127.0.0.1:${server.address().port}`))

process.once('SIGTERM', async () => {
  await hub.close() // ends the streams; their readers come back by themselves
  server.close()
})
