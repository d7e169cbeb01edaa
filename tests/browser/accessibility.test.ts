// Every screen of the page, looked through by axe for what would keep somebody out.

import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { test, type TestContext } from 'node:test'
import type { Page } from 'playwright-core'
import { install } from '../install.ts'
import { skip as noBrowser, startBrowser } from './browser.ts'
import { Profiles, furnish, openScreen, screens, type Look, type Screen } from './screens.ts'

const folder = new URL('./', import.meta.url)
const skip = noBrowser || (await install(folder))

const phone: Look = { size: 360, theme: 'light', locale: 'en-US' }
// The Chinese page has other words in the same places, and most dialogs are the same on a desk.
const desk: Look = { size: 1280, theme: 'light', locale: 'zh-CN' }
const otherOnDesk = [
  'first-visit',
  'invite',
  'talk',
  'new-room',
  'people',
  'account',
  'message-menu',
  'emoji',
  'search',
  'settings-tokens',
  'not-sent',
]
const rules = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice']
// In the dark nothing else is different.
const rulesOfColour = ['color-contrast', 'link-in-text-block']

interface Violation {
  id: string
  help: string
  nodes: { target: string[]; failureSummary: string }[]
}

/** The parts that have to be scrolled sideways to be read. Code has a place of its own to scroll in. */
const tooWide = `[document.documentElement, ...document.querySelectorAll('#side, #log, #welcome, dialog')]
  .filter((part) => part.checkVisibility() && part.scrollWidth > part.clientWidth + 1).map((part) => part.id || part.localName)`

/** What is wrong with what the page shows now, one line each. */
async function faultsOf(page: Page, source: string, rules: string[]): Promise<string[]> {
  // Not as a script of the page, which its policy would rightly refuse, but from outside, as by the developer's console.
  if (!(await page.evaluate<boolean>(`'axe' in window`))) await page.evaluate(source)
  // What is behind an open dialog can't be reached, and is looked at where none is. It would fetch all styles once more, for rules about sound and about films, of which the page has none.
  const violations = await page.evaluate<Violation[]>(
    `axe.run(document.querySelector('dialog:modal') ?? document, { preload: false, runOnly: ${JSON.stringify(rules)}, resultTypes: ['violations'] }).then(({ violations }) => violations)`,
  )
  return violations.flatMap(({ id, help, nodes }) =>
    nodes.map(
      ({ target, failureSummary }) => `${id}: ${help}: ${target.join(' ')}: ${failureSummary.replaceAll(/\s+/g, ' ')}`,
    ),
  )
}

async function faultsOn(t: TestContext, screens: Screen[], seen: Look): Promise<string[]> {
  const source = await readFile(new URL('node_modules/axe-core/axe.min.js', folder), 'utf8')
  const place = await furnish(t)
  const profiles = new Profiles(await startBrowser(t), place)
  const faults: string[] = []
  for (const screen of screens) {
    const page = await openScreen(profiles, place, screen, seen)
    for (const theme of ['light', 'dark'] as const) {
      await page.emulateMedia({ colorScheme: theme })
      faults.push(
        ...(await faultsOf(page, source, theme === 'light' ? rules : rulesOfColour)).map(
          (fault) => `${screen.name}, ${theme}: ${fault}`,
        ),
      )
    }
    await page.evaluate(`document.documentElement.style.fontSize = '200%'`)
    faults.push(
      ...(await page.evaluate<string[]>(tooWide)).map(
        (part) => `${screen.name}, text at 200 %: ${part} scrolls sideways`,
      ),
    )
    await page.close()
  }
  return faults
}

test('no screen keeps anybody out on a phone, as far as a program can tell', { skip }, async (t) => {
  assert.ok(screens.length > 30)
  assert.deepEqual(await faultsOn(t, screens, phone), [])
})

test('no screen keeps anybody out on a desk, in Chinese', { skip }, async (t) => {
  const others = screens.filter(({ name }) => otherOnDesk.includes(name))
  assert.equal(others.length, otherOnDesk.length)
  assert.deepEqual(await faultsOn(t, others, desk), [])
})
