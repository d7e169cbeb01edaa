// The one stream that all tabs of a browser share, and what breaks it. Between the browser and the chat stands a proxy that counts
// the streams and can be told to misbehave.

import assert from 'node:assert/strict'
import { request as ask, createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { before, test, after as afterAll, type TestContext } from 'node:test'
import type { Browser, BrowserContext, Page } from 'playwright-core'
import { until } from '../audit/until.ts'
import { openChat, own, patienceMs, startChat, temporaryFolder, type ChatServer } from '../chat-server.ts'
import { skip, startBrowser } from './browser.ts'
import { comeIn, confirmed, openAccount, say, sees } from './visit.ts'

const live = '#connection[data-state=live]'
const reconnecting = '#connection[data-state=reconnecting]'

let browser: Browser
const ends: (() => unknown)[] = []
before(async () => {
  if (!skip) browser = await startBrowser({ after: (end: () => unknown) => void ends.push(end) })
})
afterAll(async () => {
  for (const end of ends) await end()
})

interface Proxy {
  url: string
  /** Streams that are open now. */
  readonly streams: number
  /** How many were asked for so far. */
  readonly asked: number
  /** Answers whoever asks for a stream itself, until it is set to nothing again. */
  answer: ((response: ServerResponse) => void) | undefined
  /** What it has passed on to the browser, by path and without headers. */
  readonly passed: Map<string, Buffer[]>
  /** How that was packed. */
  readonly encodings: string[]
  /** Breaks all streams off. */
  cut(): void
}

async function startProxy(t: TestContext, chat: ChatServer): Promise<Proxy> {
  const open = new Set<ServerResponse>()
  const proxy = {
    url: '',
    get streams() {
      return open.size
    },
    asked: 0,
    answer: undefined as Proxy['answer'],
    passed: new Map<string, Buffer[]>(),
    encodings: [] as string[],
    cut: () => open.forEach((response) => response.destroy()),
  }
  const server = createServer((request: IncomingMessage, response: ServerResponse) => {
    const { pathname, search } = new URL(request.url!, 'http://host') // the whole address, where a browser takes it for its proxy
    const path = pathname + search
    const stream = path.startsWith('/events')
    if (stream) {
      proxy.asked++
      if (proxy.answer) return proxy.answer(response)
      open.add(response)
      response.on('close', () => open.delete(response))
    }
    const { host: _, ...headers } = request.headers
    const onward = ask(
      chat.url + path,
      {
        method: request.method!,
        headers: { ...headers, host: new URL(chat.url).host, ...(headers.origin && { origin: chat.url }) },
        agent: false,
      },
      (answer) => {
        response.writeHead(answer.statusCode!, answer.headers)
        const encoding = answer.headers['content-encoding']
        if (encoding && !proxy.encodings.includes(encoding)) proxy.encodings.push(encoding)
        answer.on('data', (chunk: Buffer) => proxy.passed.set(path, [...(proxy.passed.get(path) ?? []), chunk]))
        answer.pipe(response)
        answer.on('close', () => response.destroy())
      },
    )
    onward.on('error', () => response.destroy())
    response.on('close', () => onward.destroy())
    request.pipe(onward)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.after(() => {
    server.closeAllConnections()
    server.close()
  })
  proxy.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  return proxy
}

/** A profile of its own, and what its pages must not do. */
async function startProfile(t: TestContext, options = {}): Promise<{ context: BrowserContext; faults: string[] }> {
  const context = await browser.newContext(options)
  t.after(() => context.close())
  const faults: string[] = []
  context.on('weberror', (error) => faults.push(String(error.error())))
  context.on(
    'console',
    (message) => /Content Security Policy|Trusted/i.test(message.text()) && faults.push(message.text()),
  )
  return { context, faults }
}

async function openTab(context: BrowserContext, { url }: { url: string }, until = live): Promise<Page> {
  const page = await context.newPage()
  await page.goto(url)
  await page.locator(until).waitFor({ state: 'attached' })
  return page
}

function texts(page: Page): Promise<string[]> {
  return page.locator(confirmed).allTextContents()
}

/**
 * Stops a page where it stands, as browsers stop one that nobody has looked at for a while; gives what wakes it up. By the debugger, since
 * in a browser without a window no page is ever hidden, and only hidden ones can be frozen. It stops with the next thing it does.
 */
async function freeze(page: Page): Promise<{ stopped: Promise<unknown>; wake: () => Promise<unknown> }> {
  const session = await page.context().newCDPSession(page)
  const stopped = new Promise((resolve) => session.once('Debugger.paused', resolve))
  await session.send('Debugger.enable')
  await session.send('Debugger.pause')
  return { stopped, wake: () => session.send('Debugger.disable') }
}

test('seven tabs share one stream, and each can still talk, whichever of them is closed', { skip }, async (t) => {
  const chat = await openChat(t)
  const proxy = await startProxy(t, chat)
  const { context, faults } = await startProfile(t)
  const tabs = [await openTab(context, proxy)]
  await comeIn(tabs[0]!, 'ada')
  while (tabs.length < 7) tabs.push(await openTab(context, proxy))
  const all: string[] = []
  const talk = async (speakers: Page[]) => {
    // All at once: a tab that is behind another is painted once a second.
    const said = speakers.map((_, at) => `tab ${at} of ${tabs.length}`)
    await Promise.all(speakers.map((tab, at) => say(tab, said[at]!)))
    for (const text of said) for (const tab of tabs) await sees(tab, text)
    const heard = await texts(tabs[0]!)
    assert.deepEqual([heard.slice(0, all.length), heard.slice(all.length).sort()], [all, said])
    all.splice(0, all.length, ...heard)
    for (const tab of tabs) assert.deepEqual(await texts(tab), all)
    assert.equal(proxy.streams, 1)
  }

  await talk(tabs)
  await tabs.pop()!.close()
  await talk(tabs.slice(0, 1))
  await tabs.shift()!.close() // the one that came first
  await talk(tabs.slice(0, 1))

  assert.deepEqual(faults, [])
})

test('a tab that was frozen has all it missed when it wakes up, in order and once', { skip }, async (t) => {
  const chat = await openChat(t)
  const proxy = await startProxy(t, chat)
  const { context, faults } = await startProfile(t)
  const [frozen, other] = [await openTab(context, proxy), await openTab(context, proxy)]
  const bob = await chat.comeIn('bob')
  const all = Array.from({ length: 30 }, (_, at) => `message ${at}`)
  await bob.say('lobby', all[0]!)
  await sees(frozen, all[0]!)

  const { stopped, wake } = await freeze(frozen)
  await bob.fetch('/rooms/lobby/typing', { method: 'POST', headers: own })
  for (const text of all.slice(1)) await bob.say('lobby', text)
  await sees(other, all.at(-1)!)
  await stopped
  await wake()
  await sees(frozen, all.at(-1)!)

  assert.deepEqual(await texts(frozen), all)
  assert.deepEqual(await texts(other), all)
  assert.match(
    Buffer.concat([...proxy.passed].flatMap(([path, chunks]) => (path.startsWith('/events') ? chunks : []))).toString(),
    /event: typing/,
  )
  assert.deepEqual(faults, [])
})

test('a tab that slept through more than is kept for it fetches afresh', { skip }, async (t) => {
  const chat = await openChat(t)
  const proxy = await startProxy(t, chat)
  const { context, faults } = await startProfile(t)
  const [frozen, other] = [await openTab(context, proxy), await openTab(context, proxy)]
  const bob = await chat.comeIn('bob')
  await bob.say('lobby', 'before')
  await sees(frozen, 'before')

  const { stopped, wake } = await freeze(frozen)
  await bob.say('lobby', 'the one batch under way')
  for (let at = 0; at < 1100; at += 100)
    await Promise.all(Array.from({ length: 100 }, () => bob.say('lobby', 'one of many')))
  await bob.say('lobby', 'the last')
  await sees(other, 'the last')
  await stopped
  proxy.passed.clear()
  await wake()
  await sees(frozen, 'the last')
  await bob.say('lobby', 'and one more')
  await sees(frozen, 'and one more')

  const shown = await texts(frozen)
  assert.deepEqual(shown.slice(-3), ['one of many', 'the last', 'and one more'])
  assert.ok(proxy.passed.has('/rooms/lobby/messages?limit=50'), [...proxy.passed.keys()].join())
  assert.deepEqual(faults, [])
})

for (const [what, answer] of [
  ['502', (response) => response.writeHead(502).end('bad gateway')],
  ['503', (response) => response.writeHead(503, { 'retry-after': '1' }).end()],
  ['429', (response) => response.writeHead(429).end('{}')],
  [
    'a page where a stream was asked for',
    (response) =>
      response.writeHead(200, { 'content-type': 'text/html' }).end('<!doctype html><title>please log in</title>'),
  ],
] as [string, (response: ServerResponse) => void][]) {
  test(`the stream comes back after ${what}`, { skip }, async (t) => {
    const chat = await openChat(t)
    const proxy = await startProxy(t, chat)
    const { context, faults } = await startProfile(t)
    proxy.answer = answer
    const tab = await openTab(context, proxy, reconnecting)
    const bob = await chat.comeIn('bob')
    await bob.say('lobby', 'said meanwhile')
    assert.ok(proxy.asked >= 1)
    assert.equal(proxy.streams, 0)

    proxy.answer = undefined
    await tab.locator(live).waitFor({ state: 'attached' })
    await bob.say('lobby', 'said after')
    await sees(tab, 'said after')

    assert.deepEqual(await texts(tab), ['said meanwhile', 'said after'])
    assert.deepEqual(faults, [])
  })
}

test('a server that is killed in the middle of a talk and comes back leaves no gap and no repeat in any tab', {
  skip,
}, async (t) => {
  const chat = await startChat(t, { data: await temporaryFolder(t) })
  const proxy = await startProxy(t, chat)
  const { context, faults } = await startProfile(t)
  const tabs = [await openTab(context, proxy), await openTab(context, proxy)]
  const bob = await chat.comeIn('bob')
  const all = Array.from({ length: 20 }, (_, at) => `message ${at}`)

  for (const [at, text] of all.entries()) {
    if (at === 10) {
      await chat.kill()
      await chat.start()
    }
    await bob.say('lobby', text)
  }
  for (const tab of tabs) await sees(tab, all.at(-1)!)

  for (const tab of tabs) assert.deepEqual(await texts(tab), all)
  assert.equal(proxy.streams, 1)
  assert.deepEqual(faults, [])
})

test('when the server can not tell what was missed, every tab fetches afresh', { skip }, async (t) => {
  const chat = await startChat(t)
  const proxy = await startProxy(t, chat)
  const { context, faults } = await startProfile(t)
  const tabs = [await openTab(context, proxy), await openTab(context, proxy)]
  await (await chat.comeIn('bob')).say('lobby', 'of the first life')
  for (const tab of tabs) await sees(tab, 'of the first life')

  await chat.kill() // and all that it had in memory is gone
  await chat.start()
  await (await chat.comeIn('bob')).say('lobby', 'of the second life')
  for (const tab of tabs) await sees(tab, 'of the second life')

  for (const tab of tabs) assert.deepEqual(await texts(tab), ['of the second life'])
  assert.deepEqual(faults, [])
})

test('who comes in or logs out in one tab has done so in all, and the one stream is opened anew once', {
  skip,
}, async (t) => {
  const chat = await openChat(t)
  const proxy = await startProxy(t, chat)
  const { context, faults } = await startProfile(t)
  const tabs = [await openTab(context, proxy), await openTab(context, proxy), await openTab(context, proxy)]
  const [first, , last] = tabs as [Page, Page, Page]
  assert.equal(proxy.streams, 1)
  const before = proxy.asked

  await comeIn(first, 'ada')
  for (const tab of tabs) await tab.locator('#me-name', { hasText: 'ada' }).waitFor()
  await say(last, 'from the last one')
  for (const tab of tabs) await sees(tab, 'from the last one')
  assert.equal(proxy.asked, before + 1)

  await openAccount(last)
  await last.locator('#leave-open').click()
  await last.locator('#leave-confirm').click()
  for (const tab of tabs) await tab.locator('#name').waitFor()
  await (await chat.comeIn('bob')).say('lobby', 'goodbye')
  for (const tab of tabs) await sees(tab, 'goodbye')

  assert.equal(proxy.streams, 1)
  assert.deepEqual(faults, [])
})

test('where tabs can not share, each has a stream of its own, and gives it up once it was hidden for a minute', {
  skip,
}, async (t) => {
  const chat = await openChat(t)
  const proxy = await startProxy(t, chat)
  const { context, faults } = await startProfile(t)
  await context.addInitScript('delete globalThis.SharedWorker')
  const [tab, other] = [await openTab(context, proxy), await openTab(context, proxy)]
  const setHidden = (hidden: boolean) =>
    tab.evaluate(
      `Object.defineProperty(document, 'hidden', { configurable: true, value: ${hidden} }), document.dispatchEvent(new Event('visibilitychange'))`,
    )
  assert.equal(proxy.streams, 2)

  await tab.clock.install()
  await setHidden(true)
  await tab.clock.fastForward(59_000)
  const bob = await chat.comeIn('bob')
  await bob.say('lobby', 'while it is hidden')
  await sees(tab, 'while it is hidden')
  await tab.clock.fastForward(2_000)
  assert.ok(await until(() => proxy.streams === 1, patienceMs))
  await bob.say('lobby', 'while it is away')
  await sees(other, 'while it is away')
  assert.deepEqual(await texts(tab), ['while it is hidden'])
  await setHidden(false)
  await sees(tab, 'while it is away')

  assert.deepEqual(await texts(tab), ['while it is hidden', 'while it is away'])
  assert.equal(proxy.streams, 2)
  assert.deepEqual(faults, [])
})

test('a tab that can not share, and could not fetch what makes its own stream, says so and tries again', {
  skip,
}, async (t) => {
  const chat = await openChat(t)
  const { context } = await startProfile(t)
  await context.addInitScript('delete globalThis.SharedWorker')
  let asked = 0
  await context.route('**/static-*/stream/stream-hub.js', (route) => (asked++ === 0 ? route.abort() : route.continue()))

  const page = await context.newPage()
  await page.clock.install()
  await page.goto(chat.url)
  await page.locator('#notice').getByText('cannot be reached').waitFor()
  assert.equal(await page.locator(live).count(), 0)
  await page.clock.fastForward(20_000)
  await page.locator(live).waitFor({ state: 'attached' })

  assert.equal(asked, 2)
})

test('a page that was put away and is shown again goes on, and so does a browser on another network', {
  skip,
}, async (t) => {
  const chat = await openChat(t)
  const proxy = await startProxy(t, chat)
  const { context, faults } = await startProfile(t)
  const [tab, other] = [await openTab(context, proxy), await openTab(context, proxy)]
  const bob = await chat.comeIn('bob')
  const both = [tab, other]
  const tell = (page: Page, event: string) => page.evaluate(`window.dispatchEvent(${event})`)
  for (const page of both) await tell(page, `new PageTransitionEvent('pagehide', { persisted: true })`)
  assert.ok(await until(() => proxy.streams === 0, patienceMs))

  await bob.say('lobby', 'while nobody was there')
  assert.deepEqual(await texts(tab), [])
  for (const page of both) await tell(page, `new PageTransitionEvent('pageshow', { persisted: true })`)
  for (const page of both) await sees(page, 'while nobody was there')
  assert.equal(proxy.streams, 1)

  const before = proxy.asked
  // News of a network count once in two seconds, and those are over when a stream of that age is replaced.
  await until(async () => {
    for (const page of both) await tell(page, `new Event('online')`)
    return proxy.asked > before
  }, patienceMs)
  await bob.say('lobby', 'on another network')
  for (const page of both) await sees(page, 'on another network')

  assert.deepEqual([proxy.asked, proxy.streams], [before + 1, 1])
  for (const page of both) assert.deepEqual(await texts(page), ['while nobody was there', 'on another network'])
  assert.deepEqual(faults, [])
})

test('a page whose files are gone, since another version has come just then, loads itself again', {
  skip,
}, async (t) => {
  const chat = await openChat(t)
  const { context } = await startProfile(t)
  let asked = 0
  await context.route('**/static-*/chat.js', (route) =>
    asked++ === 0 ? route.fulfill({ status: 404 }) : route.continue(),
  )

  const page = await context.newPage()
  await page.goto(chat.url)
  await page.locator(live).waitFor({ state: 'attached' })

  assert.equal(asked, 2)
})

test('a first visit fetches less than 60 KB, from elsewhere too', { skip }, async (t) => {
  const chat = await openChat(t)
  // Browsers take brotli over HTTPS and from this machine only. A host that is known to the proxy alone is on neither.
  for (const elsewhere of [undefined, 'http://natter.test']) {
    const proxy = await startProxy(t, chat)
    const { context } = await startProfile(t, elsewhere ? { proxy: { server: proxy.url } } : {})
    await openTab(context, { url: elsewhere ?? proxy.url })

    const sizes = [...proxy.passed].map(([path, chunks]) => ({ path, bytes: Buffer.concat(chunks).length }))
    const all = sizes.reduce((sum, { bytes }) => sum + bytes, 0)
    t.diagnostic(`${all} bytes in ${sizes.length} answers, packed by ${proxy.encodings.join(' and ')}`)
    assert.deepEqual(proxy.encodings, [elsewhere ? 'gzip' : 'br'])
    assert.ok(sizes.some(({ path }) => path.endsWith('/chat.js')))
    assert.ok(sizes.some(({ path }) => path.endsWith('/stream-worker.js')))
    assert.ok(all < 60_000, `${all} bytes: ${sizes.map(({ path, bytes }) => `${path} ${bytes}`).join(', ')}`)
  }
})
