// Rooms and who is in them.

import { ChatError } from '../../errors.ts'
import { readFields } from '../body.ts'
import { openStream } from './events.ts'
import { done, streaming, type Handler } from '../exchange.ts'
import { pagesIn } from '../query.ts'

export const listRooms: Handler = async (exchange) => {
  const { chat, query, who } = exchange
  if (!exchange.stream)
    return { status: 200, json: await chat.rooms(who, { ...pagesIn(query), q: query.get('q') ?? undefined }) }
  chat.streams.followRooms(who, () => openStream(exchange))
  return streaming
}

export const createRoom: Handler = async ({ chat, request, who, address, limits }) => {
  const { name, kind, topic } = await readFields(request, { name: 'string', kind: 'string?', topic: 'string?' })
  if (kind !== undefined && kind !== 'open' && kind !== 'private')
    throw new ChatError('invalid_request', 'kind must be open or private; POST /direct makes a room for two')
  const room = await chat.createRoom(who, { name, kind, topic }, () => limits.newRoom('rooms', who, address))
  return { status: 201, headers: { location: locationOf(room.id) }, json: room }
}

export const showRoom: Handler = ({ chat, params, who }) => ({ status: 200, json: chat.room(who, params.room!) })

export const changeRoom: Handler = async ({ chat, params, request, who }) => {
  const change = await readFields(request, { name: 'string?', topic: 'string?', archived: 'boolean?' })
  if (Object.keys(change).length === 0)
    throw new ChatError('invalid_request', 'give what is to change: name, topic, archived')
  return { status: 200, json: await chat.changeRoom(who, params.room!, change) }
}

export const archiveRoom: Handler = async ({ chat, params, who }) => {
  await chat.changeRoom(who, params.room!, { archived: true })
  return done
}

export const openDirect: Handler = async ({ chat, request, who, address, limits }) => {
  const { user } = await readFields(request, { user: 'string' })
  const { room, made } = await chat.direct(who, { with: user }, () => limits.newRoom('directRooms', who, address))
  return { status: made ? 201 : 200, headers: { location: locationOf(room.id) }, json: room }
}

export const listMembers: Handler = async ({ chat, params, query, who }) => ({
  status: 200,
  json: await chat.members(who, params.room!, pagesIn(query)),
})

/** Oneself joins; others are added, or given another role in the room. */
export const addMember: Handler = async ({ chat, params, request, who }) => {
  const { role } = await readFields(request, { role: 'string?' })
  if (role !== undefined && role !== 'owner' && role !== 'member')
    throw new ChatError('invalid_request', 'role must be owner or member')
  await chat.join(who, params.room!, { user: params.user!, role })
  return done
}

export const removeMember: Handler = async ({ chat, params, who }) => {
  await chat.leave(who, params.room!, params.user!)
  return done
}

function locationOf(room: string): string {
  return `/rooms/${encodeURIComponent(room)}`
}
