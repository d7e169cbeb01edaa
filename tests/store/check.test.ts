import assert from 'node:assert/strict'
import { closeSync, openSync, readdirSync, readFileSync, statSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { passwordOf, runServer, startChat, temporaryFolder } from '../chat-server.ts'

const bytesOf = (folder: string) =>
  Object.fromEntries(
    readdirSync(folder)
      .filter((name) => /natter\.db(-wal)?$/.test(name))
      .map((name) => [name, readFileSync(join(folder, name))]),
  )

test('check says that a folder is whole, after a stop and after a crash, and leaves it as it is', async (t) => {
  const data = await temporaryFolder(t)
  const chat = await startChat(t, { data })
  const ada = await chat.comeIn('ada')
  await ada.makeRoom('attic')
  await ada.say('attic', 'hello')
  for (const end of ['stop', 'kill'] as const) {
    await ada.say('lobby', `before ${end}`)
    await chat[end]()
    const before = bytesOf(data)

    const { code, out, err } = await runServer(['check', '--data', data])

    assert.deepEqual([code, err], [0, ''])
    assert.match(out, /^\S+natter\.db is whole: \d+ events\n$/)
    assert.deepEqual(bytesOf(data), before)
    await chat.start()
  }
  const { code, err } = await runServer(['check', '--data', data])
  assert.equal(code, 1)
  assert.match(err, /^[^\n]*another natter is running[^\n]*\n$/)
})

test('check says that a place with accounts, invites, tokens and rooms of all kinds is whole', async (t) => {
  const data = await temporaryFolder(t)
  const chat = await startChat(t, { data })
  const olga = await chat.owner()
  const [ada, gus] = [await chat.account('ada'), await chat.comeIn('gus')]
  await olga.giveRole(ada, 'admin')
  const attic = await ada.makeRoom('attic', { kind: 'private', topic: 'quiet' })
  const { code } = await ada.invite({ room: attic, uses: 2 })
  await gus.accept(code)
  await chat.byInvite(code, 'ivy', passwordOf('ivy'))
  await ada.say(await ada.direct(gus), 'hello')
  await ada.add(attic, olga, 'owner')
  await ada.remove(attic, gus)
  await ada.ask('PATCH', `/rooms/${attic}`, { archived: true })
  const bot = await olga.makeBot({ name: 'robot', rooms: [attic, 'lobby'], expires: '1h' })
  const { id } = await bot.say('lobby', 'beep')
  await bot.ask('DELETE', `/rooms/lobby/messages/${id}`)
  await olga.ask('DELETE', `/tokens/${bot.tokenId}`)
  await olga.ban(gus)
  await ada.ask('PATCH', '/users/me', { name: 'Countess' })
  await ada.ask('PATCH', '/users/me', { password: 'another password', current: passwordOf('ada') })
  await (await chat.comeIn('bob')).ask('POST', '/users', { name: 'Bob', password: passwordOf('bob') })
  await olga.ask('DELETE', `/invites/${(await olga.invite()).id}`)
  await ada.ask('DELETE', '/sessions')
  await chat.stop()

  const { code: exit, out, err } = await runServer(['check', '--data', data])

  assert.deepEqual([exit, err], [0, ''])
  assert.match(out, /is whole: \d+ events\n$/)
})

test('check says that a place with edits, reactions, mentions and read marks is whole', async (t) => {
  const data = await temporaryFolder(t)
  const chat = await startChat(t, { data })
  const [ada, bob] = [await chat.account('ada'), await chat.comeIn('bob')]
  for (const text of ['hello @bob', '@room, look', 'third', 'fourth @ada']) {
    const { id } = await ada.say('lobby', text)
    const path = `/rooms/lobby/messages/${id}`
    for (const person of [ada, bob])
      for (const emoji of ['👍', '🎉', '❤️']) await person.ask('PUT', `${path}/reactions/${emoji}`)
    await bob.ask('DELETE', `${path}/reactions/🎉`)
    if (text !== 'third')
      for (const other of ['once @bob', 'twice @room']) await ada.ask('PATCH', path, { text: other })
    if (text.startsWith('fourth')) await ada.ask('DELETE', path)
    await bob.join('lobby')
    await bob.ask('PUT', '/rooms/lobby/read', { id })
  }
  assert.equal(await chat.stop(), 0)

  const { code, out, err } = await runServer(['check', '--data', data])

  assert.deepEqual([code, err], [0, ''])
  assert.match(out, /is whole: \d+ events\n$/)
})

test('check finds a page of garbage that opens well, and says so in one line', async (t) => {
  const data = await temporaryFolder(t)
  const chat = await startChat(t, { data })
  const ada = await chat.comeIn('ada')
  for (let number = 0; number < 20; number++) await ada.say('lobby', `${number}${' lorem ipsum'.repeat(300)}`)
  await chat.stop()
  const file = join(data, 'natter.db')
  const descriptor = openSync(file, 'r+')
  writeSync(descriptor, Buffer.alloc(4096, 0xa5), 0, 4096, Math.floor(statSync(file).size / 4096 / 2) * 4096)
  closeSync(descriptor)
  const before = bytesOf(data)

  const { code, out, err } = await runServer(['check', '--data', data])

  assert.deepEqual([code, out], [1, ''])
  assert.match(err, /^\S+natter\.db is not whole: [^\n]+\n$/)
  assert.deepEqual(bytesOf(data), before)
})

test('check finds tables that are not what the log adds up to', async (t) => {
  const data = await temporaryFolder(t)
  const chat = await startChat(t, { data })
  const ada = await chat.comeIn('ada')
  await ada.say('lobby', 'hello')
  await chat.stop()
  const { DatabaseSync } = process.getBuiltinModule('node:sqlite')
  const database = new DatabaseSync(join(data, 'natter.db'))
  database.exec('delete from members')
  database.close()

  const { code, err } = await runServer(['check', '--data', data])

  assert.equal(code, 1)
  assert.match(err, /^\S+natter\.db is not whole: the table members is not what the log adds up to\n$/)
})

test('check says in one line that there is nothing to check', async (t) => {
  const { code, err } = await runServer(['check', '--data', await temporaryFolder(t)])

  assert.equal(code, 1)
  assert.match(err, /^natter can't check: there is no [^\n]+\n$/)
})
