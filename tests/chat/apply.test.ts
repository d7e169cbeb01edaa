// The same events give the same data, wherever and in whatever groups they are applied.

import assert from 'node:assert/strict'
import { mkdirSync, rmSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { apply } from '../../lib/chat/rules/apply.ts'
import { rules } from '../../lib/store/log/log-events.ts'
import { slugOfTwo } from '../../lib/chat/rooms/direct.ts'
import { foldName } from '../../lib/chat/people/names.ts'
import { checkDataFolder } from '../../lib/store/check.ts'
import { Database } from '../../lib/store/database.ts'
import type { NewEvent, Outcome } from '../../lib/store/log/event-log.ts'
import { temporaryFolder } from '../chat-server.ts'
import { property, type Random } from '../random.ts'

const words = [
  'hello',
  'Hej',
  '北京',
  'ไทย',
  'é',
  '京',
  'a-b',
  'x'.repeat(300),
  '',
  '😀',
  "'; drop table events; --",
  'NEAR("a" b)',
]
const names = ['ada', 'Ada', 'bob', 'eve', 'ÉLAN', '京', '__proto__', 'rob', 'kim', 'max', 'zoe', 'ivy']
const emojis = ['👍', '❤️', ...Array.from({ length: 60 }, (_, at) => String.fromCodePoint(0x1f600 + at))]
const naming = (name: string) => ({ facts: { folded: foldName(name) }, body: { name } })
const month = 31 * 24 * 3600e6

interface Asked {
  event: NewEvent
  id: number
}

// Events as the operations make them and as they would not: whom, where and what they are about is there, or was, or never was.
function anyEvents(random: Random): Asked[] {
  const asked: Asked[] = []
  let id = 1_795_219_200_000_000
  const anyId = () => (asked.length > 0 && random.chance(0.95) ? random.pick(asked).id : random.below(100))
  const ofType = (...types: string[]) => {
    const some = asked.filter(({ event }) => types.includes(event.type))
    return some.length > 0 && random.chance(0.95) ? random.pick(some).id : anyId()
  }
  const user = () => (random.chance(0.3) ? owner() : ofType('user', 'hosted', 'token'))
  // Those who were the first to come may do the most.
  const owner = () => asked.find(({ event }) => event.type === 'user')?.id ?? anyId()
  const room = () => ofType('room')
  const hashes = { session: ['none'], invite: ['none'], token: ['none'] }
  // Of each secret there is one: it is random.
  const hash = (of: keyof typeof hashes) => hashes[of][hashes[of].push(`${of} ${hashes[of].length}`) - 1]!
  const known = (of: keyof typeof hashes) => random.pick(hashes[of].slice(random.chance(0.5) ? -3 : 0))
  const maybe = <T>(probability: number, make: () => T) =>
    random.chance(probability) ? make() : ({} as Record<string, never>)
  const about = (type: string, event: Omit<NewEvent, 'type' | 'rules'>): NewEvent => ({
    type,
    rules: random.pick([1, 2, 3]),
    ...event,
  })

  // Of a message, as a rule in its room and by who wrote it.
  const written = (byAuthor = 0.7) => {
    const all = asked.filter(({ event }) => event.type === 'message')
    const one = all.length > 0 && random.chance(0.9) ? random.pick(all) : undefined
    return {
      user: (random.chance(byAuthor) ? one?.event.user : user()) ?? anyId(),
      room: one?.event.room ?? anyId(),
      target: one?.id ?? anyId(),
    }
  }
  // What one of the newest bans may do away with, as a rule in the name of whoever asked for it.
  const cleanup = () => {
    const { event, id } =
      random.pick(
        asked
          .filter(
            ({ event }) =>
              event.type === 'ban' && event.facts!['banned'] && (event.facts!['rooms'] || event.facts!['messages']),
          )
          .slice(-3),
      ) ?? {}
    return {
      user: (random.chance(0.9) ? event?.user : undefined) ?? user(),
      target: event?.target ?? user(),
      facts: { ban: id ?? anyId() },
    }
  }
  const two = () => {
    const rooms = asked.filter(({ event }) => event.facts?.['pair'])
    if (rooms.length === 0) return { room: anyId(), one: anyId(), other: anyId() }
    const { event, id } = random.pick(rooms)
    const [one, other] = event.facts!['pair'] as [number, number]
    return { room: id, one, other }
  }
  const mentions = () =>
    maybe(0.5, () => ({
      ...maybe(0.7, () => ({ mentions: random.times(3, user) })),
      ...maybe(0.3, () => ({ everyone: true })),
    }))
  const named = () => naming(random.pick(names))
  // As the operations count them, which see what was accepted; here most of what is asked was.
  const emojisOf = new Map<number, number>()
  const reaction = (about: { user: number; room: number; target: number }, on: boolean) => {
    const ever = emojisOf.get(about.target) ?? 0
    const isNew = on && random.chance(ever < 25 ? 0.6 : 0.1)
    const late = isNew && random.chance(0.2)
    if (isNew && !late) emojisOf.set(about.target, ever + 1)
    const emoji = isNew ? ever + (late ? 2 : 1) : random.between(1, Math.max(1, ever))
    return {
      ...about,
      facts: { emoji, on, ...(isNew && { new: true }) },
      ...(isNew && { body: { emoji: random.pick(emojis) } }),
    }
  }

  const make: [number, () => NewEvent][] = [
    [
      4,
      () => {
        const kind = random.pick(['guest', 'unproven', 'account'])
        const role = kind === 'account' ? random.pick(['member', 'member', 'admin']) : 'guest'
        const { facts, body } = named()
        return about('user', {
          facts: {
            ...facts,
            kind,
            role,
            ...(kind !== 'unproven' && { session: hash('session') }),
            ...maybe(0.3, () => ({ invite: known('invite') })),
          },
          body: { ...body, ...(kind === 'account' && { text: 'scrypt' }) },
        })
      },
    ],
    [
      2,
      () => {
        const { facts, body } = named()
        const role = maybe(0.6, () => ({ role: random.pick(['guest', 'member', 'admin']) }))
        return about('account', {
          user: user(),
          facts: { ...facts, session: hash('session'), ...role, ...maybe(0.5, () => ({ invite: known('invite') })) },
          body: { ...body, text: 'scrypt' },
        })
      },
    ],
    [2, () => about('rename', { user: user(), ...named() })],
    [
      1,
      () =>
        about('password', {
          user: user(),
          facts: maybe(0.5, () => ({ session: known('session') })),
          body: { text: 'scrypt again' },
        }),
    ],
    [
      2,
      () =>
        about('role', {
          user: user(),
          target: user(),
          facts: { role: random.pick(['owner', 'admin', 'member', 'guest']) },
        }),
    ],
    [
      2,
      () =>
        about('ban', {
          user: user(),
          target: user(),
          facts: {
            banned: random.chance(0.4),
            ...maybe(0.3, () => ({ rooms: true })),
            ...maybe(0.3, () => ({ messages: true })),
          },
        }),
    ],
    [2, () => (({ user: _, ...event }) => about('cleanup_end', event))(cleanup())],
    [
      1,
      () => {
        const { facts, body } = named()
        return about('hosted', {
          facts: { outside: random.pick(['1', '2', '3']), ...facts, role: random.pick(['owner', 'member', 'guest']) },
          body,
        })
      },
    ],
    [
      1,
      () => {
        // Somebody's first password is of the event that made them.
        const one = user()
        return about('session_start', {
          user: one,
          facts: { hash: hash('session'), ...maybe(0.5, () => ({ password: random.chance(0.7) ? one : anyId() })) },
        })
      },
    ],
    [1, () => about('session', { user: user(), facts: { hash: known('session') } })],
    [
      1,
      () =>
        about('session_end', { user: user(), facts: random.chance(0.2) ? { all: true } : { hash: known('session') } }),
    ],
    [
      3,
      () =>
        about('invite', {
          user: user(),
          ...maybe(0.6, () => ({ room: room() })),
          facts: {
            hash: hash('invite'),
            role: random.pick(['guest', 'guest', 'member', 'admin']),
            uses: random.between(1, 3),
            expires: id + random.pick([1e6, month, 13 * month]),
          },
        }),
    ],
    [1, () => about('invite_end', { ...maybe(0.8, () => ({ user: user() })), target: ofType('invite') })],
    [3, () => about('accept', { user: user(), facts: { invite: known('invite') } })],
    [
      2,
      () => {
        const { facts, body } = named()
        return about('token', {
          user: user(),
          facts: {
            hash: hash('token'),
            ...facts,
            scopes: random.pick(['read', 'read write']),
            ...maybe(0.5, () => ({ rooms: [room()] })),
            ...maybe(0.3, () => ({ expires: id + 1e6 })),
          },
          body,
        })
      },
    ],
    [1, () => about('token_end', { user: user(), target: ofType('token') })],
    [
      3,
      () => {
        const kind = random.pick(['open', 'private', 'private', 'direct'])
        const [one, other] = [user(), user()]
        return about('room', {
          ...maybe(0.8, () => ({ user: one })),
          facts: {
            slug:
              kind === 'direct' && one !== other ? slugOfTwo(one, other) : `${random.pick(names)} ${random.below(4)}`,
            kind,
            ...(kind === 'direct' && { pair: [one, other].sort() }),
          },
          body: { ...(kind !== 'direct' && { name: random.pick(names) }), ...maybe(0.3, () => ({ topic: 'topic' })) },
        })
      },
    ],
    [
      2,
      () => {
        const body = { ...maybe(0.5, () => ({ name: 'new name' })), ...maybe(0.5, () => ({ topic: 'new topic' })) }
        return about('room_change', {
          user: user(),
          room: room(),
          facts: {
            ...('name' in body && { name: true }),
            ...('topic' in body && { topic: true }),
            ...maybe(0.3, () => ({ archived: random.chance(0.3) })),
          },
          body,
        })
      },
    ],
    [
      7,
      () =>
        about('join', {
          user: user(),
          room: room(),
          ...maybe(0.6, () => ({
            facts: {
              ...maybe(0.5, () => ({ by: user() })),
              ...maybe(0.4, () => ({ role: random.pick(['owner', 'member']) })),
              ...maybe(0.3, () => ({ invite: known('invite') })),
            },
          })),
        }),
    ],
    // As they come with what they belong to: somebody's or a room's first.
    [
      3,
      () =>
        about('join', {
          ...(random.chance(0.5) ? { user: asked.at(-1)?.event.user ?? user() } : {}),
          ...maybe(0.3, () => ({ room: room() })),
          facts: {
            slug: String(asked.at(-1)?.event.facts?.['slug']),
            proof: random.chance(0.5) ? known('session') : known('token'),
            ...maybe(0.5, () => ({ role: 'owner' })),
          },
        }),
    ],
    [1, () => about('block', { user: user(), target: user(), facts: { on: random.chance(0.7) } })],
    // Two with a room of their own.
    [
      4,
      () => {
        const { room, one, other } = two()
        const [user, target] = random.chance(0.5) ? [one, other] : [other, one]
        return random.pick([
          () => about('block', { user, target: random.chance(0.9) ? target : user, facts: { on: random.chance(0.7) } }),
          () =>
            about('join', {
              user,
              room,
              ...maybe(0.4, () => ({ facts: { by: target, ...maybe(0.7, () => ({ again: true })) } })),
            }),
          () => about('message', { user, room, body: { text: 'hello' } }),
        ])()
      },
    ],
    [3, () => about('leave', { user: user(), room: room(), ...maybe(0.4, () => ({ facts: { by: user() } })) })],
    [5, () => about('delete', written())],
    [
      2,
      () => {
        const { target: author, user, facts } = cleanup()
        const one = asked.find(({ event }) => event.type === 'message' && event.user === author)
        return about('delete', { user, room: one?.event.room ?? anyId(), target: one?.id ?? anyId(), facts })
      },
    ],
    [
      2,
      () => {
        const { target: maker, user, facts } = cleanup()
        return about('room_change', {
          user,
          room: asked.find(({ event }) => event.type === 'room' && event.user === maker)?.id ?? anyId(),
          facts: { archived: true, ...facts },
        })
      },
    ],
    [
      7,
      () =>
        about('edit', {
          ...written(),
          body: { text: random.times(5, () => random.pick(words)).join(' '), ...mentions() },
        }),
    ],
    [7, () => about('reaction', reaction(written(0.2), random.chance(0.7)))],
    // On the first message, until there is no room for more.
    [8, () => about('reaction', reaction(firstMessage, random.chance(0.95)))],
    [
      9,
      () =>
        about('message', {
          user: user(),
          room: room(),
          body: { text: random.times(5, () => random.pick(words)).join(' '), ...mentions() },
          ...maybe(0.3, () => ({ target: ofType('message') })),
          ...maybe(0.3, () => ({ key: `k${random.below(5)}`, print: `p${random.below(2)}` })),
        }),
    ],
  ]
  // The first owner comes as the first owner does.
  const first = hash('invite')
  asked.push({ event: { type: 'log', rules, facts: { id: 'abc', secret: 'a secret' } }, id: id++ })
  asked.push({
    event: { type: 'invite', rules, facts: { hash: first, role: 'owner', uses: 1, expires: id + month } },
    id: id++,
  })
  asked.push({
    event: {
      type: 'user',
      rules,
      facts: { folded: 'olga', kind: 'account', role: 'owner', session: hash('session'), invite: first },
      body: { name: 'olga', text: 'scrypt' },
    },
    id: id++,
  })
  const [olga, firstRoom] = [id - 1, id++]
  asked.push({
    event: { type: 'room', rules, user: olga, facts: { slug: 'first', kind: 'open' }, body: { name: 'first' } },
    id: firstRoom,
  })
  const firstMessage = { user: olga, room: firstRoom, target: id++ }
  asked.push({
    event: { type: 'message', rules, user: olga, room: firstRoom, body: { text: 'hello' } },
    id: firstMessage.target,
  })
  const choices = make.flatMap(([weight, one]) => Array<() => NewEvent>(weight).fill(one))
  for (let count = 400; count > 0; count--) {
    // Sometimes so late that guests have lost their names.
    id += random.chance(0.01) ? month : random.between(1, 1e6)
    asked.push({ event: random.pick(choices)(), id })
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
    const tables = database
      .prepare("select name from sqlite_schema where type = 'table' and name not like 'search_%' order by name")
      .all() as { name: string }[]
    const rows = tables.map(({ name }) => [name, database.prepare(`select * from ${name} order by 1, 2`).all()])
    const parts = database.prepare('select * from search_parts').all() as { first: number }[]
    const found = parts.flatMap(({ first }) => {
      const find = database.prepare(`select rowid from search_${first} where search_${first} match ? order by rowid`)
      const words = ['hello', '北', 'hej', 'ไ', 'e', 'xxx*'].map((word) => [
        `search for ${word}`,
        find.all(`"${word.replace('*', '')}"${word.endsWith('*') ? '*' : ''}`),
      ])
      return [['search', database.prepare(`select rowid, * from search_${first} order by 1`).all()], ...words]
    })
    return Object.fromEntries([...rows, ['parts', parts], ...found])
  } finally {
    database.close()
  }
}

/** Of what was edited or deleted nothing is left, and what hangs on a message hangs on one that is there. */
function whatIsSaidHolds(contents: Record<string, unknown[]>): void {
  const rowsOf = <Row>(table: string) => contents[table] as Row[]
  const deleted = new Set(rowsOf<{ message: number }>('deletions').map(({ message }) => message))
  const newest = new Map(
    rowsOf<{ message: number; event: number }>('edits').map(({ message, event }) => [message, event]),
  )
  const events = rowsOf<{ id: number; type: string; target: number | null }>('events')
  const kept = new Set(
    events.flatMap(({ id, type, target }) => {
      if (type === 'message') return deleted.has(id) || newest.has(id) ? [] : [id]
      return type === 'edit' && !deleted.has(target!) && newest.get(target!) === id ? [id] : []
    }),
  )
  const said = new Set(events.filter(({ type }) => type === 'message' || type === 'edit').map(({ id }) => id))
  for (const { event, text } of rowsOf<{ event: number; text: string }>('bodies'))
    if (said.has(event) && text !== '') assert.equal(/^\x01+$/.test(text), !kept.has(event), `event ${event}`)
  for (const { rowid, text } of rowsOf<{ rowid: number; text: string }>('search'))
    if (text !== '') assert.equal(/^\x01+$/.test(text), !kept.has(rowid), `searched ${rowid}`)
  const emojis = new Map<number, Set<string>>()
  for (const { message, emoji } of rowsOf<{ message: number; emoji: string }>('reactions')) {
    assert.ok(!deleted.has(message))
    emojis.set(message, new Set(emojis.get(message)).add(emoji))
  }
  for (const { size } of emojis.values()) assert.ok(size <= 20)
  for (const { message } of rowsOf<{ message: number }>('mentions')) assert.ok(!deleted.has(message))
}

/** What must have come up of each type: beside being accepted. */
const refusals: Record<string, string[]> = {
  user: ['name_taken', 'invite_over', 'forbidden', 'not_found', 'invalid_password'],
  account: ['name_taken', 'account_exists', 'invite_over', 'banned', 'forbidden', 'invalid_request'],
  rename: ['name_taken', 'forbidden', 'banned'],
  password: ['forbidden', 'banned'],
  role: ['forbidden', 'banned'],
  ban: ['forbidden', 'banned', 'not_found'],
  hosted: [],
  session_start: ['unauthorized', 'banned'],
  session: ['unauthorized', 'banned'],
  session_end: ['unauthorized'],
  invite: ['forbidden', 'banned', 'not_found', 'invalid_request'],
  invite_end: ['not_found'],
  accept: ['invite_over', 'not_found', 'invalid_password', 'forbidden', 'banned'],
  token: ['forbidden', 'name_taken', 'banned'],
  token_end: ['not_found'],
  room: ['room_exists', 'forbidden', 'banned'],
  room_change: ['forbidden', 'not_found', 'banned'],
  join: ['already_member', 'not_found', 'forbidden', 'archived', 'banned'],
  leave: ['not_member', 'not_found', 'forbidden'],
  message: ['repeated', 'key_reused', 'not_found', 'archived', 'banned'],
  edit: ['forbidden', 'not_found', 'archived', 'banned'],
  delete: ['forbidden', 'not_found', 'banned'],
  cleanup_end: ['unchanged'],
  block: ['unchanged', 'not_found', 'forbidden', 'invalid_request', 'banned'],
  reaction: ['unchanged', 'outrun', 'forbidden', 'not_found', 'archived', 'banned'],
}

property(
  'the same events on two empty databases give equal databases and equal outcomes, and their log adds up to them',
  async (random, t) => {
    const folder = await temporaryFolder(t)
    const kinds = new Set<string>()
    const until = performance.now() + 3000
    const someUnseen = 'said to who had blocked its author'
    const wanted = [
      someUnseen,
      ...Object.entries(refusals).flatMap(([type, codes]) => ['accepted', ...codes].map((code) => `${type} ${code}`)),
    ]
    const complete = () => wanted.every((kind) => kinds.has(kind))
    for (let round = 0; performance.now() < until || (round < 300 && !complete()); round++) {
      const files = ['one', 'other'].map((name) => join(folder, name, 'natter.db')) as [string, string]
      for (const file of files) mkdirSync(dirname(file))
      const [one, other] = [new Applied(files[0]), new Applied(files[1])]
      const events = anyEvents(random)

      for (const event of events) one.group([event])
      for (let at = 0; at < events.length; ) {
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
      whatIsSaidHolds(contents)
      if (contents['unseen']!.length > 0) kinds.add(someUnseen)
      // Each was accepted and is there, or was refused and is not.
      const accepted = one.outcomes.flatMap((outcome) => ('id' in outcome && !outcome.repeated ? [outcome.id] : []))
      assert.deepEqual(
        contents['events']!.map((row) => (row as { id: number }).id),
        accepted,
      )
      // What was written into the log is enough to do it all again.
      assert.deepEqual(checkDataFolder(dirname(one.file), apply).faults, [])
      for (const [at, outcome] of one.outcomes.entries()) {
        kinds.add(
          `${events[at]!.event.type} ${'refused' in outcome ? outcome.refused.code : outcome.repeated ? 'repeated' : 'accepted'}`,
        )
      }
      for (const file of files) rmSync(dirname(file), { recursive: true })
    }
    // The premise: all kinds of outcome were among them.
    assert.deepEqual(
      wanted.filter((kind) => !kinds.has(kind)),
      [],
      `never; there were ${[...kinds].sort()}`,
    )
  },
)
