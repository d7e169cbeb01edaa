// Brings natter's own files into one format (`npm run format`), or says which are not in it and which lines look like
// mistakes (`npm run check`).

import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { install } from '../install.ts'

const here = new URL('.', import.meta.url)
const root = fileURLToPath(new URL('../..', here))
const biome = fileURLToPath(new URL('node_modules/@biomejs/biome/bin/biome', here))
const settings = fileURLToPath(new URL('settings.json', here))
const write = process.argv.includes('--write')

// Only the format is changed: what looks like a mistake is for a person to mend.
const command = write ? ['format', '--write'] : ['check', '--error-on-warnings', '--max-diagnostics=50']

// Without a registry the check is left out, but never in CI, where `install` throws.
const leftOut = await install(here).catch((error: unknown) => refuse(reasonOf(error)))
if (leftOut && write) refuse(leftOut)
if (leftOut) {
  console.error(`the format was not checked: ${leftOut}`)
} else {
  if (spawnSync(process.execPath, [biome, '--version']).status !== 0)
    refuse(`Biome can't run on ${process.platform} ${process.arch}, or npm was told to leave out optional packages`)
  const options = { cwd: root, stdio: 'inherit' } as const
  const run = spawn(process.execPath, [biome, ...command, `--config-path=${settings}`, root], options)
  const [code] = await once(run, 'exit')
  if (code !== 0 && !write) console.error('`npm run format` formats all files; mistakes are mended by hand')
  process.exitCode = Number(code ?? 1)
}

function refuse(why: string): never {
  console.error(`the format was not ${write ? 'changed' : 'checked'}: ${why}`)
  process.exit(1)
}

// The first two lines say which command failed and why. The rest is npm's own.
function reasonOf(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error)
  return message.split('\n').slice(0, 2).join(': ')
}
