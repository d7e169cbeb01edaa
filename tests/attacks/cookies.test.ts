// A browser sends a host's cookies to all of its ports. Two natters of one host, in one browser, have nothing to do with each other.

import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { createChat } from '../../lib/index.ts'
import { openChat, own, patienceMs, startChat, temporaryFolder } from '../chat-server.ts'
import { serve } from '../mounted/mount.ts'

/** The cookies of one host, as a browser keeps them: by name and path, whatever the port. */
class Browser {
  readonly kept = new Map<string, { name: string; path: string; value: string }>()

  async fetch(url: string, init: RequestInit = {}): Promise<Response> {
    const { pathname } = new URL(url)
    const sent = [...this.kept.values()].filter(
      ({ path }) => path === '/' || pathname === path || pathname.startsWith(`${path}/`),
    )
    const cookie = sent.map(({ name, value }) => `${name}=${value}`).join('; ')
    const answer = await fetch(url, {
      ...init,
      signal: AbortSignal.timeout(patienceMs),
      headers: { ...own, ...(init.headers as Record<string, string>), ...(cookie && { cookie }) },
    })
    for (const line of answer.headers.getSetCookie()) this.#take(line)
    return answer
  }

  #take(line: string): void {
    const [, name, value] = /^([^=]+)=([^;]*)/.exec(line) as unknown as [string, string, string]
    const path = /; Path=([^;]+)/.exec(line)![1]!
    if (/; Max-Age=0/.test(line)) this.kept.delete(`${name} ${path}`)
    else this.kept.set(`${name} ${path}`, { name, path, value })
  }

  /** As an older natter did, which told nobody's cookies apart. */
  takeOlder(secret: string, { name = 'natter', path = '/' } = {}): void {
    this.kept.set(`${name} ${path}`, { name, path, value: secret })
  }

  async comeIn(url: string, name: string): Promise<void> {
    const answer = await this.fetch(`${url}/session`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ name }),
    })
    assert.equal(answer.status, 201, await answer.text())
  }

  /** Who the browser is at a natter, by name; null is nobody. */
  async who(url: string): Promise<string | null> {
    const { user } = (await (await this.fetch(`${url}/session`)).json()) as { user: { name: string } | null }
    return user && user.name
  }

  /** 200 if it may read on, 204 if it is told for good that it is logged out. */
  async stream(url: string): Promise<number> {
    const answer = await this.fetch(`${url}/events`, { headers: { accept: 'text/event-stream' } })
    await answer.body?.cancel()
    return answer.status
  }

  get names(): string[] {
    return [...this.kept.values()].map(({ name }) => name)
  }

  /** The secret in the one cookie of a natter that it has been to. */
  get secret(): string {
    assert.equal(this.kept.size, 1)
    return [...this.kept.values()][0]!.value
  }
}

async function mountedAt(t: TestContext, paths: readonly string[], urls: readonly string[] = []): Promise<string> {
  const chats = await Promise.all(
    paths.map((path) => createChat({ data: ':memory:', path, urls, postsPerSecond: 0, log: () => {} })),
  )
  t.after(() => Promise.all(chats.map((chat) => chat.close())))
  // The longest path first: the root has everything else.
  return serve(t, (request, response) => {
    const at = paths
      .map((path, at) => ({ path, at }))
      .sort((a, b) => b.path.length - a.path.length)
      .find(({ path }) => request.url!.startsWith(path))!.at
    chats[at]!.handler(request, response)
  })
}

test('a guest of two natters on two ports of a host stays in both', async (t) => {
  const [one, other] = [await openChat(t), await openChat(t)]
  const browser = new Browser()
  await browser.comeIn(one.url, 'ada')

  assert.equal(await browser.who(other.url), null)
  assert.equal(await browser.stream(other.url), 200)
  assert.equal(await browser.who(one.url), 'ada')
  await browser.comeIn(other.url, 'eve')

  for (const [{ url }, name] of [
    [one, 'ada'],
    [other, 'eve'],
    [one, 'ada'],
  ] as const) {
    assert.equal(await browser.who(url), name)
    assert.equal(await browser.stream(url), 200)
  }
  assert.equal(new Set(browser.names).size, 2)
})

test('who logs out of one stays in the other, also after both have started again', async (t) => {
  const [one, other] = await Promise.all([0, 1].map(async () => startChat(t, { data: await temporaryFolder(t) })))
  const browser = new Browser()
  await browser.comeIn(one!.url, 'ada')
  await browser.comeIn(other!.url, 'eve')
  const names = browser.names
  await Promise.all(
    [one!, other!].map(async (chat) => {
      await chat.stop()
      await chat.start()
    }),
  )

  assert.deepEqual([await browser.who(one!.url), await browser.who(other!.url)], ['ada', 'eve'])
  assert.equal((await browser.fetch(`${one!.url}/session`, { method: 'DELETE' })).status, 204)

  assert.deepEqual([await browser.who(one!.url), await browser.who(other!.url)], [null, 'eve'])
  assert.deepEqual(browser.names, [names[1]])
})

test('a session that is over is told so where it was, and nowhere else', async (t) => {
  const [one, other] = [await openChat(t), await openChat(t)]
  const browser = new Browser()
  await browser.comeIn(one.url, 'ada')
  const kept = new Map(browser.kept)
  await browser.fetch(`${one.url}/session`, { method: 'DELETE' })
  // A tab that was open has it still.
  for (const [key, cookie] of kept) browser.kept.set(key, cookie)

  assert.equal(await browser.stream(other.url), 200)
  assert.equal(browser.kept.size, 1)
  assert.equal(await browser.stream(one.url), 204)
  assert.equal(browser.kept.size, 0)
  assert.equal(await browser.stream(one.url), 200)
})

test('the cookie of an older natter is good where it was given, and another one there leaves it alone', async (t) => {
  const [one, other] = [await openChat(t), await openChat(t)]
  const came = new Browser()
  await came.comeIn(one.url, 'ada')
  const browser = new Browser()
  browser.takeOlder(came.secret)

  assert.equal(await browser.who(other.url), null)
  assert.equal(await browser.stream(other.url), 200)
  await browser.comeIn(other.url, 'eve')
  assert.equal((await browser.fetch(`${other.url}/session`, { method: 'DELETE' })).status, 204)
  assert.deepEqual(browser.names, ['natter'])

  assert.equal(await browser.stream(one.url), 200)
  assert.equal(await browser.who(one.url), 'ada')
  // From now on under the name that is this natter's own.
  assert.deepEqual(browser.names, came.names)
  assert.equal(await browser.who(one.url), 'ada')
})

test('what an older natter left behind keeps nobody in who logs out, and nobody out who comes in', async (t) => {
  const chat = await openChat(t)
  const [before, browser] = [new Browser(), new Browser()]
  await before.comeIn(chat.url, 'ada')
  const { secret } = before
  await browser.comeIn(chat.url, 'eve')
  browser.takeOlder(secret)
  assert.equal(await browser.who(chat.url), 'eve')

  await browser.fetch(`${chat.url}/session`, { method: 'DELETE' })
  assert.equal(await browser.who(chat.url), null)
  assert.deepEqual(browser.names, [])

  await before.fetch(`${chat.url}/session`, { method: 'DELETE' })
  browser.takeOlder(secret)
  assert.equal(await browser.stream(chat.url), 204, 'it is over, and ours')
  assert.deepEqual(browser.names, [])
  browser.takeOlder(secret)
  await browser.comeIn(chat.url, 'kim')
  assert.equal(browser.names.length, 1)
  assert.equal(await browser.stream(chat.url), 200)
})

test("a cookie that nobody gave, or that is another program's, is left alone and does no harm", async (t) => {
  const chat = await openChat(t)
  for (const [name, value] of [
    ['natter', 'x'.repeat(43)],
    ['natter', 'short'],
    ['natter-00000000', 'y'.repeat(43)],
    ['natter-', 'z'.repeat(43)],
    ['session', 'theirs'],
  ] as const) {
    const browser = new Browser()
    browser.takeOlder(value, { name })

    assert.equal(await browser.stream(chat.url), 200, name)
    assert.equal(await browser.who(chat.url), null)
    await browser.comeIn(chat.url, `${name} ${value[0]}`)
    await browser.fetch(`${chat.url}/session`, { method: 'DELETE' })
    assert.deepEqual([...browser.kept.values()], [{ name, path: '/', value }])
  }
})

test('chats that are mounted at several paths of a host, one inside of the other, keep their people apart', async (t) => {
  const url = await mountedAt(t, ['', '/chat', '/chat/inner', '/other'])
  const browser = new Browser()
  const places = ['', '/chat', '/chat/inner', '/other'].map((path) => url + path)
  for (const [at, place] of places.entries()) await browser.comeIn(place, `guest ${at}`)

  for (const round of [1, 2])
    for (const [at, place] of places.entries()) {
      assert.equal(await browser.who(place), `guest ${at}`, `${place}, ${round}`)
      assert.equal(await browser.stream(place), 200)
    }
  assert.equal(new Set(browser.names).size, 4)
  await browser.fetch(`${places[1]}/session`, { method: 'DELETE' })
  assert.deepEqual(await Promise.all(places.map((place) => browser.who(place))), [
    'guest 0',
    null,
    'guest 2',
    'guest 3',
  ])
})

test('the same holds where we are reached by HTTPS alone, with prefixes that bind a cookie to it', async (t) => {
  const chats = await Promise.all(
    ['', '', '/chat'].map((path) => mountedAt(t, [path], ['https://example.com']).then((url) => url + path)),
  )
  const browser = new Browser()
  for (const [at, url] of chats.entries()) await browser.comeIn(url, `guest ${at}`)

  for (const [at, url] of chats.entries()) assert.equal(await browser.who(url), `guest ${at}`)
  assert.deepEqual(
    browser.names.map((name) => name.replace(/[0-9a-z]{8}/, '…')),
    ['__Host-natter-…', '__Host-natter-…', '__Secure-natter-…-chat'],
  )
})
