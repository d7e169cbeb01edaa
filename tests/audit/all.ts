// The audits, in the order in which they run.

import type { Audit } from './audit.ts'
import churn from './churn.ts'
import clock from './clock.ts'
import crash from './crash.ts'
import damagedData from './damaged-data.ts'
import deletion from './deletion.ts'
import diskFull from './disk-full.ts'
import oneAddress from './one-address.ts'
import logins from './logins.ts'
import powerLoss from './power-loss.ts'
import reconnect from './reconnect.ts'
import requestFuzz from './request-fuzz.ts'
import stoppedReaders from './stopped-readers.ts'
import slowDisk from './slow-disk.ts'
import stop from './stop.ts'

export const audits: readonly Audit[] = [
  crash,
  powerLoss,
  deletion,
  reconnect,
  stoppedReaders,
  churn,
  diskFull,
  slowDisk,
  logins,
  oneAddress,
  clock,
  damagedData,
  stop,
  requestFuzz,
]
