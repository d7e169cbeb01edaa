// Names and passwords in the order in which the log has them, when that is not the order in which they were asked for.

import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { apply } from '../../lib/chat/rules/apply.ts'
import { rules } from '../../lib/store/log/log-events.ts'
import { looksOf } from '../../lib/store/tables/look-alikes.ts'
import { Database } from '../../lib/store/database.ts'
import type { NewEvent, Outcome } from '../../lib/store/log/event-log.ts'
import { temporaryFolder, type Scope } from '../chat-server.ts'

const start = 1_795_219_200_000_000
const month = 31 * 24 * 3600e6

/** A log of its own: `happens` carries an event out so many µs after the start. */
async function emptyLog(t: Scope) {
  const database = Database.openForWriting(join(await temporaryFolder(t), 'natter.db'), { durable: false })
  t.after(() => database.close())
  const happens = (after: number, event: Omit<NewEvent, 'rules'>): Outcome =>
    apply(database, { ...event, rules }, start + after)
  const comes = (after: number, name: string, kind: 'guest' | 'account') =>
    happens(after, {
      type: 'user',
      facts: {
        folded: hashOf(name),
        looks: looksOf(name).map(hashOf),
        kind,
        role: kind === 'guest' ? 'guest' : 'member',
        session: `${name} ${after}`,
      },
      body: { name },
    })
  assert.deepEqual(happens(0, { type: 'log', facts: { id: 'abc', secret: 'a secret' } }), { id: start })
  const hashOf = (name: string) => database.people.nameHash(name)
  return { database, happens, comes, hashOf }
}

test('a guest whose name has passed on to another takes it from nobody by choosing a new one', async (t) => {
  const { database, happens, comes, hashOf } = await emptyLog(t)
  assert.deepEqual(comes(1, 'ada', 'guest'), { id: start + 1 })
  assert.deepEqual(comes(month, 'ada', 'account'), { id: start + month })

  // The clock has jumped: by the log a month has passed, and the first one's session lasts all the same.
  const renamed = happens(month + 1, {
    type: 'rename',
    user: start + 1,
    facts: { folded: hashOf('bea') },
    body: { name: 'bea' },
  })

  assert.deepEqual(renamed, { id: start + month + 1 })
  const { id, freed } = database.people.nameHolder('ada')!
  assert.deepEqual({ id, freed }, { id: start + month, freed: null })
})

test('a login by the old password, under way when it was changed, is none', async (t) => {
  const { happens, comes } = await emptyLog(t)
  comes(1, 'ada', 'account')
  const login = (after: number, password: number) =>
    happens(after, {
      type: 'session_start',
      user: start + 1,
      facts: { hash: `hash ${after}`, password: start + password },
    })
  assert.deepEqual(login(2, 1), { id: start + 2 })
  happens(3, { type: 'password', user: start + 1, facts: {}, body: { text: 'a hash' } })

  const late = login(4, 1)

  assert.deepEqual('refused' in late && late.refused.code, 'unauthorized')
  assert.deepEqual(login(5, 3), { id: start + 5 })
})

test("a banned guest keeps the name for a month after the ban, and no name is gone for good but an account's", async (t) => {
  const { happens, comes, hashOf } = await emptyLog(t)
  happens(1, { type: 'invite', facts: { hash: 'first', role: 'owner', uses: 1, expires: start + 1000 } })
  happens(2, {
    type: 'user',
    facts: { folded: hashOf('olga'), kind: 'account', role: 'owner', session: 'of olga', invite: 'first' },
    body: { name: 'olga' },
  })
  const codeOf = (outcome: Outcome) => ('refused' in outcome ? outcome.refused.code : 'taken')
  comes(3, 'gus', 'guest')
  comes(4, 'ada', 'account')
  happens(5, { type: 'user', facts: { folded: hashOf('una'), kind: 'unproven', role: 'guest' }, body: { name: 'una' } })
  const days = (count: number) => count * 24 * 3600e6
  for (const user of [3, 4, 5])
    assert.ok(
      'id' in happens(days(20) + user, { type: 'ban', user: start + 2, target: start + user, facts: { banned: true } }),
    )

  // A guest who is not banned has theirs for 30 days after they were last here.
  for (const name of ['gus', 'ada', 'una']) assert.equal(codeOf(comes(days(49), name, 'guest')), 'name_taken', name)
  assert.equal(codeOf(comes(days(51), 'gus', 'guest')), 'taken')
  assert.equal(codeOf(comes(days(51) + 1, 'una', 'account')), 'taken')
  assert.equal(codeOf(comes(days(400), 'ada', 'guest')), 'name_taken')
})

test('a name is free for who looks like it when it is free itself, and not before', async (t) => {
  const { database, happens, comes, hashOf } = await emptyLog(t)
  const codeOf = (outcome: Outcome) => ('refused' in outcome ? outcome.refused.code : 'taken')
  const renames = (after: number, user: number, name: string, more = {}) =>
    happens(after, {
      type: 'rename',
      user: start + user,
      facts: { folded: hashOf(name.toLowerCase()), looks: looksOf(name).map(hashOf) },
      body: { name },
      ...more,
    })
  comes(1, 'bob', 'guest')
  comes(2, 'bill', 'account')

  // A guest's is free a month after they were last here.
  assert.equal(codeOf(comes(month - 2 * 24 * 3600e6, 'b0b', 'guest')), 'name_taken')
  assert.equal(codeOf(comes(month, 'b0b', 'guest')), 'taken')

  // An account's is kept for a month after it took another; whoever had it may come back to it, and to what looks like it.
  assert.equal(codeOf(renames(month + 1, 2, 'william')), 'taken')
  assert.equal(codeOf(comes(month + 2, 'bi1l', 'account')), 'name_taken')
  assert.equal(codeOf(renames(month + 3, 2, 'bi1l')), 'taken')
  assert.equal(codeOf(renames(month + 4, 2, 'william')), 'taken')
  assert.equal(codeOf(comes(2 * month + 5, 'bi1l', 'account')), 'taken')

  // What was written by the rules before is as it was.
  assert.equal(
    codeOf(
      apply(
        database,
        {
          type: 'user',
          rules: 3,
          facts: {
            folded: hashOf('wi11iam'),
            looks: looksOf('wi11iam').map(hashOf),
            kind: 'account',
            role: 'member',
            session: 's',
          },
          body: { name: 'wi11iam' },
        },
        start + 2 * month + 6,
      ),
    ),
    'taken',
  )
  assert.equal(codeOf(comes(2 * month + 7, 'wil1iam', 'guest')), 'name_taken')
})

test('the tables hold no more looks than names', async (t) => {
  const { database, happens, comes, hashOf } = await emptyLog(t)
  comes(1, 'bill', 'account')
  for (let at = 2; at < 30; at++) {
    const name = `name ${at}`
    happens(at, {
      type: 'rename',
      user: start + 1,
      facts: { folded: hashOf(name), looks: looksOf(name).map(hashOf) },
      body: { name },
    })
  }
  const rows = (table: string) => [...{ [Symbol.iterator]: () => database.rowsOf(table) }].length
  assert.equal(rows('names'), 4)
  assert.ok(rows('looks') >= 4 && rows('looks') <= 8)
})
