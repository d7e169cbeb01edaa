// The writing thread with faults that a text asks for: a mistake of ours, a disk that is full, a page that is damaged, and two
// ways to die.

import { apply } from '../../lib/chat/rules/apply.ts'
import { runCommitLoop } from '../../lib/store/log/commit-loop.ts'

const faults: Record<string, Error> = {
  'a mistake': new TypeError('a mistake of ours'),
  'a full disk': Object.assign(new Error('database or disk is full'), { errcode: 13 }),
  'a bad page': Object.assign(new Error('database disk image is malformed'), { errcode: 11 }),
}

const deaths: Record<string, () => void> = {
  'a sudden end': () => process.exit(),
  'an error that nobody catches': () =>
    process.nextTick(() => {
      throw new Error('nobody catches this')
    }),
}

runCommitLoop((database, event, id) => {
  deaths[event.body?.text ?? '']?.()
  const fault = faults[event.body?.text ?? '']
  if (fault) throw fault
  return apply(database, event, id)
})
