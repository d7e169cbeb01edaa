// Two people at one browser, one after the other: nothing of the first may be left for the second, in any tab.

import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import type { Page } from 'playwright-core'
import { openChat } from '../chat-server.ts'
import { skip, startBrowser } from './browser.ts'
import { comeIn, makeRoom, openAccount, register, say, sees, visit } from './visit.ts'

async function logOut(page: Page): Promise<void> {
  await openAccount(page)
  await page.locator('#leave-open').click()
  await page.locator('#entry:visible').waitFor()
}

/** The page of somebody who has said something that is nobody else's business. */
async function adaInHerAttic(t: TestContext) {
  const chat = await openChat(t)
  const { page, faults } = await visit(await startBrowser(t), chat)
  await register(page, 'ada', 'correct horse battery')
  await makeRoom(page, 'Attic', { private: true })
  await say(page, 'my diagnosis')
  await sees(page, 'my diagnosis')
  return { chat, page, faults }
}

test('what could not be sent goes from the screen with whoever wrote it', { skip }, async (t) => {
  const chat = await openChat(t)
  const browser = await startBrowser(t)
  const { page, faults } = await visit(browser, chat)
  await register(page, 'ada', 'correct horse battery')
  await page.route('**/rooms/lobby/messages', (route) =>
    route.fulfill({ status: 403, contentType: 'application/problem+json', body: '{"code":"forbidden","detail":"no"}' }),
  )
  await say(page, 'my diagnosis')
  await page.locator('.message[data-state=failed]', { hasText: 'my diagnosis' }).waitFor()

  await logOut(page)
  await page.locator('#entry [value=guest]').click()
  await comeIn(page, 'bob')

  assert.equal(await page.locator('.message').count(), 0)
  assert.doesNotMatch(await page.content(), /diagnosis/)
  assert.deepEqual(faults, [])
})

test('a dialog that is open when another tab logs out closes, and what it shows is not there for who comes next', {
  skip,
}, async (t) => {
  const { chat, page, faults } = await adaInHerAttic(t)
  await page.locator('.message').focus()
  await page.keyboard.press('Enter')
  await page.locator('#actions[open]').waitFor()
  const other = await page.context().newPage()
  await other.goto(chat.url)
  await other.locator('#me:visible').waitFor()

  await logOut(other)
  await page.locator('#rooms a', { hasText: 'Attic' }).waitFor({ state: 'detached' })

  assert.equal(await page.locator('dialog[open]').count(), 0)
  assert.doesNotMatch(await page.locator('body').innerText(), /diagnosis/)
  assert.deepEqual(faults, [])
})

test('what somebody was told of a room is not there for who comes next', { skip }, async (t) => {
  const { page, faults } = await adaInHerAttic(t)
  const here = new URL(page.url()).pathname
  await page.evaluate(`fetch('${here}/members/me', { method: 'DELETE' })`)
  await page.getByText('You are no longer in “Attic”.').waitFor()

  await logOut(page)

  assert.doesNotMatch(await page.locator('body').innerText(), /Attic/)
  assert.deepEqual(faults, [])
})

test('the emoji that somebody used last are not offered to who comes next', { skip }, async (t) => {
  const chat = await openChat(t)
  const browser = await startBrowser(t)
  const { page, faults } = await visit(browser, chat)
  await register(page, 'ada', 'correct horse battery')
  await say(page, 'hello')
  await sees(page, 'hello')
  await page.locator('.message').hover()
  await page.locator('#toolbar [value=pick]').click()
  await page.locator('#emoji-list [data-emoji="🚀"]').click()
  await page.locator('.reactions button[value="🚀"]').waitFor()
  assert.match(await page.evaluate('JSON.stringify({ ...localStorage })'), /🚀/)

  await logOut(page)

  assert.doesNotMatch(await page.evaluate('JSON.stringify({ ...localStorage, ...sessionStorage })'), /🚀|ada/)
  assert.deepEqual(faults, [])
})

test('a page that comes back out of the memory of the browser asks who is there', { skip }, async (t) => {
  const { chat, page, faults } = await adaInHerAttic(t)
  // It does not hear what other tabs say while it is put away.
  await page.evaluate(`dispatchEvent(new PageTransitionEvent('pagehide', { persisted: true }))`)
  await page.context().clearCookies()
  const { headers } = await chat.comeIn('bob')
  const [name, value] = headers['cookie']!.split('=')
  await page.context().addCookies([{ name: name!, value: value!, url: chat.url }])

  await page.evaluate(`dispatchEvent(new PageTransitionEvent('pageshow', { persisted: true }))`)
  await page.locator('#me-name', { hasText: 'bob' }).waitFor()

  assert.doesNotMatch(await page.locator('body').innerText(), /diagnosis|Attic/)
  assert.deepEqual(faults, [])
})

test('an answer about an earlier session that comes late changes nothing', { skip }, async (t) => {
  const chat = await openChat(t)
  const browser = await startBrowser(t)
  const { page, faults } = await visit(browser, chat)
  const held = Promise.withResolvers<void>()
  const asked = Promise.withResolvers<void>()
  await page.route('**/session', async (route) => {
    if (route.request().method() !== 'GET') return route.continue()
    const answer = await route.fetch()
    asked.resolve()
    await held.promise
    await route.fulfill({ response: answer })
  })
  await page.evaluate(`{
    const tab = new BroadcastChannel('natter')
    tab.postMessage('session')
  }`)
  await asked.promise
  await comeIn(page, 'ada')
  const settled = page.waitForResponse('**/session')
  held.resolve()
  await settled
  await say(page, 'hello')
  await sees(page, 'hello')

  assert.equal(await page.locator('#me-name').textContent(), 'ada')
  assert.ok(await page.locator('#text').isVisible())
  assert.deepEqual(faults, [])
})

test('that nobody may read here, said of an earlier session, does not shut out who has come in since', {
  skip,
}, async (t) => {
  const chat = await openChat(t, { flags: ['--access', 'invite'] })
  const browser = await startBrowser(t)
  const owner = await chat.owner('olga')
  const { page, faults } = await visit(browser, chat, { until: '#welcome:not([hidden])' })
  const held = Promise.withResolvers<void>()
  const asked = Promise.withResolvers<void>()
  let first = true
  await page.route('**/rooms', async (route) => {
    if (!first) return route.continue()
    first = false
    const answer = await route.fetch()
    asked.resolve()
    await held.promise
    await route.fulfill({ response: answer })
  })
  await page.reload({ waitUntil: 'commit' })
  await asked.promise
  const [name, value] = owner.headers['cookie']!.split('=')
  await page.context().addCookies([{ name: name!, value: value!, url: chat.url }])
  const other = await page.context().newPage()
  await other.goto(chat.url)
  await other.evaluate(`new BroadcastChannel('natter').postMessage('session')`)
  await page.locator('#connection[data-state=live]').waitFor({ state: 'attached' })

  const settled = page.waitForResponse('**/rooms')
  held.resolve()
  assert.equal((await settled).status(), 401)
  await owner.say('lobby', 'still here')
  await sees(page, 'still here')

  assert.ok(await page.locator('#welcome').isHidden())
  assert.deepEqual(faults, [])
})

test('what one wrote is never said in the name of who came after them', { skip }, async (t) => {
  const chat = await openChat(t)
  const browser = await startBrowser(t)
  const bob = await chat.comeIn('bob')
  const { page, faults } = await visit(browser, chat)
  await register(page, 'ada', 'correct horse battery')
  const tried = Promise.withResolvers<void>()
  await page.route('**/rooms/lobby/messages', async (route) => {
    await route.abort()
    tried.resolve()
  })
  // Before it tries again, the page asks whether they are still here.
  const changed = Promise.withResolvers<void>()
  await page.route('**/session', async (route) => {
    await changed.promise
    await route.continue()
  })
  await say(page, 'my diagnosis')
  await tried.promise
  // In another tab, while this one was asleep and heard nothing.
  const [name, value] = bob.headers['cookie']!.split('=')
  await page.context().addCookies([{ name: name!, value: value!, url: chat.url }])

  await page.unroute('**/rooms/lobby/messages')
  changed.resolve()
  await page.locator('#me-name', { hasText: 'bob' }).waitFor()

  assert.deepEqual(await bob.textsIn('lobby'), [])
  assert.doesNotMatch(await page.locator('body').innerText(), /diagnosis/)
  assert.deepEqual(faults, [])
})
