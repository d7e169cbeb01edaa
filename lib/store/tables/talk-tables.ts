// The tables of what is done with messages: edits, reactions, mentions, and how far people have read. One prepared statement for
// each thing that is done with them; no rules.

import type { Connection } from '../connection.ts'
import { typesInSql } from '../log/event-types.ts'
import type { ReadMark } from '../log/event-log.ts'

/** Somebody's reaction to a message. */
export interface ReactionRow {
  message: number
  /** The event whose body has the emoji. */
  emoji: number
  user: number
  /** Who is not shown it. */
  unseen: number | null
}

/** One of the emojis that somebody reacts to a message with. */
export interface EmojiRow {
  message: number
  /** Its number among those that the message was ever reacted to with, and the event whose body has it. */
  number: number
  event: number
  emoji: string
  /** How many do. */
  count: number
}

/** The same, as a page shows it. */
export interface ReactionsRow extends EmojiRow {
  /** 1 if the reader is one of them. */
  me: number
  /** The ids of the first few of them, as JSON. */
  first: string
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

const types = {
  seen: typesInSql(({ frame }) => frame !== null),
  needTarget: typesInSql(({ needsTarget }) => needsTarget === true),
  own: typesInSql(({ own }) => own === true),
  ofUsers: typesInSql(({ frame }) => frame === 'user'),
  ofRooms: typesInSql(({ frame }) => frame === 'room'),
}

export function talkTables(connection: Connection) {
  return {
    /** The message in a room that is so many before or after an id, be they deleted or not: nobody looks further in one go. */
    messageEdge: (room: number, id: number, { older, looked }: { older: boolean; looked: number }) =>
      connection.get<{ id: number }>(
        older
          ? "select id from events where room = ? and type = 'message' and id < ? order by id desc limit 1 offset ?"
          : "select id from events where room = ? and type = 'message' and id > ? order by id limit 1 offset ?",
        room,
        id,
        looked - 1,
      )?.id,

    /** The edit that a message has its text from. */
    editOf: (message: number) =>
      connection.get<{ event: number }>('select event from edits where message = ?', message)?.event,

    setEdit: (message: number, event: number) =>
      connection.run(
        'insert into edits (message, event) values (?, ?) on conflict (message) do update set event = excluded.event',
        message,
        event,
      ),

    // Reactions. An emoji is known by the event whose body has it: the first reaction to the message with it. Each message has a few that
    // are in use, and any number that were; of those in use any number of people make use. So the former alone are looked through.

    /** For readers, since rules look at no body. */
    emojiInUse: (message: number, emoji: string) =>
      connection.get<EmojiRow>(
        `select e.message, e.number, e.event, b.facts ->> '$.emoji' as emoji, e.count from emojis e join bodies b on b.event = e.event where e.message = ? and e.count > 0 and b.facts = ?`,
        message,
        JSON.stringify({ emoji }),
      ),

    /** How many a message was ever reacted to with. */
    emojisEver: (message: number) =>
      connection.get<{ number: number | null }>('select max(number) as number from emojis where message = ?', message)!
        .number ?? 0,

    emojiEvent: (message: number, number: number) =>
      connection.get<{ event: number }>('select event from emojis where message = ? and number = ?', message, number)
        ?.event,

    emojiEvents: (message: number) =>
      connection
        .all<{ event: number }>('select event from emojis where message = ?', message)
        .map(({ event }) => event),

    insertEmoji: (message: number, number: number, event: number) =>
      connection.run('insert into emojis (message, number, event) values (?, ?, ?)', message, number, event),

    reaction: (message: number, emoji: number, user: number) =>
      connection.get<{ unseen: number | null }>(
        'select unseen from reactions where message = ? and emoji = ? and user = ?',
        message,
        emoji,
        user,
      ),

    /** How many different ones a message has. */
    emojiCount: (message: number) =>
      connection.get<{ count: number }>(
        'select count(*) as count from emojis where message = ? and count > 0',
        message,
      )!.count,

    /** How many react to a message with it. */
    reactionCount: (message: number, number: number) =>
      connection.get<{ count: number }>('select count from emojis where message = ? and number = ?', message, number)
        ?.count ?? 0,

    /**
     * What these messages were reacted to with, in their order and then in that in which it came into use; with the first `people` of each that
     * `reader` is shown. For 0 all of them are.
     */
    reactionsTo: (
      messages: readonly number[],
      { user, reader, people, limit }: { user: number; reader: number; people: number; limit: number },
    ) =>
      connection.all<ReactionsRow>(
        // Sorted, all of it would be read before the first; in loops along this index it comes in this order.
        `select e.message, e.number, e.event, b.facts ->> '$.emoji' as emoji, e.count,
         exists (select 1 from reactions where message = e.message and emoji = e.event and user = ?) as me,
         (select json_group_array(user) from (select user from reactions where message = e.message and emoji = e.event and (unseen is null or unseen <> ?) order by event limit ?)) as first
       from json_each(?) j cross join emojis e indexed by emojis_in_use on e.message = j.value and e.count > 0 join bodies b on b.event = e.event limit ?`,
        user,
        reader,
        people,
        JSON.stringify(messages),
        limit,
      ),

    /** Those who react so, as far as `reader` is shown them, by their ids, after one. */
    reacting: (
      message: number,
      emoji: number,
      { reader, after, limit }: { reader: number; after: number; limit: number },
    ) =>
      connection
        .all<{ user: number }>(
          'select user from reactions where message = ? and emoji = ? and user > ? and (unseen is null or unseen <> ?) order by user limit ?',
          message,
          emoji,
          after,
          reader,
          limit,
        )
        .map(({ user }) => user),

    insertReaction: ({ message, emoji, user, unseen }: ReactionRow, event: number) =>
      connection.run(
        'insert into reactions (message, emoji, user, event, unseen) values (?, ?, ?, ?, ?)',
        message,
        emoji,
        user,
        event,
        unseen,
      ),

    deleteReaction: (message: number, emoji: number, user: number) =>
      connection.run('delete from reactions where message = ? and emoji = ? and user = ?', message, emoji, user),

    /** `since` is the reaction by which it is used, if nobody did before. */
    countReactions: (message: number, number: number, { count, since }: { count: number; since?: number }) =>
      connection.run(
        'update emojis set count = ?, since = coalesce(?, since) where message = ? and number = ?',
        count,
        since ?? null,
        message,
        number,
      ),

    // Mentions; user 0 is everyone

    setMentions(
      { message, room, author }: { message: number; room: number; author: number },
      users: readonly number[],
    ): void {
      connection.run('delete from mentions where message = ?', message)
      for (const user of users)
        connection.run(
          'insert or ignore into mentions (user, room, message, author) values (?, ?, ?, ?)',
          user,
          room,
          message,
          author,
        )
    },

    deleteAround(message: number): void {
      connection.run('delete from mentions where message = ?', message)
      connection.run('delete from reactions where message = ?', message)
      connection.run('delete from emojis where message = ?', message)
    },

    // What is read

    readUpTo: (user: number, room: number) =>
      connection.get<{ event: number }>('select event from reads where user = ? and room = ?', user, room)?.event,

    noteRead: ({ user, room, event }: ReadMark) =>
      connection.run(
        'insert into reads (user, room, event) values (?, ?, ?) on conflict (user, room) do update set event = max(event, excluded.event)',
        user,
        room,
        event,
      ),

    /** Others' messages after an event and up to another, counted up to a limit, among so many of the newest. */
    unread: ({ user, room, after, upTo, limit, looked }: Unread) =>
      connection.get<{ count: number }>(
        `select count(*) as count from (
         select 1 from (select id, user from events where room = ? and type = 'message' and id > ? and id <= ? order by id desc limit ?) m
         where user <> ? and not exists (select 1 from deletions where message = m.id) limit ?)`,
        room,
        after,
        upTo,
        looked,
        user,
        limit,
      )!.count,

    /** Those of them that name the user, or everyone: but by whom they block now, or did when it was said. */
    unreadMentions({ user, room, after, upTo, limit, looked }: Unread): number {
      const newest = `select message from (
        select message, author from mentions where user = ? and room = ? and message > ? and message <= ? order by message desc limit ?) m
        where author <> ? and not exists (
          select 1 from blocks b where b.user = ? and b.target = m.author and (b.until is null or (m.message > b.since and m.message < b.until)))`
      const values = [room, after, upTo, looked, user, user]
      return connection.get<{ count: number }>(
        `select count(*) as count from (${newest} union ${newest} limit ?)`,
        user,
        ...values,
        0,
        ...values,
        limit,
      )!.count
    },

    /**
     * The id after which the last so many events are that a user may see (0: nobody), among the newest `looked`; of private rooms
     * only what `maker` sees too, and with `mine` only what happens in rooms that they are in.
     */
    beforeLastSeen({
      user,
      maker = user,
      mine = false,
      count,
      looked,
    }: {
      user: number
      maker?: number | undefined
      mine?: boolean
      count: number
      looked: number
    }): number {
      const oldest =
        connection.get<{ id: number }>('select id from events order by id desc limit 1 offset ?', looked)?.id ?? 0
      const found = connection.get<{ id: number }>(
        `select e.id from events e left join rooms r on r.id = e.room
         where e.id > ? and e.type in (${types.seen})
           and (e.type not in (${types.needTarget}) or e.target is not null)
           and (e.type not in (${types.own}) or e.user = ?)
           and ((coalesce(r.kind, 'open') = 'open' and not ?) or exists (select 1 from members where room = r.id and user = ?))
           and (coalesce(r.kind, 'open') <> 'private' or exists (select 1 from members where room = r.id and user = ?))
           and (coalesce(r.kind, 'open') <> 'direct' or (coalesce(json_extract(e.facts, '$.unseenBy'), 0) <> ?
             and (e.type not in ('join', 'leave') or e.user = ? or json_extract(e.facts, '$.slug') is not null)))
           and (e.type not in ('message', 'edit') or exists (select 1 from bodies where event = e.id and text not glob char(1) || '*'))
           and (e.type <> 'reaction' or not exists (select 1 from deletions where message = e.target))
           and (e.type not in (${types.ofRooms}) or e.id >= max(r.named, r.described))
           and (e.type not in (${types.ofUsers}) or e.id >= (select named from users where id = iif(e.type = 'user', e.user, e.target)))
         order by e.id desc limit 1 offset ?`,
        oldest,
        user,
        Number(mine),
        user,
        maker,
        user,
        user,
        count - 1,
      )
      return found ? found.id - 1 : oldest
    },
  }
}
