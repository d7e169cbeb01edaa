// What goes astray: parts of the page that are not to be had when they are needed, links to what was never there, what is refused
// where nobody looks, and texts that nobody would type.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openChat } from '../chat-server.ts'
import { skip, startBrowser } from './browser.ts'
import { becomes, comeIn, makeRoom, openPeople, register, say, sees, visit } from './visit.ts'

test('a part of the page that could not be fetched says so, and is fetched again with the next click', {
  skip,
}, async (t) => {
  const chat = await openChat(t)
  const browser = await startBrowser(t)
  const { page } = await visit(browser, chat)
  await comeIn(page, 'ada')
  await page.route(/static-/, (route) => route.abort())

  await page.getByRole('button', { name: 'People in this room' }).click()
  await page.locator('#notice', { hasText: 'cannot be reached' }).waitFor()
  await page.unroute(/static-/)

  await openPeople(page)
})

test('a page of another version than the server loads itself anew when it needs what is not there any more', {
  skip,
}, async (t) => {
  const chat = await openChat(t)
  const browser = await startBrowser(t)
  const { page } = await visit(browser, chat)
  await comeIn(page, 'ada')
  await page.locator('#text').fill('not sent yet')
  await page.route(/static-/, (route) => route.fulfill({ status: 404, body: '' }))
  const loaded = page.waitForRequest((request) => request.isNavigationRequest())

  await page.getByRole('button', { name: 'People in this room' }).click()
  await loaded
  await page.unroute(/static-/)
  await openPeople(page)

  await becomes('not sent yet', () => page.locator('#text').inputValue())
})

test('the link that skips to the messages goes there, and leaves them as they are', { skip }, async (t) => {
  const chat = await openChat(t)
  const browser = await startBrowser(t)
  const { page, faults, requests } = await visit(browser, chat)
  await comeIn(page, 'ada')
  await say(page, 'hello')
  await sees(page, 'hello')
  const before = requests.length

  await page.locator('.skip').focus()
  await page.keyboard.press('Enter')
  await page.locator('#log:focus').waitFor()
  await page.evaluate('new Promise((resolve) => setTimeout(resolve))')

  assert.equal(await page.evaluate('document.activeElement.id'), 'log')
  assert.deepEqual(
    requests.slice(before).filter((url) => url.includes('/rooms/')),
    [],
  )
  assert.deepEqual(faults, [])
})

test('a link with a number that no message can have leads to its room', { skip }, async (t) => {
  const chat = await openChat(t)
  const browser = await startBrowser(t)
  await (await chat.comeIn('bob')).say('lobby', 'hello')
  const { page, faults } = await visit(browser, chat, { path: '/rooms/lobby/messages/99999999999999999999999999' })

  await sees(page, 'hello')
  assert.deepEqual(faults, [])
})

test('a message that is refused while one is in another room is told of', { skip }, async (t) => {
  const chat = await openChat(t)
  const browser = await startBrowser(t)
  const owner = await chat.owner('olga')
  const { page, faults } = await visit(browser, chat)
  await comeIn(page, 'ada')
  await makeRoom(page, 'Kitchen')
  const held = Promise.withResolvers<void>()
  const asked = Promise.withResolvers<void>()
  await page.route('**/rooms/kitchen/messages', async (route) => {
    asked.resolve()
    await held.promise
    await route.continue()
  })
  await say(page, 'soup?')
  await asked.promise
  await page.locator('#rooms a', { hasText: 'lobby' }).click()
  await owner.ask('PATCH', '/rooms/kitchen', { archived: true })
  held.resolve()

  await page.locator('#notice', { hasText: 'Not sent' }).waitFor()
  assert.deepEqual(faults, [])
})

test('a question whether one is sure stays while others talk', { skip }, async (t) => {
  const chat = await openChat(t)
  const browser = await startBrowser(t)
  const { page, faults } = await visit(browser, chat)
  await register(page, 'ada', 'correct horse battery')
  await makeRoom(page, 'Attic', { private: true })
  const room = decodeURIComponent(new URL(page.url()).pathname.split('/').at(-1)!)
  const bob = await chat.comeIn('bob')
  await page.getByRole('button', { name: 'People in this room' }).click()
  await page.locator('#add-name').fill('bob')
  await page.locator('#add-person button').click()
  await page.locator('#members .person', { hasText: 'bob' }).click()
  const remove = page.locator('#members [value=remove]:visible')
  await remove.click()
  const words = await remove.textContent()

  await bob.say(room, 'hello')
  await page.locator('.text', { hasText: 'hello' }).waitFor({ state: 'attached' })

  assert.equal(await remove.textContent(), words)
  assert.equal(await page.evaluate('document.activeElement.value'), 'remove')
  assert.deepEqual(faults, [])
})

test('a text of mostly nothing that was pasted does not hold up the page', { skip }, async (t) => {
  const chat = await openChat(t)
  const browser = await startBrowser(t)
  const { page, faults } = await visit(browser, chat)
  await comeIn(page, 'ada')

  const tookMs = await page.evaluate<number>(`(() => {
    const field = document.getElementById('text')
    field.value = 'a' + ' '.repeat(200_000) + 'b'
    const startedAt = performance.now()
    field.dispatchEvent(new InputEvent('input', { bubbles: true }))
    return performance.now() - startedAt
  })()`)

  assert.ok(tookMs < 1_500, `it took ${tookMs} ms`)
  assert.deepEqual(faults, [])
})
