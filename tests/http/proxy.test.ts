// Which address a request counts for, when proxies stand in between.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readSettings } from '../../lib/config.ts'
import { clientAddress } from '../../lib/http/limits/client-address.ts'
import { startChat } from '../chat-server.ts'
import { property, type Random } from '../random.ts'

const trusted = (proxies: string) => readSettings(['--trust-proxy', proxies], {})!.trustProxy
const from = (peer: string | undefined, forwarded?: string, proxies = 'loopback,10.0.0.0/8,2001:db8:ffff::/48') =>
  clientAddress(
    { socket: { remoteAddress: peer }, headers: forwarded === undefined ? {} : { 'x-forwarded-for': forwarded } },
    trusted(proxies),
  )

test('the client is the first from the right that is no trusted proxy', () => {
  for (const [peer, forwarded, client, what] of [
    ['198.51.100.7', undefined, '198.51.100.7', 'no proxy at all'],
    ['198.51.100.7', '203.0.113.9', '198.51.100.7', 'who is no proxy can claim nothing'],
    ['127.0.0.1', '203.0.113.9', '203.0.113.9', 'one proxy'],
    ['::ffff:127.0.0.1', '203.0.113.9', '203.0.113.9', 'a proxy that is asked by IPv6'],
    ['::1', '203.0.113.9', '203.0.113.9', 'a proxy on IPv6'],
    ['127.0.0.1', '203.0.113.9, 10.1.2.3', '203.0.113.9', 'two proxies'],
    ['127.0.0.1', ' 203.0.113.9 ,10.1.2.3,  127.0.0.1 ', '203.0.113.9', 'however it is spaced'],
    ['127.0.0.1', '192.0.2.1, 203.0.113.9', '203.0.113.9', 'what the client wrote itself'],
    ['127.0.0.1', '10.9.9.9, 203.0.113.9', '203.0.113.9', 'a client that claims to be a proxy'],
    ['127.0.0.1', 'nonsense, 203.0.113.9', '203.0.113.9', 'nonsense from the client'],
    ['127.0.0.1', '203.0.113.9:4711', '203.0.113.9', 'with a port'],
    ['127.0.0.1', '[2001:db8::7]:4711', '2001:db8:0:0::/64', 'an IPv6 address with a port'],
    ['127.0.0.1', '::ffff:203.0.113.9', '203.0.113.9', 'IPv4 written as IPv6'],
    ['127.0.0.1', '::FFFF:cb00:7109', '203.0.113.9', 'IPv4 written as IPv6, in hexadecimal'],
    ['::ffff:198.51.100.7', undefined, '198.51.100.7', 'a client by IPv4 at a socket of both'],
    ['127.0.0.1', '203.0.113.9, ::ffff:10.1.2.3', '203.0.113.9', 'a proxy by IPv4 written as IPv6'],
    [undefined, '203.0.113.9', '203.0.113.9', 'a Unix socket'],
    ['2001:db8::7', undefined, '2001:db8:0:0::/64', 'IPv6'],
    ['fe80::1%eth0', undefined, 'fe80:0:0:0::/64', 'a link-local address'],
    ['127.0.0.1', '203.0.113.9, 2001:db8:ffff:1::1', '203.0.113.9', 'a proxy by IPv6'],
  ] as const) {
    assert.equal(from(peer, forwarded), client, what)
  }
})

test('a trusted proxy that names no client gives none, and what is malformed ends the search', () => {
  for (const forwarded of [
    undefined,
    '',
    ' ',
    ',',
    'unknown',
    '127.0.0.1',
    '10.1.2.3, 127.0.0.1',
    '203.0.113.9, _hidden',
    '203.0.113.9, ',
    '203.0.113.9,,10.1.2.3',
    '203.0.113.9, 10.1.2.3.4',
    '203.0.113.9 203.0.113.8',
    '0x7f.1',
    '203.0.113.009',
    '[::1',
    '[]',
    '::ffff:999.1.1.1',
    'a]b:1',
  ]) {
    assert.equal(from('127.0.0.1', forwarded), undefined, JSON.stringify(forwarded))
  }
  assert.equal(from('127.0.0.1', '203.0.113.9', ''), '127.0.0.1', 'nobody is trusted')
})

test('all addresses of an IPv6 network count as one', () => {
  const one = ['2001:db8:1:2::', '2001:db8:1:2:3:4:5:6', '2001:0DB8:0001:0002:ffff::1', '2001:db8:1:2::1.2.3.4'].map(
    (address) => from(address),
  )
  assert.deepEqual(new Set(one), new Set(['2001:db8:1:2::/64']))
  assert.notEqual(from('2001:db8:1:3::1'), one[0])
  assert.notEqual(from('::2'), from('1::2'))
})

property('whatever a client writes before its proxy adds it, the client is who the proxy saw', (random) => {
  for (let round = 0; round < 2000; round++) {
    const client = `203.0.113.${random.below(256)}`
    const proxies = random.times(3, () => `10.${random.below(256)}.0.1`)
    const written = random.times(4, () => anything(random)).join(',')
    assert.equal(from('127.0.0.1', [written, client, ...proxies].join(', ')), client, JSON.stringify(written))
    assert.equal(from(client, written), client)
  }
})

const anything = (random: Random) =>
  random.pick([
    '127.0.0.1',
    '10.0.0.1',
    '::1',
    '203.0.113.7',
    '',
    ' ',
    'unknown',
    '%',
    '[',
    ']',
    ':',
    '::ffff:',
    '\u00e9',
    '"',
    '1'.repeat(500),
    '[::1]:',
    '%00',
    '-1',
    '1e3',
    '::%x',
  ])

test('who is no proxy and forges the header is limited all the same', async (t) => {
  const chat = await startChat(t, { limits: true, flags: ['--trust-proxy', '10.0.0.0/8'] })
  const comeIn = (at: number) =>
    chat.stranger.send('POST', '/session', { name: `n${at}` }, { 'x-forwarded-for': `203.0.113.${at}` })

  const answers: number[] = []
  for (let at = 0; at < 61; at++) answers.push((await comeIn(at)).status)

  assert.deepEqual(answers, [...Array(60).fill(201), 429])
})

test('two X-Forwarded-For headers are one list', async (t) => {
  const chat = await startChat(t, { limits: true, flags: ['--trust-proxy', 'loopback'] })
  const comeIn = (at: number) => {
    // The client wrote the first of them, another each time.
    const headers = new Headers({ 'content-type': 'application/json', 'x-forwarded-for': `192.0.2.${at}` })
    headers.append('x-forwarded-for', '203.0.113.9')
    return chat.fetch('/session', { method: 'POST', headers, body: JSON.stringify({ name: `n${at}` }) })
  }

  const answers: number[] = []
  for (let at = 0; at < 61; at++) answers.push((await comeIn(at)).status)

  assert.deepEqual(answers, [...Array(60).fill(201), 429])
})
