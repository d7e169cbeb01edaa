// A browser for the tests of a file, or the reason why there is none.

import { after } from 'node:test'
import type { Browser } from 'playwright-core'
import type { Scope } from '../chat-server.ts'
import { launch, missing } from './chromium.ts'

/** For the options of a test that needs it. */
export const skip = missing

// One for all tests of a file, each of which is a process: it takes longer to start than many a test.
let launched: Promise<Browser> | undefined
after(async () => (await launched)?.close())

/** The browser, of which every test has profiles of its own: they are closed after it. */
export async function startBrowser(t: Scope): Promise<Browser> {
  launched ??= launch()
  const browser = await launched
  t.after(() => Promise.all(browser.contexts().map((context) => context.close())))
  return browser
}
