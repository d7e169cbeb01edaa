// `npm run audit`: the full forms, with a line each and the README's table at the end. Names choose some of them:
// `npm run audit crash disk-full`. `--short` runs the short forms, and `--fault <name>` plants one.

import { parseArgs } from 'node:util'
import { audits } from './all.ts'
import type { Audit, Verdict } from './audit.ts'

const { values, positionals: names } = parseArgs({
  allowPositionals: true,
  options: { short: { type: 'boolean' }, fault: { type: 'string' } },
})
const unknown = names.find((name) => !audits.some((audit) => audit.name === name))
if (unknown !== undefined)
  throw new Error(`there is no audit ${unknown}; there are ${audits.map(({ name }) => name).join(', ')}`)
const chosen = audits.filter(({ name }) => names.length === 0 || names.includes(name))

const rows: string[] = []
for (const audit of chosen) {
  const why = audit.cannotRun?.()
  if (why !== undefined) {
    process.stdout.write(`skipped  ${audit.name}: ${why}\n`)
    continue
  }
  const started = performance.now()
  const { tried, found, faults } = await runToItsEnd(audit)
  const seconds = Math.round((performance.now() - started) / 1000)
  const came = faults.length === 0 ? found : `**${faults.length} faults**`
  process.stdout.write(
    `${faults.length === 0 ? 'green' : 'RED  '}    ${audit.name}: ${tried}: ${came} (${seconds} s)\n`,
  )
  for (const fault of faults) process.stdout.write(`         ${fault.slice(0, 500)}\n`)
  if (faults.length > 0) process.exitCode = 1
  rows.push(`| ${audit.name} | ${tried} | ${came} | ${audit.plantable.join(', ')} |`)
}
process.stdout.write(
  `\n| audit | what was done | what came of it | planted faults it finds |\n|---|---|---|---|\n${rows.join('\n')}\n`,
)
// Whatever an audit left open must not keep this from ending.
process.exit()

async function runToItsEnd(audit: Audit): Promise<Verdict> {
  try {
    return await audit.run({
      form: values.short ? 'short' : 'full',
      fault: values.fault,
      progress: progressOf(audit.name),
    })
  } catch (error) {
    return {
      tried: 'did not get to its end',
      found: '',
      faults: [error instanceof Error ? error.stack! : String(error)],
    }
  }
}

// On a terminal one line that changes; in a file a line now and then.
function progressOf(name: string): (text: string) => void {
  let next = 0
  return (text) => {
    if (process.stderr.isTTY) return void process.stderr.write(`\r\x1b[K${name}: ${text}\r`)
    if (performance.now() < next) return
    next = performance.now() + 5000
    process.stderr.write(`         ${name}: ${text}\n`)
  }
}
