// Waiting for something that nobody tells us of: looked at again and again, until it is so or has taken too long.

import { setTimeout as sleep } from 'node:timers/promises'
import { patienceMs } from '../chat-server.ts'

/** True as soon as `claim` is; false if it is not within this time. */
export async function until(claim: () => boolean | Promise<boolean>, withinMs: number, everyMs = 20): Promise<boolean> {
  const last = performance.now() + withinMs
  while (!(await claim())) {
    if (performance.now() > last) return false
    await sleep(everyMs)
  }
  return true
}

/** The same, where it is a fault if it never is. */
export async function soon(
  claim: () => boolean | Promise<boolean>,
  what: string,
  faults: string[],
  withinMs = patienceMs,
): Promise<boolean> {
  if (await until(claim, withinMs)) return true
  faults.push(`there were no ${what} within ${withinMs / 1000} s`)
  return false
}
