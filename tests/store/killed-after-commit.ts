// Preloaded with `node --import` into the unchanged `server.ts`: kills it as soon as a deletion is committed, and before the write-ahead
// log is emptied.

import { isMainThread } from 'node:worker_threads'
import { Connection } from '../../lib/store/connection.ts'
import { Database } from '../../lib/store/database.ts'

if (!isMainThread) {
  let deleted = false
  const { insertDeletion } = Database.prototype
  Database.prototype.insertDeletion = function (...values) {
    deleted = true
    insertDeletion.apply(this, values)
  }
  const { get } = Connection.prototype
  Connection.prototype.get = function <T>(sql: string, ...values: (string | number | null)[]) {
    if (deleted && sql.includes('wal_checkpoint')) process.kill(process.pid, 'SIGKILL')
    return get.call(this, sql, ...values) as T | undefined
  }
}
