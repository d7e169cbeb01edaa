// The tables of people: users and their names, sessions, invites and tokens. One prepared statement for each thing that is
// done with them; no rules. A row has the columns of its table (see schema.ts), so `*` reads it.

import type { Connection } from '../connection.ts'
import { keyedHash } from './keyed-hash.ts'

export interface UserRow {
  id: number
  name: string
  /** The event whose body has the name. */
  named: number
  /** What `nameHash` makes of the name as it is compared. */
  folded: string
  /** `hosted`: known by the server that natter is mounted in. */
  kind: 'account' | 'guest' | 'unproven' | 'bot' | 'hosted'
  role: 'owner' | 'admin' | 'member' | 'guest' | 'bot'
  /** The event that banned them, or 0. */
  banned: number
  /** The event whose body is the hash of their password. */
  password: number | null
  /** Who they are to the server that natter is mounted in. */
  outside: string | null
}

/** What is yet to be done away with of somebody who is banned. */
export interface CleanupRow {
  user: number
  /** The event that asked for it, */
  ban: number
  /** and who did. */
  by: number
  /** Rooms they made are archived: 1 or 0. */
  rooms: number
  /** Messages they wrote are deleted. */
  messages: number
}

export interface SessionRow {
  hash: string
  user: number
  began: number
  used: number
  ended: number | null
}

export interface InviteRow {
  id: number
  hash: string
  maker: number | null
  room: number | null
  role: 'owner' | 'admin' | 'member' | 'guest'
  /** How often it can be accepted yet. */
  uses: number
  /** Microseconds, like ids. */
  expires: number
  ended: number | null
}

export interface TokenRow {
  id: number
  hash: string
  bot: number
  maker: number
  /** `read`, `write`, or both with a space between. */
  scopes: string
  /** The rooms' ids as JSON, or null for all that the bot may see. */
  rooms: string | null
  expires: number | null
  ended: number | null
}

export type PeopleTables = ReturnType<typeof peopleTables>

/** A user's row, `u`, with their name. */
export const userColumns = "u.*, coalesce((select name from bodies where event = u.named), '') as name"

export function peopleTables(connection: Connection) {
  /** A name as it is compared, in the form in which events and tables have it. */
  const nameHash = (folded: string): string => {
    const log = connection.recall<{ secret: string }>('select id, secret from log')
    if (!log) throw new Error('the log has no first event, and so no secret')
    return keyedHash(log.secret, folded)
  }
  /** Whose name it is, or was until `freed`. */
  const holderOf = (hash: string) =>
    connection.recall<UserRow & { freed: number | null }>(
      `select ${userColumns}, n.freed from names n join users u on u.id = n.user where n.hash = ?`,
      hash,
    )

  return {
    // Users

    user: (id: number) => connection.recall<UserRow>(`select ${userColumns} from users u where id = ?`, id),

    userByOutside: (outside: string) =>
      connection.recall<UserRow>(`select ${userColumns} from users u where outside = ?`, outside),

    usersAfter: (id: number, limit: number) =>
      connection.all<UserRow>(`select ${userColumns} from users u where id > ? order by id limit ?`, id, limit),

    /** Is there an owner, other than this one? */
    hasOwner: (except = 0) =>
      connection.get("select 1 from users where role = 'owner' and banned = 0 and id <> ?", except) !== undefined,

    /** Its event is written next, and has the name. */
    insertUser: ({ id, folded, kind, role, password, outside }: Omit<UserRow, 'name' | 'named' | 'banned'>) =>
      connection.run(
        'insert into users (id, named, folded, kind, role, password, outside) values (?, ?, ?, ?, ?, ?, ?)',
        id,
        id,
        folded,
        kind,
        role,
        password,
        outside,
      ),

    updateUser: ({ id, named, folded, kind, role, banned, password }: Omit<UserRow, 'name' | 'outside'>) =>
      connection.change(
        'update users set named = ?, folded = ?, kind = ?, role = ?, banned = ?, password = ? where id = ?',
        named,
        folded,
        kind,
        role,
        banned,
        password,
        id,
      ),

    // What a ban does away with

    cleanup: (user: number) => connection.get<CleanupRow>('select * from cleanups where user = ?', user),

    /** The oldest first. */
    cleanups: () => connection.all<CleanupRow>('select * from cleanups order by ban'),

    setCleanup: ({ user, ban, by, rooms, messages }: CleanupRow) =>
      connection.run(
        'insert or replace into cleanups (user, ban, by, rooms, messages) values (?, ?, ?, ?, ?)',
        user,
        ban,
        by,
        rooms,
        messages,
      ),

    endCleanup: (user: number) => connection.run('delete from cleanups where user = ?', user),

    // Names

    nameHash,

    /** Whose name it is, or was until `freed`, by the hash of it that an event has. */
    holderOf,

    /** The same by the name as it is compared, for who reads. */
    nameHolder: (folded: string) => holderOf(nameHash(folded)),

    /** `looks`: what the name looks like, as hashes; each that has the name may write it in another way. */
    giveName(hash: string, user: number, looks: readonly string[] = []): void {
      connection.change(
        'insert into names (hash, user) values (?, ?) on conflict (hash) do update set user = excluded.user, freed = null',
        hash,
        user,
      )
      connection.run('delete from looks where name = ?', hash)
      for (const look of looks) connection.run('insert into looks (name, look) values (?, ?)', hash, look)
    },

    /** What a name looks like as it is written by whoever has it. */
    looksOfName: (hash: string) =>
      connection.all<{ look: string }>('select look from looks where name = ?', hash).map(({ look }) => look),

    /** Whose names look like that, or did until `freed`, with the names' own hashes. */
    lookingLike: (look: string, limit: number) =>
      connection.all<UserRow & { freed: number | null; hash: string }>(
        `select ${userColumns}, n.freed, n.hash from looks l join names n on n.hash = l.name join users u on u.id = n.user where l.look = ? limit ?`,
        look,
        limit,
      ),

    dropName(hash: string): void {
      connection.change('delete from names where hash = ?', hash)
      connection.run('delete from looks where name = ?', hash)
    },

    /** Unless it is another's by now. */
    freeName: (hash: string, user: number, freed: number) =>
      connection.change('update names set freed = ? where hash = ? and user = ?', freed, hash, user),

    /** All that a user has freed, but for the last few. */
    dropNames(user: number, { but }: { but: number }): void {
      const tooMany =
        'select hash from names where user = ? and freed is not null order by freed desc limit -1 offset ?'
      connection.run(`delete from looks where name in (${tooMany})`, user, but)
      connection.change(`delete from names where hash in (${tooMany})`, user, but)
    },

    // Sessions

    session: (hash: string) => connection.recall<SessionRow>('select * from sessions where hash = ?', hash),

    /** Those that were not ended, the newest first. */
    sessionsOf: (user: number, limit: number) =>
      connection.all<SessionRow>(
        'select * from sessions where user = ? and ended is null order by began desc limit ?',
        user,
        limit,
      ),

    /** When a user was last known to have a session: the id of that event, or 0. */
    lastSeen: (user: number) =>
      connection.get<{ seen: number | null }>(
        'select max(coalesce(ended, used)) as seen from sessions where user = ?',
        user,
      )?.seen ?? 0,

    insertSession: (hash: string, user: number, began: number) =>
      connection.run('insert into sessions (hash, user, began, used) values (?, ?, ?, ?)', hash, user, began, began),

    renewSession: (hash: string, used: number) =>
      connection.change('update sessions set used = ? where hash = ?', used, hash),

    endSession: (hash: string, ended: number) =>
      connection.change('update sessions set ended = ? where hash = ?', ended, hash),

    /** All of a user's, but for one. */
    endSessions: (user: number, ended: number, { but }: { but: string }) =>
      connection.change(
        'update sessions set ended = ? where user = ? and ended is null and hash <> ?',
        ended,
        user,
        but,
      ),

    // Invites

    invite: (id: number) => connection.get<InviteRow>('select * from invites where id = ?', id),

    inviteByHash: (hash: string) => connection.get<InviteRow>('select * from invites where hash = ?', hash),

    // Along indexes of those that are open: of those that are over there may be any number.

    /** Those that can be accepted yet, the last to expire first; after one. */
    openInvites: (now: number, after: Pick<InviteRow, 'expires' | 'id'> | undefined, limit: number) =>
      connection.all<InviteRow>(
        'select * from invites where ended is null and uses > 0 and expires > ? and (expires, id) < (?, ?) order by expires desc, id desc limit ?',
        now,
        after?.expires ?? Number.MAX_SAFE_INTEGER,
        after?.id ?? 0,
        limit,
      ),

    /** The same of one maker. */
    openInvitesBy: (maker: number, now: number, after: Pick<InviteRow, 'expires' | 'id'> | undefined, limit: number) =>
      connection.all<InviteRow>(
        'select * from invites where maker = ? and ended is null and uses > 0 and expires > ? and (expires, id) < (?, ?) order by expires desc, id desc limit ?',
        maker,
        now,
        after?.expires ?? Number.MAX_SAFE_INTEGER,
        after?.id ?? 0,
        limit,
      ),

    /** The same of one maker; null is natter itself. */
    openInvitesOf: (maker: number | null, now: number, limit: number) =>
      connection.all<InviteRow>(
        'select * from invites where maker is ? and ended is null and uses > 0 and expires > ? order by id desc limit ?',
        maker,
        now,
        limit,
      ),

    insertInvite: ({ id, hash, maker, room, role, uses, expires }: Omit<InviteRow, 'ended'>) =>
      connection.run(
        'insert into invites (id, hash, maker, room, role, uses, expires) values (?, ?, ?, ?, ?, ?, ?)',
        id,
        hash,
        maker,
        room,
        role,
        uses,
        expires,
      ),

    endInvite: (id: number, ended: number) => connection.run('update invites set ended = ? where id = ?', ended, id),

    accept(invite: number, user: number): void {
      connection.run('update invites set uses = uses - 1 where id = ?', invite)
      connection.run('insert into accepted (invite, user, entered) values (?, ?, 0)', invite, user)
    },

    /** Whether somebody came by this invite, and has entered its room by it. */
    accepted: (invite: number, user: number) =>
      connection.get<{ entered: number }>('select entered from accepted where invite = ? and user = ?', invite, user),

    enterBy: (invite: number, user: number) =>
      connection.run('update accepted set entered = 1 where invite = ? and user = ?', invite, user),

    // Tokens

    token: (id: number) => connection.recall<TokenRow>('select * from tokens where id = ?', id),

    tokenByHash: (hash: string) => connection.recall<TokenRow>('select * from tokens where hash = ?', hash),

    /** Those that were not ended, the newest first; before one. */
    openTokens: (before: number, limit: number) =>
      connection.all<TokenRow>(
        'select * from tokens where ended is null and id < ? order by id desc limit ?',
        before,
        limit,
      ),

    /** How many were not, counted up to a limit. */
    openTokenCount: (limit: number) =>
      connection.get<{ count: number }>(
        'select count(*) as count from (select 1 from tokens where ended is null limit ?)',
        limit,
      )!.count,

    insertToken: ({ id, hash, bot, maker, scopes, rooms, expires }: Omit<TokenRow, 'ended'>) =>
      connection.run(
        'insert into tokens (id, hash, bot, maker, scopes, rooms, expires) values (?, ?, ?, ?, ?, ?, ?)',
        id,
        hash,
        bot,
        maker,
        scopes,
        rooms,
        expires,
      ),

    endToken: (id: number, ended: number) => connection.change('update tokens set ended = ? where id = ?', ended, id),
  }
}
