// An answer that comes word by word, as language models give theirs: `pipe` sends what a generator yields, no faster than
// the reader takes it. A reader that was cut off goes on at the word it is at; one that leaves ends the generator.

import { createServer } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { ServerSentEventsStream } from 'natter'

const answer =
  'An event stream is a response that does not end : each event is a few lines of text and a blank one .'.split(' ')
let generating = 0

async function* words(from) {
  generating++
  try {
    for (let at = from; at < answer.length; at++) {
      yield { id: at + 1, data: answer[at] }
      await sleep(25)
    }
    yield { event: 'done', data: { words: answer.length } }
  } finally {
    generating-- // here a real program tells the model to stop
  }
}

const server = createServer(async (request, response) => {
  if (request.url === '/stats') return response.end(JSON.stringify({ streams: generating }))
  if (request.url !== '/events') return response.writeHead(404).end()
  const stream = new ServerSentEventsStream(request, response)
  await stream.pipe(words(Number(stream.lastEventId ?? 0)))
  stream.close()
})

server.listen(process.env.PORT ?? 0, '127.0.0.1', () => console.log(`http://127.0.0.1:${server.address().port}`))

process.once('SIGTERM', () => server.close()) // answers under way are finished
