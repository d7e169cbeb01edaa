// Files and folders that are not natter's, or not for everyone: what others put where it looks, and what was restored too open.

import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import {
  chmodSync,
  existsSync,
  lchownSync,
  mkdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  lutimesSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { patienceMs, runServer, startChat, temporaryFolder, type ChatServer } from '../chat-server.ts'
import { until } from '../audit/until.ts'

const shared = '/dev/shm'
const skip = existsSync(shared)
  ? process.getuid?.() === 0
    ? false
    : 'only root can make files of somebody else'
  : `there is no ${shared}`
const nobody = 65534

/** Something in the shared folder under a name like those that natter gives its own, gone after the test. */
function planted(t: TestContext, name: string): string {
  const path = join(shared, `natter-memory-${name}`)
  const remove = () => rmSync(path, { recursive: true, force: true })
  remove()
  t.after(remove)
  return path
}

function makeOld(path: string): void {
  lutimesSync(path, 0, 0)
}

test('a link among the folders in memory is not followed: what it leads to stays', { skip }, async (t) => {
  const precious = await temporaryFolder(t)
  writeFileSync(join(precious, 'precious.txt'), 'mine')
  utimesSync(precious, 0, 0)
  const link = planted(t, 'a-link')
  symlinkSync(precious, link)
  makeOld(link)

  await startChat(t)

  assert.equal(readFileSync(join(precious, 'precious.txt'), 'utf8'), 'mine')
  assert.ok(!existsSync(join(precious, 'natter.lock')), 'nothing was written there')
})

test('a folder of another user is not entered, nor what a link in it leads to', { skip }, async (t) => {
  const precious = await temporaryFolder(t)
  const file = join(precious, 'precious.txt')
  writeFileSync(file, 'mine')
  const theirs = planted(t, 'theirs')
  mkdirSync(theirs)
  symlinkSync(file, join(theirs, 'natter.lock'))
  lchownSync(theirs, nobody, nobody)
  makeOld(theirs)

  await startChat(t)

  assert.ok(existsSync(theirs), 'it is not ours to remove')
  assert.equal(readFileSync(file, 'utf8'), 'mine')
})

test('a folder that others may write to is not entered either', { skip }, async (t) => {
  const precious = await temporaryFolder(t)
  const open = planted(t, 'open-to-all')
  mkdirSync(open)
  chmodSync(open, 0o777)
  symlinkSync(join(precious, 'made-by-natter'), join(open, 'natter.lock'))
  makeOld(open)

  await startChat(t)

  assert.ok(existsSync(open))
  assert.ok(!existsSync(join(precious, 'made-by-natter')))
})

test('links within a folder of our own go, and what they lead to stays', { skip }, async (t) => {
  const precious = await temporaryFolder(t)
  mkdirSync(join(precious, 'deep'))
  writeFileSync(join(precious, 'deep', 'precious.txt'), 'mine')
  const ours = planted(t, 'ours')
  mkdirSync(ours, { mode: 0o700 })
  symlinkSync(join(precious, 'deep'), join(ours, 'deep'))
  makeOld(ours)

  await startChat(t)

  assert.ok(!existsSync(ours))
  assert.equal(readFileSync(join(precious, 'deep', 'precious.txt'), 'utf8'), 'mine')
})

test('a lock that is a link is no lock, and nothing is made where it leads', async (t) => {
  const data = await temporaryFolder(t)
  const elsewhere = join(await temporaryFolder(t), 'made-by-natter')
  symlinkSync(elsewhere, join(data, 'natter.lock'))

  const { code, err } = await runServer(['--port', '0', '--data', data])

  assert.equal(code, 1)
  assert.match(err, /^natter can't start: [^\n]*natter\.lock[^\n]*\n$/)
  assert.ok(!existsSync(elsewhere))
})

test('a database that was restored for all to read is made private, with a line', async (t) => {
  const data = await temporaryFolder(t)
  const chat = await startChat(t, { data })
  await (await chat.comeIn('ada')).say('lobby', 'hello')
  await chat.kill()
  const files = ['natter.db', 'natter.db-wal'].map((name) => join(data, name))
  for (const file of files) chmodSync(file, 0o644)

  await chat.start()

  for (const file of files) assert.equal(statSync(file).mode & 0o777, 0o600, file)
  assert.ok(await until(() => /natter\.db.* could be read by other users/.test(chat.errors), patienceMs), 'the line')
  assert.deepEqual(await (await chat.comeIn('bob')).textsIn('lobby'), ['hello'])
})

test('what is private already is left alone, without a line', async (t) => {
  const data = await temporaryFolder(t)
  const chat = await startChat(t, { data })
  await chat.stop()
  await chat.start()
  await (await chat.comeIn('ada')).say('lobby', 'hello')

  assert.doesNotMatch(chat.errors, /could be read/)
  for (const name of ['natter.db', 'natter.db-wal', 'natter.db-shm', 'natter.lock'])
    assert.equal(statSync(join(data, name)).mode & 0o077, 0, name)
})

/** Somebody tidies up. */
async function withoutLock(t: TestContext): Promise<{ chat: ChatServer; data: string }> {
  const data = await temporaryFolder(t)
  const chat = await startChat(t, { data })
  rmSync(join(data, 'natter.lock'))
  return { chat, data }
}

test('a lock that was removed is made again before anything is written, and the owner reads of it', async (t) => {
  const { chat, data } = await withoutLock(t)

  await (await chat.comeIn('ada')).say('lobby', 'still here')

  assert.ok(await until(() => /natter\.lock was removed or replaced/.test(chat.errors), patienceMs), 'the line')
  const { code, err } = await runServer(['--port', '0', '--data', data])
  assert.equal(code, 1)
  assert.match(err, /another natter is running/)
})

test('a lock that was removed is made again though nobody says anything', async (t) => {
  const { chat, data } = await withoutLock(t)

  assert.ok(await until(() => existsSync(join(data, 'natter.lock')), patienceMs), 'the lock')

  assert.equal((await runServer(['--port', '0', '--data', data])).code, 1)
  await (await chat.comeIn('ada')).say('lobby', 'still here')
})

test('where another natter was quicker to take the folder, this one writes no more and says why', async (t) => {
  const { chat, data } = await withoutLock(t)
  const other = await startChat(t, { data })

  assert.equal(await chat.stranger.refused('POST', '/session', { name: 'ada' }), '503 storage_failed')
  assert.equal((await other.stranger.send('POST', '/session', { name: 'ada' })).status, 201)
  assert.ok(
    await until(() => /can't be taken again: another natter is running/.test(chat.errors), patienceMs),
    'the line',
  )
})

test("a data folder may be a link of the owner's own", async (t) => {
  const folder = await temporaryFolder(t)
  mkdirSync(join(folder, 'disk'))
  symlinkSync(join(folder, 'disk'), join(folder, 'data'))

  const chat = await startChat(t, { data: join(folder, 'data') })
  await (await chat.comeIn('ada')).say('lobby', 'hello')

  assert.ok(existsSync(join(folder, 'disk', 'natter.db')))
})

test('somebody else on the machine can read nothing of it', { skip }, async (t) => {
  const data = await temporaryFolder(t)
  chmodSync(data, 0o755)
  const chat = await startChat(t, { data })
  await (await chat.comeIn('ada')).say('lobby', 'a secret')

  for (const name of ['natter.db', 'natter.db-wal', 'natter.db-shm', 'natter.lock']) {
    const { status } = spawnSync('cat', [join(data, name)], { uid: nobody, gid: nobody })
    assert.notEqual(status, 0, name)
  }
})
