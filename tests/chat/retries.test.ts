// A post that is sent again while nothing can be stored.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Chat } from '../../lib/chat/chat.ts'
import { ChatError } from '../../lib/errors.ts'
import { LocalLog } from '../../lib/store/log/local-log.ts'

const faultyWriter = new URL('../store/writer-with-faults.ts', import.meta.url)

test('what was stored is answered again, on a full disk and after damage; at the end nothing is', async (t) => {
  const log = await LocalLog.open({ folder: ':memory:', writer: faultyWriter, report: () => {} })
  t.after(async () => {
    await log.close().catch(() => {}) // as a rule it is closed by then
    log.forget()
  })
  const chat = new Chat({ log, database: log.database, reader: log.reader, onError: () => {} })
  await chat.start()
  const ada = chat.people.byName('ada')
  const post = async (text: string, key?: string) => {
    try {
      return (await chat.talk.post(ada, 'lobby', { text, key })).id
    } catch (error) {
      return error instanceof ChatError ? error.code : error
    }
  }
  const id = await post('hello', 'k')
  assert.match(String(id), /^\d+$/)

  assert.deepEqual(await Promise.all([post('a full disk'), post('hello', 'k')]), ['storage_full', id])
  assert.equal(await post('something else', 'k'), 'key_reused')
  assert.equal(await post('a bad page'), 'storage_damaged')
  assert.equal(await post('hello', 'k'), id)
  assert.equal(await post('something else', 'l'), 'storage_damaged')
  const closed = log.close()
  assert.equal(await post('hello', 'k'), 'stopping')
  await closed
})
