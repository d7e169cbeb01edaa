// Messages to those who read, and posts.

import { makeRooms } from '../folders.ts'
import type { Load } from '../load/load.ts'
import type { RunningPeer } from '../peers.ts'
import { many, rateOf, time, withServer, type Scene } from '../scene.ts'

const readers = 1000
const rooms = Array.from({ length: 1000 }, (_, index) => `room-${index}`)
const followed = 20 // rooms of each reader, in the scene where one follows several

export function fanOutToRoom(readers: number, underWay: number): Pick<Scene, 'work' | 'unit' | 'run'> {
  return {
    work: `${underWay === 1 ? '1 message' : `${underWay} messages`} under way to ${many(readers)} readers of a room`,
    unit: 'deliveries/s',
    run: (peer, { leftovers }) =>
      withServer(peer, leftovers, undefined, async (server, load) => {
        const request = server.readRequest('lobby')
        return fanOut(server, load, {
          rooms: ['lobby'],
          readers: new Array(readers).fill({ request, rooms: [0] }),
          underWay,
        })
      }),
  }
}

/** Each reader follows so many of the rooms, and each room has readers alike. */
function fanOutToRooms(readers: number, each: number): Pick<Scene, 'unit' | 'run'> {
  return {
    unit: 'deliveries/s',
    async run(peer, { leftovers }) {
      const folder = leftovers.folder()
      // The others make a room when somebody asks for it.
      makeRooms(folder, rooms)
      const figures = await withServer(peer, leftovers, folder, (server, load) => {
        const plans = Array.from({ length: readers }, (_, reader) => {
          const own = Array.from({ length: each }, (_, at) => (reader * each + at * (each + 1)) % rooms.length)
          return { request: server.readRequest(...own.map((room) => rooms[room]!)), rooms: own }
        })
        return fanOut(server, load, { rooms, readers: plans, underWay: 16 })
      })
      leftovers.removeFolder(folder)
      return figures
    },
  }
}

interface FanOut {
  rooms: readonly string[]
  readers: readonly { request: string; rooms: readonly number[] }[]
  underWay: number
}

async function fanOut(server: RunningPeer, load: Load, { rooms, readers, underWay }: FanOut) {
  const { port, pid, protocol } = server
  await load.open({ port, pid, protocol, readers })
  const posts = rooms.map((room) => server.postRequest(room))
  const readersPerRoom = readers.reduce((sum, { rooms }) => sum + rooms.length, 0) / rooms.length
  return rateOf(await load.measure({ kind: 'fanOut', port, pid, posts, readersPerRoom, underWay, ...time }))
}

/** Posts to so many rooms in turn, in each of which whoever posts has posted before. */
export function postTo(count: number): Pick<Scene, 'unit' | 'run'> {
  return {
    unit: 'answers/s',
    async run(peer, { leftovers }) {
      const others = Array.from({ length: count - 1 }, (_, index) => `room-${index}`)
      const names = ['lobby', ...others]
      const folder = leftovers.folder()
      makeRooms(folder, others)
      const figures = await withServer(peer, leftovers, folder, async (server, load) => {
        const { port, pid } = server
        const posts = names.map((room) => server.postRequest(room))
        return rateOf(
          await load.measure({ kind: 'post', port, pid, posts, connections: 32, warmUpPosts: count, ...time }),
        )
      })
      leftovers.removeFolder(folder)
      return figures
    },
  }
}

export const live: readonly Scene[] = [
  { name: 'one', ...fanOutToRoom(readers, 1) },
  { name: 'sixteen', ...fanOutToRoom(readers, 16) },
  { name: 'rooms', work: '16 messages under way to 1,000 rooms of 10 readers', ...fanOutToRooms(10 * rooms.length, 1) },
  {
    name: 'follow',
    work: `16 messages under way to 1,000 readers who follow ${followed} of 1,000 rooms each`,
    ...fanOutToRooms(readers, followed),
  },
  { name: 'posts', work: 'posts over 32 connections, nobody reads', ...postTo(1) },
]
