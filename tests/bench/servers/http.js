// What one writes first: `response.write` in a loop over all who read.

import { createServer } from 'node:http'
import { listen, post, Readers, roomOf, roomsOf } from './chat.js'

const readers = new Readers()

listen(
  createServer((request, response) => {
    if (request.method === 'POST') {
      const here = readers.of(roomOf(request.url))
      return post(request, response, ({ id }, json) => {
        const frame = `event: message\nid: ${id}\ndata: ${json}\n\n`
        for (const reader of here) reader.write(frame)
      })
    }
    response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-cache' })
    response.flushHeaders()
    const rooms = roomsOf(request.url)
    readers.come(rooms, response)
    response.on('close', () => readers.leave(rooms, response))
  }),
)
