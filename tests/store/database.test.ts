import assert from 'node:assert/strict'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'
import { Database } from '../../lib/store/database.ts'
import { temporaryFolder } from '../chat-server.ts'

test("events are read with what somebody said, and with no password's hash nor what was emptied", async (t) => {
  const file = join(await temporaryFolder(t), 'natter.db')
  const database = Database.openForWriting(file, { durable: false })
  t.after(() => database.close())
  database.begin()
  database.insertEvent(1, { type: 'user', rules: 3, user: 1, body: { name: 'ada', text: 'the hash of a password' } })
  database.insertEvent(2, { type: 'message', rules: 3, user: 1, body: { text: 'one' } })
  database.insertEvent(3, { type: 'session', rules: 3, user: 1 })
  database.insertEvent(5, { type: 'message', rules: 3, user: 1, body: { text: 'two' } })
  database.insertEvent(6, { type: 'edit', rules: 3, user: 1, target: 2, body: { text: 'three' } })
  database.commit()
  const read = (after: number, limit: number) => database.eventsAfter(after, limit).map(({ id, text }) => [id, text])

  assert.deepEqual(read(0, 10), [
    [1, null],
    [2, 'one'],
    [3, null],
    [5, 'two'],
    [6, 'three'],
  ])
  assert.deepEqual(read(2, 2), [
    [3, null],
    [5, 'two'],
  ])
  assert.deepEqual(read(6, 10), [])

  database.begin()
  database.emptyBody(2, ['text'])
  database.commit()
  assert.deepEqual(read(1, 2), [
    [2, null],
    [3, null],
  ])

  // A body that belongs to no event, as in a file that somebody mended by hand, takes nobody else's place.
  const other = new DatabaseSync(file)
  other.exec("insert into bodies (event, text) values (4, 'of nothing')")
  other.close()
  assert.deepEqual(read(2, 10), [
    [3, null],
    [5, 'two'],
    [6, 'three'],
  ])
})

test('the last messages of a room are looked for among so many, be they deleted or not', async (t) => {
  const database = Database.openForWriting(join(await temporaryFolder(t), 'natter.db'), { durable: false })
  t.after(() => database.close())
  database.begin()
  for (let id = 1; id <= 100; id++)
    database.insertEvent(id, { type: 'message', rules: 3, user: 1, room: 7, body: { text: 'one' } })
  for (let id = 91; id <= 100; id++) database.insertDeletion(id, 100 + id)
  database.commit()
  const last = (limit: number, looked: number, before = 1000) =>
    database.lastMessageIds({ id: 7 }, { before, limit, looked })

  assert.deepEqual(last(3, 20), [90, 89, 88])
  assert.deepEqual(last(3, 12), [90, 89])
  assert.deepEqual(last(3, 10), [])
  assert.deepEqual(last(2, 3, 50), [49, 48])
})
