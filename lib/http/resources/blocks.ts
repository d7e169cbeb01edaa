// Whom somebody blocks: theirs alone to know.

import type { Handler } from '../exchange.ts'
import { countIn } from '../query.ts'

export const listBlocks: Handler = ({ chat, query, who }) => ({
  status: 200,
  json: chat.blocks.list(who, { after: query.get('after') ?? undefined, limit: countIn(query, 'limit') }),
})

export const block: Handler = ({ chat, params, who }) => chat.blocks.block(who, params.user!)

export const unblock: Handler = ({ chat, params, who }) => chat.blocks.unblock(who, params.user!)
