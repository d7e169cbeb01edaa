// Waiting for something that nobody tells us of: looked at again and again, until it is so or has taken too long.

import { setTimeout as sleep } from 'node:timers/promises'

/** True as soon as `claim` is; false if it is not within this time. */
export async function until(claim: () => boolean | Promise<boolean>, withinMs: number, everyMs = 20): Promise<boolean> {
  const last = performance.now() + withinMs
  while (!(await claim())) {
    if (performance.now() > last) return false
    await sleep(everyMs)
  }
  return true
}
