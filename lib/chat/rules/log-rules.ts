// The rule of the first event of all, by which a log has its id and its secret.

import { ChatError } from '../../errors.ts'
import type { RulesOf } from './rule.ts'

export const logRules: RulesOf<'log'> = {
  log: {
    check(database) {
      if (database.log()) throw new ChatError('unchanged', 'this log has begun already')
    },
    carryOut: (database, { facts }, id) => database.insertLog(id, facts),
  },
}
