// The same events give the same data, wherever and in whatever groups they are applied.

import assert from 'node:assert/strict'
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { apply } from '../../lib/chat/apply.ts'
import { foldName } from '../../lib/chat/text.ts'
import { Database } from '../../lib/store/database.ts'
import type { NewEvent, Outcome } from '../../lib/store/event-log.ts'
import { temporaryFolder } from '../chat-server.ts'
import { property, type Random } from '../random.ts'

const words = ['hello', 'Hej', '北京', 'ไทย', 'é', '京', 'a-b', 'x'.repeat(300), '', '😀', "'; drop table events; --", 'NEAR("a" b)']
const names = ['ada', 'Ada', 'bob', 'eve', 'ÉLAN', '京', '__proto__']
const month = 31 * 24 * 3600e6

interface Asked {
  event: NewEvent
  id: number
}

// Events as chat.ts makes them and as it would not: whom, where and what they are about is there, or was, or never was.
function anyEvents(random: Random): Asked[] {
  const asked: Asked[] = []
  let id = 1_795_219_200_000_000
  const anyId = () => (asked.length > 0 && random.chance(0.95) ? random.pick(asked).id : random.below(100))
  const ofType = (type: string) => {
    const some = asked.filter(({ event }) => event.type === type)
    return some.length > 0 && random.chance(0.95) ? random.pick(some).id : anyId()
  }
  const sessions: string[] = []
  const make: (() => NewEvent)[] = [
    () => {
      const name = random.pick(names)
      const kind = random.pick(['guest', 'unproven'])
      const session = kind === 'guest' ? { session: `hash ${sessions.length}` } : {}
      if (kind === 'guest') sessions.push(`hash ${sessions.length}`)
      return { type: 'user', rules: 1, facts: { name, folded: foldName(name), kind, role: 'guest', ...session } }
    },
    () => ({ type: 'room', rules: 1, ...(random.chance(0.5) && { user: ofType('user') }), facts: { slug: random.pick(names), name: random.pick(names), kind: 'open' } }),
    () => ({ type: 'session', rules: 1, user: ofType('user'), facts: { hash: random.pick([...sessions, 'none']) } }),
    () => ({ type: 'session_end', rules: 1, user: ofType('user'), facts: { hash: random.pick([...sessions, 'none']) } }),
    () => ({ type: 'join', rules: 1, user: ofType('user'), room: ofType('room') }),
    () => ({ type: 'leave', rules: 1, user: ofType('user'), room: ofType('room') }),
    ...Array<() => NewEvent>(4).fill(() => {
      const written = asked.filter(({ event }) => event.type === 'message')
      const one = written.length > 0 && random.chance(0.9) ? random.pick(written) : undefined
      return { type: 'delete', rules: 1, user: (random.chance(0.7) ? one?.event.user : ofType('user')) ?? anyId(), room: one?.event.room ?? anyId(), target: one?.id ?? anyId() }
    }),
    ...Array<() => NewEvent>(5).fill(() => ({
      type: 'message', rules: 1, user: ofType('user'), room: ofType('room'), text: random.times(5, () => random.pick(words)).join(' '),
      ...(random.chance(0.3) && { target: ofType('message') }),
      ...(random.chance(0.3) && { key: `k${random.below(5)}`, print: `p${random.below(2)}` }),
    })),
  ]
  for (let count = 150; count > 0; count--) {
    // Sometimes so late that guests have lost their names.
    id += random.chance(0.02) ? month : random.between(1, 1e6)
    asked.push({ event: random.pick(make)(), id })
  }
  return asked
}

class Applied {
  readonly file: string
  outcomes: Outcome[] = []
  #database: Database

  constructor(file: string) {
    this.file = file
    this.#database = Database.openForWriting(file, { durable: false })
  }

  /** Some of them in one transaction. */
  group(events: readonly Asked[]): void {
    this.#database.begin()
    for (const { event, id } of events) this.outcomes.push(apply(this.#database, event, id))
    this.#database.commit()
  }

  reopen(): void {
    this.#database.close()
    this.#database = Database.openForWriting(this.file, { durable: false })
  }

  close(): void {
    this.#database.close()
  }
}

/** All rows of all tables, and what a search finds: how FTS5 keeps its index depends on the size of commits. */
function contentsOf(file: string): Record<string, unknown[]> {
  const database = new DatabaseSync(file, { readOnly: true })
  try {
    const tables = database.prepare("select name from sqlite_schema where type = 'table' and name not like 'search_%' order by name").all() as { name: string }[]
    const rows = tables.map(({ name }) => [name, database.prepare(`select ${name === 'search' ? 'rowid, ' : ''}* from ${name} order by 1, 2`).all()])
    const find = database.prepare('select rowid from search where search match ? order by rowid')
    const found = ['hello', '北', 'hej', 'ไ', 'e', 'xxx*'].map((word) => [`search for ${word}`, find.all(`"${word.replace('*', '')}"${word.endsWith('*') ? '*' : ''}`)])
    return Object.fromEntries([...rows, ...found])
  } finally {
    database.close()
  }
}

property('the same events on two empty databases give equal databases and equal outcomes', async (random, t) => {
  const folder = await temporaryFolder(t)
  const kinds = new Set<string>()
  const until = performance.now() + 3000
  for (let round = 0; round < 20 && (round < 5 || performance.now() < until); round++) {
    const [one, other] = [new Applied(join(folder, 'one.db')), new Applied(join(folder, 'other.db'))]
    const events = anyEvents(random)

    for (const event of events) one.group([event])
    for (let at = 0; at < events.length;) {
      const count = random.between(1, 40)
      other.group(events.slice(at, at + count))
      at += count
      if (random.chance(0.2)) other.reopen()
    }

    assert.deepEqual(other.outcomes, one.outcomes)
    one.close()
    other.close()
    const [contents, others] = [contentsOf(one.file), contentsOf(other.file)]
    assert.deepEqual(others, contents)
    // Each was accepted and is there, or was refused and is not.
    const accepted = one.outcomes.flatMap((outcome) => ('id' in outcome && !outcome.repeated ? [outcome.id] : []))
    assert.deepEqual(contents['events']!.map((row) => (row as { id: number }).id), accepted)
    for (const [at, outcome] of one.outcomes.entries()) {
      kinds.add(`${events[at]!.event.type} ${'refused' in outcome ? outcome.refused.code : outcome.repeated ? 'repeated' : 'accepted'}`)
    }
    for (const { file } of [one, other]) for (const suffix of ['', '-wal', '-shm']) rmSync(file + suffix, { force: true })
  }
  // The premise: all kinds of outcome were among them.
  for (const kind of ['delete accepted', 'delete forbidden', 'delete not_found', 'user accepted', 'user name_taken', 'room accepted', 'room room_exists', 'join accepted', 'join already_member', 'leave accepted', 'leave not_member', 'message accepted', 'message repeated', 'message key_reused', 'message not_found', 'session accepted', 'session_end accepted', 'session_end unauthorized']) {
    assert.ok(kinds.has(kind), `never ${kind}: ${[...kinds]}`)
  }
})
