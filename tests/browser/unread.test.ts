// What is new: how much of it stands beside each room, in the title and behind a line, on every device of a person; and a link
// to a message, from which one reads on both ways.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Page } from 'playwright-core'
import { openChat } from '../chat-server.ts'
import { skip, startBrowser } from './browser.ts'
import { startLine } from './line.ts'
import { becomes, comeIn, confirmed, makeRoom, scrollUntil, sees, visit } from './visit.ts'

const badge = (page: Page, room: string, words: string) =>
  page.locator('#rooms a', { hasText: room }).locator('.badge:not([hidden])', { hasText: new RegExp(`^${words}$`) })
const noBadge = (page: Page, room: string) => page.locator('#rooms a', { hasText: room }).locator('.badge[hidden]')

test('what was said elsewhere is counted, marked in the room, and read on all devices at once', { skip }, async (t) => {
  const chat = await openChat(t)
  const browser = await startBrowser(t)
  const bob = await chat.comeIn('bob')
  const { page: desk, faults } = await visit(browser, chat)
  await comeIn(desk, 'ada')
  await makeRoom(desk, 'Kitchen')
  const phone = await desk
    .context()
    .browser()!
    .newContext({ viewport: { width: 360, height: 740 }, storageState: await desk.context().storageState() })
  t.after(() => phone.close())
  const other = await phone.newPage()
  await other.goto(chat.url)
  await noBadge(other, 'Kitchen').waitFor({ state: 'attached' })
  await desk.locator('#rooms a', { hasText: 'lobby' }).click()

  const said = []
  for (const text of ['one', '@ada two', 'three']) said.push(await bob.say('kitchen', text))
  await badge(desk, 'Kitchen', '3').waitFor()
  await badge(other, 'Kitchen', '3').waitFor({ state: 'attached' })
  assert.equal(await desk.title(), '(1) natter')
  await bob.ask('DELETE', `/rooms/kitchen/messages/${said[1]!.id}`)
  await badge(desk, 'Kitchen', '2').waitFor()
  assert.equal(await desk.title(), 'natter')
  await desk.reload()
  await badge(desk, 'Kitchen', '2').waitFor()

  await desk.locator('#rooms a', { hasText: 'Kitchen' }).click()
  await sees(desk, 'three')
  await noBadge(desk, 'Kitchen').waitFor({ state: 'attached' })
  await noBadge(other, 'Kitchen').waitFor({ state: 'attached' })
  assert.equal(
    await desk
      .locator('.message', { has: desk.locator('.new:visible') })
      .locator('.text')
      .textContent(),
    'one',
  )
  await desk.reload()
  await sees(desk, 'three')
  assert.equal(await desk.locator('.new:visible').count(), 0)
  assert.deepEqual(faults, [])
})

test('from a link to a message one reads on in both directions', { skip }, async (t) => {
  const chat = await openChat(t)
  const browser = await startBrowser(t)
  const bob = await chat.comeIn('bob')
  const ids: string[] = []
  for (let count = 0; count < 300; count += 50) {
    const said = await Promise.all(Array.from({ length: 50 }, (_, at) => bob.say('lobby', `message ${count + at}`)))
    ids.push(...said.map(({ id }) => id))
  }
  const { messages } = await bob.read<{ messages: { id: string; text: string }[] }>('/rooms/lobby/messages?limit=200')
  const aim = messages[50]!
  const { page, faults } = await visit(browser, chat, { path: `/rooms/lobby/messages/${aim.id}` })
  await sees(page, aim.text)

  assert.equal(await page.locator('.message.found .text').textContent(), aim.text)
  await becomes(true, () =>
    page.evaluate<boolean>(`(() => {
    const { top, bottom } = document.querySelector('.found').getBoundingClientRect()
    return top > 0 && bottom < innerHeight
  })()`),
  )
  const before = await page.locator(confirmed).count()
  assert.ok(before < 200, `${before} are shown`)
  await bob.say('lobby', 'the very last')
  await page.getByText('1 new').waitFor()
  // A page at a time.
  await scrollUntil(page, page.locator(confirmed, { hasText: 'the very last' }), 'down')
  await scrollUntil(page, page.locator('#beginning:visible'), 'up')
  const texts = await page.locator(confirmed).allTextContents()
  assert.equal(texts.length, 301)
  assert.equal(new Set(texts).size, 301)
  assert.equal(texts.at(-1), 'the very last')
  assert.deepEqual(
    await page
      .locator('.message')
      .evaluateAll((all) =>
        all
          .map((one) => Number((one as unknown as { dataset: { id: string } }).dataset.id))
          .filter((id, at, ids) => at > 0 && id <= ids[at - 1]!),
      ),
    [],
  )
  assert.deepEqual(faults, [])
})

test('what was said and changed while one was away is counted once, though only the change is told', {
  skip,
}, async (t) => {
  const chat = await openChat(t)
  const browser = await startBrowser(t)
  const line = await startLine(t, chat)
  const { page, faults } = await visit(browser, line)
  await comeIn(page, 'ada')
  const bob = await chat.comeIn('bob')
  await makeRoom(page, 'Kitchen')
  await page.locator('#rooms a', { hasText: 'lobby' }).click()

  line.cut()
  await page.locator('#connection[data-state=reconnecting]').waitFor({ state: 'attached' })
  const { id } = await bob.say('kitchen', 'diner is ready')
  await bob.ask('PATCH', `/rooms/kitchen/messages/${id}`, { text: '@ada dinner is ready' })
  await bob.say('kitchen', 'come')
  await bob.say('lobby', 'the last')
  line.mend()
  await sees(page, 'the last')

  await badge(page, 'Kitchen', '2').waitFor()
  assert.equal(await page.title(), '(1) natter')
  assert.deepEqual(faults, [])
})

test('what the server did not hear of being read is told again, until it has', { skip }, async (t) => {
  const chat = await openChat(t)
  const browser = await startBrowser(t)
  const { page, faults } = await visit(browser, chat)
  await comeIn(page, 'ada')
  const bob = await chat.comeIn('bob')
  await makeRoom(page, 'Kitchen')
  await page.locator('#rooms a', { hasText: 'lobby' }).click()
  await bob.say('kitchen', 'one')
  await badge(page, 'Kitchen', '1').waitFor()
  const lost = Promise.withResolvers<void>()
  let losing = true
  await page.route('**/rooms/kitchen/read', async (route) => {
    if (!losing) return route.continue()
    losing = false
    await route.abort()
    lost.resolve()
  })
  await page.locator('#rooms a', { hasText: 'Kitchen' }).click()
  await sees(page, 'one')
  await lost.promise
  await page.locator('#rooms a', { hasText: 'lobby' }).click()

  await page.waitForRequest('**/rooms/kitchen/read')
  const reader = await page.context().newPage()
  await reader.goto(chat.url)

  await noBadge(reader, 'Kitchen').waitFor({ state: 'attached' })
  assert.deepEqual(faults, [])
})
