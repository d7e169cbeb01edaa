// What waits in memory for somebody far away is bounded by address: answers that nobody reads, and bodies that never end, however many connections
// there are of them.

import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import { Duplex } from 'node:stream'
import { test, type TestContext } from 'node:test'
import { ChatError } from '../../lib/errors.ts'
import { WaitingBytes } from '../../lib/http/waiting-bytes.ts'
import { createChat } from '../../lib/index.ts'

const longest = '京'.repeat(4000)
const megabyte = 1024 * 1024

/** A connection from far away, whose other side takes nothing until it is told to. The system takes some megabytes of a real one before anybody notices. */
class FarConnection extends Duplex {
  heard = ''
  taking: boolean
  #waiting: (() => void) | undefined

  constructor(taking: boolean) {
    super()
    this.taking = taking
  }

  get status(): number {
    return Number(/^HTTP\/1\.1 (\d{3})/.exec(this.heard)?.[1] ?? 0)
  }

  takeAll(): void {
    this.taking = true
    this.#waiting?.()
  }

  setTimeout(): this {
    return this
  }

  override _read(): void {}

  override _write(chunk: Buffer, _encoding: BufferEncoding, taken: () => void): void {
    this.heard += chunk.toString('latin1')
    if (this.taking) taken()
    else this.#waiting = taken
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.#waiting?.()
    done(error)
  }
}

type Far = Awaited<ReturnType<typeof farChat>>

/** A chat with a room full of long texts, and a way to ask it from far away. */
async function farChat(t: TestContext) {
  const identify = () => ({ id: 'ada', name: 'ada' })
  const chat = await createChat({ data: ':memory:', identify, trustProxy: 'loopback', postsPerSecond: 0, postsPerAddress: 0, log: () => {} })
  const server = createServer(chat.handler)
  const open: FarConnection[] = []
  t.after(async () => {
    for (const connection of open) connection.destroy()
    await chat.close()
  })

  const send = (address: string, { method = 'GET', target = '/rooms/lobby/messages?limit=200', headers = '', body = '', taking = true } = {}) => {
    const connection = new FarConnection(taking)
    open.push(connection)
    server.emit('connection', connection)
    connection.push(`${method} ${target} HTTP/1.1\r\nHost: localhost\r\nX-Forwarded-For: ${address}\r\nSec-Fetch-Site: same-origin\r\n${headers}\r\n`)
    if (body !== '') connection.push(body)
    return connection
  }
  const statusOf = async (connection: FarConnection) => {
    while (connection.status === 0) await new Promise((resolve) => setImmediate(resolve))
    return connection.status
  }
  const bodyHeaders = (bytes: number) => `Content-Type: text/plain\r\nContent-Length: ${bytes}\r\n`
  const say = (address: string, text: string) => send(address, { method: 'POST', target: '/rooms/lobby/messages', headers: bodyHeaders(Buffer.byteLength(text)), body: text })
  for (let said = 0; said < 30; said++) assert.equal(await statusOf(say('192.0.2.1', longest)), 201)
  return { send, say, statusOf, bodyHeaders }
}

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
  for (const [method, target] of [['GET', '/search?q=x'], ['GET', '/rooms'], ['PUT', '/rooms/lobby/members/me']] as const) {
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

test('bodies that never end count as long as they say they will be, or as the longest if they don\'t', async (t) => {
  const far = await farChat(t)
  const unended = (headers: string) => far.send('203.0.113.7', { method: 'PUT', target: '/rooms/lobby/read', headers: `Content-Type: application/json\r\n${headers}`, body: 'x' })
  const asks = async () => far.statusOf(far.send('203.0.113.7'))

  const unfinished = Array.from({ length: 128 }, () => unended('Content-Length: 65536\r\n'))
  assert.equal(await asks(), 200)
  unfinished.push(...Array.from({ length: 128 }, () => unended('Transfer-Encoding: chunked\r\n')))
  assert.equal(await asks(), 429)
  assert.equal(await far.statusOf(far.send('203.0.113.8')), 200)

  for (const connection of unfinished) connection.destroy()
  while ((await asks()) !== 200);
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
