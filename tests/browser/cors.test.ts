// A page of another origin, in a real Chromium: it may use natter if its origin is listed, and not otherwise.

import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { test, type TestContext } from 'node:test'
import { openChat } from '../chat-server.ts'
import { skip, startBrowser } from './browser.ts'

/** Another site, with an empty page. */
async function startSite(t: TestContext): Promise<string> {
  const server = createServer((_request, response) =>
    response.setHeader('content-type', 'text/html').end('<!doctype html><title>another site</title>'),
  )
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.after(() => {
    server.closeAllConnections()
    server.close()
  })
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

/** Runs in the page: each thing that a page would do, and whether it could. */
async function tryAll(url: string) {
  const could = async (does: () => Promise<unknown>) => {
    try {
      return await does()
    } catch {
      return 'refused'
    }
  }
  const json = { 'content-type': 'application/json' }
  const post = async (headers: Record<string, string>, credentials: 'omit' | 'include' = 'omit') => {
    const answer = await fetch(`${url}/rooms/lobby/messages`, {
      method: 'POST',
      credentials,
      headers: { ...json, ...headers },
      body: '{"text":"from another site"}',
    })
    return `${answer.status} ${answer.headers.has('location')}`
  }
  const event = (withCredentials: boolean) =>
    new Promise((resolve, reject) => {
      const source = new EventSource(`${url}/events?since=all`, { withCredentials })
      source.addEventListener('message', (event) => {
        source.close()
        resolve(JSON.parse(event.data).text)
      })
      source.onerror = () => {
        source.close()
        reject(new Error('no stream'))
      }
    })
  return {
    reads: await could(async () => (await fetch(`${url}/rooms`)).status),
    refusals: await could(async () => (await fetch(`${url}/nowhere`)).status),
    comesIn: await could(
      async () =>
        (
          await fetch(`${url}/session`, {
            method: 'POST',
            credentials: 'include',
            headers: json,
            body: '{"name":"ada"}',
          })
        ).status,
    ),
    postsByCookie: await could(() => post({ 'idempotency-key': 'k' }, 'include')),
    postsByName: await could(() => post({ authorization: `Basic ${btoa('bob:')}` })),
    watches: await could(() => event(false)),
    // As polyfills do that are written with fetch or XMLHttpRequest: unlike a browser's own EventSource they have to be allowed each header.
    watchesByPolyfill: await could(async () => {
      const polyfilled = await fetch(`${url}/events`, {
        headers: {
          accept: 'text/event-stream',
          'cache-control': 'no-cache',
          'last-event-id': '0',
          authorization: `Basic ${btoa('bob:')}`,
        },
      })
      await polyfilled.body!.cancel()
      return polyfilled.status
    }),
    watchesByCookie: await could(() => event(true)),
    // As a form of old does, which no browser asks first for; whether it was let in is seen by what is stored.
    postsPlainly: await could(
      async () =>
        (
          await fetch(`${url}/rooms/lobby/messages`, {
            method: 'POST',
            mode: 'no-cors',
            credentials: 'include',
            body: 'smuggled',
          })
        ).type,
    ),
  }
}

test('a page of a listed origin comes in, posts and watches; a page of another can do none of it', {
  skip,
}, async (t) => {
  const browser = await startBrowser(t)
  const [listed, other] = [await startSite(t), await startSite(t)]
  const chat = await openChat(t, { flags: ['--allow-origin', listed] })
  await (await chat.comeIn('first')).say('lobby', 'hello')
  const visit = async (site: string) => {
    const page = await (await browser.newContext()).newPage()
    await page.goto(site)
    return page.evaluate(tryAll, chat.url)
  }

  assert.deepEqual(await visit(other), {
    reads: 'refused',
    refusals: 'refused',
    comesIn: 'refused',
    postsByCookie: 'refused',
    postsByName: 'refused',
    watches: 'refused',
    watchesByPolyfill: 'refused',
    watchesByCookie: 'refused',
    postsPlainly: 'refused',
  })
  const { messages } = await chat.stranger.read<{ messages: { text: string }[] }>('/rooms/lobby/messages')
  assert.deepEqual(
    messages.map(({ text }) => text),
    ['hello'],
  )

  assert.deepEqual(await visit(listed), {
    reads: 200,
    refusals: 404,
    comesIn: 201,
    postsByCookie: '201 true',
    postsByName: '201 true',
    watches: 'hello',
    watchesByPolyfill: 200,
    watchesByCookie: 'hello',
    postsPlainly: 'refused',
  })
})
