// The page where the chat is not alone: mounted at a path of another site, under another name, for people the site knows.

import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import type { Page } from 'playwright-core'
import { createChat, type CreateChatOptions } from '../../lib/index.ts'
import { byHeader, serve } from '../mounted/mount.ts'
import { skip, startBrowser } from './browser.ts'
import { comeIn, openPeople, say, sees, visit } from './visit.ts'

/** A site that has a chat at each of these paths and nothing else. */
async function startSite(t: TestContext, paths: string[], options: CreateChatOptions = {}): Promise<{ url: string }> {
  const chats = await Promise.all(
    paths.map((path) => createChat({ data: ':memory:', path, log: () => {}, ...options })),
  )
  t.after(() => Promise.all(chats.map((chat) => chat.close())))
  const [first, second] = chats
  return {
    url: await serve(t, (request, response) =>
      first!.handler(request, response, second && (() => second.handler(request, response))),
    ),
  }
}

/** What the page has written down in the browser. */
function kept(page: Page): Promise<string[]> {
  return page.evaluate('Object.keys(sessionStorage)')
}

test('a chat that is mounted at a path keeps to it in everything it asks for, shows and keeps', { skip }, async (t) => {
  const site = await startSite(t, ['/chat'])
  const browser = await startBrowser(t)
  const { page, faults, requests } = await visit(browser, site, { path: '/chat/' })

  await comeIn(page, 'ada')
  await say(page, 'under a path')
  await sees(page, 'under a path')
  await page.getByRole('button', { name: 'New room' }).click()
  await page.locator('#new-room-name').fill('Kitchen')
  await page.getByRole('button', { name: 'Make' }).click()
  await page.waitForURL(`${site.url}/chat/rooms/kitchen`)
  await page.reload()
  await page.locator('#room-name', { hasText: 'Kitchen' }).waitFor()
  await page.locator('#rooms a', { hasText: 'lobby' }).click()
  await sees(page, 'under a path')
  await page.goBack()
  await page.locator('#room-name', { hasText: 'Kitchen' }).waitFor()
  await page.locator('a.brand').click()
  await page.waitForURL(`${site.url}/chat/`)

  assert.deepEqual(
    requests.filter((url) => !url.startsWith(`${site.url}/chat/`)),
    [],
  )
  assert.deepEqual(
    (await kept(page)).filter((name) => !name.startsWith('natter/chat.')),
    [],
  )
  assert.deepEqual(faults, [])
})

test('two chats of one site do not mix', { skip }, async (t) => {
  const site = await startSite(t, ['/one', '/two'])
  const browser = await startBrowser(t)
  const one = await visit(browser, site, { path: '/one/' })
  const two = await one.page.context().newPage()
  const asked: string[] = []
  await two.goto(`${site.url}/two/`)
  await two.locator('#connection[data-state=live]').waitFor({ state: 'attached' })
  await comeIn(two, 'bob')
  two.on('request', (request) => asked.push(request.url()))

  await comeIn(one.page, 'ada')
  await say(one.page, 'in one')
  await sees(one.page, 'in one')
  await two.evaluate(`fetch('/two/healthz')`) // by then it would have asked

  // Its own parts it may still be fetching; but who comes in there is no reason to ask who is here.
  assert.deepEqual(
    asked.filter((url) => url.startsWith(`${site.url}/one/`) || /\/(session|healthz)$/.test(url)),
    [`${site.url}/two/healthz`],
  )
  assert.equal(await two.locator('.message').count(), 0)
  assert.equal(await two.locator('#me-name').textContent(), 'bob')
  assert.deepEqual(
    (await kept(one.page)).filter((name) => !name.startsWith('natter/one.')),
    [],
  )
  await two.reload()
  await two.locator('#me-name', { hasText: 'bob' }).waitFor()
})

test('the place has the name that its owner gave it, as text', { skip }, async (t) => {
  const name = `<b>$& "Tom's"</b>`
  const site = await startSite(t, ['/chat'], { name })
  const browser = await startBrowser(t)

  const { page, faults } = await visit(browser, site, { path: '/chat' })

  assert.equal(await page.title(), name)
  assert.equal(await page.locator('a.brand').textContent(), name)
  assert.equal(await page.locator('a.brand').getAttribute('href'), '/chat/')
  assert.deepEqual(faults, [])
})

test('where the site says who people are, the page offers no login, no account and no invites', { skip }, async (t) => {
  const site = await startSite(t, ['/chat'], { identify: byHeader })
  const browser = await startBrowser(t)
  const stranger = await visit(browser, site, { path: '/chat/' })
  const { page, faults } = await visit(browser, site, { path: '/chat/', extraHTTPHeaders: { 'x-user': 'ada' } })

  await stranger.page.getByText('log in to the site that this chat is part of').waitFor()
  assert.equal(await stranger.page.locator('#entry').isVisible(), false)
  await page.locator('#me-name', { hasText: 'ada' }).waitFor()
  assert.equal(await page.locator('#me').isEnabled(), false)
  await page.getByRole('button', { name: 'New room' }).click()
  await page.locator('#new-room-name').fill('Attic')
  await page.getByRole('button', { name: 'Make' }).click()
  await page.locator('#room-name', { hasText: 'Attic' }).waitFor()
  await openPeople(page)
  await page.getByText('owns this room').waitFor()
  await page.locator('#settings').waitFor()
  assert.equal(await page.locator('#invite').isVisible(), false)
  assert.deepEqual([...stranger.faults, ...faults], [])
})
