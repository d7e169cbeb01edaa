// One address that asks for hundreds of pages at once waits for itself: all others are answered in between.

import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect } from 'node:net'
import { test } from 'node:test'
import { loopsBetween, Turns } from '../../lib/http/limits/turns.ts'
import { startChat } from '../chat-server.ts'
import { farChat, type Far, type FarConnection } from '../far-chat.ts'

/** Asks for as many pages, and has each answer write down whose it was. */
function askMany({ send }: Far, address: string, count: number, order: string[]): FarConnection[] {
  return Array.from({ length: count }, () => Object.assign(send(address), { onAnswer: () => void order.push(address) }))
}

async function allAnswered({ statusOf }: Far, connections: FarConnection[]): Promise<void> {
  for (const connection of connections) assert.equal(await statusOf(connection), 200)
}

test('whoever comes behind two hundred pages of another address does not wait for them', async (t) => {
  const far = await farChat(t)
  const order: string[] = []

  const many = askMany(far, '203.0.113.7', 200, order)
  const other = askMany(far, '203.0.113.8', 1, order)

  await allAnswered(far, [...many, ...other])
  assert.ok(order.indexOf('203.0.113.8') <= 3, `it was answered as number ${order.indexOf('203.0.113.8') + 1}`)
})

for (const [what, addresses, target] of [
  ['one address asks for pages', 1, '/rooms/lobby/messages?limit=200'],
  ['one address asks for replays', 1, '/events?since=all'],
  ['forty addresses ask for pages', 40, '/rooms/lobby/messages?limit=200'],
] as const) {
  test(`nor does whoever comes on a new connection behind four hundred others, on which ${what}`, async (t) => {
    const chat = await startChat(t, { flags: ['--trust-proxy', 'loopback'] })
    const ada = await chat.comeIn('ada')
    for (let count = 0; count < 70; count++) await ada.say('lobby', '京'.repeat(4000))
    const order: string[] = []
    const answered: Promise<unknown>[] = []
    const ask = async (address: string) => {
      const socket = connect(Number(new URL(chat.url).port), '127.0.0.1')
      t.after(() => socket.destroy())
      await once(socket, 'connect')
      socket.write(`GET ${target} HTTP/1.1\r\nHost: localhost\r\nX-Forwarded-For: ${address}\r\n\r\n`)
      socket.once('data', () => order.push(address))
      answered.push(once(socket, 'data'))
    }

    // All of them are there before the server takes the first.
    chat.signal('SIGSTOP')
    for (let count = 0; count < 400; count++) await ask(`203.0.113.${count % addresses}`)
    await ask('198.51.100.1')
    chat.signal('SIGCONT')
    await Promise.all(answered)

    assert.equal(order.length, 401)
    // The first page of each address is made at once, and sometimes a second one.
    assert.ok(
      order.indexOf('198.51.100.1') <= 2 * addresses + 20,
      `it was answered as number ${order.indexOf('198.51.100.1') + 1}`,
    )
  })
}

test('many addresses that ask for many pages are answered in turns', async (t) => {
  const far = await farChat(t)
  const order: string[] = []
  const addresses = ['203.0.113.7', '203.0.113.8', '2001:db8:0:0::/64']

  const asked = addresses.map((address) =>
    askMany(far, address === '2001:db8:0:0::/64' ? '2001:db8::5' : address, 20, order),
  )

  await allAnswered(far, asked.flat())
  for (let turn = 1; turn < 20; turn++) assert.equal(new Set(order.slice(turn * 3, turn * 3 + 3)).size, 3, `${order}`)
})

test('all else that is asked for is answered meanwhile: a post, a stream, who one is', async (t) => {
  const far = await farChat(t)
  const order: string[] = []

  const many = askMany(far, '203.0.113.7', 100, order)
  const post = Object.assign(far.say('203.0.113.8', 'hello'), { onAnswer: () => void order.push('post') })
  const stream = Object.assign(
    far.send('203.0.113.9', { target: '/events', headers: 'Accept: text/event-stream\r\n' }),
    { onAnswer: () => void order.push('stream') },
  )
  const session = Object.assign(far.send('203.0.113.10', { target: '/session' }), {
    onAnswer: () => void order.push('session'),
  })

  await allAnswered(far, [...many, stream, session])
  assert.equal(await far.statusOf(post), 201)
  for (const what of ['stream', 'session'])
    assert.ok(order.indexOf(what) <= 5, `${what} was answered as number ${order.indexOf(what) + 1}`)
  // It waits for the disk as well.
  assert.ok(order.indexOf('post') < 60, `the post was answered as number ${order.indexOf('post') + 1}`)
})

test('what waits on a connection is answered in its order, and what changes something does not overtake', async (t) => {
  const far = await farChat(t)
  const many = askMany(far, '203.0.113.7', 30, [])
  const get = 'GET /rooms/lobby/messages?limit=1 HTTP/1.1\r\nHost: localhost\r\nX-Forwarded-For: 203.0.113.7\r\n\r\n'
  const post = `POST /rooms/lobby/messages HTTP/1.1\r\nHost: localhost\r\nX-Forwarded-For: 203.0.113.7\r\nSec-Fetch-Site: same-origin\r\n${far.bodyHeaders(5)}\r\nafter`

  const pipelined = far.send('203.0.113.7', { target: '/rooms/lobby/messages?limit=1' })
  pipelined.push(post + get)

  await allAnswered(far, many)
  while (pipelined.heard.split('HTTP/1.1 ').length < 4) await new Promise((resolve) => setImmediate(resolve))
  const [, first, second, third] = pipelined.heard.split('HTTP/1.1 ')
  assert.deepEqual(
    [first, second, third].map((answer) => answer!.slice(0, 3)),
    ['200', '201', '200'],
  )
  assert.doesNotMatch(first!, /"text":"after"/)
  assert.match(third!, /"text":"after"/)
})

test('whoever goes away before their turn comes is passed over, and the chat ends without a word', async (t) => {
  const far = await farChat(t)
  const order: string[] = []
  const many = askMany(far, '203.0.113.7', 100, order)
  await far.statusOf(many[0]!)

  for (const connection of many) connection.destroy()
  await far.chat.close()

  // As often as it takes for all of them to have their turn.
  for (let turn = 0; turn < 200 * loopsBetween; turn++) await new Promise((resolve) => setImmediate(resolve))
  assert.ok(order.length < 20, `${order.length} were answered`)
  assert.deepEqual(far.lines, [])
})

test('whom nobody names goes on at once, and so does whoever is alone', async () => {
  const turns = new Turns()
  for (let times = 0; times < 10; times++) assert.equal(turns.turnOf(undefined), undefined)
  assert.equal(turns.turnOf('a'), undefined)
  assert.equal(turns.turnOf('b'), undefined)
  assert.ok(turns.turnOf('a') instanceof Promise)
  // Until its turn has come, and that one is over as well.
  for (let round = 0; round < 2 * loopsBetween; round++) await new Promise(setImmediate)
  assert.equal(turns.turnOf('a'), undefined)
})
