// Reads all that is in a data folder and says whether it is whole: the file's pages and indexes, the search, and whether the
// tables are what the log adds up to. Changes nothing. What an event does is not known here: that is the `apply` it is given.

import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { StartError } from '../errors.ts'
import type { Apply } from './log/commit-loop.ts'
import { Database } from './database.ts'
import { lookAt, openDataFolder, takeFolder } from './data-folder.ts'
import { schemaVersion } from './tables/schema.ts'
import type { LoggedEvent, NewEvent } from './log/event-log.ts'

const limits = {
  pageEvents: 500, // carried out again in one transaction
  faults: 10, // one is enough to know; some more say how bad it is
}

export interface Checked {
  file: string
  events: number
  /** What is wrong, a sentence each; none, and it is whole. */
  faults: string[]
}

/** @throws StartError in one line if there is nothing to check, or another process has the folder. */
export function checkDataFolder(folder: string, apply: Apply): Checked {
  const file = join(folder, 'natter.db')
  if (!existsSync(file)) throw new StartError(`there is no ${file}; name the folder with --data`)
  const release = takeFolder(folder)
  const checked: Checked = { file, events: 0, faults: [] }
  let version: number = schemaVersion
  try {
    version = lookAt(file)
    if (version === schemaVersion) lookInside(file, apply, checked)
  } catch (error) {
    checked.faults.push(error instanceof Error ? error.message : String(error))
  } finally {
    release()
  }
  if (version < schemaVersion)
    throw new StartError(
      `${file} is from an older natter (format ${version}, and this one's is ${schemaVersion}); start natter once, which brings it up to date, and check it then`,
    )
  return checked
}

function lookInside(file: string, apply: Apply, checked: Checked): void {
  const database = Database.openToCheck(file)
  try {
    checked.faults.push(...database.faults(limits.faults))
    if (checked.faults.length === 0) replay(database, apply, checked)
  } finally {
    database.close()
  }
}

// Carries all events out again in a folder of its own, and compares.
function replay(database: Database, apply: Apply, checked: Checked): void {
  const scratch = openDataFolder(':memory:')
  const again = Database.openForWriting(scratch.file, scratch)
  try {
    for (let after = 0; ; ) {
      const page = database.eventsAfter(after, limits.pageEvents)
      if (page.length === 0) break
      again.begin()
      for (const event of page) {
        const outcome = apply(again, asAsked(event), event.id)
        if ('refused' in outcome)
          checked.faults.push(`event ${event.id} of the log can't have happened: ${outcome.refused.message}`)
      }
      again.commit()
      checked.events += page.length
      after = page.at(-1)!.id
      if (checked.faults.length >= limits.faults) return
    }
    for (const table of database.stateTables()) {
      if (!sameRows(database.rowsOf(table), again.rowsOf(table)))
        checked.faults.push(`the table ${table} is not what the log adds up to`)
    }
  } finally {
    again.close()
    scratch.release()
  }
}

// A body that was emptied is not needed: what an event does never depends on it.
function asAsked({ id: _, type, rules, user, room, target, facts, rest, text, name }: LoggedEvent): NewEvent {
  return {
    type,
    rules,
    body: { text: text ?? '', name: name ?? '', ...rest },
    ...(user !== null && { user }),
    ...(room !== null && { room }),
    ...(target !== null && { target }),
    ...(facts !== null && { facts: { ...facts } }),
  }
}

function sameRows(ones: Iterator<unknown>, others: Iterator<unknown>): boolean {
  for (;;) {
    const [one, other] = [ones.next(), others.next()]
    if (one.done || other.done) return Boolean(one.done && other.done)
    if (JSON.stringify(one.value) !== JSON.stringify(other.value)) return false
  }
}
