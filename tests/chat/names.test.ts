// Names and passwords in the order in which the log has them, when that is not the order in which they were asked for.

import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { apply } from '../../lib/chat/apply.ts'
import { Database } from '../../lib/store/database.ts'
import type { NewEvent, Outcome } from '../../lib/store/event-log.ts'
import { temporaryFolder, type Scope } from '../chat-server.ts'

const start = 1_795_219_200_000_000
const month = 31 * 24 * 3600e6

/** A log of its own: `happens` carries an event out so many µs after the start. */
async function emptyLog(t: Scope) {
  const database = Database.openForWriting(join(await temporaryFolder(t), 'natter.db'), { durable: false })
  t.after(() => database.close())
  const happens = (after: number, event: Omit<NewEvent, 'rules'>): Outcome => apply(database, { ...event, rules: 3 }, start + after)
  const comes = (after: number, name: string, kind: 'guest' | 'account') => happens(after, { type: 'user', facts: { folded: hashOf(name), kind, role: kind === 'guest' ? 'guest' : 'member', session: `${name} ${after}` }, body: { name } })
  assert.deepEqual(happens(0, { type: 'log', facts: { id: 'abc', secret: 'a secret' } }), { id: start })
  const hashOf = (name: string) => database.people.nameHash(name)
  return { database, happens, comes, hashOf }
}

test('a guest whose name has passed on to another takes it from nobody by choosing a new one', async (t) => {
  const { database, happens, comes, hashOf } = await emptyLog(t)
  assert.deepEqual(comes(1, 'ada', 'guest'), { id: start + 1 })
  assert.deepEqual(comes(month, 'ada', 'account'), { id: start + month })

  // The clock has jumped: by the log a month has passed, and the first one's session lasts all the same.
  const renamed = happens(month + 1, { type: 'rename', user: start + 1, facts: { folded: hashOf('bea') }, body: { name: 'bea' } })

  assert.deepEqual(renamed, { id: start + month + 1 })
  const { id, freed } = database.people.nameHolder('ada')!
  assert.deepEqual({ id, freed }, { id: start + month, freed: null })
})

test('a login by the old password, under way when it was changed, is none', async (t) => {
  const { happens, comes } = await emptyLog(t)
  comes(1, 'ada', 'account')
  const login = (after: number, password: number) => happens(after, { type: 'session_start', user: start + 1, facts: { hash: `hash ${after}`, password: start + password } })
  assert.deepEqual(login(2, 1), { id: start + 2 })
  happens(3, { type: 'password', user: start + 1, facts: {}, body: { text: 'a hash' } })

  const late = login(4, 1)

  assert.deepEqual('refused' in late && late.refused.code, 'unauthorized')
  assert.deepEqual(login(5, 3), { id: start + 5 })
})
