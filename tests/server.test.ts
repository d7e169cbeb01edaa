import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, existsSync, mkdtempSync, openSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { runServer, startChat, temporaryFolder } from './chat-server.ts'

test('what can\'t start says why in one line and ends with 1 within a second', async (t) => {
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
    ['a folder that can\'t be made', ['--port', '0', '--data', join(file, 'data')], /can't be made/],
    ['an unusable url', ['--url', 'chat.example'], /--url/],
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
  upload.write('POST /session HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{')
  const reader = await chat.stranger.listen()
  chat.signal('SIGTERM')
  await reader.over

  assert.equal(await chat.stop(), 1)
})

test('--help names every setting', async () => {
  const { code, out } = await runServer(['--help'])
  assert.equal(code, 0)
  for (const word of ['--port', 'PORT', '8080', '--host', '--data', 'NATTER_DATA', '--url']) assert.ok(out.includes(word), word)
})

test('a log that can\'t be written does not end the chat', { skip: !existsSync('/dev/full') && 'there is no /dev/full' }, async (t) => {
  const full = openSync('/dev/full', 'w')
  const child = spawn(process.execPath, ['server.ts', '--port', '0', '--data', ':memory:'], { cwd: new URL('..', import.meta.url), stdio: ['ignore', 'pipe', full] })
  t.after(() => child.kill('SIGKILL'))
  closeSync(full)
  await once(child.stdout!, 'data')

  // It says on stderr that it stops.
  child.kill('SIGTERM')

  assert.deepEqual(await once(child, 'exit'), [0, null])
})
