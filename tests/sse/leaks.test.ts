// Nothing of a stream is left when it is over, at whatever point its reader went away.
// NATTER_FULL=1 makes it ten thousand readers instead of a thousand.

import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { createServer } from 'node:http'
import { connect, type AddressInfo } from 'node:net'
import { once } from 'node:events'
import { test } from 'node:test'
import { promisify } from 'node:util'
import { Hub, ServerSentEventsStream } from '../../lib/index.ts'
import { turn } from './serve.ts'

const count = process.env['NATTER_FULL'] === undefined ? 1_000 : 10_000
const request = 'GET /?since=1 HTTP/1.1\r\nHost: localhost\r\n\r\n'
// Where a reader goes away: what it sent by then, and whether it waits for an answer first.
const stages = [
  { sends: '', waits: false },
  { sends: request.slice(0, 20), waits: false },
  { sends: request, waits: false },
  { sends: request, waits: true },
  { sends: request + request, waits: true },
]

test('readers that come and go away at every stage leave nothing behind', async (t) => {
  const hub = new Hub({ graceMs: 1, came: () => {}, left: () => {} })
  const server = createServer((request, response) =>
    hub.follow(new ServerSentEventsStream(request, response), ['a', `only ${Math.random()}`], {
      who: String(Math.random()),
    }),
  )
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  t.after(() => server.close())
  const publishing = setInterval(() => hub.publish('a', { data: 'x'.repeat(1000) }), 1)
  let opened = 0
  server.on('request', () => opened++)

  async function comeAndGo({ sends, waits }: (typeof stages)[0]): Promise<void> {
    const socket = connect(port, '127.0.0.1')
    socket.on('error', () => {})
    await once(socket, 'connect')
    socket.write(sends)
    if (waits) await once(socket, 'data')
    socket.destroy()
  }
  for (let at = 0; at < count; at += 50)
    await Promise.all(Array.from({ length: 50 }, (_, beside) => comeAndGo(stages[(at + beside) % stages.length]!)))
  clearInterval(publishing)

  assert.ok(opened > count / 3, `${opened} streams were opened`)
  const connections = promisify(server.getConnections.bind(server))
  while (hub.stats().streams > 0 || hub.here.length > 0 || (await connections()) > 0)
    await new Promise((resolve) => setTimeout(resolve, 5))
  assert.deepEqual([...hub.followers('a')], [])
  await hub.close()
  server.close()
  await once(server, 'close')
  await turn()
  assert.deepEqual(
    process.getActiveResourcesInfo().filter((name) => name.startsWith('TCP')),
    [],
  )
})

/** Runs a program that imports natter, and gives back what it printed once it has ended by itself. */
async function run(program: string): Promise<string> {
  const index = JSON.stringify(new URL('../../lib/index.ts', import.meta.url).href)
  const { stdout } = await promisify(execFile)(
    process.execPath,
    ['--expose-gc', '--input-type=module', '-e', `import { Hub, eventStreamResponse } from ${index}\n${program}`],
    { timeout: 60_000 },
  )
  return stdout
}

test('a process whose hub has no streams, or was closed, ends by itself', async () => {
  const program = `
    const hub = new Hub({ graceMs: 60_000, came() {}, left() {} })
    hub.publish('a', { data: 'x' })
    const open = eventStreamResponse(new Request('http://test/'), hub, ['a'], { who: 'ada' })
    if (process.env.CLOSE !== '') await hub.close()
    console.log(hub.stats().streams, hub.here.length)`
  assert.equal(await run(`process.env.CLOSE = 'yes'\n${program}`), '0 0\n')
  assert.equal(await run(`process.env.CLOSE = ''\n${program}`), '1 1\n')
})

test('the memory of streams that are over is given back', async () => {
  const out = await run(`
    const hub = new Hub({ ring: 10, graceMs: 1, came() {}, left() {} })
    async function round() {
      for (let at = 0; at < 1000; at++) {
        const response = eventStreamResponse(new Request('http://test/?since=' + at), hub, ['a', 'topic ' + at], { who: 'person ' + at, filter: () => true })
        hub.publish('a', { data: 'x'.repeat(1000) })
        hub.flush()
        await response.body.cancel()
      }
      while (hub.here.length > 0) await new Promise((resolve) => setTimeout(resolve, 2))
      for (let turn = 0; turn < 3; turn++) { await new Promise(setImmediate); gc() }
      return process.memoryUsage().heapUsed
    }
    await round()
    const before = await round()
    for (let rounds = 0; rounds < 4; rounds++) await round()
    console.log((await round() - before) / 5000)`)
  assert.ok(Number(out) < 200, `${out} bytes are left of each stream`)
})
