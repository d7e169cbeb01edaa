// Searching what was said, and going to where it was said.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Page, Route } from 'playwright-core'
import { openChat, type Person } from '../chat-server.ts'
import { skip, startBrowser } from './browser.ts'
import { becomes, comeIn, hasFocus, sees, visit } from './visit.ts'

const phone = { viewport: { width: 360, height: 740 }, hasTouch: true, isMobile: true }

const results = (page: Page) => page.locator('#search-results a')
const texts = (page: Page): Promise<string[]> => page.locator('#search-results .result-text').allTextContents()
const status = (page: Page, text: string) => page.locator('#search [role=status]', { hasText: text }).waitFor()

async function search(page: Page, text: string): Promise<void> {
  if (!(await page.locator('#search').isVisible()))
    await page.getByRole('button', { name: 'Search', exact: true }).click()
  await page.locator('#search-field').fill(text)
}

/** So many messages that a page of them is not all. */
async function fill(person: Person, room: string): Promise<void> {
  for (let number = 0; number < 120; number++) await person.say(room, `line ${number}`)
}

/** What the server would answer, for messages of these ids. */
function answer({ ids = [], more = false, before = '1' }: { ids?: string[]; more?: boolean; before?: string }) {
  const messages = ids.map((id) => ({
    id,
    room: 'lobby',
    from: { id: '1', name: 'bob' },
    text: `found ${id}`,
    at: '2026-11-21T08:00:00.000Z',
  }))
  return {
    json: { messages, marks: Object.fromEntries(ids.map((id) => [id, [[0, 5]]])), more, ...(more && { before }) },
  }
}

test('a word of a message that is not loaded is found, and Enter or a tap leads to it', { skip }, async (t) => {
  const chat = await openChat(t)
  const browser = await startBrowser(t)
  const li = await chat.comeIn('李明')
  const garden = await li.makeRoom('Garden')
  const lunch = await li.say('lobby', `${'前面有很多话。'.repeat(10)}我们在北京大学吃午饭`)
  await li.say(garden, '北京的花园')
  await fill(li, 'lobby')
  const [ada, bob] = await Promise.all([visit(browser, chat), visit(browser, chat, { ...phone, locale: 'zh-CN' })])
  await comeIn(ada.page, 'ada')
  await sees(ada.page, 'line 119')
  await sees(bob.page, 'line 119')
  const shown = ada.page.locator(`.message[data-id="${lunch.id}"]`)
  assert.equal(await shown.count(), 0)

  await ada.page.locator('#text').press('Control+k')
  await ada.page.locator('#search-field').pressSequentially('北京')
  await results(ada.page).nth(1).waitFor()
  assert.deepEqual(await ada.page.locator('#search-results mark').allTextContents(), ['北京', '北京'])
  assert.deepEqual(await ada.page.locator('#search-results .result-room').allTextContents(), ['Garden', 'lobby'])
  assert.match((await texts(ada.page))[1]!, /^….*我们在北京大学吃午饭$/)
  await ada.page.keyboard.press('ArrowDown')
  await ada.page.keyboard.press('Enter')
  await shown.and(ada.page.locator('.found')).waitFor()
  assert.equal(new URL(ada.page.url()).pathname, `/rooms/lobby/messages/${lunch.id}`)
  await ada.page.locator('#search').waitFor({ state: 'hidden' })
  await shown.and(ada.page.locator(':focus')).waitFor()
  const box = (await shown.boundingBox())!
  assert.ok(box.y > 0 && box.y + box.height < 800, JSON.stringify(box))

  // In one room alone; and on a phone, which it fills.
  await bob.page.getByRole('button', { name: '搜索', exact: true }).tap()
  await becomes({ x: 0, y: 0, width: 360, height: 740 }, () => bob.page.locator('#search').boundingBox())
  await bob.page.getByText('此房间', { exact: true }).tap()
  await bob.page.locator('#search-field').fill('北京')
  await results(bob.page).first().waitFor()
  assert.equal((await texts(bob.page)).length, 1)
  assert.ok((await bob.page.locator('#search mark').boundingBox())!.y < 300)
  await results(bob.page).first().tap()
  await bob.page.locator(`.message[data-id="${lunch.id}"].found`).waitFor()
  assert.deepEqual([...ada.faults, ...bob.faults], [])
})

test('it opens by / and Ctrl+K, keeps what was typed, and Escape gives back the focus', { skip }, async (t) => {
  const chat = await openChat(t)
  const browser = await startBrowser(t)
  const bob = await chat.comeIn('bob')
  await bob.say('lobby', 'hello there')
  const { page, faults } = await visit(browser, chat)
  await comeIn(page, 'ada')
  await page.locator('#text').pressSequentially('a/b')
  assert.equal(await page.locator('#text').inputValue(), 'a/b')
  assert.equal(await page.locator('#search').count(), 0)

  await page.locator('#log').focus()
  await page.keyboard.press('/')
  await page.locator('#search[open]').waitFor()
  await status(page, 'All your words')
  await hasFocus(page, 'search-field')
  assert.equal(await page.locator('#search-field').inputValue(), '')
  await page.keyboard.type('hello')
  await results(page).first().waitFor()
  assert.equal(
    await page.locator('#search-field').getAttribute('aria-activedescendant'),
    await results(page).first().getAttribute('id'),
  )
  await page.keyboard.press('Escape')
  await hasFocus(page, 'log')

  await page.locator('#text').press('Control+k')
  await page.locator('#search[open]').waitFor()
  assert.equal(await page.locator('#search-field').inputValue(), 'hello')
  await results(page).first().waitFor()
  // What was typed is marked: the next letter begins anew.
  await page.keyboard.type('nowhere')
  await status(page, 'Nothing found')
  assert.equal(await results(page).count(), 0)
  await page.keyboard.press('Enter')
  await page.keyboard.press('Escape')
  await hasFocus(page, 'text')
  assert.deepEqual(faults, [])
})

test('whatever is found is text', { skip }, async (t) => {
  const chat = await openChat(t)
  const browser = await startBrowser(t)
  const attack = '<img src=x onerror=alert(1)>'
  const mallory = await chat.comeIn(attack)
  const room = await mallory.makeRoom(`${attack} room`)
  await mallory.say(room, `needle ${attack}<script>alert(1)</script> **bold** javascript:alert(1)`)
  await mallory.say(room, `${attack} "><svg onload=alert(1)>\n\n\n needle\u202e`)
  const { page, faults, requests } = await visit(browser, chat)

  for (const [typed, mark] of [
    ['needle', 'needle'],
    ['onerror', 'onerror'],
    [attack, 'img'],
  ] as const) {
    await search(page, typed)
    await page.locator('#search-results mark', { hasText: mark }).nth(1).waitFor()
  }

  assert.deepEqual(await texts(page), [
    `${attack} "><svg onload=alert(1)> needle\u202e`,
    `needle ${attack}<script>alert(1)</script> **bold** javascript:alert(1)`,
  ])
  assert.equal(await page.locator('#search').locator('img, script, [onerror], strong').count(), 0)
  assert.equal(await page.locator('#search-results svg').count(), 0)
  assert.deepEqual(
    requests.filter((url) => !url.startsWith(chat.url)),
    [],
  )
  assert.deepEqual(faults, [])
})

test('one request is under way at a time, and what was asked for before is not shown', { skip }, async (t) => {
  const chat = await openChat(t)
  const browser = await startBrowser(t)
  const { page, faults } = await visit(browser, chat)
  const waiting: Route[] = []
  const asked: string[] = []
  let came = () => {}
  await page.route('**/search?*', (route) => {
    asked.push(new URL(route.request().url()).searchParams.get('q')!)
    waiting.push(route)
    came()
  })
  const next = async (): Promise<Route> => {
    if (waiting.length === 0) await new Promise<void>((resolve) => (came = resolve))
    return waiting.shift()!
  }

  await search(page, 'one')
  const first = await next()
  await search(page, 'two')
  // Enter asks at once, and does not go to what was found for something else.
  await page.keyboard.press('Enter')
  await search(page, 'three')
  await page.keyboard.press('Enter')
  assert.deepEqual(asked, ['one'])
  await first.fulfill(answer({ ids: ['11'] }))
  const second = await next()
  assert.equal(await results(page).count(), 0)
  assert.deepEqual(asked, ['one', 'three'])
  await second.fulfill(answer({ ids: ['33'] }))
  await results(page).first().waitFor()
  assert.deepEqual(await texts(page), ['found 33'])
  assert.equal(await page.locator('#search').isVisible(), true)
  assert.deepEqual(faults, [])
})

test('a search that is cut off goes on by itself a few times, then when it is told to, and at the end of the list', {
  skip,
}, async (t) => {
  const chat = await openChat(t)
  const browser = await startBrowser(t)
  const { page, faults } = await visit(browser, chat)
  const asked: (string | null)[] = []
  let ids: (time: number) => string[] = () => []
  await page.route('**/search?*', (route) => {
    asked.push(new URL(route.request().url()).searchParams.get('before'))
    return route.fulfill(
      answer({ ids: ids(asked.length), more: asked.length < 12, before: String(1000 - asked.length) }),
    )
  })

  await search(page, 'rare')
  const more = page.getByRole('button', { name: 'Search further back' })
  await more.waitFor()
  await status(page, 'Nothing found so far')
  assert.deepEqual(asked, [null, '999', '998', '997', '996', '995'])
  ids = (time) => Array.from({ length: 20 }, (_, number) => String(100_000 - time * 20 - number))
  await more.click()
  await results(page).nth(19).waitFor()
  await more.waitFor({ state: 'hidden' })
  await hasFocus(page, 'search-field')
  const before = asked.length
  assert.equal(await results(page).count(), 20 * (before - 6))

  await results(page).last().scrollIntoViewIfNeeded()
  await results(page)
    .nth(20 * (before - 6))
    .waitFor()
  assert.ok(asked.length > before)
  for (let count = await results(page).count(); count < 20 * 6; count = await results(page).count()) {
    await page.evaluate('document.querySelector(".search-scroller").scrollTo(0, 1e6)')
    await results(page).nth(count).waitFor()
  }
  assert.equal(asked.length, 12)
  assert.equal(new Set(await texts(page)).size, 120)
  assert.deepEqual(faults, [])
})

test('when the server is busy or out of reach it says so and goes on by itself', { skip }, async (t) => {
  const chat = await openChat(t)
  const browser = await startBrowser(t)
  const bob = await chat.comeIn('bob')
  await bob.say('lobby', 'needle')
  const { page, faults } = await visit(browser, chat)
  let refusals = 2
  const times: number[] = []
  await page.route('**/search?*', (route) => {
    times.push(performance.now())
    if (refusals-- <= 0) return route.continue()
    return route.fulfill({
      status: refusals > 0 ? 429 : 503,
      headers: { 'retry-after': '1' },
      contentType: 'application/problem+json',
      body: '{"code":"busy","detail":"later"}',
    })
  })

  await search(page, 'needle')
  await status(page, 'The server is busy')
  await results(page).first().waitFor()
  assert.equal(times.length, 3)
  assert.ok(times[1]! - times[0]! >= 1000 && times[2]! - times[1]! >= 1000, times.join(' '))

  await page.context().setOffline(true)
  await search(page, 'needl')
  await status(page, 'You are offline')
  await page.context().setOffline(false)
  await status(page, '1 found')
  await search(page, 'nothing of that kind')
  await status(page, 'Nothing found')
  assert.deepEqual(faults, [])
})

test('what was found in a room that one is not in any more leads to no room, and who logs out leaves nothing found', {
  skip,
}, async (t) => {
  const chat = await openChat(t)
  const browser = await startBrowser(t)
  const olga = await chat.owner()
  const ada = await chat.account('ada')
  const attic = await olga.makeRoom('Attic', { kind: 'private' })
  await olga.add(attic, ada)
  await olga.say(attic, 'the secret word')
  const { page, faults } = await visit(browser, chat)
  const [name, value] = ada.headers['cookie']!.split('=') as [string, string]
  await page.context().addCookies([{ name, value, url: chat.url }])
  await page.reload()
  await page.locator('#rooms a', { hasText: 'Attic' }).waitFor()

  await search(page, 'secret')
  await results(page).first().waitFor()
  await olga.remove(attic, ada)
  await page.locator('#rooms a', { hasText: 'Attic' }).waitFor({ state: 'detached' })
  await page.keyboard.press('Enter')
  await page.locator('#missing:not([hidden])').waitFor()
  await search(page, 'secret')
  await status(page, 'Nothing found')
  assert.equal(await page.locator('.search-where').isVisible(), false, 'there is no room here to search in')
  await page.keyboard.press('Escape')

  await olga.add(attic, ada)
  await page.locator('#rooms a', { hasText: 'Attic' }).waitFor()
  await search(page, 'secret')
  await results(page).first().waitFor()
  await ada.logOut()
  await page.locator('#entry-place').waitFor({ state: 'visible' })
  await page.locator('#search').waitFor({ state: 'hidden' })
  assert.equal(await page.locator('#search', { hasText: 'secret' }).count(), 0)
  assert.equal(await page.locator('#search-field').inputValue(), '')
  assert.deepEqual(faults, [])
})

test('while an input method composes, nothing is looked for, and its Enter leads nowhere', { skip }, async (t) => {
  const chat = await openChat(t)
  const browser = await startBrowser(t)
  const bob = await chat.comeIn('bob')
  await bob.say('lobby', '北京 bei')
  const { page, faults, requests } = await visit(browser, chat)
  await search(page, '')
  const composing = await page.context().newCDPSession(page)

  await composing.send('Input.imeSetComposition', { text: 'bei', selectionStart: 3, selectionEnd: 3 })
  await page.evaluate('new Promise((resolve) => setTimeout(resolve, 200))') // comes after whatever waits for a pause in typing
  await page.evaluate(
    `document.getElementById('search-field').dispatchEvent(new KeyboardEvent('keydown', { key: 'Enter', isComposing: true, bubbles: true, cancelable: true }))`,
  )
  await composing.send('Input.insertText', { text: '北京' })
  await results(page).first().waitFor()

  assert.deepEqual(
    requests.filter((url) => url.includes('/search?')).map((url) => new URL(url).searchParams.get('q')),
    ['北京'],
  )
  assert.equal(await page.locator('#search').isVisible(), true)
  assert.deepEqual(faults, [])
})
