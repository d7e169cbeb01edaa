// What each event does to the data, and when it may not. `apply` is the only code that changes the database, and the same
// events lead to the same data wherever they are applied: there is no clock here but the event's id, no randomness, nothing
// from Unicode's tables, and no look at a body to decide. The rules themselves are in *-rules.ts.

import { ChatError, type Refusal } from '../../errors.ts'
import type { Database } from '../../store/database.ts'
import type { NewEvent, Outcome } from '../../store/log/event-log.ts'
import { isTypeWith } from '../../store/log/event-types.ts'
import { blockRules } from './block-rules.ts'
import { inviteRules } from './invite-rules.ts'
import { logRules } from './log-rules.ts'
import { knownRules, type LogEvent } from '../../store/log/log-events.ts'
import { roomRules } from './room-rules.ts'
import type { Rule } from './rule.ts'
import { talkRules } from './talk-rules.ts'
import { userRules } from './user-rules.ts'

const ruleOf: { [Type in LogEvent['type']]: Rule<Extract<LogEvent, { type: Type }>> } = {
  ...logRules,
  ...roomRules,
  ...talkRules,
  ...userRules,
  ...inviteRules,
  ...blockRules,
}

/** Carries an event out under this id, or says why not and changes nothing. */
export function apply(database: Database, event: NewEvent, id: number): Outcome {
  const judged = earlier(database, event) ?? judge(database, event, id)
  if (judged) return judged
  const written = ruleFor(event).carryOut(database, event as LogEvent, id) ?? event
  database.insertEvent(id, written as NewEvent)
  return { id }
}

/** What became of the same request when it came first. */
export function earlier(database: Database, { user, room, key, print }: NewEvent): Outcome | undefined {
  const found = key !== undefined && user !== undefined && database.eventByKey(user, key)
  if (!found) return undefined
  // The room is compared as well: two texts can have the same short print, and the right to see the first room may be lost by now.
  if (found.print === print && found.room === (room ?? null)) return { id: found.id, repeated: true }
  return {
    refused: {
      code: 'key_reused',
      message: 'this Idempotency-Key was used for another request; make a new key for each message',
    },
  }
}

/** Why an event may not be at the time `now` (as an id): undefined if it may. */
export function judge(database: Database, asked: NewEvent, now: number): { refused: Refusal } | undefined {
  try {
    // An older natter must not pass over what a newer one has written: its data would differ from then on.
    if (!knownRules.includes(asked.rules))
      throw new Error(`the event ${asked.type} is of rules ${asked.rules}, and only ${knownRules} are known`)
    // What was appended came from the operations, which make nothing but these.
    const event = asked as LogEvent
    // Whoever is banned does nothing more but go. Where the user is who comes or goes the rules look at who does it.
    const doer =
      'user' in event && event.user !== undefined && !isTypeWith('userIsDoneTo', event.type)
        ? database.people.user(event.user)
        : undefined
    if (doer && doer.banned !== 0) throw new ChatError('banned', 'you are banned here')
    ruleFor(asked).check(database, event, now)
    return undefined
  } catch (error) {
    if (error instanceof ChatError) return { refused: { code: error.code, message: error.message } }
    throw error
  }
}

function ruleFor({ type }: NewEvent): Rule<LogEvent> {
  if (!Object.hasOwn(ruleOf, type)) throw new Error(`there is no event ${type}`)
  // The rule of an event's own type takes that event.
  return ruleOf[type as LogEvent['type']] as Rule<LogEvent>
}
