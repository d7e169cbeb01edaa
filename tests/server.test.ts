import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  closeSync,
  existsSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { readSettings } from '../lib/config.ts'
import { runServer, startChat, temporaryFolder } from './chat-server.ts'

test("what can't start says why in one line and ends with 1 within a second", async (t) => {
  const data = await temporaryFolder(t)
  const chat = await startChat(t, { data })
  const { port } = new URL(chat.url)
  const file = join(await temporaryFolder(t), 'a file')
  writeFileSync(file, '')

  for (const [what, flags, says] of [
    ['the same data folder', ['--port', '0', '--data', data], /another natter is running/],
    ['a port in use', ['--port', port, '--data', ':memory:'], /port \d+ is in use/],
    ['an unknown flag', ['--prot', '1'], /Unknown option '--prot'/],
    ['a flag without its value', ['--port'], /--port/],
    ['an unusable port', ['--port', '123456'], /0 to 65535/],
    ['an unusable host', ['--host', 'no.such.host.invalid', '--port', '0', '--data', ':memory:'], /can't listen/],
    ["a folder that can't be made", ['--port', '0', '--data', join(file, 'data')], /can't be made/],
    ['an unusable url', ['--url', 'chat.example'], /--url/],
    ['an unknown access', ['--access', 'closed'], /--access must be open or invite/],
    ['an origin with a path', ['--allow-origin', 'https://a.example/chat'], /--allow-origin must be like https/],
    ['any origin', ['--allow-origin', 'https://a.example,*'], /--allow-origin must be like https:[^\n]*"\*"/],
    ['an unusable proxy', ['--trust-proxy', 'proxy.example'], /--trust-proxy must be an address/],
    ['a range too narrow', ['--trust-proxy', 'loopback,10.0.0.0/33'], /"10.0.0.0\/33"/],
    ['an empty name', ['--name', ' '], /--name must have 1 to 40/],
    ['a name of 41 characters', ['--name', 'n'.repeat(41)], /--name must have 1 to 40/],
    ['a name of two lines', ['--name', 'a\nb'], /--name must have 1 to 40/],
    ['a negative rate', ['--posts-per-second=-1'], /--posts-per-second must be a number/],
    ['a rate that is no number', ['--posts-per-second', 'Infinity'], /--posts-per-second must be a number/],
    ['a negative rate of an address', ['--posts-per-address=-1'], /--posts-per-address must be a number/],
    ['half a stream', ['--streams-per-address', '1.5'], /--streams-per-address must be a whole number/],
  ] as const) {
    const { code, out, err, ms } = await runServer(flags)
    assert.equal(code, 1, what)
    assert.equal(out, '', what)
    assert.match(err, says, what)
    assert.match(err, /^natter can't start: [^\n]+\n$/, what)
    assert.ok(ms < 1000 * slowness, `${what}: ${ms} ms`)
  }
  assert.equal((await chat.fetch('/healthz')).status, 200)
})

test("what Node made of the source is kept for the next start, and a home that can't be written is no harm", async (t) => {
  const home = await temporaryFolder(t)
  const environment = (HOME: string) => ({ HOME, NODE_COMPILE_CACHE: '' })

  const chat = await startChat(t, { environment: environment(home) })
  assert.equal(await chat.stop(), 0)

  // The serving thread's files, and the writing one's.
  const kept = readdirSync(join(home, '.cache', 'natter'), { recursive: true })
  assert.ok(kept.length > 50, `${kept.length} files`)
  const homeless = await startChat(t, { environment: environment('/dev/null') })
  assert.equal(homeless.errors, '')
})

// A loaded machine starts even an empty program late; the bound is a second on one that is not.
const slowness = 4

test('a database that is not ours to open is left as it was found', async (t) => {
  const files = {
    empty: Buffer.alloc(0),
    text: Buffer.from('this is no database\n'.repeat(1000)),
    zeroed: Buffer.alloc(8192),
  }
  for (const [what, bytes] of Object.entries(files)) {
    const data = await temporaryFolder(t)
    writeFileSync(join(data, 'natter.db'), bytes)
    const { code, err } = await runServer(['--port', '0', '--data', data])
    assert.equal(code, 1, what)
    assert.match(err, /^natter can't start: [^\n]*damaged or not a database[^\n]*\n$/, what)
    assert.deepEqual(readFileSync(join(data, 'natter.db')), bytes, what)
  }

  const data = await temporaryFolder(t)
  const chat = await startChat(t, { data })
  assert.equal(await chat.stop(), 0)
  const whole = readFileSync(join(data, 'natter.db'))
  const changed = (at: number, value: number) => {
    const copy = Buffer.from(whole)
    copy.writeUInt32BE(value, at)
    return copy
  }
  for (const [bytes, says] of [
    [changed(60, 999), /from a newer natter/],
    [changed(68, 1), /not a natter database/],
    [whole.subarray(0, whole.length - 4096), /cut short/],
  ] as const) {
    writeFileSync(join(data, 'natter.db'), bytes)
    const { code, err } = await runServer(['--port', '0', '--data', data])
    assert.equal(code, 1)
    assert.match(err, says)
    assert.ok(readFileSync(join(data, 'natter.db')).equals(bytes))
  }
})

test('its files are for its owner alone', async (t) => {
  const parent = mkdtempSync(join(tmpdir(), 'natter-test-'))
  t.after(() => rmSync(parent, { recursive: true, force: true }))
  const data = join(parent, 'data')
  const chat = await startChat(t, { data })
  await (await chat.comeIn('ada')).say('lobby', 'hello')
  assert.equal(statSync(data).mode & 0o777, 0o700)
  for (const name of ['natter.db', 'natter.db-wal']) assert.equal(statSync(join(data, name)).mode & 0o777, 0o600, name)
})

test('SIGTERM ends streams with a retry, loses nothing, and leaves a clean folder', async (t) => {
  const data = await temporaryFolder(t)
  const chat = await startChat(t, { data })
  const ada = await chat.comeIn('ada')
  const readers = await Promise.all(Array.from({ length: 20 }, () => chat.stranger.listen()))
  const { id } = await ada.say('lobby', 'before')

  const code = await chat.stop()

  assert.equal(code, 0)
  for (const reader of readers) {
    await reader.over
    assert.equal(reader.parser.lastEventId, id)
    assert.match(reader.bytes.toString(), /\n\nretry: \d+\n\n$/)
  }
  assert.throws(() => statSync(join(data, 'natter.db-wal')), { code: 'ENOENT' })
  await chat.start()
  const again = await chat.stranger.listen({ path: '/events?since=-1' })
  assert.deepEqual(await again.texts(1), ['before'])
})

test('a second signal stops at once', async (t) => {
  const chat = await startChat(t)
  // An upload that never ends would keep the first signal's stop busy for seconds.
  const upload = connect(Number(new URL(chat.url).port), '127.0.0.1')
  t.after(() => upload.destroy())
  upload.write(
    'POST /session HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{',
  )
  const reader = await chat.stranger.listen()
  chat.signal('SIGTERM')
  await reader.over

  assert.equal(await chat.stop(), 1)
})

test('--help names every setting', async () => {
  const { code, out } = await runServer(['--help'])
  assert.equal(code, 0)
  for (const word of [
    '--port',
    'PORT',
    '8080',
    '--host',
    '--data',
    'NATTER_DATA',
    '--access',
    '--url',
    '--allow-origin',
    '--trust-proxy',
    '--name',
    '--posts-per-second',
    '--posts-per-address',
    '--streams-per-address',
    '--disk-reserve',
  ]) {
    assert.ok(out.includes(word), word)
  }
  // Each flag's help begins in the same column.
  const columns = out
    .split('\n')
    .filter((line) => line.startsWith('  --'))
    .map((line) => /^  --[a-z-]+ +(?:[A-Z_]+ +\S* *)?(?<= {2})/.exec(line)![0].length)
  assert.ok(columns.length > 10)
  assert.equal(new Set(columns.slice(0, -1)).size, 1)
})

test('a flag wins over the environment, and a list is flags or commas', () => {
  const environment = {
    NATTER_ACCESS: 'invite',
    NATTER_NAME: 'the attic',
    NATTER_POSTS_PER_SECOND: '0.5',
    NATTER_TRUST_PROXY: '',
    NATTER_ALLOW_ORIGIN: 'https://a.example, https://b.example',
  }
  const read = (...flags: string[]) => readSettings(flags, environment)!

  const { access, name, postsPerSecond, streamsPerAddress, allowOrigins, trustProxy } = read()
  assert.deepEqual([access, name, postsPerSecond, streamsPerAddress], ['invite', 'the attic', 0.5, 100])
  assert.deepEqual(allowOrigins, ['https://a.example', 'https://b.example'])
  assert.deepEqual(
    ['127.8.8.8', '::1', '10.1.1.1'].map((address) =>
      trustProxy.check(address, address.includes(':') ? 'ipv6' : 'ipv4'),
    ),
    [true, true, false],
  )

  const flags = read(
    '--access',
    'open',
    '--name',
    'x',
    '--name',
    'cellar',
    '--allow-origin',
    'https://c.example/',
    '--allow-origin',
    'http://localhost:3000',
    '--trust-proxy',
    '10.0.0.0/8,2001:db8::/32',
  )
  assert.deepEqual([flags.access, flags.name], ['open', 'cellar'])
  assert.deepEqual(flags.allowOrigins, ['https://c.example', 'http://localhost:3000'])
  assert.deepEqual(
    ['127.0.0.1', '10.1.1.1', '11.0.0.1', '::ffff:10.1.1.1', '2001:db8::7', '2001:db9::'].map((address) =>
      flags.trustProxy.check(address, address.includes(':') ? 'ipv6' : 'ipv4'),
    ),
    [false, true, false, true, true, false],
  )
})

test("a log that can't be written does not end the chat", {
  skip: !existsSync('/dev/full') && 'there is no /dev/full',
}, async (t) => {
  const full = openSync('/dev/full', 'w')
  const child = spawn(process.execPath, ['server.ts', '--port', '0', '--data', ':memory:'], {
    cwd: new URL('..', import.meta.url),
    stdio: ['ignore', 'pipe', full],
  })
  t.after(() => child.kill('SIGKILL'))
  closeSync(full)
  await once(child.stdout!, 'data')

  // It says on stderr that it stops.
  child.kill('SIGTERM')

  assert.deepEqual(await once(child, 'exit'), [0, null])
})
