// Lets pages of other origins use natter from a browser: those that the owner listed, and no other.
// https://fetch.spec.whatwg.org/#http-cors-protocol

import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Answer } from './exchange.ts'

const preflightHeaders = {
  'access-control-allow-methods': 'GET, HEAD, POST, PUT, PATCH, DELETE',
  // What clients send that a browser asks about first. Cache-Control comes from EventSource polyfills: a browser's own sends it without asking.
  'access-control-allow-headers': 'authorization, cache-control, content-type, idempotency-key, last-event-id',
  'access-control-max-age': '600',
}

/** Puts on a response what lets its page read it, be it an answer, a refusal or a stream. */
export function letRead(
  { headers: { origin } }: IncomingMessage,
  response: ServerResponse,
  allowed: readonly string[],
): void {
  if (allowed.length === 0) return
  // For others too: a cache must not give one origin's answer to another.
  response.setHeader('vary', 'origin')
  if (origin === undefined || !allowed.includes(origin)) return
  response.setHeader('access-control-allow-origin', origin)
  response.setHeader('access-control-allow-credentials', 'true')
  response.setHeader('access-control-expose-headers', 'location, retry-after')
}

/** The answer to a browser that asks first. */
export function preflight({ method, headers }: IncomingMessage, allowed: readonly string[]): Answer | undefined {
  const asks = method === 'OPTIONS' && headers['access-control-request-method'] !== undefined
  return asks && allowed.includes(headers.origin ?? '') ? { status: 204, headers: preflightHeaders } : undefined
}
