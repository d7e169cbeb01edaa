import assert from 'node:assert/strict'
import { closeSync, fstatSync, openSync, readFileSync, renameSync, statSync, truncateSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { runServer, startChat, temporaryFolder } from '../chat-server.ts'

test('a page found damaged while running is said so once; nothing more is written, and the server lives', async (t) => {
  const data = await temporaryFolder(t)
  const chat = await startChat(t, { data })
  const ada = await chat.comeIn('ada')
  const talk = async (count: number) => {
    for (let number = 0; number < count; number++) await ada.say('lobby', `${number}${' lorem ipsum'.repeat(300)}`)
    await chat.stop()
  }
  // The first texts move what they stand with to pages of its own. What comes behind these is needed by no start.
  await talk(3)
  const needed = statSync(join(data, 'natter.db')).size / 4096
  await chat.start()
  await talk(20)
  spoilPages(join(data, 'natter.db'), { from: needed })

  await chat.start()
  const bytes = () => Buffer.concat(['natter.db', 'natter.db-wal'].map((name) => readFileSync(join(data, name))))
  const before = bytes()
  const answers = []
  for (let turn = 0; turn < 3; turn++)
    answers.push(
      await ada.fetch('/rooms/lobby/messages'),
      await ada.send('POST', '/rooms/lobby/messages', { text: 'more' }),
    )

  for (const answer of answers) {
    assert.equal(answer.status, 503)
    assert.equal(((await answer.json()) as { code: string }).code, 'storage_damaged')
  }
  assert.equal((await chat.fetch('/healthz')).status, 200)
  assert.equal(chat.errors.match(/damaged/g)?.length, 1, chat.errors)
  assert.ok(bytes().equals(before))
  assert.equal(await chat.stop(), 0)
})

test('a database that was moved away while running is written no more, and said so once', async (t) => {
  const data = await temporaryFolder(t)
  const chat = await startChat(t, { data })
  const ada = await chat.comeIn('ada')
  await ada.say('lobby', 'kept')
  renameSync(join(data, 'natter.db'), join(data, 'moved'))

  for (let turn = 0; turn < 3; turn++) {
    const answer = await ada.send('POST', '/rooms/lobby/messages', { text: 'lost' })
    assert.equal(answer.status, 503)
    assert.match(((await answer.json()) as { detail: string }).detail, /gone/)
  }

  assert.equal(chat.errors.match(/gone/g)?.length, 1, chat.errors)
  renameSync(join(data, 'moved'), join(data, 'natter.db'))
  await ada.say('lobby', 'back')
  assert.match(chat.errors, /storing works again\n$/)
})

test('a file that a crash cut short is not opened unless the write-ahead log has the rest', async (t) => {
  const data = await temporaryFolder(t)
  const file = join(data, 'natter.db')
  const chat = await startChat(t, { data })
  const ada = await chat.comeIn('ada')
  const talk = async () => {
    for (let number = 0; number < 20; number++) await ada.say('lobby', `${number}${' lorem ipsum'.repeat(300)}`)
  }
  await talk()
  await chat.stop()
  await chat.start()
  await talk()
  await chat.kill()
  assert.ok(statSync(`${file}-wal`).size > 0)
  const whole = readFileSync(file)

  // The first talk is in the file and not in the log.
  truncateSync(file, whole.length - 30 * 4096)
  const cut = readFileSync(file)
  const { code, err } = await runServer(['--port', '0', '--data', data])
  assert.equal(code, 1)
  assert.match(err, /^natter can't start: [^\n]*cut short[^\n]*\n$/)
  assert.ok(readFileSync(file).equals(cut))

  writeSync(openSync(file, 'r+'), whole, 0, whole.length, 0)
  await chat.start()
  assert.equal((await ada.read<{ messages: unknown[] }>('/rooms/lobby/messages')).messages.length, 40)
})

function spoilPages(file: string, { from }: { from: number }): void {
  const descriptor = openSync(file, 'r+')
  const { size } = fstatSync(descriptor)
  for (let page = from; page < size / 4096; page++)
    writeSync(descriptor, Buffer.alloc(4096, 0xa5), 0, 4096, page * 4096)
  closeSync(descriptor)
}
