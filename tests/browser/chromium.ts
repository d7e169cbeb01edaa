// The real Chromium of this machine, if it has one.

import { existsSync } from 'node:fs'
import { chromium, type Browser } from 'playwright-core'

// The first has no window that it could show: it is the same but for that, and a test takes half as long.
const executablePath = [
  process.env['CHROMIUM'],
  '/usr/bin/chromium-headless-shell',
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
].find((path) => path && existsSync(path))

/** Why it can't be had; false if it can. */
export const missing = executablePath ? false : 'there is no Chromium; set CHROMIUM to its path'

// The list below of what is off takes the place of Playwright's own, so what matters of that is named again: it keeps a page painting while
// the next one comes, cookies of other sites where they were, and the browser from looking for things on the network.
const off = [
  'PaintHolding',
  'ThirdPartyStoragePartitioning',
  'AvoidUnnecessaryBeforeUnloadCheckSync',
  'DestroyProfileOnBrowserClose',
  'AvoidCorsURLLoaderRestartOnRedirect',
  'HttpsUpgrades',
  'HttpsFirstBalancedModeAutoEnable',
  'OptimizationHints',
  'NetworkTimeServiceQuerying',
  'PreconnectToSearch',
  'MediaRouter',
]
// The lists that open below the address, which nobody sees here, are pages in a process of their own, one for every profile: they take
// more of the machine than the page that is tested.
const unseen = ['WebUIOmniboxPopup', 'WebUIOmniboxAimPopup', 'WebUIOmniboxFullPopup']

export function launch(): Promise<Browser> {
  return chromium.launch({
    executablePath: executablePath!,
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
      `--disable-features=${[...off, ...unseen].join()}`,
    ],
  })
}
