// What becomes of messages after they were said: the page shows the same whether it saw it happen, was away meanwhile, or
// asks afresh.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Page } from 'playwright-core'
import { openChat, type Person } from '../chat-server.ts'
import { skip, startBrowser } from './browser.ts'
import { startLine } from './line.ts'
import { becomes, comeIn, openPeople, say, scrollUntil, sees, visit } from './visit.ts'

interface Shown {
  text: string
  edited: boolean
  /** Such as `👍 2`, with a star for who is at the page. */
  reactions: string[]
}

/** What stands on the page. */
function shown(page: Page): Promise<Shown[]> {
  return page.evaluate(`[...document.querySelectorAll('.message:not([data-state])')].map((message) => ({
    text: message.querySelector('.text').textContent,
    edited: message.querySelector('.edited') !== null,
    reactions: [...message.querySelectorAll('.reactions button')].map((pill) => pill.ariaLabel + (pill.ariaPressed === 'true' ? ' *' : '')),
  }))`)
}

function pill(page: Page, text: string, label: string) {
  return page.locator('.message', { hasText: text }).getByRole('button', { name: label, exact: true })
}

async function edit(by: Person, id: string, text: string): Promise<void> {
  await by.ask('PATCH', `/rooms/lobby/messages/${id}`, { text })
}

async function remove(by: Person, id: string): Promise<void> {
  await by.ask('DELETE', `/rooms/lobby/messages/${id}`)
}

async function react(by: Person, id: string, emoji: string, on = true): Promise<void> {
  await by.ask(on ? 'PUT' : 'DELETE', `/rooms/lobby/messages/${id}/reactions/${encodeURIComponent(emoji)}`)
}

test('an edit, a reaction and a deletion by somebody else show at once, and are the same after a reload', {
  skip,
}, async (t) => {
  const chat = await openChat(t)
  const browser = await startBrowser(t)
  const { page, faults } = await visit(browser, chat)
  await comeIn(page, 'ada')
  const bob = await chat.comeIn('bob')
  const first = await bob.say('lobby', 'helo')
  const second = await bob.say('lobby', 'regretted')
  const third = await bob.say('lobby', 'stays')
  await sees(page, 'stays')
  await page.evaluate(`document.querySelector('[data-id="${first.id}"]').id = 'the-same'`)

  await react(bob, first.id, '👍')
  await edit(bob, first.id, 'hello')
  await remove(bob, second.id)
  await react(bob, third.id, '👩‍👩‍👧')
  await react(bob, third.id, '🇩🇪')
  await react(bob, third.id, '👩‍👩‍👧', false)
  await pill(page, 'stays', '🇩🇪 1').waitFor()
  await pill(page, 'stays', '👩‍👩‍👧 1').waitFor({ state: 'detached' })

  const live = [
    { text: 'hello', edited: true, reactions: ['👍 1'] },
    { text: 'stays', edited: false, reactions: ['🇩🇪 1'] },
  ]
  await becomes(live, () => shown(page))
  assert.equal(await page.locator('#the-same .text').textContent(), 'hello')
  assert.match((await page.locator('.edited:visible').getAttribute('title')) ?? '', /\d/)
  await page.reload()
  await becomes(live, () => shown(page))
  assert.deepEqual(faults, [])
})

test('a page that was offline meanwhile catches up to the same, also with what was said and changed while it was away', {
  skip,
}, async (t) => {
  const chat = await openChat(t)
  const browser = await startBrowser(t)
  const line = await startLine(t, chat)
  const { page, faults } = await visit(browser, line)
  await comeIn(page, 'ada')
  const bob = await chat.comeIn('bob')
  const first = await bob.say('lobby', 'helo')
  const second = await bob.say('lobby', 'regretted')
  await react(bob, first.id, '👍')
  await pill(page, 'helo', '👍 1').waitFor()
  await sees(page, 'regretted')

  line.cut()
  await page.locator('#connection[data-state=reconnecting]').waitFor({ state: 'attached' })
  await edit(bob, first.id, 'hello')
  await react(bob, first.id, '👍', false)
  await react(bob, first.id, '🎉')
  await remove(bob, second.id)
  // In the replay this one comes by its edit only: after its reaction, and after a message that is newer than it.
  const third = await bob.say('lobby', 'thrid')
  await bob.say('lobby', 'fourth')
  await react(bob, third.id, '👀')
  await edit(bob, third.id, 'third')
  const gone = await bob.say('lobby', 'gone before anybody saw it')
  await react(bob, gone.id, '👀')
  await remove(bob, gone.id)
  assert.deepEqual(
    (await shown(page)).map(({ text }) => text),
    ['helo', 'regretted'],
  )
  line.mend()
  await sees(page, 'third')

  const caughtUp = [
    { text: 'hello', edited: true, reactions: ['🎉 1'] },
    { text: 'third', edited: true, reactions: ['👀 1'] },
    { text: 'fourth', edited: false, reactions: [] },
  ]
  await becomes(caughtUp, () => shown(page))
  await page.reload()
  await becomes(caughtUp, () => shown(page))
  assert.deepEqual(faults, [])
})

test('an answer that comes late does not undo what the stream has told since', { skip }, async (t) => {
  const chat = await openChat(t)
  const browser = await startBrowser(t)
  const owner = await chat.owner('olga')
  const [first, second] = [await owner.say('lobby', 'helo'), await owner.say('lobby', 'regretted')]
  const { page, faults } = await visit(browser, chat)
  await sees(page, 'regretted')
  await owner.makeRoom('Kitchen')
  await page.locator('#rooms a', { hasText: 'Kitchen' }).click()
  await page.getByText('Nothing said here yet').waitFor()

  const held = Promise.withResolvers<void>()
  const asked = Promise.withResolvers<void>()
  await page.route('**/rooms/lobby/messages?*', async (route) => {
    const answer = await route.fetch()
    asked.resolve()
    await held.promise
    await route.fulfill({ response: answer })
  })
  await page.locator('#rooms a', { hasText: 'lobby' }).click()
  await asked.promise
  await edit(owner, first.id, 'hello')
  await react(owner, first.id, '👍')
  await remove(owner, second.id)
  await owner.say('lobby', 'and this')
  await owner.ask('PATCH', '/rooms/lobby', { topic: 'all of it has come' })
  await page.locator('#room-topic', { hasText: 'all of it has come' }).waitFor()
  assert.deepEqual(await shown(page), [])
  held.resolve()
  await sees(page, 'and this')

  await becomes(
    [
      { text: 'hello', edited: true, reactions: ['👍 1'] },
      { text: 'and this', edited: false, reactions: [] },
    ],
    () => shown(page),
  )
  assert.deepEqual(faults, [])
})

test('a change to a message that is not on the page stays out until one scrolls up to it', { skip }, async (t) => {
  const chat = await openChat(t)
  const browser = await startBrowser(t)
  const bob = await chat.comeIn('bob')
  const old = await bob.say('lobby', 'helo')
  for (let count = 1; count <= 120; count++) await bob.say('lobby', `message ${count}`)
  const { page, faults } = await visit(browser, chat)
  await sees(page, 'message 120')
  const before = await page.locator('.message').count()
  assert.ok(before < 121)

  await edit(bob, old.id, 'hello')
  await react(bob, old.id, '👍')
  await bob.say('lobby', 'the newest')
  await sees(page, 'the newest')
  assert.equal(await page.locator('.message').count(), before + 1)
  assert.equal((await shown(page))[0]!.text, `message ${121 - before}`)

  for (let tries = 0; tries < 20 && (await page.locator('#older').isVisible()); tries++) {
    await page.locator('.message').first().scrollIntoViewIfNeeded()
    await page
      .locator('#older')
      .click({ timeout: 1000 })
      .catch(() => {}) // it may go just now
  }
  await sees(page, 'hello')
  await becomes({ text: 'hello', edited: true, reactions: ['👍 1'] }, async () => (await shown(page))[0])
  await becomes(122, () => page.locator('.message').count())
  assert.deepEqual(faults, [])
})

test('a click on a reaction joins in, another takes it back, and all see it', { skip }, async (t) => {
  const chat = await openChat(t)
  const browser = await startBrowser(t)
  const [ada, stranger] = await Promise.all([visit(browser, chat), visit(browser, chat)])
  await comeIn(ada.page, 'ada')
  const bob = await chat.comeIn('bob')
  const { id } = await bob.say('lobby', 'cake at four')
  await react(bob, id, '🎉')

  await pill(ada.page, 'cake', '🎉 1').click()
  await pill(stranger.page, 'cake', '🎉 2').waitFor()
  await pill(ada.page, 'cake', '🎉 2').waitFor()
  await becomes(['🎉 2 *'], async () => (await shown(ada.page))[0]!.reactions)
  await becomes(['🎉 2'], async () => (await shown(stranger.page))[0]!.reactions)
  assert.equal(await pill(stranger.page, 'cake', '🎉 2').isEnabled(), false)
  await ada.page.reload()
  await ada.page.getByRole('button', { name: '🎉 2', pressed: true }).waitFor()

  await react(bob, id, '🎉', false)
  await pill(ada.page, 'cake', '🎉 1').focus()
  await ada.page.keyboard.press('Enter')
  await pill(stranger.page, 'cake', '🎉 1').waitFor({ state: 'detached' })
  await pill(ada.page, 'cake', '🎉 1').waitFor({ state: 'detached' })
  await becomes([], async () => (await shown(ada.page))[0]!.reactions)
  await ada.page.locator(`.message[data-id="${id}"]:focus`).waitFor()
  assert.deepEqual([...ada.faults, ...stranger.faults], [])
})

test('whoever looks at the people of a room sees them come, go and change their names', { skip }, async (t) => {
  const chat = await openChat(t)
  const browser = await startBrowser(t)
  const carol = await chat.comeIn('carol') // before the page is there to hear of her
  const { page, faults } = await visit(browser, chat)
  await comeIn(page, 'ada')
  const bob = await chat.comeIn('bob')
  await bob.say('lobby', 'hello')
  await say(page, 'hello to you')
  const names = () => page.locator('#members .name').allTextContents()
  await openPeople(page)
  await page.locator('#people-count', { hasText: '2 people' }).waitFor()

  await carol.join('lobby')
  await page.locator('#people-count', { hasText: '3 people' }).waitFor()
  await bob.ask('PATCH', '/users/me', { name: 'robert' })
  await page.locator('#members .name', { hasText: 'robert' }).waitFor()
  await becomes(['ada', 'robert', 'carol'], names) // she alone is here
  await bob.leave('lobby')
  await page.locator('#people-count', { hasText: '2 people' }).waitFor()

  await becomes(['ada', 'carol'], names)
  assert.deepEqual(faults, [])
})

test('what changes further up does not move what one is reading', { skip }, async (t) => {
  const chat = await openChat(t)
  const browser = await startBrowser(t)
  const bob = await chat.comeIn('bob')
  const ids: string[] = []
  for (let count = 0; count < 45; count++) ids.push((await bob.say('lobby', `message ${count}`)).id)
  const { page, faults } = await visit(browser, chat)
  await sees(page, 'message 44')
  const top = () =>
    page.evaluate<number>(`document.querySelector('[data-id="${ids[20]}"] .text').getBoundingClientRect().top`)
  await page.evaluate(`new Promise((resolve) => {
    document.querySelector('[data-id="${ids[20]}"]').scrollIntoView({ block: 'start' })
    requestAnimationFrame(() => setTimeout(resolve))
  })`)
  const before = await top()

  await edit(bob, ids[10]!, 'a longer text\n'.repeat(20))
  await react(bob, ids[12]!, '👍')
  await remove(bob, ids[5]!)
  await page.locator(`[data-id="${ids[5]}"]`).waitFor({ state: 'detached' })

  assert.equal((await shown(page)).length, 44)
  assert.ok(Math.abs((await top()) - before) < 2, `it moved from ${before} to ${await top()}`)
  assert.deepEqual(faults, [])
})

test('of thousands of messages the page keeps a part, and what it left out comes back', { skip }, async (t) => {
  const chat = await openChat(t)
  const browser = await startBrowser(t)
  const bob = await chat.comeIn('bob')
  const sayMany = async (name: string, count: number) => {
    const texts = Array.from({ length: count }, (_, at) => `${name} ${at}`)
    while (texts.length > 0) await Promise.all(texts.splice(0, 100).map((text) => bob.say('lobby', text)))
  }
  const count = (page: Page) => page.locator('.message').count()
  const { page, faults } = await visit(browser, chat)
  const { id: first } = await bob.say('lobby', 'the first of all')
  await sayMany('early', 1500)
  await bob.say('lobby', 'said while looking on')
  await sees(page, 'said while looking on')
  assert.ok((await count(page)) <= 550, `${await count(page)} are kept`)
  assert.ok(await page.locator('#older').isVisible())

  await sayMany('late', 900)
  const last = await bob.say('lobby', 'the last so far')
  await sees(page, 'the last so far')
  await edit(bob, first, 'the first of all, changed')
  await scrollUntil(page, page.locator(`[data-id="${first}"]`), 'up')
  await sees(page, 'the first of all, changed')
  assert.ok((await count(page)) <= 2000, `${await count(page)} are kept`)
  assert.equal(await page.locator(`[data-id="${last.id}"]`).count(), 0)

  const before = await count(page)
  await edit(bob, last.id, 'the last so far, changed')
  await react(bob, last.id, '👍')
  await bob.say('lobby', 'newer still')
  await page.getByText('1 new').waitFor()
  assert.equal(await count(page), before)
  await page.getByText('1 new').click()
  await sees(page, 'newer still')

  const rest = await shown(page)
  assert.deepEqual(rest.slice(-2), [
    { text: 'the last so far, changed', edited: true, reactions: ['👍 1'] },
    { text: 'newer still', edited: false, reactions: [] },
  ])
  assert.deepEqual(faults, [])
})
