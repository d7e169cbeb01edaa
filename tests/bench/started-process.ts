// A server as a process of its own, on a core of its own where there is one to give. Whatever happens, none outlives this process.

import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { connect } from 'node:net'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { cpuSecondsOf } from './process-figures.ts'

export const cores = { server: 0, load: 1 }

const patienceMs = 20_000
const saidMax = 4096 // of what a server prints, to show it if it does not start
const canPin = availableParallelism() > 1 && spawnSync('taskset', ['-V']).status === 0

/** What keeps the server and the load apart, for the report. */
export const apart = canPin ? 'server on one core, load on another' : 'server and load on the same cores'

/** The command that runs another on one core. */
export function pinned(
  core: number,
  command: string,
  parameters: readonly string[],
): [command: string, parameters: string[]] {
  return canPin ? ['taskset', ['-c', String(core), command, ...parameters]] : [command, [...parameters]]
}

export interface StartedProcess {
  pid: number
  port: number
  /** From its start until it listened, and how much of the processors that took. */
  startMs: number
  startCpuSeconds: number
  /** Ends it: at once, unless it is asked kindly. */
  stop(signal?: 'SIGTERM' | 'SIGKILL'): Promise<void>
}

export interface StartOptions {
  /** It may have all processors of the machine, since nobody loads it. */
  anyCore?: boolean
  /** The port, for a server that does not tell it. */
  port?: number
}

/** Starts a server that prints `listening on http://127.0.0.1:PORT`, or was told its port. */
export async function startProcess(
  leftovers: Leftovers,
  command: string,
  parameters: readonly string[],
  { anyCore = false, port: told }: StartOptions = {},
): Promise<StartedProcess> {
  const began = performance.now()
  const whole = anyCore ? ([command, [...parameters]] as const) : pinned(cores.server, command, parameters)
  const child = spawn(whole[0], whole[1], { stdio: ['ignore', 'pipe', 'pipe'] })
  leftovers.processes.add(child)
  const over = new Promise<void>((resolve) => child.once('exit', () => resolve()))
  let said = ''
  const saysPort = new Promise<number>((resolve) => {
    const take = (chunk: Buffer) => {
      said = (said + chunk).slice(-saidMax)
      const [, port] = /listening on http:\/\/127\.0\.0\.1:(\d+)/.exec(said) ?? []
      if (port !== undefined) resolve(Number(port))
    }
    child.stdout.on('data', take)
    child.stderr.on('data', take)
  })
  const fails = new Promise<never>((_, reject) => {
    const failed = (how: string) => reject(new Error(`${command} ${parameters.join(' ')} ${how}: ${said}`))
    child.once('error', (error) => failed(error.message))
    child.once('exit', () => failed('ended'))
    setTimeout(() => failed('does not listen'), patienceMs).unref()
  })
  const port = await Promise.race([told === undefined ? saysPort : listens(told), fails]).catch((error) => {
    child.kill('SIGKILL')
    leftovers.processes.delete(child)
    throw error
  })
  return {
    // A process that listens has an id.
    pid: child.pid!,
    port,
    startMs: performance.now() - began,
    startCpuSeconds: cpuSecondsOf(child.pid!),
    async stop(signal = 'SIGKILL') {
      child.kill(signal)
      await over
      leftovers.processes.delete(child)
    },
  }
}

/** Resolves with the port as soon as somebody listens there. */
async function listens(port: number): Promise<number> {
  for (const until = performance.now() + patienceMs; performance.now() < until; await sleep(10)) {
    const socket = connect(port, '127.0.0.1')
    const connected = await new Promise((resolve) =>
      socket.on('connect', () => resolve(true)).on('error', () => resolve(false)),
    )
    socket.destroy()
    if (connected) break
  }
  return port
}

/** What has to be gone when this process ends, be it by an error or by ^C. */
export class Leftovers {
  readonly processes = new Set<ChildProcess>()
  readonly #folders = new Set<string>()

  constructor() {
    process.on('exit', () => this.remove())
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => process.exit(1))
  }

  /** A new folder on a real disk: /tmp may be in memory, where nothing is ever synced. */
  folder(): string {
    const folder = mkdtempSync(join(existsSync('/var/tmp') ? '/var/tmp' : tmpdir(), 'natter-bench-'))
    this.#folders.add(folder)
    return folder
  }

  removeFolder(folder: string): void {
    // Who writes there was just killed, and may be a moment about it.
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 })
    this.#folders.delete(folder)
  }

  killProcesses(): void {
    for (const child of this.processes) child.kill('SIGKILL')
  }

  remove(): void {
    this.killProcesses()
    for (const folder of this.#folders) this.removeFolder(folder)
  }
}
