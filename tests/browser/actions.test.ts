// What people do with messages at the page: change, delete, answer and react, with a pointer, a finger, or the keyboard alone.

import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import type { Locator, Page } from 'playwright-core'
import { openChat, type ChatServer } from '../chat-server.ts'
import { skip, startBrowser } from './browser.ts'
import { comeIn, makeRoom, register, say, sees, visit, type Visit, type VisitOptions } from './visit.ts'

const phone = { viewport: { width: 360, height: 740 }, hasTouch: true, isMobile: true }

async function open(t: TestContext, chat: ChatServer, name: string, options: VisitOptions = {}): Promise<Visit> {
  const visited = await visit(await startBrowser(t), chat, options)
  await comeIn(visited.page, name)
  return visited
}

function message(page: Page, text: string): Locator {
  return page.locator('.message', { has: page.locator('.text', { hasText: text }) })
}

/** By the toolbar of the message under the pointer. */
async function click(page: Page, text: string, button: string): Promise<void> {
  await message(page, text).locator('.said').hover()
  await message(page, text).getByRole('toolbar').getByRole('button', { name: button, exact: true }).click()
}

/** By its menu, which is open. */
function choice(page: Page, name: string): Locator {
  return page.locator('#actions').getByRole('button', { name })
}

function quoteAbove(page: Page, text: string): Locator {
  return message(page, text).locator('.quote')
}

function isGone(page: Page, text: string): Promise<void> {
  return message(page, text).waitFor({ state: 'detached' })
}

function focused(page: Page): Promise<string> {
  return page.evaluate(`(() => {
    const { activeElement } = document
    return activeElement.matches('.message') ? activeElement.querySelector('.text').textContent : activeElement.id || activeElement.localName
  })()`)
}

function field(page: Page): Promise<string> {
  return page.locator('#text').inputValue()
}

test('arrow up changes what one said last, Escape brings back what one was writing, and all see what was changed', {
  skip,
}, async (t) => {
  const chat = await openChat(t)
  const [ada, bob] = await Promise.all([open(t, chat, 'ada'), open(t, chat, 'bob', phone)])
  await say(bob.page, 'said by bob')
  await sees(ada.page, 'said by bob')
  await say(ada.page, 'helo')
  await sees(ada.page, 'helo')

  await ada.page.locator('#text').press('ArrowUp')
  assert.equal(await field(ada.page), 'helo')
  await ada.page.locator('#about', { hasText: 'Editing' }).waitFor()
  await message(ada.page, 'helo').getByText('being edited').waitFor()
  await say(ada.page, 'hello')
  await sees(bob.page, 'hello')
  await message(bob.page, 'hello').getByText('edited', { exact: true }).waitFor()
  await ada.page.locator('#about').waitFor({ state: 'hidden' })
  assert.equal(await field(ada.page), '')

  await ada.page.locator('#text').fill('not said yet')
  await click(ada.page, 'hello', 'Edit')
  assert.equal(await field(ada.page), 'hello')
  await ada.page.keyboard.press('Escape')
  assert.equal(await field(ada.page), 'not said yet')
  await ada.page.locator('#text').press('ArrowUp')
  assert.equal(await field(ada.page), 'not said yet')

  await bob.page.reload()
  await sees(bob.page, 'hello')
  assert.deepEqual([...ada.faults, ...bob.faults], [])
})

test('a change that is refused is told, and its text stays until it is saved; a change to nothing asks whether to delete', {
  skip,
}, async (t) => {
  const chat = await openChat(t)
  const [ada, bob] = await Promise.all([open(t, chat, 'ada'), open(t, chat, 'bob', phone)])
  await say(ada.page, 'first')
  await sees(ada.page, 'first')
  const refuse = '**/rooms/lobby/messages/*'
  const problem = { code: 'too_many', detail: 'you are too quick', status: 429 }
  await ada.page.route(refuse, (route) =>
    route.fulfill({ status: 429, contentType: 'application/problem+json', body: JSON.stringify(problem) }),
  )

  await ada.page.locator('#text').press('ArrowUp')
  await say(ada.page, 'first, changed')
  await ada.page.locator('#notice', { hasText: 'you are too quick.' }).waitFor()
  assert.equal(await field(ada.page), 'first, changed')
  await ada.page.reload()
  await ada.page.locator('#about', { hasText: 'Editing' }).waitFor()
  assert.equal(await field(ada.page), 'first, changed')
  await ada.page.unroute(refuse)
  await ada.page.locator('#text').press('Enter')
  await sees(bob.page, 'first, changed')

  await ada.page.locator('#text').press('ArrowUp')
  await say(ada.page, '')
  await ada.page.locator('#deletion').getByRole('button', { name: 'Keep it' }).click()
  await sees(ada.page, 'first, changed')
  await ada.page.locator('#text').press('Enter')
  await ada.page.locator('#deletion').getByRole('button', { name: 'Delete' }).click()
  await Promise.all([isGone(ada.page, 'first'), isGone(bob.page, 'first')])
  await ada.page.locator('#about').waitFor({ state: 'hidden' })
  assert.deepEqual([...ada.faults, ...bob.faults], [])
})

test('one deletes what one said, who owns a room what others said there, and nobody else is offered it', {
  skip,
}, async (t) => {
  const chat = await openChat(t)
  const ada = await visit(await startBrowser(t), chat)
  await register(ada.page, 'ada', 'a long enough password')
  await makeRoom(ada.page, 'Kitchen')
  await say(ada.page, 'said by ada')
  await sees(ada.page, 'said by ada')
  const bob = await open(t, chat, 'bob', { ...phone, path: '/rooms/kitchen' })
  await say(bob.page, 'said by bob')
  await say(bob.page, 'regretted')
  await sees(ada.page, 'regretted')

  await message(bob.page, 'said by ada').locator('.text').tap()
  await choice(bob.page, 'Reply').waitFor()
  assert.equal(await choice(bob.page, 'Delete').isVisible(), false)
  assert.equal(await choice(bob.page, 'Edit').isVisible(), false)
  await bob.page.keyboard.press('Escape')
  await message(bob.page, 'regretted').locator('.text').tap()
  await choice(bob.page, 'Delete').tap()
  await bob.page.locator('#deletion').getByRole('button', { name: 'Delete' }).tap()
  await Promise.all([isGone(ada.page, 'regretted'), isGone(bob.page, 'regretted')])

  await click(ada.page, 'said by bob', 'More')
  await choice(ada.page, 'Delete').click()
  // Bob is quicker.
  const { messages } = await chat.stranger.read<{ messages: { id: string; text: string }[] }>('/rooms/kitchen/messages')
  const { id } = messages.find(({ text }) => text === 'said by bob')!
  assert.equal(await choice(ada.page, 'Edit').isVisible(), false)
  await bob.page.evaluate(`fetch('/rooms/kitchen/messages/${id}', { method: 'DELETE' })`)
  await isGone(ada.page, 'said by bob')
  await ada.page.locator('#deletion').getByRole('button', { name: 'Delete' }).click()
  await ada.page.locator('#deletion').waitFor({ state: 'hidden' })

  await say(bob.page, 'said by bob again')
  await click(ada.page, 'said by bob again', 'More')
  await choice(ada.page, 'Delete').click()
  await ada.page.locator('#deletion').getByRole('button', { name: 'Delete' }).click()
  await Promise.all([isGone(ada.page, 'again'), isGone(bob.page, 'again')])
  await bob.page.reload()
  await sees(bob.page, 'said by ada')
  assert.equal(await bob.page.locator('.message').count(), 1)
  assert.deepEqual([...ada.faults, ...bob.faults], [])
})

test('an answer says what it answers, though that is not on the page, follows its changes, and leads there', {
  skip,
}, async (t) => {
  const chat = await openChat(t)
  const carol = await chat.comeIn('carol')
  const old = await carol.say('lobby', 'who has the *key*?\nI need it')
  for (let count = 0; count < 120; count++) await carol.say('lobby', `message ${count}`)
  const ada = await open(t, chat, 'ada', { path: `/rooms/lobby/messages/${old.id}` })
  const bob = await open(t, chat, 'bob', phone)
  await sees(ada.page, 'who has the key?')
  assert.equal(await message(bob.page, 'who has the key?').count(), 0)

  await click(ada.page, 'who has the key?', 'Reply')
  await ada.page.locator('#about', { hasText: 'carol who has the key?' }).waitFor()
  await ada.page.locator('#text').fill('I have it')
  await ada.page.reload()
  await ada.page.locator('#about', { hasText: 'carol who has the key?' }).waitFor()
  assert.equal(await field(ada.page), 'I have it')
  await ada.page.locator('#text').press('Enter')
  await ada.page.locator('#about').waitFor({ state: 'hidden' })

  await sees(bob.page, 'I have it')
  await quoteAbove(bob.page, 'I have it').filter({ hasText: 'carol who has the key?' }).waitFor()
  assert.doesNotMatch(await quoteAbove(bob.page, 'I have it').innerText(), /I need it/)
  await carol.ask('PATCH', `/rooms/lobby/messages/${old.id}`, { text: 'who has the keys?' })
  await quoteAbove(bob.page, 'I have it').filter({ hasText: 'carol who has the keys?' }).waitFor()
  assert.equal(bob.requests.filter((url) => url.endsWith(`/messages/${old.id}`)).length, 1)
  await quoteAbove(bob.page, 'I have it').tap()
  await bob.page.locator('.found .text', { hasText: 'who has the keys?' }).waitFor()
  assert.ok(bob.page.url().endsWith(`/rooms/lobby/messages/${old.id}`))

  await bob.page.goto(chat.url)
  await sees(bob.page, 'I have it')
  await quoteAbove(bob.page, 'I have it').filter({ hasText: 'carol who has the keys?' }).waitFor()
  await carol.ask('DELETE', `/rooms/lobby/messages/${old.id}`)
  await quoteAbove(bob.page, 'I have it')
    .filter({ hasText: /^\s*deleted$/ })
    .waitFor()
  await bob.page.reload()
  await quoteAbove(bob.page, 'I have it')
    .filter({ hasText: /^\s*deleted$/ })
    .waitFor()
  assert.deepEqual([...ada.faults, ...bob.faults], [])
})

test('an answer that is not sent yet is still an answer after a reload', { skip }, async (t) => {
  const chat = await openChat(t)
  const carol = await chat.comeIn('carol')
  const asked = await carol.say('lobby', 'who has the key?')
  const ada = await open(t, chat, 'ada')
  await sees(ada.page, 'who has the key?')
  const posts = '**/rooms/lobby/messages'
  await ada.page.route(posts, (route) => route.abort())

  await click(ada.page, 'who has the key?', 'Reply')
  await say(ada.page, 'I have it')
  await message(ada.page, 'I have it').and(ada.page.locator('[data-state=pending]')).waitFor()
  assert.equal(await quoteAbove(ada.page, 'I have it').textContent(), 'carol who has the key?')
  await ada.page.reload()
  await quoteAbove(ada.page, 'I have it').filter({ hasText: 'carol who has the key?' }).waitFor()
  await ada.page.unroute(posts)
  await sees(ada.page, 'I have it')

  const { messages } = await carol.read<{ messages: { text: string; replyTo?: string }[] }>('/rooms/lobby/messages')
  assert.deepEqual(
    messages.map(({ text, replyTo }) => [text, replyTo]),
    [
      ['who has the key?', undefined],
      ['I have it', asked.id],
    ],
  )
  assert.deepEqual(ada.faults, [])
})

test('one reacts by the toolbar and with any emoji, and sees who did', { skip }, async (t) => {
  const chat = await openChat(t)
  const [ada, bob] = await Promise.all([open(t, chat, 'ada'), open(t, chat, 'bob', phone)])
  await say(bob.page, 'cake at four')
  await sees(ada.page, 'cake at four')
  const pill = (page: Page, label: string) =>
    message(page, 'cake').locator('.reactions').getByRole('button', { name: label, exact: true })

  await click(ada.page, 'cake', 'React with ❤️')
  await pill(bob.page, '❤️ 1').waitFor()
  await message(ada.page, 'cake')
    .getByRole('toolbar')
    .getByRole('button', { name: 'React with ❤️', pressed: true })
    .waitFor()
  await message(bob.page, 'cake').locator('.text').tap()
  await choice(bob.page, 'React with ❤️').tap()
  await pill(ada.page, '❤️ 2').waitFor()
  assert.equal(await pill(ada.page, '❤️ 2').getAttribute('title'), 'you and bob')
  await click(ada.page, 'cake', 'React with ❤️')
  await pill(bob.page, '❤️ 1').waitFor()

  await click(ada.page, 'cake', 'React')
  await ada.page.getByRole('option', { name: 'tada', exact: true }).click()
  await pill(bob.page, '🎉 1').waitFor()
  await bob.page.reload()
  await pill(bob.page, '🎉 1').waitFor()
  await pill(bob.page, '❤️ 1').waitFor()
  assert.deepEqual([...ada.faults, ...bob.faults], [])
})

test('what one has not sent stays in its room and its tab over a reload, and is gone with whoever logs out', {
  skip,
}, async (t) => {
  const chat = await openChat(t)
  await (await chat.owner('olga')).makeRoom('Kitchen')
  const { page, faults } = await open(t, chat, 'ada')
  const other = await page.context().newPage()
  await other.goto(chat.url)
  await other.locator('#text').fill('in the other tab')
  await page.locator('#text').fill('in the lobby')
  await page.locator('#rooms a', { hasText: 'Kitchen' }).click()
  assert.equal(await field(page), '')
  await page.locator('#text').fill('in the kitchen')

  await Promise.all([page.reload(), other.reload()])
  await page.locator('#text').waitFor()
  assert.equal(await field(page), 'in the kitchen')
  await page.locator('#rooms a', { hasText: 'lobby' }).click()
  assert.equal(await field(page), 'in the lobby')
  await other.locator('#text').waitFor()
  assert.equal(await field(other), 'in the other tab')

  await page.bringToFront() // behind another it is painted once a second, and a click waits for that
  await page.locator('#me').click()
  await page.locator('#leave-open').click()
  await page.locator('#leave-confirm').click()
  await Promise.all([page.locator('#entry').waitFor(), other.locator('#entry').waitFor()])
  for (const tab of [page, other])
    assert.doesNotMatch(await tab.evaluate('JSON.stringify({ ...sessionStorage })'), /in the/)
  await comeIn(page, 'bob')
  assert.equal(await field(page), '')
  assert.deepEqual(faults, [])
})

test('with the keyboard alone one walks through the messages and does all that can be done, and never loses the focus', {
  skip,
}, async (t) => {
  const chat = await openChat(t)
  const { page, faults } = await open(t, chat, 'ada')
  for (const text of ['one', 'two', 'three', 'four']) {
    await say(page, text)
    await sees(page, text)
  }
  const press = async (...keys: string[]) => {
    for (const key of keys) await page.keyboard.press(key)
  }
  await page.locator('#log').focus()

  await press('ArrowUp')
  assert.equal(await focused(page), 'four')
  await press('ArrowUp', 'ArrowUp', 'ArrowUp', 'ArrowUp')
  assert.equal(await focused(page), 'one')
  await press('ArrowDown')
  assert.equal(await focused(page), 'two')
  assert.equal(await page.locator('.message[tabindex="0"]').count(), 1)
  await message(page, 'two').getByRole('toolbar').waitFor()
  await press('Enter')
  await page.locator('#actions[open]').waitFor()
  await press('Escape')
  assert.equal(await focused(page), 'two')

  await press('ContextMenu')
  await page.locator('#actions[open]').waitFor()
  await press('ArrowUp')
  assert.equal(await page.evaluate('document.activeElement.value'), 'delete')
  await press('Enter')
  await page.locator('#deletion[open]').waitFor()
  // The answer comes after the message has gone.
  const gone = Promise.withResolvers<void>()
  await page.route('**/rooms/lobby/messages/*', async (route) => {
    const response = await route.fetch()
    await gone.promise
    await route.fulfill({ response })
  })
  await press('Tab', 'Enter')
  await isGone(page, 'two')
  gone.resolve()
  await message(page, 'three').and(page.locator(':focus')).waitFor()
  await page.unroute('**/rooms/lobby/messages/*')

  // And without any question, as by another device.
  const id = await message(page, 'four').getAttribute('data-id')
  await press('ArrowDown')
  assert.equal(await focused(page), 'four')
  await page.evaluate(`void fetch('/rooms/lobby/messages/${id}', { method: 'DELETE' })`)
  await isGone(page, 'four')
  assert.equal(await focused(page), 'three')

  await press('Shift+F10')
  await choice(page, 'Reply').focus()
  await press('Enter')
  assert.equal(await focused(page), 'text')
  await page.locator('#about', { hasText: 'three' }).waitFor()
  await press('Escape')
  await page.locator('#about').waitFor({ state: 'hidden' })
  assert.equal(await focused(page), 'text')
  assert.deepEqual(faults, [])
})

test('on a phone a tap opens what can be done, with room for a finger, and text can still be selected', {
  skip,
}, async (t) => {
  const chat = await openChat(t)
  const { page, faults } = await open(t, chat, 'ada', phone)
  await say(page, 'a text to be selected')
  await sees(page, 'a text to be selected')
  const text = message(page, 'selected').locator('.text')

  await page.evaluate(`getSelection().selectAllChildren(document.querySelector('.message .text'))`)
  assert.equal(await page.evaluate('String(getSelection())'), 'a text to be selected')
  await text.tap()
  assert.equal(await page.locator('#actions[open]').count(), 0)
  await page.evaluate('getSelection().removeAllRanges()')
  await text.tap()
  await page.locator('#actions[open]').waitFor()

  const sizes = await page
    .locator('#actions button:visible')
    .evaluateAll((buttons) => buttons.map((button) => (button as unknown as { offsetHeight: number }).offsetHeight))
  assert.ok(sizes.length >= 8 && sizes.every((height) => height >= 44), String(sizes))
  assert.equal(await page.locator('.message [role=toolbar]').count(), 0)
  await page.touchscreen.tap(180, 60)
  await page.locator('#actions').waitFor({ state: 'hidden' })
  assert.equal(await page.evaluate('document.documentElement.scrollWidth'), 360)
  assert.deepEqual(faults, [])
})
