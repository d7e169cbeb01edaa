// The page in a real Chromium, against a real server.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openChat, startChat, temporaryFolder } from '../chat-server.ts'
import { skip, startBrowser } from './browser.ts'
import { comeIn, openPeople, say, sees, visit } from './visit.ts'

test('two people come in, talk, make a room, and meet there', { skip }, async (t) => {
  const chat = await openChat(t)
  const browser = await startBrowser(t)
  const [ada, bob] = await Promise.all([
    visit(browser, chat),
    visit(browser, chat, { viewport: { width: 360, height: 740 }, hasTouch: true }),
  ])

  await comeIn(ada.page, 'ada')
  await comeIn(bob.page, 'bob')
  await say(ada.page, 'hello from ada')
  await sees(bob.page, 'hello from ada')
  await say(bob.page, 'hello back')
  await sees(ada.page, 'hello back')

  const carol = await chat.comeIn('carol')
  const regretted = await carol.say('lobby', 'regretted')
  await sees(ada.page, 'regretted')
  await carol.fetch(`/rooms/lobby/messages/${regretted.id}`, {
    method: 'DELETE',
    headers: { 'sec-fetch-site': 'same-origin' },
  })
  await ada.page.locator('.message', { hasText: 'regretted' }).waitFor({ state: 'detached' })

  await ada.page.getByRole('button', { name: 'New room' }).click()
  await ada.page.locator('#new-room-name').fill('Küche')
  await ada.page.getByRole('button', { name: 'Make' }).click()
  await ada.page.waitForURL(`**/rooms/${encodeURIComponent('küche')}`)
  await say(ada.page, 'only in the kitchen')
  await bob.page.getByRole('button', { name: 'Rooms' }).click()
  await bob.page.locator('#rooms a', { hasText: 'Küche' }).click()
  await sees(bob.page, 'only in the kitchen')
  await bob.page.goBack()
  await sees(bob.page, 'hello from ada')

  assert.deepEqual([...ada.faults, ...bob.faults], [])
})

test('the page survives a kill and a restart without a gap or a repeat, and sends what was typed meanwhile', {
  skip,
}, async (t) => {
  const chat = await startChat(t, { data: await temporaryFolder(t) })
  const browser = await startBrowser(t)
  const { page, faults } = await visit(browser, chat)
  const bob = await chat.comeIn('bob')
  await comeIn(page, 'ada')
  await say(page, 'before')
  await bob.say('lobby', 'bob before')
  await sees(page, 'bob before')

  await chat.kill()
  await say(page, 'while it was down')
  await page.locator('.message[data-state=pending]').waitFor()
  await chat.start()
  await bob.say('lobby', 'bob after')
  await sees(page, 'bob after')
  await sees(page, 'while it was down')

  const texts = await page.locator('.message .text').allTextContents()
  assert.deepEqual(texts.sort(), ['before', 'bob after', 'bob before', 'while it was down'])
  assert.deepEqual(faults, [])
})

test('what people type is shown as what they typed', { skip }, async (t) => {
  const chat = await openChat(t)
  const attacks = [
    '<img src=x onerror=alert(1)>',
    '<script>alert(1)</script>',
    '"><svg onload=alert(1)>',
    'javascript:alert(1)',
    '</li></template><b>x',
    '{{7*7}}',
    '&lt;b&gt;',
  ]
  const mallory = await chat.comeIn('<img src=x onerror=alert(1)>')
  for (const text of attacks) {
    await mallory.say('lobby', text)
    await mallory.makeRoom(`${text} room`)
  }
  const browser = await startBrowser(t)

  const { page, faults } = await visit(browser, chat)
  await sees(page, '&lt;b&gt;')

  assert.deepEqual(await page.locator('.message .text').allTextContents(), attacks)
  assert.equal(await page.locator('#messages img, #messages script, #messages svg, #rooms img').count(), 0)
  await openPeople(page)
  await page.locator('#members li', { hasText: '<img src=x onerror=alert(1)>' }).waitFor()
  assert.equal(await page.locator('#people img').count(), 0)
  assert.deepEqual(faults, [])
})

test('no name that the modules of the page share hides one of the browser from all others', { skip }, async (t) => {
  const chat = await startChat(t)
  const browser = await startBrowser(t)
  const { page, requests } = await visit(browser, chat)
  const script = requests.find((url) => url.endsWith('/chat.js'))
  const shared = (await page.evaluate(`import('${script}').then(Object.keys)`)) as string[]
  const empty = await page.context().newPage() // has no elements that it knows by their ids as well
  const hidden = (names: string[]) => empty.evaluate(`${JSON.stringify(names)}.filter((name) => name in globalThis)`)

  assert.ok(shared.length > 80)
  assert.deepEqual(await hidden(shared), [])
  assert.deepEqual(await hidden(['say', 'name', 'fetch']), ['name', 'fetch'])
})
