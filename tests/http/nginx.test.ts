// Behind a real nginx, as an owner sets it up: with the two headers that it needs, and as it comes.

import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { ChatServer, Listener, patienceMs, startChat, temporaryFolder } from '../chat-server.ts'
import { freePort } from '../free-port.ts'

const skip = spawnSync('nginx', ['-v']).error ? 'there is no nginx' : false

const names = `proxy_set_header Host $http_host; proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;`

/** Starts one in front of a server; gives back the address to ask. */
async function startNginx(t: TestContext, upstream: string, directives: string): Promise<string> {
  // It takes no port 0 and tells no port, so that another may have taken it by then.
  for (let attempt = 0; ; attempt++) {
    const folder = await temporaryFolder(t)
    const port = await freePort()
    const file = join(folder, 'nginx.conf')
    const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((name) => `${name}_temp_path ${folder}/${name};`).join(' ')
    writeFileSync(file, `
      daemon off; master_process off; worker_processes 1; pid ${folder}/pid; error_log stderr warn;
      events { worker_connections 256; }
      http { access_log off; ${temporary} server { listen 127.0.0.1:${port}; location / { proxy_pass ${upstream}; ${directives} } } }`)
    const child = spawn('nginx', ['-p', folder, '-c', file], { stdio: ['ignore', 'ignore', 'pipe'] })
    let errors = ''
    child.stderr.on('data', (chunk) => (errors += chunk))
    const over = once(child, 'exit')
    t.after(async () => {
      child.kill('SIGKILL')
      await over
    })
    if (await Promise.race([listens(port), over.then(() => false)])) return `http://127.0.0.1:${port}`
    assert.ok(attempt < 3, errors)
  }
}

async function listens(port: number): Promise<boolean> {
  for (const until = performance.now() + patienceMs; performance.now() < until; ) {
    const socket = connect(port, '127.0.0.1')
    const connected = await new Promise<boolean>((resolve) => socket.on('connect', () => resolve(true)).on('error', () => resolve(false)))
    socket.destroy()
    if (connected) return true
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
  return false
}

const comeIn = (url: string, name: string, headers: Record<string, string> = {}) =>
  fetch(`${url}/session`, { method: 'POST', headers: { 'content-type': 'application/json', ...headers }, body: JSON.stringify({ name }) })

const lines = (chat: ChatServer) => chat.errors.split('\n').filter((line) => line.includes('X-Forwarded-For'))

test('behind nginx limits go by who asked nginx, whatever the client itself forwards', { skip }, async (t) => {
  // Clients of a test come from loopback as well, so here nginx alone is trusted, by an address that clients don't have.
  const chat = await startChat(t, { limits: true, flags: ['--trust-proxy', '127.0.0.2', '--streams-per-address', '3'] })
  const url = await startNginx(t, chat.url, `${names} proxy_bind 127.0.0.2;`)

  const answers: number[] = []
  for (let at = 0; at < 61; at++) answers.push((await comeIn(url, `n${at}`, { 'x-forwarded-for': `203.0.113.${at}` })).status)
  assert.deepEqual(answers, [...Array(60).fill(201), 429])
  // Another client of the same nginx.
  const other = await fromAddress(url, '127.0.0.3', 'POST /session', '{"name":"other"}')
  assert.match(other, /^HTTP\/1.1 201 /)

  const listeners = await Promise.all([1, 2, 3].map(() => Listener.open(`${url}/events`, { 'x-forwarded-for': '203.0.113.7' })))
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

test('nginx with its defaults names no client: nobody is refused for another, streams flow, and one line says what to set', { skip }, async (t) => {
  const chat = await startChat(t, { limits: true, flags: ['--streams-per-address', '3', '--url', 'http://chat.example'] })
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

/** Asks from another of this machine's own addresses. */
async function fromAddress(url: string, localAddress: string, what: string, body: string): Promise<string> {
  const { hostname, port, host } = new URL(url)
  const socket = connect({ host: hostname, port: Number(port), localAddress })
  let back = ''
  socket.on('data', (chunk) => (back += chunk))
  socket.write(`${what} HTTP/1.1\r\nHost: ${host}\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\nConnection: close\r\n\r\n${body}`)
  await once(socket, 'close')
  return back
}
