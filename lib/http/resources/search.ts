// Searching: everything stands behind the question mark.

import type { Handler } from '../exchange.ts'
import { countIn } from '../query.ts'

export const search: Handler = async ({ chat, query, who, address }) => {
  const { q, room, from, before, after } = Object.fromEntries(query)
  return {
    status: 200,
    json: await chat.search.find(who, { q, room, from, before, after, limit: countIn(query, 'limit') }, address),
  }
}
