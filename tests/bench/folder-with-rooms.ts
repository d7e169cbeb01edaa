// A data folder of natter with many open rooms in it, made by its own rules: by its doors nobody makes that many at once.

import { apply } from '../../lib/chat/apply.ts'
import { rules } from '../../lib/chat/log-events.ts'
import { Database } from '../../lib/store/database.ts'
import { openDataFolder } from '../../lib/store/data-folder.ts'

const firstId = 1_700_000_000_000_000 // ids are microseconds: a time that is past

/** Makes rooms of these names, and the lobby. */
export function makeRooms(path: string, names: readonly string[]): void {
  const folder = openDataFolder(path)
  const database = Database.openForWriting(folder.file, { durable: false })
  database.begin()
  for (const [index, name] of ['lobby', ...names].entries()) {
    apply(database, { type: 'room', rules, facts: { slug: name, name, kind: 'open' } }, firstId + index)
  }
  database.commit()
  database.close()
  folder.release()
}
