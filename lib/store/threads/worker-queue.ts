// A queue of jobs, and one thread that does them one after the other, so that the event loop waits for none. Its places are
// shared fairly between those who ask (fair-queue.ts). The thread starts with the first job, and again if it died. It does
// not know what the jobs are.

import { ChatError } from '../../errors.ts'
import { FairQueue, type Party } from './fair-queue.ts'
import { WorkerThread } from './worker-thread.ts'

export interface WorkerQueueOptions {
  /** The module that the thread runs, without `.ts` or `.js`: it answers each request with one response. */
  entry: URL
  /** What the thread does, in a word or two: errors call it "the thread that …". */
  does: string
  /** The thread finds this as its `workerData`. */
  data?: unknown
  /** How many jobs may wait behind the running one. Above that the last job of whoever has most is refused as `busy`. */
  waitingMax: number
  busy: { message: string; retryAfter: number }
  /** How long the thread stays without a job, before it gives back its memory. */
  idleMs: number
}

interface Job<Request, Response> extends PromiseWithResolvers<Response> {
  party: Party
  makeRequest: () => Request
}

export class WorkerQueue<Request, Response> {
  readonly #options: WorkerQueueOptions
  readonly #waiting = new FairQueue<Job<Request, Response>>()
  #running: Job<Request, Response> | undefined
  #thread: WorkerThread<Request, Response> | undefined
  #idleTimer: NodeJS.Timeout | undefined
  #closed = false

  constructor(options: WorkerQueueOptions) {
    this.#options = options
  }

  /** How many jobs, running or waiting, are for parties that match. */
  count(matches: (party: Party) => boolean): number {
    const jobs = this.#running ? [this.#running, ...this.#waiting.all] : this.#waiting.all
    return jobs.filter(({ party }) => matches(party)).length
  }

  /**
   * The thread's response. `makeRequest` is called when the job's turn comes.
   * @throws ChatError `busy`, `stopping`, or what `makeRequest` throws
   */
  async run(makeRequest: () => Request, party: Party): Promise<Response> {
    if (this.#closed) throw stopping()
    const job = { party, makeRequest, ...Promise.withResolvers<Response>() }
    this.#waiting.add(job)
    if (!this.#running) this.#runNext()
    else if (this.#waiting.size > this.#options.waitingMax) this.#refuseOne(party)
    return job.promise
  }

  /** Waits for the running job; those that wait are refused. */
  async close(): Promise<void> {
    this.#closed = true
    for (let job = this.#waiting.next(); job; job = this.#waiting.next()) job.reject(stopping())
    await this.#running?.promise.catch(() => {}) // whoever asked for it handles its failure
    await this.#thread?.terminate()
  }

  #refuseOne(newcomer: Party): void {
    const { busy } = this.#options
    this.#waiting.drop(newcomer).reject(new ChatError('busy', busy.message, busy))
  }

  #runNext(): void {
    clearTimeout(this.#idleTimer)
    this.#running = this.#waiting.next()
    if (!this.#running) return this.#rest()
    try {
      const request = this.#running.makeRequest()
      this.#thread ??= this.#startThread()
      // The process must not end while somebody waits.
      this.#thread.keepProcessAlive(true)
      this.#thread.post(request)
    } catch (error) {
      this.#finish(({ reject }) => reject(error))
    }
  }

  #rest(): void {
    this.#thread?.keepProcessAlive(false)
    const giveUpThread = () => {
      void this.#thread?.terminate()
      this.#thread = undefined // the next job starts another
    }
    this.#idleTimer = setTimeout(giveUpThread, this.#options.idleMs).unref()
  }

  #startThread(): WorkerThread<Request, Response> {
    const { entry, does, data } = this.#options
    const thread = new WorkerThread<Request, Response>({ entry, name: `thread that ${does}`, data })
    thread.listen({
      onMessage: (response) => this.#finish(({ resolve }) => resolve(response)),
      onDeath: (error) => {
        this.#thread = undefined
        this.#finish(({ reject }) => reject(error))
      },
    })
    return thread
  }

  #finish(settle: (job: Job<Request, Response>) => void): void {
    const job = this.#running
    this.#running = undefined
    if (job) settle(job)
    this.#runNext()
  }
}

function stopping(): ChatError {
  return new ChatError('stopping', 'natter is stopping; try again in a moment')
}
