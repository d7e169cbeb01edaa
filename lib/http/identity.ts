// Who asks: the Authorization header alone if there is one, else the session cookie, else nobody.

import type { IncomingMessage } from 'node:http'
import type { Chat, Who } from '../chat/chat.ts'
import { ChatError } from '../errors.ts'

const cookieName = 'natter'
const cookieLasts = 400 * 24 * 3600 // seconds: as long as browsers allow; the session behind it ends earlier if unused

/** @throws ChatError `unauthorized` if what Authorization says can't be proved, `name_taken` if its name is somebody's. */
export function identify(chat: Chat, request: IncomingMessage): Who {
  const { authorization } = request.headers
  if (authorization !== undefined) return byAuthorization(chat, authorization)
  const secret = sessionSecret(request)
  return secret === undefined ? { nobody: true } : chat.bySession(secret)
}

/** The cookie that keeps somebody in. */
export function sessionCookie(secret: string): string {
  return `${cookieName}=${secret}; Path=/; Max-Age=${cookieLasts}; HttpOnly; SameSite=Lax`
}

/** The cookie that takes it away. */
export const noCookie = `${cookieName}=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax`

function byAuthorization(chat: Chat, authorization: string): Who {
  const [, credentials] = /^Basic ([A-Za-z0-9+/]{1,1024}={0,2})$/i.exec(authorization) ?? []
  if (credentials === undefined) throw new ChatError('unauthorized', 'only a name is taken here: curl -u ada: …')
  const [, name = '', password] = /^([^:]*):([^]*)$/.exec(Buffer.from(credentials, 'base64').toString('utf8')) ?? []
  if (password !== '') throw new ChatError('unauthorized', 'there are no passwords here yet; give only a name: curl -u ada: …')
  return chat.byName(name)
}

function sessionSecret(request: IncomingMessage): string | undefined {
  return /(?:^|; *)natter=([A-Za-z0-9_-]{43})(?:;|$)/.exec(request.headers.cookie ?? '')?.[1]
}
