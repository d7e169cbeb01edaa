// The language of the page: which one somebody gets, that it is all of the page, and that there is no page without it.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Page, Route } from 'playwright-core'
import { openChat } from '../chat-server.ts'
import { skip, startBrowser } from './browser.ts'
import { visit } from './visit.ts'

/** All that the page says or would say if it were unfolded, but for what people have said and are called. */
function latinWords(page: Page): Promise<string[]> {
  return page.evaluate(`(() => {
    const whole = document.body.cloneNode(true)
    for (const template of whole.querySelectorAll('template')) whole.append(template.content)
    for (const theirs of whole.querySelectorAll('bdi, noscript, #rooms a, .text, .avatar')) theirs.remove()
    const attributes = [...whole.querySelectorAll('*')].flatMap((element) => ['aria-label', 'title', 'placeholder'].map((name) => element.getAttribute(name) ?? ''))
    return [...new Set((whole.textContent + ' ' + attributes.join(' ')).match(/\\p{Script=Latin}+/gu))]
  })()`)
}

function textOf(page: Page, selector: string): Promise<string> {
  return page.locator(selector).first().innerText()
}

/** What the page's own words.js makes of a text. */
function said(page: Page, key: string, values: Record<string, string | number>): Promise<string> {
  // Not the page's own copy, which is at the path of its version: this one has to load its words first.
  return page.evaluate(
    `import('/words/words.js').then(async ({ say, sayPage }) => (await sayPage(), say(${JSON.stringify(key)}, ${JSON.stringify(values)})))`,
  )
}

test('the texts are on their way before the script is there', { skip }, async (t) => {
  const chat = await openChat(t)
  const browser = await startBrowser(t)
  for (const [locale, file] of [
    ['en-GB', 'en.json'],
    ['zh-CN', 'zh.json'],
  ] as const) {
    const context = await browser.newContext({ locale })
    const page = await context.newPage()
    const asked: string[] = []
    page.on('request', (request) => request.url().endsWith('.json') && asked.push(request.url().replace(/.*\//, '')))
    const texts = page.waitForRequest(`**/${file}`)
    await page.route('**/chat.js', async (route) => {
      await texts
      await route.continue()
    })

    await page.goto(chat.url)
    await page.locator('#connection[data-state=live]').waitFor({ state: 'attached' })

    assert.deepEqual(asked, [file])
  }
})

test('whoever has a Chinese browser finds a Chinese page, whatever they do', { skip }, async (t) => {
  const chat = await openChat(t)
  const browser = await startBrowser(t)
  const bob = await chat.comeIn('bob')
  const { page, faults, requests } = await visit(browser, chat, { locale: 'zh-CN' })

  assert.equal(await page.locator('html').getAttribute('lang'), 'zh-CN')
  assert.deepEqual(
    requests.filter((url) => url.endsWith('.json')).map((url) => url.replace(/.*\//, '')),
    ['zh.json'],
  )
  assert.deepEqual(await latinWords(page), [])

  await page.locator('#entry').getByPlaceholder('你的名字').fill('bob')
  await page.locator('#entry-go', { hasText: '进入' }).click()
  await page.locator('#entry-problem').waitFor()
  assert.equal(await textOf(page, '#entry-problem'), '这个名字或看起来与它一样的名字已有人使用，请换一个')

  await page.locator('#entry').getByPlaceholder('你的名字').fill('小明')
  await page.locator('#entry-go', { hasText: '进入' }).click()
  await page.getByPlaceholder('写点什么').fill('你好')
  await page.keyboard.press('Enter')
  await page.locator('.message:not([data-state]) .text', { hasText: '你好' }).waitFor()
  assert.equal(await textOf(page, '.day'), '今天')
  assert.equal(await textOf(page, '#beginning'), '这里是 lobby 的开头。')
  await page.locator('#text').fill('x'.repeat(4001))
  assert.equal(await textOf(page, '#text-left'), '超出 1 个字符')
  await page.locator('#text').fill('')

  await page.locator('#me').click()
  await page.locator('#sessions summary').click()
  await page.locator('#sessions li').waitFor()
  await page.locator('#leave-open').click()
  await page.locator('#leave[open]').waitFor()
  assert.equal(await textOf(page, '#leave-title'), '退出 小明 的登录？')
  assert.deepEqual(await latinWords(page), [])
  await page.locator('#leave').getByRole('button', { name: '留下' }).click()
  await page.locator('#account').getByRole('button', { name: '关闭' }).click()

  await bob.say('lobby', '早')
  await page.getByRole('button', { name: '房间成员' }).click()
  await page.locator('#people-count', { hasText: '2 位成员' }).waitFor()
  assert.deepEqual(await latinWords(page), [])
  await page.locator('#people').getByRole('button', { name: '关闭' }).click()

  await page.getByRole('button', { name: '新建房间' }).click()
  await page.getByLabel('新房间的名称').fill('lobby')
  await page.getByRole('button', { name: '创建' }).click()
  await page.locator('#new-room-problem').waitFor()
  await page.goto(`${chat.url}/rooms/nowhere`)
  await page.locator('#missing').waitFor()
  assert.equal(await textOf(page, '#missing strong'), '没有“nowhere”这个房间')
  assert.deepEqual(await latinWords(page), [])
  assert.deepEqual(faults, [])
})

test('whoever has a browser in another language finds an English page', { skip }, async (t) => {
  const chat = await openChat(t)
  const browser = await startBrowser(t)

  const { page, requests } = await visit(browser, chat, { locale: 'de-DE' })

  assert.equal(await page.locator('html').getAttribute('lang'), 'en')
  assert.equal(await textOf(page, '#entry-go'), 'Come in')
  assert.equal(await page.locator('#text').getAttribute('placeholder'), 'Write a message')
  assert.deepEqual(
    requests.filter((url) => url.endsWith('.json')).map((url) => url.replace(/.*\//, '')),
    ['en.json'],
  )
})

test('the language that was chosen is the one from then on', { skip }, async (t) => {
  const chat = await openChat(t)
  const browser = await startBrowser(t)
  const { page, requests } = await visit(browser, chat, { locale: 'zh-TW' })
  assert.equal(await textOf(page, '#entry-go'), '进入')

  await page.evaluate("void import('/words/words.js').then(({ choose }) => choose('en'))")
  await page.locator('#entry-go', { hasText: 'Come in' }).waitFor()
  requests.length = 0
  await page.reload()
  await page.locator('#connection[data-state=live]').waitFor({ state: 'attached' })

  assert.equal(await textOf(page, '#entry-go'), 'Come in')
  assert.equal(await page.locator('html').getAttribute('lang'), 'en')
  // The others may be sent on their way too, and are not read: of the choice the server knows nothing.
  assert.ok(requests.some((url) => url.endsWith('/en.json')))
})

test('the page comes up although its words do not come at first', { skip }, async (t) => {
  const chat = await openChat(t)
  const browser = await startBrowser(t)
  const context = await browser.newContext()
  const page = await context.newPage()
  const faults: string[] = []
  page.on('pageerror', (error) => faults.push(String(error)))
  const answers = [
    (route: Route) => route.abort(),
    (route: Route) => route.fulfill({ status: 503, body: 'stopping' }),
    (route: Route) => route.fulfill({ status: 200, contentType: 'text/html', body: '<h1>Welcome to the hotel</h1>' }),
  ]
  await page.route('**/en.json', (route) => (answers.shift() ?? ((route) => route.continue()))(route))

  await page.goto(chat.url)
  await page.locator('#connection[data-state=live]').waitFor({ state: 'attached' })

  assert.equal(answers.length, 0)
  assert.equal(await textOf(page, '#entry-go'), 'Come in')
  assert.deepEqual(faults, [])
  await context.close()
})

test('a text counts as its language does, and a name from right to left leaves the sentence around it in order', {
  skip,
}, async (t) => {
  const chat = await openChat(t)
  const browser = await startBrowser(t)

  const { page } = await visit(browser, chat)

  assert.equal(await said(page, 'composer.left', { count: 1 }), '1 character left')
  assert.equal(await said(page, 'composer.left', { count: 1200 }), '1,200 characters left')
  assert.equal(await said(page, 'rooms.gone', { room: 'attic {count}' }), 'You are no longer in “attic {count}”.')
  assert.equal(await said(page, 'rooms.gone', { room: 'מטבח' }), 'You are no longer in “\u2068מטבח\u2069”.')
  assert.equal(await page.locator('#leave-title').textContent(), 'Log out as ?')
  assert.equal(await page.locator('#leave-title > bdi').count(), 1)
})
