// Many requests at once on one connection: those that were let in are answered in order, and nothing is stored that is not answered.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Message } from '../../lib/chat/streams/events.ts'
import { startChat, type ChatServer } from '../chat-server.ts'
import { RawConnection, readAnswer, type RawAnswer } from '../raw-connection.ts'

const atOnce = 17 // one that is being answered, and those that may wait behind it

const readRequest = 'GET /rooms/lobby/messages?limit=1 HTTP/1.1\r\nHost: localhost\r\n\r\n'
const sayRequest = (text: string) =>
  `POST /rooms/lobby/messages HTTP/1.1\r\nHost: localhost\r\nAuthorization: Basic ${btoa('eve:')}\r\nContent-Length: ${text.length}\r\n\r\n${text}`

/** Every third one reads, all others say something. */
const mixed = (count: number) =>
  Array.from({ length: count }, (_, at) => (at % 3 === 2 ? readRequest : sayRequest(`text ${at}`)))

/** The answers that came on a connection, one after the other. */
function answersOf({ bytes }: RawConnection): RawAnswer[] {
  const answers: RawAnswer[] = []
  for (let rest = bytes; rest.length > 0; ) {
    const answer = readAnswer(rest)
    const end = rest.indexOf('\r\n\r\n') + 4 + Number(answer.headers.get('content-length'))
    answers.push(readAnswer(rest.subarray(0, end)))
    rest = rest.subarray(end)
  }
  return answers
}

/** Each is answered like its request, in order; the last one says that there were too many, and that it is the last. */
function assertRefusedAtEnd(answers: readonly RawAnswer[], requests: readonly string[]): void {
  const refusal = answers.at(-1)!
  assert.deepEqual(
    answers.slice(0, -1).map(({ status }) => status),
    requests.slice(0, answers.length - 1).map((request) => (request === readRequest ? 200 : 201)),
  )
  assert.equal(refusal.status, 429)
  assert.equal(refusal.headers.get('connection'), 'close')
  assert.equal(refusal.headers.get('content-type'), 'application/problem+json')
  const { code, detail } = JSON.parse(refusal.body.toString()) as { code: string; detail: string }
  assert.equal(code, 'too_many')
  assert.match(detail, /too many requests at once on this connection/)
}

/** What was said is what was answered with 201. */
async function assertStoredIsAnswered(chat: ChatServer, answers: readonly RawAnswer[]): Promise<void> {
  const said = answers
    .filter(({ status }) => status === 201)
    .map(({ body }) => (JSON.parse(body.toString()) as Message).text)
  assert.deepEqual(await chat.stranger.textsIn('lobby'), said)
}

test('as many requests as may wait on a connection are all answered, in order, and the connection goes on', async (t) => {
  const chat = await startChat(t)
  const connection = new RawConnection(chat.url)
  t.after(() => connection.leave())

  for (const count of [16, atOnce]) {
    const before = answersOf(connection).length
    const requests = mixed(count)
    connection.send(requests.join(''))
    assert.ok(await connection.until((text) => text.split('HTTP/1.1 ').length > before + count && text.endsWith('}\n')))
    assert.deepEqual(
      answersOf(connection)
        .slice(before)
        .map(({ status }) => status),
      requests.map((request) => (request === readRequest ? 200 : 201)),
    )
  }

  await assertStoredIsAnswered(chat, answersOf(connection))
})

for (const count of [atOnce + 1, 200]) {
  test(`of ${count} requests in one packet those that were let in are answered, then one is refused, and nothing else is stored`, async (t) => {
    for (const requests of [
      mixed(count),
      mixed(count + 1).slice(1),
      Array.from({ length: count }, (_, at) => sayRequest(`text ${at}`)),
      Array<string>(count).fill(readRequest),
    ]) {
      const chat = await startChat(t)
      const connection = new RawConnection(chat.url)

      connection.send(requests.join(''))
      await connection.over

      const answers = answersOf(connection)
      assert.equal(answers.length, atOnce + 1)
      assertRefusedAtEnd(answers, requests)
      await assertStoredIsAnswered(chat, answers)
      await chat.kill()
    }
  })
}

test('a client that goes on writing while it is refused reads all its answers, and nothing else of it is stored', async (t) => {
  const chat = await startChat(t)
  const connection = new RawConnection(chat.url)
  const requests = mixed(100)
  let ended = false
  connection.socket.on('end', () => (ended = true))
  const goOn = () => {
    if (ended || connection.socket.destroyed) return
    // Not before what came was read: the system may take all of it at once, for ever.
    connection.socket.write(mixed(100).join(''), () => setImmediate(goOn))
  }

  connection.send(requests.join(''))
  goOn()
  await connection.over

  const answers = answersOf(connection)
  assertRefusedAtEnd(answers, requests)
  await assertStoredIsAnswered(chat, answers)
})

test('a HEAD that is one too many is refused without a body, and one that waits to be told to go on is told so first', async (t) => {
  const chat = await startChat(t)
  const first = mixed(atOnce).join('')

  const head = new RawConnection(chat.url)
  head.send(`${first}HEAD /rooms HTTP/1.1\r\nHost: localhost\r\n\r\n`)
  await head.over
  assert.match(head.text, /HTTP\/1\.1 429 [^{]*\r\n\r\n$/)

  const waiting = new RawConnection(chat.url)
  waiting.send(first + sayRequest('more').replace('\r\n\r\n', '\r\nExpect: 100-continue\r\n\r\n'))
  await waiting.over
  assert.match(waiting.text, /HTTP\/1\.1 100 Continue\r\n\r\nHTTP\/1\.1 429 [^]*\}\n$/)
})
