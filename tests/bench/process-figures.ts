// What Linux says of a process in /proc; NaN where there is none.

import { existsSync, readdirSync, readFileSync } from 'node:fs'

const ticksPerSecond = 100 // what Linux counts in, whatever the machine

/** Why nothing can be known of a process on this system, if so. */
export function whyUnknown(): string | undefined {
  return existsSync('/proc/self/stat') ? undefined : 'there is no /proc here'
}

/** Seconds that all threads of a process spent on a processor. */
export function cpuSecondsOf(pid: number): number {
  return cpuSecondsIn(read(`/proc/${pid}/stat`))
}

/** Those of the thread that it began with: in Node that is the event loop. */
export function mainThreadSecondsOf(pid: number): number {
  return cpuSecondsIn(read(`/proc/${pid}/task/${pid}/stat`))
}

function cpuSecondsIn(stat: string): number {
  // The name, in parentheses, may hold anything; after it, user and system time are the 12th and 13th.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return (Number(fields[11] ?? NaN) + Number(fields[12] ?? NaN)) / ticksPerSecond
}

/** Of each thread of a process its name and its seconds, by its id. */
export function threadsOf(pid: number): Map<string, { name: string; seconds: number }> {
  const threads = new Map<string, { name: string; seconds: number }>()
  for (const id of list(`/proc/${pid}/task`)) {
    const stat = read(`/proc/${pid}/task/${id}/stat`)
    threads.set(id, { name: stat.slice(stat.indexOf('(') + 1, stat.lastIndexOf(')')), seconds: cpuSecondsIn(stat) })
  }
  return threads
}

/** Seconds that all processes together spent on the processors of this machine, and, of a virtual one, what other machines took from it. */
export function machineCpuSeconds(): number {
  const [user, nice, system, , , irq, softirq, steal] = (/^cpu +(.*)/.exec(read('/proc/stat'))?.[1] ?? '')
    .split(' ')
    .map(Number)
  return (
    [user, nice, system, irq, softirq, steal].reduce<number>((sum, ticks) => sum + (ticks ?? NaN), 0) / ticksPerSecond
  )
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

function list(folder: string): string[] {
  try {
    return readdirSync(folder)
  } catch {
    return []
  }
}
