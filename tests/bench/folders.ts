// Data folders of natter as they are after years, made by its own rules, only faster than anybody could by its doors.

import { fillFolder } from '../audit/filled-folder.ts'
import { apply } from '../../lib/chat/rules/apply.ts'
import { rules } from '../../lib/store/log/log-events.ts'
import { Database } from '../../lib/store/database.ts'
import { openDataFolder } from '../../lib/store/data-folder.ts'
import { textOf } from './load/text.ts'
import { talk } from './talk.ts'

const firstId = 1_700_000_000_000_000 // ids are microseconds: a time that is past

/** Makes rooms of these names, and the lobby. */
export function makeRooms(path: string, names: readonly string[]): void {
  const folder = openDataFolder(path)
  const database = Database.openForWriting(folder.file, { durable: false })
  database.begin()
  for (const [index, name] of ['lobby', ...names].entries()) {
    const outcome = apply(
      database,
      { type: 'room', rules, facts: { slug: name, kind: 'open' }, body: { name } },
      firstId + index,
    )
    if ('refused' in outcome) throw new Error(`the room ${name} could not be made: ${outcome.refused.message}`)
  }
  database.commit()
  database.close()
  folder.release()
}

/** Puts so many messages into the lobby, numbered from 0. */
export function fillWithTalk(path: string, messages: number): Promise<void> {
  return fillFolder(
    path,
    messages,
    () => {},
    (number) => textOf(number, ` ${talk(number)}`),
  )
}
