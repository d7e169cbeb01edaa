// Tokens for bots: each is shown once, when it is made.

import { readFields } from '../body.ts'
import { done, type Handler } from '../exchange.ts'
import { pagesIn } from '../query.ts'

export const makeToken: Handler = async ({ chat, request, who }) => ({
  status: 201,
  json: await chat.tokens.make(
    who,
    await readFields(request, { name: 'string', scopes: 'strings?', rooms: 'strings?', expires: 'string?' }),
  ),
})

export const listTokens: Handler = async ({ chat, query, who }) => ({
  status: 200,
  json: await chat.tokens.list(who, pagesIn(query)),
})

export const endToken: Handler = async ({ chat, params, who }) => {
  await chat.tokens.end(who, params.id!)
  return done
}
