// The window in which one chooses an emoji.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Page } from 'playwright-core'
import { openChat } from '../chat-server.ts'
import { skip, startBrowser } from './browser.ts'
import { becomes, hasFocus, visit } from './visit.ts'

/** Opens the picker beside the button that shows the people, and leaves what was chosen in `window.chosen`. */
async function openPicker(page: Page): Promise<void> {
  await page.evaluate(`(async () => {
    const { EmojiPicker } = await import('/log/emoji-picker.js')
    const anchor = document.getElementById('people-open')
    window.chosen = 'nothing yet'
    window.picker ??= new EmojiPicker()
    anchor.focus()
    window.picker.pick(anchor).then((emoji) => (window.chosen = emoji ?? 'none'))
  })()`)
  await page.locator('.emoji-picker:popover-open').waitFor()
}

test('an emoji is found by either language, taken by keyboard or pointer, and comes first the next time', {
  skip,
}, async (t) => {
  const chat = await openChat(t)
  const browser = await startBrowser(t)
  const { page, faults } = await visit(browser, chat, { viewport: { width: 360, height: 640 } })
  const chosen = () => page.evaluate('window.chosen')
  const search = page.locator('.emoji-picker input')
  const options = page.locator('.emoji-picker [role=option]')
  const selected = page.locator('.emoji-picker [aria-selected=true]')
  await openPicker(page)

  const box = (await page.locator('.emoji-picker').boundingBox())!
  assert.ok(box.x >= 0 && box.y >= 0 && box.x + box.width <= 360 && box.y + box.height <= 640, JSON.stringify(box))
  assert.ok((await options.count()) > 120)
  for (const [typed, emoji] of [
    ['thank', '🙏'],
    ['恭喜', '🎉'],
    ['HEART', '❤️'],
    ['火', '🔥'],
  ] as const) {
    await search.fill(typed)
    assert.ok((await options.allTextContents()).includes(emoji), typed)
  }
  await search.fill('no such thing')
  assert.equal(await options.count(), 0)
  await search.fill('tada')
  await search.press('Enter')
  await page.locator('.emoji-picker:popover-open').waitFor({ state: 'detached' })
  await becomes('🎉', chosen)
  await hasFocus(page, 'people-open')

  await openPicker(page)
  assert.equal(await options.first().textContent(), '🎉')
  await search.press('ArrowRight')
  assert.equal(await selected.textContent(), '😀')
  const { x } = (await selected.boundingBox())!
  await search.press('ArrowDown')
  assert.notEqual(await selected.textContent(), '😀')
  assert.equal((await selected.boundingBox())!.x, x)
  await search.press('ArrowUp')
  assert.equal(await selected.textContent(), '😀')
  assert.equal(await search.getAttribute('aria-activedescendant'), await selected.getAttribute('id'))
  await search.press('Escape')
  await page.locator('.emoji-picker:popover-open').waitFor({ state: 'detached' })
  await becomes('none', chosen)
  await hasFocus(page, 'people-open')

  await openPicker(page)
  await page.locator('.emoji-picker [role=option]', { hasText: '👍' }).click()
  await becomes('👍', chosen)
  await openPicker(page)
  assert.deepEqual((await options.allTextContents()).slice(0, 3), ['👍', '🎉', '😀'])
  // The same button closes it, and a click beside it does.
  await page.evaluate(`document.getElementById('people-open').addEventListener('click', (event) => {
    event.stopImmediatePropagation()
    window.picker.pick(event.currentTarget).then((emoji) => (window.chosen = emoji ?? 'closed by its button'))
  }, { capture: true })`)
  await page.locator('#people-open').click()
  await page.locator('.emoji-picker:popover-open').waitFor({ state: 'detached' })
  await becomes('closed by its button', chosen)
  await openPicker(page)
  await page.mouse.click(2, 638)
  await page.locator('.emoji-picker:popover-open').waitFor({ state: 'detached' })
  await becomes('none', chosen)
  assert.deepEqual(faults, [])
})
