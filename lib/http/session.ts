// Coming in, who am I, and leaving.

import { readFields } from './body.ts'
import type { Handler } from './exchange.ts'
import { giveCookie, takeCookie } from './identity.ts'

export const whoAmI: Handler = ({ chat, who, secure }) => ({
  status: 200,
  // A cookie that proves nothing any more would keep its browser from every stream.
  ...('nobody' in who && who.loggedOut && { headers: { 'set-cookie': takeCookie(secure) } }),
  json: { user: chat.people.whoAmI(who) },
})

export const comeIn: Handler = async ({ chat, request, who, secure }) => {
  const { name } = await readFields(request, ['name'])
  const { user, secret } = await chat.people.comeIn(who, name)
  return { status: 201, headers: { 'set-cookie': giveCookie(secret, secure) }, json: { user } }
}

export const logOut: Handler = async ({ chat, who, secure }) => {
  await chat.people.logOut(who)
  return { status: 204, headers: { 'set-cookie': takeCookie(secure) } }
}
