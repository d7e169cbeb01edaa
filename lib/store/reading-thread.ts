// The line of searches that wait, and the thread that carries them out one at a time, so that the event loop waits for none.
// The thread starts with the first one, and again should it die. Has never heard of who asks for what.

import { extname } from 'node:path'
import { Worker } from 'node:worker_threads'
import { ChatError } from '../errors.ts'
import type { SearchFound, SearchQuery } from './search-tables.ts'
import { damaged } from './sqlite-errors.ts'

const limits = {
  waiting: 100, // at 50 ms each, five seconds at the worst
  waitingOfOne: 10, // who asks: nobody can fill the line alone
}

export type ToReader = SearchQuery | 'close'
export type FromReader = SearchFound | { failed: string; damage: string | undefined }

interface Waiting extends PromiseWithResolvers<SearchFound> {
  asker: number
  query: () => SearchQuery
}

// TypeScript beside our own source, and JavaScript in the published package.
const reader = new URL(`./reader${extname(import.meta.url)}`, import.meta.url)
const stopping = () => new ChatError('stopping', 'natter is stopping; try again in a moment')

export class ReadingThread {
  readonly #file: string
  readonly #onDamage: (cause: string) => void
  #worker: Worker | undefined
  #exited: Promise<unknown> | undefined
  /** The first is under way. */
  #line: Waiting[] = []
  #closed = false

  /** `onDamage` is told when a page of the file can't be read. */
  constructor(file: string, onDamage: (cause: string) => void) {
    this.#file = file
    this.#onDamage = onDamage
  }

  /**
   * `query` is called when its turn comes: what somebody may see is asked then, not when they came.
   * @throws ChatError `busy`, `too_many`, `stopping`, `storage_damaged`, or what `query` throws
   */
  async search(asker: number, query: () => SearchQuery): Promise<SearchFound> {
    if (this.#closed) throw stopping()
    if (this.#line.length > limits.waiting) throw new ChatError('busy', 'too many are searching right now; try again in a moment', { retryAfter: 1 })
    const own = this.#line.filter((waiting) => waiting.asker === asker).length
    if (own >= limits.waitingOfOne) throw new ChatError('too_many', `${own} of your searches are waiting; try again when they are answered`, { retryAfter: 1 })
    const waiting: Waiting = { asker, query, ...Promise.withResolvers<SearchFound>() }
    if (this.#line.push(waiting) === 1) this.#next()
    return waiting.promise
  }

  /** Call it before the writer closes: the last one to close empties the write-ahead log. */
  async close(): Promise<void> {
    this.#closed = true
    for (const { reject } of this.#line.splice(1)) reject(stopping())
    this.#worker?.postMessage('close' satisfies ToReader)
    await this.#exited
  }

  #next(): void {
    try {
      const query = this.#line[0]?.query()
      if (query) (this.#worker ??= this.#start()).postMessage(query satisfies ToReader)
    } catch (error) {
      this.#finish(({ reject }) => reject(error))
    }
  }

  #start(): Worker {
    // What the program was started with is not for it: with `--input-type` a worker can't run a file at all.
    const worker = new Worker(reader, { name: 'search', execArgv: [], workerData: this.#file })
    let cause: unknown = 'it ended'
    worker.on('message', (message: FromReader) => this.#answered(message))
    worker.on('error', (error) => (cause = error))
    this.#exited = new Promise<void>((resolve) => worker.on('exit', resolve)).then(() => {
      this.#worker = undefined
      this.#finish(({ reject }) => reject(new Error('the thread that searches died', { cause })))
    })
    return worker
  }

  #answered(message: FromReader): void {
    if ('found' in message) return this.#finish(({ resolve }) => resolve(message))
    if (message.damage !== undefined) this.#onDamage(message.damage)
    this.#finish(({ reject }) => reject(message.damage === undefined ? new Error(`searching failed: ${message.failed}`) : new ChatError(damaged.code, damaged.message)))
  }

  #finish(settle: (waiting: Waiting) => void): void {
    this.#line.splice(0, 1).forEach(settle)
    this.#next()
  }
}
