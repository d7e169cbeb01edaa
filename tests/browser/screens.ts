// Every screen of the page, at a place where people have talked for a while: to be saved as pictures, and to be looked through for what
// keeps somebody out.

import type { Browser, BrowserContext, Page } from 'playwright-core'
import { openChat, type ChatServer, type Person, type Scope } from '../chat-server.ts'
import { unpacked } from './visit.ts'

export interface Screen {
  name: string
  /** Who is at the page; Ada unless it says another. The stranger has not come in yet, and Olga governs the place. */
  who?: 'stranger' | 'ada' | 'guest' | 'olga'
  path?: (place: Place) => string
  /** What somebody does there, in a window of this width. */
  act?: (page: Page, size: number, place: Place) => Promise<unknown>
}

export interface Place {
  chat: ChatServer
  ada: Person
  guest: Person
  li: Person
  olga: Person
  invite: string
  /** A private room, which Ada owns. */
  summer: string
  /** Hers with Li. */
  direct: string
  /** A message that is some way up. */
  early: string
}

/** How the page is looked at. */
export interface Look {
  size: number
  theme: 'light' | 'dark' | 'light-high' | 'dark-high'
  locale: 'en-US' | 'zh-CN'
}

const narrow = 768 // pixels of width below which it is a phone

async function openSide(page: Page, size: number): Promise<void> {
  if (size < narrow) await page.locator('#side-open').click()
}

async function openSettings(page: Page, size: number, part: string): Promise<void> {
  await openSide(page, size)
  await page.locator('#me').click()
  await page.locator(`#${part} summary`).click()
}

/** Of the last message. */
async function openMenu(page: Page): Promise<void> {
  await page.locator('.message').last().focus()
  await page.keyboard.press('Enter')
  await page.locator('#actions[open]').waitFor()
}

export const screens: Screen[] = [
  { name: 'first-visit', who: 'stranger' },
  { name: 'first-visit-account', who: 'stranger', act: (page) => page.locator('.ways [value=account]').click() },
  { name: 'invite', who: 'stranger', path: ({ invite }) => invite },
  { name: 'invite-without-code', who: 'stranger', path: () => '/join' },
  { name: 'talk' },
  { name: 'rooms', act: openSide },
  {
    name: 'new-room',
    act: async (page, size) => {
      await openSide(page, size)
      await page.locator('#new-room-open').click()
    },
  },
  { name: 'private-room', path: ({ summer }) => `/rooms/${summer}` },
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
    name: 'account',
    act: async (page, size) => {
      await openSide(page, size)
      await page.locator('#me').click()
    },
  },
  {
    name: 'password',
    act: async (page, size) => {
      await openSide(page, size)
      await page.locator('#me').click()
      for (const part of ['new-password', 'sessions']) await page.locator(`#${part} summary`).click()
      await page.locator('#sessions li').first().waitFor()
    },
  },
  {
    name: 'guest',
    who: 'guest',
    act: async (page, size) => {
      await openSide(page, size)
      await page.locator('#me').click()
    },
  },
  {
    name: 'leave',
    who: 'guest',
    act: async (page, size) => {
      await openSide(page, size)
      await page.locator('#me').click()
      await page.locator('#leave-open').click()
    },
  },
  {
    name: 'room-settings',
    path: ({ summer }) => `/rooms/${summer}`,
    act: async (page) => {
      await page.locator('#people-open').click()
      await page.locator('#settings summary').click()
    },
  },
  {
    name: 'ban',
    who: 'olga',
    act: async (page) => {
      await page.locator('#people-open').click()
      await page.locator('#members li:not(.own) .person:enabled').first().click()
      await page.locator('#members .choices:not([hidden]) [value=ban]').click()
      await page.locator('#ban[open]').waitFor()
    },
  },
  {
    name: 'direct-leave',
    path: ({ direct }) => `/rooms/${direct}`,
    act: async (page) => {
      await page.locator('#people-open').click()
      await page.locator('#members .person:enabled').first().click()
    },
  },
  {
    name: 'block',
    act: async (page) => {
      await page.locator('.message:not(.own)').last().focus()
      await page.keyboard.press('Enter')
      await page.locator('#actions [value=block]').click()
      await page.locator('#block[open]').waitFor()
    },
  },
  {
    name: 'message-menu-other',
    act: async (page) => {
      await page.locator('.message:not(.own)').last().focus()
      await page.keyboard.press('Enter')
      await page.locator('#actions[open]').waitFor()
    },
  },
  { name: 'settings-blocked', who: 'olga', act: (page, size) => openSettings(page, size, 'blocked') },
  { name: 'message', path: ({ early }) => `/rooms/lobby/messages/${early}` },
  { name: 'message-menu', act: openMenu },
  {
    name: 'deletion',
    act: async (page) => {
      await openMenu(page)
      await page.locator('#actions [value=delete]').click()
      await page.locator('#deletion[open]').waitFor()
    },
  },
  {
    name: 'reply',
    act: async (page) => {
      await openMenu(page)
      await page.locator('#actions [value=reply]').click()
    },
  },
  {
    name: 'edit',
    act: async (page) => {
      await openMenu(page)
      await page.locator('#actions [value=edit]').click()
    },
  },
  {
    name: 'emoji',
    act: async (page) => {
      await openMenu(page)
      await page.locator('#actions [value=pick]').click()
      await page.locator('.emoji-picker').waitFor()
    },
  },
  {
    name: 'completion',
    act: async (page) => {
      await page.locator('#text').pressSequentially('Is that you, @')
      await page.locator('.completion').waitFor()
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
      // It is told once in a second, and may have been a moment ago, to who looked before.
      while (!(await page.locator('#typing', { hasText: 'Olga' }).isVisible())) {
        for (const person of [li, olga]) await person.ask('POST', '/rooms/lobby/typing')
        await page.waitForTimeout(200)
      }
    },
  },
  {
    name: 'settings-stranger',
    who: 'stranger',
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
    who: 'olga',
    act: async (page, size) => {
      // Those of the pictures before go; but a bot keeps its name.
      await page.evaluate(
        `fetch('/tokens').then((answer) => answer.json()).then(({ tokens }) => Promise.all(tokens.slice(4).map(({ id }) => fetch('/tokens/' + id, { method: 'DELETE' }))))`,
      )
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
      await page.route('**/messages', (route) =>
        route.fulfill({
          status: 403,
          contentType: 'application/problem+json',
          body: '{"code":"forbidden","detail":"no"}',
        }),
      )
      await page.locator('#text').fill('This one does not get through')
      await page.locator('#text').press('Enter')
      await page.locator('.message[data-state=failed]').waitFor()
    },
  },
]

/** A place where people have talked for a while. */
export async function furnish(t: Scope): Promise<Place> {
  const chat = await openChat(t)
  const olga = await chat.owner('Olga')
  const ada = await chat.account('Ada Lovelace')
  const li = await chat.account('李明')
  const noor = await chat.comeIn('نور')
  const longName = await chat.comeIn('Wolfeschlegelsteinhausenbergerdorff')
  await olga.makeRoom('Garden', { topic: 'What grows, what does not, and who waters it while we are away this summer' })
  await olga.makeRoom('Empty')
  await olga.makeRoom('A rather long name for a narrow list')
  for (const person of [ada, li]) await person.join('garden')
  const early = await ada.say('lobby', 'Good morning! Is the **kitchen** free at four? I would like to bring a cake 🎂')
  const cake = await li.say('lobby', '太好了！我下午三点半到。')
  await li.say('lobby', '要不要带点茶？')
  await noor.say('lobby', 'صباح الخير، سأحضر القهوة')
  const list = await olga.say(
    'lobby',
    'What we still need:\n- plates\n- candles, the small ones\n- `npm install-test` on the old laptop\n\n> Is the kitchen free at four?\nIt is. See https://example.org/rooms/kitchen?when=today#four',
  )
  await longName.say(
    'lobby',
    'I can take care of the candles. Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft!',
  )
  await olga.say(
    'lobby',
    "```js\nconst prices = new Hub({ ring: 1000 })\nprices.publish('ACME', { event: 'price', data: { symbol: 'ACME', price: 12.3 } })\n```",
  )
  await li.ask('POST', '/rooms/lobby/messages', { text: '@Ada Lovelace 蛋糕是什么口味的？', replyTo: list.id })
  const last = await ada.say('lobby', 'Chocolate, of course. @Olga, could you open the door?')
  for (const [person, message, emoji] of [
    [ada, cake, '🍵'],
    [olga, cake, '🍵'],
    [li, last, '🍫'],
    [olga, last, '🍫'],
    [noor, last, '🍫'],
    [olga, last, '👍'],
  ] as const) {
    await person.ask('PUT', `/rooms/lobby/messages/${message.id}/reactions/${encodeURIComponent(emoji)}`)
  }
  await ada.ask('PATCH', `/rooms/lobby/messages/${last.id}`, {
    text: 'Dark chocolate, of course. @Olga, could you open the door?',
  })
  await olga.ask('PUT', '/rooms/lobby/members/me', {}).catch(() => {})
  for (const text of ['The tomatoes are ripe', '@Ada Lovelace have a look']) await olga.say('garden', text)
  const summer = await ada.makeRoom('Summer', { kind: 'private', topic: 'A surprise' })
  await ada.add(summer, li)
  await li.say(summer, '谁来订火车票？')
  const direct = await li.direct(ada)
  await li.say(direct, '明天见')
  for (const person of [li, olga, noor]) await person.listen()
  for (const name of ['Mallory', 'ملاك', '王伟', 'Somebody with a rather long name'])
    await olga.ask('PUT', `/blocks/${(await chat.comeIn(name)).id}`)
  const invite = await olga.invite({ room: 'garden' })
  return {
    chat,
    ada,
    guest: noor,
    li,
    olga,
    summer,
    direct,
    early: early.id,
    invite: new URL(invite.url).pathname + new URL(invite.url).hash,
  }
}

/** A profile for each who looks at the place and each way it is looked at, kept for all their screens. */
export class Profiles {
  #browser
  #place
  #open = new Map<string, BrowserContext>()

  constructor(browser: Browser, place: Place) {
    this.#browser = browser
    this.#place = place
  }

  async of(who: 'stranger' | 'ada' | 'guest' | 'olga', look: Look): Promise<BrowserContext> {
    const key = JSON.stringify([who, look])
    const kept = this.#open.get(key)
    if (kept) return kept
    const { size, theme, locale } = look
    const phone = size < narrow
    const context = await this.#browser.newContext({
      viewport: { width: size, height: phone ? 740 : 800 },
      colorScheme: theme.startsWith('dark') ? 'dark' : 'light',
      contrast: theme.endsWith('high') ? 'more' : 'no-preference',
      reducedMotion: 'reduce',
      locale,
      extraHTTPHeaders: unpacked,
      hasTouch: phone,
      isMobile: phone,
      deviceScaleFactor: phone ? 2 : 1,
    })
    if (who !== 'stranger') {
      const [name, value] = this.#place[who].headers['cookie']!.split('=') as [string, string]
      await context.addCookies([{ name, value, url: this.#place.chat.url }])
    }
    this.#open.set(key, context)
    return context
  }
}

/** The page as somebody sees it there, in a tab that is to be closed by who asked for it. */
export async function openScreen(
  profiles: Profiles,
  place: Place,
  { who = 'ada', path, act }: Screen,
  look: Look,
): Promise<Page> {
  const context = await profiles.of(who, look)
  const page = await context.newPage()
  const address = path?.(place) ?? '/'
  await page.goto(place.chat.url + address)
  await page
    .locator(address.startsWith('/join') ? '#welcome-title:visible' : '#connection[data-state=live]')
    .waitFor({ state: 'attached' })
  await page.locator('#loading').waitFor({ state: 'hidden' })
  await act?.(page, look.size, place)
  await page.evaluate(
    'document.fonts.ready.then(() => new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve))))',
  )
  return page
}
