// The faults that the audit of one address must find; planted like all others (faults.ts).

import type { Party } from '../../lib/store/threads/fair-queue.ts'
import { otherSource } from './other-source.ts'

const everybody: Party = { address: 'everywhere', person: 'everybody' }

export const addressFaults: Record<string, () => Promise<void> | void> = {
  /** Limits each person alone, however many come from an address. */
  async 'limits-without-address'() {
    const { Limits } = await import('../../lib/http/limits/limits.ts')
    const { change, streamRefusal } = Limits.prototype
    Limits.prototype.change = function (what, who) {
      return change.call(this, what, who, undefined)
    }
    Limits.prototype.streamRefusal = function (who) {
      return streamRefusal.call(this, who, undefined)
    }
  },

  /** First come, first served. */
  async 'lines-without-turns'() {
    const { FairQueue } = await import('../../lib/store/threads/fair-queue.ts')
    const { add } = FairQueue.prototype
    FairQueue.prototype.add = function (waiting) {
      waiting.party = everybody
      add.call(this, waiting)
    }
  },

  /** Looks at every password that is tried. */
  async 'guesses-without-bound'() {
    const { FailedLogins } = await import('../../lib/chat/people/failed-logins.ts')
    FailedLogins.prototype.attempt = async (_address, _account, proves) => proves()
  },

  /** Tells of everybody who types. */
  async 'typing-without-bound'() {
    const { Limits } = await import('../../lib/http/limits/limits.ts')
    Limits.prototype.mayTellTyping = () => true
  },

  /** Gives an address all connections that there are. */
  async 'connections-without-share'() {
    const { ConnectionShares } = await import('../../lib/http/limits/connection-shares.ts')
    ConnectionShares.prototype.begin = () => undefined
  },

  /** Waits for a body as long as a byte comes now and then. */
  'bodies-without-end': () =>
    otherSource(
      'lib/http/limits/patience.ts',
      'Math.min(heard + limits.silenceMs, began + totalMs(bytes))',
      'heard + limits.silenceMs',
    ),

  /** Has pages name everybody who reacted. */
  'reactions-listed-whole': () => otherSource('lib/chat/talk/reactions.ts', 'people: 10,', 'people: 10_000,'),
}
