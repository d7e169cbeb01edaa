// What the load program is told to do, and what it answers.

import type { Percentiles } from './delays.ts'
import type { Measured } from './span.ts'

export type Protocol = 'http' | 'websocket' | 'socket.io'

interface Server {
  port: number
  pid: number
}

/** What a reader sends first, and the rooms that it then gets everything of, each by its place in the orders that post. */
export interface ReaderPlan {
  request: string
  rooms: readonly number[]
}

export interface OpenOrder extends Server {
  kind: 'open'
  protocol: Protocol
  readers: readonly ReaderPlan[]
}

/**
 * Posts to the readers that are open, each room in turn. The next is sent as soon as less than `underWay` times a room's readers
 * are still to get theirs: so a server always has something to do, and never more than that.
 */
export interface FanOutOrder extends Server {
  kind: 'fanOut'
  /** A request a room. */
  posts: readonly string[]
  readersPerRoom: number
  underWay: number
  warmUpMs: number
  measuredMs: number
}

/** Each of so many connections posts again as soon as it is answered, to each room in turn. */
export interface PostOrder extends Server {
  kind: 'post'
  /** A request a room. */
  posts: readonly string[]
  connections: number
  /** That many are answered at least before it is measured. */
  warmUpPosts: number
  warmUpMs: number
  measuredMs: number
}

/** So many readers come at once, all of whom have missed the same messages. */
export interface ReturnOrder extends Server {
  kind: 'return'
  protocol: Protocol
  /** Of somebody who comes for the first time. */
  request: string
  post: string
  readers: number
  missed: number
  /** The server gives them what they missed, if they say what they had. */
  replays: boolean
}

/** One reader gets what was said before: messages numbered from 0. */
export interface ReplayOrder extends Server {
  kind: 'replay'
  protocol: Protocol
  request: string
  messages: number
}

/** Requests are sent one after another, over one connection. */
export interface AskOrder extends Server {
  kind: 'ask'
  requests: readonly string[]
  /** How many messages there must be in each answer that is not cut off. */
  finds: { least: number; most: number }
  /** The first so many are not measured. */
  warmUp: number
}

export type MeasuringOrder = FanOutOrder | PostOrder | ReturnOrder | ReplayOrder | AskOrder
export type LoadOrder = OpenOrder | MeasuringOrder

/** Of the measured time alone, without warming up. The delays are in ms, from sending to receipt or answer. */
export interface LoadReport extends Measured, Percentiles {
  /** How many answers had less in them than there is, since their time was over. */
  cutOff?: number
}
