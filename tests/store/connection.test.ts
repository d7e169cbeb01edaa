import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { Connection } from '../../lib/store/connection.ts'
import { temporaryFolder, type Scope } from '../chat-server.ts'

interface Row {
  id: number
  name: string
}

const byId = 'select * from people where id = ?'

async function openTwo(t: Scope): Promise<{ writer: Connection; reader: Connection }> {
  const file = join(await temporaryFolder(t), 'people.db')
  const writer = Connection.forWriting(file, { durable: false })
  t.after(() => writer.close())
  writer.execute("create table people (id integer primary key, name text); insert into people values (1, 'ada')")
  const reader = Connection.forReading(file, () => {})
  t.after(() => reader.close())
  return { writer, reader }
}

test('a row is recalled until it is changed here, or somebody says that it was changed elsewhere', async (t) => {
  const { writer, reader } = await openTwo(t)
  const nameSeenBy = (connection: Connection) => connection.recall<Row>(byId, 1)?.name
  assert.deepEqual([nameSeenBy(writer), nameSeenBy(reader)], ['ada', 'ada'])

  writer.change('update people set name = ? where id = ?', 'bob', 1)

  assert.deepEqual([nameSeenBy(writer), nameSeenBy(reader), writer.changes], ['bob', 'ada', 1])
  reader.forget()
  assert.equal(nameSeenBy(reader), 'bob')
})

test('what was looked for in vain is looked for again', async (t) => {
  const { writer, reader } = await openTwo(t)
  assert.equal(reader.recall(byId, 2), undefined)

  writer.run('insert into people values (?, ?)', 2, 'eve')

  assert.equal(reader.recall<Row>(byId, 2)?.name, 'eve')
})

test('nobody can write into a row that others recall', async (t) => {
  const { reader } = await openTwo(t)
  const row = reader.recall<Row>(byId, 1)!

  assert.throws(() => (row.name = 'mallory'), TypeError)
  assert.equal(reader.recall<Row>(byId, 1)?.name, 'ada')
})

test('as much is recalled as fits, however often, and not more', async (t) => {
  const { writer, reader } = await openTwo(t)
  writer.execute(
    "with recursive n (i) as (select 2 union all select i + 1 from n where i < 10100) insert into people select i, 'one of many' from n",
  )
  const first = reader.recall<Row>(byId, 1)
  assert.equal(reader.recall<Row>(byId, 1), first)

  for (let id = 2; id <= 10_000; id++) reader.recall<Row>(byId, id)
  assert.equal(reader.recall<Row>(byId, 10_000), reader.recall<Row>(byId, 10_000))
  assert.equal(reader.recall<Row>(byId, 1), first)

  reader.recall<Row>(byId, 10_001)
  assert.notEqual(reader.recall<Row>(byId, 1), first)
})
