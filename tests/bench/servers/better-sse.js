// better-sse, as its guide shows it: a channel a room.

import { createServer } from 'node:http'
import { createChannel, createSession } from 'better-sse'
import { listen, post, roomOf, roomsOf } from './chat.js'

const channels = new Map()

function channelOf(room) {
  let channel = channels.get(room)
  if (!channel) channels.set(room, (channel = createChannel()))
  return channel
}

listen(
  createServer(async (request, response) => {
    if (request.method === 'POST') {
      const channel = channelOf(roomOf(request.url))
      return post(request, response, (message) => channel.broadcast(message, 'message', { eventId: message.id }))
    }
    const session = await createSession(request, response)
    for (const room of roomsOf(request.url)) channelOf(room).register(session)
  }),
)
