// Whoever comes by a proxy, and what they have it say of where they come from: no bound by address may be a header away.

import assert from 'node:assert/strict'
import { connect } from 'node:net'
import { test } from 'node:test'
import { readSettings } from '../../lib/config.ts'
import { Clients } from '../../lib/http/limits/client-address.ts'
import { startChat, type ChatServer } from '../chat-server.ts'
import { askFrom, nginxAsShown, noCaddy, noNginx, startCaddy, startNginx } from '../proxy-servers.ts'

const newcomers = 60 // that an address may have at once

type Headers = Record<string, string>

/** Has somebody new come in, so many times; gives back how many of them did. */
async function comeIn(
  url: string,
  count: number,
  { from = '127.0.0.1', headers = () => ({}) }: { from?: string; headers?: (at: number) => Headers } = {},
): Promise<number> {
  let came = 0
  for (let at = 0; at < count; at++) {
    const back = await askFrom(from, url, 'POST /session', {
      headers: headers(at),
      body: JSON.stringify({ name: `n${from.slice(-1)}x${Math.random().toString(36).slice(2, 12)}` }),
    })
    if (back.startsWith('HTTP/1.1 201 ')) came++
    else assert.match(back, /^HTTP\/1.1 429 /)
  }
  return came
}

const anyAddress = (at: number) => `203.0.113.${at}`
const lines = (chat: ChatServer) => chat.errors.split('\n').filter((line) => line.includes('X-Forwarded-For'))

test('behind nginx as the README shows it an address has its bound, whatever it forwards itself', {
  skip: noNginx,
}, async (t) => {
  const chat = await startChat(t, { limits: true, flags: ['--url', 'http://chat.example'] })
  const url = await startNginx(t, chat.url, nginxAsShown())
  const Host = 'chat.example'

  const forged = (at: number): Headers => ({
    Host,
    'X-Forwarded-For': anyAddress(at),
    'X-Real-IP': anyAddress(at),
    Forwarded: `for=${anyAddress(at)}`,
  })
  assert.equal(await comeIn(url, newcomers + 5, { headers: forged }), newcomers)
  for (const forwarded of [
    '10.0.0.1, 127.0.0.1',
    '127.0.0.3',
    '[2001:db8::1]:80',
    'unknown',
    '127.0.0.1,',
    ',',
    '"127.0.0.3"',
    '127.0.0.3\t',
  ]) {
    assert.equal(await comeIn(url, 1, { headers: () => ({ Host, 'X-Forwarded-For': forwarded }) }), 0, forwarded)
  }
  // Somebody else is not held up by it.
  assert.equal(await comeIn(url, 5, { from: '127.0.0.3', headers: () => ({ Host }) }), 5)
  assert.deepEqual(lines(chat), [])
})

test('who asks nginx for another host than ours is bound all the same', { skip: noNginx }, async (t) => {
  const chat = await startChat(t, { limits: true, flags: ['--url', 'http://chat.example'] })
  const url = await startNginx(t, chat.url, nginxAsShown())
  assert.equal(await comeIn(url, 1, { from: '127.0.0.3', headers: () => ({ Host: 'chat.example' }) }), 1)

  const hosts = ['localhost', new URL(chat.url).host, '192.0.2.1', '[::1]', 'chat.example']
  const came = await comeIn(url, newcomers + 10, {
    headers: (at) => ({ Host: hosts[at % hosts.length]!, 'X-Forwarded-For': anyAddress(at) }),
  })

  assert.equal(came, newcomers)
})

test("what a plain proxy_pass passes on from its clients is not believed: nobody is bound by address, nor by another's, and one line says why", {
  skip: noNginx,
}, async (t) => {
  for (const flags of [['--url', 'https://chat.example'], []]) {
    const chat = await startChat(t, { limits: true, flags })
    const url = await startNginx(t, chat.url, '')

    // What the client says would have been theirs alone to choose, and whoever they name would have paid for it.
    assert.equal(
      await comeIn(url, newcomers + 5, { headers: () => ({ Host: 'chat.example', 'X-Forwarded-For': '203.0.113.9' }) }),
      newcomers + 5,
    )
    assert.equal(lines(chat).length, 1, chat.errors)
    assert.match(chat.errors, /X-Forwarded-For is not believed, .*--url.*--trust-proxy loopback/)
    assert.equal(await comeIn(url, 5, { headers: (at) => ({ 'X-Forwarded-For': anyAddress(at) }) }), 5)
    assert.equal(lines(chat).length, 1, chat.errors)
  }
})

test('a proxy that is named is believed, whatever Host it sends', { skip: noNginx }, async (t) => {
  const chat = await startChat(t, {
    limits: true,
    flags: ['--trust-proxy', 'loopback', '--url', 'https://chat.example'],
  })
  const url = await startNginx(t, chat.url, 'proxy_set_header X-Forwarded-For 203.0.113.5;')

  assert.equal(
    await comeIn(url, newcomers + 5, { headers: (at) => ({ 'X-Forwarded-For': anyAddress(at) }) }),
    newcomers,
  )
  assert.deepEqual(lines(chat), [])
})

test('a plain proxy_pass gives https its cookie, and links of our address', { skip: noNginx }, async (t) => {
  const chat = await startChat(t, { flags: ['--url', 'https://chat.example'] })
  const url = await startNginx(t, chat.url, '')
  const sent = {
    Host: 'chat.example',
    Origin: 'https://chat.example',
    'X-Forwarded-Host': 'evil.example',
    'X-Forwarded-Proto': 'http',
  }

  const came = await askFrom('127.0.0.1', url, 'POST /session', { headers: sent, body: '{"name":"ada"}' })
  assert.match(came, /^HTTP\/1.1 201 [^]*set-cookie: __Host-[^;]+; Path=\/;[^\r]*; Secure\r\n/i)

  const owner = await chat.owner()
  const invited = await askFrom('127.0.0.1', url, 'POST /invites', {
    headers: { ...sent, Cookie: owner.headers['cookie']! },
    body: '{}',
  })
  assert.match(invited, /"url":"https:\/\/chat\.example\/join#/)
})

test('behind Caddy as the README shows it an address has its bound, whatever it forwards itself', {
  skip: noCaddy,
}, async (t) => {
  const chat = await startChat(t, { limits: true, flags: ['--url', 'http://chat.example'] })
  const url = await startCaddy(t, new URL(chat.url).host)

  const forged = (at: number): Headers => ({ Host: 'chat.example', 'X-Forwarded-For': anyAddress(at) })
  assert.equal(await comeIn(url, newcomers + 5, { headers: forged }), newcomers)
  assert.equal(await comeIn(url, 5, { from: '127.0.0.3', headers: forged }), 5)
  assert.equal(await comeIn(url, 3, { headers: (at) => ({ ...forged(at), Host: 'localhost' }) }), 0)
  assert.deepEqual(lines(chat), [])
})

test('a Caddy that sends a Host of its own is not believed either', { skip: noCaddy }, async (t) => {
  const chat = await startChat(t, { limits: true, flags: ['--url', 'http://chat.example'] })
  const url = await startCaddy(t, new URL(chat.url).host, { inside: 'header_up Host {upstream_hostport}' })

  assert.equal(await comeIn(url, newcomers + 5, { headers: () => ({ Host: 'chat.example' }) }), newcomers + 5)
  assert.equal(lines(chat).length, 1, chat.errors)
})

test('who hangs up right behind a request has no effect that would count for nobody', async (t) => {
  const chat = await startChat(t, { limits: true, flags: ['--trust-proxy', ''] })
  const { port } = new URL(chat.url)

  // The system tells nobody's address any more once its connection was reset.
  await Promise.all(
    Array.from({ length: newcomers * 3 }, async (_, at) => {
      const body = JSON.stringify({ name: `gone${at}` })
      const socket = connect(Number(port), '127.0.0.1')
      socket.on('error', () => {})
      const over = new Promise((resolve) => socket.on('close', resolve))
      socket.write(
        `POST /session HTTP/1.1\r\nHost: localhost\r\nX-Forwarded-For: ${anyAddress(at)}\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
        () => socket.resetAndDestroy(),
      )
      await over
    }),
  )

  const { users } = await chat.stranger.read<{ users: unknown[] }>('/users')
  assert.ok(users.length <= newcomers, `${users.length} came in`)
})

/** The address that a request counts for by itself, under the settings that nobody changed. */
function addressOf(
  peer: string | undefined,
  host: string,
  forwarded: string | undefined,
  { urls = ['https://chat.example'], flags = [] as string[] } = {},
) {
  const said: string[] = []
  const clients = new Clients({ trustProxy: readSettings(flags, {})!.trustProxy, urls, log: (line) => said.push(line) })
  const address = clients.addressOf(
    { socket: { remoteAddress: peer }, headers: forwarded === undefined ? {} : { 'x-forwarded-for': forwarded } },
    host,
  )
  return { address, said: said.length }
}

test('of a proxy on this machine the last address counts, where its Host is ours', () => {
  for (const [peer, host, forwarded, address] of [
    ['127.0.0.1', 'chat.example', '203.0.113.9', '203.0.113.9'],
    ['::1', 'chat.example', '203.0.113.9', '203.0.113.9'],
    ['::ffff:127.0.0.1', 'chat.example:443', '203.0.113.9', '203.0.113.9'],
    ['127.8.8.8', 'chat.example.', '203.0.113.9', '203.0.113.9'],
    [undefined, 'chat.example', '203.0.113.9', '203.0.113.9'],
    ['127.0.0.1', 'chat.example', '192.0.2.1, 203.0.113.9', '203.0.113.9'],
    ['127.0.0.1', 'chat.example', '192.0.2.1, 127.0.0.1', '127.0.0.1'],
    ['127.0.0.1', 'chat.example', '192.0.2.1, [2001:db8::7]:4711', '2001:db8:0:0::/64'],
    ['127.0.0.1', 'chat.example', '192.0.2.1, 203.0.113.9:4711', '203.0.113.9'],
    ['127.0.0.1', 'chat.example', '192.0.2.1, fe80::1%eth0', 'fe80:0:0:0::/64'],
    ['127.0.0.1', 'chat.example', '192.0.2.1, [fe80::1%eth0]:80', 'fe80:0:0:0::/64'],
    ['127.0.0.1', 'chat.example', '192.0.2.1, unknown', undefined],
    ['127.0.0.1', 'chat.example', '192.0.2.1, _hidden', undefined],
    ['127.0.0.1', 'chat.example', '192.0.2.1,', undefined],
    ['127.0.0.1', 'chat.example', '', undefined],
    ['127.0.0.1', 'chat.example', undefined, undefined],
    ['127.0.0.1', 'chat.example', '%'.repeat(15_000), undefined],
    ['127.0.0.1', 'chat.example', `${'127.0.0.1,'.repeat(1500)}203.0.113.9`, '203.0.113.9'],
  ] as const) {
    assert.deepEqual(
      addressOf(peer, host, forwarded),
      { address, said: 0 },
      `${peer} ${host} ${forwarded?.slice(0, 60)}`,
    )
  }
})

test('elsewhere the header counts for nothing, and it is said', () => {
  for (const host of [
    '127.0.0.1:8080',
    'localhost',
    'backend',
    'chat.example:8080',
    'chat.example.evil.example',
    'xchat.example',
    '',
    '[::1]',
  ]) {
    assert.deepEqual(addressOf('127.0.0.1', host, '203.0.113.9'), { address: undefined, said: 1 }, host)
    assert.deepEqual(addressOf('127.0.0.1', host, undefined), { address: undefined, said: 0 }, host)
  }
  assert.deepEqual(addressOf('127.0.0.1', 'chat.example', '203.0.113.9', { urls: [] }), { address: undefined, said: 1 })
  // Who is no proxy of this machine is who they are.
  assert.deepEqual(addressOf('198.51.100.7', 'chat.example', '203.0.113.9'), { address: '198.51.100.7', said: 0 })
  assert.deepEqual(addressOf('2001:db8::7', 'localhost', '203.0.113.9'), { address: '2001:db8:0:0::/64', said: 0 })
})

test('with proxies that are named, or none, the Host makes no difference', () => {
  for (const host of ['chat.example', '127.0.0.1:8080', 'localhost']) {
    for (const [proxies, peer, address] of [
      ['loopback', '127.0.0.1', '203.0.113.9'],
      ['loopback', undefined, '203.0.113.9'],
      ['10.0.0.0/8', '10.1.2.3', '203.0.113.9'],
      ['10.0.0.0/8', '127.0.0.1', '127.0.0.1'],
      ['', '127.0.0.1', '127.0.0.1'],
      ['', undefined, undefined],
    ] as const) {
      assert.deepEqual(
        addressOf(peer, host, '203.0.113.9', { flags: ['--trust-proxy', proxies] }),
        { address, said: 0 },
        `${host} ${proxies} ${peer}`,
      )
    }
  }
})
