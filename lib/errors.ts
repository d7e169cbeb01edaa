// The words for what goes wrong. The message is for the person who can mend it, and names the mending.

/** The closed list of what an operation may be refused for. It is part of the API: a code never changes its meaning. */
export type ErrorCode =
  | 'invalid_request'
  | 'invalid_json'
  | 'unknown_field'
  | 'invalid_name'
  | 'invalid_text'
  | 'invalid_key'
  | 'invalid_password'
  | 'unauthorized'
  | 'forbidden'
  | 'banned'
  | 'invite_needed'
  | 'not_found'
  | 'method_not_allowed'
  | 'name_taken'
  | 'room_exists'
  | 'already_member'
  | 'not_member'
  | 'key_reused'
  | 'unchanged'
  | 'account_exists'
  | 'archived'
  | 'invite_over'
  | 'timeout'
  | 'too_large'
  | 'misdirected'
  | 'too_many'
  | 'internal'
  | 'busy'
  | 'stopping'
  | 'storage_full'
  | 'storage_damaged'
  | 'storage_failed'

/** Why an operation was refused, as it travels between threads. */
export interface Refusal {
  code: ErrorCode
  message: string
}

/** An operation was refused; nothing has changed. */
export class ChatError extends Error implements Refusal {
  readonly code: ErrorCode
  /** After how many seconds it is worth another try, where that is known. */
  readonly retryAfter: number | undefined

  constructor(code: ErrorCode, message: string, { retryAfter }: { retryAfter?: number } = {}) {
    super(message)
    this.code = code
    this.retryAfter = retryAfter
  }
}

/** The server can't start; its message is the one line that the owner reads. */
export class StartError extends Error {}
