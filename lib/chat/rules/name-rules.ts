// The rules of names: who has one, for how long, and who makes way for whom. Names are told by their hashes alone: of what they are
// when compared (`folded`), and of what they look like (`looks`).

import { ChatError } from '../../errors.ts'
import type { Database } from '../../store/database.ts'
import type { UserRow } from '../../store/tables/people-tables.ts'
import type { NameFacts } from '../../store/log/log-events.ts'

/** How long a guest's session lasts unused, and how long a name is kept for who had it: microseconds. */
export const sessionLasts = 30 * 24 * 3600 * 1e6

const namesKept = 3 // of those that one had before; or else names could be taken by the hundred
const alikeLooked = 200 // at most, of the names that look alike: there are only more where another server gave them

/** Who asks for a name: somebody new, or the user of this id. `name` is only for the refusal. */
interface Wanted {
  rules: number
  folded: string
  looks: string[] | undefined
  name: string | undefined
  kind: UserRow['kind']
  id?: number
}

type Holder = UserRow & { freed: number | null }

/**
 * Who has a name keeps it: an account for good, a guest for as long as a session lasts after its last use; who took another
 * may come back to it for as long. A name that was only claimed makes way for somebody who comes in with it. Who is banned
 * keeps theirs for as long, so that nobody else is taken for them, and no name is gone for good. The same is true of a name that
 * looks like it; but names that were there before this was looked at stay.
 */
export function checkName(database: Database, wanted: Wanted, now: number): void {
  const { id, folded, name = '' } = wanted
  const holder = database.people.holderOf(folded)
  if (holder && holder.id !== id && keeps(database, holder, wanted, now))
    throw new ChatError('name_taken', `the name ${name} is somebody's already; choose another`)
  checkLooks(database, wanted, now)
}

/** Only that no other name looks like it. */
export function checkLooks(database: Database, wanted: Wanted, now: number): void {
  const { rules, id, folded, looks = [], name = '' } = wanted
  if (rules < 4) return
  const own = id === undefined ? undefined : database.people.user(id)?.folded
  // What looks as one's name does already may do so.
  const known = own !== undefined && database.people.holderOf(own)?.id === id ? database.people.looksOfName(own) : []
  for (const look of looks) {
    if (known.includes(look)) continue
    const alike = database.people.lookingLike(look, alikeLooked)
    const others = alike.filter(
      (holder) => holder.id !== id && holder.hash !== folded && keeps(database, holder, wanted, now),
    )
    if (others.length > 0 || alike.length === alikeLooked)
      throw new ChatError('name_taken', `the name ${name} looks like somebody else's; choose another`)
  }
}

function keeps(database: Database, holder: Holder, { rules, kind }: Wanted, now: number): boolean {
  if (holder.banned !== 0 && (rules < 3 || holder.banned + sessionLasts > now)) return true
  if (holder.freed !== null && holder.freed + sessionLasts <= now) return false
  if (holder.kind === 'guest' && database.people.lastSeen(holder.id) + sessionLasts <= now) return false
  return holder.kind !== 'unproven' || kind === 'unproven'
}

/** Gives a name to who was found to may have it. Names that were only claimed and look like it make way. */
export function giveName(
  database: Database,
  { rules, facts: { folded, looks = [] } }: { rules: number; facts: NameFacts },
  user: number,
): void {
  if (rules >= 4) {
    const alike = looks.flatMap((look) => database.people.lookingLike(look, alikeLooked))
    for (const { hash, kind, id } of alike)
      if (kind === 'unproven' && id !== user && hash !== folded) database.people.dropName(hash)
  }
  database.people.giveName(folded, user, looks)
}

/** The same for who has another until now: it is kept for them a while. */
export function changeName(
  database: Database,
  event: { rules: number; facts: NameFacts },
  { before, id }: { before: UserRow; id: number },
): void {
  if (before.folded !== event.facts.folded) database.people.freeName(before.folded, before.id, id)
  database.people.dropNames(before.id, { but: namesKept })
  giveName(database, event, before.id)
}
