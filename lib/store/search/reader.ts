// The entry of the thread that searches: it answers over a connection of its own.

import { parentPort, workerData } from 'node:worker_threads'
import { Database } from '../database.ts'
import { lowerPriority } from '../threads/thread-priority.ts'
import type { SearchAsked, SearchFound, SearchQuery } from './search-tables.ts'

/** From the thread that searches. */
export type SearchAnswer = { type: 'found'; page: SearchFound } | { type: 'damaged'; cause: string }

let damage: string | undefined
const database = Database.openForReading(workerData, (cause) => (damage = cause))

// A long search must not hold up those who post and read meanwhile.
lowerPriority()
parentPort!.on('message', (asked: SearchAsked) => parentPort!.postMessage(find(asked)))

function find(asked: SearchAsked): SearchAnswer {
  try {
    return { type: 'found', page: database.search.find(queryOf(asked)) }
  } catch (error) {
    if (damage === undefined) throw error
    return { type: 'damaged', cause: damage }
  }
}

function queryOf(asked: SearchAsked): SearchQuery {
  if (!('memberIn' in asked)) return asked
  const { memberIn: member, ...query } = asked
  const rooms = database.rooms.closedRoomsOf(member)
  const direct = rooms.filter(({ kind }) => kind === 'direct')
  return { ...query, rooms: rooms.map(({ id }) => id), own: { author: member.user, rooms: direct.map(({ id }) => id) } }
}
