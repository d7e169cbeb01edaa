// `npm run bench`: natter beside others, all in one run, in turns, since machines differ and so does the same one from hour to
// hour. Names choose who and what: `npm run bench -- natter ws`, `npm run bench -- natter http posts`. With `--full` it also
// plays what takes minutes to prepare.

import { parseArgs } from 'node:util'
import { install } from '../install.ts'
import { peers, type Peer } from './peers.ts'
import { tablesOf, writeReadme, writeResults, type Row } from './results.ts'
import { Place, type Figures, type Scene } from './scene.ts'
import { scenes } from './scenes/all.ts'
import { Leftovers } from './started-process.ts'

const rounds = 3 // of which one counts
const longestMs = 90_000 // that a server may take for a scene

const {
  values: { full },
  positionals: names,
} = parseArgs({ options: { full: { type: 'boolean', default: false } }, allowPositionals: true })
const known = [...new Set([...peers, ...scenes].map(({ name }) => name))]
const unknown = names.find((name) => !known.includes(name))
if (unknown !== undefined) throw new Error(`there is no ${unknown}; there are ${known.join(', ')}`)
const chosen = <T extends { name: string }>(all: readonly T[]) => {
  const some = all.filter(({ name }) => names.includes(name))
  return some.length > 0 ? some : [...all]
}

const missing = await install(new URL('./', import.meta.url))
if (missing !== false) throw new Error(missing)
const began = performance.now()
const leftOut = new Set<string>() // some scenes are several
const canRun = ({ name, cannotRun }: Peer | Scene) => {
  const why = cannotRun?.()
  if (why !== undefined) leftOut.add(`${name}, since ${why}`)
  return why === undefined
}
const here = chosen(peers).filter(canRun)
const played = chosen(scenes).filter((scene) => (full || !scene.long) && canRun(scene))
for (const why of leftOut) say(`left out ${why}`)

const leftovers = new Leftovers()
const place = new Place(leftovers, say)
const rows: Row[] = []
for (const scene of played) {
  const those = here.filter(({ name }) => scene.peers?.includes(name) ?? true)
  if (scene.oldMessages !== undefined && those.length > 0) await place.filledFolder(scene.oldMessages)
  const figures = new Map<string, Figures[]>(those.map(({ name }) => [name, []]))
  for (let round = 0; round < (scene.rounds ?? rounds); round++) {
    for (const peer of those) {
      const figure = await play(scene, peer)
      if (figure) figures.get(peer.name)!.push(figure)
    }
  }
  for (const [peer, all] of figures) if (all.length > 0) rows.push({ scene, peer, figures: all })
}

process.stdout.write(`\n${tablesOf(rows)}\n`)
// Some of it is no result to show.
if (names.length === 0) {
  const run = { rows, peers: here, leftOut: [...leftOut], rounds, seconds: (performance.now() - began) / 1000 }
  writeResults(new URL('results.md', import.meta.url), run)
  writeReadme(new URL('../../README.md', import.meta.url), run)
}
process.exit()

async function play(scene: Scene, peer: Peer): Promise<Figures | undefined> {
  const began = performance.now()
  // Whoever waits for one of them is told that it ended.
  const tooLong = setTimeout(() => {
    say(`${scene.name} ${peer.name} took more than ${longestMs / 1000} s, and is ended`)
    leftovers.killProcesses()
  }, longestMs)
  try {
    const figure = await scene.run(peer, place)
    say(
      `${scene.name} ${peer.name}: ${figure.value.toPrecision(4)} ${scene.unit}${processorsOf(figure)}, in ${((performance.now() - began) / 1000).toFixed(1)} s`,
    )
    return figure
  } catch (error) {
    // One that fails must not cost all the others their figures.
    say(`${scene.name} ${peer.name} failed: ${error instanceof Error ? error.message : String(error)}`)
    process.exitCode = 1
    return undefined
  } finally {
    clearTimeout(tooLong)
  }
}

// To judge a figure by: a load program that needs more than the server, or others who take a good part, make it worth little.
function processorsOf({ note, cpuMicroseconds, loadMicroseconds, disturbed }: Figures): string {
  const noted = note === undefined ? '' : ` (${note})`
  if (cpuMicroseconds === undefined || loadMicroseconds === undefined || disturbed === undefined) return noted
  const others = Math.round(disturbed * 100)
  return `${noted}, ${cpuMicroseconds.toPrecision(3)} µs of the server each, ${loadMicroseconds.toPrecision(3)} of the load, ${others} % of the machine others'`
}

function say(line: string): void {
  process.stderr.write(`${line}\n`)
}
