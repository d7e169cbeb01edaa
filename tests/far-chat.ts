// A chat that is asked from far away: by connections whose other side takes what it is sent as slowly as a test likes. Of a real one the system
// takes some megabytes before anybody notices.

import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import { Duplex } from 'node:stream'
import type { TestContext } from 'node:test'
import { createChat } from '../lib/index.ts'

/** With it a page is as long as it gets. */
const longest = '京'.repeat(4000)

/** A connection from far away, whose other side takes nothing until it is told to. */
export class FarConnection extends Duplex {
  heard = ''
  taking: boolean
  /** Called when the first of an answer comes. */
  onAnswer: () => void = () => {}
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
    if (this.heard === '') this.onAnswer()
    this.heard += chunk.toString('latin1')
    if (this.taking) taken()
    else this.#waiting = taken
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.#waiting?.()
    done(error)
  }
}

export type Far = Awaited<ReturnType<typeof farChat>>

/** A chat with a room full of long texts, and a way to ask it from far away. */
export async function farChat(t: TestContext) {
  const lines: string[] = []
  const identify = () => ({ id: 'ada', name: 'ada' })
  const chat = await createChat({
    data: ':memory:',
    identify,
    trustProxy: 'loopback',
    postsPerSecond: 0,
    postsPerAddress: 0,
    log: (line) => void lines.push(line),
  })
  const server = createServer(chat.handler)
  const open: FarConnection[] = []
  t.after(async () => {
    for (const connection of open) connection.destroy()
    await chat.close()
  })

  const send = (
    address: string,
    { method = 'GET', target = '/rooms/lobby/messages?limit=200', headers = '', body = '', taking = true } = {},
  ) => {
    const connection = new FarConnection(taking)
    open.push(connection)
    server.emit('connection', connection)
    connection.push(
      `${method} ${target} HTTP/1.1\r\nHost: localhost\r\nX-Forwarded-For: ${address}\r\nSec-Fetch-Site: same-origin\r\n${headers}\r\n`,
    )
    if (body !== '') connection.push(body)
    return connection
  }
  const statusOf = async (connection: FarConnection) => {
    while (connection.status === 0) await new Promise((resolve) => setImmediate(resolve))
    return connection.status
  }
  const bodyHeaders = (bytes: number) => `Content-Type: text/plain\r\nContent-Length: ${bytes}\r\n`
  const say = (address: string, text: string) =>
    send(address, {
      method: 'POST',
      target: '/rooms/lobby/messages',
      headers: bodyHeaders(Buffer.byteLength(text)),
      body: text,
    })
  for (let said = 0; said < 30; said++) assert.equal(await statusOf(say('192.0.2.1', longest)), 201)
  return { chat, lines, send, say, statusOf, bodyHeaders }
}
