// Lowers the priority of a thread that computes, so that the event loop and the writing thread go on meanwhile.

import { readlinkSync } from 'node:fs'
import { getPriority, setPriority } from 'node:os'

const niceness = 10

/** Of the calling thread, on Linux. Elsewhere only a whole process has a priority, and it is left as it is. */
export function lowerPriority(): void {
  if (process.platform !== 'linux') return
  try {
    const [pid, , thread] = readlinkSync('/proc/thread-self').split('/').map(Number)
    // In a /proc of another container we have other numbers.
    if (pid === process.pid) setPriority(thread!, Math.min(19, getPriority(thread) + niceness))
  } catch {
    // No /proc, or no right to do it: the thread keeps its priority.
  }
}
