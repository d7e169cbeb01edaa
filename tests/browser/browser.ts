// A real Chromium for a test, or the reason why there is none.

import { existsSync } from 'node:fs'
import { after, type TestContext } from 'node:test'
import { chromium, type Browser } from 'playwright-core'

const executablePath = [process.env['CHROMIUM'], '/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find((path) => path && existsSync(path))

/** For the options of a test that needs it. */
export const skip = executablePath ? false : 'there is no Chromium; set CHROMIUM to its path'

// One for all tests of a file, each of which is a process: it takes longer to start than many a test.
let launched: Promise<Browser> | undefined
after(async () => (await launched)?.close())

/** The browser, of which every test has profiles of its own: they are closed after it. */
export async function startBrowser(t: TestContext): Promise<Browser> {
  launched ??= chromium.launch({
    executablePath: executablePath!,
    args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'],
  })
  const browser = await launched
  t.after(() => Promise.all(browser.contexts().map((context) => context.close())))
  return browser
}
