// Packages that only one test needs: they have a package.json of their own in its folder, and are installed when it runs.

import { execFile } from 'node:child_process'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { fileURLToPath } from 'node:url'

// What npm says where the registry can't be reached; everything else that fails is a fault of ours.
const unreachable =
  /npm error code (ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ENETUNREACH|EHOSTUNREACH|ENOTCACHED|ERR_SOCKET_TIMEOUT|FETCH_ERROR|E5\d\d)/

/**
 * Installs what the folder's package.json names, and `packages` beside it. Returns why that was not possible, for `skip`: only
 * that the registry can't be reached, and in CI not even that, since there no test may be left out.
 */
export async function install(folder: URL, packages: readonly string[] = []): Promise<string | false> {
  const path = fileURLToPath(folder)
  const release = await lock(join(path, 'node_modules'))
  try {
    await npm(['install', '--no-audit', '--no-fund', '--prefer-offline', ...packages], folder)
    return false
  } catch (error) {
    // What execFile rejects with has what was written to stderr.
    const { stderr = '' } = error as { stderr?: string }
    if (process.env['CI'] || !unreachable.test(stderr)) throw error
    return `npm could not reach the registry to install ${path}`
  } finally {
    release()
  }
}

/** Runs npm in a folder. */
export async function npm(parameters: readonly string[], folder: URL): Promise<void> {
  // A test run under npm hands its own settings down, which are not this folder's.
  const environment = Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !/^npm_(config_local_prefix|package_|lifecycle_)/.test(name)),
  )
  await promisify(execFile)('npm', parameters, { cwd: fileURLToPath(folder), env: environment, timeout: 300_000 })
}

// Test files run side by side, and two of them may want the same folder. SQLite's lock is let go of when its process dies.
async function lock(folder: string): Promise<() => void> {
  await mkdir(folder, { recursive: true })
  const database = new DatabaseSync(join(folder, '.lock.sqlite'))
  for (;;) {
    try {
      database.exec('begin exclusive')
      return () => database.close()
    } catch (error) {
      if (!/locked/.test(String(error))) throw error
      await sleep(100)
    }
  }
}
