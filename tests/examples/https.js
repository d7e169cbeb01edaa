// The same news over HTTPS: nothing changes but the server.
//   curl -kN https://localhost:8080/events

import { createServer } from 'node:https'
import { Hub, ServerSentEventsStream } from 'natter'
import { selfSigned } from './certificate.js'

const hub = new Hub()

const server = createServer(selfSigned(), (request, response) => {
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

server.listen(process.env.PORT ?? 0, '127.0.0.1', () => console.log(`https://127.0.0.1:${server.address().port}`))

process.once('SIGTERM', async () => {
  await hub.close()
  server.close()
})
