// Streams on which nothing happens.

import { setTimeout as sleep } from 'node:timers/promises'
import { residentKiBOf, whyUnknown } from '../process-figures.ts'
import { many, withServer, type Scene } from '../scene.ts'

const firstFew = 100
const settleMs = 1000

function idleStreams(count: number): Scene {
  return {
    name: 'idle',
    work: `memory of each of ${many(count)} idle streams`,
    unit: 'KiB',
    rounds: 1,
    cannotRun: whyUnknown,
    run: (peer, { leftovers }) =>
      withServer(peer, leftovers, undefined, async (server, load) => {
        const { port, pid, protocol } = server
        const request = server.readRequest('lobby')
        const open = (count: number) =>
          load.open({ port, pid, protocol, readers: new Array(count).fill({ request, rooms: [0] }) })
        // The first few bring in code and make room that those after them use as well.
        await open(firstFew)
        await sleep(settleMs)
        const before = residentKiBOf(pid)
        await open(count)
        await sleep(settleMs)
        return { value: (residentKiBOf(pid) - before) / count }
      }),
  }
}

export const idle: readonly Scene[] = [idleStreams(1000), idleStreams(10_000)]
