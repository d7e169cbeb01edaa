// One address does its worst, all at once, to a server as it is by default behind a proxy: the others must be answered as before and none
// of them refused, and what the server holds in memory and on disk grows within bounds.
//
// The addresses are those that the proxy names, since the limits by address are for these: connections of this machine itself have none.

import { fork } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { readSettings } from '../../lib/config.ts'
import { startChat, temporaryFolder, type ChatServer, type Scope } from '../chat-server.ts'
import { FullPlace } from '../full-place.ts'
import { publicHost } from './asking.ts'
import { emoji, rooms, type Attack, type Order, type Report } from './attacks.ts'
import type { Audit, AuditOptions, Verdict } from './audit.ts'
import { Crowd } from './crowd.ts'
import { inScope, theFirst } from './harness.ts'
import { measurable, measureServer, type Measured } from './measure.ts'
import { Neighbours, type Stretch } from './neighbours.ts'
import { until } from './until.ts'

const forms = {
  // A body has a twentieth of its time in the short form, so that nobody waits for it.
  short: {
    warmUpMs: 500,
    quiet: 2,
    busy: 6,
    windowMs: 700,
    brings: { guests: 50, accounts: 3 },
    bodyMs: 1500,
    leftMessages: 10,
  },
  full: {
    warmUpMs: 5000,
    quiet: 6,
    busy: 12,
    windowMs: 5000,
    brings: { guests: 40, accounts: 20 },
    bodyMs: 30_000,
    leftMessages: 100,
  },
}

const limits = {
  files: 1024, // open files of the server, as systems have it unless told otherwise
  hallStreams: 210, // in a room where nobody hears any longer of who types,
  hallAddresses: 3, // from so many addresses
  factor: 2, // of the p99 before. The machine has the attackers and those who measure on it as well,
  // and a process that measures collects its own garbage; a short run has too few posts for a p99, and finds what is out of all proportion.
  slackMs: { short: 60, full: 5 },
  memoryBytes: 64 * 1024 * 1024, // by which what is kept may grow,
  garbageBytes: 256 * 1024 * 1024, // and what nobody has collected yet: each thread lets 64 MiB come together, and as much of what is older
  answerBytes: 512 * 1024,
  named: 10, // people who react with an emoji, in a page
  late: 20, // changes that were let in while it was told to stop
  personAtOnce: 10, // posts
  longestKibibytes: 70, // that the longest post takes of the disk
  neighboursKibibytes: 1, // and one of the others
  typing: { atOnce: 60, perSecond: 20 }, // signals of an address's guests; of each account one a second
  bodyLateMs: 3000, // besides what a body has: a second for each 4 KiB, and what the machine takes
  guesses: 10, // of an address, until it has to wait for longer than this takes
  logLines: 20,
}

/** What all guests of an address may change. */
const guests = { perSecond: readSettings([], {})!.postsPerAddress, atOnce: 10 * readSettings([], {})!.postsPerAddress }

export default {
  name: 'one-address',
  plantable: [
    'limits-without-address',
    'lines-without-turns',
    'guesses-without-bound',
    'typing-without-bound',
    'connections-without-share',
    'bodies-without-end',
    'reactions-listed-whole',
  ],
  alone: true,
  byHand: true,
  run: (options) => inScope((scope) => audit(scope, options)),
} satisfies Audit

async function audit(scope: Scope, { form, fault, progress }: AuditOptions): Promise<Verdict> {
  const { warmUpMs, quiet, busy, windowMs, brings, bodyMs, leftMessages } = forms[form]
  const data = await temporaryFolder(scope)
  const since = fill(data, leftMessages)
  const chat = await startBehindProxy(scope, { data, fault, bodyMs: form === 'short' ? bodyMs : undefined })
  const neighbours = new Neighbours(chat.url, { since })
  await neighbours.comeIn()
  // What is written ahead to the log is not in the file yet; after a clean stop it is.
  await chat.stop()
  const diskBefore = bytesIn(data)
  await chat.start()
  scope.after(() => neighbours.leave())
  const crowd = await fillHall(scope, chat)
  neighbours.listen()
  const attackers = startAttackers(scope, { url: chat.url, accounts: neighbours.accounts, brings })
  await neighbours.live(warmUpMs)

  const before = await live(neighbours, chat, { windows: quiet, windowMs })
  const memoryBefore = await measureServer(chat)
  const begun = attackers.tell('begin')
  const began = performance.now()
  const after = await live(neighbours, chat, {
    windows: busy,
    windowMs,
    async each(window, { posts, pages }) {
      progress(
        `window ${window + 1} of ${busy}: posts' p99 ${inMs(p99(posts))} (${inMs(before.posts)} before), pages' ${inMs(p99(pages))} (${inMs(before.pages)})`,
      )
      // Only now, since it leaves itself no connections for anything else.
      if (window + 1 === Math.floor(busy / 2)) await begun.then(() => attackers.tell('hog'))
    },
  })
  const report = await attackers.tell('stop')
  const seconds = (performance.now() - began) / 1000
  const memory = await measureServer(chat)
  const unended = async () => (await attackers.tell('report')).bodies
  await until(async () => (await unended()) === 0, bodyMs + limits.bodyLateMs, 100)
  const bodiesLeft = await unended()
  await attackers.end()
  // Others use this machine too: should it have become slower meanwhile, it still is.
  const again =
    after.posts > mostOf(before.posts, form) || after.pages > mostOf(before.pages, form)
      ? await live(neighbours, chat, { windows: quiet, windowMs })
      : before
  neighbours.leave()
  await crowd.end()
  const code = await chat.stop()

  const disk = bytesIn(data) - diskBefore
  const others = { posts: Math.max(before.posts, again.posts), pages: Math.max(before.pages, again.pages) }
  const faults: string[] = []
  for (const kind of ['posts', 'pages'] as const) {
    if (after[kind] > mostOf(others[kind], form))
      faults.push(`${kind} of others took ${inMs(after[kind])} (p99), and ${inMs(others[kind])} without it`)
  }
  for (const [what, count] of neighbours.refusals) faults.push(`${what} (${count} times)`)
  faults.push(
    ...judgeMemory({ memoryBefore, memory, before, after }),
    ...judgeAnswers(report, neighbours),
    ...judgeBounds(report, neighbours, { seconds, accounts: brings.accounts }),
  )
  const allowed = diskOf({ seconds, accounts: brings.accounts, posts: after.count })
  if (disk > allowed)
    faults.push(`the disk has ${mebibytes(disk)} more on it, of ${mebibytes(allowed)} that README.md says`)
  if (bodiesLeft > 0)
    faults.push(
      `${bodiesLeft} bodies that never end are still waited for after ${(bodyMs + limits.bodyLateMs) / 1000} s`,
    )
  faults.push(...judgeLog(chat))
  if (code !== 0) faults.push(`it ended with ${code}`)
  const requests = Object.values(report.tallies)
    .flatMap(({ statuses }) => Object.values(statuses))
    .reduce((sum, count) => sum + count, 0)
  return {
    tried: `${requests} requests of one address in ${seconds.toFixed(0)} s, of ${Object.keys(report.tallies).length} kinds at once; ${after.count} posts and as many pages of others`,
    found:
      `others' posts p99 ${inMs(after.posts)} (${inMs(others.posts)} without), pages ${inMs(after.pages)} (${inMs(others.pages)}), none refused; memory ${mebibytes(keptBy(memory) - keptBy(memoryBefore))}, ` +
      `resident ${mebibytes(memory.rss - memoryBefore.rss)} (with garbage ${mebibytes(after.resident - before.resident)}), disk ${mebibytes(disk)} of ${mebibytes(allowed)}`,
    faults,
  }
}

function judgeMemory({
  memoryBefore,
  memory,
  before,
  after,
}: {
  memoryBefore: Measured
  memory: Measured
  before: Lived
  after: Lived
}): string[] {
  const faults: string[] = []
  const more = (what: string, bytes: number, most: number) => {
    if (bytes > most) faults.push(`${what} by ${mebibytes(bytes)}`)
  }
  more('memory has grown', keptBy(memory) - keptBy(memoryBefore), limits.memoryBytes)
  more('the process has grown', memory.rss - memoryBefore.rss, limits.memoryBytes)
  more('meanwhile the process was larger', after.resident - before.resident, limits.memoryBytes + limits.garbageBytes)
  return faults
}

function judgeAnswers({ tallies }: Report, { pageBytesMost, namedMost }: Neighbours): string[] {
  const faults = Object.entries(tallies)
    .filter(([, { bytesMost }]) => bytesMost > limits.answerBytes)
    .map(([kind, { bytesMost }]) => `an answer to ${kind} had ${bytesMost} bytes`)
  if (pageBytesMost > limits.answerBytes) faults.push(`a page of others had ${pageBytesMost} bytes`)
  if (namedMost > limits.named) faults.push(`a page named ${namedMost} people who had reacted with one emoji`)
  return faults
}

// What an address may do within this time.
function judgeBounds(
  { tallies }: Report,
  { typing }: Neighbours,
  { seconds, accounts }: { seconds: number; accounts: number },
): string[] {
  const faults: string[] = []
  const letIn = Object.values(tallies).reduce((sum, { guestsChanges }) => sum + guestsChanges, 0)
  const mayChange = Math.floor(guests.atOnce + guests.perSecond * seconds) + limits.late
  if (letIn > mayChange) faults.push(`${letIn} changes of guests were let in, where an address has ${mayChange}`)
  const mayType = Math.floor(limits.typing.atOnce + (limits.typing.perSecond + accounts) * seconds)
  if (typing.lobby > mayType)
    faults.push(`a stream was told ${typing.lobby} times that somebody types, where an address has ${mayType}`)
  if (typing.hall > 0) faults.push(`in a crowded room a stream was told ${typing.hall} times that somebody types`)
  const looked = tallies.passwords.statuses['401'] ?? 0
  if (looked > limits.guesses) faults.push(`${looked} guessed passwords were looked at`)
  return faults
}

// A log that an address can fill is a disk that it can fill.
function judgeLog({ errors }: ChatServer): string[] {
  const lines = errors.split('\n').filter((line) => line !== '' && !line.startsWith('measured '))
  const faults = theFirst(lines.filter((line) => /incident|failed|Warning/.test(line)))
  return lines.length > limits.logLines
    ? [...faults, `${lines.length} lines in the log, the last: ${lines.at(-1)}`]
    : faults
}

/** Bytes that README.md says an address can write, scaled to this time, and what it can write before it has to wait at all; and the others' own. */
function diskOf({ seconds, accounts, posts }: { seconds: number; accounts: number; posts: number }): number {
  const readme = readFileSync(new URL('../../README.md', import.meta.url), 'utf8')
  const [, gigabytes] =
    /what one address can fill of the disk \| (\d+) GB a day by its guests and as much by its accounts/.exec(readme) ??
    []
  if (gigabytes === undefined)
    throw new Error('README.md does not say any longer what one address can fill of the disk in a day')
  const meanwhile = (2 * Number(gigabytes) * 1e9 * seconds) / (24 * 3600)
  const atOnce = (guests.atOnce + accounts * limits.personAtOnce) * limits.longestKibibytes * 1024
  return meanwhile + atOnce + posts * limits.neighboursKibibytes * 1024
}

// As its owner starts it behind a proxy on the same machine, with as many files as most systems allow.
async function startBehindProxy(
  scope: Scope,
  { data, fault, bodyMs }: { data: string; fault: string | undefined; bodyMs: number | undefined },
): Promise<ChatServer> {
  const { execArgv = [], environment } = measurable(fault)
  const surroundings = ['--import', new URL('./surroundings.ts', import.meta.url).href]
  return startChat(scope, {
    data,
    limits: true,
    flags: ['--url', `http://${publicHost}`],
    node: '/bin/sh',
    execArgv: ['-c', `ulimit -n ${limits.files}; exec "${process.execPath}" "$@"`, 'sh', ...surroundings, ...execArgv],
    environment: { ...environment, ...(bodyMs !== undefined && { NATTER_BODY_MS: String(bodyMs) }) },
  })
}

// What the address may have left there in the weeks before: messages that sixty of its guests have reacted to with all that there is. Gives
// the id of what comes after them.
function fill(data: string, messages: number): number {
  const place = new FullPlace(data)
  const people = place.people(60, (number) => `regular ${number}`)
  const said = Array.from({ length: messages }, (_, number) => place.say(people[0]!, `look at number ${number}`))
  place.react(people, said, emoji)
  place.done()
  return said.at(-1)! + people.length * said.length * emoji.length + 1
}

async function fillHall(scope: Scope, { url }: ChatServer): Promise<Crowd> {
  const crowd = await Crowd.start()
  scope.after(() => crowd.end())
  for (let address = 1; address <= limits.hallAddresses; address++) {
    const headers = { host: publicHost, 'x-forwarded-for': `192.0.2.${address}` }
    await crowd.tell({
      open: limits.hallStreams / limits.hallAddresses,
      port: Number(new URL(url).port),
      path: `/events?room=${rooms.hall}`,
      reading: true,
      headers,
    })
  }
  return crowd
}

/** What some windows of time were like: the median of their p99s, so that one in which the machine was busy with something else decides nothing. */
interface Lived {
  posts: number
  pages: number
  /** How many of each. */
  count: number
  /** The most that the process took, in bytes. */
  resident: number
}

interface Windows {
  windows: number
  windowMs: number
  each?: (window: number, stretch: Stretch) => Promise<void>
}

async function live(neighbours: Neighbours, chat: ChatServer, { windows, windowMs, each }: Windows): Promise<Lived> {
  const stretches: Stretch[] = []
  let resident = 0
  for (let window = 0; window < windows; window++) {
    const stretch = await neighbours.live(windowMs)
    stretches.push(stretch)
    resident = Math.max(resident, residentOf(chat))
    await each?.(window, stretch)
  }
  const medianOf = (kind: 'posts' | 'pages') =>
    sorted(stretches.map((stretch) => p99(stretch[kind])))[Math.floor(windows / 2)]!
  return {
    posts: medianOf('posts'),
    pages: medianOf('pages'),
    count: stretches.reduce((sum, { posts }) => sum + posts.length, 0),
    resident,
  }
}

function startAttackers(scope: Scope, attack: Attack): { tell(order: Order): Promise<Report>; end(): Promise<void> } {
  const child = fork(fileURLToPath(new URL('./attacks.ts', import.meta.url)), {
    env: { ...process.env, NODE_OPTIONS: '', NATTER_ATTACKERS: JSON.stringify(attack) },
  })
  scope.after(() => child.kill('SIGKILL'))
  const over = once(child, 'exit').then(([code]) => Promise.reject(new Error(`the attackers ended with ${code}`)))
  over.catch(() => {}) // it is looked at when they are told something
  return {
    async tell(order) {
      const told = once(child, 'message')
      child.send(order)
      const [report] = await Promise.race([told, over])
      return report as Report
    },
    async end() {
      child.kill('SIGKILL')
      await over.catch(() => {})
    },
  }
}

function mostOf(ms: number, form: AuditOptions['form']): number {
  return limits.factor * ms + limits.slackMs[form]
}

function p99(values: readonly number[]): number {
  return sorted(values)[Math.floor(values.length * 0.99)] ?? Infinity
}

function sorted(values: readonly number[]): number[] {
  return [...values].sort((one, other) => one - other)
}

function keptBy({ heap, buffers }: Measured): number {
  return heap + buffers
}

function bytesIn(folder: string): number {
  return readdirSync(folder).reduce((sum, name) => sum + statSync(join(folder, name)).size, 0)
}

function residentOf({ pid }: ChatServer): number {
  return 1024 * Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0)
}

function inMs(ms: number): string {
  return `${ms.toFixed(1)} ms`
}

function mebibytes(bytes: number): string {
  return `${(bytes / 2 ** 20).toFixed(1)} MiB`
}
