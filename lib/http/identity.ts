// Who asks: the Authorization header alone if there is one, else the session cookie, else nobody.

import type { IncomingMessage } from 'node:http'
import type { Chat } from '../chat/chat.ts'
import type { Who } from '../chat/people.ts'
import { ChatError } from '../errors.ts'

const cookieLasts = 400 * 24 * 3600 // seconds: as long as browsers allow; the session behind it ends earlier if unused

/** @throws ChatError `unauthorized` if what Authorization says can't be proved, `name_taken` if its name is somebody's. */
export function identify(chat: Chat, request: IncomingMessage, secure: boolean): Who | Promise<Who> {
  const { authorization } = request.headers
  if (authorization !== undefined) return byAuthorization(chat, authorization)
  const secret = sessionSecret(request, secure)
  return secret === undefined ? { nobody: true } : chat.people.bySession(secret)
}

/** The cookie that keeps somebody in. */
export function giveCookie(secret: string, secure: boolean): string {
  return cookie(secret, cookieLasts, secure)
}

/** The cookie that takes it away. */
export function takeCookie(secure: boolean): string {
  return cookie('', 0, secure)
}

// The prefix binds it to this host and to HTTPS: https://www.rfc-editor.org/rfc/rfc6265.html and its successor, "__Host-".
function cookie(value: string, seconds: number, secure: boolean): string {
  return `${secure ? '__Host-' : ''}natter=${value}; Path=/; Max-Age=${seconds}; HttpOnly; SameSite=Lax${secure ? '; Secure' : ''}`
}

function byAuthorization(chat: Chat, authorization: string): Who {
  const [, credentials] = /^Basic ([A-Za-z0-9+/]{1,1024}={0,2})$/i.exec(authorization) ?? []
  if (credentials === undefined) throw new ChatError('unauthorized', 'only a name is taken here: curl -u ada: …')
  const [, name = '', password] = /^([^:]*):([^]*)$/.exec(decoded(credentials)) ?? []
  if (password !== '') throw new ChatError('unauthorized', 'there are no passwords here yet; give only a name: curl -u ada: …')
  return chat.people.byName(name)
}

function decoded(base64: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(Buffer.from(base64, 'base64'))
  } catch {
    throw new ChatError('invalid_request', 'the name in Authorization is not valid UTF-8')
  }
}

function sessionSecret({ headers }: IncomingMessage, secure: boolean): string | undefined {
  const named = secure ? /(?:^|; *)__Host-natter=([A-Za-z0-9_-]{43})(?:;|$)/ : /(?:^|; *)natter=([A-Za-z0-9_-]{43})(?:;|$)/
  return named.exec(headers.cookie ?? '')?.[1]
}
