// A line of jobs, and a thread that does them one after the other, so that the event loop waits for none. Those who ask take
// turns, and share the places (fair-line.ts). The thread starts with the first job, and again should it die. Has never heard of
// what the jobs are.

import { extname } from 'node:path'
import { Worker } from 'node:worker_threads'
import { ChatError } from '../../errors.ts'
import { describe } from '../../log.ts'
import { FairLine, type Party } from './fair-line.ts'

export interface WorkerLineOptions {
  /** What the thread runs, without `.ts` or `.js`: it answers each message with the result. */
  module: URL
  /** What it does, in a word or two: it is called by that. */
  does: string
  data?: unknown
  /** How many jobs may wait behind the one that is done; if there are more it is `busy` for the last one of whoever has most. */
  waiting: number
  busy: { message: string; retryAfter: number }
  /** How long without a job the thread goes on, before it gives back its memory. */
  idleMs: number
}

interface Waiting<Job, Result> extends PromiseWithResolvers<Result> {
  party: Party
  job: () => Job
}

export class WorkerLine<Job, Result> {
  readonly #options: WorkerLineOptions
  readonly #line = new FairLine<Waiting<Job, Result>>()
  #underWay: Waiting<Job, Result> | undefined
  #worker: Worker | undefined
  #idle: NodeJS.Timeout | undefined
  #closed = false

  constructor(options: WorkerLineOptions) {
    this.#options = options
  }

  /** How many jobs are under way or wait for parties like this. */
  jobsOf(like: (party: Party) => boolean): number {
    return [...(this.#underWay ? [this.#underWay] : []), ...this.#line.all].filter(({ party }) => like(party)).length
  }

  /**
   * `job` is called when its turn comes.
   * @throws ChatError `busy`, `stopping`, or what `job` throws
   */
  async do(job: () => Job, party: Party): Promise<Result> {
    const { waiting: most, busy } = this.#options
    if (this.#closed) throw stopping()
    const waiting = { party, job, ...Promise.withResolvers<Result>() }
    this.#line.add(waiting)
    if (!this.#underWay) this.#next()
    else if (this.#line.size > most) this.#line.drop(party).reject(new ChatError('busy', busy.message, busy))
    return waiting.promise
  }

  /** Waits for the job under way; no other is done. */
  async close(): Promise<void> {
    this.#closed = true
    for (let waiting = this.#line.next(); waiting; waiting = this.#line.next()) waiting.reject(stopping())
    await this.#underWay?.promise.catch(() => {})
    await this.#worker?.terminate()
  }

  #next(): void {
    clearTimeout(this.#idle)
    this.#underWay = this.#line.next()
    if (!this.#underWay) {
      this.#worker?.unref()
      this.#idle = setTimeout(() => {
        this.#worker?.terminate()
        this.#worker = undefined // the next job starts another
      }, this.#options.idleMs).unref()
      return
    }
    try {
      const job = this.#underWay.job()
      this.#worker ??= this.#start()
      // The process may not end while somebody waits.
      this.#worker.ref()
      this.#worker.postMessage(job)
    } catch (error) {
      this.#finish(({ reject }) => reject(error))
    }
  }

  #start(): Worker {
    const { module, does, data } = this.#options
    // TypeScript beside our own source, and JavaScript in the published package. What the program was started with is not for
    // the thread: with `--input-type` it can't run a file at all.
    const worker = new Worker(new URL(module.href + extname(import.meta.url)), {
      name: does,
      execArgv: [],
      workerData: data,
    })
    let cause: unknown = 'it ended'
    worker.on('message', (result: Result) => this.#finish(({ resolve }) => resolve(result)))
    worker.on('error', (error) => (cause = error))
    worker.on('exit', () => {
      if (worker !== this.#worker) return
      this.#worker = undefined
      this.#finish(({ reject }) => reject(new Error(`the thread that ${does} died: ${describe(cause)}`)))
    })
    return worker
  }

  #finish(settle: (waiting: Waiting<Job, Result>) => void): void {
    const done = this.#underWay
    this.#underWay = undefined
    if (done) settle(done)
    this.#next()
  }
}

function stopping(): ChatError {
  return new ChatError('stopping', 'natter is stopping; try again in a moment')
}
