// What goes wrong, as an answer: application/problem+json (RFC 9457).

import type { ErrorCode } from '../errors.ts'
import type { Answer } from './exchange.ts'

const statuses: Record<ErrorCode, number> = {
  invalid_request: 400,
  invalid_json: 400,
  unknown_field: 400,
  invalid_name: 400,
  invalid_text: 400,
  invalid_key: 400,
  invalid_password: 400,
  unauthorized: 401,
  forbidden: 403,
  banned: 403,
  invite_needed: 403,
  not_found: 404,
  method_not_allowed: 405,
  timeout: 408,
  name_taken: 409,
  room_exists: 409,
  already_member: 409,
  not_member: 409,
  key_reused: 409,
  unchanged: 409,
  account_exists: 409,
  archived: 409,
  invite_over: 409,
  too_large: 413,
  misdirected: 421,
  too_many: 429,
  internal: 500,
  busy: 503,
  stopping: 503,
  storage_full: 503,
  storage_damaged: 503,
  storage_failed: 503,
}

const titles: Record<number, string> = {
  400: 'Bad Request',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'Not Found',
  405: 'Method Not Allowed',
  408: 'Request Timeout',
  409: 'Conflict',
  413: 'Content Too Large',
  421: 'Misdirected Request',
  429: 'Too Many Requests',
  500: 'Internal Server Error',
  503: 'Service Unavailable',
}

export function problem(code: ErrorCode, detail: string, retryAfter?: number): Answer {
  const status = statuses[code]
  const headers: Record<string, string> = { 'content-type': 'application/problem+json' }
  // Never Basic: a browser would put up a box of its own and ask for a password.
  if (status === 401) headers['www-authenticate'] = 'Bearer'
  if (status === 503 || status === 429) headers['retry-after'] = String(retryAfter ?? 2)
  return { status, headers, json: { type: 'about:blank', title: titles[status], status, code, detail } }
}
