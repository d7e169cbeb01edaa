// The tables of a run, the file that keeps them with what one has to know to believe them, and the short one for the README.

import { readFileSync, writeFileSync } from 'node:fs'
import { cpus, loadavg, release, totalmem, type } from 'node:os'
import type { Peer } from './peers.ts'
import { many, middleOf, type Figures, type Scene } from './scene.ts'
import { apart } from './started-process.ts'

export interface Row {
  scene: Scene
  peer: string
  /** Of each round. */
  figures: readonly Figures[]
}

export interface Run {
  rows: readonly Row[]
  peers: readonly Peer[]
  leftOut: readonly string[]
  rounds: number
  seconds: number
}

const base = 'http' // who the others are compared with

export function tablesOf(rows: readonly Row[]): string {
  const work = rows.filter(({ scene }) => !scene.grows)
  const grown = growthOf(rows)
  return [...(work.length > 0 ? [workTable(work)] : []), ...(grown.length > 0 ? [growthTable(grown)] : [])].join('\n\n')
}

export function writeResults(file: URL, run: Run): void {
  writeFileSync(
    file,
    `# The last run of \`npm run bench\`

${circumstances(run)}

${tablesOf(run.rows)}

Each message has a text of 100 bytes, and but for WebSocket's framing the same JSON around it. natter runs as \`node server.ts\` does, but for
\`--posts-per-second 0 --streams-per-address 0\`: it finds out who posts, keeps each message and its Idempotency-Key in SQLite on a disk, synced, and only then delivers
and answers it. The others keep nothing and know nobody, but for nchan, which has the newest messages of a room in memory (Socket.IO could, if asked to recover
connections; it isn't); http is a loop of writes on bare node:http. One program loads them all. The next message is sent when less than the number under way is still
to be delivered. That every reader gets every message once is checked in each round, of all servers.

*Result* is of that round, of ${run.rounds} or fewer in which all took turns, in which the server needed least processor time for each: the machine is not always as fast, and what slows
it only ever takes away. *Others* is the part of all its processors that other processes had, and above a few percent a figure is worth little; memory and start are the middle one. A start has all processors, and is never the first: what Node compiled then is kept.
Of ms, s and KiB less is better, of all else more. *Processor each* is the time of all threads of the server for each delivery, post, page, search, start or reader, and in parentheses what part of it was spent
beside the main thread. The delays are from sending a message to its receipt, or from a request to its answer; of readers who come back, from the first request of all
to the last message that each had missed. **≥**, **≤**: the load program needed more processor time for each than the server did, and so held it up: the server could do
better.

Growth: *each* is the processor time, and beside it how it compares with that of the smallest. A delivery carries its share of what a message costs once (taking the post,
storing it, encoding it): with ten readers that is most of it, with a thousand nearly nothing. With ten thousand what the system keeps for each socket no longer fits into
the processor's caches, whoever the server is. Rooms and messages are looked up in indexes, whose depth grows with the logarithm of their number.
`,
  )
}

/** Puts the short table where the README has room for it, between two comments. */
export function writeReadme(file: URL, run: Run): void {
  const readme = readFileSync(file, 'utf8')
  const place = /(<!-- bench: [^\n]*-->\n)[^]*?(<!-- bench ends -->)/
  if (!place.test(readme)) throw new Error('the README has no place for the table')
  writeFileSync(
    file,
    readme.replace(
      place,
      (_, begins: string, ends: string) => `${begins}\n${circumstances(run)}\n\n${shortTable(run)}\n\n${ends}`,
    ),
  )
}

function circumstances({ peers, leftOut, seconds }: Run): string {
  const [{ model = 'unknown' } = {}, ...others] = cpus()
  const machine = `${others.length + 1} × ${model.trim()}, ${Math.round(totalmem() / 2 ** 30)} GiB, ${type()} ${release()}`
  const load = loadavg()
    .map((load) => load.toFixed(1))
    .join(', ')
  const versions = peers.map((peer) => `${peer.name} ${peer.version()}`)
  return `${new Date().toISOString().slice(0, 10)}, Node ${process.version.slice(1)}, ${machine}; ${apart}; load average at the end ${load}; ${Math.ceil(seconds / 60)} minutes.
${versions.join(', ')}.${leftOut.length > 0 ? ` Left out: ${leftOut.join('; ')}.` : ''}`
}

function workTable(rows: readonly Row[]): string {
  const heading = `| work | server | result | beside bare \`${base}\` | processor each | p50 | p99 | p999 | others |\n|---|---|---|---|---|---|---|---|---|`
  const lines = rows.map(({ scene, peer, figures }) => {
    const best = countingOne(figures)
    return lineOf([
      scene.work,
      peer,
      resultIn(scene, best),
      cell(ratioOf(rows, scene, best), times),
      processorIn(best),
      ...delaysIn(best),
      cell(best.disturbed, percent),
    ])
  })
  return [heading, ...lines].join('\n')
}

function growthTable(rows: readonly (Row & { smallest: Row })[]): string {
  const heading =
    '| cost of | server | size | each | beside the smallest | result | p50 | p99 | p999 | others |\n|---|---|---|---|---|---|---|---|---|---|'
  const lines = rows.map(({ scene, peer, figures, smallest }) => {
    const best = countingOne(figures)
    const ratio = (best.cpuMicroseconds ?? NaN) / (countingOne(smallest.figures).cpuMicroseconds ?? NaN)
    const { what, size } = scene.grows!
    return lineOf([
      what,
      peer,
      many(size),
      processorIn(best),
      cell(ratio, times),
      resultIn(scene, best),
      ...delaysIn(best),
      cell(best.disturbed, percent),
    ])
  })
  return [heading, ...lines].join('\n')
}

/** A line for each work, and a column for each server. */
function shortTable({ rows, peers }: Run): string {
  const names = peers.map(({ name }) => name)
  const scenes = [...new Set(rows.map(({ scene }) => scene))].filter(({ grows }) => !grows)
  const lines = scenes.map((scene) => {
    const cells = names.map((name) => {
      const row = rows.find((row) => row.scene === scene && row.peer === name)
      const best = row && countingOne(row.figures)
      if (!best) return ''
      const ratio = name === base ? undefined : ratioOf(rows, scene, best)
      return `${valueIn(scene, best)}${cell(ratio, (ratio) => ` (${times(ratio)})`)}${name === 'natter' ? p99In(best) : ''}${best.note === undefined ? '' : `; ${best.note}`}`
    })
    return lineOf([`${scene.work}: ${scene.unit}`, ...cells])
  })
  return [
    lineOf(['work', ...names]),
    `|${'---|'.repeat(names.length + 1)}`,
    ...lines,
    ...growthLines(rows, names),
  ].join('\n')
}

// Of each curve the cost at its end beside that at its beginning.
function growthLines(rows: readonly Row[], names: readonly string[]): string[] {
  const grown = growthOf(rows)
  return [...new Set(grown.map(({ scene }) => scene.grows!.what))].map((what) => {
    const curve = grown.filter(({ scene }) => scene.grows!.what === what)
    const sizes = [...new Set(curve.map(({ scene }) => scene.grows!.size))].sort((one, other) => one - other)
    const cells = names.map((name) => {
      const rowOf = (size: number) => curve.find(({ peer, scene }) => peer === name && scene.grows!.size === size)
      const costs = sizes.map(rowOf).map((row) => row && countingOne(row.figures).cpuMicroseconds)
      return costs.every((cost) => cost === undefined)
        ? ''
        : costs.map((cost) => (cost === undefined ? '–' : Number(cost.toPrecision(2)).toLocaleString('en'))).join(' → ')
    })
    return lineOf([`processor time of ${what}: ${sizes.map(many).join(' → ')}: µs`, ...cells])
  })
}

/** The rows of scenes that differ in size, each with the smallest of its kind. */
function growthOf(rows: readonly Row[]): (Row & { smallest: Row })[] {
  return rows.flatMap((row) => {
    const { grows } = row.scene
    const smallest = grows && rows.find(({ scene, peer }) => scene.grows?.what === grows.what && peer === row.peer)
    return smallest ? [{ ...row, smallest }] : []
  })
}

function resultIn(scene: Scene, best: Figures): string {
  return `${valueIn(scene, best)} ${scene.unit}${best.note === undefined ? '' : ` (${best.note})`}`
}

// Where the load program held it up, the server alone would do better.
function valueIn({ unit }: Scene, { value, limitedByLoad }: Figures): string {
  const better = unit === 's' || unit === 'ms' ? '≤ ' : '≥ '
  return `${limitedByLoad ? better : ''}${amount(value)}`
}

function ratioOf(rows: readonly Row[], scene: Scene, { value }: Figures): number | undefined {
  const row = scene.incomparable ? undefined : rows.find((row) => row.scene === scene && row.peer === base)
  return row && value / countingOne(row.figures).value
}

function processorIn({ cpuMicroseconds, besideLoop = 0 }: Figures): string {
  const beside = besideLoop > 0.01 ? ` (${percent(besideLoop)})` : ''
  return cell(cpuMicroseconds, (each) => `${each < 100 ? each.toPrecision(3) : many(Math.round(each))} µs${beside}`)
}

function delaysIn({ p50, p99, p999 }: Figures): string[] {
  return [p50, p99, p999].map((delay) => cell(delay, ms))
}

function p99In({ p99 }: Figures): string {
  return cell(p99, (delay) => `, p99 ${ms(delay)}`)
}

/** The round in which the machine was fastest, by the processor time of what was done; the middle one of what is no work to repeat. */
function countingOne(figures: readonly Figures[]): Figures {
  const middle = figures.find(({ value }) => value === middleOf(figures.map(({ value }) => value)))
  // A row is made only of what was measured at least once.
  if (middle!.disturbed === undefined || Number.isNaN(middle!.disturbed)) return middle!
  return figures.reduce((least, figure) => (figure.cpuMicroseconds! < least.cpuMicroseconds! ? figure : least))
}

function lineOf(cells: readonly string[]): string {
  return `| ${cells.join(' | ')} |`
}

function cell(value: number | undefined, text: (value: number) => string): string {
  return value === undefined || Number.isNaN(value) ? '' : text(value)
}

function times(ratio: number): string {
  return `${ratio.toFixed(2)} ×`
}

function percent(part: number): string {
  return `${Math.round(part * 100)} %`
}

function ms(delay: number): string {
  return `${delay.toFixed(1)} ms`
}

function amount(value: number): string {
  return value < 100 ? value.toFixed(1) : Number(value.toPrecision(3)).toLocaleString('en')
}
