// The entry of the reading thread: answers searches, over a connection of its own.

import { parentPort, workerData } from 'node:worker_threads'
import { Database } from './database.ts'
import type { SearchFound, SearchQuery } from './search-tables.ts'

export type Found = SearchFound | { damage: string }

let damage: string | undefined
const database = Database.openForReading(workerData, (cause) => (damage = cause))

parentPort!.on('message', (query: SearchQuery) => parentPort!.postMessage(find(query)))

function find(query: SearchQuery): Found {
  try {
    return database.search.find(query)
  } catch (error) {
    if (damage === undefined) throw error
    return { damage }
  }
}
