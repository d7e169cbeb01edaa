import assert from 'node:assert/strict'
import { connect } from 'node:net'
import { test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { startChat } from '../chat-server.ts'

test('who goes away in the middle of a post says nothing, and is no incident', async (t) => {
  const chat = await startChat(t)
  const ada = await chat.comeIn('ada')
  const head = `POST /rooms/lobby/messages HTTP/1.1\r\nHost: localhost\r\nAuthorization: Basic ${btoa('eve:')}\r\nContent-Length: 16\r\n`

  for (const rest of ['\r\n', '\r\n{"text":', 'Expect: 100-continue\r\n\r\n']) {
    const socket = connect(Number(new URL(chat.url).port), '127.0.0.1')
    const over = new Promise((resolve) => socket.on('close', resolve))
    socket.on('error', () => {})
    socket.write(head + rest)
    // What is answered later shows that the server has begun with what was sent before.
    await ada.read('/rooms')
    socket.resetAndDestroy()
    await over
  }

  const { id } = await ada.say('lobby', 'the only message')
  const { messages } = await chat.stranger.read<{ messages: { id: string }[] }>('/rooms/lobby/messages')
  assert.deepEqual(
    messages.map((message) => message.id),
    [id],
  )
  assert.doesNotMatch(chat.errors, /incident/)
})

test('what comes behind a request for another protocol is not silently dropped: the connection ends', async (t) => {
  const chat = await startChat(t)
  const socket = connect(Number(new URL(chat.url).port), '127.0.0.1')
  let back = ''
  socket.on('data', (chunk) => (back += chunk))
  const over = new Promise((resolve) => socket.on('close', resolve))
  socket.write(
    'GET /rooms HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\nGET /session HTTP/1.1\r\nHost: localhost\r\n\r\n',
  )
  await over

  assert.match(back, /^HTTP\/1.1 200 OK\r\n[^]*\r\nConnection: close\r\n/)
})

test('an expectation that we do not know is passed over', async (t) => {
  const chat = await startChat(t)
  const socket = connect(Number(new URL(chat.url).port), '127.0.0.1')
  let back = ''
  socket.on('data', (chunk) => (back += chunk))
  const over = new Promise((resolve) => socket.on('close', resolve))
  socket.write('GET /healthz HTTP/1.1\r\nHost: localhost\r\nExpect: nothing\r\nConnection: close\r\n\r\n')
  await over

  assert.match(back, /^HTTP\/1.1 200 OK\r\n/)
})

test('a body that is packed is refused, and the answer says so; one that is declared to be as it is, is taken', async (t) => {
  const chat = await startChat(t)
  const ada = await chat.comeIn('ada')
  const bomb = gzipSync(JSON.stringify({ text: 'a'.repeat(1e7) }))

  const headers = { 'content-type': 'application/json', 'sec-fetch-site': 'same-origin' }
  for (const coding of ['gzip', 'br', 'identity, gzip']) {
    const answer = await ada.fetch('/rooms/lobby/messages', {
      method: 'POST',
      headers: { ...headers, 'content-encoding': coding },
      body: bomb,
    })
    assert.equal(answer.status, 400)
    assert.match(await answer.text(), /Content-Encoding/)
  }

  assert.equal(
    (await ada.send('POST', '/rooms/lobby/messages', { text: 'hello' }, { 'content-encoding': 'identity' })).status,
    201,
  )
  assert.deepEqual(await ada.textsIn('lobby'), ['hello'])
})
