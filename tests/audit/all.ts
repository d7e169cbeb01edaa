// The audits, in the order in which they run.

import type { Audit } from './audit.ts'
import crash from './crash.ts'
import powerLoss from './power-loss.ts'

export const audits: readonly Audit[] = [
  crash,
  powerLoss,
]
