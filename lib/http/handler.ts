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
import type { Answer } from './exchange.ts'
import { checkHost, checkOrigin, checkReader, type OwnServer } from './guard.ts'
import { identify, sessionCookie } from './identity.ts'
import { Limits } from './limits/limits.ts'
import { Lines } from './lines.ts'
import { readFiles, sendFile } from './page/page.ts'
import { Patience, totalMs } from './limits/patience.ts'
import { problem } from './problems.ts'
import { routesAt } from './routes.ts'
import { readHost, readTarget, targetOf } from './target.ts'
import { Turns } from './limits/turns.ts'
import type { UnderWay } from './limits/under-way.ts'
import { refuseRest } from './unread.ts'
import { refuseSecrets } from './url-secrets.ts'
import { WaitingBytes } from './limits/waiting-bytes.ts'

const nothing = (): void => {}
const noHeaders = { headers: {}, rawHeaders: [] }
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

  function handle(request: IncomingMessage, response: ServerResponse): void {
    // Nobody can read the answer, and without an address no limit would hold the request back.
    if (wasReset(request.socket)) return void request.socket.destroy()
    // Node drops what came in the same packet behind a request that wants another protocol. Told that the connection ends, the
    // sender knows that nobody has read it.
    if (request.headers.upgrade !== undefined) response.shouldKeepAlive = false
    letRead(request, response, allowOrigins)
    const begin = () => {
      // It comes once, and `once` would take it off again, at 5 µs a request.
      const opened = () => {
        const close = open.add(response)
        response.on('close', () => {
          close()
          connections.answered(request.socket, response)
          // What is left of a body that nobody wants must not hold its connection for ever.
          if (!request.complete && !request.socket.destroyed) waitForRest(request)
        })
      }
      // What a response without a socket waits behind is among them.
      if (response.socket) opened()
      else response.once('socket', opened)
      answer(request, response)
        .catch(failure)
        .then((result) => result && send(response, result))
        .catch((error) => {
          failure(error)
          response.destroy()
        })
    }
    const tooMany = () => {
      const detail =
        'too many requests at once on this connection: this one and those behind it had no effect; read the answers, and send them again'
      refuseRest(connections, request.socket, problem('too_many', detail), request.method === 'HEAD')
    }
    connections.inTurn(request, response, { begin, tooMany })
  }

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<Answer | void> {
    if (phase() === 'over') throw new ChatError('stopping', 'natter has stopped here; try again in a moment')
    const { host, address, unreadable } = senderOf(request)
    if (address !== undefined) clientOf.set(response, address)
    // Before anything else is looked at: what is refused holds its connection as well.
    const oneTooMany = server?.shares.begin(request, response, address)
    if (oneTooMany) {
      response.shouldKeepAlive = false
      // An EventSource would not come back after it; it is put off where it is known to be one.
      if (!comesBack(request, oneTooMany)) throw oneTooMany
    }
    refuseSecrets(request.url ?? '')
    if (unreadable) throw unreadable
    checkHostIsOurs(host)
    const allowed = preflight(request, allowOrigins)
    if (allowed) return allowed
    const { segments, query } = readTarget(targetOf(request), base)
    const method = request.method === 'HEAD' ? 'GET' : request.method
    const reads = method === 'GET'
    const path = segments.join('/')
    const short =
      health(path) ?? sendFile(files, path === '' || path === 'join' ? 'index.html' : path, request, response)
    if (short) return reads ? short : notAllowed(['GET'], method)
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
    if (route.page && request.headers.accept?.includes('text/html'))
      return sendFile(files, 'index.html', request, response)
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
      if (request.socket.destroyed) return
      // A stream keeps nothing for its reader.
      if (!stream) waiting.check(address)
      if (!reads) bodyOver = waiting.add(address, bytesToCome(request))
      // A token that was made here says itself whose it is.
      const known =
        people && !/^Bearer natter_/i.test(request.headers.authorization ?? '')
          ? people.whoSent(request)
          : identify(chat, request, { cookie, address })
      // A password takes its time to be checked. Meanwhile nothing behind this request may begin: least of all behind a stream.
      if (stream || known instanceof Promise) connections.hold(request)
      const who = known instanceof Promise ? await known : known
      if (!stream) connections.release(request)
      // Who went away meanwhile can't be answered, and the rest of a body would never come.
      if (request.socket.destroyed) return
      if (route.who === 'named' && who.kind === 'nobody') throw new ChatError('unauthorized', needsName)
      if (!reads) {
        checkOrigin(request, host, origins)
        // Before the handler, so that what is refused has no body read.
        whenBodyArrived(request, limits.change(`${route.method} ${route.path}`, who, address))
      }
      const publicUrl = `${urls[0] ?? `http://${host || reachedAt(request)}`}${base}`
      const result = await route.handler({
        chat,
        request,
        response,
        params,
        query,
        stream,
        who,
        address,
        cookie,
        hosted,
        publicUrl,
        connections,
        limits,
        lines,
      })
      if (!stream) return result ?? { status: 204 }
      // A browser sends a kilobyte of them. Where another server carries us its middleware may still ask for them.
      if (server) Object.assign(request, noHeaders)
      return result
    } catch (error) {
      if (!stream || response.headersSent || !comesBack(request, error)) throw error
      return putOff({ request, response, stream, connections, lines }, error.message)
    } finally {
      connections.release(request)
      bodyOver()
    }
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
