// The words for what goes wrong. The message is for the person who can mend it, and names the mending.

/** The closed list of what an operation may be refused for. It is part of the API: a code never changes its meaning. */
export type ErrorCode =
  | 'invalid_request'
  | 'invalid_json'
  | 'unknown_field'
  | 'invalid_name'
  | 'invalid_text'
  | 'invalid_key'
  | 'unauthorized'
  | 'forbidden'
  | 'not_found'
  | 'method_not_allowed'
  | 'name_taken'
  | 'room_exists'
  | 'already_member'
  | 'not_member'
  | 'key_reused'
  | 'timeout'
  | 'too_large'
  | 'misdirected'
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

  constructor(code: ErrorCode, message: string) {
    super(message)
    this.code = code
  }
}

/** The server can't start; its message is the one line that the owner reads. */
export class StartError extends Error {}
