// The entry of the writing thread: the store's commit loop, run with the chat's rules.

import { runCommitLoop } from '../../store/log/commit-loop.ts'
import { apply } from './apply.ts'

runCommitLoop(apply)
