// Readers that stop reading cost little memory, and the others no time.
// NATTER_FULL=1 makes it a thousand of them instead of a hundred, and waits until they are given up.

import assert from 'node:assert/strict'
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'

const full = process.env['NATTER_FULL'] !== undefined
const stopped = full ? 1_000 : 100
const bytesMaxEach = 256 * 1024
const delayMsMax = 10

interface Report {
  bytes: number
  behind: number
  buffered: number
  streams: number
  p99Ms: number
}

test('stopped readers cost at most 256 KiB each, and those who read are not held up', async (t) => {
  const child = fork(fileURLToPath(new URL('./stopped-readers-server.ts', import.meta.url)), {
    execArgv: ['--expose-gc'],
  })
  t.after(() => child.kill())
  const [{ port }] = (await once(child, 'message')) as [{ port: number }]
  const ask = async (question: string): Promise<Report> => {
    child.send(question)
    return ((await once(child, 'message')) as [Report])[0]
  }
  const follow = async (): Promise<Socket> => {
    const socket = connect(port, '127.0.0.1')
    socket.write('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n')
    await once(socket, 'data')
    t.after(() => socket.destroy())
    return socket
  }
  await follow()
  await ask('publish')
  const alone = await ask('publish')
  const sockets: Socket[] = []
  for (let count = 0; count < stopped; count++) {
    const socket = await follow()
    socket.pause()
    sockets.push(socket)
  }

  // The first time they still take what the system's buffers hold.
  await ask('publish')
  const beside = await ask('publish')

  const each = (beside.bytes - alone.bytes) / stopped
  t.diagnostic(
    `${stopped} stopped readers: ${Math.round(each / 1024)} KiB each; p99 of who reads ${alone.p99Ms.toFixed(1)} ms alone, ${beside.p99Ms.toFixed(1)} ms beside them`,
  )
  // Who reads may be behind for a moment as well.
  assert.ok(beside.behind >= stopped, `${beside.behind} are behind`)
  assert.ok(beside.buffered <= bytesMaxEach * stopped)
  assert.ok(each <= bytesMaxEach, `${each} bytes each`)
  assert.ok(beside.p99Ms <= alone.p99Ms * 3 + delayMsMax, `${beside.p99Ms} ms, ${alone.p99Ms} ms alone`)
  if (!full) return

  // Two read.
  while ((await ask('look')).streams > 2) await new Promise((resolve) => setTimeout(resolve, 500))
})
