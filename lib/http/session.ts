// Coming in, who am I, and leaving.

import { readFields } from './body.ts'
import type { Handler } from './exchange.ts'
import { noCookie, sessionCookie } from './identity.ts'

export const whoAmI: Handler = ({ chat, who }) => ({ status: 200, json: { user: chat.whoAmI(who) } })

export const comeIn: Handler = async ({ chat, request }) => {
  const { name } = await readFields(request, ['name'])
  const { user, secret } = await chat.comeIn(name)
  return { status: 201, headers: { 'set-cookie': sessionCookie(secret) }, json: { user } }
}

export const logOut: Handler = async ({ chat, who }) => {
  await chat.logOut(who)
  return { status: 204, headers: { 'set-cookie': noCookie } }
}
