import assert from 'node:assert/strict'
import { connect } from 'node:net'
import { test } from 'node:test'
import { startChat } from '../chat-server.ts'
import { sendAtOnce } from '../raw-connection.ts'

const host = 'Host: localhost\r\n'
const say = (text: string) =>
  `POST /rooms/lobby/messages HTTP/1.1\r\n${host}Authorization: Basic ${btoa('ada:')}\r\nContent-Length: ${text.length}\r\n\r\n${text}`
const read = (more = '') => `GET /rooms/lobby/messages HTTP/1.1\r\n${host}${more}\r\n`

test('requests that are sent in one go are carried out in their order', async (t) => {
  const chat = await startChat(t)

  const back = await sendAtOnce(chat.url, say('one') + say('two') + read('Connection: close\r\n'))

  assert.deepEqual(back.match(/(?<=HTTP\/1.1 )\d+/g), ['201', '201', '200'])
  assert.match(back.slice(back.lastIndexOf('HTTP/1.1')), /"one"[^]*"two"/)
})

test('who sends a hundred at once is cut off, and not much of it is carried out', async (t) => {
  const chat = await startChat(t)

  const back = await sendAtOnce(chat.url, say('first') + say('again').repeat(100))

  assert.ok((back.match(/HTTP\/1.1 /g) ?? []).length < 20)
  const { messages } = await chat.stranger.read<{ messages: unknown[] }>('/rooms/lobby/messages')
  assert.ok(messages.length <= 17, `${messages.length} messages`)
})

test('a stream may come behind a post, and nothing behind that', async (t) => {
  const chat = await startChat(t)
  const stream = `GET /events?since=all HTTP/1.1\r\n${host}Accept: text/event-stream\r\n\r\n`

  const socket = connect(Number(new URL(chat.url).port), '127.0.0.1')
  socket.write(say('one') + stream)
  let back = ''
  for await (const chunk of socket) if (/event: message[^]*"one"/.test((back += chunk))) break
  assert.match(back, /^HTTP\/1.1 201/)

  assert.match(await sendAtOnce(chat.url, say('two') + stream + say('three')), /^HTTP\/1.1 201[^]*"two"/)
  const { messages } = await chat.stranger.read<{ messages: { text: string }[] }>('/rooms/lobby/messages')
  assert.deepEqual(
    messages.map(({ text }) => text),
    ['one', 'two'],
  )
})
