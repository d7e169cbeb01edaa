// The clock of every tutorial on Server-Sent Events, with a page that shows it.

import { createServer } from 'node:http'
import { Hub, ServerSentEventsStream } from 'natter'

const page = `<!doctype html>
<h1>…</h1>
<script>
  new EventSource('/events').addEventListener('time', (event) => {
    document.querySelector('h1').textContent = event.data
  })
</script>`

const hub = new Hub()
const ticking = setInterval(() => hub.publish('clock', { event: 'time', data: new Date().toISOString() }), 1000)

const server = createServer((request, response) => {
  if (request.url === '/events') hub.follow(new ServerSentEventsStream(request, response), ['clock'])
  else if (request.url === '/stats') response.end(JSON.stringify(hub.stats()))
  else response.setHeader('Content-Type', 'text/html; charset=utf-8').end(page)
})

server.listen(process.env.PORT ?? 0, '127.0.0.1', () => console.log(`http://127.0.0.1:${server.address().port}`))

process.once('SIGTERM', async () => {
  clearInterval(ticking)
  await hub.close()
  server.close()
})
