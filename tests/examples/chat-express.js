// The whole chat at /chat of an Express site, which knows its people by a cookie, reads JSON bodies and compresses; and one
// of its own routes says something in the chat.

import compression from 'compression'
import express from 'express'
import { randomUUID } from 'node:crypto'
import { createChat } from 'natter'

const app = express()
app.use(compression(), express.json())

const sessions = new Map()

app.use((request, response, next) => {
  request.user = sessions.get(/session=([\w-]+)/.exec(request.headers.cookie)?.[1])
  next()
})

app.post('/login', (request, response) => {
  const session = randomUUID()
  sessions.set(session, { id: request.body.name, name: request.body.name })
  response.cookie('session', session, { httpOnly: true, sameSite: 'lax' }).sendStatus(204)
})

const chat = await createChat({ data: ':memory:', path: '/chat', identify: (request) => request.user })
app.use('/chat', chat.handler)

app.post('/deploys', async (request, response) => {
  const robot = { id: 'deploys', name: 'deploys', role: 'bot' }
  response.status(201).json(await chat.post(robot, 'lobby', { text: `${request.body.version} is live` }))
})

const server = app.listen(process.env.PORT ?? 0, '127.0.0.1', () =>
  console.log(`http://127.0.0.1:${server.address().port}`),
)

process.once('SIGTERM', async () => {
  await chat.close()
  server.close()
})
