// From the command to the line that says it listens.

import { cpSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { Load } from '../load/load.ts'
import type { RunningPeer } from '../peers.ts'
import { many, middleOf, type Figures, type Scene } from '../scene.ts'
import type { Leftovers, StartedProcess } from '../started-process.ts'

const oldMessages = 1_000_000
const starts = 5
const postingMs = 1000
const patienceMs = 20_000

const afterStop: Scene = {
  name: 'start',
  work: `start with ${many(oldMessages)} messages after a clean stop, until it listens (goal: 200 ms); of bare \`http\`, with nothing to open`,
  unit: 'ms',
  peers: ['http', 'natter'],
  rounds: 1,
  oldMessages,
  async run(peer, place) {
    const data = await place.filledFolder(oldMessages)
    const measured: StartedProcess[] = []
    // The first finds a folder that its maker closed, and not a server.
    for (let start = 0; start <= starts; start++) {
      const server = await peer.start(place.leftovers, { data, anyCore: true })
      if (start > 0) measured.push(server)
      await server.stop('SIGTERM')
    }
    return figuresOf(measured)
  },
}

const afterKill: Scene = {
  name: 'start',
  work: `start with ${many(oldMessages)} messages after a kill -9 under 32 who post (goal: 2 s)`,
  unit: 'ms',
  peers: ['natter'],
  rounds: 1,
  oldMessages,
  async run(peer, place) {
    const data = place.leftovers.folder()
    cpSync(await place.filledFolder(oldMessages), data, { recursive: true })
    const measured: StartedProcess[] = []
    let server = await peer.start(place.leftovers, { data, anyCore: true })
    for (let kill = 0; kill < starts; kill++) {
      await killWhilePosting(server, place.leftovers)
      server = await peer.start(place.leftovers, { data, anyCore: true })
      measured.push(server)
    }
    await server.stop('SIGTERM')
    place.leftovers.removeFolder(data)
    return figuresOf(measured)
  },
}

function figuresOf(measured: readonly StartedProcess[]): Figures {
  const tookMs = measured.map(({ startMs }) => startMs)
  return {
    value: middleOf(tookMs),
    cpuMicroseconds: middleOf(measured.map(({ startCpuSeconds }) => startCpuSeconds)) * 1e6,
    note: `of ${starts}, ${Math.max(...tookMs).toFixed(0)} at most`,
  }
}

async function killWhilePosting(server: RunningPeer, leftovers: Leftovers): Promise<void> {
  const load = new Load(leftovers)
  const { port, pid } = server
  const posting = load.measure({
    kind: 'post',
    port,
    pid,
    posts: [server.postRequest('lobby')],
    connections: 32,
    warmUpPosts: 0,
    warmUpMs: patienceMs,
    measuredMs: 0,
  })
  // It never comes to its end, and says so.
  const interrupted = posting.then(
    () => false,
    () => true,
  )
  await sleep(postingMs)
  await server.stop('SIGKILL')
  await load.end()
  if (!(await interrupted)) throw new Error('nobody posted any more when the server was killed')
}

export const start: readonly Scene[] = [afterStop, afterKill]
