// The tables of rooms and of who is in them. One prepared statement for each thing that is done with them; no rules. A row has the
// columns of its table (see schema.ts), so `*` reads it.

import type { Connection } from '../connection.ts'
import { userColumns, type UserRow } from './people-tables.ts'

export interface RoomRow {
  id: number
  slug: string
  name: string
  kind: 'open' | 'private' | 'direct'
  topic: string
  /** The events whose bodies have the name and the topic. */
  named: number
  described: number
  /** 0 if it is not; 2 if somebody did it who governs the place, which has done with it. */
  archived: number
  /** The newest event that changed it. */
  changed: number
  /** The two of a direct room, who made it first; it is called after them. */
  one: number | null
  other: number | null
}

/** A room, with the event by which somebody is in it, if they are. */
export interface RoomOf extends RoomRow {
  since: number | null
}

export interface MemberRow extends UserRow {
  roomRole: 'owner' | 'member'
  /** In what order they are listed. */
  since: number
}

/** What somebody's list of rooms goes through: a room as it is now, that they came into one, or that they lost one. */
export interface RoomChange extends RoomRow {
  at: number
  how: 'changed' | 'entered' | 'lost'
  user: number | null
  userName: string | null
}

export type RoomTables = ReturnType<typeof roomTables>

const nameOf = (user: string) => `(select b.name from users u join bodies b on b.event = u.named where u.id = ${user})`

/** A room's row, `r`, with its name and topic. */
const roomColumns = `r.*,
  coalesce(iif(r.kind = 'direct', ${nameOf('r.one')} || ', ' || ${nameOf('r.other')}, (select name from bodies where event = r.named)), '') as name,
  coalesce((select facts ->> '$.topic' from bodies where event = r.described), '') as topic`

export function roomTables(connection: Connection) {
  return {
    room: (id: number) => connection.recall<RoomRow>(`select ${roomColumns} from rooms r where id = ?`, id),

    roomBySlug: (slug: string) => connection.recall<RoomRow>(`select ${roomColumns} from rooms r where slug = ?`, slug),

    /** The same if a user may see it; 0 for nobody. */
    roomSeenBy: (user: number, slug: string) =>
      connection.recall<RoomRow>(
        `select ${roomColumns} from rooms r where slug = ? and (kind = 'open' or exists (select 1 from members where room = r.id and user = ?))`,
        slug,
        user,
      ),

    // In the order of their ids, so that each page begins where the one before ended.

    /** Those that a user is in, after one. */
    mineAfter: (user: number, after: number, limit: number) =>
      connection.all<RoomOf>(
        `select ${roomColumns}, m.since from members m cross join rooms r on r.id = m.room where m.user = ? and m.room > ? order by m.room limit ?`,
        user,
        after,
        limit,
      ),

    /** Open ones, after one, be the user in them or not. */
    openAfter: (user: number, after: number, limit: number) =>
      connection.all<RoomOf>(
        `select ${roomColumns}, (select since from members where room = r.id and user = ?) as since from rooms r where kind = 'open' and id > ? order by id limit ?`,
        user,
        after,
        limit,
      ),

    /** Open and private ones in the order of their changes, after one of these. */
    changedAfter: (change: number, limit: number) =>
      connection.all<RoomRow>(
        `select ${roomColumns} from rooms r where changed > ? and kind <> 'direct' order by changed limit ?`,
        change,
        limit,
      ),

    /** The direct rooms that a user came into last. */
    directOf: (user: number, limit: number) =>
      connection.all<RoomRow>(
        `select ${roomColumns} from (select m.room, m.since from members m join rooms d on d.id = m.room where m.user = ? and d.kind = 'direct' order by m.since desc limit ?) m join rooms r on r.id = m.room`,
        user,
        limit,
      ),

    /** What changed in anybody's list of rooms after an id, each in its place; entered and lost count for rooms that are not open. */
    roomChangesAfter: (id: number, limit: number) =>
      connection.all<RoomChange>(
        `select changed as at, 'changed' as how, null as user, null as userName, ${roomColumns} from rooms r where changed > ?
       union all
       select m.since, 'entered', m.user, null, ${roomColumns} from members m join rooms r on r.id = m.room where m.since > ? and m.closed = 1
       union all
       select l.id, 'lost', l.user, ${nameOf('l.user')}, ${roomColumns} from losses l join rooms r on r.id = l.room where l.id > ?
       order by at limit ?`,
        id,
        id,
        id,
        limit,
      ),

    /** The change after which the last so many changes of open rooms are. */
    beforeLastRooms: (count: number) =>
      (connection.get<{ id: number }>(
        "select changed as id from rooms where kind = 'open' order by changed desc limit 1 offset ?",
        count - 1,
      )?.id ?? 1) - 1,

    /** All but direct ones, and those that whoever governs has done with. */
    roomCount: () =>
      connection.get<{ count: number }>("select count(*) as count from rooms where kind <> 'direct' and archived < 2")!
        .count,

    /** How many of these a user has made: direct ones, or others. */
    madeBy: (user: number, { direct }: { direct: boolean }) =>
      connection.get<{ count: number }>(
        "select count(*) as count from events e join rooms r on r.id = e.room where e.type = 'room' and e.user = ? and (r.kind = 'direct') = ? and r.archived < 2",
        user,
        Number(direct),
      )!.count,

    /** Those among them that are not direct, after an id. */
    idsMadeBy: (user: number, after: number, limit: number) =>
      connection
        .all<{ id: number }>(
          "select r.id from events e join rooms r on r.id = e.room where e.type = 'room' and e.user = ? and r.kind <> 'direct' and r.archived < 2 and r.id > ? order by r.id limit ?",
          user,
          after,
          limit,
        )
        .map(({ id }) => id),

    /** Its event is written next, and has the name and the topic. */
    insertRoom: ({ id, slug, kind, one, other }: Pick<RoomRow, 'id' | 'slug' | 'kind' | 'one' | 'other'>) =>
      connection.run(
        'insert into rooms (id, slug, kind, named, described, changed, one, other) values (?, ?, ?, ?, ?, ?, ?, ?)',
        id,
        slug,
        kind,
        id,
        id,
        id,
        one,
        other,
      ),

    updateRoom: ({
      id,
      named,
      described,
      archived,
      changed,
    }: Pick<RoomRow, 'id' | 'named' | 'described' | 'archived' | 'changed'>) =>
      connection.change(
        'update rooms set named = ?, described = ?, archived = ?, changed = ? where id = ?',
        named,
        described,
        archived,
        changed,
        id,
      ),

    /** Their role in the room, if they are in it. */
    roleIn: (room: number, user: number) =>
      connection.recall<{ role: 'owner' | 'member' }>(
        'select role from members where room = ? and user = ?',
        room,
        user,
      )?.role,

    /** The event by which they are in the room. */
    memberSince: (room: number, user: number) =>
      connection.recall<{ since: number }>('select since from members where room = ? and user = ?', room, user)?.since,

    /** One who is not banned. */
    hasOwner: (room: number) =>
      connection.get(
        "select 1 from members m join users u on u.id = m.user where m.room = ? and m.role = 'owner' and u.banned = 0",
        room,
      ) !== undefined,

    hasMember: (room: number) => connection.get('select 1 from members where room = ? limit 1', room) !== undefined,

    /** As they came, after an event. For who looks: whom they have put there and are blocked by is in it for them. */
    members: (room: number, { reader, after, limit }: { reader: number; after: number; limit: number }) =>
      connection.all<MemberRow>(
        `select ${userColumns}, m.role as roomRole, m.since from (
         select * from (select user, role, since from members where room = ? and since > ? order by since limit ?)
         union all
         select user, role, since from shadows where adder = ? and room = ? and since > ?) m
       join users u on u.id = m.user order by m.since limit ?`,
        room,
        after,
        limit,
        reader,
        room,
        after,
        limit,
      ),

    /** By which event somebody is in a room, or is for who looks. */
    memberFor: (room: number, user: number, reader: number) =>
      connection.get<{ since: number }>(
        'select since from members where room = ? and user = ? union all select since from shadows where room = ? and user = ? and adder = ?',
        room,
        user,
        room,
        user,
        reader,
      )?.since,

    /** The two of a direct room, be they in it or not. */
    bothOf: (room: number) =>
      connection.all<MemberRow>(
        `select ${userColumns}, 'member' as roomRole, u.id as since from rooms r join users u on u.id in (r.one, r.other) where r.id = ? order by u.id`,
        room,
      ),

    /** The newest rooms before `before` that a user is in, or those among them that are not open: along the index, since ten thousand take a while to sort. */
    newestRoomsOf: (user: number, { closed, before, limit }: { closed: boolean; before: number; limit: number }) =>
      connection.all<Pick<RoomRow, 'id' | 'kind'>>(
        'select r.id, r.kind from members m cross join rooms r on r.id = m.room where m.user = ? and m.closed >= ? and m.room < ? order by m.room desc limit ?',
        user,
        Number(closed),
        before,
        limit,
      ),

    /** Is a user in a room that is not open, and the other not? */
    hasClosedRoomWithout: ({ user, other }: { user: number; other: number }) =>
      connection.get(
        'select 1 from members m where user = ? and closed = 1 and not exists (select 1 from members where room = m.room and user = ?) limit 1',
        user,
        other,
      ) !== undefined,

    /** Those that are not open and that a user came into last; of the private ones only where `maker` is too. */
    closedRoomsOf: ({ user, maker }: { user: number; maker: number }, limit = 10_000) =>
      connection.all<Pick<RoomRow, 'id' | 'kind'>>(
        `select r.id, r.kind from members m join rooms r on r.id = m.room
       where m.user = ? and m.closed = 1 and (r.kind = 'direct' or exists (select 1 from members where room = m.room and user = ?)) order by m.since desc limit ?`,
        user,
        maker,
        limit,
      ),

    /**
     * Where others take a user for somebody of the room: those that they came into last, the direct rooms that they have left, and where
     * they are for somebody alone.
     */
    roomsWith: (user: number, limit: number) =>
      connection.all<{ id: number; slug: string; kind: RoomRow['kind']; adder: number | null }>(
        `select id, slug, kind, adder from (
         select r.id, r.slug, r.kind, m.since, null as adder from members m join rooms r on r.id = m.room where m.user = ?
         union all
         select r.id, r.slug, r.kind, r.id, null from rooms r where r.one = ? and not exists (select 1 from members where room = r.id and user = ?)
         union all
         select r.id, r.slug, r.kind, r.id, null from rooms r where r.other = ? and not exists (select 1 from members where room = r.id and user = ?)
         union all
         select r.id, r.slug, r.kind, r.id, s.adder from shadows s join rooms r on r.id = s.room where s.user = ?)
       order by since desc limit ?`,
        user,
        user,
        user,
        user,
        user,
        user,
        limit,
      ),

    insertMember: (room: RoomRow, user: number, since: number, role: 'owner' | 'member') =>
      connection.run(
        'insert into members (room, user, since, role, closed) values (?, ?, ?, ?, ?)',
        room.id,
        user,
        since,
        role,
        Number(room.kind !== 'open'),
      ),

    setRole: (room: number, user: number, role: 'owner' | 'member') =>
      connection.change('update members set role = ? where room = ? and user = ?', role, room, user),

    /** The rooms that a user lost after an event, whether they are in them again or not. */
    lostBy: (user: number, after: number) =>
      connection
        .all<{ room: number }>('select distinct room from losses where id > ? and user = ?', after, user)
        .map(({ room }) => room),

    /**
     * The room of this slug among the last so many that a user lost. Each of them is looked at, whatever the slug is: so the time tells nothing
     * of other rooms.
     */
    lostRoom: (user: number, slug: string, looked: number) =>
      connection.get<{ id: number }>(
        'select r.id from (select room from losses where user = ? order by id desc limit ?) l cross join rooms r on r.id = l.room where r.slug = ?',
        user,
        looked,
        slug,
      )?.id,

    /** By the event of this id. */
    deleteMember(room: RoomRow, user: number, event: number): void {
      connection.change('delete from members where room = ? and user = ?', room.id, user)
      if (room.kind !== 'open')
        connection.run('insert into losses (id, room, user) values (?, ?, ?)', event, room.id, user)
    },
  }
}
