// What waits in memory for somebody far away is bounded by address: answers that nobody reads, and bodies that never end, however many connections
// there are of them.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ChatError } from '../../lib/errors.ts'
import { WaitingBytes } from '../../lib/http/limits/waiting-bytes.ts'
import { openChat } from '../chat-server.ts'
import { farChat, type Far, type FarConnection } from '../far-chat.ts'
import { RawConnection } from '../raw-connection.ts'

const megabyte = 1024 * 1024

/** Asks for pages and takes none of them, until it is refused; resolves with how many there are. */
async function hoard({ send, statusOf }: Far, address: string): Promise<FarConnection[]> {
  const hoarded: FarConnection[] = []
  for (;;) {
    const connection = send(address, { taking: false })
    if ((await statusOf(connection)) !== 200) return hoarded
    hoarded.push(connection)
    assert.ok(hoarded.length < 1000, 'pages are made without end for somebody who reads none')
  }
}

test('whoever asks for pages and reads none of them has no more than 16 MiB wait, while others get theirs', async (t) => {
  const far = await farChat(t)

  const hoarded = await hoard(far, '203.0.113.7')

  const bytes = hoarded.reduce((sum, { heard }) => sum + heard.length, 0)
  assert.ok(bytes <= 17 * megabyte, `${bytes} bytes wait`)
  assert.ok(hoarded.length >= 31, `${hoarded.length} pages: a class asks for more at once`)
  const refused = far.send('203.0.113.7')
  assert.equal(await far.statusOf(refused), 429)
  assert.match(refused.heard, /"code":"too_many","detail":"16 MiB wait here for your address/)
  assert.match(refused.heard, /retry-after: 1\r\n/i)
  for (const [method, target] of [
    ['GET', '/search?q=x'],
    ['GET', '/rooms'],
    ['PUT', '/rooms/lobby/members/me'],
  ] as const) {
    assert.equal(await far.statusOf(far.send('203.0.113.7', { method, target })), 429, target)
  }
  assert.equal(await far.statusOf(far.send('203.0.113.8')), 200)
  assert.equal(await far.statusOf(far.say('203.0.113.8', 'hello')), 201)
})

test('what is read at last, or given up, makes room for as much', async (t) => {
  const far = await farChat(t)
  const hoarded = await hoard(far, '203.0.113.7')
  const asksAgain = async () => far.statusOf(far.send('203.0.113.7', { taking: false }))

  hoarded[0]!.takeAll()
  while ((await asksAgain()) !== 200);
  assert.equal(await asksAgain(), 429)
  hoarded[1]!.destroy()
  while ((await asksAgain()) !== 200);
  assert.equal(await asksAgain(), 429)
})

test("bodies that never end count as long as they say they will be, or as the longest if they don't", async (t) => {
  const far = await farChat(t)
  const unended = (headers: string, body: string) =>
    far.send('203.0.113.7', {
      method: 'PUT',
      target: '/rooms/lobby/read',
      headers: `Content-Type: application/json\r\n${headers}`,
      body,
    })
  const asks = async () => far.statusOf(far.send('203.0.113.7'))

  const unfinished = Array.from({ length: 128 }, () => unended('Content-Length: 65536\r\n', 'x'))
  assert.equal(await asks(), 200)
  unfinished.push(...Array.from({ length: 128 }, () => unended('Transfer-Encoding: chunked\r\n', '1\r\nx\r\n')))
  assert.equal(await asks(), 429)
  assert.equal(await far.statusOf(far.send('203.0.113.8')), 200)

  for (const connection of unfinished) connection.destroy()
  while ((await asks()) !== 200);
})

test('what is refused before its body is read no longer counts, however often', async (t) => {
  const chat = await openChat(t, { flags: ['--trust-proxy', 'loopback'] })
  const from = 'Host: localhost\r\nX-Forwarded-For: 203.0.113.7\r\n'
  const refusals = [
    ['Authorization: nonsense\r\n', '401'],
    ['Authorization: Bearer natter_nonsense\r\n', '401'],
    ['Origin: http://evil.example\r\nAuthorization: Basic YWRhOg==\r\n', '403'],
  ]

  for (let times = 0; times < 900; times++) {
    const [headers, status] = refusals[times % refusals.length]!
    const connection = new RawConnection(chat.url)
    connection.send(`POST /rooms/lobby/messages HTTP/1.1\r\n${from}${headers}Content-Length: 65536\r\n\r\n`)
    assert.ok(await connection.until((text) => text.startsWith(`HTTP/1.1 ${status} `)), connection.text)
    connection.leave()
  }

  assert.match(
    (await RawConnection.ask(chat.url, `GET /rooms HTTP/1.1\r\n${from}Connection: close\r\n\r\n`)).toString(),
    /^HTTP\/1\.1 200 /,
  )
})

test('a class of thirty and its teacher who ask for the longest page at once, and read it slowly, all get it', async (t) => {
  const far = await farChat(t)

  const pages = Array.from({ length: 31 }, () => far.send('203.0.113.7', { taking: false }))

  for (const page of pages) assert.equal(await far.statusOf(page), 200)
})

test('an address that is not known has no bound, and a network of 65,536 addresses what ten of them have', () => {
  const waiting = new WaitingBytes()
  waiting.add(undefined, 1000 * megabyte)
  waiting.check(undefined)
  const over = Array.from({ length: 10 }, (_, at) => waiting.add(`2001:db8:0:${at}::/64`, 16 * megabyte))
  assert.throws(() => waiting.check('2001:db8:0:5::/64'), ChatError)
  assert.throws(() => waiting.check('2001:db8:0:99::/64'), /160 MiB wait/)
  waiting.check('2001:db8:1:99::/64')

  for (const end of over) end()

  waiting.check('2001:db8:0:5::/64')
})
