// The clock jumps by an hour or a year, both ways, or stands, while the server runs and across restarts: ids increase, the
// order holds, readers miss nothing, and sessions end when their time has passed and not before.

import { cpSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { startChat, temporaryFolder, type Person, type Scope } from '../chat-server.ts'
import type { User } from '../../lib/chat/streams/events.ts'
import type { Audit, AuditOptions, Form, Verdict } from './audit.ts'
import { inScope, Reader, Writer } from './harness.ts'
import { compareWithHistory } from './history.ts'
import { storagePlanted } from './storage-faults.ts'
import type { Clock } from './surroundings.ts'
import { soon } from './until.ts'

const hourMs = 3600 * 1000
const dayMs = 24 * hourMs
const yearMs = 365 * dayMs

/** Where the clock goes, one after the other: the right time is 0. */
const jumps = {
  short: [yearMs, -hourMs],
  full: [hourMs, 0, -hourMs, 0, yearMs, 0, -yearMs, 0, 2 * yearMs, hourMs, -hourMs, yearMs, -yearMs, 10 * yearMs, 0],
}

const answersAfterJump = 10

export default {
  name: 'clock',
  plantable: ['id-from-clock-alone', 'sessions-by-wall-clock', 'sessions-without-end'],
  run: (options) => inScope((scope) => audit(scope, options)),
} satisfies Audit

async function audit(scope: Scope, { form, fault, progress }: AuditOptions): Promise<Verdict> {
  const order = await orderHolds(scope, jumps[form], fault, progress)
  const sessions =
    order.faults.length > 0 ? { faults: [], checked: 0 } : await sessionsEndInTime(scope, form, fault, progress)
  return {
    tried: `${jumps[form].length} jumps and a standstill, each with a restart`,
    found: `${order.answered} posts in order, ${sessions.checked} sessions judged`,
    faults: [...order.faults, ...sessions.faults],
  }
}

async function orderHolds(
  scope: Scope,
  jumps: readonly number[],
  fault: string | undefined,
  progress: (text: string) => void,
) {
  const clock = await setClock(scope)
  const chat = await startChat(scope, {
    data: await temporaryFolder(scope),
    ...storagePlanted({ fault, surroundings: clock.surroundings }),
  })
  const faults: string[] = []
  const ada = await chat.comeIn('ada')
  const readers = [await Reader.open(chat), await Reader.open(chat)]
  scope.after(() => readers.forEach((reader) => reader.leave()))
  // One after the other: with ids from the clock alone two of one moment are refused, and this is not yet what is tried.
  const writers = [
    await Writer.comeIn(chat, { name: 'bob', pauseMs: 5 }),
    await Writer.comeIn(chat, { name: 'eve', pauseMs: 5 }),
  ]
  for (const writer of writers) void writer.start()
  const answered = () => writers.reduce((sum, { said }) => sum + said.length, 0)

  const goesOn = async (when: string) => {
    const enough = answered() + answersAfterJump
    await soon(
      () => answered() >= enough || writers.some((writer) => writer.faults.length > 0),
      `posts answered ${when}`,
      faults,
      10_000,
    )
    if (faults.length > 0) return
    try {
      if (!(await isIn(ada, 'ada'))) faults.push(`${when} a session that is used every moment was over`)
      if (!(await isIn(await chat.comeIn(`new ${answered()}`)))) faults.push(`${when} a new session was over at once`)
    } catch (error) {
      faults.push(`${when} somebody could not come in: ${error instanceof Error ? error.message : error}`)
    }
  }
  const settings: [string, Clock][] = [
    ...jumps.map((aheadMs): [string, Clock] => [`${aheadMs / hourMs} hours ahead`, { aheadMs }]),
    ['standing', { standsAt: Date.now() }],
  ]
  for (const [name, setting] of settings) {
    clock.set(setting)
    await goesOn(`with the clock ${name}`)
    if (faults.length > 0) break
    // Everyone who was there has used their session; so after a restart they are still in.
    await chat.stop()
    await chat.start()
    await goesOn(`after a restart with the clock ${name}`)
    progress(`clock ${name}: ${answered()} posts`)
    if (faults.length > 0 || writers.some((writer) => writer.faults.length > 0)) break
  }
  // A server at fault may refuse for good what a writer goes on trying.
  if (faults.length > 0) await chat.kill()
  else {
    await Promise.all(writers.map((writer) => writer.stop()))
    faults.push(...(await compareWithHistory(chat, { writers, readers })))
  }
  return { faults, answered: answered() }
}

/** How the clock is when the server starts, then when people come in, and after 31 days; the first are those of the short form. */
const lives: [name: string, before: Clock, after: Clock, settled: Clock][] = [
  ['set a year ahead', {}, { aheadMs: yearMs }, { aheadMs: yearMs }],
  ['a year ahead at the start and set right', { aheadMs: yearMs }, {}, {}],
  // While it is a year behind nobody can tell how old a session is; so none ends until it is right.
  ['set a year back, and then right', {}, { aheadMs: -yearMs }, {}],
  ['right', {}, {}, {}],
  ['set an hour ahead', {}, { aheadMs: hourMs }, { aheadMs: hourMs }],
  ['set an hour back', {}, { aheadMs: -hourMs }, { aheadMs: -hourMs }],
  ['a year behind at the start and set right', { aheadMs: -yearMs }, {}, {}],
]

// A session lasts 30 days from its last use. The clock is off in some way, then 31 days pass.
async function sessionsEndInTime(
  scope: Scope,
  form: Form,
  fault: string | undefined,
  progress: (text: string) => void,
) {
  const faults: string[] = []
  // So that no event happens at a start with a wrong clock: the room is there, and an owner.
  const template = await temporaryFolder(scope)
  const first = await startChat(scope, { data: template })
  await first.owner()
  await first.stop()
  let checked = 0
  for (const [name, before, after, settled] of lives.slice(0, form === 'short' ? 3 : lives.length)) {
    const clock = await setClock(scope)
    clock.set(before)
    const data = await temporaryFolder(scope)
    cpSync(template, data, { recursive: true })
    const chat = await startChat(scope, { data, ...storagePlanted({ fault, surroundings: clock.surroundings }) })
    const early = 'aheadMs' in before ? undefined : await chat.comeIn('early')
    clock.set(after)
    if (early && !(await isIn(early))) faults.push(`a session was over when the clock was ${name}`)
    // This use is written down before whoever comes next is: not when the 31 days have passed.
    const late = await chat.comeIn(`late ${checked}`)
    if (!(await isIn(late))) faults.push(`a session was over as soon as it began, with the clock ${name}`)
    clock.set({ ...after, passedMs: 31 * dayMs })
    if (!(await isIn(await chat.comeIn(`later ${checked}`))))
      faults.push(`31 days later nobody could come in, with the clock ${name}`)
    clock.set({ ...settled, passedMs: 31 * dayMs })
    for (const person of [early, late])
      if (person && (await isIn(person)))
        faults.push(`a session was alive 31 days after its last use, with the clock ${name}`)
    await chat.kill()
    checked += early ? 3 : 2
    progress(`sessions with the clock ${name}`)
  }
  return { faults, checked }
}

async function isIn(person: Person, name?: string): Promise<boolean> {
  const { user } = await person.read<{ user: User | null }>('/session')
  return user !== null && (name === undefined || user.name === name)
}

async function setClock(scope: Scope): Promise<{ surroundings: Record<string, string>; set: (clock: Clock) => void }> {
  const file = join(await temporaryFolder(scope), 'clock')
  const set = (clock: Clock) => {
    writeFileSync(`${file}-new`, JSON.stringify(clock))
    renameSync(`${file}-new`, file)
  }
  set({})
  return { surroundings: { NATTER_CLOCK: file }, set }
}
