// A killed server's write-ahead log, cut at any place or spoilt from there on, as a power cut may leave it. What is left must
// open as a shorter log with the data that it adds up to, and hold what was answered before the log was that long.

import { randomBytes } from 'node:crypto'
import { closeSync, mkdirSync, openSync, readFileSync, readSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { apply } from '../../lib/chat/rules/apply.ts'
import { Database } from '../../lib/store/database.ts'
import type { NewEvent } from '../../lib/store/log/event-log.ts'
import { startChat, temporaryFolder, type Scope } from '../chat-server.ts'
import { integrityOf, planted, theFirst, Writer, type Said } from './harness.ts'
import { readHistory } from './history.ts'

const writersAtOnce = 8

/** How long the write-ahead log is, since which beginning, and how much of it is in the database too and can't be lost. */
interface Length {
  salt: string
  bytes: number
  copied: number
}

interface Killed {
  database: Buffer
  log: Buffer
  length: Length
  answered: { said: Said; length: Length }[]
}

export interface CutOptions {
  posts: number
  cuts: number
  /** On how many of the cuts natter itself is started. */
  starts: number
  fault: string | undefined
  progress: (text: string) => void
}

export interface Cuts {
  faults: string[]
  /** In the whole log. */
  events: number
  /** How often a message had to be found, since it was answered before. */
  demanded: number
}

export async function cutWriteAheadLog(
  scope: Scope,
  { posts, cuts, starts, fault, progress }: CutOptions,
): Promise<Cuts> {
  const faults: string[] = []
  const folder = await temporaryFolder(scope)
  const killed = await writeAndKill(scope, join(folder, 'data'), { posts, fault })
  const whole = new Opened(join(folder, 'whole'), killed.database, killed.log)
  const log = whole.events()
  whole.close()
  const replay = new Replay(join(folder, 'replay'))
  let demanded = 0
  const { copied, bytes: end } = killed.length
  const places = Array.from({ length: cuts }, () => copied + Math.floor(Math.random() * (end - copied + 1))).sort(
    (one, other) => one - other,
  )
  for (const [number, place] of places.entries()) {
    // Half of them are cut off; of the others the system had made room already, and something else was there.
    const rest = number % 2 === 0 ? Buffer.alloc(0) : randomBytes(killed.log.length - place)
    const left = Buffer.concat([killed.log.subarray(0, place), rest])
    const cut = new Opened(join(folder, 'left'), killed.database, left)
    const wrong = cut.integrity()
    const events = cut.events()
    if (events.some((row, at) => row !== log[at])) wrong.push('its events are not the first of the log')
    else if (cut.state() !== replay.stateAfter(log.slice(0, events.length)))
      wrong.push('its data are not what its events add up to')
    const ids = new Set(events.map((row) => JSON.parse(row).id))
    const due = killed.answered.filter(({ length: { salt, bytes } }) => salt !== killed.length.salt || bytes <= place)
    const lost = due.filter(({ said }) => !ids.has(Number(said.id)))
    demanded += due.length
    if (lost.length > 0)
      wrong.push(`${lost.length} messages are gone that were answered before, first ${JSON.stringify(lost[0]!.said)}`)
    cut.close()
    if (number % Math.ceil(cuts / starts) === 0) wrong.push(...(await startOn(scope, { ...killed, log: left }, events)))
    faults.push(...wrong.map((what) => `cut at byte ${place} of ${end}: ${what}`))
    progress(`${number + 1} of ${cuts} cuts`)
  }
  replay.close()
  if (log.length < posts) faults.push(`only ${log.length} events were in the log: this has tried little`)
  return { faults: theFirst(faults), events: log.length, demanded }
}

async function writeAndKill(
  scope: Scope,
  data: string,
  { posts, fault }: { posts: number; fault: string | undefined },
): Promise<Killed> {
  const chat = await startChat(scope, { data, ...planted(fault) })
  const shared = openSync(join(data, 'natter.db-shm'), 'r')
  const answered: Killed['answered'] = []
  const enough = new Promise<void>((resolve) => {
    const onAnswer = (said: Said) => {
      answered.push({ said, length: lengthIn(shared) })
      if (answered.length === posts) resolve()
    }
    for (let number = 0; number < writersAtOnce; number++) {
      void Writer.comeIn(chat, { name: `writer${number}`, onAnswer }).then((writer) => {
        scope.after(() => writer.abandon())
        void writer.start()
      })
    }
  })
  await enough
  await chat.kill()
  const length = lengthIn(shared)
  closeSync(shared)
  return {
    database: readFileSync(join(data, 'natter.db')),
    log: readFileSync(join(data, 'natter.db-wal')),
    length,
    answered,
  }
}

// From the index that the server's connections share: https://www.sqlite.org/walformat.html#the_wal_index_file_format
// Its header is there twice, since it may be read while it is written.
function lengthIn(shared: number): Length {
  const header = Buffer.alloc(132)
  do readSync(shared, header, 0, header.length, 0)
  while (!header.subarray(0, 48).equals(header.subarray(48, 96)))
  const pageSize = header.readUInt16LE(14)
  const bytesOf = (frames: number) => (frames === 0 ? 0 : 32 + frames * (24 + pageSize))
  return {
    salt: header.toString('hex', 32, 40),
    bytes: bytesOf(header.readUInt32LE(16)),
    copied: bytesOf(header.readUInt32LE(128)),
  }
}

/** Natter itself must start on what is left, and show its messages. */
async function startOn(
  scope: Scope,
  { database, log }: Pick<Killed, 'database' | 'log'>,
  events: readonly string[],
): Promise<string[]> {
  const data = await temporaryFolder(scope)
  writeFileSync(join(data, 'natter.db'), database)
  writeFileSync(join(data, 'natter.db-wal'), log)
  const chat = await startChat(scope, { data })
  const { messages } = await readHistory(chat)
  await chat.kill()
  const due = events
    .map((row) => JSON.parse(row))
    .filter(({ type }) => type === 'message')
    .map(({ id }) => String(id))
  return messages.map(({ id }) => id).join() === due.join()
    ? []
    : [`natter shows ${messages.length} messages, and there are ${due.length}`]
}

/** A database as SQLite finds it after a crash. */
class Opened {
  #folder: string
  #connection: DatabaseSync

  constructor(folder: string, database: Buffer, log: Buffer) {
    this.#folder = folder
    mkdirSync(folder)
    writeFileSync(join(folder, 'natter.db'), database)
    writeFileSync(join(folder, 'natter.db-wal'), log)
    this.#connection = new DatabaseSync(join(folder, 'natter.db'))
  }

  integrity(): string[] {
    return integrityOf(this.#connection)
  }

  /** A line each, with their bodies. */
  events(): string[] {
    const rows = this.#connection
      .prepare(
        'select e.*, b.text, b.name, b.facts as rest from events e left join bodies b on b.event = e.id order by e.id',
      )
      .all()
    return rows.map((row) => JSON.stringify(row))
  }

  state(): string {
    return stateOf(this.#connection)
  }

  close(): void {
    this.#connection.close()
    rmSync(this.#folder, { recursive: true })
  }
}

// Every table but the log itself, and how far people have read, which the log does not say. What FTS5 keeps differs with the size of commits, so the search index is asked instead.
function stateOf(connection: DatabaseSync): string {
  const others = `type = 'table' and name not in ('events', 'reads') and name not like 'search%'`
  const tables = connection.prepare(`select name from sqlite_schema where ${others} order by name`).all()
  const rows = tables.map(({ name }) => [name, connection.prepare(`select * from ${name} order by 1, 2`).all()])
  const parts = connection.prepare('select first from search_parts').all()
  return JSON.stringify([
    rows,
    parts.map(({ first }) => connection.prepare(`select rowid, text, place from search_${first} order by rowid`).all()),
  ])
}

/** Another database, to which the same events are applied. */
class Replay {
  #database: Database
  #reading: DatabaseSync
  #count = 0
  #state: string

  constructor(folder: string) {
    mkdirSync(folder)
    this.#database = Database.openForWriting(join(folder, 'natter.db'), { durable: false })
    this.#reading = new DatabaseSync(join(folder, 'natter.db'), { readOnly: true })
    this.#state = stateOf(this.#reading)
  }

  /** What the events add up to; each call goes on where the one before ended. */
  stateAfter(events: readonly string[]): string {
    if (events.length === this.#count) return this.#state
    this.#database.begin()
    for (const row of events.slice(this.#count)) {
      const { id, facts, text, name, rest, ...columns } = JSON.parse(row)
      const given = Object.fromEntries(Object.entries(columns).filter(([, value]) => value !== null))
      const body = Object.fromEntries(
        Object.entries({ text, name, ...JSON.parse(rest ?? '{}') }).filter(([, value]) => value !== null),
      )
      // The columns are those of an event as it was appended.
      apply(
        this.#database,
        {
          ...given,
          ...(Object.keys(body).length > 0 && { body }),
          ...(facts !== null && { facts: JSON.parse(facts) }),
        } as unknown as NewEvent,
        id,
      )
    }
    this.#database.commit()
    this.#count = events.length
    return (this.#state = stateOf(this.#reading))
  }

  close(): void {
    this.#reading.close()
    this.#database.close()
  }
}
