// The entry of the reading thread: answers one search after the other, over a connection of its own.

import { parentPort, workerData } from 'node:worker_threads'
import { describe } from '../log.ts'
import { Database } from './database.ts'
import type { FromReader, ToReader } from './reading-thread.ts'

const say = (message: FromReader) => parentPort!.postMessage(message)
let damage: string | undefined
const database = Database.openForReading(workerData, (cause) => (damage = cause))

parentPort!.on('message', (message: ToReader) => {
  try {
    if (message !== 'close') return say(database.search.find(message))
    database.close()
    parentPort!.close()
  } catch (error) {
    say({ failed: describe(error), damage })
  }
})
