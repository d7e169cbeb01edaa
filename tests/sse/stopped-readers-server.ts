// The process that `stopped-readers.alone.test.ts` measures: a hub on a port, with one reader of its own for the time that it takes.

import { createServer, get } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Hub, ServerSentEventsStream } from '../../lib/index.ts'

const events = 3_000
const eventBytes = 4_000 // 12 MB in all, of which the system's own buffers take some four a reader

const hub = new Hub({ ring: events * 2 })
const server = createServer((request, response) => hub.follow(new ServerSentEventsStream(request, response), ['a']))

server.listen(0, '127.0.0.1', () => {
  const { port } = server.address() as AddressInfo
  let sentAt = new Map<number, number>()
  let delays: number[] = []
  let arrived = () => {}
  get(`http://127.0.0.1:${port}/`, (response) => {
    let rest = ''
    response.setEncoding('latin1').on('data', (text: string) => {
      const now = performance.now()
      rest += text
      for (const [, id] of rest.matchAll(/^id: (\d+)\ndata: x/gm)) {
        const at = sentAt.get(Number(id))
        if (at === undefined) continue
        sentAt.delete(Number(id))
        delays.push(now - at)
      }
      rest = rest.slice(-40)
      if (sentAt.size === 0) arrived()
    })
    process.send!({ port })
  })

  function report() {
    gc!()
    // Not the process's size, which is what it was at its largest.
    const { heapUsed, external } = process.memoryUsage()
    delays.sort((one, other) => one - other)
    const { behind, streams, bytesBuffered: buffered } = hub.stats()
    process.send!({
      bytes: heapUsed + external,
      behind,
      streams,
      buffered,
      p99Ms: delays[Math.floor(delays.length * 0.99)] ?? 0,
    })
  }

  process.on('message', async (question) => {
    if (question === 'look') return report()
    delays = []
    sentAt = new Map()
    for (let count = 0; count < events; count++) {
      sentAt.set(hub.publish('a', { data: 'x'.repeat(eventBytes) }), performance.now())
      if (count % 4 === 3) await new Promise(setImmediate)
    }
    hub.flush()
    if (sentAt.size > 0) await new Promise<void>((resolve) => (arrived = resolve))
    report()
  })
})
