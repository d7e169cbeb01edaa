// What Linux says of a process in /proc; NaN where there is none.

import { readFileSync } from 'node:fs'

const ticksPerSecond = 100 // what Linux counts in, whatever the machine

/** Seconds that all threads of a process spent on a processor. */
export function cpuSecondsOf(pid: number): number {
  const stat = read(`/proc/${pid}/stat`)
  // The name, in parentheses, may hold anything; after it, user and system time are the 12th and 13th.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return (Number(fields[11] ?? NaN) + Number(fields[12] ?? NaN)) / ticksPerSecond
}

/** Seconds that all processes together spent on the processors of this machine, and, of a virtual one, what other machines took from it. */
export function machineCpuSeconds(): number {
  const [user, nice, system, , , irq, softirq, steal] = (/^cpu +(.*)/.exec(read('/proc/stat'))?.[1] ?? '').split(' ').map(Number)
  return [user, nice, system, irq, softirq, steal].reduce<number>((sum, ticks) => sum + (ticks ?? NaN), 0) / ticksPerSecond
}

/** Memory that a process holds, in KiB. */
export function residentKiBOf(pid: number): number {
  return Number(/^VmRSS:\s+(\d+)/m.exec(read(`/proc/${pid}/status`))?.[1] ?? NaN)
}

function read(path: string): string {
  try {
    return readFileSync(path, 'latin1')
  } catch {
    return '' // there is no /proc on this system
  }
}
