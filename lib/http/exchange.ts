// What a handler is given and what it gives back.

import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Chat } from '../chat/chat.ts'
import type { Who } from '../chat/who.ts'
import type { Connections } from './connections.ts'
import type { SessionCookie } from './identity.ts'
import type { Limits } from './limits.ts'

export interface Exchange {
  readonly chat: Chat
  readonly request: IncomingMessage
  readonly response: ServerResponse
  /** The parts of the path that the route names, decoded. */
  readonly params: Readonly<Record<string, string>>
  readonly query: URLSearchParams
  readonly who: Who
  /** The client's address as limits count it, if we know it: for IPv6 a network of 64 bits. */
  readonly address: string | undefined
  readonly cookie: SessionCookie
  /** The server that carries us says who asks. */
  readonly hosted: boolean
  /** Where we are reached, without a slash at the end: for links. */
  readonly publicUrl: string
  readonly connections: Connections
  readonly limits: Limits
}

export interface Answer {
  status: number
  headers?: Record<string, string>
  /** Sent as JSON. */
  json?: unknown
  /** Sent as it is. */
  bytes?: Uint8Array
}

/** Answers, or returns nothing where it has taken the response over for a stream. */
export type Handler = (exchange: Exchange) => Answer | Promise<Answer | void> | void

/** Does the request ask for this media type by name? */
export function accepts(request: IncomingMessage, type: string): boolean {
  return request.headers.accept?.includes(type) ?? false
}
