// better-sse, as its guide shows it: a channel a room.

import { createServer } from 'node:http'
import { createChannel, createSession } from 'better-sse'
import { listen, post, roomOf } from './chat.js'

const channels = new Map()

function channelOf(room) {
  let channel = channels.get(room)
  if (!channel) channels.set(room, (channel = createChannel()))
  return channel
}

listen(
  createServer(async (request, response) => {
    const channel = channelOf(roomOf(request.url))
    if (request.method === 'POST') {
      return post(request, response, (message) => channel.broadcast(message, 'message', { eventId: message.id }))
    }
    channel.register(await createSession(request, response))
  }),
)
