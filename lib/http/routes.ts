// The map of the HTTP interface. Every request is found here or is none of ours.

import type { Handler } from './exchange.ts'
import { block, listBlocks, unblock } from './resources/blocks.ts'
import { watch } from './resources/events.ts'
import { acceptInvite, endInvite, listInvites, makeInvite } from './resources/invites.ts'
import {
  edit,
  listMessages,
  listReacting,
  post,
  react,
  read,
  remove,
  showMessage,
  takeBack,
  typing,
} from './resources/messages.ts'
import {
  addMember,
  archiveRoom,
  changeRoom,
  createRoom,
  listMembers,
  listRooms,
  openDirect,
  removeMember,
  showRoom,
} from './resources/rooms.ts'
import { search } from './resources/search.ts'
import { comeIn, endSession, listSessions, logOut, logOutEverywhere, whoAmI } from './resources/session.ts'
import { endToken, listTokens, makeToken } from './resources/tokens.ts'
import { changeUser, listUsers, register, showUser } from './resources/users.ts'

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
  /** Its answer is a stream: always, or for who accepts text/event-stream or lines. */
  streams?: 'always' | 'accept'
}

export const routes: readonly Route[] = [
  { method: 'GET', path: '/events', who: 'anyone', handler: watch, streams: 'always' },

  { method: 'GET', path: '/session', who: 'anyone', handler: whoAmI },
  { method: 'POST', path: '/session', who: 'anyone', handler: comeIn, own: true },
  { method: 'DELETE', path: '/session', who: 'anyone', handler: logOut, own: true },
  { method: 'GET', path: '/sessions', who: 'named', handler: listSessions, own: true },
  { method: 'DELETE', path: '/sessions', who: 'named', handler: logOutEverywhere, own: true },
  { method: 'DELETE', path: '/sessions/:id', who: 'named', handler: endSession, own: true },

  { method: 'GET', path: '/users', who: 'anyone', handler: listUsers },
  { method: 'POST', path: '/users', who: 'anyone', handler: register, own: true },
  { method: 'GET', path: '/users/:user', who: 'anyone', handler: showUser },
  { method: 'PATCH', path: '/users/:user', who: 'named', handler: changeUser },

  { method: 'GET', path: '/rooms', who: 'anyone', handler: listRooms, streams: 'accept' },
  { method: 'POST', path: '/rooms', who: 'named', handler: createRoom },
  { method: 'GET', path: '/rooms/:room', who: 'anyone', handler: showRoom, page: true },
  { method: 'PATCH', path: '/rooms/:room', who: 'named', handler: changeRoom },
  { method: 'DELETE', path: '/rooms/:room', who: 'named', handler: archiveRoom },
  { method: 'GET', path: '/rooms/:room/members', who: 'anyone', handler: listMembers },
  { method: 'PUT', path: '/rooms/:room/members/:user', who: 'named', handler: addMember },
  { method: 'DELETE', path: '/rooms/:room/members/:user', who: 'named', handler: removeMember },
  { method: 'POST', path: '/direct', who: 'named', handler: openDirect },
  { method: 'GET', path: '/blocks', who: 'named', handler: listBlocks },
  { method: 'PUT', path: '/blocks/:user', who: 'named', handler: block },
  { method: 'DELETE', path: '/blocks/:user', who: 'named', handler: unblock },

  { method: 'GET', path: '/rooms/:room/messages', who: 'anyone', handler: listMessages, streams: 'accept' },
  { method: 'POST', path: '/rooms/:room/messages', who: 'named', handler: post },
  { method: 'GET', path: '/rooms/:room/messages/:message', who: 'anyone', handler: showMessage, page: true },
  { method: 'PATCH', path: '/rooms/:room/messages/:message', who: 'named', handler: edit },
  { method: 'DELETE', path: '/rooms/:room/messages/:message', who: 'named', handler: remove },
  { method: 'GET', path: '/rooms/:room/messages/:message/reactions/:emoji', who: 'anyone', handler: listReacting },
  { method: 'PUT', path: '/rooms/:room/messages/:message/reactions/:emoji', who: 'named', handler: react },
  { method: 'DELETE', path: '/rooms/:room/messages/:message/reactions/:emoji', who: 'named', handler: takeBack },
  { method: 'POST', path: '/rooms/:room/typing', who: 'named', handler: typing },
  { method: 'PUT', path: '/rooms/:room/read', who: 'named', handler: read },

  { method: 'GET', path: '/search', who: 'anyone', handler: search },

  { method: 'GET', path: '/invites', who: 'named', handler: listInvites, own: true },
  { method: 'POST', path: '/invites', who: 'named', handler: makeInvite, own: true },
  { method: 'POST', path: '/invites/accept', who: 'anyone', handler: acceptInvite, own: true },
  { method: 'DELETE', path: '/invites/:id', who: 'named', handler: endInvite, own: true },
  { method: 'GET', path: '/tokens', who: 'named', handler: listTokens },
  { method: 'POST', path: '/tokens', who: 'named', handler: makeToken },
  { method: 'DELETE', path: '/tokens/:id', who: 'named', handler: endToken },
]

/** The routes of a path, whatever their method, and what its segments stand for. */
export function routesAt(segments: readonly string[]): { routes: readonly Route[]; params: Record<string, string> } {
  const found = paths.find(
    ({ parts }) => parts.length === segments.length && parts.every((part, at) => isName(part) || part === segments[at]),
  )
  const params: Record<string, string> = {}
  found?.parts.forEach((part, at) => isName(part) && (params[part.slice(1)] = segments[at]!))
  return { routes: found?.routes ?? [], params }
}

const isName = (part: string) => part.startsWith(':')
const paths = Array.from(
  Map.groupBy(routes, ({ path }) => path),
  ([path, ofPath]) => ({ parts: path.split('/').slice(1), routes: ofPath }),
)
// A path that is written out is no name of something: `accept` is not the id of an invite.
paths.sort((one, other) => Number(one.parts.some(isName)) - Number(other.parts.some(isName)))
