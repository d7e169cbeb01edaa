// Whom somebody blocks: theirs alone to know.

import { done, type Handler } from '../exchange.ts'
import { countIn } from '../query.ts'

export const listBlocks: Handler = ({ chat, query, who }) => ({
  status: 200,
  json: chat.blocks.list(who, { after: query.get('after') ?? undefined, limit: countIn(query, 'limit') }),
})

export const block: Handler = async ({ chat, params, who }) => {
  await chat.blocks.block(who, params.user!)
  return done
}

export const unblock: Handler = async ({ chat, params, who }) => {
  await chat.blocks.unblock(who, params.user!)
  return done
}
