// What is said in a room: its history by page, a single message, and saying something.

import { ChatError } from '../errors.ts'
import { isJson, readFields, readText } from './body.ts'
import { openStream } from './events.ts'
import type { Handler } from './exchange.ts'
import { countIn, idIn } from './query.ts'

export const listMessages: Handler = (exchange) => {
  const { chat, params, query, who } = exchange
  const room = params.room!
  if (query.has('before') && query.has('after')) throw new ChatError('invalid_request', 'give before or after, not both')
  const page = chat.messages(who, room, { before: idIn(query, 'before'), after: idIn(query, 'after'), limit: countIn(query, 'limit') })
  if (!exchange.stream) return { status: 200, headers: { vary: 'accept' }, json: page }
  const stream = openStream(exchange)
  // The same page, then what comes: a stream that starts before its first message.
  const first = page.messages[0]
  if (stream) chat.streams.follow(who, stream, { rooms: [room] }, { since: stream.lastEventId, after: first ? Number(first.id) - 1 : undefined })
}

export const post: Handler = async ({ chat, params, request, who }) => {
  const key = request.headers['idempotency-key']
  if (key !== undefined && !/^[\x21-\x7e]{1,64}$/.test(String(key))) throw new ChatError('invalid_key', 'Idempotency-Key must be 1 to 64 visible ASCII characters')
  if (/^multipart\//i.test(request.headers['content-type'] ?? '')) throw new ChatError('invalid_request', 'a form in parts is not taken; send the bare text (curl -d) or JSON')
  const { text, replyTo } = isJson(request) ? await readFields(request, { text: 'string', replyTo: 'string?' }) : { text: await readText(request), replyTo: undefined }
  const message = await chat.post(who, params.room!, { text, replyTo, key: key === undefined ? undefined : String(key) })
  const location = `/rooms/${encodeURIComponent(message.room)}/messages/${message.id}`
  return { status: 201, headers: { location }, json: message }
}

export const showMessage: Handler = ({ chat, params, who }) => ({ status: 200, headers: { vary: 'accept' }, json: chat.message(who, params.room!, params.message!) })

export const remove: Handler = async ({ chat, params, who }) => {
  await chat.remove(who, params.room!, params.message!)
  return { status: 204 }
}
