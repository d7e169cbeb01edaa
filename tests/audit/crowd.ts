// Many readers in a process of their own, so that they can be stopped as a whole and don't slow down who measures. They
// read only as much of a stream as it takes to tell a gap or a repeat: the ids.

import { fork, type ChildProcess } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import type { CrowdOrder, CrowdReport } from './crowd-process.ts'

export class Crowd {
  #child: ChildProcess
  #asked = 0
  #answers = new Map<number, (report: CrowdReport) => void>()
  #over = false

  static start(): Promise<Crowd> {
    const child = fork(fileURLToPath(new URL('crowd-process.ts', import.meta.url)), {
      env: { ...process.env, NODE_OPTIONS: '' },
    })
    return new Promise((resolve, reject) => {
      child.once('message', () => resolve(new Crowd(child)))
      child.once('exit', (code) => reject(new Error(`the crowd did not start: ${code}`)))
    })
  }

  constructor(child: ChildProcess) {
    this.#child = child
    child.on('message', ({ answer, report }: { answer: number; report: CrowdReport }) => {
      this.#answers.get(answer)?.(report)
      this.#answers.delete(answer)
    })
    child.on('exit', () => {
      this.#over = true
      for (const settle of this.#answers.values()) settle(nothing)
    })
  }

  get pid(): number {
    return this.#child.pid!
  }

  /** Gives an order and resolves with how the readers are then. */
  tell(order: CrowdOrder): Promise<CrowdReport> {
    if (this.#over) return Promise.resolve(nothing)
    const ask = ++this.#asked
    this.#child.send({ ask, order })
    return new Promise((resolve) => this.#answers.set(ask, resolve))
  }

  /** Stops or continues the process, as the terminal's ^Z does. */
  signal(name: 'SIGSTOP' | 'SIGCONT'): void {
    this.#child.kill(name)
  }

  async end(): Promise<void> {
    if (this.#over) return
    const over = new Promise((resolve) => this.#child.on('exit', resolve))
    this.#child.kill('SIGKILL')
    await over
  }
}

const nothing: CrowdReport = {
  readers: 0,
  open: 0,
  cutOff: 0,
  resets: 0,
  refused: 0,
  behind: 0,
  firstError: 'the crowd has ended',
}
