// Preloaded with `node --import` into the unchanged `server.ts`: kills it in the middle of bringing a file up to date, where
// `NATTER_KILL` says.

import fs from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'
import { isMainThread } from 'node:worker_threads'
import { migrationFunctions } from '../../lib/store/tables/skeletons.ts'

const die = () => process.kill(process.pid, 'SIGKILL')

const points: Record<string, () => void> = {
  /** While the rows are moved, in their transaction. */
  moving() {
    const hash = migrationFunctions['keyed_hash'] as (secret: string, text: string) => string
    let calls = 0
    migrationFunctions['keyed_hash'] = (secret: string, text: string) =>
      ++calls === 5 ? String(die()) : hash(secret, text)
  },

  /** When the copy is written, and not in its place. */
  'before the copy is put in its place'() {
    fs.renameSync = die
  },

  'after the copy is put in its place'() {
    const { renameSync } = fs
    fs.renameSync = (...paths) => {
      renameSync(...paths)
      die()
    }
  },
}

const point = process.env['NATTER_KILL']
if (!isMainThread && point) {
  points[point]!()
  syncBuiltinESMExports()
}
