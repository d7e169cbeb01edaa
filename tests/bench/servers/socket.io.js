// Socket.IO over WebSocket alone, with its own rooms.

import { createServer } from 'node:http'
import { Server } from 'socket.io'
import { listen, post } from './chat.js'

const server = createServer((request, response) => {
  post(request, response, (message) => io.to(message.room).emit('message', message))
})

// The readers here never answer its pings.
const io = new Server(server, { serveClient: false, transports: ['websocket'], pingTimeout: 600_000 })
io.on('connection', (socket) => socket.join(socket.handshake.query.rooms.split(',')))

listen(server)
