// What a program that looks through a page can't see: what a screen reader is told, where the focus goes, and on which side text stands.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Page } from 'playwright-core'
import { openChat } from '../chat-server.ts'
import { skip, startBrowser } from './browser.ts'
import { comeIn, hasFocus, openAccount, openPeople, say, sees, visit } from './visit.ts'

/** How what happens in the first that fits is told to who can't see it: as its nearest live part says. */
function told(page: Page, selector: string): Promise<string> {
  return page.evaluate(`document.querySelector(${JSON.stringify(selector)}).closest('[aria-live]').ariaLive`)
}

/** How far what is written stands from both edges of its place. */
function gaps(page: Page, text: string): Promise<{ left: number; right: number }> {
  return page.locator('.said', { hasText: text }).evaluate((said) => {
    const { document } = globalThis as unknown as {
      document: {
        createRange(): {
          selectNodeContents(node: unknown): void
          getBoundingClientRect(): { left: number; right: number }
        }
      }
    }
    const range = document.createRange()
    range.selectNodeContents(said.querySelector('.text'))
    const [place, written] = [said.getBoundingClientRect(), range.getBoundingClientRect()]
    return { left: Math.round(written.left - place.left), right: Math.round(place.right - written.right) }
  })
}

test('what others say is read out, and neither what was said before nor what one says oneself', { skip }, async (t) => {
  const chat = await openChat(t)
  const bob = await chat.comeIn('bob')
  await bob.say('lobby', 'said before')
  const { page, faults } = await visit(await startBrowser(t), chat)
  assert.equal(await told(page, '.message'), 'off')
  await comeIn(page, 'ada')
  await page.locator('#log[aria-live=polite]').waitFor()

  await bob.say('lobby', 'said by bob')
  await say(page, 'said by ada')
  await sees(page, 'said by ada')
  await sees(page, 'said by bob')

  assert.equal(await told(page, '.message:not(.own)'), 'polite')
  assert.equal(await told(page, '.message.own'), 'off')
  await page.route('**/messages', (route) =>
    route.fulfill({ status: 403, contentType: 'application/problem+json', body: '{"code":"forbidden","detail":"no"}' }),
  )
  await say(page, 'not sent')
  await page.locator('[data-state=failed]').waitFor()
  assert.equal(await told(page, '[data-state=failed] .state'), 'polite')
  assert.deepEqual(faults, [])
})

test('the focus is never lost: by the skip link, a dialog, a retry, a notice that is closed, and leaving', {
  skip,
}, async (t) => {
  const chat = await openChat(t)
  const { page, faults } = await visit(await startBrowser(t), chat)
  await page.keyboard.press('Tab')
  await page.keyboard.press('Enter')
  await hasFocus(page, 'log')
  assert.equal(new URL(page.url()).hash, '')
  await comeIn(page, 'ada')
  await hasFocus(page, 'text')

  await openAccount(page)
  await page.keyboard.press('Escape')
  await hasFocus(page, 'me')
  await openPeople(page)
  await page.keyboard.press('Escape')
  await hasFocus(page, 'people-open')

  await page.route('**/messages', (route) =>
    route.fulfill({ status: 403, contentType: 'application/problem+json', body: '{"code":"forbidden","detail":"no"}' }),
  )
  await say(page, 'not sent')
  await page.getByRole('button', { name: 'Try again' }).press('Enter')
  await hasFocus(page, 'text')
  await page.getByRole('button', { name: 'Discard' }).press('Enter')
  await hasFocus(page, 'text')

  await page.goto(`${chat.url}/rooms/lobby/messages/1`)
  await page.locator('#notice:visible').waitFor()
  await page.locator('#log').focus()
  await page.locator('#notice button').press('Enter')
  await hasFocus(page, 'log')

  await openAccount(page)
  await page.locator('#leave-open').press('Enter')
  await page.locator('#leave-confirm').press('Enter')
  await page.locator('#entry-place:visible').waitFor()
  await hasFocus(page, 'name')
  assert.deepEqual(faults, [])
})

test('who comes in or logs out has the focus at the next field at once, however long the rest takes', {
  skip,
}, async (t) => {
  const chat = await openChat(t)
  const { page, faults } = await visit(await startBrowser(t), chat)
  const held = Promise.withResolvers<void>()
  await page.route('**/rooms', async (route) => {
    await held.promise
    await route.continue()
  })

  await comeIn(page, 'ada')
  await hasFocus(page, 'text')
  await openAccount(page)
  await page.locator('#leave-open').press('Enter')
  await page.locator('#leave-confirm').press('Enter')
  await hasFocus(page, 'name')

  held.resolve()
  assert.deepEqual(faults, [])
})

test('what is written from right to left stands at the right, and names begin where all names do', {
  skip,
}, async (t) => {
  const chat = await openChat(t)
  const noa = await chat.comeIn('נועה')
  await noa.say('lobby', 'שלום עולם!')
  await noa.say('lobby', 'good morning')
  const { page, faults } = await visit(await startBrowser(t), chat)
  await comeIn(page, 'נור')
  await sees(page, 'good morning')

  const [hebrew, english] = [await gaps(page, 'שלום'), await gaps(page, 'morning')]
  assert.ok(hebrew.right === 0 && hebrew.left > 100, JSON.stringify(hebrew))
  assert.ok(english.left === 0 && english.right > 100, JSON.stringify(english))
  assert.equal(await page.evaluate(`getComputedStyle(document.getElementById('me-name')).textAlign`), 'left')
  assert.deepEqual(faults, [])
})
