// The audits, in the order in which they run.

import type { Audit } from './audit.ts'
import crash from './crash.ts'

export const audits: readonly Audit[] = [
  crash,
]
