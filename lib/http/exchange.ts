// What a handler is given and what it gives back.

import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Chat } from '../chat/chat.ts'
import type { Who } from '../chat/people/who.ts'
import type { Connections } from './limits/connections.ts'
import type { SessionCookie } from './identity.ts'
import type { Limits } from './limits/limits.ts'
import type { Lines, LineType } from './lines.ts'

export type StreamType = 'text/event-stream' | LineType

export interface Exchange {
  readonly chat: Chat
  readonly request: IncomingMessage
  readonly response: ServerResponse
  /** The parts of the path that the route names, decoded. */
  readonly params: Readonly<Record<string, string>>
  readonly query: URLSearchParams
  /** What the stream that is asked for is to look like; undefined if none is. */
  readonly stream: StreamType | undefined
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
  readonly lines: Lines
}

export interface Answer {
  status: number
  headers?: Record<string, string | string[]>
  /** Sent as JSON. */
  json?: unknown
  /** Sent as it is. */
  bytes?: Uint8Array | undefined
}

/** The answer where there is no more to say than that it is done. */
export const done: Answer = { status: 204 }

/** Returned instead of an answer by a handler that was asked for a stream: the response is the stream's from then on, or ended. */
export const streaming = 'streaming'

export type Result = Answer | typeof streaming

export type Handler = (exchange: Exchange) => Result | Promise<Result>

/** Which of these media types, or encodings, a header wants most: the first of those that are wanted alike (RFC 9110, section 12.5). */
export function preferred<Type extends string>(header: string, types: readonly Type[]): Type | undefined {
  const ranges = new Map(
    header
      .toLowerCase()
      .split(',')
      .map((range) => {
        const [type = '', ...parameters] = range.split(';').map((part) => part.trim())
        const weight = parameters.find((parameter) => parameter.startsWith('q='))
        return [type, weight === undefined ? 1 : Number(weight.slice(2)) || 0]
      }),
  )
  const weights = types.map(
    (type) => ranges.get(type) ?? ranges.get(type.replace(/\/.*/, '/*')) ?? ranges.get('*/*') ?? 0,
  )
  const most = Math.max(...weights)
  return most > 0 ? types[weights.indexOf(most)] : undefined
}
