// What the operations are made with, each of them the same.

import type { Database } from '../store/database.ts'
import type { EventLog } from '../store/log/event-log.ts'
import type { ReadingThread } from '../store/search/reading-thread.ts'
import type { Access } from './access.ts'
import type { Appender } from './appender.ts'
import type { People } from './people/people.ts'

export interface Parts {
  log: EventLog
  /** What the log adds up to, for reading. */
  database: Database
  /** For what takes longer to read. */
  reader: ReadingThread
  appender: Appender
  access: Access
  people: People
}
