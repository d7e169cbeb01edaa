// Packages that only one test needs: they have a package.json of their own in its folder, and are installed when it runs.

import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { fileURLToPath } from 'node:url'

/**
 * Installs what the folder's package.json names. Returns why that was not possible, for `skip`; in CI it is an error,
 * since there no test may be left out.
 */
export async function install(folder: URL): Promise<string | false> {
  try {
    // A test run under npm hands its own settings down, which are not this folder's.
    const environment = Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^npm_(config_local_prefix|package_|lifecycle_)/.test(name)))
    await promisify(execFile)('npm', ['install', '--no-audit', '--no-fund'], { cwd: fileURLToPath(folder), env: environment, timeout: 300_000 })
    return false
  } catch (error) {
    if (process.env['CI']) throw error
    return `npm could not install ${fileURLToPath(folder)}`
  }
}
