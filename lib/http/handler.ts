// The whole way of a request: what it asks for, whether it may, who asks, the handler, the answer.

import { randomUUID } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Chat } from '../chat/chat.ts'
import { needsName } from '../chat/people/people.ts'
import type { Who } from '../chat/people/who.ts'
import type { Settings } from '../config.ts'
import { ChatError } from '../errors.ts'
import { describe, once, type Log } from '../log.ts'
import { toJson } from '../sse/json.ts'
import { bodyLimits, bytesToCome, whenBodyArrived } from './body.ts'
import { Clients, wasReset } from './limits/client-address.ts'
import { Connections } from './limits/connections.ts'
import { letRead, preflight } from './cors.ts'
import { comesBack, putOff, streamType } from './resources/events.ts'
import { streaming, type Answer, type Result, type StreamType } from './exchange.ts'
import { checkHost, checkOrigin, checkReader, type OwnServer } from './guard.ts'
import { identify, sessionCookie } from './identity.ts'
import { Limits } from './limits/limits.ts'
import { Lines } from './lines.ts'
import { readFiles, sendFile } from './page/page.ts'
import { Patience, totalMs } from './limits/patience.ts'
import { problem } from './problems.ts'
import { routesAt, type Route } from './routes.ts'
import { readHost, readTarget, targetOf } from './target.ts'
import { Turns } from './limits/turns.ts'
import type { UnderWay } from './limits/under-way.ts'
import { refuseRest } from './unread.ts'
import { refuseSecrets } from './url-secrets.ts'
import { WaitingBytes } from './limits/waiting-bytes.ts'

const nothing = (): void => {}
const noHeaders = { headers: {}, rawHeaders: [] }
const gone = 'gone' // the sender has hung up: there is nobody to answer
const tooManyBehind = problem(
  'too_many',
  'too many requests at once on this connection: this one and those behind it had no effect; read the answers, and send them again',
)
const unreadMs = 30_000 // that an answer waits without its connection taking any of it

export interface HandlerOptions
  extends Pick<
    Settings,
    'name' | 'urls' | 'allowOrigins' | 'trustProxy' | 'postsPerSecond' | 'postsPerAddress' | 'streamsPerAddress'
  > {
  chat: Chat
  /** The path that all of ours is below, as `readBase` gives it. */
  base: string
  /** Undefined where another program's server carries us. */
  server?: OwnServer | undefined
  /** Tells who asks, where the server that carries us does; otherwise we find out ourselves. */
  people: { whoSent(request: IncomingMessage): Promise<Who> } | undefined
  /** `stopping`: `/readyz` says no, and connections end with their answer. `over`: everything is refused. */
  phase: () => 'open' | 'stopping' | 'over'
  /** Is given the answers that are not out yet, streams among them. */
  open: UnderWay<ServerResponse>
  log: Log
}

/** The route of a request, and what the request says of it. */
interface Found {
  route: Route
  params: Record<string, string>
  query: URLSearchParams
  stream: StreamType | undefined
  /** GET or HEAD. */
  reads: boolean
}

/** Where a request comes from and where its answer goes. */
interface Sender {
  request: IncomingMessage
  response: ServerResponse
  host: string
  address: string | undefined
  /** The refusal for an EventSource that is one too many of its address. */
  oneTooMany: ChatError | undefined
}

export function createHandler(options: HandlerOptions): (request: IncomingMessage, response: ServerResponse) => void {
  const { chat, base, people, urls, allowOrigins, server, phase, open, log } = options
  const hosted = people !== undefined
  /** Whose pages may do what our own may. */
  const origins = [...urls, ...allowOrigins]
  const files = readFiles(options)
  // One line says why addresses are not known, whoever finds that out first.
  const logUnknownAddress = once(log)
  const logUnknownHost = once(log)
  /** The host that was last found to be ours. */
  let lastHost: string | undefined
  const clients = new Clients({ ...options, log: logUnknownAddress })
  const limits = new Limits({ ...options, log: logUnknownAddress })
  const connections = server?.connections ?? new Connections()
  const lines = new Lines()
  const waiting = new WaitingBytes()
  const turns = new Turns()
  /** Whom an answer is for. */
  const clientOf = new WeakMap<ServerResponse, string>()
  const cookie = sessionCookie(chat, { secure: urls.length > 0 && urls.every((url) => url.startsWith('https:')), base })

  // The way of a request: `handle` waits for its turn on the connection, `begin` sees to its end, `answer` is the way itself.
  function handle(request: IncomingMessage, response: ServerResponse): void {
    // Nobody can read the answer, and without an address no limit would hold the request back.
    if (wasReset(request.socket)) return void request.socket.destroy()
    // Node drops what came in the same packet behind a request that wants another protocol. Told that the connection ends, the
    // sender knows that nobody has read it.
    if (request.headers.upgrade !== undefined) response.shouldKeepAlive = false
    letRead(request, response, allowOrigins)
    connections.inTurn(request, response, {
      begin: () => begin(request, response),
      tooMany: () => refuseRest(connections, request.socket, tooManyBehind, request.method === 'HEAD'),
    })
  }

  function begin(request: IncomingMessage, response: ServerResponse): void {
    // A response behind others on its connection has no socket yet. `once` for the close in `count` would cost 5 µs a request.
    if (response.socket) count(request, response)
    else response.once('socket', () => count(request, response))
    answer(request, response)
      .catch(failure)
      .then((result) => typeof result === 'object' && send(response, result))
      .catch((error) => {
        failure(error)
        response.destroy()
      })
  }

  // Every answer counts as open until its response closes, whatever becomes of it.
  function count(request: IncomingMessage, response: ServerResponse): void {
    const close = open.add(response)
    response.on('close', () => {
      close()
      connections.answered(request.socket, response)
      // What is left of a body that nobody wants must not hold its connection for ever.
      if (!request.complete && !request.socket.destroyed) waitForRest(request)
    })
  }

  // The limits stand in front of every fast path: health, files and refusals hold their connection as well.
  async function answer(request: IncomingMessage, response: ServerResponse): Promise<Result | typeof gone> {
    if (phase() === 'over') throw new ChatError('stopping', 'natter has stopped here; try again in a moment')
    const { host, address, unreadable } = senderOf(request)
    const oneTooMany = countAddress(request, response, address)
    refuseSecrets(request.url ?? '')
    if (unreadable) throw unreadable
    checkHostIsOurs(host)
    const allowed = preflight(request, allowOrigins)
    if (allowed) return allowed
    const found = find(request, response)
    return 'route' in found ? carryOut(found, { request, response, host, address, oneTooMany }) : found
  }

  // Before anything else is looked at. Returns the refusal that an EventSource is told where it is known to be one.
  function countAddress(
    request: IncomingMessage,
    response: ServerResponse,
    address: string | undefined,
  ): ChatError | undefined {
    if (address !== undefined) clientOf.set(response, address)
    const oneTooMany = server?.shares.begin(request, response, address)
    if (!oneTooMany) return undefined
    response.shouldKeepAlive = false
    // An EventSource would not come back after an error.
    if (!comesBack(request, oneTooMany)) throw oneTooMany
    return oneTooMany
  }

  // What needs no caller is answered here: health, files, and what is not found. Everything else is a route.
  function find(request: IncomingMessage, response: ServerResponse): Answer | Promise<Answer> | Found {
    const { segments, query } = readTarget(targetOf(request), base)
    const method = request.method === 'HEAD' ? 'GET' : request.method
    const path = segments.join('/')
    const short =
      health(path) ?? sendFile(files, path === '' || path === 'join' ? 'index.html' : path, request, response)
    if (short) return method === 'GET' ? short : notAllowed(['GET'], method)
    const { routes, params } = routesAt(segments)
    if (routes.length === 0)
      throw new ChatError('not_found', 'there is nothing here; / is the page, /events the stream, /rooms the rooms')
    const route = routes.find((one) => one.method === method)
    if (!route)
      return notAllowed(
        routes.map((one) => one.method),
        method,
      )
    if (hosted && route.own)
      throw new ChatError('forbidden', 'people come in and leave where this chat is embedded, and not here')
    const stream = streamType(request, route.streams)
    // A stream is not to be stored, whatever it varies by.
    if (!stream && (route.page || route.streams)) response.appendHeader('vary', 'accept')
    const page =
      route.page && request.headers.accept?.includes('text/html')
        ? sendFile(files, 'index.html', request, response)
        : undefined
    return page ?? { route, params, query, stream, reads: method === 'GET' }
  }

  // Waits for its turn, finds out who asks, and calls the handler. Whatever is held meanwhile is released at the end.
  async function carryOut(found: Found, sender: Sender): Promise<Result | typeof gone> {
    const { route, params, query, stream, reads } = found
    const { request, response, host, address, oneTooMany } = sender
    // Before anything is looked up: what it would cost is the reason to refuse it.
    if (reads) checkReader(request, response, { host, origins })
    // A stream as well: what it replays takes as long as a page.
    const turn = reads && !oneTooMany ? turns.turnOf(address) : undefined
    if (turn) connections.hold(request)
    let bodyOver = nothing
    try {
      if (oneTooMany) throw oneTooMany
      if (turn) await turn
      // There is nobody to answer any more, and perhaps nothing to answer from.
      if (request.socket.destroyed) return gone
      // A stream keeps nothing for its reader.
      if (!stream) waiting.check(address)
      if (!reads) bodyOver = waiting.add(address, bytesToCome(request))
      const known = whoSent(request, address)
      // A password takes its time to be checked. Meanwhile nothing behind this request may begin: least of all behind a stream.
      if (stream || known instanceof Promise) connections.hold(request)
      const who = known instanceof Promise ? await known : known
      if (!stream) connections.release(request)
      // Who went away meanwhile can't be answered, and the rest of a body would never come.
      if (request.socket.destroyed) return gone
      if (route.who === 'named' && who.kind === 'nobody') throw new ChatError('unauthorized', needsName)
      if (!reads) {
        checkOrigin(request, host, origins)
        // Before the handler, so that what is refused has no body read.
        whenBodyArrived(request, limits.change(`${route.method} ${route.path}`, who, address))
      }
      const publicUrl = `${urls[0] ?? `http://${host || reachedAt(request)}`}${base}`
      const asked = { request, response, params, query, stream, who, address, publicUrl }
      const result = await route.handler({ ...asked, chat, cookie, hosted, connections, limits, lines })
      // A browser sends a kilobyte of them. Where another server carries us its middleware may still ask for them.
      if (result === streaming && server) Object.assign(request, noHeaders)
      return result
    } catch (error) {
      if (!stream || response.headersSent || !comesBack(request, error)) throw error
      putOff({ request, response, stream, connections, lines }, error.message)
      return streaming
    } finally {
      connections.release(request)
      bodyOver()
    }
  }

  // A token that was made here says itself whose it is, even where a host says who people are.
  function whoSent(request: IncomingMessage, address: string | undefined): Who | Promise<Who> {
    return people && !/^Bearer natter_/i.test(request.headers.authorization ?? '')
      ? people.whoSent(request)
      : identify(chat, request, { cookie, address })
  }

  // Where the Host can't be read there is no telling whom a proxy names.
  function senderOf(request: IncomingMessage): { host: string; address?: string | undefined; unreadable?: unknown } {
    try {
      const host = readHost(request)
      return { host, address: clients.addressOf(request, host) }
    } catch (unreadable) {
      return { host: '', unreadable }
    }
  }

  function checkHostIsOurs(host: string): void {
    // In another program's server we don't know the hosts unless it gave us public addresses.
    if (!server && urls.length === 0) return
    // Nearly all requests name the same host, and parsing it takes a microsecond or two.
    if (host === lastHost) return
    try {
      checkHost(host, { urls, server })
      lastHost = host
    } catch (error) {
      // Other machines may well know us by that name, and only the owner can allow it.
      if (server && !server.loopback)
        logUnknownHost(
          'a request was answered with 421 since its Host is no name of ours; if people come by that name, start natter with --url, as http://NAME or https://NAME',
        )
      throw error
    }
  }

  function health(name: string): Answer | undefined {
    if (name === 'readyz' && phase() !== 'open') return problem('stopping', 'natter is stopping')
    return name === 'healthz' || name === 'readyz' ? { status: 200, json: { status: 'ok' } } : undefined
  }

  function failure(error: unknown): Answer {
    if (error instanceof ChatError) return problem(error.code, error.message, error.retryAfter)
    const incident = randomUUID()
    log(`incident ${incident}: ${describe(error)}`)
    return problem('internal', `something went wrong on our side; its number is ${incident}`)
  }

  function send(response: ServerResponse, { status, headers, json, bytes }: Answer): void {
    // A stream that failed after it began can only end; its reader comes back with its cursor.
    if (response.headersSent) return void response.end()
    // Text leaves with the head in one piece.
    const body = bytes ?? (json === undefined ? undefined : `${toJson(json)}\n`)
    // Who does not read the answer is cut off, and what waits for them with it.
    response.setTimeout(unreadMs)
    response.writeHead(status, {
      'x-content-type-options': 'nosniff',
      'cross-origin-resource-policy': 'same-origin',
      ...(phase() !== 'open' && { connection: 'close' }),
      ...(json !== undefined && { 'content-type': 'application/json', 'cache-control': 'no-store' }),
      ...headers,
      // What handlers link to they write as if we had the whole host.
      ...(headers?.location !== undefined && { location: base + headers.location }),
      ...(body && { 'content-length': Buffer.byteLength(body) }),
    })
    response.end(body)
    const left = response.socket?.writableLength ?? 0
    if (left === 0) return
    // One that is taken byte by byte is never silent for long.
    const late = setTimeout(() => response.destroy(), totalMs(left)).unref()
    response.on('close', () => clearTimeout(late))
    // What a connection did not take at once. Files are there once for all.
    if (typeof body === 'string') response.on('close', waiting.add(clientOf.get(response), left))
  }

  return handle
}

// Node drops what comes from now on without a word, until the body is complete. The connection may go on for days after that.
function waitForRest(request: IncomingMessage): void {
  const { socket } = request
  const before = socket.bytesRead
  const patience = new Patience(() => socket.destroy(), {
    arrived: () => socket.bytesRead - before,
    most: bodyLimits.drainBytes,
  })
  const over = () => {
    patience.end()
    request.off('close', over)
    socket.off('close', over)
  }
  request.on('close', over)
  socket.on('close', over)
}

// Where a request without a Host has found us.
function reachedAt({ socket: { localAddress = '', localPort } }: IncomingMessage): string {
  return `${localAddress.includes(':') ? `[${localAddress}]` : localAddress}:${localPort}`
}

function notAllowed(methods: string[], method: string | undefined): Answer {
  const allowed = [...new Set(methods.flatMap((name) => (name === 'GET' ? ['GET', 'HEAD'] : [name])))].join(', ')
  if (method === 'OPTIONS') return { status: 204, headers: { allow: allowed } }
  const refused = problem('method_not_allowed', `only ${allowed} can be asked for here`)
  return { ...refused, headers: { ...refused.headers, allow: allowed } }
}
