// A time that is measured, with what the processors did in it.

import { cpuSecondsOf, machineCpuSeconds, mainThreadSecondsOf } from '../process-figures.ts'

export interface Measured {
  count: number
  seconds: number
  /** Of the server, and of the load program, on their processors. */
  serverCpuSeconds: number
  loadCpuSeconds: number
  /** Of the server's, what its main thread had: in Node that is the event loop. */
  mainThreadSeconds: number
  /** Of everybody else on this machine. */
  othersCpuSeconds: number
}

export class Span {
  readonly #pid: number
  readonly #beganMs = performance.now()
  readonly #server: number
  readonly #mainThread: number
  readonly #machine = machineCpuSeconds()
  readonly #load = process.cpuUsage()

  /** `pid` is the server's. */
  constructor(pid: number) {
    this.#pid = pid
    this.#server = cpuSecondsOf(pid)
    this.#mainThread = mainThreadSecondsOf(pid)
  }

  /** `count` is what was done in it. */
  end(count: number): Measured {
    const { user, system } = process.cpuUsage(this.#load)
    const loadCpuSeconds = (user + system) / 1e6
    const serverCpuSeconds = cpuSecondsOf(this.#pid) - this.#server
    return {
      count,
      seconds: (performance.now() - this.#beganMs) / 1000,
      serverCpuSeconds,
      loadCpuSeconds,
      mainThreadSeconds: mainThreadSecondsOf(this.#pid) - this.#mainThread,
      othersCpuSeconds: machineCpuSeconds() - this.#machine - serverCpuSeconds - loadCpuSeconds,
    }
  }
}
