// What one chooses for oneself: tokens for bots, theme, language, what one is notified of, and which keys there are.

import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { test } from 'node:test'
import { promisify } from 'node:util'
import type { BrowserContext, Page } from 'playwright-core'
import { openChat, type ChatServer, type Person } from '../chat-server.ts'
import { skip, startBrowser } from './browser.ts'
import { becomes, comeIn, makeRoom, openAccount, openPeople, say, sees, visit } from './visit.ts'

interface Shown {
  title: string
  body: string
  tag: string
}

/** Takes the place of the browser's notifications, and of its knowledge of whether somebody looks at the page. */
const recorded = `
  globalThis.shown = []
  globalThis.asked = 0
  let permission = 'default'
  globalThis.Notification = class extends EventTarget {
    static get permission() { return permission }
    static async requestPermission() { asked++; return permission = 'granted' }
    constructor(title, options = {}) {
      super()
      if (permission !== 'granted') return
      this.closed = false
      Object.assign(this, { title, body: options.body, tag: options.tag })
      shown.push(this)
    }
    close() { this.closed = true }
  }
  if (localStorage.getItem('natter.notifications')) permission = 'granted'
  let looks = true
  document.hasFocus = () => looks
  globalThis.look = (now) => { looks = now; dispatchEvent(new Event(now ? 'focus' : 'blur')) }
`

const shown = (page: Page): Promise<Shown[]> =>
  page.evaluate(`shown.filter(({ tag }) => tag !== 'first').map(({ title, body, tag }) => ({ title, body, tag }))`)
/** Waits until it is true in the page, or the promise of it is. Playwright's own way is forbidden by the page's policy. */
function until(page: Page, truth: string): Promise<void> {
  return page.evaluate(`new Promise((resolve) => {
    const ask = async () => (await (${truth})) ? resolve() : setTimeout(ask, 20)
    void ask()
  })`)
}

const look = (page: Page, now: boolean): Promise<void> => page.evaluate(`look(${now})`)

/** Ada in a page that notifies, and another that she looks at just as little. */
async function awayWithNotifications(page: Page): Promise<void> {
  await openAccount(page)
  await page.locator('#notifications summary').click()
  assert.equal(await page.evaluate('asked'), 0)
  await page.getByRole('button', { name: 'Turn on' }).click()
  await page.getByRole('button', { name: 'Turn off' }).waitFor()
  assert.equal(await page.evaluate('asked'), 1)
  await page.keyboard.press('Escape')
  await until(page, `navigator.locks.query().then(({ held }) => held.some(({ name }) => name === 'natter.attention'))`)
  await look(page, false)
  await until(page, `navigator.locks.query().then(({ held }) => held.every(({ name }) => name !== 'natter.attention'))`)
}

async function chooseLevel(page: Page, level: string): Promise<void> {
  await openPeople(page)
  await page.getByRole('radio', { name: level }).check()
  await page.keyboard.press('Escape')
}

/** As somebody who has come in already. */
async function visitAs(context: BrowserContext, { url }: ChatServer, person: Person): Promise<Page> {
  const [name, value] = person.headers['cookie']!.split('=') as [string, string]
  await context.addCookies([{ name, value, url }])
  const page = await context.newPage()
  await page.goto(url)
  await page.locator('#connection[data-state=live]').waitFor({ state: 'attached' })
  return page
}

test('a token is made, shown once, works as the page says, and is revoked', { skip }, async (t) => {
  const chat = await openChat(t)
  const browser = await startBrowser(t)
  const owner = await chat.owner('olga')
  const { page: stranger, faults } = await visit(browser, chat)
  await comeIn(stranger, 'guest')
  await openAccount(stranger)
  assert.equal(await stranger.locator('#tokens').isVisible(), false)

  const page = await visitAs(await browser.newContext(), chat, owner)
  await openAccount(page)
  await page.getByText('Tokens for bots').click()
  await page.getByLabel('Name of the bot').fill('weather')
  await page.getByRole('button', { name: 'Make a token' }).click()
  await page.locator('#token-made').waitFor()
  const token = await page.locator('#token-text').inputValue()
  const line = await page.locator('#token-curl').inputValue()
  const { stdout } = await promisify(execFile)('sh', ['-c', `${line} -s`])
  assert.deepEqual((JSON.parse(stdout) as { text: string; from: { name: string } }).from.name, 'weather')
  const bot = chat.withToken(token)
  await bot.say('lobby', 'by fetch')
  await sees(page, 'by fetch')
  await page.locator('#tokens li', { hasText: 'reads and posts' }).waitFor()

  await page.keyboard.press('Escape')
  await openAccount(page)
  await page.getByText('Tokens for bots').click()
  await page.locator('#tokens li').waitFor()
  assert.equal(await page.locator('#token-made').isVisible(), false)
  assert.equal(
    await page.evaluate<boolean>(
      `document.documentElement.outerHTML.includes('${token}') || [...document.querySelectorAll('input, textarea')].some(({ value }) => value.includes('${token}'))`,
    ),
    false,
  )
  await page.getByRole('button', { name: 'Revoke', exact: true }).click()
  await page.getByRole('button', { name: 'Revoke it?' }).click()
  await page.locator('#tokens li').waitFor({ state: 'detached' })
  assert.equal((await chat.fetch('/rooms', { headers: { authorization: `Bearer ${token}` } })).status, 401)
  assert.deepEqual(faults, [])
})

test('the theme that is chosen is there before anything is painted, in all tabs, and until another is chosen', {
  skip,
}, async (t) => {
  const chat = await openChat(t)
  const browser = await startBrowser(t)
  const { page, faults } = await visit(browser, chat, { colorScheme: 'light' })
  // What the page is when its body first comes to be, which nothing can be painted before.
  await page.context().addInitScript(`new MutationObserver((_, observer) => {
    if (!document.body) return
    observer.disconnect()
    globalThis.first = document.documentElement.dataset.theme + ' ' + document.documentElement.dataset.contrast
  }).observe(document, { childList: true, subtree: true })`)
  const other = await page.context().newPage()
  await other.goto(chat.url)
  const ground = (tab: Page) => tab.evaluate(`getComputedStyle(document.body).backgroundColor`)
  const bars = (tab: Page) => tab.locator('meta[name=theme-color]').getAttribute('content')
  assert.deepEqual(
    [await ground(page), await ground(other), await other.evaluate('first')],
    ['rgb(255, 255, 255)', 'rgb(255, 255, 255)', 'light normal'],
  )

  await page.getByRole('button', { name: 'Settings' }).click()
  await page.getByRole('radio', { name: 'Dark' }).check()
  await other.locator('html[data-theme=dark]').waitFor()
  assert.deepEqual(
    [await ground(page), await ground(other), await bars(page)],
    ['rgb(20, 23, 22)', 'rgb(20, 23, 22)', '#141716'],
  )
  await page.getByRole('radio', { name: 'High' }).check()
  await other.locator('html[data-contrast=more]').waitFor()
  assert.deepEqual([await ground(other), await bars(other)], ['rgb(0, 0, 0)', '#000000'])

  await page.reload()
  assert.equal(await page.evaluate('first'), 'dark more')
  assert.equal(await page.evaluate('getComputedStyle(document.documentElement).colorScheme'), 'dark')
  await page.getByRole('button', { name: 'Settings' }).click()
  await becomes(true, () => page.getByRole('radio', { name: 'Dark' }).isChecked())
  await page.getByRole('radio', { name: 'By the system' }).first().check()
  await page.getByRole('radio', { name: 'By the system' }).last().check()
  await other.locator('html[data-theme=light][data-contrast=normal]').waitFor()
  await page.emulateMedia({ colorScheme: 'dark', contrast: 'more' })
  await page.locator('html[data-theme=dark][data-contrast=more]').waitFor()
  assert.deepEqual(faults, [])
})

test('another language is chosen by its own name, and what is being written stays', { skip }, async (t) => {
  const chat = await openChat(t)
  const browser = await startBrowser(t)
  const { page, faults } = await visit(browser, chat)
  await comeIn(page, 'ada')
  await page.locator('#text').fill('half a sent')

  await openAccount(page)
  await page.getByText('Appearance and language').click()
  await page.getByRole('button', { name: '简体中文' }).click()
  await page.locator('html[lang=zh-CN]').waitFor()
  await page.getByPlaceholder('写点什么').waitFor()
  assert.equal(await page.locator('#text').inputValue(), 'half a sent')
  await page.locator('#me').click()
  await page.getByText('外观与语言').click()
  assert.equal(await page.getByRole('button', { name: '简体中文' }).getAttribute('aria-pressed'), 'true')
  await page.getByRole('button', { name: 'English' }).click()
  await page.getByPlaceholder('Write a message').waitFor()
  await openAccount(page)
  await page.getByText('Appearance and language').click()
  await page.getByRole('button', { name: 'By the browser' }).click()
  await page.locator('#account').waitFor({ state: 'hidden' })
  await becomes(null, () => page.evaluate(`localStorage.getItem('natter.language')`))
  assert.deepEqual(faults, [])
})

test('whoever is nobody yet chooses how the page looks and which language it speaks, and nothing else', {
  skip,
}, async (t) => {
  const chat = await openChat(t, { flags: ['--access', 'invite'] })
  const browser = await startBrowser(t)
  const { page, faults } = await visit(browser, chat, { until: '#welcome:not([hidden])' })

  await page.getByRole('button', { name: 'Settings' }).click()
  await page.locator('#account[open]').waitFor()

  await becomes(['Appearance and language'], () => page.locator('#account summary:visible').allTextContents())
  assert.deepEqual(await page.locator('#account form:visible').count(), 1) // the button that closes
  assert.equal(await page.locator('#leave-open').isVisible(), false)
  assert.deepEqual(faults, [])
})

test('whoever does not look is notified of what names them, once, and is led to it', { skip }, async (t) => {
  const chat = await openChat(t)
  const browser = await startBrowser(t)
  const { page, faults } = await visit(browser, chat)
  await page.context().addInitScript(recorded)
  await page.reload()
  await comeIn(page, 'ada')
  await makeRoom(page, 'Kitchen')
  const bob = await chat.comeIn('bob')
  await bob.say('kitchen', '@ada before')
  await sees(page, '@ada before')
  await awayWithNotifications(page)
  const other = await page.context().newPage()
  await other.goto(chat.url)
  await other.locator('#connection[data-state=live]').waitFor({ state: 'attached' })
  await look(other, false)
  await until(
    other,
    `navigator.locks.query().then(({ held }) => held.every(({ name }) => name !== 'natter.attention'))`,
  )
  assert.deepEqual([await shown(page), await shown(other)], [[], []])

  await bob.say('kitchen', 'nobody is named')
  const { id } = await bob.say('kitchen', `@ada  ${'a word and '.repeat(30)}`)
  const tabs = [page, other]
  await Promise.any(tabs.map((tab) => until(tab, `shown.some(({ title }) => title.includes('bob'))`)))
  await bob.say('kitchen', 'the last')
  await sees(page, 'the last')
  await other.locator('#rooms a', { hasText: 'Kitchen' }).locator('.badge', { hasText: '3' }).waitFor()
  for (const tab of tabs) await tab.evaluate('navigator.locks.query()') // which is answered after all that was asked before
  const all = [...(await shown(page)), ...(await shown(other))]
  assert.equal(all.length, 1, JSON.stringify(all))
  assert.deepEqual([all[0]!.title, all[0]!.tag], ['bob in Kitchen', 'natter.kitchen'])
  assert.match(all[0]!.body, /^@ada a word and .*…$/)
  assert.equal([...all[0]!.body].length, 121)

  const told = (await shown(page)).length > 0 ? page : other
  await told.evaluate(`shown.at(-1).dispatchEvent(new Event('click'))`)
  await told.waitForURL(`${chat.url}/rooms/kitchen/messages/${id}`)
  await until(told, 'shown.at(-1).closed')
  assert.deepEqual(faults, [])
})

test('nobody is notified of their own words, of a room that is to be quiet, or while they look', {
  skip,
}, async (t) => {
  const chat = await openChat(t)
  const browser = await startBrowser(t)
  const { page, faults } = await visit(browser, chat)
  await page.context().addInitScript(recorded)
  await page.reload()
  await comeIn(page, 'ada')
  await makeRoom(page, 'Kitchen')
  await makeRoom(page, 'Attic')
  await chooseLevel(page, 'Nothing')
  await page.locator('#rooms a', { hasText: 'Kitchen' }).click()
  await chooseLevel(page, 'Everything')
  const bob = await chat.comeIn('bob')
  await awayWithNotifications(page)

  await say(page, '@ada by myself')
  await sees(page, '@ada by myself')
  await bob.say('attic', '@ada in a quiet room')
  await bob.say('kitchen', 'in a loud one')
  await until(page, `shown.some(({ body }) => body === 'in a loud one')`)
  assert.deepEqual(
    (await shown(page)).map(({ body }) => body),
    ['in a loud one'],
  )
  await look(page, true)
  await until(page, 'shown.at(-1).closed') // it is read
  await bob.say('kitchen', 'while she looks')
  await sees(page, 'while she looks')
  await look(page, false)
  await until(page, `navigator.locks.query().then(({ held }) => held.every(({ name }) => name !== 'natter.attention'))`)
  await bob.say('kitchen', 'and away again')
  await until(page, `shown.some(({ body }) => body === 'and away again')`)

  assert.deepEqual(
    (await shown(page)).map(({ body }) => body),
    ['in a loud one', 'and away again'],
  )
  assert.deepEqual(faults, [])
})

test('where there are no notifications the settings say why, and ask for nothing', { skip }, async (t) => {
  const chat = await openChat(t)
  const browser = await startBrowser(t)
  const said = async (script: string): Promise<string> => {
    const { page } = await visit(browser, chat)
    await page.context().addInitScript(script)
    await page.reload()
    await comeIn(page, `ada ${browser.contexts().length}`)
    await openAccount(page)
    await page.locator('#notifications summary').click()
    assert.equal(await page.locator('#notifications-turn').isVisible(), false)
    return await page.locator('#notifications-state', { hasText: /./ }).innerText()
  }

  assert.match(await said(`Object.defineProperty(globalThis, 'isSecureContext', { value: false })`), /https:/)
  assert.match(await said(`Object.defineProperty(Notification, 'permission', { value: 'denied' })`), /does not allow/)
  assert.match(
    await said(
      `globalThis.Notification = class { static permission = 'default'; constructor() { throw new TypeError('Illegal constructor') } }`,
    ),
    /has no notifications/,
  )
  assert.match(await said('delete globalThis.Notification'), /has no notifications/)
})

test('the title counts what calls me: by the room, all of it, what names me, or nothing', { skip }, async (t) => {
  const chat = await openChat(t)
  const browser = await startBrowser(t)
  const { page, faults } = await visit(browser, chat)
  await comeIn(page, 'ada')
  await makeRoom(page, 'Kitchen')
  await page.locator('#rooms a', { hasText: 'lobby' }).click()
  const bob = await chat.comeIn('bob')
  const title = (words: string) => until(page, `document.title === '${words}'`)
  for (const text of ['one', '@ada two', 'three']) await bob.say('kitchen', text)
  await title('(1) natter')

  await page.evaluate(
    `localStorage.setItem('natter.levels', '{"kitchen":"all"}'), dispatchEvent(new StorageEvent('storage', { key: 'natter.levels' }))`,
  )
  await title('(3) natter')
  await page.locator('#rooms a', { hasText: 'Kitchen' }).click()
  await title('Kitchen · natter')
  await openPeople(page)
  await becomes(true, () => page.getByRole('radio', { name: 'Everything' }).isChecked())
  await page.getByRole('radio', { name: 'Nothing' }).check()
  await page.keyboard.press('Escape')
  await page.locator('#rooms a', { hasText: 'lobby' }).click()
  await bob.say('kitchen', '@ada four')
  await page.locator('#rooms a', { hasText: 'Kitchen' }).locator('.badge', { hasText: '1' }).waitFor()

  assert.equal(await page.title(), 'natter')
  await page.reload()
  await page.locator('#rooms a', { hasText: 'Kitchen' }).locator('.badge:not([hidden])').waitFor()
  assert.equal(await page.title(), 'natter')
  assert.deepEqual(faults, [])
})

test('keys lead from room to room, and to the list of keys, but not out of what one is writing', {
  skip,
}, async (t) => {
  const chat = await openChat(t)
  const browser = await startBrowser(t)
  const { page, faults } = await visit(browser, chat)
  await comeIn(page, 'ada')
  for (const name of ['Attic', 'Barn', 'Cellar']) await makeRoom(page, name)
  const at = (name: string) => page.locator('#room-name', { hasText: new RegExp(`^${name}$`) }).waitFor()
  const bob = await chat.comeIn('bob')

  await page.keyboard.press('Alt+ArrowUp')
  await at('Barn')
  await page.keyboard.press('Alt+ArrowDown')
  await page.keyboard.press('Alt+ArrowDown')
  await at('lobby')
  await bob.say('barn', 'hello')
  await page.locator('#rooms .news').waitFor()
  await page.keyboard.press('Alt+Shift+ArrowUp')
  await at('Barn')
  await sees(page, 'hello')

  await page.locator('#text').fill('')
  await page.locator('#text').pressSequentially('what?')
  assert.equal(await page.locator('#text').inputValue(), 'what?')
  assert.equal(await page.locator('#shortcuts').isVisible(), false)
  await page.evaluate(
    `document.activeElement.dispatchEvent(new KeyboardEvent('keydown', { key: 'ArrowDown', altKey: true, isComposing: true, bubbles: true, cancelable: true }))`,
  )
  await page.locator('#log').focus()
  await page.keyboard.press('?')
  await page.locator('#shortcuts[open]').waitFor()
  await becomes(8, () => page.locator('#shortcuts dt').count())
  await page.keyboard.press('Alt+ArrowDown')
  await page.keyboard.press('Escape')
  await page.locator('#shortcuts').waitFor({ state: 'hidden' })
  await at('Barn')
  await openAccount(page)
  await page.getByRole('button', { name: 'Keyboard shortcuts' }).click()
  await page.locator('#shortcuts[open]').waitFor()
  assert.deepEqual(faults, [])
})
