// How a message's text is shown: marked as its author wanted, and with nothing in it that could be more than text.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openChat } from '../chat-server.ts'
import { skip, startBrowser } from './browser.ts'
import { comeIn, confirmed, openPeople, say, sees, visit } from './visit.ts'

// Of the well-known collections: what has got through one filter or another.
const attacks = [
  '<script>alert(1)</script>',
  '<img src=x onerror=alert(1)>',
  '"><svg onload=alert(1)>',
  '<iframe srcdoc="<script>alert(1)</script>">',
  '<a href="javascript:alert(1)">x</a>',
  '<math><mtext></form><form><mglyph><style></math><img src onerror=alert(1)>',
  '</textarea><script>alert(1)</script>',
  '</li></template><b>x',
  '<base href=//evil.example>',
  '<style>*{display:none}</style>',
  '<link rel=stylesheet href=//evil.example>',
  '<meta http-equiv=refresh content=0>',
  '<object data=javascript:alert(1)>',
  '<body onload=alert(1)>',
  '[x](javascript:alert(1))',
  '![x](http://evil.example/x.png)',
  '[x]: javascript:alert(1)',
  '<javascript:alert(1)>',
  '[x](data:text/html,<script>alert(1)</script>)',
  '[a](http://good.example)(http://evil.example)',
  'javascript:alert(1)',
  'javascript://a.example/%0aalert(1)',
  'JaVaScRiPt:alert(1)',
  'data:text/html;base64,PHNjcmlwdD4=',
  'vbscript:msgbox(1)',
  'http://a.example/"onmouseover="alert(1)',
  "http://a.example/'onclick='alert(1)",
  'http://a.example/<script>alert(1)</script>',
  'http://a.example/javascript:alert(1)',
  'https://a.example/`alert(1)`',
  'http://good.example@evil.example/',
  'https://a.example/#"><img src=x onerror=alert(1)>',
  '`<img src=x onerror=alert(1)>`',
  '**<img src=x onerror=alert(1)>**',
  '> <img src=x onerror=alert(1)>',
  '- <script>alert(1)</script>',
  '```<script>\nalert(1)\n```',
  '```"><script>alert(1)</script>\nalert(1)\n```',
  '```js" onload="alert(1)\nalert(1)\n```',
  '@<img src=x onerror=alert(1)>',
  '@"><script>alert(1)</script>',
  '{{constructor.constructor("alert(1)")()}}',
  '${alert(1)}',
  '<%= 7*7 %>',
  '&lt;script&gt;alert(1)&lt;/script&gt;',
  '&#60;script&#62;',
  '\u003cscript\u003e',
  '＜script＞',
  '<scr<script>ipt>',
  '<ScRiPt>alert(1)</sCrIpT>',
  '<img/src="x"/onerror=alert(1)>',
  '<svg/onload=alert(1)//',
  '\u202e<script>',
  '__proto__',
  'constructor',
  '<noscript><p title="</noscript><img src=x onerror=alert(1)>">',
]

const allowed = ['A', 'BLOCKQUOTE', 'CODE', 'DIV', 'EM', 'LI', 'P', 'PRE', 'S', 'SMALL', 'SPAN', 'STRONG', 'UL']
const attributes = ['class', 'dir', 'href', 'rel', 'role', 'tabindex', 'target']

test('whatever a text, a name or a room is called, it is text', { skip }, async (t) => {
  const chat = await openChat(t)
  const browser = await startBrowser(t)
  const names = ['<img src=x onerror=alert(1)>', '"><svg onload=alert(1)>', '{{7*7}}', '**bold**', '<b>room</b>']
  const people = await Promise.all(names.map((name) => chat.comeIn(name)))
  for (const name of names) await people[0]!.makeRoom(`${name} room`)
  const mallory = await chat.comeIn('mallory')
  for (const [index, text] of attacks.entries()) await (index % 2 === 0 ? mallory : people[0]!).say('lobby', text)
  await people[0]!.say('lobby', `@${names[0]}, @room`)
  const { page, faults, requests } = await visit(browser, chat)
  await sees(page, '@room')
  assert.deepEqual(await page.locator('#messages .mention').allTextContents(), [
    `@${names[0]}`,
    `@${names[0]}`,
    '@room',
  ]) // the first is among the attacks

  const made: { tag: string; attributes: string[]; href: string | null }[] = await page.evaluate(`
    [...document.querySelectorAll('#messages .text *')].map((element) => ({ tag: element.tagName, attributes: element.getAttributeNames(), href: element.getAttribute('href') }))`)
  for (const { tag, attributes: given, href } of made) {
    assert.ok(allowed.includes(tag), tag)
    assert.deepEqual(
      given.filter((name) => !attributes.includes(name)),
      [],
    )
    if (href !== null) assert.match(href, /^https?:\/\/(a|good|evil)\.example\//)
  }
  assert.ok(made.length > attacks.length)
  const texts: string[] = await page.locator(confirmed).allTextContents()
  assert.ok(texts.length > 40)
  // Of a mark nothing is left; of all else everything is. What turns the direction of writing ends with its text.
  const letters = (text: string) => text.replace(/[\s*`>•\u202c\u2069-]/g, '')
  assert.deepEqual(texts.slice(0, -1).map(letters), attacks.slice(1 - texts.length).map(letters))
  assert.equal(await page.locator('a[href*="javascript:alert"]:not([href^="http"])').count(), 0)
  await openPeople(page)
  await page.locator('#members li', { hasText: names[0]! }).waitFor()
  assert.equal(
    await page.locator('#messages :is(img, script, svg, iframe, style, b), #rooms img, #people li img').count(),
    0,
  )
  assert.deepEqual(
    requests.filter((url) => !url.startsWith(chat.url)),
    [],
  )
  assert.deepEqual(faults, [])
})

test('a text is marked, is read and copied as it stands, and follows an edit', { skip }, async (t) => {
  const chat = await openChat(t)
  const browser = await startBrowser(t)
  const bob = await chat.comeIn('bob')
  const { page, faults } = await visit(browser, chat)
  await comeIn(page, 'ada')
  const text =
    'first **bold** line\nsecond\n\n> quoted\n\n- milk\n- bread\n\n```js\nlet a = 1\nlet b = 2\n```\nhello @ada, see https://a.example/b.'
  const { id } = await bob.say('lobby', text)
  await page.locator('.message .code').waitFor()

  const said = page.locator(`[data-id="${id}"] .text`)
  assert.equal(
    await said.textContent(),
    'first bold line\nsecond\n\nquoted\n\n• milk\n• bread\n\njs\nlet a = 1\nlet b = 2\nhello @ada, see https://a.example/b.',
  )
  assert.deepEqual(await said.locator('strong').allTextContents(), ['bold'])
  assert.equal(await said.locator('.mention.of-me').textContent(), '@ada')
  const link = said.locator('a')
  assert.deepEqual(await Promise.all(['href', 'target', 'rel'].map((name) => link.getAttribute(name))), [
    'https://a.example/b',
    '_blank',
    'noopener noreferrer nofollow',
  ])
  const copied: string = await page.evaluate(
    `(getSelection().selectAllChildren(document.querySelector('[data-id="${id}"] .text')), String(getSelection()))`,
  )
  assert.equal(
    copied.replace(/\n+/g, '\n'),
    'first bold line\nsecond\nquoted\n• milk\n• bread\njs\nlet a = 1\nlet b = 2\nhello @ada, see https://a.example/b.',
  )

  // What is selected stays so while others react: only a text that has changed is written again.
  await page.evaluate(`document.querySelector('[data-id="${id}"] strong').id = 'the-same'`)
  await bob.ask('PUT', `/rooms/lobby/messages/${id}/reactions/${encodeURIComponent('👍')}`)
  await page.getByRole('button', { name: '👍 1' }).waitFor()
  assert.equal(await page.locator('#the-same').count(), 1)
  await bob.ask('PATCH', `/rooms/lobby/messages/${id}`, { text: 'now _this_' })
  await said.locator('em', { hasText: 'this' }).waitFor()
  assert.equal(await page.locator('#the-same').count(), 0)

  // What I say is marked at once.
  await say(page, '**mine**')
  await page.locator('.message strong', { hasText: 'mine' }).waitFor()
  assert.deepEqual(faults, [])
})

test('nothing makes the page wider than it is, and each line begins where its letters do', { skip }, async (t) => {
  const chat = await openChat(t)
  const browser = await startBrowser(t)
  const bob = await chat.comeIn('bob')
  await bob.say('lobby', 'x'.repeat(500))
  await bob.say('lobby', `https://a.example/${'y'.repeat(500)}`)
  await bob.say('lobby', `> ${'z'.repeat(500)}`)
  await bob.say('lobby', `\`${'c'.repeat(500)}\``)
  await bob.say('lobby', `\`\`\`\n${'wide '.repeat(100)}\n\`\`\``)
  await bob.say('lobby', 'left\nשלום עולם')
  const { page, faults } = await visit(browser, chat, { viewport: { width: 360, height: 740 } })
  await sees(page, 'left')

  const overflow = (selector: string): Promise<number> =>
    page.evaluate(`((element) => element.scrollWidth - element.clientWidth)(document.querySelector('${selector}'))`)
  assert.ok((await overflow('#log')) <= 0)
  assert.ok((await overflow('.text pre')) > 0)
  const [left, right]: [number, number] = await page.evaluate(`['left', 'שלום'].map((word) => {
    const { firstChild: letters } = [...document.querySelectorAll('.text p')].find(({ textContent }) => textContent.includes('left'))
    const range = document.createRange()
    range.setStart(letters, letters.data.indexOf(word))
    range.setEnd(letters, letters.data.indexOf(word) + word.length)
    return range.getBoundingClientRect().left
  })`)
  assert.ok(right > left + 100, `the Hebrew line is at ${right}, the English one at ${left}`)
  assert.deepEqual(faults, [])
})
