// ws, as its README broadcasts: one Buffer, sent to all who are open.

import { createServer } from 'node:http'
import { WebSocketServer, WebSocket } from 'ws'
import { listen, post, Readers, roomOf, roomsOf } from './chat.js'

const readers = new Readers()

const server = createServer((request, response) => {
  const here = readers.of(roomOf(request.url))
  post(request, response, (message, json) => {
    const data = Buffer.from(json)
    for (const reader of here) if (reader.readyState === WebSocket.OPEN) reader.send(data, { binary: false })
  })
})

new WebSocketServer({ server }).on('connection', (socket, request) => {
  const rooms = roomsOf(request.url)
  readers.come(rooms, socket)
  socket.on('close', () => readers.leave(rooms, socket))
})

listen(server)
