// Who one is at the page: guests, accounts, sessions, and what somebody who governs the place does with others.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openChat } from '../chat-server.ts'
import { skip, startBrowser } from './browser.ts'
import { becomes, comeIn, logIn, openAccount, openPeople, register, say, sees, visit } from './visit.ts'

const password = 'a long enough one'

test('a guest makes an account of the name, keeps what was said, and logs in from another browser', {
  skip,
}, async (t) => {
  const chat = await openChat(t)
  const browser = await startBrowser(t)
  const { page, faults } = await visit(browser, chat)
  await comeIn(page, 'ada')
  await say(page, 'said as a guest')
  await sees(page, 'said as a guest')

  await openAccount(page)
  await page.locator('#make-account-password').fill('short')
  await page.getByRole('button', { name: 'Make it an account' }).click()
  await page.locator('#make-account-problem:not([hidden])').waitFor()
  await page.locator('#make-account-password').fill(password)
  await page.getByRole('button', { name: 'Make it an account' }).click()
  await page.getByText('This is your account now.').waitFor()
  await page.locator('#make-account').waitFor({ state: 'hidden' })
  await page.keyboard.press('Escape')
  await say(page, 'said with an account')
  await sees(page, 'said with an account')

  const other = await visit(browser, chat)
  await logIn(other.page, 'ada', 'not the one')
  await other.page.locator('#entry-problem:not([hidden])').waitFor()
  await other.page.locator('#password').fill(password)
  await other.page.getByRole('button', { name: 'Log in', exact: true }).click()
  await other.page.locator('#text').waitFor()
  await becomes(2, () => other.page.locator('.message.own').count())
  assert.deepEqual([...faults, ...other.faults], [])
})

test('name and password are changed by whom they belong to, and the other browser is told to log in again', {
  skip,
}, async (t) => {
  const chat = await openChat(t)
  const browser = await startBrowser(t)
  const [{ page }, other] = await Promise.all([visit(browser, chat), visit(browser, chat)])
  await register(page, 'ada', password)
  await logIn(other.page, 'ada', password)
  await other.page.locator('#text').waitFor()

  await openAccount(page)
  await page.getByRole('textbox', { name: 'Name', exact: true }).fill('Ada Lovelace')
  await page.getByRole('button', { name: 'Change', exact: true }).click()
  await other.page.locator('#me-name', { hasText: 'Ada Lovelace' }).waitFor()
  await page.getByText('Change the password').first().click()
  await page.getByLabel('Password until now').fill(password)
  await page.getByLabel('New password').fill('another long one')
  await page.getByRole('button', { name: 'Change the password' }).click()
  await page.getByText('The password is changed.').waitFor()

  await other.page.locator('#name').waitFor()
  await logIn(other.page, 'Ada Lovelace', 'another long one')
  await other.page.locator('#text').waitFor()
})

test('logging out everywhere ends the page in the other browser too', { skip }, async (t) => {
  const chat = await openChat(t)
  const browser = await startBrowser(t)
  const [{ page, faults }, other] = await Promise.all([visit(browser, chat), visit(browser, chat)])
  await register(page, 'ada', password)
  await logIn(other.page, 'ada', password)
  await other.page.locator('#text').waitFor()

  await openAccount(page)
  await page.getByText('Where you are logged in').click()
  await page.locator('#sessions li').nth(1).waitFor()
  assert.deepEqual(await page.locator('#sessions li strong').allTextContents(), ['This browser', 'Another browser'])
  await page.getByRole('button', { name: 'Log out everywhere' }).click()
  await page.getByRole('button', { name: 'Log out here too?' }).click()

  await page.locator('#name').waitFor()
  await other.page.locator('#name').waitFor()
  assert.equal(await other.page.locator('#me').isVisible(), false)
  assert.deepEqual([...faults, ...other.faults], [])
})

test('somebody else’s session alone can be ended, and this one goes on', { skip }, async (t) => {
  const chat = await openChat(t)
  const browser = await startBrowser(t)
  const [{ page }, other] = await Promise.all([visit(browser, chat), visit(browser, chat)])
  await register(page, 'ada', password)
  await logIn(other.page, 'ada', password)
  await other.page.locator('#text').waitFor()

  await openAccount(page)
  await page.getByText('Where you are logged in').click()
  await page.locator('#sessions li').nth(1).getByRole('button', { name: 'Log out' }).click()

  await other.page.locator('#name').waitFor()
  await page.locator('#sessions li').nth(1).waitFor({ state: 'detached' })
  await page.keyboard.press('Escape')
  await say(page, 'still here')
  await sees(page, 'still here')
})

test('where one is only by invitation, the page shows nothing but how to come in', { skip }, async (t) => {
  const chat = await openChat(t, { flags: ['--access', 'invite'] })
  const browser = await startBrowser(t)
  const closed = '#welcome:not([hidden])'
  const owner = await visit(browser, { url: chat.ownerLink }, { path: '', until: '#join:not([hidden])' })
  await owner.page.locator('#join-name').fill('ada')
  await owner.page.getByRole('button', { name: 'Choose a password too' }).click()
  await owner.page.locator('#join-password').fill(password)
  await owner.page.getByRole('button', { name: 'Come in' }).click()
  await say(owner.page, 'among ourselves')
  await sees(owner.page, 'among ourselves')

  const { page, faults } = await visit(browser, chat, { until: closed })
  assert.equal(await page.locator('main').isVisible(), false)
  assert.deepEqual(await page.locator(`${closed} button:visible`).allTextContents(), ['Log in'])
  await page.locator('#name').fill('ada')
  await page.locator('#password').fill(password)
  await page.getByRole('button', { name: 'Log in' }).click()
  await sees(page, 'among ourselves')
  await openAccount(page)
  await page.getByRole('button', { name: 'Log out', exact: true }).click()
  await page.locator(closed).waitFor()
  assert.equal(await page.locator('.message').count(), 0)
  assert.deepEqual([...owner.faults, ...faults], [])
})

test('who is banned is told so, and finds the page closed', { skip }, async (t) => {
  const chat = await openChat(t)
  const browser = await startBrowser(t)
  const owner = await visit(browser, { url: chat.ownerLink }, { path: '', until: '#join:not([hidden])' })
  await owner.page.locator('#join-name').fill('ada')
  await owner.page.getByRole('button', { name: 'Come in' }).click()
  await owner.page.locator('#join-password').fill(password)
  await owner.page.getByRole('button', { name: 'Come in' }).click()
  await owner.page.locator('#me-note', { hasText: 'owner' }).waitFor()
  const { page, faults } = await visit(browser, chat)
  await comeIn(page, 'mallory')
  await say(page, 'spam')
  await sees(owner.page, 'spam')

  await openPeople(owner.page)
  await owner.page.getByRole('button', { name: 'mallory' }).click()
  await owner.page.getByRole('button', { name: 'Ban', exact: true }).click()
  const dialog = owner.page.locator('#ban')
  await dialog.getByRole('heading', { name: 'Ban mallory?' }).waitFor()
  await dialog.getByLabel('Delete all they said').check()
  await dialog.getByRole('button', { name: 'Ban', exact: true }).click()

  await page.getByText('You are banned from natter.').waitFor()
  await page.reload()
  await page.getByText('You are banned from natter.').waitFor()
  assert.equal(await page.locator('.message').count(), 0)
  // What was chosen is done, and chosen for nobody else.
  await owner.page.locator('.message', { hasText: 'spam' }).waitFor({ state: 'detached' })
  assert.equal(await dialog.isVisible(), false)
  assert.deepEqual(
    [await dialog.getByLabel('Archive').isChecked(), (await owner.page.getByText('banned').count()) > 0],
    [false, true],
  )
  assert.deepEqual([...owner.faults, ...faults], [])
})
