// The tables of who wants nothing more of whom, and of what is therefore not shown. One prepared statement for each thing that is
// done with them; no rules. A row has the columns of its table (see schema.ts), so `*` reads it.

import type { Connection } from '../connection.ts'
import { userColumns, type UserRow } from './people-tables.ts'

/** Somebody wants nothing more of somebody else: since an event, and until another if it is over. */
export interface BlockRow {
  user: number
  target: number
  since: number
  until: number | null
  /** Their direct room, if the user had it in their list until then. */
  room: number | null
}

/** Somebody who is blocked, since an event. */
export interface BlockedRow extends UserRow {
  since: number
}

/** Somebody who is in a room for one alone, who put them there and is blocked by them. */
export interface ShadowRow {
  room: number
  user: number
  adder: number
  role: 'owner' | 'member'
  since: number
}

/** A message that `user` is not shown: itself, or because of an edit. */
export interface UnseenRow {
  message: number
  user: number
  event: number
}

export type BlockTables = ReturnType<typeof blockTables>

export function blockTables(connection: Connection) {
  return {
    /** The newest of a user on another. */
    block: (user: number, target: number) =>
      connection.recall<BlockRow>('select * from blocks where user = ? and target = ?', user, target),

    /** Those that last, the newest first; before an event. */
    blockedBy: (user: number, before: number, limit: number) =>
      connection.all<BlockedRow>(
        `select ${userColumns}, b.since from blocks b join users u on u.id = b.target where b.user = ? and b.until is null and b.since < ? order by b.since desc limit ?`,
        user,
        before,
        limit,
      ),

    /** How many last. */
    blockCount: (user: number) =>
      connection.get<{ count: number }>('select count(*) as count from blocks where user = ? and until is null', user)!
        .count,

    beginBlock: ({ user, target, since, room }: Omit<BlockRow, 'until'>) =>
      connection.change(
        `insert into blocks (user, target, since, until, room) values (?, ?, ?, null, ?)
       on conflict (user, target) do update set since = excluded.since, until = null, room = excluded.room`,
        user,
        target,
        since,
        room,
      ),

    endBlock: (user: number, target: number, until: number) =>
      connection.change('update blocks set until = ? where user = ? and target = ?', until, user, target),

    shadow: (room: number, user: number, adder: number) =>
      connection.get<ShadowRow>('select * from shadows where room = ? and user = ? and adder = ?', room, user, adder),

    /** Has somebody made another the room's owner, to themselves alone? */
    hasShadowOwner: (room: number, adder: number) =>
      connection.get("select 1 from shadows where room = ? and adder = ? and role = 'owner' limit 1", room, adder) !==
      undefined,

    insertShadow: ({ room, user, adder, role, since }: ShadowRow) =>
      connection.run(
        'insert into shadows (room, user, adder, role, since) values (?, ?, ?, ?, ?) on conflict (room, user, adder) do update set role = excluded.role',
        room,
        user,
        adder,
        role,
        since,
      ),

    deleteShadow: (room: number, user: number, adder: number) =>
      connection.run('delete from shadows where room = ? and user = ? and adder = ?', room, user, adder),

    deleteShadows: (room: number, user: number) =>
      connection.run('delete from shadows where room = ? and user = ?', room, user),

    unseen: (message: number) => connection.get<UnseenRow>('select * from unseen where message = ?', message),

    insertUnseen: ({ message, user, event }: UnseenRow) =>
      connection.run('insert or ignore into unseen (message, user, event) values (?, ?, ?)', message, user, event),

    deleteUnseen: (message: number) => connection.run('delete from unseen where message = ?', message),
  }
}
