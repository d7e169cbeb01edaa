// Blocking somebody at the page, and leaving a conversation of two.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Browser, Page } from 'playwright-core'
import { openChat, type ChatServer, type Person } from '../chat-server.ts'
import { skip, startBrowser } from './browser.ts'
import { becomes, openAccount, openPeople, sees } from './visit.ts'

const phone = { viewport: { width: 360, height: 740 }, hasTouch: true, isMobile: true }

/** As somebody who has come in already. */
async function visitAs(
  browser: Browser,
  { url }: ChatServer,
  person: Person,
  { path = '/', ...options } = {},
): Promise<Page> {
  const context = await browser.newContext({ reducedMotion: 'reduce', ...options })
  const [name, value] = person.headers['cookie']!.split('=') as [string, string]
  await context.addCookies([{ name, value, url }])
  const page = await context.newPage()
  await page.goto(url + path)
  await page.locator('#connection[data-state=live]').waitFor({ state: 'attached' })
  return page
}

const blocked = async (person: Person) =>
  (await person.read<{ blocks: { user: { name: string } }[] }>('/blocks')).blocks.map(({ user }) => user.name)
const roomsOn = (page: Page): Promise<string[]> =>
  page.evaluate(`[...document.querySelectorAll('#rooms bdi')].map((name) => name.textContent)`)
const badgeOf = (page: Page, room: string): Promise<[string, boolean]> =>
  page.evaluate(
    `(({ textContent, hidden, classList }) => [hidden ? '' : textContent, classList.contains('calling')])(document.querySelector('#rooms [data-room="${room}"] .badge'))`,
  )

test('somebody is blocked where one meets them, by keyboard, and unblocked in the settings', { skip }, async (t) => {
  const chat = await openChat(t)
  const browser = await startBrowser(t)
  const [ada, bob, eve] = [await chat.comeIn('ada'), await chat.comeIn('bob'), await chat.comeIn('eve')]
  const direct = await ada.direct(bob)
  await ada.say('lobby', 'I am everywhere')
  await ada.say(direct, 'buy this')
  await bob.join('lobby')
  const garden = await eve.makeRoom('garden')
  await bob.join(garden)
  const page = await visitAs(browser, chat, bob, { path: `/rooms/${direct}` })
  const other = await visitAs(browser, chat, bob)
  await sees(page, 'buy this')
  await becomes(['lobby', 'garden', 'ada'].sort(), async () => (await roomsOn(other)).sort())

  // From the message: by keyboard alone.
  await page.locator('.message').last().focus()
  await page.keyboard.press('Enter')
  await page.locator('#actions[open]').waitFor()
  while ((await page.evaluate(`document.activeElement?.value`)) !== 'block') await page.keyboard.press('ArrowDown')
  await page.keyboard.press('Enter')
  await page.locator('#block[open]').waitFor()
  assert.equal(await page.locator('#block-title').textContent(), 'Block ada?')
  await page.keyboard.press('Escape')
  assert.deepEqual(await blocked(bob), [])
  await page.locator('.message:focus').waitFor()
  await page.keyboard.press('Enter')
  while ((await page.evaluate(`document.activeElement?.value`)) !== 'block') await page.keyboard.press('ArrowDown')
  await page.keyboard.press('Enter')
  await page.locator('#block[open]').waitFor()
  await page.locator('#block-go').press('Enter')

  // The conversation is gone, here and on every other page of theirs.
  await page.locator('#room-name', { hasText: 'lobby' }).waitFor()
  for (const one of [page, other]) await becomes(['lobby', 'garden'].sort(), async () => (await roomsOn(one)).sort())
  assert.deepEqual(await blocked(bob), ['ada'])
  await ada.say(direct, 'buy that')
  // What they say in rooms of all is seen, and calls nobody.
  await ada.say(garden, 'here too, @bob')
  await ada.say('lobby', 'and here, @bob')
  await sees(page, 'and here, @bob')
  await becomes(['1', false], () => badgeOf(page, garden))
  await becomes(['1', false], () => badgeOf(other, garden))
  await other.reload()
  await other.locator('#connection[data-state=live]').waitFor({ state: 'attached' })
  await becomes(['1', false], () => badgeOf(other, garden))
  assert.ok(!(await roomsOn(other)).includes('ada'))

  // Among the people they are marked, and can't be written to.
  await openPeople(page)
  const item = page.locator('#members li', { hasText: 'ada' })
  await item.locator('.role-words', { hasText: 'blocked by you' }).waitFor()
  await item.locator('.person').click()
  assert.deepEqual(await item.locator('.choices button:visible').allTextContents(), ['Unblock'])
  await page.keyboard.press('Escape')

  await openAccount(page)
  await page.locator('#blocked summary').press('Enter')
  await page.getByRole('button', { name: 'Unblock ada' }).press('Enter')
  await page.locator('#blocked .note', { hasText: 'You have blocked nobody.' }).waitFor()
  assert.equal(await page.evaluate(`document.activeElement?.localName`), 'summary')
  await page.keyboard.press('Escape')

  // It is back, with what they had seen.
  for (const one of [page, other]) await becomes(true, async () => (await roomsOn(one)).includes('ada'))
  await page.locator(`#rooms [data-room="${direct}"] a`).click()
  await sees(page, 'buy this')
  await ada.say(direct, 'sorry')
  await sees(page, 'sorry')
  assert.equal(await page.locator('.message', { hasText: 'buy that' }).count(), 0)
  assert.deepEqual(await blocked(bob), [])
})

test('a conversation of two is left on a phone, and comes back when the other writes', { skip }, async (t) => {
  const chat = await openChat(t)
  const browser = await startBrowser(t)
  const [ada, bob] = [await chat.comeIn('ada'), await chat.comeIn('bob')]
  const direct = await ada.direct(bob)
  await ada.say(direct, 'see you')
  const page = await visitAs(browser, chat, bob, { path: `/rooms/${direct}`, ...phone })
  const adas = await visitAs(browser, chat, ada, { path: `/rooms/${direct}` })
  await sees(page, 'see you')

  await openPeople(page)
  const leave = page.locator('#leave-room')
  assert.equal(await leave.textContent(), 'Leave the conversation')
  await leave.tap()
  await page.locator('#leave-room', { hasText: 'Leave it?' }).tap()
  await page.locator('#room-name', { hasText: 'lobby' }).waitFor()
  await becomes(['lobby'], () => roomsOn(page))
  // The other's page shows nothing of it.
  await openPeople(adas)
  await becomes(['ada', 'bob'], async () => (await adas.locator('#members .name').allTextContents()).sort())

  await ada.say(direct, 'one more thing')
  await becomes(true, async () => (await roomsOn(page)).includes('ada'))
  await becomes(['1', false], () => badgeOf(page, direct))
  await page.locator('#side-open').tap()
  await page.locator(`#rooms [data-room="${direct}"] a`).tap()
  await sees(page, 'one more thing')
})
