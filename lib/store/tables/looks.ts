// What names look like, as a migration from the eighth version of the file: of all names in use the skeletons of events get hashes of
// it, as new events have them. What is written here is kept for good.

import { keyedHash } from './keyed-hash.ts'
import { looksOf } from './look-alikes.ts'

/** What the SQL calls by this name. */
export const looksFunctions: Record<string, (...values: never[]) => string> = {
  hashed_looks: (secret: string, name: string) => JSON.stringify(looksOf(name).map((look) => keyedHash(secret, look))),
}

export const looks = `
  create table looks (       -- what the names look like that somebody has
    name text not null,      -- as in \`names\`
    look text not null,      -- a keyed hash of one of its forms: see look-alikes.ts
    primary key (name, look)
  ) strict, without rowid;
  create index names_by_look on looks (look);

  -- Only the events that gave the names of today still have a name.
  update events set facts = json_set(facts, '$.looks', json(hashed_looks((select secret from log), (select name from bodies where event = events.id))))
  where type in ('user', 'account', 'rename', 'hosted', 'token') and id in (select named from users)
    and exists (select 1 from bodies where event = events.id and name is not null and name not glob char(1) || '*');

  insert into looks
    select n.hash, l.value
    from names n join users u on u.id = n.user and u.folded = n.hash join events e on e.id = u.named, json_each(e.facts, '$.looks') l
    where n.freed is null;
`
