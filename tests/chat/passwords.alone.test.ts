// How long a password takes to be hashed, and where that is done.

import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { test } from 'node:test'
import { Passwords } from '../../lib/chat/people/passwords.ts'

const good = 'correct horse'
const ada = { person: 7 }

test('a name without a password takes as long as one with another password', async () => {
  const passwords = new Passwords()
  const stored = await passwords.hash(good, ada)
  const took = { known: [] as number[], unknown: [] as number[] }

  for (let round = 0; round < 8; round++) {
    for (const [which, kept] of [
      ['known', stored],
      ['unknown', undefined],
    ] as const) {
      const started = performance.now()
      await passwords.matches('another one', kept, ada)
      took[which].push(performance.now() - started)
    }
  }

  const [known, unknown] = [Math.min(...took.known), Math.min(...took.unknown)]
  assert.ok(unknown > known * 0.7 && unknown < known * 1.4, `${unknown} ms, and ${known} ms with one`)
})

interface Thread {
  nice: number
  /** Time on a processor, in ticks of 10 ms. */
  ticks: number
}

// By number: https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html
function threads(): Map<string, Thread> {
  return new Map(
    readdirSync('/proc/self/task').map((id) => {
      const fields = readFileSync(`/proc/self/task/${id}/stat`, 'utf8').split(') ').at(-1)!.split(' ')
      return [id, { nice: Number(fields[16]), ticks: Number(fields[11]) + Number(fields[12]) }]
    }),
  )
}

test('one thread does all the hashing, behind all others', {
  skip: !existsSync('/proc/self/task') && 'only Linux tells of threads',
}, async () => {
  const passwords = new Passwords()
  const before = threads()
  const own = before.get(String(process.pid))!.nice

  await Promise.all(Array.from({ length: 15 }, () => passwords.hash(good, ada)))

  const after = [...threads()]
  const [hashing, ...others] = after
    .filter(([id, { nice }]) => !before.has(id) && nice > own)
    .map(([, thread]) => thread)
  assert.ok(hashing && others.length === 0, `${others.length + Number(!!hashing)} threads`)
  assert.equal(hashing.nice, Math.min(19, own + 10))
  const all = after.reduce((sum, [id, { ticks }]) => sum + ticks - (before.get(id)?.ticks ?? 0), 0)
  assert.ok(hashing.ticks > 30, `${hashing.ticks} ticks`)
  assert.ok(hashing.ticks > all * 0.6, `${hashing.ticks} of ${all} ticks`)
})
