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

const heading = '| work | server | result | beside bare `http` | processor each | p50 | p99 | p999 |\n|---|---|---|---|---|---|---|---|'

export function tableOf(rows: readonly Row[]): string {
  return [heading, ...rows.map((row) => lineOf(row, rows))].join('\n')
}

export function resultsOf(rows: readonly Row[], peers: readonly Peer[], leftOut: readonly string[], rounds: number): string {
  const [{ model = 'unknown' } = {}, ...others] = cpus()
  const machine = `${others.length + 1} × ${model.trim()}, ${Math.round(totalmem() / 2 ** 30)} GiB, ${type()} ${release()}`
  const versions = peers.map((peer) => `${peer.name} ${peer.version()}`)
  return `# The last run of \`npm run bench\`

${new Date().toISOString().slice(0, 10)}, Node ${process.version.slice(1)}, ${machine}; ${apart}; load average at the end ${loadavg().map((load) => load.toFixed(1)).join(', ')}.
Other processes of this machine, or other machines on the same hardware, had ${percent(middle(rows.flatMap(({ figures }) => figures), ({ disturbed }) => disturbed))} of its processors meanwhile; above a few percent all of this is noise.
${versions.join(', ')}.${leftOut.length > 0 ? ` Left out: ${leftOut.join('; ')}.` : ''}

${tableOf(rows)}

The middle one of ${rounds} rounds, in which all took turns. Every message has a text of 100 bytes, and but for WebSocket's framing the same JSON around it. natter
finds out who posts, keeps each message in SQLite on a disk, synced, and only then delivers and answers it; the others keep nothing and know nobody. The next message
is sent when less than the number under way is still to be delivered. *Processor each* is the time of all threads of the server for each delivery, answer or event;
the delays are from sending a message to its receipt, or to its answer. **≥**: the load program needed more processor time for each than the server did, and so
held it up: the server could do more.
`
}

function lineOf({ scene, peer, figures }: Row, rows: readonly Row[]): string {
  const value = middle(figures, ({ value }) => value)
  const base = rows.find((row) => row.scene === scene && row.peer === 'http')
  const ratio = base ? value / middle(base.figures, ({ value }) => value) : NaN
  const processor = middle(figures, ({ cpuMicroseconds }) => cpuMicroseconds)
  const limited = figures.filter(({ limitedByLoad }) => limitedByLoad).length * 2 > figures.length
  const cells = [
    scene.work,
    peer,
    `${limited ? '≥ ' : ''}${amount(value)} ${scene.unit}`,
    cell(ratio, `${ratio.toFixed(2)} ×`),
    cell(processor, `${processor.toPrecision(3)} µs`),
    ...(['p50', 'p99', 'p999'] as const).map((part) => middle(figures, (figure) => figure[part])).map((delay) => cell(delay, `${delay.toFixed(1)} ms`)),
  ]
  return `| ${cells.join(' | ')} |`
}

function middle(figures: readonly Figures[], of: (figures: Figures) => number | undefined): number {
  const sorted = figures.map((figure) => of(figure) ?? NaN).filter((value) => !Number.isNaN(value)).sort((a, b) => a - b)
  return sorted[Math.floor(sorted.length / 2)] ?? NaN
}

function percent(part: number): string {
  return `${Math.round(part * 100)} %`
}

function cell(value: number, text: string): string {
  return Number.isNaN(value) ? '' : text
}

function amount(value: number): string {
  return value < 100 ? value.toFixed(1) : Number(value.toPrecision(3)).toLocaleString('en')
}
