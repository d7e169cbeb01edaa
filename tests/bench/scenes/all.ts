// All scenes, in the order in which they are played.

import type { Scene } from '../scene.ts'
import { comingBack } from './coming-back.ts'
import { growth } from './growth.ts'
import { idle } from './idle.ts'
import { live } from './live.ts'
import { oldMessages } from './old-messages.ts'
import { page } from './page.ts'
import { start } from './start.ts'
import { threads } from './threads.ts'

export const scenes: readonly Scene[] = [
  ...live,
  ...idle,
  ...comingBack,
  ...start,
  ...oldMessages,
  ...page,
  ...growth,
  ...threads,
]
