// A data folder as it is after years: a million messages, applied by natter's own rules, only faster than anybody writes.

import { apply } from '../../lib/chat/rules/apply.ts'
import { rules, type LogEvent } from '../../lib/store/log/log-events.ts'
import { Database } from '../../lib/store/database.ts'
import { openDataFolder } from '../../lib/store/data-folder.ts'
import { keyedHash } from '../../lib/store/tables/keyed-hash.ts'
import { newLogId, newLogSecret } from '../../lib/store/tables/skeletons.ts'

const groupEvents = 10_000 // in a transaction: the search index is brought up to date with each
const startsAt = 1_700_000_000_000_000 // ids are microseconds: a time before all tests
const apart = 1_000_000

const thoughts = (message: number) => `message ${message} of eve, who says what she thinks of number ${message % 997}`

/** The id of the message of that number, from 0. */
export function idOf(message: number): number {
  return startsAt + 2 + (message + 1) * apart
}

/** Fills a folder with the lobby, a user and so many messages in it, one each second. */
export async function fillFolder(
  path: string,
  messages: number,
  progress: (text: string) => void,
  textOf = thoughts,
): Promise<void> {
  const folder = openDataFolder(path)
  const database = Database.openForWriting(folder.file, { durable: false })
  const room = startsAt
  const user = startsAt + 1
  const secret = newLogSecret()
  const group: [id: number, event: LogEvent][] = [
    [startsAt - 1, { type: 'log', rules, facts: { id: newLogId(), secret } }],
    [room, { type: 'room', rules, facts: { slug: 'lobby', kind: 'open' }, body: { name: 'lobby' } }],
    [
      user,
      {
        type: 'user',
        rules,
        facts: { folded: keyedHash(secret, 'eve'), kind: 'unproven', role: 'guest' },
        body: { name: 'eve' },
      },
    ],
  ]
  for (let message = 0; message < messages; message++) {
    group.push([idOf(message), { type: 'message', rules, room, user, body: { text: textOf(message) } }])
    if (group.length < groupEvents && message < messages - 1) continue
    database.begin()
    for (const [id, event] of group.splice(0)) apply(database, event, id)
    database.commit()
    progress(`${message + 1} of ${messages} messages made`)
    await new Promise((resolve) => setImmediate(resolve))
  }
  database.close()
  folder.release()
}
