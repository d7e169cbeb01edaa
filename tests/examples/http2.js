// The same news over HTTP/2, where a page may hold a hundred streams open instead of six; who speaks only HTTP/1.1 is served too.
//   curl -kN https://localhost:8080/events

import { createSecureServer } from 'node:http2'
import { Hub, ServerSentEventsStream } from 'natter'
import { selfSigned } from './certificate.js'

const hub = new Hub()

const server = createSecureServer({ ...selfSigned(), allowHTTP1: true }, (request, response) => {
  const [path, query] = request.url.split('?')
  if (path === '/events') {
    hub.follow(new ServerSentEventsStream(request, response), ['news'])
  } else if (path === '/news' && request.method === 'POST') {
    const id = hub.publish('news', { data: new URLSearchParams(query).get('text') })
    response.end(`${id}\n`)
  } else if (path === '/stats') {
    response.end(JSON.stringify(hub.stats()))
  } else {
    response.writeHead(404)
    response.end()
  }
})

// An HTTP/2 connection stays when its streams are over, and close() alone would wait for it.
const sessions = new Set()
server.on('session', (session) => {
  sessions.add(session)
  session.on('close', () => sessions.delete(session))
})

server.listen(process.env.PORT ?? 0, '127.0.0.1', () => console.log(`https://127.0.0.1:${server.address().port}`))

process.once('SIGTERM', async () => {
  await hub.close()
  for (const session of sessions) session.close()
  server.close()
})
