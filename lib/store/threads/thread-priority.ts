// Lets a thread give way to the rest of the process: the event loop and the writer have to go on while others compute.

import { readlinkSync } from 'node:fs'
import { getPriority, setPriority } from 'node:os'

const niceness = 10

/** Lowers the priority of the calling thread. On Linux a thread has one of its own; elsewhere it would be that of the whole process, and is left as it is. */
export function lowerPriority(): void {
  if (process.platform !== 'linux') return
  try {
    const [pid, , thread] = readlinkSync('/proc/thread-self').split('/').map(Number)
    // A /proc of another container knows us by other numbers.
    if (pid === process.pid) setPriority(thread!, Math.min(19, getPriority(thread) + niceness))
  } catch {
    // No /proc, or no right to do it: the thread then takes its share like any other.
  }
}
