// The entry of the reading thread: answers searches, over a connection of its own.

import { parentPort, workerData } from 'node:worker_threads'
import { Database } from '../database.ts'
import { lowerPriority } from '../threads/thread-priority.ts'
import type { SearchAsked, SearchFound, SearchQuery } from './search-tables.ts'

export type Found = SearchFound | { damage: string }

let damage: string | undefined
const database = Database.openForReading(workerData, (cause) => (damage = cause))

// A search that looks at much must not hold up what is said and read meanwhile.
lowerPriority()
parentPort!.on('message', (asked: SearchAsked) => parentPort!.postMessage(find(asked)))

function find(asked: SearchAsked): Found {
  try {
    return database.search.find(queryOf(asked))
  } catch (error) {
    if (damage === undefined) throw error
    return { damage }
  }
}

function queryOf(asked: SearchAsked): SearchQuery {
  if (!('memberIn' in asked)) return asked
  const { memberIn: member, ...query } = asked
  const rooms = database.rooms.closedRoomsOf(member)
  const direct = rooms.filter(({ kind }) => kind === 'direct')
  return { ...query, rooms: rooms.map(({ id }) => id), own: { author: member.user, rooms: direct.map(({ id }) => id) } }
}
