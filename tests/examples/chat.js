// A chat in thirty lines, with its page in chat.html. Who was away gets what was said meanwhile.

import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { text } from 'node:stream/consumers'
import { Hub, ServerSentEventsStream } from 'natter'

const page = readFileSync(new URL('chat.html', import.meta.url))
const hub = new Hub()

const server = createServer(async (request, response) => {
  const route = `${request.method} ${request.url}`
  if (route === 'GET /events') {
    hub.follow(new ServerSentEventsStream(request, response), ['chat'])
  } else if (route === 'POST /messages') {
    const said = await text(request).catch(() => '') // whoever sends may go away halfway
    if (said !== '') hub.publish('chat', { data: said.slice(0, 4000) })
    response.writeHead(204).end()
  } else if (route === 'GET /stats') {
    response.end(JSON.stringify(hub.stats()))
  } else {
    response.setHeader('Content-Type', 'text/html; charset=utf-8').end(page)
  }
})

server.listen(process.env.PORT ?? 0, '127.0.0.1', () => console.log(`http://127.0.0.1:${server.address().port}`))

process.once('SIGTERM', async () => {
  await hub.close()
  server.close()
})
