// The rules of blocking: somebody wants nothing more of somebody else.

import { ChatError } from '../../errors.ts'
import { hasBlocked, slugOfTwo } from '../rooms/direct.ts'
import { needsProof, type RulesOf } from './rule.ts'

const blockedMax = 1000 // by one person

export const blockRules: RulesOf<'block'> = {
  block: {
    check(database, { user: id, target, facts: { on } }) {
      const user = database.people.user(id)
      if (!user || user.kind === 'unproven') throw new ChatError('forbidden', needsProof)
      if (user.kind === 'bot') throw new ChatError('forbidden', 'a bot blocks nobody')
      if (!database.people.user(target))
        throw new ChatError('not_found', 'there is nobody of that name or id; GET /users lists who there is')
      if (id === target) throw new ChatError('invalid_request', 'nobody can block themselves')
      if (hasBlocked(database, id, target) === on)
        throw new ChatError('unchanged', on ? 'you have blocked them already' : 'you have not blocked them')
      if (on && database.blocks.blockCount(id) >= blockedMax)
        throw new ChatError(
          'forbidden',
          `you have blocked ${blockedMax} people, and can't block more; GET /blocks lists them`,
        )
    },
    carryOut(database, { user, target, facts: { on } }, id) {
      if (!on) return database.blocks.endBlock(user, target, id)
      const room = database.rooms.roomBySlug(slugOfTwo(user, target))
      const listed = room !== undefined && database.rooms.roleIn(room.id, user) !== undefined
      database.blocks.beginBlock({ user, target, since: id, room: listed ? room.id : null })
    },
  },
}
