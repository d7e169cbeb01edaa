import assert from 'node:assert/strict'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { test, type TestContext } from 'node:test'
import { Connections } from '../../lib/http/limits/connections.ts'
import { ServerSentEventsStream } from '../../lib/sse/server-sent-events-stream.ts'
import { startChat } from '../chat-server.ts'
import { RawConnection } from '../raw-connection.ts'

const ask = (method: string, path: string) =>
  `${method} ${path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n`

/** A server that holds `/slow` and `/stream` until they are let go on, and remembers what has begun. */
async function serve(t: TestContext) {
  const connections = new Connections()
  const begun: string[] = []
  const all: string[] = []
  let goOn = () => {}
  const gate = new Promise<void>((resolve) => (goOn = resolve))
  let seen = () => {}
  const server = createServer((request, response) => {
    all.push(request.url!)
    connections.inTurn(request, response, {
      begin: () => void answer(request, response),
      tooMany: () => void request.socket.destroy(),
    })
    seen()
  })
  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    begun.push(request.url!)
    if (request.url === '/fast') return void response.end('fast')
    connections.hold(request)
    await gate
    if (request.url === '/stream' && !connections.othersWait(request.socket))
      connections.carries(request.socket, new ServerSentEventsStream(request, response).open)
    else if (request.url === '/stream') request.socket.destroy()
    else response.end('slow')
    connections.release(request)
  }
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.after(() => {
    server.closeAllConnections()
    server.close()
  })
  const arrived = async (count: number) => {
    while (all.length < count) await new Promise<void>((resolve) => (seen = resolve))
  }
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, begun, arrived, goOn }
}

test('a post behind a stream whose sender is still being identified never begins', async (t) => {
  for (const together of [true, false]) {
    const server = await serve(t)
    const connection = new RawConnection(server.url)
    if (together) {
      connection.send(ask('GET', '/stream') + ask('POST', '/fast'))
    } else {
      connection.send(ask('GET', '/stream'))
      await server.arrived(1)
      connection.send(ask('POST', '/fast'))
    }
    await server.arrived(2)
    assert.deepEqual(server.begun, ['/stream'])

    server.goOn()
    await connection.over

    assert.equal(connection.text, '')
    assert.deepEqual(server.begun, ['/stream'])
  }
})

test('what waited behind a request that became no stream is answered, in its order', async (t) => {
  const server = await serve(t)
  const connection = new RawConnection(server.url)
  t.after(() => connection.leave())
  connection.send(ask('POST', '/slow') + ask('POST', '/fast'))
  await server.arrived(2)
  assert.deepEqual(server.begun, ['/slow'])

  server.goOn()

  assert.ok(await connection.until((text) => /slow[^]*fast/.test(text)))
  assert.deepEqual(server.begun, ['/slow', '/fast'])
})

test('more connections than files may be open: who finds no room is hung up on, and the chat goes on', async (t) => {
  const chat = await startChat(t, {
    node: '/bin/sh',
    execArgv: ['-c', `ulimit -n 256; exec "${process.execPath}" "$@"`, 'sh'],
  })
  const ada = await chat.comeIn('ada')
  const held: RawConnection[] = []
  t.after(() => held.forEach((connection) => connection.leave()))

  // Each in its turn, so that it is seen which of them found room.
  let refused = 0
  for (let count = 0; count < 400; count++) {
    const connection = new RawConnection(chat.url)
    connection.send('GET /events HTTP/1.1\r\nHost: localhost\r\n\r\n')
    if (await connection.until((text) => text.includes('retry:'))) held.push(connection)
    else refused++
  }
  // Up to the limit itself Node would hold them, and then there is no file left for the database.
  assert.ok(held.length > 128 && held.length <= 256 - 64 && refused > 0, `${held.length} held, ${refused} refused`)

  // Who had come in before still has a connection.
  const { id } = await ada.say('lobby', 'is there room?')
  for (const connection of held) assert.ok(await connection.until((text) => text.includes(`id: ${id}`)))
  for (const connection of held.splice(0, 50)) connection.leave()
  for (;;) {
    const found = await RawConnection.ask(
      chat.url,
      'GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n',
    )
    if (found.includes('HTTP/1.1 200')) break
  }
  await (await chat.comeIn('bob')).say('lobby', 'there is')
  assert.equal(chat.errors, '')
})
