// The real Chromium of this machine, if it has one.

import { existsSync } from 'node:fs'
import { chromium, type Browser } from 'playwright-core'

const executablePath = [process.env['CHROMIUM'], '/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find((path) => path && existsSync(path))

/** Why it can't be had; false if it can. */
export const missing = executablePath ? false : 'there is no Chromium; set CHROMIUM to its path'

export function launch(): Promise<Browser> {
  return chromium.launch({
    executablePath: executablePath!,
    args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'],
  })
}
