import assert from 'node:assert/strict'
import { existsSync, mkdirSync, readdirSync, rmSync, statSync, utimesSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { runServer, startChat, temporaryFolder } from '../chat-server.ts'

test('a database that is gone is not made anew beside the log that belongs to it', async (t) => {
  const data = await temporaryFolder(t)
  const chat = await startChat(t, { data })
  await (await chat.comeIn('ada')).say('lobby', 'kept in the log')
  await chat.kill()
  const log = join(data, 'natter.db-wal')
  const { size } = statSync(log)
  assert.ok(size > 0)
  rmSync(join(data, 'natter.db'))

  const { code, err } = await runServer(['--port', '0', '--data', data])

  assert.equal(code, 1)
  assert.match(err, /^natter can't start: [^\n]*natter\.db is gone, but its write-ahead log is there[^\n]*\n$/)
  assert.equal(statSync(log).size, size)
  assert.ok(!existsSync(join(data, 'natter.db')))
})

test('what :memory: kept is gone when it stops, however it stops', {
  skip: existsSync('/dev/shm') ? false : 'there is no /dev/shm',
}, async (t) => {
  const folders = () => readdirSync('/dev/shm').filter((name) => name.startsWith('natter-memory-'))

  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) {
    const before = folders()
    const chat = await startChat(t)
    const own = folders().filter((name) => !before.includes(name))
    assert.ok(own.length > 0)
    assert.equal(await chat.end(signal), 0, signal)
    // Other tests run beside this one: at least one folder that came with our server went with it.
    assert.ok(
      own.some((name) => !folders().includes(name)),
      signal,
    )
  }

  // One that was left by a kill goes when the next server starts, a minute later.
  const left = join('/dev/shm', 'natter-memory-left-behind')
  mkdirSync(left)
  utimesSync(left, 0, 0)
  await startChat(t)
  assert.ok(!existsSync(left))
})
