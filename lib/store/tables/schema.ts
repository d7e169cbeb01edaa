// The tables, from the first version of the file's format to the newest. What is written here is kept for good.

import { looks } from './looks.ts'
import { skeletons } from './skeletons.ts'

/** Marks a file as natter's: "natr", in the header's place for it. */
export const applicationId = 0x6e617472

// Each entry brings the file from the version of its place to the next, in one transaction; entries never change.
export const migrations = [
  `
  -- The log. A row is a skeleton: it is never changed and never goes.
  create table events (
    id integer primary key,  -- microseconds since 1970, always greater than the one before
    type text not null,
    rules integer not null,  -- the version of the rules it was accepted under
    user integer,            -- whose doing or membership it is; null: natter itself
    name text,               -- that user's name then
    room integer,
    target integer,          -- the event or user it is about
    facts text,              -- what else its type needs to be applied, as JSON
    key text,                -- the Idempotency-Key it came with,
    print text               -- and the fingerprint of that request
  ) strict;
  create unique index events_by_key on events (user, key) where key is not null;
  create index messages_by_room on events (room, id) where type = 'message';

  -- What people wrote. A body can be emptied: its row stays, with as many bytes of char(1) as it had (see emptyBody).
  create table bodies (event integer primary key, text text not null) strict;

  -- The rest is what the log adds up to. Rooms and users have the id of the event that made them.
  create table users (
    id integer primary key,
    name text not null,
    kind text not null,      -- account, guest, unproven, bot, hosted
    role text not null       -- owner, admin, member, guest, bot
  ) strict;
  create table names (       -- who has a name now
    folded text primary key,
    user integer not null
  ) strict, without rowid;
  create table sessions (
    hash text primary key,   -- SHA-256 of the cookie's secret
    user integer not null,
    used integer not null,   -- the event that began or last renewed it: an id, and so microseconds
    ended integer            -- the event that ended it
  ) strict, without rowid;
  create index sessions_by_user on sessions (user);
  create table rooms (
    id integer primary key,
    slug text not null unique,
    name text not null,
    kind text not null,      -- open, private, direct
    changed integer not null -- the newest event that changed it
  ) strict;
  create index rooms_by_change on rooms (changed);
  create table members (
    room integer not null,
    user integer not null,
    since integer not null,
    primary key (room, user)
  ) strict, without rowid;
  create index members_by_user on members (user, room);

  create table deletions (   -- of messages, whose bodies are empty
    message integer primary key,
    event integer not null   -- that deleted it
  ) strict;

  -- Its content is a copy of its own, so that secure-delete can take a word out of it again.
  create virtual table search using fts5 (text, place, tokenize = "unicode61 remove_diacritics 2");
  insert into search (search, rank) values ('secure-delete', 1);
  `,
  `
  -- Accounts, rights, private and direct rooms, invites and tokens.
  alter table users add column folded text not null default '';    -- their name as it is compared
  alter table users add column banned integer not null default 0;  -- the event that banned them, or 0
  alter table users add column password integer;                   -- the event whose body is its hash
  alter table users add column outside text;                       -- who they are to the server that natter is mounted in
  update users set folded = coalesce((select json_extract(facts, '$.folded') from events where id = users.id), '');
  create unique index users_by_outside on users (outside) where outside is not null;

  alter table names add column freed integer;                      -- when its holder took another: it is kept for them a while
  create index names_by_user on names (user);

  alter table sessions add column began integer not null default 0;
  update sessions set began = user;                                -- there were only those that guests came in with

  alter table rooms add column topic text not null default '';
  alter table rooms add column archived integer not null default 0;
  alter table rooms add column one integer;                        -- the two of a direct room
  alter table rooms add column other integer;
  create index rooms_by_maker on events (user) where type = 'room';

  -- Who came into a room that is not open, by when, and who lost one: lists of rooms are replayed from it. A lobby of 100,000 is not in there.
  alter table members add column role text not null default 'member';  -- owner, member
  alter table members add column closed integer not null default 0;    -- the room is not open
  create index entries on members (since) where closed = 1;
  create index members_in_order on members (room, since);
  create table losses (
    id integer primary key,     -- the event
    room integer not null,
    user integer not null,
    name text                   -- theirs then
  ) strict;

  create table invites (
    id integer primary key,
    hash text not null unique,  -- SHA-256 of the code
    maker integer,              -- null: natter itself, for the first owner
    room integer,
    role text not null,         -- guest, member, admin, owner
    uses integer not null,      -- that are left
    expires integer not null,   -- microseconds, like ids
    ended integer
  ) strict;
  create table accepted (       -- who came by which invite; whether its room was entered already
    invite integer not null,
    user integer not null,
    entered integer not null,
    primary key (invite, user)
  ) strict, without rowid;

  create table tokens (
    id integer primary key,
    hash text not null unique,  -- SHA-256 of the token
    bot integer not null,
    maker integer not null,
    scopes text not null,       -- read, write, or both with a space between
    rooms text,                 -- the rooms' ids as JSON; null: all that the bot may see
    expires integer,
    ended integer
  ) strict;

  -- Edits, reactions, mentions, and how far people have read.
  create table edits (          -- of each message that was edited the newest, which has its text now
    message integer primary key,
    event integer not null
  ) strict;
  create table reactions (
    message integer not null,
    emoji text not null,
    user integer not null,
    event integer not null,
    primary key (message, emoji, user)
  ) strict, without rowid;
  create table mentions (       -- user 0: everyone in the room
    user integer not null,
    room integer not null,
    message integer not null,
    author integer not null,
    primary key (user, room, message)
  ) strict, without rowid;
  create index mentions_by_message on mentions (message);

  -- With whose each is, so that unread messages are counted from the index alone.
  drop index messages_by_room;
  create index messages_by_room on events (room, id, user) where type = 'message';

  -- Not made by the log: a row a person and room, and the last one wins.
  create table reads (
    user integer not null,
    room integer not null,
    event integer not null,
    primary key (user, room)
  ) strict, without rowid;
  `,
  `
  -- The search is a chain of tables, \`search_\` and the id of the first message in it: see search-tables.ts, which makes them.
  create table search_parts (
    first integer primary key,
    characters integer not null
  ) strict;
  create virtual table search_0 using fts5 (text, place, tokenize = "unicode61 remove_diacritics 2", columnsize = 0);
  insert into search_0 (search_0, rank) values ('secure-delete', 1);
  insert into search_parts (first, characters) values (0, 0);
  `,
  `insert into search_0 (search_0, rank) values ('automerge', 16)`, // see search-tables.ts
  skeletons,
  '', // the file is written anew, so that nothing of what the one before moved stays in it: see migrate.ts
  `
  -- Of whoever is banned, what is yet to be done away with. A room's \`archived\` is 2 from now on if somebody did it who governs the place.
  create table cleanups (
    user integer primary key,
    ban integer not null,       -- the event that asked for it
    by integer not null,        -- whose event that was
    rooms integer not null,     -- those they made are archived: 1 or 0
    messages integer not null   -- those they wrote are deleted
  ) strict;
  create index rooms_that_count on rooms (id) where kind <> 'direct' and archived < 2;
  `,
  `
  -- Who wants nothing more of whom. A row stays when that is over: what was said meanwhile still counts for nothing.
  create table blocks (
    user integer not null,
    target integer not null,
    since integer not null,     -- the event that began it
    until integer,              -- the one that ended it; null: it lasts
    room integer,               -- their direct room, if the user had it in their list until then
    primary key (user, target)
  ) strict, without rowid;
  create index blocks_by_time on blocks (user, since) where until is null;

  -- What was said in a direct room by who was blocked there, and what they had said before and changed then. The other never sees it.
  create table unseen (
    message integer primary key,
    user integer not null,
    event integer not null      -- the message itself, or its edit
  ) strict;
  alter table reactions add column unseen integer;  -- who does not see it

  -- Whom somebody has put into a room and is blocked by: they are in it for that one alone.
  create table shadows (
    room integer not null,
    user integer not null,
    adder integer not null,
    role text not null,         -- owner, member
    since integer not null,
    primary key (room, user, adder)
  ) strict, without rowid;
  create index shadows_by_user on shadows (user);

  -- Whoever left a direct room is still one of its two.
  create index direct_rooms_by_one on rooms (one) where one is not null;
  create index direct_rooms_by_other on rooms (other) where other is not null;
  create index losses_by_user on losses (user, id);
  `,
  looks,
  `
  -- How many react to a message with each emoji, and the reaction since which somebody does; each reaction says how many it made. So
  -- nobody has to count them, and whoever reads a page looks at the first few of each alone.
  update events set facts = json_set(facts, '$.count', c.count)
    from (select id, sum(iif(facts ->> '$.on', 1, -1)) over (partition by target, facts ->> '$.emoji' order by id) as count from events where type = 'reaction') c
    where c.id = events.id;
  alter table emojis add column count integer not null default 0;
  alter table emojis add column since integer not null default 0;
  update emojis set count = r.count from (select message, emoji, count(*) as count from reactions group by message, emoji) r where r.message = emojis.message and r.emoji = emojis.event;
  update emojis set since = e.since
    from (select target, facts ->> '$.emoji' as number, max(id) as since from events where type = 'reaction' and facts ->> '$.on' and facts ->> '$.count' = 1 group by 1, 2) e
    where e.target = emojis.message and e.number = emojis.number;
  create index emojis_in_use on emojis (message, since) where count > 0;
  create index reactions_in_order on reactions (message, emoji, event, unseen);
  `,
  `
  -- What is listed in pages is read along an index that has nothing else in it: of what is over, or not the reader's, there may be any number.
  create index open_rooms on rooms (id) where kind = 'open';
  create index rooms_of_many on rooms (changed) where kind <> 'direct';
  create index open_sessions on sessions (user, began) where ended is null;
  create index open_invites on invites (expires, id) where ended is null and uses > 0;
  create index open_invites_by_maker on invites (maker, expires, id) where ended is null and uses > 0;
  create index open_tokens on tokens (id) where ended is null;
  `,
  'create index shadows_by_adder on shadows (adder, room, user)',
]

/** The version of files that were written anew. */
export const rewritten = 6

/** The version of the files that this program writes. */
export const schemaVersion = migrations.length
