// `npm run bench`: natter beside others, all in one run, in turns, since machines differ and so does the same one from hour to
// hour. Names choose who and what: `npm run bench -- natter ws`, `npm run bench -- natter http posts`.

import { writeFileSync } from 'node:fs'
import { install } from '../install.ts'
import { peers } from './peers.ts'
import { resultsOf, tableOf, type Row } from './results.ts'
import { Place, scenes, type Figures } from './scenes.ts'
import { Leftovers } from './started-process.ts'

const rounds = 3 // of which one counts

const names = process.argv.slice(2)
const unknown = names.find((name) => ![...peers, ...scenes].some((known) => known.name === name))
if (unknown !== undefined) throw new Error(`there is no ${unknown}; there are ${[...peers, ...scenes].map(({ name }) => name).join(', ')}`)
const chosen = <T extends { name: string }>(all: readonly T[]) => {
  const some = all.filter(({ name }) => names.includes(name))
  return some.length > 0 ? some : [...all]
}

const missing = await install(new URL('./', import.meta.url))
if (missing !== false) throw new Error(missing)
const leftOut: string[] = []
const here = chosen(peers).filter(({ name, cannotRun }) => {
  const why = cannotRun?.()
  if (why !== undefined) leftOut.push(`${name}: ${why}`)
  return why === undefined
})
for (const why of leftOut) say(`left out ${why}`)

const place = new Place(new Leftovers())
const rows: Row[] = []
for (const scene of chosen(scenes)) {
  const those = here.filter(({ name }) => scene.peers?.includes(name) ?? true)
  const figures = new Map<string, Figures[]>(those.map(({ name }) => [name, []]))
  for (let round = 0; round < rounds; round++) {
    for (const peer of those) {
      try {
        const figure = await scene.run(peer, place)
        figures.get(peer.name)!.push(figure)
        say(`${scene.name} ${peer.name}: ${figure.value.toPrecision(4)} ${scene.unit}${processorsOf(figure)}`)
      } catch (error) {
        // One that fails must not cost all the others their figures.
        say(`${scene.name} ${peer.name} failed: ${error instanceof Error ? error.message : String(error)}`)
        process.exitCode = 1
      }
    }
  }
  for (const [peer, all] of figures) if (all.length > 0) rows.push({ scene, peer, figures: all })
}

process.stdout.write(`\n${tableOf(rows)}\n`)
// Some of it is no result to show.
if (names.length === 0) writeFileSync(new URL('results.md', import.meta.url), resultsOf(rows, here, leftOut, rounds))
process.exit()

// To judge a figure by: a load program that needs more than the server, or others who take a good part, make it worth little.
function processorsOf({ cpuMicroseconds, loadMicroseconds, disturbed }: Figures): string {
  if (cpuMicroseconds === undefined || loadMicroseconds === undefined || disturbed === undefined) return ''
  return `, ${cpuMicroseconds.toPrecision(3)} µs of the server each, ${loadMicroseconds.toPrecision(3)} of the load, ${Math.round(disturbed * 100)} % of the machine others'`
}

function say(line: string): void {
  process.stderr.write(`${line}\n`)
}
