// Who is here, and who is writing.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Page } from 'playwright-core'
import { openChat, startChat, temporaryFolder } from '../chat-server.ts'
import { skip, startBrowser } from './browser.ts'
import { becomes, comeIn, openPeople, say, sees, visit } from './visit.ts'

const phone = { viewport: { width: 360, height: 740 }, hasTouch: true, isMobile: true }

const typing = (page: Page, words: string) =>
  page.locator('#typing', { hasText: new RegExp(`^${words}$`) }).waitFor({ state: 'attached' })
const hereCount = (page: Page, count: number) =>
  page.getByRole('button', { name: `People in this room, ${count} here`, exact: true }).waitFor()
const people = (page: Page): Promise<string[]> =>
  page.evaluate(
    `[...document.querySelectorAll('#members li')].map((item) => item.querySelector('.name').textContent + (item.querySelector('.dot').hidden ? '' : ' *'))`,
  )

test('that somebody writes is shown below the field until they have said it, and moves nothing', {
  skip,
}, async (t) => {
  const chat = await openChat(t)
  const browser = await startBrowser(t)
  const noor = await chat.comeIn('نور')
  const dora = await chat.comeIn('dora')
  const [ada, bob] = await Promise.all([visit(browser, chat), visit(browser, chat, phone)])
  await comeIn(ada.page, 'ada')
  await comeIn(bob.page, 'bob')
  const log = () => ada.page.locator('#log').boundingBox()
  const before = await log()
  const told = () => bob.requests.filter((url) => url.endsWith('/typing')).length
  // He tells again after some seconds, and she forgets him after some: both clocks stand, however long this takes.
  await bob.page.clock.setFixedTime(Date.now())
  await ada.page.clock.install()
  await ada.page.clock.pauseAt(Date.now() + 20_000)

  await bob.page.locator('#text').pressSequentially('good morning to you all')
  await typing(ada.page, 'bob is typing…')
  await becomes(1, async () => told())
  assert.deepEqual(await log(), before)
  assert.equal(
    await ada.page.locator(':is([aria-live], [role=log], [role=status]) #typing').count(),
    0,
    'it is not read out',
  )
  await noor.ask('POST', '/rooms/lobby/typing')
  await typing(ada.page, 'bob and \u2068نور\u2069 are typing…')
  await dora.ask('POST', '/rooms/lobby/typing')
  await typing(ada.page, 'Several people are typing…')
  await dora.say('lobby', 'hello')
  await typing(ada.page, 'bob and \u2068نور\u2069 are typing…')
  await bob.page.locator('#text').press('Enter')
  await typing(ada.page, '\u2068نور\u2069 is typing…')
  // Who says nothing more is forgotten after a while; and nobody sees themselves.
  await ada.page.clock.runFor(5_900)
  await typing(ada.page, '\u2068نور\u2069 is typing…')
  await ada.page.clock.runFor(100)
  await typing(ada.page, '')
  await sees(ada.page, 'good morning')
  await noor.say('lobby', 'صباح الخير')
  await typing(bob.page, '')

  // Neither an empty field nor a change of what was said is a new message.
  await bob.page.locator('#text').press('ArrowUp')
  await bob.page.locator('#about:not([hidden])').waitFor()
  await bob.page.locator('#text').pressSequentially('!')
  await bob.page.locator('#text').fill('')
  await bob.page.locator('#text').press('Escape')
  assert.equal(told(), 1)
  // Nor is it shown in another room.
  const garden = await dora.makeRoom('Garden')
  await dora.ask('POST', `/rooms/${garden}/typing`)
  let later = Date.now() + 60_000
  await bob.page.clock.setFixedTime(later)
  await bob.page.locator('#text').fill('again')
  await becomes(2, async () => told())
  // The server passes on one a second, and may have passed on his last one just now.
  await becomes('bob is typing…', async () => {
    later += 60_000
    await bob.page.clock.setFixedTime(later)
    await bob.page.locator('#text').fill(`again at ${later}`)
    return ada.page.locator('#typing').textContent()
  })
  assert.deepEqual([...ada.faults, ...bob.faults], [])
})

test('who is here is counted and comes first, and has gone some seconds after their last tab', { skip }, async (t) => {
  const chat = await openChat(t)
  const browser = await startBrowser(t)
  const zoe = await chat.comeIn('zoe')
  await zoe.say('lobby', 'I was here before you')
  await zoe.makeRoom('Garden')
  const [ada, bob] = await Promise.all([visit(browser, chat), visit(browser, chat, phone)])
  await comeIn(ada.page, 'ada')
  await say(ada.page, 'hello')
  await sees(ada.page, 'hello')
  await hereCount(ada.page, 1)
  await comeIn(bob.page, 'bob')
  await say(bob.page, 'hello ada')
  await hereCount(ada.page, 2)
  await hereCount(bob.page, 2)
  await becomes('2', () => bob.page.locator('#here').innerText())

  await openPeople(ada.page)
  await ada.page.locator('#members li', { hasText: 'bob' }).waitFor()
  await becomes(['ada *', 'bob *', 'zoe'], () => people(ada.page))
  assert.match(await ada.page.locator('#members li', { hasText: 'bob' }).locator('.role').innerText(), /here/)
  await ada.page.getByRole('button', { name: 'bob' }).click()
  await ada.page.getByRole('button', { name: 'Message', exact: true }).click()
  await ada.page.locator('#room-name', { hasText: /^bob$/ }).waitFor()
  const link = ada.page.locator('#rooms a', { hasText: 'bob' })
  await link.locator('.dot:not([hidden])', { hasText: '(here)' }).waitFor()
  await becomes('here', async () => (await ada.page.locator('#here').innerText()).trim())
  await ada.page.locator('#rooms a', { hasText: 'lobby' }).click()
  await hereCount(ada.page, 2)
  // Who has spoken alone is not offered before who is here.
  await ada.page.locator('#text').pressSequentially('@')
  await ada.page.locator('#completion li small', { hasText: 'here' }).waitFor()
  await becomes(['bob', 'zoe'], async () =>
    (await ada.page.locator('#completion li bdi').allTextContents()).slice(0, 2),
  )
  await ada.page.locator('#text').fill('')

  await openPeople(ada.page)
  const stream = await zoe.listen()
  await ada.page.locator('#members li', { hasText: 'zoe' }).locator('.dot:not([hidden])').waitFor({ state: 'attached' })
  await becomes(['zoe *', 'ada *', 'bob *'], () => people(ada.page))
  await ada.page.keyboard.press('Escape')
  // In a room where nothing happens, too, whether one comes from another or loads the page there.
  await ada.page.locator('#rooms a', { hasText: 'Garden' }).click()
  await hereCount(ada.page, 1)
  await ada.page.reload()
  await hereCount(ada.page, 1)
  await link.locator('.dot:not([hidden])').waitFor()
  await ada.page.locator('#rooms a', { hasText: 'lobby' }).click()
  await hereCount(ada.page, 3)
  await openPeople(ada.page)
  await bob.page.close()
  await hereCount(ada.page, 2)
  await becomes(['zoe *', 'ada *', 'bob'], () => people(ada.page))
  await link.locator('.dot').waitFor({ state: 'hidden' })
  stream.leave()
  await hereCount(ada.page, 1)
  assert.deepEqual([...ada.faults, ...bob.faults], [])
})

test('who has gone while the connection was away is not here when it is back', { skip }, async (t) => {
  const chat = await startChat(t, { data: await temporaryFolder(t) })
  const browser = await startBrowser(t)
  const bob = await chat.comeIn('bob')
  await bob.say('lobby', 'hello')
  await bob.listen()
  const { page, faults } = await visit(browser, chat)
  await comeIn(page, 'ada')
  await say(page, 'hello bob')
  await hereCount(page, 2)

  await chat.kill()
  await page.locator('#connection[data-state=reconnecting]').waitFor()
  await chat.start()
  await page.locator('#connection[data-state=live]').waitFor()
  await hereCount(page, 1)
  assert.deepEqual(faults, [])
})
