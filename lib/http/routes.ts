// The map of the HTTP interface. Every request is found here or is none of ours.

import type { Handler } from './exchange.ts'
import { watch } from './events.ts'
import { listMessages, post, remove, showMessage } from './messages.ts'
import { createRoom, join, leave, listMembers, listRooms, showRoom } from './rooms.ts'
import { comeIn, logOut, whoAmI } from './session.ts'

export interface Route {
  method: string
  /** A segment that starts with a colon stands for any. */
  path: string
  /** `anyone`, or only who gives a name. */
  who: 'anyone' | 'named'
  handler: Handler
  /** Who accepts text/html gets the page here, which shows the same. */
  page?: true
  /** Only where people are natter's own, and no server that carries us says who they are. */
  own?: true
  /** Its answer is a stream: always, or for who accepts text/event-stream. */
  streams?: 'always' | 'accept'
}

export const routes: readonly Route[] = [
  { method: 'GET', path: '/events', who: 'anyone', handler: watch, streams: 'always' },
  { method: 'GET', path: '/session', who: 'anyone', handler: whoAmI },
  { method: 'POST', path: '/session', who: 'anyone', handler: comeIn, own: true },
  { method: 'DELETE', path: '/session', who: 'anyone', handler: logOut, own: true },
  { method: 'GET', path: '/rooms', who: 'anyone', handler: listRooms, streams: 'accept' },
  { method: 'POST', path: '/rooms', who: 'named', handler: createRoom },
  { method: 'GET', path: '/rooms/:room', who: 'anyone', handler: showRoom, page: true },
  { method: 'GET', path: '/rooms/:room/messages', who: 'anyone', handler: listMessages, streams: 'accept' },
  { method: 'POST', path: '/rooms/:room/messages', who: 'named', handler: post },
  { method: 'GET', path: '/rooms/:room/messages/:message', who: 'anyone', handler: showMessage, page: true },
  { method: 'DELETE', path: '/rooms/:room/messages/:message', who: 'named', handler: remove },
  { method: 'GET', path: '/rooms/:room/members', who: 'anyone', handler: listMembers },
  { method: 'PUT', path: '/rooms/:room/members/:user', who: 'named', handler: join },
  { method: 'DELETE', path: '/rooms/:room/members/:user', who: 'named', handler: leave },
]

/** The routes of a path, whatever their method, and what its segments stand for. */
export function routesAt(segments: readonly string[]): { routes: Route[]; params: Record<string, string> } {
  const found = split.filter(({ parts }) => parts.length === segments.length && parts.every((part, at) => part.startsWith(':') || part === segments[at]))
  const params: Record<string, string> = {}
  for (const [at, part] of (found[0]?.parts ?? []).entries()) if (part.startsWith(':')) params[part.slice(1)] = segments[at]!
  return { routes: found.map(({ route }) => route), params }
}

const split = routes.map((route) => ({ route, parts: route.path.split('/').slice(1) }))
