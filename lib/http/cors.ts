// Lets pages of other origins use natter from a browser: those that the owner listed, and no other.
// https://fetch.spec.whatwg.org/#http-cors-protocol

import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Answer } from './exchange.ts'

const preflightHeaders = {
  'access-control-allow-methods': 'GET, HEAD, POST, PUT, PATCH, DELETE',
  'access-control-allow-headers': 'authorization, content-type, idempotency-key, last-event-id',
  'access-control-max-age': '600',
}

export interface Cors {
  /** Puts on a response what lets its page read it, be it an answer, a refusal or a stream. */
  mark(request: IncomingMessage, response: ServerResponse): void
  /** The answer to a browser that asks first. */
  preflight(request: IncomingMessage): Answer | undefined
}

export function createCors(allowedOrigins: readonly string[]): Cors {
  const allowed = new Set(allowedOrigins)
  const isAllowed = ({ headers: { origin } }: IncomingMessage) => origin !== undefined && allowed.has(origin)
  return {
    mark(request, response) {
      if (allowed.size === 0) return
      // For others too: a cache must not give one origin's answer to another.
      response.setHeader('vary', 'origin')
      if (!isAllowed(request)) return
      response.setHeader('access-control-allow-origin', request.headers.origin!)
      response.setHeader('access-control-allow-credentials', 'true')
      response.setHeader('access-control-expose-headers', 'location, retry-after')
    },
    preflight(request) {
      const asks = request.method === 'OPTIONS' && request.headers['access-control-request-method'] !== undefined
      return asks && isAllowed(request) ? { status: 204, headers: preflightHeaders } : undefined
    },
  }
}
