// A worker thread: how it starts, how it ends, and how each way in which it can fail becomes one error. It does not know what
// its messages mean.

import { extname } from 'node:path'
import { Worker } from 'node:worker_threads'
import { describe } from '../../log.ts'

export interface WorkerThreadOptions {
  /** The module that it runs. `.ts` or `.js` may be left out: it is then the same as here. */
  entry: URL
  /** What it is called in errors and by debuggers, such as "writing thread". */
  name: string
  /** It finds this as its `workerData`. */
  data: unknown
  /** Whether it runs with the flags that the process was started with, such as `--import`. Otherwise it has none. */
  inheritsFlags?: boolean
}

export interface ThreadListener<Response> {
  onMessage: (message: Response) => void
  /** Called once, after the last message, if the thread ends by itself: it answers nothing any more. */
  onDeath: (error: Error) => void
}

export class WorkerThread<Request, Response> {
  readonly #worker: Worker
  readonly #exited: Promise<void>
  #listener: ThreadListener<Response> = nobody
  #ending = false

  /** Starts it. Call `listen` before anything else happens, or its first messages are lost. */
  constructor({ entry, name, data, inheritsFlags = false }: WorkerThreadOptions) {
    const worker = new Worker(withExtension(entry), {
      name,
      workerData: data,
      ...(inheritsFlags && canInheritFlags() ? {} : { execArgv: [] }),
    })
    let failure: unknown
    worker.on('message', (message: Response) => this.#listener.onMessage(message))
    worker.on('error', (error) => (failure = error))
    worker.on('messageerror', (error) => {
      // Whoever waits for this message would wait without end.
      failure = error
      void worker.terminate()
    })
    this.#exited = new Promise((resolve) => {
      worker.on('exit', () => {
        resolve()
        if (this.#ending && failure === undefined) return
        this.#listener.onDeath(new Error(`the ${name} died: ${describe(failure ?? 'it ended')}`))
      })
    })
    this.#worker = worker
  }

  /** Replaces the listener. */
  listen(listener: ThreadListener<Response>): void {
    this.#listener = listener
  }

  post(message: Request): void {
    this.#worker.postMessage(message)
  }

  /** Whether the process stays alive for this thread. */
  keepProcessAlive(alive: boolean): void {
    if (alive) this.#worker.ref()
    else this.#worker.unref()
  }

  /** Sends a last message, on which the thread closes its port, and waits for its end. */
  async endWith(message: Request): Promise<void> {
    this.#ending = true
    this.post(message)
    await this.#exited
  }

  /** Ends it at once; the listener is not called any more. */
  async terminate(): Promise<void> {
    this.#listener = nobody
    await this.#worker.terminate()
  }
}

const nobody: ThreadListener<unknown> = { onMessage: () => {}, onDeath: () => {} }

// In our source the modules are TypeScript, in the published package JavaScript.
function withExtension(entry: URL): URL {
  return extname(entry.pathname) === '' ? new URL(entry.href + extname(import.meta.url)) : entry
}

// A host's program may be no file (`node --input-type=module -e …`). A thread always runs a file, and Node refuses it that flag.
function canInheritFlags(): boolean {
  return !process.execArgv.some((flag) => flag.startsWith('--input-type'))
}
