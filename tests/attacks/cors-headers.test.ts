// The headers that real clients send from a page of another origin: a browser asks about them first, and sends nothing if one is missing
// from the answer.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openChat, type ChatServer } from '../chat-server.ts'

const listed = 'https://app.example'

/** Asks as a browser does before it sends a request with headers of its own, and gives the names that it would then let through. */
async function letThrough(
  chat: ChatServer,
  path: string,
  { method = 'GET', origin = listed, headers }: { method?: string; origin?: string; headers: readonly string[] },
): Promise<string[]> {
  const asked = headers.map((name) => name.toLowerCase()).sort()
  const answer = await chat.fetch(path, {
    method: 'OPTIONS',
    headers: { origin, 'access-control-request-method': method, 'access-control-request-headers': asked.join(',') },
  })
  assert.equal(await answer.text(), '')
  // https://fetch.spec.whatwg.org/#cors-preflight-fetch: with credentials an origin has to be named, and `*` stands for nothing.
  if (
    !answer.ok ||
    answer.headers.get('access-control-allow-origin') !== origin ||
    answer.headers.get('access-control-allow-credentials') !== 'true'
  )
    return []
  if (!answer.headers.get('access-control-allow-methods')!.split(', ').includes(method)) return []
  const allowed = answer.headers.get('access-control-allow-headers')!.split(', ')
  return asked.filter((name) => allowed.includes(name))
}

// What each sends beside what a browser lets through without asking (`Accept` and the like).
const clients = {
  'an EventSource polyfill that asks for nothing stored': { path: '/events', headers: ['Cache-Control'] },
  'the same as it comes back': { path: '/events?room=lobby', headers: ['Cache-Control', 'Last-Event-ID'] },
  'the same with a token': { path: '/rooms', headers: ['Authorization', 'Cache-Control', 'Last-Event-ID'] },
  'a stream of a room that is read by fetch': {
    path: '/rooms/lobby/messages',
    headers: ['Authorization', 'Last-Event-ID'],
  },
  'a page that reads past its cache': {
    path: '/rooms/lobby/messages?limit=10',
    headers: ['Authorization', 'Cache-Control'],
  },
  'a post that may be sent again': {
    path: '/rooms/lobby/messages',
    method: 'POST',
    headers: ['Authorization', 'Content-Type', 'Idempotency-Key'],
  },
  'an HTTP library that says no-cache to everything': {
    path: '/rooms/lobby/messages/1',
    method: 'PATCH',
    headers: ['Authorization', 'Cache-Control', 'Content-Type'],
  },
  'a deletion': { path: '/rooms/lobby/messages/1', method: 'DELETE', headers: ['Authorization', 'Cache-Control'] },
  'what is nowhere, whose refusal the page may read too': {
    path: '/nowhere',
    headers: ['Authorization', 'Cache-Control'],
  },
}

for (const [client, { path, ...asked }] of Object.entries(clients)) {
  test(`from a listed origin every header gets through: ${client}`, async (t) => {
    const chat = await openChat(t, { flags: ['--allow-origin', listed] })
    assert.deepEqual(await letThrough(chat, path, asked), asked.headers.map((name) => name.toLowerCase()).sort())
  })
}

test('an origin that is not listed gets none through, and a header that no client needs gets through from nowhere', async (t) => {
  const chat = await openChat(t, { flags: ['--allow-origin', listed] })
  for (const origin of ['https://evil.example', 'null', `${listed}.evil.example`, 'http://app.example']) {
    assert.deepEqual(
      await letThrough(chat, '/events', { origin, headers: ['Authorization', 'Cache-Control'] }),
      [],
      origin,
    )
  }
  assert.deepEqual(
    await letThrough(chat, '/events', { headers: ['X-Forwarded-For', 'Cookie', 'X-Anything', 'Cache-Control'] }),
    ['cache-control'],
  )
})
