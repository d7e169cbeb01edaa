// The tables of what is done with messages: edits, reactions, mentions, and how far people have read. One prepared statement for
// each thing that is done with them; no rules.

import type { Connection } from './connection.ts'
import type { ReadMark } from './event-log.ts'

export interface ReactionRow {
  message: number
  emoji: string
  user: number
  /** Who is not shown it. */
  unseen: number | null
}

/** What is counted: `limit` at the most, among the `looked` newest. */
interface Unread {
  user: number
  room: number
  after: number
  upTo: number
  limit: number
  looked: number
}

export type TalkTables = ReturnType<typeof talkTables>

export function talkTables(connection: Connection) {
  return {
    /** The edit that a message has its text from. */
    editOf: (message: number) => connection.get<{ event: number }>('select event from edits where message = ?', message)?.event,

    setEdit: (message: number, event: number) =>
      connection.run('insert into edits (message, event) values (?, ?) on conflict (message) do update set event = excluded.event', message, event),

    // Reactions. An emoji is known by the event whose body has it: the first reaction to the message with it.

    /** Its number among those that a message was ever reacted to with. It is for who reads: rules look at no body. */
    emojiNumber: (message: number, emoji: string) => connection.get<{ number: number }>(
      'select e.number from emojis e join bodies b on b.event = e.event where e.message = ? and b.facts = ?', message, JSON.stringify({ emoji }))?.number,

    /** How many a message was ever reacted to with. */
    emojisEver: (message: number) => connection.get<{ number: number | null }>('select max(number) as number from emojis where message = ?', message)!.number ?? 0,

    emojiEvent: (message: number, number: number) => connection.get<{ event: number }>('select event from emojis where message = ? and number = ?', message, number)?.event,

    emojiEvents: (message: number) => connection.all<{ event: number }>('select event from emojis where message = ?', message).map(({ event }) => event),

    insertEmoji: (message: number, number: number, event: number) => connection.run('insert into emojis (message, number, event) values (?, ?, ?)', message, number, event),

    reaction: (message: number, emoji: number, user: number) =>
      connection.get<{ unseen: number | null }>('select unseen from reactions where message = ? and emoji = ? and user = ?', message, emoji, user),

    /** How many different ones a message has. */
    emojiCount: (message: number) => connection.get<{ count: number }>('select count(distinct emoji) as count from reactions where message = ?', message)!.count,

    hasEmoji: (message: number, emoji: number) => connection.get('select 1 from reactions where message = ? and emoji = ? limit 1', message, emoji) !== undefined,

    // From the messages on: between two of a quiet room there may be a million reactions in others.
    /** In the order in which they came. */
    reactionsTo: (messages: readonly number[]) =>
      connection.all<ReactionRow>(
        `select r.message, b.facts ->> '$.emoji' as emoji, r.user, r.unseen from json_each(?) j cross join reactions r on r.message = j.value join bodies b on b.event = r.emoji order by r.event`,
        JSON.stringify(messages),
      ),

    insertReaction: ({ message, emoji, user, unseen }: Omit<ReactionRow, 'emoji'> & { emoji: number }, event: number) =>
      connection.run('insert into reactions (message, emoji, user, event, unseen) values (?, ?, ?, ?, ?)', message, emoji, user, event, unseen),

    deleteReaction: (message: number, emoji: number, user: number) =>
      connection.run('delete from reactions where message = ? and emoji = ? and user = ?', message, emoji, user),

    // Mentions; user 0 is everyone

    setMentions({ message, room, author }: { message: number; room: number; author: number }, users: readonly number[]): void {
      connection.run('delete from mentions where message = ?', message)
      for (const user of users) connection.run('insert or ignore into mentions (user, room, message, author) values (?, ?, ?, ?)', user, room, message, author)
    },

    deleteAround(message: number): void {
      connection.run('delete from mentions where message = ?', message)
      connection.run('delete from reactions where message = ?', message)
      connection.run('delete from emojis where message = ?', message)
    },

    // What is read

    readUpTo: (user: number, room: number) => connection.get<{ event: number }>('select event from reads where user = ? and room = ?', user, room)?.event,

    noteRead: ({ user, room, event }: ReadMark) =>
      connection.run('insert into reads (user, room, event) values (?, ?, ?) on conflict (user, room) do update set event = max(event, excluded.event)', user, room, event),

    /** Others' messages after an event and up to another, counted up to a limit, among so many of the newest. */
    unread: ({ user, room, after, upTo, limit, looked }: Unread) => connection.get<{ count: number }>(
      `select count(*) as count from (
         select 1 from (select id, user from events where room = ? and type = 'message' and id > ? and id <= ? order by id desc limit ?) m
         where user <> ? and not exists (select 1 from deletions where message = m.id) limit ?)`,
      room, after, upTo, looked, user, limit,
    )!.count,

    /** Those of them that name the user, or everyone: but by whom they block now, or did when it was said. */
    unreadMentions({ user, room, after, upTo, limit, looked }: Unread): number {
      const newest = `select message from (
        select message, author from mentions where user = ? and room = ? and message > ? and message <= ? order by message desc limit ?) m
        where author <> ? and not exists (
          select 1 from blocks b where b.user = ? and b.target = m.author and (b.until is null or (m.message > b.since and m.message < b.until)))`
      const values = [room, after, upTo, looked, user, user]
      return connection.get<{ count: number }>(`select count(*) as count from (${newest} union ${newest} limit ?)`, user, ...values, 0, ...values, limit)!.count
    },
  }
}
