// The table of a run, and the file that keeps it, with what one has to know to believe it.

import { cpus, loadavg, release, totalmem, type } from 'node:os'
import type { Peer } from './peers.ts'
import type { Figures, Scene } from './scenes.ts'
import { apart } from './started-process.ts'

export interface Row {
  scene: Scene
  peer: string
  /** Of each round. */
  figures: readonly Figures[]
}

const heading = '| work | server | result | beside bare `http` | processor each | p50 | p99 | p999 | others |\n|---|---|---|---|---|---|---|---|---|'

export function tableOf(rows: readonly Row[]): string {
  return [heading, ...rows.map((row) => lineOf(row, rows))].join('\n')
}

export function resultsOf(rows: readonly Row[], peers: readonly Peer[], leftOut: readonly string[], rounds: number): string {
  const [{ model = 'unknown' } = {}, ...others] = cpus()
  const machine = `${others.length + 1} × ${model.trim()}, ${Math.round(totalmem() / 2 ** 30)} GiB, ${type()} ${release()}`
  const load = loadavg().map((load) => load.toFixed(1)).join(', ')
  const versions = peers.map((peer) => `${peer.name} ${peer.version()}`)
  return `# The last run of \`npm run bench\`

${new Date().toISOString().slice(0, 10)}, Node ${process.version.slice(1)}, ${machine}; ${apart}; load average at the end ${load}.
${versions.join(', ')}.${leftOut.length > 0 ? ` Left out: ${leftOut.join('; ')}.` : ''}

${tableOf(rows)}

Of ${rounds} rounds, in which all took turns, that counts in which other processes had least of the machine: *others* is their part of all its processors,
and above a few percent a figure is worth little; memory and start are the middle one. Every message has a text of 100 bytes, and but for WebSocket's framing
the same JSON around it. natter finds out who posts, keeps each message in SQLite on a disk, synced, and only then delivers and answers it; the others keep
nothing and know nobody; http is a loop of writes on bare node:http. The next message is sent when less than the number under way is still to be delivered.
*Processor each* is the time of all threads of the server for each delivery, answer or event; the delays are from sending a message to its receipt, or to
its answer. **≥**: the load program needed more processor time for each than the server did, and so held it up: the server could do more.
`
}

function lineOf({ scene, peer, figures }: Row, rows: readonly Row[]): string {
  const best = leastDisturbed(figures)
  const base = rows.find((row) => row.scene === scene && row.peer === 'http')
  const cells = [
    scene.work,
    peer,
    `${best.limitedByLoad ? '≥ ' : ''}${amount(best.value)} ${scene.unit}`,
    cell(base && best.value / leastDisturbed(base.figures).value, (ratio) => `${ratio.toFixed(2)} ×`),
    cell(best.cpuMicroseconds, (each) => `${each.toPrecision(3)} µs`),
    ...[best.p50, best.p99, best.p999].map((delay) => cell(delay, (ms) => `${ms.toFixed(1)} ms`)),
    cell(best.disturbed, percent),
  ]
  return `| ${cells.join(' | ')} |`
}

/** The round in which others had least of the machine; the middle one where that was not measured. */
function leastDisturbed(figures: readonly Figures[]): Figures {
  const sorted = figures.toSorted((a, b) => a.value - b.value)
  const middle = sorted[Math.floor(sorted.length / 2)]
  // A row is made only of what was measured at least once.
  if (middle!.disturbed === undefined || Number.isNaN(middle!.disturbed)) return middle!
  return figures.reduce((least, figure) => (figure.disturbed! < least.disturbed! ? figure : least))
}

function percent(part: number): string {
  return `${Math.round(part * 100)} %`
}

function cell(value: number | undefined, text: (value: number) => string): string {
  return value === undefined || Number.isNaN(value) ? '' : text(value)
}

function amount(value: number): string {
  return value < 100 ? value.toFixed(1) : Number(value.toPrecision(3)).toLocaleString('en')
}
