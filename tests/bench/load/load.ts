// The load program, as who measures sees it: a process on a core of its own, that is told what to do.

import { spawn, type ChildProcess } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { cores, pinned, type Leftovers } from '../started-process.ts'
import type { LoadOrder, LoadReport, MeasuringOrder, OpenOrder } from './orders.ts'

const program = fileURLToPath(new URL('process.ts', import.meta.url))

export class Load {
  #child: ChildProcess
  #leftovers: Leftovers
  /** Whoever takes too long may have been ended by others. */
  #over: Promise<void>

  constructor(leftovers: Leftovers) {
    // As JSON a NaN, for what was not measured, would arrive as null.
    const [command, parameters] = pinned(cores.load, process.execPath, [program])
    this.#child = spawn(command, parameters, {
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
      serialization: 'advanced',
    })
    this.#over = new Promise((resolve) => this.#child.once('exit', () => resolve()))
    this.#leftovers = leftovers
    leftovers.processes.add(this.#child)
  }

  /** Resolves when all readers have been answered and it is quiet. */
  async open(order: Omit<OpenOrder, 'kind'>): Promise<void> {
    await this.#tell({ kind: 'open', ...order })
  }

  async measure(order: MeasuringOrder): Promise<LoadReport> {
    const report = await this.#tell(order)
    if (!report) throw new Error('the load program measured nothing')
    return report
  }

  #tell(order: LoadOrder): Promise<LoadReport | undefined> {
    return new Promise((resolve, reject) => {
      const ended = () => reject(new Error('the load program ended'))
      this.#child.once('exit', ended)
      this.#child.once('message', ({ report, failed }: { report?: LoadReport; failed?: string }) => {
        this.#child.off('exit', ended)
        if (failed === undefined) resolve(report)
        else reject(new Error(failed))
      })
      this.#child.send(order)
    })
  }

  async end(): Promise<void> {
    this.#child.kill('SIGKILL')
    await this.#over
    this.#leftovers.processes.delete(this.#child)
  }
}
