// Answers what Node's parser can't read as a request, so that no handler ever sees it, and ends connections with a last answer: like every
// other refusal with a status, a code and advice.

import { STATUS_CODES, type IncomingMessage, type Server } from 'node:http'
import type { Duplex } from 'node:stream'
import { Socket } from 'node:net'
import { ChatError, type ErrorCode } from '../errors.ts'
import { toJson } from '../sse/json.ts'
import type { Connections } from './limits/connections.ts'
import type { Answer } from './exchange.ts'
import { problem } from './problems.ts'
import { refuseSecrets } from './url-secrets.ts'

const limits = {
  shownCharacters: 300, // of a target as it should have been written
  lingerMs: 1000, // for whoever still sends to read the answer, before their connection is cut
}

/** What Node says of it: https://nodejs.org/api/http.html#event-clienterror */
interface Unread extends Error {
  code?: string
  /** The parser's own words, which repeat nothing of what came. */
  reason?: string
  /** What came last, and how far it was read. */
  rawPacket?: Buffer
  bytesParsed?: number
}

/** Has a server answer what its parser refuses. `connections` must know of all its requests. */
export function answerUnread(server: Server, connections: Connections): void {
  server.on('clientError', (error: Unread, socket) =>
    refuseRest(connections, socket, whyUnread(error), wantsHead(error)),
  )
  // Without a listener Node would close the connection without an answer.
  server.on('connect', (_request: IncomingMessage, socket: Duplex) => {
    socket.on('error', () => {}) // the client is gone, and there was nothing for it but this answer
    const refused = problem('method_not_allowed', 'natter is no proxy, and connects to nowhere')
    refuseRest(connections, socket, {
      ...refused,
      headers: { ...refused.headers, allow: 'GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS' },
    })
  })
}

/**
 * Answers once all earlier requests of the connection are answered, and ends the connection; what still comes on it is not read. Nothing is
 * written into an answer or a stream that is under way, nor to a client that is gone.
 */
export function refuseRest(
  connections: Connections,
  socket: Duplex,
  answer: Answer | undefined,
  headOnly = false,
): void {
  if (!(socket instanceof Socket)) return void socket.destroy()
  // Node emits an error again for each packet behind the one that could not be read.
  if (!connections.endReading(socket)) return
  // Node's parser would make a request of each that still comes, and keep it until the connection is closed. Without its listener the bytes
  // are taken and dropped: were they left where they are, the system would drop our answer with them.
  socket.removeAllListeners('data').on('data', () => {})
  if (!answer || !socket.writable) return void socket.destroy()
  const last = connections.lastOn(socket)
  if (!last) return endWith(socket, answer, headOnly)
  // A stream has no end to wait for.
  if (last.headersSent && !last.writableEnded) return void socket.destroy()
  // Either the body of the last request can't be read, or something behind the last request.
  if (last.req.complete || last.headersSent) return void last.once('close', () => endWith(socket, answer, headOnly))
  last.writeHead(answer.status, headersOf(answer))
  last.end(bodyOf(answer))
}

function endWith(socket: Socket, answer: Answer, headOnly: boolean): void {
  if (!socket.writable) return void socket.destroy()
  const head = Object.entries(headersOf(answer)).map(([name, value]) => `${name}: ${value}\r\n`)
  socket.end(
    `HTTP/1.1 ${answer.status} ${STATUS_CODES[answer.status]}\r\nDate: ${new Date().toUTCString()}\r\n${head.join('')}\r\n${headOnly ? '' : bodyOf(answer)}`,
  )
  // If it were closed at once, bytes that are still coming in would make the system drop the answer (RFC 9112, section 9.6).
  const linger = setTimeout(() => socket.destroy(), limits.lingerMs).unref()
  socket.once('close', () => clearTimeout(linger))
}

const bodyOf = ({ json }: Answer): string => `${toJson(json)}\n`

function headersOf(answer: Answer): Record<string, string> {
  return {
    'x-content-type-options': 'nosniff',
    'cross-origin-resource-policy': 'same-origin',
    'cache-control': 'no-store',
    ...answer.headers,
    'content-length': String(Buffer.byteLength(bodyOf(answer))),
    connection: 'close',
  }
}

// Undefined where the connection itself failed, and nobody is left to answer.
function whyUnread(error: Unread): Answer | undefined {
  const { code = '', reason, rawPacket } = error
  const known = unreadable[code]
  if (known) return problem(...known)
  if (!code.startsWith('HPE_')) return undefined
  if (rawPacket?.[0] === 0x16 && rawPacket[1] === 0x03)
    return problem('invalid_request', 'this port speaks HTTP, and not HTTPS; ask for http://…')
  try {
    const target = targetAsItShouldBe(error)
    return problem(
      'invalid_request',
      target === undefined
        ? `this is no request of HTTP/1.1: ${reason ?? error.message}${/url/i.test(reason ?? '') ? '; in a target all but visible ASCII must be percent-encoded, é as %C3%A9' : ''}`
        : `the target has characters that must be percent-encoded; ask for ${target}`,
    )
  } catch (refusal) {
    // There is a secret in it.
    if (refusal instanceof ChatError) return problem(refusal.code, refusal.message)
    throw refusal
  }
}

const unreadable: Record<string, [code: ErrorCode, detail: string]> = {
  ERR_HTTP_REQUEST_TIMEOUT: ['timeout', 'the head of the request did not arrive in time; send it in one go'],
  HPE_HEADER_OVERFLOW: [
    'headers_too_large',
    'the target and the headers have more than 16 KiB; send less, or what is long in the body',
  ],
  HPE_CHUNK_EXTENSIONS_OVERFLOW: ['too_large', 'the extensions of the chunks have more than 16 KiB; leave them out'],
  HPE_INVALID_EOF_STATE: ['invalid_request', 'the request was cut off'],
  HPE_PAUSED_H2_UPGRADE: ['invalid_request', 'this port speaks HTTP/1.1, and HTTP/2 only where a proxy in front does'],
}

// A target may hold visible ASCII only. People type other characters, and some programs send them as they are.
function targetAsItShouldBe(error: Unread): string | undefined {
  const line = lineAt(error)?.toString('latin1')
  const written = line && /^[A-Z-]{1,20} (\/[^#]*)/.exec(line.replace(/ HTTP\/\d\.\d$/, ''))?.[1]
  if (!written || /^[\x21-\x7e]*$/.test(written)) return undefined
  const escaped = [...textOf(Buffer.from(written, 'latin1'), line.endsWith(written))].map((sign) =>
    /[\x21-\x7e]/.test(sign) ? sign : encodeURIComponent(sign),
  )
  refuseSecrets(escaped.join(''))
  let shown = ''
  for (const sign of escaped) {
    if (shown.length + sign.length > limits.shownCharacters) return `${shown}…`
    shown += sign
  }
  return shown
}

// The line that could not be read, as much of it as came.
function lineAt({ rawPacket, bytesParsed = 0 }: Unread): Buffer | undefined {
  if (!rawPacket) return undefined
  const begin = bytesParsed === 0 ? 0 : rawPacket.lastIndexOf(0x0a, bytesParsed - 1) + 1
  const ends = [0x0d, 0x0a].map((sign) => rawPacket.indexOf(sign, bytesParsed)).filter((end) => end >= 0)
  return rawPacket.subarray(begin, Math.min(rawPacket.length, ...ends))
}

// As UTF-8, or else as Latin-1. What was cut off may end within a character.
function textOf(bytes: Buffer, cutOff: boolean): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes, { stream: cutOff })
  } catch {
    return bytes.toString('latin1')
  }
}

function wantsHead(error: Unread): boolean {
  return lineAt(error)?.subarray(0, 5).toString('latin1') === 'HEAD '
}
