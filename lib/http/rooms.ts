// Rooms and who is in them.

import { ChatError } from '../errors.ts'
import { readFields } from './body.ts'
import { openStream } from './events.ts'
import { accepts, type Exchange, type Handler } from './exchange.ts'

export const listRooms: Handler = (exchange) => {
  const { chat, request, who } = exchange
  if (!accepts(request, 'text/event-stream')) return { status: 200, headers: { vary: 'accept' }, json: chat.rooms() }
  const stream = openStream(exchange)
  if (stream) chat.followRooms(who, stream)
}

export const createRoom: Handler = async ({ chat, request, who }) => {
  const { name } = await readFields(request, ['name'])
  const room = await chat.createRoom(who, name)
  return { status: 201, headers: { location: `/rooms/${encodeURIComponent(room.id)}` }, json: room }
}

export const showRoom: Handler = ({ chat, params }) => ({ status: 200, headers: { vary: 'accept' }, json: chat.room(params.room!) })

export const listMembers: Handler = ({ chat, params }) => ({ status: 200, json: chat.members(params.room!) })

export const join: Handler = async (exchange) => {
  await exchange.chat.join(onlyMyself(exchange), exchange.params.room!)
  return { status: 204 }
}

export const leave: Handler = async (exchange) => {
  await exchange.chat.leave(onlyMyself(exchange), exchange.params.room!)
  return { status: 204 }
}

function onlyMyself({ chat, params, who }: Exchange) {
  if (params.user !== 'me' && params.user !== chat.people.whoAmI(who)?.id) throw new ChatError('forbidden', 'you can join and leave only for yourself; write `me` in place of the user')
  return who
}
