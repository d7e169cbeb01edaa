import assert from 'node:assert/strict'
import { renameSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'
import { Database } from '../../lib/store/database.ts'
import { ReadingThread } from '../../lib/store/search/reading-thread.ts'
import { applicationId, migrations } from '../../lib/store/tables/schema.ts'
import type { SearchQuery } from '../../lib/store/search/search-tables.ts'
import { temporaryFolder, type Scope } from '../chat-server.ts'

const query: SearchQuery = {
  words: '"hello"',
  rooms: [],
  open: true,
  user: undefined,
  after: 0,
  before: 1000,
  limit: 20,
}

/** A database in which the open room 1 and the private room 2 have a hello each. */
async function someDatabase(t: Scope): Promise<string> {
  const file = join(await temporaryFolder(t), 'natter.db')
  const database = Database.openForWriting(file, { durable: false })
  database.begin()
  database.search.insert(11, 'hello', { room: 1, user: 5, kind: 'open' })
  database.search.insert(12, 'hello', { room: 2, user: 5, kind: 'private' })
  database.commit()
  database.close()
  return file
}

function idsOf({ found }: { found: { id: number }[] }): number[] {
  return found.map(({ id }) => id)
}

test('one searches in the rooms that one names and in no other', async (t) => {
  const database = Database.openForReading(await someDatabase(t))
  t.after(() => database.close())
  const find = (options: Partial<SearchQuery>) => idsOf(database.search.find({ ...query, ...options }))

  for (const words of ['"hello"', '']) {
    assert.deepEqual(find({ words }), [11])
    assert.deepEqual(find({ words, rooms: [2] }), [12, 11])
    assert.deepEqual(find({ words, rooms: [2], open: false }), [12])
    assert.deepEqual(find({ words, rooms: [], open: false }), [])
    assert.deepEqual(find({ words, user: 6, rooms: [2] }), [])
    assert.deepEqual(find({ words, rooms: [2], after: 11 }), [12])
    assert.deepEqual(find({ words, rooms: [2], before: 12 }), [11])
  }
})

test('a search in ten thousand rooms is one like any other', async (t) => {
  const database = Database.openForReading(await someDatabase(t))
  t.after(() => database.close())

  const rooms = Array.from({ length: 10_000 }, (_, at) => at + 2)
  const ids: number[] = []
  // On a busy machine it may be cut off after the first.
  for (let before: number | undefined = 1000; before !== undefined; ) {
    const page = database.search.find({ ...query, rooms, before })
    ids.push(...idsOf(page))
    before = page.before
  }
  assert.deepEqual(ids, [12, 11])
})

test('a part takes so much and no more, whatever the size of commits, and of what was taken back nothing counts', async (t) => {
  const file = join(await temporaryFolder(t), 'natter.db')
  const database = Database.openForWriting(file, { durable: false })
  t.after(() => database.close())
  const other = new DatabaseSync(file, { readOnly: true })
  t.after(() => other.close())
  const parts = () =>
    other
      .prepare('select first, characters from search_parts order by first')
      .all()
      .map((row) => Object.values(row))
  const text = 'x'.repeat(1_500_000)
  const insert = (...ids: number[]) =>
    ids.forEach((id) => database.search.insert(id, text, { room: 1, user: 5, kind: 'open' }))

  database.begin()
  insert(11, 12)
  database.rollback()
  assert.deepEqual(parts(), [[0, 0]])
  database.begin()
  insert(13)
  database.commit()
  database.begin()
  insert(14, 15, 16, 17)
  database.commit()

  assert.deepEqual(parts(), [
    [0, 4_500_000],
    [16, 3_000_000],
  ])
  database.begin()
  insert(18, 19)
  database.rollback()
  database.begin()
  insert(20)
  database.commit()
  assert.deepEqual(parts(), [
    [0, 4_500_000],
    [16, 4_500_000],
  ])
})

test('what was indexed before it was in parts is taken over', async (t) => {
  const file = join(await temporaryFolder(t), 'natter.db')
  const old = new DatabaseSync(file)
  old.exec(
    `begin; pragma application_id = ${applicationId}; ${migrations.slice(0, 3).join(' ')} pragma user_version = 3; commit`,
  )
  old.exec(`
    insert into rooms (id, slug, name, kind, changed) values (1, 'lobby', 'lobby', 'open', 1), (2, 'attic', 'attic', 'private', 2);
    insert into events (id, type, rules, user, room) values (11, 'message', 2, 5, 1), (12, 'message', 2, 5, 2);
    insert into search (rowid, text, place) values (11, 'hello', 'r1 u5'), (12, 'hello', 'r2 u5')`)
  old.close()

  for (let start = 1; start <= 2; start++) {
    const database = Database.openForWriting(file, { durable: false })
    assert.deepEqual(idsOf(database.search.find(query)), [11])
    assert.deepEqual(idsOf(database.search.find({ ...query, rooms: [2], user: 5 })), [12, 11])
    assert.deepEqual(
      database.stateTables().filter((name) => name.startsWith('search')),
      [],
    )
    database.close()
  }
})

test('searches wait in a line, and what each may see is asked when its turn comes', async (t) => {
  const reader = new ReadingThread(await someDatabase(t), assert.fail)
  t.after(() => reader.close())
  let open = true
  const first = reader.search({ person: 1 }, () => query)
  const second = reader.search({ person: 1 }, () => ({ ...query, open }))
  open = false

  assert.deepEqual(idsOf(await first), [11])
  assert.deepEqual(idsOf(await second), [])
  await assert.rejects(
    reader.search({ person: 1 }, () => {
      throw new RangeError('mine')
    }),
    RangeError,
  )
  assert.deepEqual(idsOf(await reader.search({ person: 1 }, () => query)), [11])
})

test('the line is not endless, and nobody fills it alone', async (t) => {
  const reader = new ReadingThread(await someDatabase(t), assert.fail)
  t.after(() => reader.close())
  const codes = (results: PromiseSettledResult<unknown>[]) =>
    results.map((result) => (result.status === 'fulfilled' ? 'found' : (result.reason as { code: string }).code))
  const counts = (of: string[]) =>
    Object.fromEntries([...new Set(of)].map((code) => [code, of.filter((other) => other === code).length]))

  const mine = Promise.allSettled(Array.from({ length: 20 }, () => reader.search({ person: 1 }, () => query)))
  const others = Promise.allSettled(
    Array.from({ length: 100 }, (_, at) => reader.search({ person: at + 2 }, () => query)),
  )

  // Whoever has most makes room, until they have as much as anybody else.
  assert.deepEqual(counts(codes(await mine)), { found: 2, busy: 8, too_many: 10 })
  assert.deepEqual(counts(codes(await others)), { found: 99, busy: 1 })
})

test('who waits when it ends is told so, and a thread that died is started again', async (t) => {
  const file = await someDatabase(t)
  const reader = new ReadingThread(file, assert.fail)

  renameSync(file, `${file}-away`)
  await assert.rejects(
    reader.search({ person: 1 }, () => query),
    /the thread that searches died/,
  )
  renameSync(`${file}-away`, file)
  const [first, second] = [reader.search({ person: 1 }, () => query), reader.search({ person: 1 }, () => query)]
  const refused = assert.rejects(second, { code: 'stopping' })
  await Promise.all([reader.close(), refused])

  assert.deepEqual(idsOf(await first), [11])
  await assert.rejects(
    reader.search({ person: 1 }, () => query),
    { code: 'stopping' },
  )
})
