// The tables of what is done with messages: edits, reactions, mentions, and how far people have read. One prepared statement for
// each thing that is done with them; no rules.

import type { Connection } from './connection.ts'
import type { ReadMark } from './event-log.ts'

export interface ReactionRow {
  message: number
  emoji: string
  user: number
}

export class TalkTables {
  readonly #connection: Connection

  constructor(connection: Connection) {
    this.#connection = connection
  }

  /** The edit that a message has its text from. */
  editOf(message: number): number | undefined {
    return this.#connection.get<{ event: number }>('select event from edits where message = ?', message)?.event
  }

  setEdit(message: number, event: number): void {
    this.#connection.run('insert into edits (message, event) values (?, ?) on conflict (message) do update set event = excluded.event', message, event)
  }

  // Reactions

  hasReaction(message: number, emoji: string, user: number): boolean {
    return this.#connection.get('select 1 from reactions where message = ? and emoji = ? and user = ?', message, emoji, user) !== undefined
  }

  /** How many different ones a message has. */
  emojiCount(message: number): number {
    return this.#connection.get<{ count: number }>('select count(distinct emoji) as count from reactions where message = ?', message)!.count
  }

  hasEmoji(message: number, emoji: string): boolean {
    return this.#connection.get('select 1 from reactions where message = ? and emoji = ? limit 1', message, emoji) !== undefined
  }

  /** In the order in which they came. */
  reactionsTo(messages: readonly number[]): ReactionRow[] {
    // From the messages on: between two of a quiet room there may be a million reactions in others.
    return this.#connection.all(
      'select t.message, t.emoji, t.user from json_each(?) j cross join reactions t on t.message = j.value order by t.event',
      JSON.stringify(messages),
    )
  }

  insertReaction(message: number, emoji: string, user: number, event: number): void {
    this.#connection.run('insert into reactions (message, emoji, user, event) values (?, ?, ?, ?)', message, emoji, user, event)
  }

  deleteReaction(message: number, emoji: string, user: number): void {
    this.#connection.run('delete from reactions where message = ? and emoji = ? and user = ?', message, emoji, user)
  }

  // Mentions; user 0 is everyone

  setMentions(message: number, room: number, users: readonly number[]): void {
    this.#connection.run('delete from mentions where message = ?', message)
    for (const user of users) this.#connection.run('insert or ignore into mentions (user, room, message) values (?, ?, ?)', user, room, message)
  }

  deleteAround(message: number): void {
    this.#connection.run('delete from mentions where message = ?', message)
    this.#connection.run('delete from reactions where message = ?', message)
  }

  // What is read

  readUpTo(user: number, room: number): number | undefined {
    return this.#connection.get<{ event: number }>('select event from reads where user = ? and room = ?', user, room)?.event
  }

  noteRead({ user, room, event }: ReadMark): void {
    this.#connection.run('insert into reads (user, room, event) values (?, ?, ?) on conflict (user, room) do update set event = max(event, excluded.event)', user, room, event)
  }

  /** Others' messages after an event, counted up to a limit. */
  unread(user: number, room: number, after: number, limit: number): number {
    return this.#connection.get<{ count: number }>(
      `select count(*) as count from (
         select 1 from events e where room = ? and type = 'message' and id > ? and user <> ? and not exists (select 1 from deletions where message = e.id) limit ?)`,
      room, after, user, limit,
    )!.count
  }

  /** Those of them that name the user, or everyone. */
  unreadMentions(user: number, room: number, after: number, limit: number): number {
    return this.#connection.get<{ count: number }>(
      `select count(*) as count from (
         select distinct m.message from mentions m join events e on e.id = m.message where m.user in (?1, 0) and m.room = ?2 and m.message > ?3 and e.user <> ?1 limit ?4)`,
      user, room, after, limit,
    )!.count
  }
}
