// What is said in a room: its history by page, a single message, and saying something.

import { ChatError } from '../../errors.ts'
import { isJson, readFields, readText } from '../body.ts'
import { openStream } from './events.ts'
import { done, streaming, type Handler } from '../exchange.ts'
import { countIn, idIn, pagesIn } from '../query.ts'

export const listMessages: Handler = async (exchange) => {
  const { address, chat, limits, params, query, who } = exchange
  const room = params.room!
  if (['before', 'after', 'around'].filter((name) => query.has(name)).length > 1)
    throw new ChatError('invalid_request', 'give one of before, after and around')
  const page = await chat.talk.page(who, room, {
    before: idIn(query, 'before'),
    after: idIn(query, 'after'),
    around: idIn(query, 'around'),
    limit: countIn(query, 'limit'),
  })
  if (!exchange.stream) return { status: 200, json: page }
  // The same page, then what comes: a stream that starts before its first message.
  const first = page.messages[0]
  const after = first && Number(first.id) - 1
  chat.streams.follow(who, { rooms: [room] }, () => openStream(exchange), {
    after,
    tells: () => limits.mayTellComing(who, address),
  })
  return streaming
}

export const post: Handler = async ({ chat, params, request, who }) => {
  const key = request.headers['idempotency-key']
  if (/^multipart\//i.test(request.headers['content-type'] ?? ''))
    throw new ChatError('invalid_request', 'a form in parts is not taken; send the bare text (curl -d) or JSON')
  const { text, replyTo } = isJson(request)
    ? await readFields(request, { text: 'string', replyTo: 'string?' })
    : { text: await readText(request), replyTo: undefined }
  const message = await chat.talk.post(who, params.room!, {
    text,
    replyTo,
    key: key === undefined ? undefined : String(key),
  })
  return {
    status: 201,
    headers: { location: `/rooms/${encodeURIComponent(message.room)}/messages/${message.id}` },
    json: message,
  }
}

export const showMessage: Handler = ({ chat, params, who }) => ({
  status: 200,
  json: chat.talk.message(who, params.room!, params.message!),
})

export const edit: Handler = async ({ chat, params, request, who }) => {
  const { text } = isJson(request) ? await readFields(request, { text: 'string' }) : { text: await readText(request) }
  return { status: 200, json: await chat.talk.edit(who, params.room!, params.message!, { text }) }
}

export const remove: Handler = async ({ chat, params, who }) => {
  await chat.talk.remove(who, params.room!, params.message!)
  return done
}

export const listReacting: Handler = ({ chat, params, query, who }) => ({
  status: 200,
  json: chat.talk.reactions(who, params.room!, params.message!, { emoji: params.emoji!, ...pagesIn(query) }),
})

export const react: Handler = async ({ chat, params, who }) => {
  await chat.talk.react(who, params.room!, params.message!, { emoji: params.emoji!, on: true })
  return done
}

export const takeBack: Handler = async ({ chat, params, who }) => {
  await chat.talk.react(who, params.room!, params.message!, { emoji: params.emoji!, on: false })
  return done
}

export const typing: Handler = ({ chat, params, who, address, limits }) => {
  chat.talk.typing(who, params.room!, { tells: limits.mayTellTyping(who, address) })
  return done
}

export const read: Handler = async ({ chat, params, request, who }) => {
  const { id } = await readFields(request, { id: 'string' })
  chat.talk.read(who, params.room!, id)
  return done
}
