// People: who there is, making an account, and what may be changed of oneself and, by who governs the place, of others.

import { ChatError } from '../../errors.ts'
import { readFields } from '../body.ts'
import type { Handler } from '../exchange.ts'
import { pagesIn } from '../query.ts'

export const listUsers: Handler = async ({ chat, query, who }) => ({
  status: 200,
  json: await chat.accounts.users(who, pagesIn(query)),
})

export const showUser: Handler = ({ chat, params, who }) => ({
  status: 200,
  json: chat.accounts.user(who, params.user!),
})

export const register: Handler = async ({ chat, request, who, address, cookie }) => {
  const { user, secret } = await chat.accounts.comeIn(who, {
    ...(await readFields(request, { name: 'string', password: 'string' })),
    address,
  })
  return { status: 201, headers: { 'set-cookie': cookie.give(request, secret) }, json: { user } }
}

/** One thing at a time: a name, a password, a role, or a ban with what it does away with. */
export const changeUser: Handler = async ({ chat, params, request, who, address, hosted }) => {
  const asked = await readFields(request, {
    name: 'string?',
    password: 'string?',
    current: 'string?',
    role: 'string?',
    banned: 'boolean?',
    rooms: 'string?',
    messages: 'string?',
  })
  const { name, password, current, role, banned, rooms, messages } = asked
  const given = [name, password, role, banned].filter((value) => value !== undefined).length
  if (given !== 1) throw new ChatError('invalid_request', 'give one of name, password (with current), role, and banned')
  if (!banned && (rooms !== undefined || messages !== undefined))
    throw new ChatError('invalid_request', 'rooms and messages go with banned: true')
  if ((rooms ?? 'archive') !== 'archive' || (messages ?? 'delete') !== 'delete')
    throw new ChatError('invalid_request', 'rooms must be "archive", and messages "delete"')
  if (hosted && banned === undefined)
    throw new ChatError('forbidden', 'names, roles and passwords are those of the site that this chat is part of')
  const other = params.user!
  if (role !== undefined) return { status: 200, json: await chat.accounts.giveRole(who, other, role) }
  if (banned !== undefined) {
    const cleanup = { ...(rooms && { rooms: 'archive' as const }), ...(messages && { messages: 'delete' as const }) }
    const user = await chat.accounts.ban(who, other, banned, cleanup)
    // What goes with a ban is done from now on.
    return { status: rooms || messages ? 202 : 200, json: user }
  }
  if (chat.people.find(who, other).id !== chat.people.proven(who).id)
    throw new ChatError('forbidden', 'only they themselves can change their name or password')
  if (name !== undefined) return { status: 200, json: await chat.accounts.rename(who, name) }
  if (current === undefined) throw new ChatError('invalid_request', 'current is missing: the password until now')
  return { status: 200, json: await chat.accounts.changePassword(who, { password: password!, current, address }) }
}
