// What is measured: each scene is one kind of work, done on a server that was started for it.

import { cpus } from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'
import { fillFolder } from '../audit/filled-folder.ts'
import { makeRooms } from './folder-with-rooms.ts'
import { Load } from './load.ts'
import type { LoadReport } from './load-process.ts'
import type { Peer, RunningPeer } from './peers.ts'
import { residentKiBOf } from './process-figures.ts'
import type { Leftovers } from './started-process.ts'
import { textOf } from './text.ts'

export interface Scene {
  name: string
  work: string
  unit: string
  /** Who can do it; all, unless it says. */
  peers?: readonly string[]
  run(peer: Peer, place: Place): Promise<Figures>
}

export interface Figures {
  /** In the scene's unit. */
  value: number
  /** Microseconds of the server's processor for each delivery, post or event. */
  cpuMicroseconds?: number
  /** Microseconds of the load program's processor for each. */
  loadMicroseconds?: number
  /** The load program needed more time for each than the server did, so the server could do more. */
  limitedByLoad?: boolean
  /** The part of the machine's processors that neither of them had, because somebody else did. */
  disturbed?: number
  p50?: number
  p99?: number
  p999?: number
}

/** Where scenes are played. */
export class Place {
  readonly leftovers: Leftovers
  #filled: Promise<string> | undefined

  constructor(leftovers: Leftovers) {
    this.leftovers = leftovers
  }

  /** A data folder of natter with old messages in its lobby; the same one for all who ask. */
  filledFolder(): Promise<string> {
    return (this.#filled ??= this.#fill())
  }

  async #fill(): Promise<string> {
    const folder = this.leftovers.folder()
    await fillFolder(folder, oldMessages, () => {}, () => textOf(0))
    return folder
  }
}

const readers = 1000
const oldMessages = 100_000
const time = { warmUpMs: 500, measuredMs: 2000 }

function oneRoom(name: string, underWay: number): Scene {
  const messages = underWay === 1 ? '1 message' : `${underWay} messages`
  return {
    name,
    work: `${messages} under way to ${readers.toLocaleString('en')} readers of a room`,
    unit: 'deliveries/s',
    run: (peer, { leftovers }) =>
      withServer(peer, leftovers, undefined, (server, load) => fanOut(server, load, { rooms: ['lobby'], readersPerRoom: readers, underWay })),
  }
}

const manyRooms: Scene = {
  name: 'rooms',
  work: '16 messages under way to 1,000 rooms of 10 readers',
  unit: 'deliveries/s',
  async run(peer, { leftovers }) {
    const rooms = Array.from({ length: 1000 }, (_, index) => `room-${index}`)
    const folder = leftovers.folder()
    // The others make a room when somebody asks for it.
    makeRooms(folder, rooms)
    const figures = await withServer(peer, leftovers, folder, (server, load) => fanOut(server, load, { rooms, readersPerRoom: 10, underWay: 16 }))
    leftovers.removeFolder(folder)
    return figures
  },
}

async function fanOut(server: RunningPeer, load: Load, { rooms, readersPerRoom, underWay }: { rooms: string[]; readersPerRoom: number; underWay: number }) {
  const { port, pid, protocol } = server
  const requests = rooms.map((room) => server.readRequest(room))
  await load.open({ port, pid, protocol, requests: Array.from({ length: readersPerRoom }, () => requests).flat() })
  const posts = rooms.map((room) => server.postRequest(room))
  return rateOf(await load.measure({ kind: 'fanOut', port, pid, posts, readersPerRoom, underWay, ...time }))
}

const posts: Scene = {
  name: 'posts',
  work: 'posts over 32 connections, nobody reads',
  unit: 'answers/s',
  peers: ['http', 'natter'],
  run: (peer, { leftovers }) =>
    withServer(peer, leftovers, undefined, async (server, load) => {
      const { port, pid } = server
      return rateOf(await load.measure({ kind: 'post', port, pid, post: server.postRequest('lobby'), connections: 32, ...time }))
    }),
}

const idle: Scene = {
  name: 'idle',
  work: `memory of each of ${readers.toLocaleString('en')} idle streams`,
  unit: 'KiB',
  run: (peer, { leftovers }) =>
    withServer(peer, leftovers, undefined, async (server, load) => {
      const { port, pid, protocol } = server
      const open = (count: number) => load.open({ port, pid, protocol, requests: new Array(count).fill(server.readRequest('lobby')) })
      // The first few bring in code and make room that those after them use as well.
      await open(100)
      await sleep(500)
      const before = residentKiBOf(pid)
      await open(readers)
      await sleep(1000)
      return { value: (residentKiBOf(pid) - before) / readers }
    }),
}

const start: Scene = {
  name: 'start',
  work: `start with ${oldMessages.toLocaleString('en')} messages, until it listens`,
  unit: 'ms',
  peers: ['natter'],
  async run(peer, place) {
    const server = await peer.start(place.leftovers, await place.filledFolder())
    await server.stop('SIGTERM')
    return { value: server.startMs }
  },
}

const replay: Scene = {
  name: 'replay',
  work: `replay of ${oldMessages.toLocaleString('en')} messages to one reader`,
  unit: 'events/s',
  peers: ['natter'],
  run: async (peer, place) =>
    withServer(peer, place.leftovers, await place.filledFolder(), async ({ port, pid, protocol, readRequest }, load) => {
      const request = readRequest('lobby').replace('?room=', '?since=all&room=')
      return rateOf(await load.measure({ kind: 'replay', port, pid, protocol, request, messages: oldMessages }))
    }),
}

export const scenes: readonly Scene[] = [oneRoom('one', 1), oneRoom('sixteen', 16), manyRooms, posts, idle, start, replay]

/** Starts a server and a load program, and ends both, whatever happens. */
async function withServer(
  peer: Peer,
  leftovers: Leftovers,
  data: string | undefined,
  body: (server: RunningPeer, load: Load) => Promise<Figures>,
): Promise<Figures> {
  const server = await peer.start(leftovers, data)
  const load = new Load(leftovers)
  try {
    return await body(server, load)
  } finally {
    await load.end()
    await server.stop(data === undefined ? 'SIGKILL' : 'SIGTERM')
  }
}

function rateOf({ count, seconds, serverCpuSeconds, loadCpuSeconds, othersCpuSeconds, p50, p99, p999 }: LoadReport): Figures {
  return {
    value: count / seconds,
    cpuMicroseconds: (serverCpuSeconds / count) * 1e6,
    loadMicroseconds: (loadCpuSeconds / count) * 1e6,
    limitedByLoad: loadCpuSeconds > serverCpuSeconds,
    disturbed: Math.max(0, othersCpuSeconds / seconds / cpus().length),
    p50,
    p99,
    p999,
  }
}
