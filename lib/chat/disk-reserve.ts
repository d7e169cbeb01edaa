// Who may still add something when the disk has little room left: it is the owner's to make room, and until then those who cost nothing must
// not take what is left from the others, nor all of them what the database itself needs.

import { ChatError } from '../errors.ts'
import type { Database } from '../store/database.ts'
import type { Space } from '../store/log/event-log.ts'
import { isTypeWith } from '../store/log/event-types.ts'
import type { LogEvent } from '../store/log/log-events.ts'
import { isGuest } from './rules/rights.ts'

const retryAfter = 60 // seconds: nobody makes room within a moment

/** @throws ChatError `storage_low` if there is not enough room for an event by whoever does it */
export function checkSpace(database: Database, space: Space, event: LogEvent): void {
  if (space === 'enough' || isAlways(database, event)) return
  if (space === 'last')
    throw new ChatError(
      'storage_low',
      'the disk is almost full: nothing can be added until the owner of this place has made room; reading and deleting go on',
      { retryAfter },
    )
  if (!isByAccount(database, event))
    throw new ChatError(
      'storage_low',
      'the disk has little room left: until the owner of this place has made some, only those with an account can add something',
      { retryAfter },
    )
}

// What takes something or somebody away, and what whoever does that needs first: to come in by their password, or to be known to the host.
function isAlways(database: Database, event: LogEvent): boolean {
  if (isTypeWith('onFullDisk', event.type)) return true
  // Others do in some cases.
  switch (event.type) {
    case 'reaction':
      return !event.facts.on
    case 'room_change':
      return event.facts.archived === true && Object.keys(event.facts).length === 1
    case 'hosted':
      return database.people.userByOutside(event.facts.outside) !== undefined
    default:
      return false
  }
}

function isByAccount(database: Database, event: LogEvent): boolean {
  if (event.type === 'hosted') return event.facts.role !== 'guest'
  // Of a join it is who adds somebody.
  const doer = (event.type === 'join' && event.facts?.by) || ('user' in event ? event.user : undefined)
  // Without anybody it is a newcomer, or natter itself.
  if (doer === undefined) return event.type !== 'user'
  const user = database.people.user(doer)
  return user !== undefined && !isGuest(user)
}
