// What the page offers while one writes: names after an @, emoji after a colon.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Page } from 'playwright-core'
import { openChat } from '../chat-server.ts'
import { skip, startBrowser } from './browser.ts'
import { becomes, comeIn, sees, visit } from './visit.ts'

const offered = (page: Page) => page.locator('#completion li bdi').allTextContents()
const active = (page: Page): Promise<string | undefined> =>
  page.evaluate(
    `document.getElementById(document.getElementById('text').getAttribute('aria-activedescendant'))?.querySelector('bdi').textContent`,
  )

test('after an @ the people of the room are offered, and one is taken by Enter, Tab or a click', {
  skip,
}, async (t) => {
  const chat = await openChat(t)
  const browser = await startBrowser(t)
  const people = await Promise.all(['bob', 'Barbara Liskov', 'carol', '小明'].map((name) => chat.comeIn(name)))
  for (const person of people) await person.ask('PUT', '/rooms/lobby/members/me')
  const { page, faults, requests } = await visit(browser, chat)
  await comeIn(page, 'ada')
  const text = page.locator('#text')
  const asked = () => requests.filter((url) => url.endsWith('/rooms/lobby/members')).length

  await text.pressSequentially('hi @b')
  await page.locator('#completion li', { hasText: 'Barbara' }).waitFor()
  assert.deepEqual(await offered(page), ['Barbara Liskov', 'bob'])
  assert.equal(await text.getAttribute('aria-controls'), 'completion') // a field of lines may not say that it is expanded
  assert.equal(await active(page), 'Barbara Liskov')
  await text.press('ArrowDown')
  assert.equal(await active(page), 'bob')
  await text.press('ArrowDown')
  await text.press('Enter')
  assert.equal(await text.inputValue(), 'hi @Barbara Liskov ')
  assert.equal(await page.locator('#completion').isVisible(), false)
  assert.equal(await text.getAttribute('aria-controls'), null)

  // A name of two words is found by the second, and by both.
  await text.fill('')
  await text.pressSequentially('@barbara li')
  assert.deepEqual(await offered(page), ['Barbara Liskov'])
  await text.press('Tab')
  assert.equal(await text.inputValue(), '@Barbara Liskov ')
  assert.equal(await page.evaluate('document.activeElement.id'), 'text')
  await text.fill('')
  await text.pressSequentially('你好@小')
  await page.locator('#completion li', { hasText: '小明' }).click()
  assert.equal(await text.inputValue(), '你好@小明 ')

  // What is taken is what the server reads.
  await text.press('Enter')
  await sees(page, '你好@小明')
  await page.locator('.message .mention', { hasText: '@小明' }).waitFor()
  assert.ok(asked() <= 2, 'once for who may be named, perhaps once for who is here, and not for each letter')
  assert.deepEqual(faults, [])
})

test('Escape leaves the word as it is, Enter after a whole name sends, and an address offers nothing', {
  skip,
}, async (t) => {
  const chat = await openChat(t)
  const browser = await startBrowser(t)
  const people = await Promise.all(['bob', 'Bob Dylan'].map((name) => chat.comeIn(name)))
  for (const person of people) await person.say('lobby', 'hello')
  const { page, faults } = await visit(browser, chat)
  await comeIn(page, 'ada')
  await sees(page, 'hello')
  const text = page.locator('#text')

  await text.pressSequentially('@b')
  await page.locator('#completion li').first().waitFor()
  await text.press('Escape')
  assert.equal(await page.locator('#completion').isVisible(), false)
  await text.pressSequentially('ob')
  assert.equal(await page.locator('#completion').isVisible(), false)
  await text.press('Enter')
  await sees(page, '@bob')

  // Another may be called Bob Dylan, but a space ends a name too.
  await text.pressSequentially('@bob ')
  await page.locator('#completion li').first().waitFor()
  await becomes(undefined, () => active(page))
  await text.press('Enter')
  await page.locator('.message:not([data-state]) .text', { hasText: '@bob' }).nth(1).waitFor()
  assert.equal(await text.inputValue(), '')

  for (const typed of ['mail ada@b', 'https://a', 'at 12:30', '@nobody at all']) {
    await text.fill('')
    await text.pressSequentially(typed)
    assert.equal(await page.locator('#completion').isVisible(), false, typed)
  }
  await text.fill('')
  await text.pressSequentially('@ro')
  assert.match((await offered(page))[0]!, /@room/)
  await text.press('Enter')
  assert.equal(await text.inputValue(), '@room ')
  await text.pressSequentially(':tad')
  await page.locator('#completion li', { hasText: '🎉' }).waitFor() // the first time the emoji have to be fetched
  await text.press('Enter')
  assert.equal(await text.inputValue(), '@room 🎉 ')
  assert.deepEqual(faults, [])
})

test('while an input method composes, its keys are its own', { skip }, async (t) => {
  const chat = await openChat(t)
  const browser = await startBrowser(t)
  const bob = await chat.comeIn('小明')
  await bob.say('lobby', 'hello')
  const { page, faults } = await visit(browser, chat)
  await comeIn(page, 'ada')
  await sees(page, 'hello')
  const text = page.locator('#text')
  const composing = await page.context().newCDPSession(page)

  await text.pressSequentially('@')
  await page.locator('#completion li', { hasText: '小明' }).waitFor()
  await composing.send('Input.imeSetComposition', { text: 'xiaoming', selectionStart: 8, selectionEnd: 8 })
  await page.evaluate(
    `document.getElementById('text').dispatchEvent(new KeyboardEvent('keydown', { key: 'Enter', isComposing: true, bubbles: true, cancelable: true }))`,
  )
  assert.equal(await text.inputValue(), '@xiaoming')
  await composing.send('Input.insertText', { text: '小' })
  await becomes(['小明'], () => offered(page))
  await text.press('Enter')
  assert.equal(await text.inputValue(), '@小明 ')
  assert.deepEqual(faults, [])
})
