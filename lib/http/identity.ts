// Who asks: the Authorization header alone if there is one, else the session cookie, else nobody.

import type { IncomingMessage } from 'node:http'
import type { Chat } from '../chat/chat.ts'
import { hashOf } from '../chat/people/people.ts'
import type { Who } from '../chat/people/who.ts'
import { ChatError } from '../errors.ts'
import { decode } from './body.ts'

const nobody: Who = { kind: 'nobody' } // one for all: a stream keeps who reads it
const cookieLasts = 400 * 24 * 3600 // seconds: as long as browsers allow; the session behind it ends earlier if unused

/** The cookie that keeps somebody in: how it is given, taken away and found. */
export type SessionCookie = ReturnType<typeof sessionCookie>

/**
 * `secure`: we are reached by HTTPS alone. `base` is the path that all of ours is below: of two chats on a host each has its
 * own cookie, and what else is on the host sees none.
 */
export function sessionCookie(chat: Chat, { secure, base }: { secure: boolean; base: string }) {
  // A prefix binds it to HTTPS, and __Host- to this host as well, but only for the whole of it:
  // https://www.rfc-editor.org/rfc/rfc6265.html and its successor, "__Host-".
  const prefix = secure ? (base === '' ? '__Host-' : '__Secure-') : ''
  // Named after the path too: a chat at the root has its cookie sent along to one below. And after the log, since a browser sends the
  // cookies of a host to all of its ports. An older natter did not, and may have left a cookie: ours, or that of another on this host.
  const own = cookieNamed(`${prefix}natter-${chat.id}${base.replaceAll('/', '-')}`, { secure, path: base || '/' })
  const older = cookieNamed(`${prefix}natter${base.replaceAll('/', '-')}`, { secure, path: base || '/' })

  /** The older one, if it is of a session of ours; nobody else's is touched. */
  function olderIn(request: IncomingMessage): string | undefined {
    const secret = older.read(request)
    return secret !== undefined && chat.people.hadSession(secret) ? secret : undefined
  }

  const withoutOlder = (request: IncomingMessage) => (olderIn(request) === undefined ? [] : [older.write('', 0)])

  return {
    give: (request: IncomingMessage, secret: string): string[] => [
      own.write(secret, cookieLasts),
      ...withoutOlder(request),
    ],
    take: (request: IncomingMessage): string[] => [own.write('', 0), ...withoutOlder(request)],

    /** Whose session it is. */
    who(request: IncomingMessage): Who {
      const secret = own.read(request)
      const who = secret === undefined ? nobody : chat.people.bySession(secret)
      if (who.kind === 'user') return who
      const old = olderIn(request)
      return old === undefined ? who : chat.people.bySession(old)
    },

    /** What puts the own cookie in the place of the older one, where somebody came by that. */
    renew(request: IncomingMessage, who: Who): string[] | undefined {
      const old = olderIn(request)
      return old !== undefined && who.kind === 'user' && who.session === hashOf(old)
        ? this.give(request, old)
        : undefined
    },
  }
}

function cookieNamed(name: string, { secure, path }: { secure: boolean; path: string }) {
  const named = new RegExp(`(?:^|; *)${name.replaceAll('.', '\\.')}=([A-Za-z0-9_-]{43})(?:;|$)`)
  return {
    read: ({ headers }: IncomingMessage) => named.exec(headers.cookie ?? '')?.[1],
    write: (value: string, seconds: number) =>
      `${name}=${value}; Path=${path}; Max-Age=${seconds}; HttpOnly; SameSite=Lax${secure ? '; Secure' : ''}`,
  }
}

/**
 * At once where nothing has to be hashed: what is posted together is committed together. `address` is where it is asked from.
 * @throws ChatError `unauthorized` if what Authorization says can't be proved, `name_taken` if its name is somebody's.
 */
export function identify(
  chat: Chat,
  request: IncomingMessage,
  { cookie, address }: { cookie: SessionCookie; address: string | undefined },
): Who | Promise<Who> {
  const { authorization } = request.headers
  if (authorization !== undefined) return byAuthorization(chat, authorization, address)
  return cookie.who(request)
}

function byAuthorization(chat: Chat, authorization: string, address: string | undefined): Who | Promise<Who> {
  const [, token] = /^Bearer +(\S{1,1024})$/i.exec(authorization) ?? []
  if (token !== undefined) return chat.people.byToken(token)
  const [, credentials] = /^Basic +([A-Za-z0-9+/]{1,4096}={0,2})$/i.exec(authorization) ?? []
  if (credentials === undefined)
    throw new ChatError(
      'unauthorized',
      'Authorization must be a token (Bearer), or a name with or without a password: curl -u ada: …',
    )
  const [, name = '', password = ''] =
    /^([^:]*):([^]*)$/.exec(decode(Buffer.from(credentials, 'base64'), 'the name in Authorization')) ?? []
  return password === '' ? chat.people.byName(name) : chat.people.byPassword(name, password, address)
}
