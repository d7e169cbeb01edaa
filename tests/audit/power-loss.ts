// What a power cut can take away, which `kill -9` can't: what the system had taken and the disk had not. No cut is made; but
// the server's system calls show that it waits for the disk before it says anything, and its write-ahead log, cut anywhere,
// opens as a shorter history.

import { spawnSync } from 'node:child_process'
import type { Audit } from './audit.ts'
import { inScope } from './harness.ts'
import { watchSystemCalls } from './system-calls.ts'
import { cutWriteAheadLog } from './wal-cuts.ts'

const forms = {
  // Each round is a server, killed after so many posts; SQLite starts its write-ahead log anew every 1,000 pages or so.
  short: { traced: 40, rounds: [120], cuts: 30, starts: 1 },
  full: { traced: 1500, rounds: [100, 300, 700, 1500, 3000, 6000], cuts: 50, starts: 3 },
}

const powerLoss: Audit = {
  name: 'power-loss',
  plantable: ['answer-before-commit', 'no-fsync', 'effect-without-event'],
  cannotRun() {
    const { error, status } = spawnSync('strace', ['-D', '-f', '-o', '/dev/null', process.execPath, '--version'])
    if (error) return 'there is no strace (Debian: apt-get install strace)'
    return status === 0 ? undefined : 'strace may not trace here'
  },
  run: ({ form, fault, progress }) =>
    inScope(async (scope) => {
      const { traced, rounds, cuts, starts } = forms[form]
      const calls = await watchSystemCalls(scope, { posts: traced, fault, progress })
      const faults = [...calls.faults]
      let [events, demanded] = [0, 0]
      for (const [round, posts] of rounds.entries()) {
        const tell = (text: string) => progress(`write-ahead log ${round + 1} of ${rounds.length}: ${text}`)
        const cut = await cutWriteAheadLog(scope, { posts, cuts, starts, fault, progress: tell })
        faults.push(...cut.faults)
        events += cut.events
        demanded += cut.demanded
      }
      const order = `${calls.told} answers and frames, each after the fsync of its insert (${calls.syncs} fsyncs, ${calls.checkpoints} checkpoints)`
      const prefixes = `each cut opens as a prefix of its log (${events} events) with all that was answered by then (${demanded} looked for)`
      return {
        tried: `${traced} posts under strace; ${rounds.length} servers killed, their write-ahead logs cut at ${rounds.length * cuts} places`,
        found: `${order}; ${prefixes}`,
        faults,
      }
    }),
}

export default powerLoss
