// One response, written as an event stream. Knows nothing of topics, logs or other streams.

import { OutgoingMessage, ServerResponse } from 'node:http'
import { Readable, type Writable } from 'node:stream'
import { encodeComment, frameOf, Frames, type StreamEvent } from './frame.ts'

/** What a stream needs of a request: those of `node:http`, `https` and `http2` have it. */
export interface StreamRequest {
  readonly method?: string | undefined
  readonly url?: string | undefined
  readonly headers: Record<string, string | string[] | undefined>
  readonly socket?: {
    once(event: 'close', listener: () => void): unknown
    off(event: 'close', listener: () => void): unknown
  }
}

/** What a stream needs of a response: those of `node:http`, `https` and `http2` have it. */
export interface StreamResponse {
  /** Null for a response that waits for an earlier one on its connection. */
  readonly socket?: unknown
  readonly destroyed?: boolean
  /** Where HTTP/2 says whether it is destroyed. */
  readonly stream?: { readonly destroyed: boolean }
  readonly writableLength?: number
  writeHead(status: number, headers: Record<string, string>): unknown
  write(chunk: Uint8Array): boolean
  end(): unknown
  destroy(): unknown
  on(event: string, listener: () => void): unknown
}

/** What a stream can be fed from: a generator, a Node stream, a web stream. */
export type StreamSource =
  | AsyncIterable<string | Uint8Array | StreamEvent>
  | Iterable<string | Uint8Array | StreamEvent>

/** How a stream begins. */
export interface StreamOptions {
  /** How long the reader waits before it comes back, in ms. By default 2 to 5 s by chance, so that after a restart not all come at once. */
  retryMs?: number
}

const headers = {
  'content-type': 'text/event-stream; charset=utf-8',
  'cache-control': 'no-store, no-transform', // no-transform keeps compression away, which would hold frames back
  'x-accel-buffering': 'no', // nginx would collect frames until a buffer is full
  'x-content-type-options': 'nosniff',
}

const nothing = (): void => {}

const endTakenMs = 20_000 // for the reader to take what was sent before the end

/** A whole number of milliseconds between the two, by chance. */
export function between(leastMs: number, mostMs: number): number {
  return Math.round(leastMs + Math.random() * (mostMs - leastMs))
}

/**
 * Answers `request` with an endless `text/event-stream` (WHATWG HTML, "Server-sent events"). Headers that were set
 * on the response before go out with it. A HEAD request gets the headers and an end.
 */
export class ServerSentEventsStream {
  /** Where the reader wants to go on: the header `Last-Event-ID`, or else the query's `last_event_id`, `lastEventId` or `since`. */
  readonly lastEventId: string | undefined
  /** The id of the newest event that this stream was sent or passed over. */
  cursor = 0
  #response: StreamResponse
  /** Where frames go straight to, with their chunk header; undefined where the response has to write them. */
  #socket: Writable | undefined
  #open = true
  #needDrain = false
  #lastCall: NodeJS.Timeout | undefined
  #closed: Promise<void> | undefined
  /** Who is told when the response is over; undefined when it is. */
  #told: readonly ((stream: ServerSentEventsStream) => void)[] | undefined = []
  /** What whoever waits for the socket to take more waits for. */
  #draining: PromiseWithResolvers<void> | undefined
  /** Ends what waits for a source when the reader goes away. */
  #interrupt: (() => void) | undefined

  constructor(request: StreamRequest, response: StreamResponse, options: StreamOptions = {}) {
    this.lastEventId = lastEventIdOf(request)
    this.#response = response
    const over = () => this.#over()
    // A response whose reader went away before this line has had its 'close' already.
    if (response.destroyed ?? response.stream?.destroyed) over()
    else response.on('close', over)
    // On Node 22 a response that waits for an earlier one hears nothing of its connection's end.
    const connection = response.socket === null ? request.socket : undefined
    connection?.once('close', over)
    if (connection) this.whenClosed(() => connection.off('close', over))
    // What fails here is the reader's connection; its 'close' follows and says all there is to say.
    response.on('error', nothing)
    // All at once: set one by one they would be kept as long as the stream, half a kilobyte of them.
    response.writeHead(200, headers)
    // HEAD gets headers only: an endless body would be pumped into nowhere.
    if (request.method === 'HEAD') {
      this.close()
    } else {
      this.#socket = plainSocket(response)
      // A socket is listened to when it is full: most never are, and each listener takes its room.
      if (!this.#socket) response.on('drain', () => this.#drained())
      this.send({ retry: options.retryMs ?? between(2000, 5000) })
    }
  }

  get open(): boolean {
    return this.#open
  }

  /** Resolves when the response is over, whoever ended it. */
  get closed(): Promise<void> {
    return (this.#closed ??= new Promise((resolve) => this.whenClosed(() => resolve())))
  }

  /** Calls a function then, or now if it is over already: a promise for each of ten thousand streams would be felt. */
  whenClosed(listener: (stream: ServerSentEventsStream) => void): void {
    // No push, which makes room for many.
    if (this.#told) this.#told = this.#told.concat(listener)
    else listener(this)
  }

  /** True while the reader's socket is full: what is sent now waits in this process's memory. */
  get writableNeedDrain(): boolean {
    return this.#needDrain
  }

  /** How many bytes wait in this process's memory for the reader's socket. */
  get writableLength(): number {
    return (this.#socket ?? this.#response).writableLength ?? 0
  }

  /**
   * Sends one event. Returns false when the reader's socket is full: wait for `drained()` before the next one.
   * @throws TypeError if a field can't be written (see `encodeFrame`); nothing is sent then.
   */
  send(event: StreamEvent): boolean {
    return this.write(new Frames(frameOf(event)))
  }

  /** Sends a comment, which readers pass over. */
  comment(text: string): boolean {
    return this.write(encodeComment(text))
  }

  /** Sends frames that are encoded already; `frames` must hold whole ones. */
  write(frames: Uint8Array | Frames): boolean {
    // When a reader ends its side Node ends ours; writing on would be reported as an error of the server.
    if (!this.#open || this.#socket?.writable === false) return false
    // A chunk without bytes would be the end of the body.
    if (frames instanceof Uint8Array) return frames.length === 0 ? !this.#needDrain : this.write(new Frames(frames))
    const took = this.#socket ? this.#socket.write(frames.chunk) : this.#response.write(frames.bytes)
    if (!took && !this.#needDrain) {
      this.#needDrain = true
      this.#socket?.once('drain', () => this.#drained())
    }
    return !this.#needDrain
  }

  /**
   * Sends what a source gives, no faster than the reader takes it, and resolves when the source is at its end. A string, or
   * bytes of UTF-8, becomes an event's data; anything else is taken as the event itself. The stream stays open. When the
   * reader goes away the source is told to return, and no more is taken from it: a Node or web stream at once, a generator
   * when its own `await` is over.
   * @throws what the source throws, and TypeError if an item can't be written
   */
  async pipe(source: StreamSource): Promise<void> {
    // A web stream's own iterator can't be told to return while it hangs, a Node stream can be destroyed at any time.
    const stream =
      source instanceof ReadableStream ? Readable.fromWeb(source, { objectMode: true, highWaterMark: 1 }) : source
    const items = Symbol.asyncIterator in stream ? stream[Symbol.asyncIterator]() : stream[Symbol.iterator]()
    const decoder = new TextDecoder()
    try {
      while (this.#open) {
        // Not a race with `closed`: each round would leave a reaction on that promise for as long as the stream lives.
        const item = await new Promise<IteratorResult<string | Uint8Array | StreamEvent> | void>((resolve, reject) => {
          this.#interrupt = resolve
          Promise.resolve(items.next()).then(resolve, reject)
        })
        if (!item || item.done) break
        const text = item.value instanceof Uint8Array ? decoder.decode(item.value, { stream: true }) : item.value
        if (text === '') continue
        this.send(typeof text === 'string' ? { data: text } : text)
        await this.drained()
      }
    } finally {
      // Not awaited, since a source that hangs must not keep us; whether its return succeeds is its own affair.
      if (stream instanceof Readable) stream.destroy()
      else
        Promise.resolve()
          .then(() => items.return?.())
          .catch(() => {})
    }
  }

  /** Resolves when the socket takes more, or when the stream is over. */
  drained(): Promise<void> {
    if (!this.#open || !this.#needDrain) return Promise.resolve()
    return (this.#draining ??= Promise.withResolvers<void>()).promise
  }

  /** Ends the stream; what was sent still goes out. */
  close(): void {
    if (!this.#open) return
    this.#open = false
    this.#response.end()
    this.#drained()
    // A reader that has stopped reading would keep the connection, and what waits for it, for ever.
    this.#lastCall = setTimeout(() => this.#response.destroy(), endTakenMs).unref()
  }

  /** Cuts the connection, and drops what has not gone out. */
  destroy(): void {
    this.#open = false
    this.#response.destroy()
  }

  #over(): void {
    this.#open = false
    this.#interrupt?.()
    clearTimeout(this.#lastCall)
    this.#drained()
    const told = this.#told ?? []
    this.#told = undefined
    for (const listener of told) listener(this)
  }

  #drained(): void {
    this.#needDrain = false
    this.#draining?.resolve()
    this.#draining = undefined
  }
}

// Writing chunks straight to the socket saves most of what a write costs, and is safe only if nothing else writes: the
// response is Node's own and unwrapped (compression wraps `write`), its head is out, its body is chunked (not so for HTTP/1.0),
// and the socket is its own (not so behind a pipelined answer that is still to come). From then on nothing but the end goes by
// the response.
function plainSocket(response: StreamResponse): Writable | undefined {
  const { write, end } = OutgoingMessage.prototype
  if (!(response instanceof ServerResponse) || response.write !== write || response.end !== end) return undefined
  response.flushHeaders()
  const { socket } = response
  return response.chunkedEncoding &&
    socket &&
    response.writableLength === socket.writableLength &&
    response.writableCorked === 0
    ? socket
    : undefined
}

function lastEventIdOf(request: StreamRequest): string | undefined {
  const query = new URLSearchParams(/\?(.*)/.exec(request.url ?? '')?.[1])
  const header = String(request.headers['last-event-id'] ?? '')
  return header || query.get('last_event_id') || query.get('lastEventId') || query.get('since') || undefined
}
