// What goes wrong, as an answer: application/problem+json (RFC 9457).

import { STATUS_CODES } from 'node:http'
import { statuses, type ErrorCode } from '../errors.ts'
import type { Answer } from './exchange.ts'

export function problem(code: ErrorCode, detail: string, retryAfter?: number): Answer {
  const status: number = statuses[code]
  const headers: Record<string, string> = { 'content-type': 'application/problem+json' }
  // Never Basic: a browser would put up a box of its own and ask for a password.
  if (status === 401) headers['www-authenticate'] = 'Bearer'
  if (status === 503 || status === 429) headers['retry-after'] = String(retryAfter ?? 2)
  return { status, headers, json: { type: 'about:blank', title: STATUS_CODES[status], status, code, detail } }
}
