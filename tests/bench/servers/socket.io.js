// Socket.IO over WebSocket alone, with its own rooms.

import { createServer } from 'node:http'
import { Server } from 'socket.io'
import { listen, post } from './chat.js'

const server = createServer((request, response) => {
  post(request, response, (message) => io.to(message.room).emit('message', message))
})

const io = new Server(server, { serveClient: false, transports: ['websocket'] })
io.on('connection', (socket) => socket.join(socket.handshake.query.rooms.split(',')))

listen(server)
