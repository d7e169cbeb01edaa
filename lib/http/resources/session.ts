// Coming in, who am I, leaving; and all the places where one is logged in.

import { toUser } from '../../chat/streams/wire.ts'
import { readFields } from '../body.ts'
import { done, type Handler } from '../exchange.ts'

export const whoAmI: Handler = ({ chat, request, who, cookie, hosted }) => {
  // A cookie that proves nothing any more would keep its browser from every stream.
  const cookies = who.kind === 'nobody' && who.loggedOut ? cookie.take(request) : cookie.renew(request, who)
  return {
    status: 200,
    ...(cookies && { headers: { 'set-cookie': cookies } }),
    json: {
      user: who.kind === 'user' ? toUser(who.user) : null,
      access: chat.people.access,
      ...(hosted && { hosted }),
    },
  }
}

/** With a password into an account, without one as a guest. */
export const comeIn: Handler = async ({ chat, request, who, address, cookie }) => {
  const { name, password } = await readFields(request, { name: 'string', password: 'string?' })
  const { user, secret } =
    password === undefined
      ? await chat.accounts.comeIn(who, { name })
      : await chat.accounts.logIn(who, { name, password, address })
  return { status: 201, headers: { 'set-cookie': cookie.give(request, secret) }, json: { user } }
}

export const listSessions: Handler = ({ chat, who }) => ({ status: 200, json: chat.accounts.sessions(who) })

const goodbye =
  (way: 'logOut' | 'logOutEverywhere'): Handler =>
  async ({ chat, request, who, cookie }) => {
    await chat.accounts[way](who)
    return { status: 204, headers: { 'set-cookie': cookie.take(request) } }
  }

export const logOut = goodbye('logOut')

export const logOutEverywhere = goodbye('logOutEverywhere')

export const endSession: Handler = async ({ chat, params, who }) => {
  await chat.accounts.endSession(who, params.id!)
  return done
}
