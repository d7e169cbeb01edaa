// The whole chat at /chat of a Koa site. `respond = false` tells it that the answer is ours from here on.

import Koa from 'koa'
import { createChat } from 'natter'

const users = new Map([
  ['a-secret-of-ada', { id: '1', name: 'ada' }],
  ['a-secret-of-bob', { id: '2', name: 'bob' }],
])
const chat = await createChat({
  data: ':memory:',
  path: '/chat',
  identify: ({ headers }) => users.get(/session=([\w-]+)/.exec(headers.cookie)?.[1]),
})

const app = new Koa()

app.use((context, next) => {
  let others
  chat.handler(context.req, context.res, () => (others = next()))
  if (!others) context.respond = false
  return others
})

app.use((context) => {
  context.body = 'The chat is at /chat.\n'
})

const server = app.listen(process.env.PORT ?? 0, '127.0.0.1', () =>
  console.log(`http://127.0.0.1:${server.address().port}`),
)

process.once('SIGTERM', async () => {
  await chat.close()
  server.close()
})
