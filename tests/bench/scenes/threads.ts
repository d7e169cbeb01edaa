// How much of the work has left the event loop, and so would have a processor of its own where there are several.

import { threadsOf, whyUnknown } from '../process-figures.ts'
import { time, withServer, type Scene } from '../scene.ts'

const readers = 10
const leastPart = 0.005

const byThread: Scene = {
  name: 'threads',
  work: `of natter's processor time, what is spent beside the event loop: 16 messages under way to ${readers} readers`,
  unit: '%',
  peers: ['natter'],
  cannotRun: whyUnknown,
  run: (peer, { leftovers }) =>
    withServer(peer, leftovers, undefined, async (server, load) => {
      const { port, pid, protocol } = server
      await load.open({
        port,
        pid,
        protocol,
        readers: new Array(readers).fill({ request: server.readRequest('lobby'), rooms: [0] }),
      })
      const before = threadsOf(pid)
      await load.measure({
        kind: 'fanOut',
        port,
        pid,
        posts: [server.postRequest('lobby')],
        readersPerRoom: readers,
        underWay: 16,
        ...time,
      })
      const seconds = new Map<string, number>()
      for (const [id, { name, seconds: now }] of threadsOf(pid)) {
        const kind = id === String(pid) ? 'event loop' : name
        seconds.set(kind, (seconds.get(kind) ?? 0) + now - (before.get(id)?.seconds ?? 0))
      }
      const all = [...seconds.values()].reduce((sum, some) => sum + some, 0)
      const parts = [...seconds]
        .map(([kind, some]) => ({ kind, part: some / all }))
        .filter(({ part }) => part > leastPart)
      const said = parts
        .sort((one, other) => other.part - one.part)
        .map(({ kind, part }) => `${kind} ${Math.round(part * 100)}`)
      return { value: (1 - (seconds.get('event loop') ?? NaN) / all) * 100, note: said.join(', ') }
    }),
}

export const threads: readonly Scene[] = [byThread]
