// The words for what goes wrong. The message is for the person who can mend it, and names the mending.

/** What may go wrong, and the HTTP status that it is answered by. */
export const statuses = {
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
  outrun: 409,
  account_exists: 409,
  blocked: 409,
  archived: 409,
  invite_over: 409,
  too_large: 413,
  misdirected: 421,
  too_many: 429,
  headers_too_large: 431,
  internal: 500,
  busy: 503,
  stopping: 503,
  storage_low: 503,
  storage_full: 503,
  storage_damaged: 503,
  storage_failed: 503,
} as const

/** The closed list of what an operation may be refused for. It is part of the API: a code never changes its meaning. */
export type ErrorCode = keyof typeof statuses

/** An operation was refused; nothing has changed. */
export class ChatError extends Error {
  readonly code: ErrorCode
  /** After how many seconds it is worth another try, where that is known. */
  readonly retryAfter: number | undefined

  constructor(code: ErrorCode, message: string, { retryAfter }: { retryAfter?: number } = {}) {
    super(message)
    this.code = code
    this.retryAfter = retryAfter
  }
}

/** Why an operation was refused, as it travels between threads. */
export type Refusal = Pick<ChatError, 'code' | 'message'>

/** The server can't start; its message is the one line that the owner reads. */
export class StartError extends Error {}
