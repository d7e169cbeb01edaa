// Two natters on two ports of one host, in one profile of a real browser, which sends the cookies of a host to all of its ports.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openChat } from '../chat-server.ts'
import { skip, startBrowser } from './browser.ts'
import { comeIn, say, sees, visit } from './visit.ts'

test('a guest of two natters on one host stays in both, and talks in both', { skip }, async (t) => {
  const [one, other] = [await openChat(t), await openChat(t)]
  const { page, faults } = await visit(await startBrowser(t), one)
  await comeIn(page, 'ada')
  await say(page, 'said in one')
  await sees(page, 'said in one')

  const second = await page.context().newPage()
  await second.goto(other.url)
  await comeIn(second, 'eve')
  await say(second, 'said in the other')
  await sees(second, 'said in the other')

  for (const [tab, text] of [
    [page, 'still in one'],
    [second, 'still in the other'],
  ] as const) {
    await tab.reload()
    // Without a name there would be no place to write.
    await tab.locator('#text').waitFor()
    await say(tab, text)
    await sees(tab, text)
  }
  assert.deepEqual(
    (await page.context().cookies()).map(({ name }) => name.replace(/[0-9a-z]{8}$/, '…')),
    ['natter-…', 'natter-…'],
  )
  assert.deepEqual(faults, [])
})
