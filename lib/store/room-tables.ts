// The tables of rooms and of who is in them. One prepared statement for each thing that is done with them; no rules. A row has the
// columns of its table (see schema.ts), so `*` reads it.

import type { Connection } from './connection.ts'
import type { UserRow } from './people-tables.ts'

export interface RoomRow {
  id: number
  slug: string
  name: string
  kind: 'open' | 'private' | 'direct'
  topic: string
  archived: number
  /** The newest event that changed it. */
  changed: number
  /** The two of a direct room. */
  one: number | null
  other: number | null
}

export interface MemberRow extends UserRow {
  roomRole: 'owner' | 'member'
}

/** What somebody's list of rooms goes through: a room as it is now, that they came into one, or that they lost one. */
export interface RoomChange extends RoomRow {
  at: number
  how: 'changed' | 'entered' | 'lost'
  user: number | null
  userName: string | null
}

export type RoomTables = ReturnType<typeof roomTables>

export function roomTables(connection: Connection) {
  return {
    room: (id: number) => connection.recall<RoomRow>('select * from rooms where id = ?', id),

    roomBySlug: (slug: string) => connection.recall<RoomRow>('select * from rooms where slug = ?', slug),

    /** Those that a user may see, by their newest changes; 0 for nobody. */
    roomsSeenBy: (user: number, limit: number) =>
      connection.all<RoomRow>("select * from rooms r where kind = 'open' or exists (select 1 from members where room = r.id and user = ?) order by changed limit ?", user, limit),

    /** What changed in anybody's list of rooms after an id, each in its place; entered and lost count for rooms that are not open. */
    roomChangesAfter: (id: number, limit: number) => connection.all<RoomChange>(
      `select changed as at, 'changed' as how, null as user, null as userName, r.* from rooms r where changed > ?
       union all
       select m.since, 'entered', m.user, u.name, r.* from members m join rooms r on r.id = m.room join users u on u.id = m.user where m.since > ? and m.closed = 1
       union all
       select l.id, 'lost', l.user, l.name, r.* from losses l join rooms r on r.id = l.room where l.id > ?
       order by at limit ?`,
      id, id, id, limit,
    ),

    /** The change after which the last so many changes of open rooms are. */
    beforeLastRooms: (count: number) =>
      (connection.get<{ id: number }>("select changed as id from rooms where kind = 'open' order by changed desc limit 1 offset ?", count - 1)?.id ?? 1) - 1,

    /** All but direct ones. */
    roomCount: () => connection.get<{ count: number }>("select count(*) as count from rooms where kind <> 'direct'")!.count,

    /** How many a user has made: direct ones, or others. */
    madeBy: (user: number, { direct }: { direct: boolean }) => connection.get<{ count: number }>(
      "select count(*) as count from events e join rooms r on r.id = e.room where e.type = 'room' and e.user = ? and (r.kind = 'direct') = ?",
      user, Number(direct),
    )!.count,

    insertRoom: ({ id, slug, name, kind, topic, changed, one, other }: Omit<RoomRow, 'archived'>) =>
      connection.run('insert into rooms (id, slug, name, kind, topic, changed, one, other) values (?, ?, ?, ?, ?, ?, ?, ?)', id, slug, name, kind, topic, changed, one, other),

    updateRoom: ({ id, name, topic, archived, changed }: RoomRow) =>
      connection.change('update rooms set name = ?, topic = ?, archived = ?, changed = ? where id = ?', name, topic, archived, changed, id),

    /** Their role in the room, if they are in it. */
    roleIn: (room: number, user: number) => connection.recall<{ role: 'owner' | 'member' }>('select role from members where room = ? and user = ?', room, user)?.role,

    /** The event by which they are in the room. */
    memberSince: (room: number, user: number) => connection.recall<{ since: number }>('select since from members where room = ? and user = ?', room, user)?.since,

    /** One who is not banned. */
    hasOwner: (room: number) =>
      connection.get("select 1 from members m join users u on u.id = m.user where m.room = ? and m.role = 'owner' and u.banned = 0", room) !== undefined,

    members: (room: number, limit: number) =>
      connection.all<MemberRow>('select u.*, m.role as roomRole from members m join users u on u.id = m.user where m.room = ? order by m.since limit ?', room, limit),

    /** Those that a user came into last. */
    roomsOf: (user: number, limit = 10_000) => connection.all<{ room: number; slug: string; kind: RoomRow['kind']; since: number }>(
      'select m.room, r.slug, r.kind, m.since from members m join rooms r on r.id = m.room where user = ? order by m.since desc limit ?',
      user, limit,
    ),

    insertMember: (room: RoomRow, user: number, since: number, role: 'owner' | 'member') =>
      connection.run('insert into members (room, user, since, role, closed) values (?, ?, ?, ?, ?)', room.id, user, since, role, Number(room.kind !== 'open')),

    setRole: (room: number, user: number, role: 'owner' | 'member') => connection.change('update members set role = ? where room = ? and user = ?', role, room, user),

    /** The rooms that a user lost after an event, whether they are in them again or not. */
    lostBy: (user: number, after: number) => connection.all<{ room: number }>('select distinct room from losses where id > ? and user = ?', after, user).map(({ room }) => room),

    /** By the event of this id; `name` is theirs then. */
    deleteMember(room: RoomRow, { id, name }: UserRow, event: number): void {
      connection.change('delete from members where room = ? and user = ?', room.id, id)
      if (room.kind !== 'open') connection.run('insert into losses (id, room, user, name) values (?, ?, ?, ?)', event, room.id, id, name)
    },
  }
}
