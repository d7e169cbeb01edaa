// Formats natter's own files, or says which are not formatted and which lines look like mistakes: `npm run format` and `npm run check`.

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { install } from '../install.ts'

const here = new URL('.', import.meta.url)
const root = fileURLToPath(new URL('../..', here))
const write = process.argv.includes('--write')

const missing = await install(here)
if (missing) {
  console.error(`the format was not looked at: ${missing}`)
} else {
  const biome = fileURLToPath(new URL('node_modules/@biomejs/biome/bin/biome', here))
  const settings = fileURLToPath(new URL('settings.json', here))
  const options = [
    `--config-path=${settings}`,
    '--error-on-warnings',
    '--max-diagnostics=50',
    ...(write ? ['--write'] : []),
  ]
  const run = spawn(process.execPath, [biome, 'check', ...options, root], { cwd: root, stdio: 'inherit' })
  const [code] = await once(run, 'exit')
  if (code !== 0 && !write) console.error('`npm run format` formats all files')
  process.exitCode = Number(code)
}
