// `kill -9` at random moments, while people write and read. What was answered must be there once, what was seen must be there,
// and nobody who comes back may miss anything or get it twice.

import { DatabaseSync } from 'node:sqlite'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { patienceMs, startChat, temporaryFolder } from '../chat-server.ts'
import type { Audit } from './audit.ts'
import { inScope, planted, Reader, Writer } from './harness.ts'
import { compareWithHistory } from './history.ts'

const forms = {
  short: { kills: 3, writers: 8, lifeMs: 150 },
  full: { kills: 200, writers: 8, lifeMs: 800 },
}

const limits = {
  readyMs: 2000, // from the start after a kill to the line that it listens
  readyFactor: 6, // or this many times as long as the first start took, where that is more: machines differ, and are busy
  pauseMs: 5, // of a writer between two posts, at the most: so that groups are of many sizes
}

const crash: Audit = {
  name: 'crash',
  plantable: ['answer-before-commit', 'broadcast-before-commit', 'no-idempotency', 'id-from-clock-alone', 'cursor-off-by-one'],
  run: ({ form, fault, progress }) =>
    inScope(async (scope) => {
      const { kills, writers: count, lifeMs } = forms[form]
      const data = await temporaryFolder(scope)
      let started = performance.now()
      const chat = await startChat(scope, { data, ...planted(fault) })
      const firstStartMs = performance.now() - started
      let answers = 0
      let answered = () => {}
      const onAnswer = () => {
        answers++
        answered()
      }
      const writers = await Promise.all(Array.from({ length: count }, (_, number) => Writer.comeIn(chat, { name: `writer${number}`, pauseMs: limits.pauseMs, onAnswer })))
      const readers = await Promise.all([Reader.open(chat), Reader.open(chat)])
      scope.after(() => readers.forEach((reader) => reader.leave()))
      for (const writer of writers) writer.start()

      const startsMs: number[] = []
      let atKill = 0
      for (let kill = 1; kill <= kills; kill++) {
        // Each life answers something; then the moment is left to chance.
        const before = answers
        while (answers < before + count && writers.every(({ faults }) => faults.length === 0)) await Promise.race([new Promise<void>((resolve) => (answered = resolve)), sleep(patienceMs)])
        await sleep(Math.random() * lifeMs)
        atKill += writers.filter((writer) => writer.underWay).length
        await chat.kill()
        // Now and then it dies once more while it starts.
        if (kill % 10 === 0) await killWhileStarting(chat, firstStartMs)
        started = performance.now()
        await chat.start()
        startsMs.push(performance.now() - started)
        await Promise.all(writers.map((writer) => writer.said.length > 0 && writer.repeat(writer.said.at(-1)!)))
        progress(`${kill} of ${kills} kills, ${answers} posts`)
      }
      await Promise.all(writers.map((writer) => writer.stop()))

      const faults = await compareWithHistory(chat, { writers, readers })
      if ((await chat.stop()) !== 0) faults.push('it did not stop in order at last')
      faults.push(...integrityOf(join(data, 'natter.db')))
      const slowestMs = Math.max(...startsMs)
      if (slowestMs > Math.max(limits.readyMs, firstStartMs * limits.readyFactor)) faults.push(`after a kill it took ${Math.round(slowestMs)} ms to be ready`)
      if (atKill === 0) faults.push('no post was ever under way when it was killed: this has tried nothing')
      const stored = writers.flatMap(({ said }) => said).filter(({ storedBefore }) => storedBefore).length
      return {
        tried: `${kills} kills -9 under ${count} writers and ${readers.length} readers, ${answers} posts, ${atKill} of them under way when it died, ${stored} of those stored and not yet answered`,
        found: faults.length > 0 ? faults.length + ' faults' : `none lost, none doubled, every stream whole over ${readers[0]!.connections} connections; ready again within ${Math.round(slowestMs)} ms`,
        faults,
      }
    }),
}

export default crash

async function killWhileStarting(chat: { start(): Promise<void>; kill(): Promise<void> }, startMs: number): Promise<void> {
  const start = chat.start().catch(() => {})
  await sleep(Math.random() * startMs)
  await chat.kill()
  await start
}

function integrityOf(file: string): string[] {
  const database = new DatabaseSync(file, { readOnly: true })
  const found = database.prepare('pragma integrity_check').all().map((row) => String(row['integrity_check']))
  database.close()
  return found.filter((line) => line !== 'ok').map((line) => `integrity_check: ${line}`)
}
