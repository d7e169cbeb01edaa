// Installs what tests/interop/package.json names, at the first test that asks for it.

import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

const folder = fileURLToPath(new URL('.', import.meta.url))

/**
 * Undefined when everything is there, or else why the test has to be skipped: the registry can't be reached. Where CI runs
 * nobody would notice a skipped test, so there it is an error.
 */
export async function whyNotInstalled(): Promise<string | undefined> {
  if (await isInstalled()) return undefined
  try {
    await promisify(execFile)('npm', ['install', '--no-audit', '--no-fund', '--no-save', '--ignore-scripts'], { cwd: folder, timeout: 90_000 })
    return undefined
  } catch (error) {
    const said = String((error as { stderr?: string }).stderr || error)
    const unreachable = /ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ENETUNREACH|ENOTCACHED|network/.exec(said)
    if (!unreachable || process.env['CI'] === 'true') throw new Error(`npm install in tests/interop failed: ${said}`, { cause: error })
    return `npm's registry can't be reached (${unreachable[0]})`
  }
}

async function isInstalled(): Promise<boolean> {
  const { dependencies } = JSON.parse(await readFile(`${folder}/package.json`, 'utf8')) as { dependencies: Record<string, string> }
  const wanted = Object.entries(dependencies).map(async ([name, version]) => {
    const found = JSON.parse(await readFile(`${folder}/node_modules/${name}/package.json`, 'utf8')) as { version: string }
    return found.version === version
  })
  return (await Promise.all(wanted).catch(() => [false])).every(Boolean)
}
