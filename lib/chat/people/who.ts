// Who asks, as every operation is told it.

import type { TokenRow, UserRow } from '../../store/tables/people-tables.ts'

/** A user, by the hash of their session, by a token, or otherwise. */
export type KnownUser = { kind: 'user'; user: UserRow; session?: string; token?: TokenRow }

/** A user; a name that nothing proves yet; or nobody. */
export type Who =
  | KnownUser
  | { kind: 'claim'; claims: string }
  | {
      kind: 'nobody'
      /** A session was shown, and is over. */
      loggedOut?: true
    }

/** The user who asks, or 0. */
export function userIn(who: Who): number {
  return who.kind === 'user' ? who.user.id : 0
}

/** The user whose rights count beside theirs: of a token its maker. */
export function makerIn(who: Who): number | undefined {
  return who.kind === 'user' ? who.token?.maker : undefined
}

export function hasScope(token: TokenRow | undefined, scope: 'read' | 'write'): boolean {
  return token === undefined || token.scopes.split(' ').includes(scope)
}

/** The rooms that a token is bound to, if it is. */
export function roomsOfToken(who: Who): readonly number[] | undefined {
  if (who.kind !== 'user' || !who.token || who.token.rooms === null) return undefined
  return JSON.parse(who.token.rooms) as number[] // the log's own JSON
}

/** Is the room one that a token gives a way to? */
export function inToken(who: Who, room: number): boolean {
  return roomsOfToken(who)?.includes(room) ?? true
}
