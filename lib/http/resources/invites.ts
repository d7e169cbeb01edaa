// Invite links: making, listing and ending them, and coming in by one. The code is only ever in a body.

import { readFields } from '../body.ts'
import { done, type Handler } from '../exchange.ts'
import { pagesIn } from '../query.ts'

export const makeInvite: Handler = async ({ chat, request, who, publicUrl }) => {
  const invite = await chat.invites.make(
    who,
    await readFields(request, { room: 'string?', role: 'string?', uses: 'number?', expires: 'string?' }),
  )
  // Behind the # a browser keeps it to itself.
  return { status: 201, json: { ...invite, url: `${publicUrl}/join#${invite.code}` } }
}

export const listInvites: Handler = async ({ chat, query, who }) => ({
  status: 200,
  json: await chat.invites.list(who, pagesIn(query)),
})

export const endInvite: Handler = async ({ chat, params, who }) => {
  await chat.invites.end(who, params.id!)
  return done
}

export const acceptInvite: Handler = async ({ chat, request, who, address, cookie }) => {
  const { secret, ...came } = await chat.invites.accept(who, {
    ...(await readFields(request, { code: 'string', name: 'string?', password: 'string?' })),
    address,
  })
  return secret === undefined
    ? { status: 200, json: came }
    : { status: 201, headers: { 'set-cookie': cookie.give(request, secret) }, json: came }
}
