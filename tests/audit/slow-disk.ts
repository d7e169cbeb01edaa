// The disk is slow: each commit takes 100 ms longer. Answers come later by that much, and nothing else does: the event loop is
// free, streams and reads go on.

import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { setTimeout as sleep } from 'node:timers/promises'
import { startChat, temporaryFolder, type ChatServer, type Scope } from '../chat-server.ts'
import type { Audit, AuditOptions, Verdict } from './audit.ts'
import { inScope, Reader, Writer } from './harness.ts'
import { compareWithHistory } from './history.ts'
import { storagePlanted } from './storage-faults.ts'
import { soon } from './until.ts'

const forms = {
  short: { measureMs: 1500, writers: 8, readers: 4 },
  full: { measureMs: 20_000, writers: 32, readers: 20 },
}

const slowMs = 100

const limits = {
  stallMs: 10, // p99 of the event loop's delay
  // A machine that runs much else beside holds up a process that does nothing, too: as much as that is not ours.
  stallFactor: 3,
  answerMs: slowMs * 4, // p99: the group before and its own, and as much again for the machine; what this process was held up comes on top
}

export default {
  name: 'slow-disk',
  plantable: ['commit-on-main-thread'],
  alone: true,
  run: (options) => inScope((scope) => audit(scope, options)),
} satisfies Audit

async function audit(scope: Scope, { form, fault, progress }: AuditOptions): Promise<Verdict> {
  const fast = await measure(scope, forms[form], {}, undefined)
  progress(
    `with a fast disk answers took ${say(fast.answers)}, the event loop's p99 was ${fast.stall.p99.toFixed(1)} ms`,
  )
  const slow = await measure(scope, forms[form], { NATTER_SLOW_DISK_MS: String(slowMs) }, fault)
  progress(
    `with a slow disk answers took ${say(slow.answers)}, the event loop's p99 was ${slow.stall.p99.toFixed(1)} ms`,
  )
  const faults = [...fast.faults, ...slow.faults]

  const stallMs = Math.max(limits.stallMs, limits.stallFactor * fast.stall.p99)
  if (slow.stall.p99 > stallMs)
    faults.push(
      `the event loop was held up for ${slow.stall.p99.toFixed(1)} ms (p99; ${fast.stall.p99.toFixed(1)} ms with a fast disk)`,
    )
  if (slow.life.p99 > Math.max(slowMs / 2, limits.stallFactor * fast.life.p99))
    faults.push(`/healthz took ${say(slow.life)} (${say(fast.life)} with a fast disk)`)
  if (slow.first.p99 > Math.max(slowMs / 2, limits.stallFactor * fast.first.p99))
    faults.push(`a new stream began after ${say(slow.first)} (${say(fast.first)} with a fast disk)`)
  if (slow.answers.p50 < slowMs) faults.push(`answers took ${say(slow.answers)}: less than the disk`)
  if (slow.answers.p99 > limits.answerMs + limits.stallFactor * fast.answers.p99 + slow.own)
    faults.push(`answers took ${say(slow.answers)} (${say(fast.answers)} with a fast disk)`)
  return {
    tried: `${slow.count} posts by ${forms[form].writers} writers, ${slowMs} ms a commit`,
    found: `event loop p99 ${slow.stall.p99.toFixed(1)} ms, answers ${say(slow.answers)}, /healthz ${say(slow.life)}`,
    faults,
  }
}

async function measure(
  scope: Scope,
  form: (typeof forms)['short'],
  slow: Record<string, string>,
  fault: string | undefined,
) {
  const eventLoop = join(await temporaryFolder(scope), 'event-loop')
  const surroundings = { NATTER_EVENT_LOOP: eventLoop, ...slow }
  const chat = await startChat(scope, { data: folderInMemory(scope), ...storagePlanted({ fault, surroundings }) })
  const faults: string[] = []
  const readers = await Promise.all(Array.from({ length: form.readers }, () => Reader.open(chat)))
  scope.after(() => readers.forEach((reader) => reader.leave()))
  const writers = await Promise.all(
    Array.from({ length: form.writers }, (_, at) => Writer.comeIn(chat, { name: `writer${at}` })),
  )
  // What has to be made ready once is not measured.
  for (const writer of writers) await writer.say()
  for (const writer of writers) writer.said.length = 0
  await eventLoopDelay(chat, eventLoop, faults)

  for (const writer of writers) void writer.start()
  const life: number[] = []
  const first: number[] = []
  const own = monitorEventLoopDelay({ resolution: 1 })
  own.enable()
  const ends = performance.now() + form.measureMs
  while (performance.now() < ends) {
    life.push(await timed(async () => (await chat.fetch('/healthz')).arrayBuffer()))
    first.push(await timed(async () => (await Reader.open(chat)).leave()))
    await sleep(10)
  }
  own.disable()
  const stall = await eventLoopDelay(chat, eventLoop, faults)
  await Promise.all(writers.map((writer) => writer.stop()))
  const answers = writers.flatMap(({ said }) => said.map(({ ms }) => ms))
  faults.push(...(await compareWithHistory(chat, { writers, readers })))
  await chat.stop()
  return {
    faults,
    stall,
    count: answers.length,
    answers: quantiles(answers),
    life: quantiles(life),
    first: quantiles(first),
    own: own.max / 1e6,
  }
}

// Its disk takes no time but what it is given: that of this machine may be busy with something else.
function folderInMemory(scope: Scope): string {
  const folder = mkdtempSync(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'natter-audit-'))
  scope.after(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

// How long the server's event loop was held up since it was last asked, as measured within.
async function eventLoopDelay(chat: ChatServer, file: string, faults: string[]): Promise<{ p99: number; max: number }> {
  let line = ''
  chat.signal('SIGUSR2')
  const read = () => {
    try {
      line = readFileSync(file, 'utf8')
    } catch {
      // It is not there yet.
    }
    return line.endsWith('\n')
  }
  if (!(await soon(read, 'figures of the event loop', faults))) return { p99: Infinity, max: Infinity }
  rmSync(file)
  return JSON.parse(line) as { p99: number; max: number }
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const started = performance.now()
  await work()
  return performance.now() - started
}

function quantiles(values: readonly number[]): { p50: number; p99: number } {
  const sorted = [...values].sort((one, other) => one - other)
  const at = (part: number) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? Infinity
  return { p50: at(0.5), p99: at(0.99) }
}

function say({ p50, p99 }: { p50: number; p99: number }): string {
  return `${p50.toFixed(1)} ms (p99 ${p99.toFixed(1)})`
}
