// A request's target and Host, taken apart by hand: `new URL` would follow `//` to another host, and throw where a 400 is due.

import type { IncomingMessage } from 'node:http'
import { ChatError } from '../errors.ts'

export interface Target {
  /** The path's segments, decoded; the root has none. */
  segments: string[]
  query: URLSearchParams
}

/** @throws ChatError `invalid_request` if the target is not a path, or not decodable. */
export function readTarget(url: string): Target {
  if (!url.startsWith('/')) throw new ChatError('invalid_request', 'the request target must be a path')
  const [, path = '', query = ''] = /^\/([^?#]*)(?:\?([^#]*))?/.exec(url) ?? []
  try {
    return { segments: path === '' ? [] : path.split('/').map(decodeURIComponent), query: new URLSearchParams(query) }
  } catch {
    throw new ChatError('invalid_request', 'the path is not percent-encoded UTF-8')
  }
}

/**
 * The one Host header. Node takes the first of several and passes malformed ones.
 * @throws ChatError `invalid_request`
 */
export function readHost(request: IncomingMessage): string {
  const count = request.rawHeaders.filter((name, at) => at % 2 === 0 && name.toLowerCase() === 'host').length
  const host = request.headers.host?.toLowerCase() ?? ''
  // HTTP/1.0 may come without.
  if (count === 0 && request.httpVersionMinor === 0) return ''
  if (count !== 1 || !/^([a-z0-9._-]+|\[[0-9a-f:.]+\])(:\d{1,5})?$/.test(host)) throw new ChatError('invalid_request', 'the request needs one valid Host header')
  return host
}
