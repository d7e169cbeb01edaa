// The fifth version of the file, as a migration from the fourth: what people chose (names, topics, emojis, mentions) goes from the
// skeletons of events and from the tables into the bodies, which can be emptied. What was superseded or deleted is not carried along.
// The rules that each event was made for stay its own. What is written here is kept for good.

import { randomBytes } from 'node:crypto'
import { keyedHash } from './keyed-hash.ts'

/** What the SQL calls by these names. */
export const migrationFunctions: Record<string, (...values: never[]) => string> = {
  keyed_hash: keyedHash,
  new_id: newLogId,
  new_secret: newLogSecret,
}

/** A log's public id: it tells two of them apart, and is short enough for a cookie's name. */
export function newLogId(): string {
  return randomBytes(5).readUIntBE(0, 5).toString(36).padStart(8, '0')
}

/** What it hashes names with. */
export function newLogSecret(): string {
  return randomBytes(32).toString('base64url')
}

const secret = '(select secret from log)'

export const skeletons = `
  -- Of the first event there is, which only an empty log does not have: its public id, and the secret that it hashes names with.
  create table log (event integer primary key, id text not null, secret text not null) strict;
  insert into log select first - 1, new_id(), new_secret() from (select min(id) as first from events) where first is not null;

  -- The event that gave each user their name, and each room its name and topic: the newest of those that tell it.
  create temp table user_names (user integer primary key, event integer not null);
  insert into user_names
    select iif(type = 'user', user, target) as named, max(id) from events
    where type in ('user', 'account', 'rename', 'hosted') or (type = 'token' and target is not null) group by named;
  create temp table room_names (room integer primary key, event integer not null);
  insert into room_names select room, max(id) from events where type in ('room', 'room_change') group by room;

  -- The emojis of each message, by the first reaction with each, and numbered as they came.
  create temp table first_reactions (message integer, emoji text, event integer, number integer, primary key (message, emoji)) without rowid;
  insert into first_reactions
    select message, emoji, event, row_number() over (partition by message order by event)
    from (select target as message, facts ->> '$.emoji' as emoji, min(id) as event from events where type = 'reaction' group by message, emoji);

  -- The log. A row is a skeleton: it is never changed and never goes.
  create table new_events (
    id integer primary key,  -- microseconds since 1970, always greater than the one before
    type text not null,
    rules integer not null,  -- the version of the rules it was accepted under
    user integer,            -- whose doing or membership it is; null: natter itself
    room integer,
    target integer,          -- the event or user it is about
    facts text,              -- what else its type needs to be applied, as JSON: nothing that people chose to write, but a room's slug
    key text,                -- the Idempotency-Key it came with,
    print text               -- and the fingerprint of that request
  ) strict;
  insert into new_events (id, type, rules, facts) select event, 'log', 3, json_object('id', id, 'secret', secret) from log;
  insert into new_events
    select id, type, rules, user, room, target,
      case
        when type = 'message' then null
        when type = 'edit' then json_object('replaces', facts -> '$.replaces')
        when type = 'reaction' then (
          select iif(f.event = e.id,
            json_object('emoji', number, 'on', facts -> '$.on', 'new', json('true')),
            json_object('emoji', number, 'on', facts -> '$.on', 'body', f.event))
          from temp.first_reactions f where f.message = e.target and f.emoji = e.facts ->> '$.emoji')
        when type in ('user', 'account', 'rename', 'hosted', 'token')
          then json_set(json_remove(facts, '$.name'), '$.folded', keyed_hash(${secret}, facts ->> '$.folded'))
        when type in ('role', 'ban', 'accept') then json_remove(facts, '$.name')
        -- Who made a direct room comes first in it, as in its name.
        when type = 'room' and facts ->> '$.pair[1]' = user
          then json_set(json_remove(facts, '$.name', '$.topic'), '$.pair', json_array(user, facts -> '$.pair[0]'))
        when type = 'room' then json_remove(facts, '$.name', '$.topic')
        when type = 'room_change' then json_object('name', json('true'), 'topic', json('true'), 'archived', facts -> '$.archived')
        else facts
      end, key, print
    from events e order by id;

  -- What people wrote. Each part of a body can be emptied: it stays, with as many bytes of char(1) as it had (see emptyBody).
  create table new_bodies (
    event integer primary key,
    text text,               -- what a message says; of an account its password's hash
    name text,               -- a message's author's then; the user's or room's that the event names
    facts text               -- mentions, a topic or an emoji, as JSON
  ) strict;
  insert into new_bodies
    select * from (
      select e.id, b.text,
        case
          when e.type = 'message' then iif(exists (select 1 from deletions where message = e.id), null, e.name)
          when e.type in ('user', 'account', 'rename', 'hosted', 'token')
            then iif(exists (select 1 from temp.user_names where event = e.id), e.facts ->> '$.name', null)
          -- A direct room is called after its two.
          when e.type in ('room', 'room_change') and e.facts ->> '$.kind' <> 'direct'
            then iif(exists (select 1 from temp.room_names where event = e.id), e.facts ->> '$.name', null)
        end as name,
        case
          -- Whom the text names, where it is the text of now.
          when e.type = 'message' and e.facts is not null
            then iif(
              exists (select 1 from deletions where message = e.id) or exists (select 1 from edits where message = e.id),
              null, e.facts)
          when e.type = 'edit' and (e.facts ->> '$.mentions' is not null or e.facts ->> '$.everyone' is not null)
            then iif(
              exists (select 1 from deletions where message = e.target) or (select event from edits where message = e.target) <> e.id,
              null, json_remove(e.facts, '$.replaces'))
          when e.type = 'reaction'
            then iif(
              exists (select 1 from deletions where message = e.target)
                or not exists (select 1 from temp.first_reactions where message = e.target and event = e.id),
              null, json_object('emoji', e.facts ->> '$.emoji'))
          when e.type in ('room', 'room_change') and e.facts ->> '$.topic' <> ''
            then iif(exists (select 1 from temp.room_names where event = e.id), json_object('topic', e.facts ->> '$.topic'), null)
        end as facts
      from events e left join bodies b on b.event = e.id)
    where text is not null or name is not null or facts is not null order by id;

  -- The rest is what the log adds up to. Rooms and users have the id of the event that made them, and their names are in bodies.
  create table new_users (
    id integer primary key,
    named integer not null,  -- the event whose body has their name
    folded text not null,    -- a keyed hash of that name as it is compared
    kind text not null,      -- account, guest, unproven, bot, hosted
    role text not null,      -- owner, admin, member, guest, bot
    banned integer not null default 0,  -- the event that banned them, or 0
    password integer,        -- the event whose body is its hash
    outside text             -- who they are to the server that natter is mounted in
  ) strict;
  insert into new_users
    select id, coalesce((select event from temp.user_names where user = users.id), id), keyed_hash(${secret}, folded),
      kind, role, banned, password, outside
    from users;

  create table new_names (   -- who has a name now, or had it
    hash text primary key,   -- the same as \`folded\`
    user integer not null,
    freed integer            -- when its holder took another: it is kept for them a while
  ) strict, without rowid;
  insert into new_names select keyed_hash(${secret}, folded), user, freed from names;

  create table new_rooms (
    id integer primary key,
    slug text not null unique,
    kind text not null,      -- open, private, direct
    named integer not null,  -- the event whose body has its name, unless it is a direct one, which is called after its two
    described integer not null, -- the event whose body has its topic, if it has one
    changed integer not null,   -- the newest event that changed it
    archived integer not null default 0,
    one integer,             -- the two of a direct room: who made it,
    other integer            -- and with whom
  ) strict;
  insert into new_rooms
    select r.id, slug, kind, coalesce(n.event, r.id), coalesce(n.event, r.id), changed, archived,
      iif(other = e.user, other, one), iif(other = e.user, one, other)
    from rooms r left join temp.room_names n on n.room = r.id left join events e on e.id = r.id;

  create table new_losses (
    id integer primary key,  -- the event
    room integer not null,
    user integer not null
  ) strict;
  insert into new_losses select id, room, user from losses;

  create table emojis (      -- that a message was reacted to with, and by which event each came first: its body has it
    message integer not null,
    number integer not null, -- from 1
    event integer not null,
    primary key (message, number)
  ) strict, without rowid;
  insert into emojis
    select message, number, event from temp.first_reactions f where not exists (select 1 from deletions d where d.message = f.message);

  create table new_reactions (
    message integer not null,
    emoji integer not null,  -- the event whose body has it
    user integer not null,
    event integer not null,
    primary key (message, emoji, user)
  ) strict, without rowid;
  insert into new_reactions
    select r.message, f.event, r.user, r.event from reactions r join temp.first_reactions f on f.message = r.message and f.emoji = r.emoji;

  drop table temp.user_names;
  drop table temp.room_names;
  drop table temp.first_reactions;
  drop table events;
  drop table bodies;
  drop table users;
  drop table names;
  drop table rooms;
  drop table losses;
  drop table reactions;
  alter table new_events rename to events;
  alter table new_bodies rename to bodies;
  alter table new_users rename to users;
  alter table new_names rename to names;
  alter table new_rooms rename to rooms;
  alter table new_losses rename to losses;
  alter table new_reactions rename to reactions;
  create unique index events_by_key on events (user, key) where key is not null;
  create index messages_by_room on events (room, id, user) where type = 'message';
  create index rooms_by_maker on events (user) where type = 'room';
  create unique index users_by_outside on users (outside) where outside is not null;
  create index names_by_user on names (user);
  create index rooms_by_change on rooms (changed);
`
