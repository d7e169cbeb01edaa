// Saves every screen of the page, on a phone, a tablet and a desk, light and dark, in both languages, to be looked at:
//
//     npm run screenshot             # all, into screenshots/
//     npm run screenshot -- people   # those whose name has that in it

import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { launch } from './chromium.ts'
import { Profiles, furnish, openScreen, screens, type Look } from './screens.ts'

const folder = fileURLToPath(new URL('../../screenshots/', import.meta.url))
const sizes = [360, 768, 1280]
const themes = [
  ['light', 'en-US'],
  ['light', 'zh-CN'],
  ['dark', 'en-US'],
  ['dark', 'zh-CN'],
  ['light-high', 'en-US'],
  ['dark-high', 'en-US'],
] as const
const looks = sizes.flatMap((size) => themes.map(([theme, locale]): Look => ({ size, theme, locale })))

const after: (() => unknown)[] = []
try {
  mkdirSync(folder, { recursive: true })
  const place = await furnish({ after: (work) => after.unshift(work as () => unknown) })
  const browser = await launch()
  after.unshift(() => browser.close())
  const profiles = new Profiles(browser, place)
  for (const screen of screens.filter(({ name }) => name.includes(process.argv[2] ?? ''))) {
    for (const look of looks) {
      const page = await openScreen(profiles, place, screen, look)
      await page.screenshot({
        path: join(folder, `${screen.name}-${look.size}-${look.theme}-${look.locale.slice(0, 2)}.png`),
      })
      await page.close()
    }
    console.log(`saved ${screen.name}`)
  }
} finally {
  for (const work of after) await work()
}
