// The search: what was said as an index of words, in parts by time, each a table of its own. Knows how a room and a person are
// written beside the words of a message, and who may not be shown what is found; what people type is none of its business.
//
// SQLite can't be interrupted from here, and FTS5 walks whole lists of words before it looks at a range of rowids (two words of
// half a million messages each that never meet: 37 ms, in any range). So a part is kept small, and between parts the clock is asked.

import type { Connection } from '../connection.ts'
import type { RoomRow } from '../tables/room-tables.ts'

const limits = {
  partCharacters: 4_000_000, // of texts in one part: some 80,000 messages, and 4 ms for the worst that can be asked of it
  searchMs: 12, // then what was found is the answer: with a last part and the way here and back, within 20 ms, and nobody's search waits longer for another's
  answerCharacters: 256 * 1024, // of texts in one answer
}

export interface SearchQuery {
  /** Words as FTS5 wants them: https://www.sqlite.org/fts5.html#full_text_query_syntax. None: whatever was said. */
  words: string
  /** The only rooms to look in: these, */
  rooms: readonly number[]
  /** in these also what its author alone is shown, */
  own?: { author: number; rooms: readonly number[] }
  /** and all that are open. */
  open: boolean
  user: number | undefined
  after: number
  before: number
  limit: number
}

/** The same, or in the rooms that somebody is in: they may be ten thousand, and are read by the thread that searches. */
export type SearchAsked = SearchQuery | (Omit<SearchQuery, 'rooms' | 'own'> & { memberIn: Member })

/** `maker` has to be in the private ones as well. */
export interface Member {
  user: number
  maker: number
}

export interface SearchFound {
  /** Newest first. In `marked` what was found stands between \x02 and \x03. */
  found: { id: number; marked: string }[]
  /** There may be more, all of it before this id. */
  before: number | undefined
}

export class SearchTables {
  readonly #connection: Connection
  /** The part that this transaction adds to, and how much is in it by now. */
  #growing: { first: number; characters: number } | undefined

  constructor(connection: Connection) {
    this.#connection = connection
  }

  /** Ids must come in their order. Before the commit `keepSize` has to be called, or if there is none `forgetSize`. */
  insert(
    id: number,
    text: string,
    {
      room,
      user,
      kind,
      unseen = false,
    }: {
      room: number
      user: number
      kind: RoomRow['kind']
      /** By all but its author. */
      unseen?: boolean
    },
  ): void {
    const part = this.#partFor(id)
    const place = `${unseen ? authorsWord(room, user) : roomWord(room)} ${userWord(user)}${kind === 'open' ? ' open' : ''}`
    this.#connection.run(`insert into search_${part.first} (rowid, text, place) values (?, ?, ?)`, id, text, place)
    part.characters += text.length
  }

  /** Once a transaction and not with each message, which takes 3 µs off it. */
  keepSize(): void {
    if (this.#growing)
      this.#connection.run(
        'update search_parts set characters = ? where first = ?',
        this.#growing.characters,
        this.#growing.first,
      )
    this.#growing = undefined
  }

  forgetSize(): void {
    this.#growing = undefined
  }

  /** Writes over what was said: see `emptyBody`. */
  empty(id: number): void {
    const part = this.#connection.get<{ first: number }>(
      'select first from search_parts where first <= ? order by first desc limit 1',
      id,
    )
    const indexed =
      part &&
      this.#connection.get<{ bytes: number }>(
        `select octet_length(text) as bytes from search_${part.first} where rowid = ?`,
        id,
      )
    if (indexed)
      this.#connection.run(`update search_${part.first} set text = ? where rowid = ?`, '\x01'.repeat(indexed.bytes), id)
  }

  /** Up to version 3 all was one table, without `open`. Does nothing where that is gone. */
  takeOver(): void {
    if (!this.#connection.get("select 1 from sqlite_schema where name = 'search'")) return
    this.#connection.execute('begin immediate')
    const all =
      'select s.rowid as id, s.text, e.room, e.user, r.kind from search s join events e on e.id = s.rowid join rooms r on r.id = e.room order by s.rowid'
    for (const { id, text, ...place } of this.#connection.iterate<{
      id: number
      text: string
      room: number
      user: number
      kind: RoomRow['kind']
    }>(all))
      this.insert(id, text, place)
    this.keepSize()
    this.#connection.execute('drop table search; commit')
  }

  /** How many messages are in it. */
  count(): number {
    return this.#parts(Infinity).reduce(
      (sum, first) =>
        sum + this.#connection.get<{ count: number }>(`select count(*) as count from search_${first}`)!.count,
      0,
    )
  }

  /** Looks back in time until there are enough, or the time is over. */
  find({ words, rooms, own, open, user, after, before, limit }: SearchQuery): SearchFound {
    const began = performance.now()
    const isLate = () => performance.now() - began > limits.searchMs
    // No message is in a place called nowhere, and without any place the rest would be sought everywhere.
    const places = [
      open ? 'open' : 'nowhere',
      ...rooms.map(roomWord),
      ...(own?.rooms.map((room) => authorsWord(room, own.author)) ?? []),
    ]
    const text = words && `text : (${words})`
    const match = [`place : ${anyOf(places)}`, user && `place : ${userWord(user)}`, text].filter(Boolean).join(' AND ')
    const found: SearchFound['found'] = []
    let characters = 0
    let end = before // of a part: where the one after it begins
    for (const first of this.#parts(before)) {
      if (end <= after + 1) break
      if (end < before && isLate()) return { found, before: end }
      const table = `search_${first}`
      end = first
      // Each room is a word to look up as well (a thousand: 3 ms), and of a rare word most parts have none anyway.
      if (
        text &&
        !this.#connection.get(
          `select 1 from ${table} where ${table} match ? and rowid < cast(? as integer) limit 1`,
          text,
          before,
        )
      )
        continue
      // Node binds any number as a real, and FTS5 begins at a bound only if it is an integer: 0.1 ms instead of 4, deep in a part.
      const newestFirst = `select rowid as id, highlight(${table}, 0, char(2), char(3)) as marked from ${table} where ${table} match ? and rowid < cast(? as integer) and rowid > cast(? as integer) order by rowid desc`
      for (const message of this.#connection.iterate<SearchFound['found'][0]>(newestFirst, match, before, after)) {
        const enough = found.length >= limit || characters + message.marked.length > limits.answerCharacters || isLate()
        // The first is taken however late it is: whoever goes on from here must get ahead.
        if (enough && found.length > 0) return { found, before: found.at(-1)!.id }
        found.push(message)
        characters += message.marked.length
      }
    }
    return { found, before: undefined }
  }

  /** The first ids of all parts that begin before an id, newest first. */
  #parts(before: number): number[] {
    return this.#connection
      .all<{ first: number }>('select first from search_parts where first < ? order by first desc', before)
      .map(({ first }) => first)
  }

  #partFor(id: number): { first: number; characters: number } {
    const newest = (this.#growing ??= this.#connection.get<{ first: number; characters: number }>(
      'select first, characters from search_parts order by first desc limit 1',
    )!)
    if (newest.characters < limits.partCharacters) return newest
    this.keepSize()
    // What will hardly change any more is brought into one piece: 90 ms once, and a room is looked up in a fifth of the time.
    this.#connection.execute(`insert into search_${newest.first} (search_${newest.first}) values ('optimize')`)
    // Its content is a copy of its own, so that secure-delete can take a word out of it again. Nothing is ranked, so it counts no words.
    // Its pieces are merged by sixteen and not by four: so each is written over less often, and a post takes 8 µs less.
    this.#connection.execute(`
      create virtual table search_${id} using fts5 (text, place, tokenize = "unicode61 remove_diacritics 2", columnsize = 0);
      insert into search_${id} (search_${id}, rank) values ('secure-delete', 1);
      insert into search_${id} (search_${id}, rank) values ('automerge', 16)`)
    this.#connection.run('insert into search_parts (first, characters) values (?, 0)', id)
    return (this.#growing = { first: id, characters: 0 })
  }
}

// In groups: to a list of ten thousand that grows by one FTS5 takes 250 ms, and to this 26.
function anyOf(words: readonly string[]): string {
  const groups = Array.from(
    { length: Math.ceil(words.length / 30) },
    (_, at) => `(${words.slice(at * 30, at * 30 + 30).join(' OR ')})`,
  )
  return `(${groups.join(' OR ')})`
}

// As BigInts they take a third of the time: see `userId` in wire.ts.
const roomWord = (room: number) => `r${BigInt(room).toString(36)}`
const userWord = (user: number) => `u${BigInt(user).toString(36)}`
const authorsWord = (room: number, author: number) => `a${BigInt(room).toString(36)}x${BigInt(author).toString(36)}`
