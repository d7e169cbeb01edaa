// Saves every screen of the page, on a phone, a tablet and a desk, light and dark in both languages, and in high contrast, to be looked at:
//
//     npm run screenshot             # all, into screenshots/
//     npm run screenshot -- people   # those whose name has that in it

import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Browser, Page } from 'playwright-core'
import { startChat, type ChatServer, type Person, type Scope } from '../chat-server.ts'
import { launch } from './chromium.ts'

interface Screen {
  name: string
  /** The page before anybody has come in. */
  stranger?: true
  /** The page of who governs the place. */
  owner?: true
  path?: (place: Place) => string
  act?: (page: Page, size: number, place: Place) => Promise<unknown>
}

interface Place {
  chat: ChatServer
  ada: Person
  li: Person
  olga: Person
  invite: string
}

type Theme = 'light' | 'dark' | 'light-high' | 'dark-high'

const sizes = [360, 768, 1280]
const looks: [Theme, string][] = [['light', 'en-US'], ['light', 'zh-CN'], ['dark', 'en-US'], ['dark', 'zh-CN'], ['light-high', 'en-US'], ['dark-high', 'en-US']]
const folder = fileURLToPath(new URL('../../screenshots/', import.meta.url))

async function openSide(page: Page, size: number): Promise<void> {
  if (size < 768) await page.locator('#side-open').click()
}

async function openSettings(page: Page, size: number, part: string): Promise<void> {
  await openSide(page, size)
  await page.locator('#me').click()
  await page.locator(`#${part} summary`).click()
}

const screens: Screen[] = [
  { name: 'first-visit', stranger: true },
  { name: 'first-visit-account', stranger: true, act: (page) => page.locator('.ways [value=account]').click() },
  { name: 'invite', stranger: true, path: ({ invite }) => invite },
  { name: 'invite-without-code', stranger: true, path: () => '/join' },
  { name: 'talk' },
  { name: 'rooms', act: openSide },
  {
    name: 'new-room',
    act: async (page, size) => {
      await openSide(page, size)
      await page.locator('#new-room-open').click()
    },
  },
  { name: 'private-room', path: () => '/rooms/summer' },
  { name: 'empty-room', path: () => '/rooms/empty' },
  { name: 'missing-room', path: () => '/rooms/nowhere' },
  {
    name: 'people',
    act: async (page) => {
      await page.locator('#people-open').click()
      await page.locator('#members li').first().waitFor()
    },
  },
  {
    name: 'search',
    act: async (page) => {
      await page.locator('#search-open').click()
      await page.locator('#search-field').fill('a')
      await page.locator('#search-results a').first().waitFor()
    },
  },
  {
    name: 'search-nothing',
    act: async (page) => {
      await page.locator('#search-open').click()
      await page.locator('#search-field').fill('京 nowhere')
      await page.locator('#search [role=status]', { hasText: /^(Nothing found|没有找到)$/ }).waitFor()
    },
  },
  {
    name: 'typing',
    act: async (page, _, { li, olga }) => {
      for (const person of [li, olga]) await person.ask('POST', '/rooms/lobby/typing')
      await page.locator('#typing', { hasText: 'Olga' }).waitFor()
    },
  },
  {
    name: 'account',
    act: async (page, size) => {
      await openSide(page, size)
      await page.locator('#me').click()
    },
  },
  {
    name: 'settings-stranger',
    stranger: true,
    act: async (page, size) => {
      await openSide(page, size)
      await page.locator('#settings-open').click()
      await page.locator('#account[open]').waitFor()
    },
  },
  { name: 'settings-appearance', act: (page, size) => openSettings(page, size, 'appearance') },
  { name: 'settings-notifications', act: (page, size) => openSettings(page, size, 'notifications') },
  {
    name: 'settings-tokens',
    owner: true,
    act: async (page, size) => {
      // Those of the picture before go; but a bot keeps its name.
      await page.evaluate(`fetch('/tokens').then((answer) => answer.json()).then(({ tokens }) => Promise.all(tokens.map(({ id }) => fetch('/tokens/' + id, { method: 'DELETE' }))))`)
      await openSettings(page, size, 'tokens')
      for (const name of [`weather ${Date.now() % 1000}`, `天气预报 ${Date.now() % 1000}`]) {
        await page.locator('#token-name').fill(name)
        await page.locator('#token-form > button').click()
        await page.locator('#tokens li', { hasText: name }).waitFor()
      }
    },
  },
  {
    name: 'shortcuts',
    act: async (page) => {
      await page.locator('#log').focus()
      await page.keyboard.press('?')
      await page.locator('#shortcuts[open]').waitFor()
    },
  },
  {
    name: 'not-sent',
    act: async (page) => {
      await page.route('**/messages', (route) => route.fulfill({ status: 403, contentType: 'application/problem+json', body: '{"code":"forbidden","detail":"no"}' }))
      await page.locator('#text').fill('This one does not get through')
      await page.locator('#text').press('Enter')
      await page.locator('.message[data-state=failed]').waitFor()
    },
  },
]

/** A place where people have talked for a while. */
async function furnish(t: Scope): Promise<Place> {
  const chat = await startChat(t)
  const olga = await chat.owner('Olga')
  const ada = await chat.account('Ada Lovelace')
  const li = await chat.account('李明')
  const noor = await chat.comeIn('نور')
  const longName = await chat.comeIn('Wolfeschlegelsteinhausenbergerdorff')
  await olga.makeRoom('Garden', { topic: 'What grows, what does not, and who waters it while we are away this summer' })
  await olga.makeRoom('Empty')
  await olga.makeRoom('A rather long name for a narrow list')
  for (const person of [ada, li]) await person.join('garden')
  await ada.say('lobby', 'Good morning! Is the **kitchen** free at four? I would like to bring a cake 🎂')
  const cake = await li.say('lobby', '太好了！我下午三点半到。')
  await li.say('lobby', '要不要带点茶？')
  await noor.say('lobby', 'صباح الخير، سأحضر القهوة')
  const list = await olga.say('lobby', 'What we still need:\n- plates\n- candles, the small ones\n- `npm install-test` on the old laptop\n\n> Is the kitchen free at four?\nIt is. See https://example.org/rooms/kitchen?when=today#four')
  await longName.say('lobby', 'I can take care of the candles. Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft!')
  await olga.say('lobby', '```js\nconst prices = new Hub({ ring: 1000 })\nprices.publish(\'ACME\', { event: \'price\', data: { symbol: \'ACME\', price: 12.3 } })\n```')
  await li.ask('POST', '/rooms/lobby/messages', { text: '@Ada Lovelace 蛋糕是什么口味的？', replyTo: list.id })
  const last = await ada.say('lobby', 'Chocolate, of course. @Olga, could you open the door?')
  for (const [person, message, emoji] of [[ada, cake, '🍵'], [olga, cake, '🍵'], [li, last, '🍫'], [olga, last, '🍫'], [noor, last, '🍫'], [olga, last, '👍']] as const) {
    await person.ask('PUT', `/rooms/lobby/messages/${message.id}/reactions/${encodeURIComponent(emoji)}`)
  }
  await ada.ask('PATCH', `/rooms/lobby/messages/${last.id}`, { text: 'Dark chocolate, of course. @Olga, could you open the door?' })
  await olga.ask('PUT', '/rooms/lobby/members/me', {}).catch(() => {})
  for (const text of ['The tomatoes are ripe', '@Ada Lovelace have a look']) await olga.say('garden', text)
  const summer = await ada.makeRoom('Summer', { kind: 'private', topic: 'A surprise' })
  await ada.add(summer, li)
  await li.say(summer, '谁来订火车票？')
  const direct = await li.direct(ada)
  await li.say(direct, '明天见')
  for (const person of [li, olga, noor]) await person.listen()
  const invite = await olga.invite({ room: 'garden' })
  return { chat, ada, li, olga, invite: new URL(invite.url).pathname + new URL(invite.url).hash }
}

async function save(browser: Browser, place: Place, screen: Screen, { size, theme, locale }: { size: number; theme: Theme; locale: string }): Promise<void> {
  const [name, value] = place[screen.owner ? 'olga' : 'ada'].headers['cookie']!.split('=') as [string, string]
  const context = await browser.newContext({ viewport: { width: size, height: size < 768 ? 740 : 800 }, colorScheme: theme.startsWith('dark') ? 'dark' : 'light', contrast: theme.endsWith('high') ? 'more' : 'no-preference', locale, hasTouch: size < 768, deviceScaleFactor: size < 768 ? 2 : 1 })
  if (!screen.stranger) await context.addCookies([{ name, value, url: place.chat.url }])
  const page = await context.newPage()
  await page.goto(place.chat.url + (screen.path?.(place) ?? '/'))
  await page.locator(screen.path?.(place).startsWith('/join') ? '#welcome-title:visible' : '#connection[data-state=live]').waitFor({ state: 'attached' })
  await page.locator('#loading').waitFor({ state: 'hidden' })
  await screen.act?.(page, size, place)
  await page.evaluate('document.fonts.ready.then(() => new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve, 250))))') // what moves has come to rest
  await page.screenshot({ path: join(folder, `${screen.name}-${size}-${theme}-${locale.slice(0, 2)}.png`) })
  await context.close()
}

const after: (() => unknown)[] = []
try {
  mkdirSync(folder, { recursive: true })
  const place = await furnish({ after: (work) => after.unshift(work as () => unknown) })
  const browser = await launch()
  after.unshift(() => browser.close())
  for (const screen of screens.filter(({ name }) => name.includes(process.argv[2] ?? ''))) {
    for (const size of sizes) for (const [theme, locale] of looks) await save(browser, place, screen, { size, theme, locale })
    console.log(`saved ${screen.name}`)
  }
} finally {
  for (const work of after) await work()
}
