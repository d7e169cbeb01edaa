// Coming in, who am I, and leaving.

import { readFields } from './body.ts'
import type { Handler } from './exchange.ts'

export const whoAmI: Handler = ({ chat, who, cookie, hosted }) => ({
  status: 200,
  // A cookie that proves nothing any more would keep its browser from every stream.
  ...('nobody' in who && who.loggedOut && { headers: { 'set-cookie': cookie.take() } }),
  json: { user: chat.people.whoAmI(who), ...(hosted && { hosted }) },
})

export const comeIn: Handler = async ({ chat, request, who, cookie }) => {
  const { name } = await readFields(request, ['name'])
  const { user, secret } = await chat.people.comeIn(who, name)
  return { status: 201, headers: { 'set-cookie': cookie.give(secret) }, json: { user } }
}

export const logOut: Handler = async ({ chat, who, cookie }) => {
  await chat.people.logOut(who)
  return { status: 204, headers: { 'set-cookie': cookie.take() } }
}
