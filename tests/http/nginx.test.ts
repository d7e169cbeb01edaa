// Behind a real nginx, as an owner sets it up: with the two headers that it needs, and as it comes.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ChatServer, Listener, startChat } from '../chat-server.ts'
import { askFrom, noNginx as skip, startNginx } from '../proxy-servers.ts'

const names = `proxy_set_header Host $http_host; proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;`

const comeIn = (url: string, name: string, headers: Record<string, string> = {}) =>
  fetch(`${url}/session`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify({ name }),
  })

const lines = (chat: ChatServer) => chat.errors.split('\n').filter((line) => line.includes('X-Forwarded-For'))

test('behind nginx limits go by who asked nginx, whatever the client itself forwards', { skip }, async (t) => {
  // Clients of a test come from loopback as well, so here nginx alone is trusted, by an address that clients don't have.
  const chat = await startChat(t, { limits: true, flags: ['--trust-proxy', '127.0.0.2', '--streams-per-address', '3'] })
  const url = await startNginx(t, chat.url, `${names} proxy_bind 127.0.0.2;`)

  const answers: number[] = []
  for (let at = 0; at < 61; at++)
    answers.push((await comeIn(url, `n${at}`, { 'x-forwarded-for': `203.0.113.${at}` })).status)
  assert.deepEqual(answers, [...Array(60).fill(201), 429])
  // Another client of the same nginx.
  const other = await askFrom('127.0.0.3', url, 'POST /session', { body: '{"name":"other"}' })
  assert.match(other, /^HTTP\/1.1 201 /)

  const listeners = await Promise.all(
    [1, 2, 3].map(() => Listener.open(`${url}/events`, { 'x-forwarded-for': '203.0.113.7' })),
  )
  t.after(() => listeners.forEach((listener) => listener.leave()))
  const refused = await Listener.open(`${url}/events`)
  await refused.over
  assert.match(refused.bytes.toString(), /^retry: \d{4,5}\n\n: there are 3 streams open from this address/)
  assert.deepEqual(lines(chat), [])
})

test('events flow through nginx as it comes, one by one, and a reader that leaves is gone', { skip }, async (t) => {
  const chat = await startChat(t, { limits: true, flags: ['--trust-proxy', '127.0.0.2', '--streams-per-address', '1'] })
  const url = await startNginx(t, chat.url, `${names} proxy_bind 127.0.0.2;`)
  const ada = await chat.comeIn('ada')
  const reader = await Listener.open(`${url}/events`)

  // Each is waited for before the next is said: a proxy that collects them would never show the first.
  for (const text of ['one', 'two', 'three']) {
    await ada.say('lobby', text)
    assert.deepEqual(await reader.texts(1), [text])
  }

  reader.leave()
  for (;;) {
    const again = await Listener.open(`${url}/events?since=all`)
    const first = await Promise.race([again.texts(3), again.over])
    again.leave()
    if (first) return assert.deepEqual(first, ['one', 'two', 'three'])
  }
})

test('nginx with its defaults names no client: nobody is refused for another, streams flow, and one line says what to set', {
  skip,
}, async (t) => {
  const chat = await startChat(t, {
    limits: true,
    flags: ['--streams-per-address', '3', '--url', 'http://chat.example'],
  })
  const url = await startNginx(t, chat.url, '')

  const answers: number[] = []
  for (let at = 0; at < 40; at++) answers.push((await comeIn(url, `n${at}`, { origin: 'http://chat.example' })).status)
  assert.deepEqual(answers, Array(40).fill(201))
  const readers = await Promise.all([1, 2, 3, 4, 5].map(() => Listener.open(`${url}/events`)))
  t.after(() => readers.forEach((reader) => reader.leave()))
  await (await chat.comeIn('ada')).say('lobby', 'hello')
  for (const reader of readers) assert.deepEqual(await reader.texts(1), ['hello'])

  assert.equal(lines(chat).length, 1, chat.errors)
})
