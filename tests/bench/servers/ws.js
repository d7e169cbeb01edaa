// ws, as its README broadcasts: one Buffer, sent to all who are open.

import { createServer } from 'node:http'
import { WebSocketServer, WebSocket } from 'ws'
import { listen, post, Readers, roomOf } from './chat.js'

const readers = new Readers()

const server = createServer((request, response) => {
  const here = readers.of(roomOf(request.url))
  post(request, response, (message, json) => {
    const data = Buffer.from(json)
    for (const reader of here) if (reader.readyState === WebSocket.OPEN) reader.send(data, { binary: false })
  })
})

new WebSocketServer({ server }).on('connection', (socket, request) => {
  const here = readers.of(roomOf(request.url))
  here.add(socket)
  socket.on('close', () => here.delete(socket))
})

listen(server)
