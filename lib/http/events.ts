// The streams of events: over one connection each.

import type { IncomingMessage } from 'node:http'
import { ChatError } from '../errors.ts'
import { between, ServerSentEventsStream } from '../sse/server-sent-events-stream.ts'
import { preferred, type Exchange, type Handler, type StreamType } from './exchange.ts'

const roomsMax = 200 // that one stream names: each is looked up before it begins
const comeBackMs = [5000, 30_000] as const // for a reader for whom there is no room now

/**
 * What kind of stream a request wants from a route, if any. What programs ask for without a thought goes on as it was before there were
 * lines: libraries name text/plain beside JSON and anything else, browsers of text beside HTML. They get what all get.
 */
export function streamType(request: IncomingMessage, streams: 'always' | 'accept' | undefined): StreamType | undefined {
  if (streams === undefined) return undefined
  const frames = 'text/event-stream'
  const first = streams === 'always' || request.headers.accept?.includes(frames) ? [frames] as const : []
  const wanted = preferred(request.headers.accept ?? '*/*', [...first, 'text/html', 'application/json', 'application/x-ndjson', 'text/plain'])
  if (wanted !== undefined && wanted !== 'text/html' && wanted !== 'application/json') return wanted
  return streams === 'always' ? frames : undefined
}

/**
 * Turns the response into a stream, or ends it with 204 for who is logged out: after every other end an EventSource would come
 * back for ever. Where there are too many it is a stream that ends at once: after an error an EventSource would never come back. What was sent behind it is cut off with it. A route that calls this says so with `streams`.
 */
export function openStream(exchange: Exchange): ServerSentEventsStream | undefined {
  const { request, response, stream: type, who, address, cookie, connections, limits, lines } = exchange
  if ('nobody' in who && who.loggedOut) {
    // Without its cookie it may come in again, or read on as nobody.
    return void response.writeHead(204, { 'set-cookie': cookie.take() }).end()
  }
  const { socket } = request
  if (connections.othersWait(socket)) return void socket.destroy()
  const refusal = limits.streamRefusal(who, address)
  const writer = type === undefined || type === 'text/event-stream' ? response : lines.respond(response, type)
  const stream = new ServerSentEventsStream(request, writer, refusal === undefined ? {} : { retryMs: between(...comeBackMs) })
  if (refusal !== undefined) {
    stream.comment(`${refusal}; close one, or come back later`)
    return void stream.close()
  }
  // HEAD has had its end already.
  if (stream.open) {
    connections.carries(socket, true)
    limits.countStream(who, address, 1)
    stream.whenClosed(() => {
      connections.carries(socket, false)
      limits.countStream(who, address, -1)
    })
  }
  return stream
}

export const watch: Handler = (exchange) => {
  const { chat, query, who } = exchange
  const rooms = [...new Set(query.getAll('room'))]
  if (rooms.length > roomsMax) throw new ChatError('invalid_request', `a stream shows at most ${roomsMax} rooms by name; follow ?mine, or all`)
  const view = { ...(rooms.length > 0 && { rooms }), mine: query.has('mine') }
  chat.streams.follow(who, view, () => openStream(exchange))
}
