// Pages of other origins, in a real Chromium, that have it read from natter by all the means a page has: none of it takes anything from
// whoever visits them. What a browser says of each is in tests/attacks/cross-site.test.ts.

import assert from 'node:assert/strict'
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { test, type TestContext } from 'node:test'
import { openChat } from '../chat-server.ts'
import { skip, startBrowser } from './browser.ts'
import { becomes } from './visit.ts'

/** Another origin, with an empty page. */
async function startSite(t: TestContext): Promise<number> {
  const server = createServer((_request, response) =>
    response.setHeader('content-type', 'text/html').end('<!doctype html><title>another site</title>'),
  )
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.after(() => {
    server.closeAllConnections()
    server.close()
  })
  // A server that listens on a port has an address of this form.
  return (server.address() as AddressInfo).port
}

/** What the page does: it asks for a stream by each means, and holds on to what comes. */
const askForStreams = (url: string) => `{
  const [url, held] = ['${url}', []]
  window.held = held
  const element = (name, attributes) => document.body.appendChild(Object.assign(document.createElement(name), attributes))
  for (const path of ['/events', '/rooms', '/rooms/lobby/messages']) {
    for (const accept of ['text/event-stream', 'application/x-ndjson']) held.push(fetch(url + path, { mode: 'no-cors', credentials: 'include', headers: { accept } }).catch(() => {}))
    held.push(fetch(url + path, { headers: { accept: 'text/event-stream' } }).catch(() => {}))
    held.push(new EventSource(url + path), new EventSource(url + path, { withCredentials: true }))
  }
  for (const name of ['img', 'script', 'video', 'audio', 'iframe', 'embed']) element(name, { src: url + '/events' })
  element('object', { data: url + '/events' })
  element('link', { rel: 'stylesheet', href: url + '/events' })
  element('link', { rel: 'preload', as: 'image', href: url + '/events' })
  element('link', { rel: 'prefetch', href: url + '/events' })
  element('div', { style: 'background: url(' + url + '/events?background)' }).textContent = 'x'
  element('iframe', { name: 'target' })
  element('form', { action: url + '/events', method: 'get', target: 'target' }).submit()
}`

/** What a server of this process was asked for by a browser, as what, and with which status it was answered. */
function watchRequests(t: TestContext, port: string): Map<string, Set<number>> {
  const answered = new Map<string, Set<number>>()
  const watch = (message: unknown) => {
    // What Node says there: https://nodejs.org/api/diagnostics_channel.html#event-httpserverresponsefinish
    const { request, response } = message as { request: IncomingMessage; response: ServerResponse }
    const { 'sec-fetch-dest': shownAs, 'sec-fetch-mode': mode, host } = request.headers
    if (!host?.endsWith(`:${port}`) || shownAs === undefined) return
    const what = `${mode} ${shownAs}`
    answered.set(what, (answered.get(what) ?? new Set()).add(response.statusCode))
  }
  subscribe('http.server.response.finish', watch)
  t.after(() => unsubscribe('http.server.response.finish', watch))
  return answered
}

const means = [
  'no-cors empty',
  'cors empty',
  'no-cors image',
  'no-cors script',
  'no-cors video',
  'no-cors audio',
  'navigate iframe',
  'navigate embed',
  'navigate object',
  'no-cors style',
]

test('pages of other sites take no stream from whoever visits them', { skip }, async (t) => {
  const browser = await startBrowser(t)
  const site = await startSite(t)
  const chat = await openChat(t, { flags: ['--trust-proxy', '', '--streams-per-address', '2'] })
  const { port } = new URL(chat.url)
  const url = `http://localhost:${port}`

  // To localhost the first is another site, and the second another origin of the same site.
  for (const host of ['127.0.0.1', 'localhost']) {
    const page = await (await browser.newContext()).newPage()
    const answered = watchRequests(t, port)
    await page.goto(`http://${host}:${site}`)

    await page.evaluate(askForStreams(url))
    await becomes([], async () => means.filter((what) => !answered.has(what)))

    for (const [what, statuses] of answered) assert.deepEqual([...statuses], [403], `${host}: ${what}`)
    const streams = [await chat.stranger.listen(), await chat.stranger.listen()]
    for (const stream of streams) {
      await stream.next('ping')
      stream.leave()
    }
    await page.context().close()
  }
})

test('who follows a link of another site to a stream sees it', { skip }, async (t) => {
  const browser = await startBrowser(t)
  const port = await startSite(t)
  const chat = await openChat(t)
  await (await chat.comeIn('ada')).say('lobby', 'hello')
  const url = `http://localhost:${new URL(chat.url).port}`
  for (const path of ['/search?q=hello', '/rooms/lobby/messages', '/events']) {
    const page = await (await browser.newContext()).newPage()
    await page.goto(`http://127.0.0.1:${port}`)
    const answer = page.waitForResponse((response) => response.url() === url + path)
    await page.evaluate(
      `Object.assign(document.body.appendChild(document.createElement('a')), { href: '${url}${path}' }).click()`,
    )
    const headers = await (await answer).request().allHeaders()
    assert.deepEqual(
      { status: (await answer).status(), site: headers['sec-fetch-site'] },
      { status: 200, site: 'cross-site' },
      path,
    )
  }
})
