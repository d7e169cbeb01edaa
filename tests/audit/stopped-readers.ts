// Readers that stop reading: they may cost neither memory nor the others' time, and those who read again have missed nothing.
// Some stop on a live stream, some never read what they missed: those have each a piece of their own to wait with.

import { startChat, type ChatServer } from '../chat-server.ts'
import type { Audit } from './audit.ts'
import { Crowd } from './crowd.ts'
import type { CrowdReport } from './crowd-process.ts'
import { inScope, Reader, Writer } from './harness.ts'
import { measurable, measureServer, type Measured } from './measure.ts'
import { until } from './until.ts'

const forms = {
  // A reader that stopped still takes some 4 MB into the system's buffers: less than 8 MB would prove nothing.
  short: { crowds: [15], megabytes: 8.5, oneByOne: 1, percentile: 0.5, delayFactor: 5, full: false },
  full: { crowds: [1, 100, 1000], megabytes: 10, oneByOne: 2, percentile: 0.99, delayFactor: 1, full: true },
}

const limits = {
  bytesEach: 256 * 1024,
  noiseBytes: 3 * 1024 * 1024, // by which the server's memory differs from one garbage collection to the next
  residentNoiseBytes: 128 * 1024 * 1024, // what the process holds differs by much more: garbage that is not collected yet
  delayMs: 10, // more for others
  patienceMs: 60_000,
  cutOffMs: 20_000,
  takenBySystem: 0.1, // of the readers, at the most
  cutOffLateMs: 120_000, // a thousand of them take long to fill what their system takes, and are stuck only then
}

const text = '😀'.repeat(4000) // four bytes a character
const textBytes = Buffer.byteLength(text)
const ringBytes = 16 * 1024 * 1024

const stoppedReaders: Audit = {
  name: 'stopped-readers',
  plantable: ['backpressure-ignored'],
  alone: true,
  run: ({ form, fault, progress }) =>
    inScope(async (scope) => {
      const { crowds, megabytes, oneByOne, percentile, delayFactor, full } = forms[form]
      const chat = await startChat(scope, measurable(fault))
      const port = Number(new URL(chat.url).port)
      const writer = await Writer.comeIn(chat, { name: 'ada' })
      const probe = await Reader.open(chat)
      scope.after(() => probe.leave())
      const faults: string[] = []
      const found: string[] = []

      const others = await Promise.all(
        Array.from({ length: 8 }, (_, number) => Writer.comeIn(chat, { name: `writer${number}` })),
      )
      // Says so many bytes, several at a time.
      const fill = async (bytes: number): Promise<number[]> => {
        const said = await Promise.all(
          others.map(async (other) => {
            const ids: number[] = []
            for (let left = bytes / others.length; left > 0; left -= textBytes)
              ids.push(Number((await other.say(text))!.id))
            return ids
          }),
        )
        probe.events.length = 0
        return said.flat().sort((a, b) => a - b)
      }
      // Says them, and the last of them one after the other: each when the one before has been seen. Tells how long that took.
      const publish = async (bytes: number): Promise<{ ids: number[]; delayMs: number }> => {
        const ids = await fill(bytes - oneByOne * 1e6)
        const delays: number[] = []
        for (let left = oneByOne * 1e6; left > 0; left -= textBytes) {
          const started = performance.now()
          const { id } = (await writer.say(text))!
          if (!(await probe.reached(id, limits.patienceMs))) faults.push(`a reader that reads waits for ${id} in vain`)
          delays.push(performance.now() - started)
          probe.events.length = 0
          ids.push(Number(id))
        }
        return { ids, delayMs: delays.sort((a, b) => a - b)[Math.floor(delays.length * percentile)]! }
      }
      // What all share, the newest events, is there before anything is measured; or else it is taken into account.
      if (full) progress('the newest events fill their place')
      if (full) await fill(ringBytes)
      const sharedBytes = full ? 0 : ringBytes

      for (const count of crowds) {
        progress(`${count} readers, reading`)
        const crowd = await Crowd.start()
        scope.after(() => crowd.end())
        const start = (await writer.say('from here'))!.id
        await crowd.tell({ open: count, port, path: '/events', lastEventId: start, reading: true })
        const reading = await publish(oneByOne * 1e6)
        const before = await measureServer(chat)

        progress(`${count} readers, stopped on a live stream`)
        crowd.signal('SIGSTOP')
        const stopped = await publish(megabytes * 1e6)
        const live = await measureServer(chat)
        crowd.signal('SIGCONT')
        const ids = [...reading.ids, ...stopped.ids]
        const resumed = await follow(crowd, ids, port)
        compare(resumed, count, 'that stopped and went on', faults)
        await crowd.end()

        progress(`${count} readers, that never read what they missed`)
        const late = await Crowd.start()
        scope.after(() => late.end())
        await late.tell({ open: count, port, path: '/events', lastEventId: String(ids[0]), reading: false })
        const behind = await settled(chat, count + 1)

        const allowed = limits.bytesEach * count + sharedBytes + limits.noiseBytes
        const grown = (after: typeof before) => after.heap + after.buffers - before.heap - before.buffers
        for (const [state, after] of [
          ['stopped', live],
          ['late', behind],
        ] as const) {
          const more = grown(after)
          const resident = after.rss - before.rss
          if (resident > allowed + limits.residentNoiseBytes)
            faults.push(`with ${count} ${state} readers the server has become larger by ${kilobytes(resident)}`)
          if (more > allowed)
            faults.push(`${count} ${state} readers cost ${kilobytes(more)} of memory, ${kilobytes(more / count)} each`)
        }
        if (stopped.delayMs > Math.max(reading.delayMs + limits.delayMs, reading.delayMs * delayFactor)) {
          faults.push(
            `with ${count} stopped readers others waited ${stopped.delayMs.toFixed(1)} ms (p${percentile * 100}), before ${reading.delayMs.toFixed(1)} ms`,
          )
        }
        found.push(
          `${count}: ${kilobytes(grown(live) / count)} each stopped, ${kilobytes(grown(behind) / count)} each late, ` +
            `resident ${kilobytes((Math.max(live.rss, behind.rss) - before.rss) / count)} each, others' p${percentile * 100} ${reading.delayMs.toFixed(1)} before, ${stopped.delayMs.toFixed(1)} ms then`,
        )

        if (full) {
          progress(`${count} readers, stuck until they are cut off`)
          const started = performance.now()
          let left = count
          const gone = async () => (left = (await measureServer(chat)).alive.streams - 1) <= 0
          await until(gone, limits.cutOffMs + limits.cutOffLateMs, 1000)
          // As others go, the system has room to take all for some of the rest, up to 32 MiB each: these are not stuck.
          if (left > count * limits.takenBySystem)
            faults.push(`${left} of ${count} readers that took nothing were not cut off`)
          else found.push(`${count - left} cut off within ${((performance.now() - started) / 1000).toFixed(0)} s`)
        }
        await late.tell({ reading: true })
        if (full) await late.tell({ untilCutOff: true, withinMs: limits.patienceMs })
        const all = ids.slice(1)
        compare(
          await follow(late, all, port),
          count,
          full ? 'that were cut off and came back' : 'that read late',
          faults,
        )
        await late.end()
      }
      faults.push(...writer.faults)
      const lines = chat.errors.split('\n').filter((line) => /incident|failed|MaxListeners/.test(line))
      faults.push(...lines)
      return {
        tried: `${crowds.join(', ')} readers that stopped (SIGSTOP, and never reading) while ${megabytes} MB were said`,
        found: found.join('; '),
        faults,
      }
    }),
}

export default stoppedReaders

// The most memory that it takes until these many streams are there and it no longer changes, or until the first are cut off:
// then the system has taken what it takes for those who don't read.
async function settled(chat: ChatServer, streams: number): Promise<Measured> {
  const held = ({ heap, buffers }: Measured) => heap + buffers
  let last = await measureServer(chat)
  let most = last
  await until(
    async () => {
      const before = last
      last = await measureServer(chat)
      if (held(last) > held(most)) most = last
      if (last.alive.streams < before.alive.streams) return true
      return last.alive.streams >= streams && Math.abs(held(last) - held(before)) < limits.noiseBytes / 10
    },
    limits.patienceMs,
    200,
  )
  return most
}

// Until all have got these, as a page would: who is cut off, once more even, comes back.
async function follow(crowd: Crowd, ids: readonly number[], port: number): Promise<CrowdReport> {
  await until(async () => {
    await crowd.tell({ comeBack: true, port, withinMs: limits.patienceMs })
    return (await crowd.tell({ until: ids.at(-1)!, withinMs: limits.patienceMs })).behind === 0
  }, limits.patienceMs)
  return crowd.tell({ compare: ids })
}

function compare(report: CrowdReport, count: number, which: string, faults: string[]): void {
  if (report.behind > 0)
    faults.push(`of ${count} readers ${which} ${report.behind} have a gap or a repeat, the first: ${report.firstError}`)
  if (report.resets > 0) faults.push(`${report.resets} readers ${which} were reset though nothing was gone`)
}

function kilobytes(bytes: number): string {
  return `${Math.round(bytes / 1024)} KiB`
}
