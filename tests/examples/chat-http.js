// The whole chat at /chat of a site that has people of its own: whoever is logged in there is known in the chat.
//   curl -c jar -d name=ada localhost:8080/login
//   curl -b jar -H 'Content-Type: application/json' -d '{"text":"hello"}' localhost:8080/chat/rooms/lobby/messages

import { randomUUID } from 'node:crypto'
import { createServer } from 'node:http'
import { text } from 'node:stream/consumers'
import { createChat } from 'natter'

const sessions = new Map() // A real site would ask for a password, and keep these somewhere.
const sessionOf = (request) => /session=([\w-]+)/.exec(request.headers.cookie)?.[1]

const chat = await createChat({
  data: process.env.DATA ?? ':memory:',
  path: '/chat',
  identify: (request) => sessions.get(sessionOf(request)),
})

const server = createServer((request, response) => chat.handler(request, response, () => site(request, response)))

async function site(request, response) {
  if (request.url === '/login' && request.method === 'POST') {
    const name = new URLSearchParams(await text(request)).get('name')
    const session = randomUUID()
    sessions.set(session, { id: name, name })
    response.writeHead(303, { location: '/chat', 'set-cookie': `session=${session}; HttpOnly; SameSite=Lax` }).end()
  } else if (request.url === '/logout' && request.method === 'POST') {
    const user = sessions.get(sessionOf(request))
    sessions.delete(sessionOf(request))
    if (user) await chat.disconnect(user.id) // ends the streams that are open
    response.writeHead(303, { location: '/' }).end()
  } else {
    response.setHeader('content-type', 'text/html')
    response.end(
      '<form method="post" action="/login"><input name="name" placeholder="Your name"><button>Log in</button></form>',
    )
  }
}

server.listen(process.env.PORT ?? 0, '127.0.0.1', () => console.log(`http://127.0.0.1:${server.address().port}`))

process.once('SIGTERM', async () => {
  await chat.close() // ends the streams; their readers come back by themselves
  server.close()
})
