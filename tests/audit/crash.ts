// `kill -9` at random moments, while people write and read. What was answered must be there once, what was seen must be there,
// and nobody who comes back may miss anything or get it twice.

import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { runServer, startChat, temporaryFolder, type Scope } from '../chat-server.ts'
import type { ParsedEvent } from '../event-stream-parser.ts'
import type { Audit } from './audit.ts'
import { fillFolder } from './filled-folder.ts'
import { inScope, integrityOf, planted, Reader, Writer } from './harness.ts'
import { compareWithHistory } from './history.ts'

const forms = {
  // From the start after a kill to the line that it listens takes at most `readyMs`; tests run on machines that do more besides.
  short: { kills: 3, writers: 8, lifeMs: 150, readyMs: 10_000, filled: { messages: 5000, kills: 1 } },
  full: { kills: 200, writers: 8, lifeMs: 800, readyMs: 2000, filled: { messages: 1_000_000, kills: 10 } },
}

const limits = {
  readyFactor: 10, // times as long as `--help` takes may a start take, where that is more: machines differ, and are busy
  pauseMs: 5, // of a writer between two posts, at the most: so that groups are of many sizes
}

const crash: Audit = {
  name: 'crash',
  plantable: ['answer-before-commit', 'broadcast-before-commit', 'no-idempotency', 'cursor-off-by-one'],
  run: ({ form, fault, progress }) =>
    inScope(async (scope) => {
      const { kills, writers: count, lifeMs, readyMs, filled } = forms[form]
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
      const names = Array.from({ length: count }, (_, number) => `writer${number}`)
      const writers = await Promise.all(
        names.map((name) => Writer.comeIn(chat, { name, pauseMs: limits.pauseMs, onAnswer })),
      )
      let seen = () => {}
      const onEvent = ({ data }: ParsedEvent) =>
        writers.some(({ underWay }) => underWay && data.includes(underWay.text)) && seen()
      const readers = await Promise.all([Reader.open(chat, { onEvent }), Reader.open(chat)])
      scope.after(() => readers.forEach((reader) => reader.leave()))
      let refused = false
      for (const writer of writers) {
        void writer.start().then(() => {
          refused = true
          answered()
        })
      }

      const faults: string[] = []
      const startsMs: number[] = []
      let atKill = 0
      for (let kill = 1; kill <= kills; kill++) {
        // Each life answers something. Then the moment is left to chance; or it is when a reader sees a post that is not answered yet.
        const enough = answers + count
        while (answers < enough && !refused) await new Promise<void>((resolve) => (answered = resolve))
        if (refused) break
        const shown = new Promise<void>((resolve) => kill % 2 === 1 && (seen = resolve))
        await Promise.race([sleep(Math.random() * lifeMs), shown])
        atKill += writers.filter((writer) => writer.underWay).length
        await chat.kill()
        // Now and then it dies once more while it starts.
        if (kill % 10 === 0) await killWhileStarting(chat, firstStartMs)
        started = performance.now()
        await chat.start()
        startsMs.push(performance.now() - started)
        faults.push(...(await tooLate(startsMs.at(-1)!, readyMs)))
        await Promise.all(writers.map((writer) => writer.said.length > 0 && writer.repeat(writer.said.at(-1)!)))
        progress(`${kill} of ${kills} kills, ${answers} posts`)
      }
      await Promise.all(writers.map((writer) => writer.stop()))

      faults.push(...(await compareWithHistory(chat, { writers, readers })))
      if ((await chat.stop()) !== 0) faults.push('it did not stop in order at last')
      faults.push(...integrityOf(join(data, 'natter.db')))
      const complaint = /.*(incident|failed).*/.exec(chat.errors)
      if (complaint) faults.push(`it wrote: ${complaint[0]}`)
      if (atKill === 0) faults.push('no post was ever under way when it was killed: this has tried nothing')
      const filledMs = fault === undefined ? await startFilled(scope, filled, progress) : []
      for (const ms of filledMs) faults.push(...(await tooLate(ms, readyMs)))

      const stored = writers.flatMap(({ said }) => said).filter(({ storedBefore }) => storedBefore).length
      const underWay = `${atKill} of them under way when it died, ${stored} stored by then`
      const ready = `ready again after ${sumUp(startsMs)}, with ${filled.messages} messages after ${sumUp(filledMs)}`
      return {
        tried: `${kills} kills -9 under ${count} writers and ${readers.length} readers; ${answers} posts, ${underWay}`,
        found: `nothing lost, nothing doubled, each stream whole over ${readers[0]!.connections} connections; ${ready}`,
        faults,
      }
    }),
}

export default crash

async function tooLate(startMs: number, readyMs: number): Promise<string[]> {
  if (startMs <= readyMs) return []
  const { ms: leastMs } = await runServer(['--help'])
  if (startMs <= leastMs * limits.readyFactor) return []
  return [`after a kill it took ${Math.round(startMs)} ms to be ready; --help took ${Math.round(leastMs)} ms then`]
}

function sumUp(startsMs: readonly number[]): string {
  const sorted = startsMs.toSorted((one, other) => one - other)
  return `${Math.round(sorted[sorted.length >> 1] ?? 0)} ms (${Math.round(sorted.at(-1) ?? 0)} at the most)`
}

interface Filled {
  messages: number
  kills: number
}

// The times of starts after kills where there is a long history.
async function startFilled(
  scope: Scope,
  { messages, kills }: Filled,
  progress: (text: string) => void,
): Promise<number[]> {
  const data = await temporaryFolder(scope)
  await fillFolder(data, messages, progress)
  const chat = await startChat(scope, { data })
  const writer = await Writer.comeIn(chat, { name: 'writer' })
  scope.after(() => writer.abandon())
  const startsMs: number[] = []
  for (let kill = 1; kill <= kills; kill++) {
    for (let post = 0; post < 200; post++) await writer.say()
    await chat.kill()
    const started = performance.now()
    await chat.start()
    startsMs.push(performance.now() - started)
    progress(`${kill} of ${kills} kills with ${messages} messages`)
  }
  await chat.kill()
  return startsMs
}

async function killWhileStarting(
  chat: { start(): Promise<void>; kill(): Promise<void> },
  startMs: number,
): Promise<void> {
  const start = chat.start().catch(() => {})
  await sleep(Math.random() * startMs)
  await chat.kill()
  await start
}
