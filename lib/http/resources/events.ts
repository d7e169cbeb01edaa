// The streams of events: over one connection each.

import type { IncomingMessage } from 'node:http'
import { ChatError } from '../../errors.ts'
import { between, ServerSentEventsStream, type StreamResponse } from '../../sse/server-sent-events-stream.ts'
import { preferred, streaming, type Exchange, type Handler, type StreamType } from '../exchange.ts'

const roomsMax = 200 // that one stream names: each is looked up before it begins
const comeBackMs = [5000, 30_000] as const // for a reader for whom there is no room now

/** What a stream that is not to be needs of its exchange. */
type Asked = Pick<Exchange, 'request' | 'response' | 'stream' | 'connections' | 'lines'>

/**
 * What kind of stream a request wants from a route, if any. What programs ask for without a thought goes on as it was before there were
 * lines: libraries name text/plain beside JSON and anything else, browsers of text beside HTML. They get what all get.
 */
export function streamType(request: IncomingMessage, streams: 'always' | 'accept' | undefined): StreamType | undefined {
  if (streams === undefined) return undefined
  const frames = 'text/event-stream'
  const first = streams === 'always' || request.headers.accept?.includes(frames) ? ([frames] as const) : []
  const wanted = preferred(request.headers.accept ?? '*/*', [
    ...first,
    'text/html',
    'application/json',
    'application/x-ndjson',
    'text/plain',
  ])
  if (wanted !== undefined && wanted !== 'text/html' && wanted !== 'application/json') return wanted
  return streams === 'always' ? frames : undefined
}

/**
 * Turns the response into a stream, or ends it with 204 for who is logged out: after every other end an EventSource would come
 * back for ever. Where there are too many it is a stream that ends at once: after an error an EventSource would never come back. What was sent behind it is cut off with it. A route that calls this says so with `streams`.
 */
export function openStream(exchange: Exchange): ServerSentEventsStream | undefined {
  const { request, response, who, address, cookie, connections, limits } = exchange
  if (who.kind === 'nobody' && who.loggedOut) {
    // Without its cookie it may come in again, or read on as nobody.
    return void response.writeHead(204, { 'set-cookie': cookie.take(request) }).end()
  }
  const { socket } = request
  const refusal = limits.streamRefusal(who, address)
  if (refusal !== undefined) return putOff(exchange, `${refusal}; close one, or come back later`)
  // A HEAD has its answer whole, and what comes behind it goes on.
  if (request.method !== 'HEAD' && connections.othersWait(socket)) return void socket.destroy()
  const stream = new ServerSentEventsStream(request, writerFor(exchange))
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

/** Answers with a stream that ends at once and has its reader come back: after an error an EventSource never would. */
export function putOff(exchange: Asked, why: string): undefined {
  const { request, connections } = exchange
  if (request.method !== 'HEAD' && connections.othersWait(request.socket)) return void request.socket.destroy()
  const stream = new ServerSentEventsStream(request, writerFor(exchange), { retryMs: between(...comeBackMs) })
  stream.comment(why)
  stream.close()
}

/**
 * Is this a request of an EventSource, or of what is like one, that was refused for a while only? Whoever reads answers by hand is
 * better served by the refusal itself.
 */
export function comesBack({ headers: { accept = '' } }: IncomingMessage, error: unknown): error is ChatError {
  return (
    accept.includes('text/event-stream') &&
    error instanceof ChatError &&
    (error.code === 'too_many' || error.code === 'busy')
  )
}

function writerFor({ response, stream: type, lines }: Asked): StreamResponse {
  return type === undefined || type === 'text/event-stream' ? response : lines.respond(response, type)
}

export const watch: Handler = (exchange) => {
  const { address, chat, limits, query, who } = exchange
  const rooms = [...new Set(query.getAll('room'))]
  if (rooms.length > roomsMax)
    throw new ChatError('invalid_request', `a stream shows at most ${roomsMax} rooms by name; follow ?mine, or all`)
  const view = { ...(rooms.length > 0 && { rooms }), mine: query.has('mine') }
  chat.streams.follow(who, view, () => openStream(exchange), { tells: () => limits.mayTellComing(who, address) })
  return streaming
}
