// A request's target and Host, taken apart by hand: `new URL` would follow `//` to another host, and throw where a 400 is due.

import type { IncomingMessage } from 'node:http'
import { ChatError } from '../errors.ts'

/**
 * A path to be mounted at as it stands before every other: `/chat`, or nothing for the root.
 * @throws TypeError if it can't be one
 */
export function readBase(path: string): string {
  if (path === '' || path === '/') return ''
  // Plain characters, so that it stands in links, cookies and HTML as it is, and can be written in one way only.
  if (/^(\/[A-Za-z0-9_~-][A-Za-z0-9._~-]*)+$/.test(path)) return path
  throw new TypeError(
    `path must be like /chat, with a slash at its beginning and none at its end, not ${JSON.stringify(path)}`,
  )
}

/** The whole target, also where a framework has cut off of `url` what it has dealt with. */
export function targetOf(request: IncomingMessage & { originalUrl?: unknown }): string {
  return typeof request.originalUrl === 'string' ? request.originalUrl : (request.url ?? '')
}

/** Is the target at or below a path that `readBase` gave? */
export function isBelow(target: string, base: string): boolean {
  return base === '' || (target.startsWith(base) && /^([/?#]|$)/.test(target.slice(base.length, base.length + 1)))
}

/**
 * What is asked for below `base`: the path's segments, decoded, of which the root has none, and the query.
 * @throws ChatError `invalid_request` if the target is not a path, or not decodable; `not_found` if it is not below
 */
export function readTarget(target: string, base: string): { segments: string[]; query: URLSearchParams } {
  if (!target.startsWith('/')) throw new ChatError('invalid_request', 'the request target must be a path')
  if (!isBelow(target, base)) throw new ChatError('not_found', `there is nothing here; the chat is at ${base}`)
  const [, path = '', query = ''] = /^\/?([^?#]*)(?:\?([^#]*))?/.exec(target.slice(base.length)) ?? []
  try {
    return { segments: path === '' ? [] : path.split('/').map(decodeURIComponent), query: new URLSearchParams(query) }
  } catch {
    throw new ChatError('invalid_request', 'the path is not percent-encoded UTF-8')
  }
}

const hostCharactersMax = 300 // a name has at most 253

/**
 * The one Host header, in small letters. Node takes the first of several and passes malformed ones.
 * @throws ChatError `invalid_request`
 */
export function readHost(request: IncomingMessage): string {
  // HTTP/2 has another name for it, and takes it once.
  const authority = request.httpVersionMajor > 1 ? request.headers[':authority'] : undefined
  let count = authority === undefined ? 0 : 1
  if (count === 0)
    for (let at = 0; at < request.rawHeaders.length; at += 2) if (/^host$/i.test(request.rawHeaders[at]!)) count++
  // HTTP/1.0 may come without.
  if (count === 0 && request.httpVersionMinor === 0) return ''
  const host = String(authority ?? request.headers.host ?? '')
  if (count !== 1 || host.length > hostCharactersMax || !hostForm.test(host))
    throw new ChatError('invalid_request', 'the request needs one valid Host header')
  return host.toLowerCase()
}

// A name, or an IP address; some write the interface behind that of IPv6.
const hostForm = /^([a-z0-9._-]+|\[[0-9a-f:.]+(%[a-z0-9._~-]+)?\])(:\d{1,5})?$/i
