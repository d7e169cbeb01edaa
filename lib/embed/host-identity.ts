// Who somebody is in the words of the server that natter is mounted in: what its `identify` gives, brought into the form that is
// kept, or refused by name. Knows nothing of requests.

import type { User } from '../chat/streams/events.ts'
import type { HostedUser } from '../chat/people/people.ts'
import { shownName } from '../chat/people/names.ts'

/** Somebody as the server that natter is mounted in knows them. */
export interface Identity {
  /** Theirs for good, 1 to 200 characters: whoever comes with the same id later is the same user, under whatever name. */
  id: string
  /**
   * What others see, at most 40 characters (code points). A longer one is cut off, control and invisible characters are left
   * out, and where nothing is left the id stands in. A name that has changed is changed for everybody who looks.
   */
  name: string
  /** What they may do; `member` if left out. A role that has changed counts from the next request on. */
  role?: User['role'] | undefined
}

const idCharacters = 200 // of a host's id; natter keeps it with the user for good

const roles: readonly unknown[] = ['owner', 'admin', 'member', 'guest', 'bot'] satisfies User['role'][]

/**
 * Folds what can be folded.
 * @throws TypeError that says what is wrong with it, without repeating any of it: it goes to a log
 */
export function readIdentity(given: unknown): HostedUser {
  if (typeof given !== 'object' || given === null)
    throw new TypeError(
      `an identity must be an object like { id: '42', name: 'Ada' }, not ${given === null ? 'null' : `a ${typeof given}`}`,
    )
  const { id: rawId, name, role = 'member' }: { id?: unknown; name?: unknown; role?: unknown } = given
  // A database gives its keys as numbers; 42 and '42' are the same person.
  const id = Number.isSafeInteger(rawId) || typeof rawId === 'bigint' ? String(rawId) : rawId
  if (typeof id !== 'string' || id === '')
    throw new TypeError('an identity must have an id, a string that is not empty')
  if (id.length > idCharacters)
    throw new TypeError(
      `the id of an identity must have at most ${idCharacters} characters, and this one has ${id.length}`,
    )
  // SQLite keeps half a surrogate pair as another character, so two people could become one.
  if (!id.isWellFormed() || /\p{Cc}/u.test(id))
    throw new TypeError('the id of an identity must have no control characters and be well-formed Unicode')
  if (!roles.includes(role)) throw new TypeError(`the role of an identity must be one of ${roles.join(', ')}`)
  // It was just seen to be one of them.
  return {
    id,
    name: (typeof name === 'string' ? shownName(name) : undefined) ?? shownName(id) ?? 'somebody',
    role: role as User['role'],
  }
}
