// The same streams for the Fetch API: a `Response` whose body a framework reads at its own pace.

import type { Hub } from './hub.ts'
import type { EventMap, FollowOptions } from './hub-options.ts'
import { ServerSentEventsStream, type StreamOptions, type StreamResponse } from './server-sent-events-stream.ts'

const bufferBytes = 64 * 1024 // that a body holds before its stream waits for whoever reads it

/**
 * Answers a Fetch API request with a stream that follows topics of a hub: for route handlers of Hono, Next and the like.
 * The body is read with backpressure; cancelling it, or aborting the request, ends the stream.
 */
export function eventStreamResponse<Events extends EventMap>(
  request: Request,
  hub: Hub<Events>,
  topics: readonly string[],
  options: FollowOptions & StreamOptions = {},
): Response {
  return streamResponse(request, (stream) => hub.follow(stream, topics, options), options)
}

/** The same with a stream that `run` writes to. A `run` that throws ends it: its reader comes back, which is all it could do. */
export function streamResponse(
  request: Request,
  run: (stream: ServerSentEventsStream) => unknown,
  options: StreamOptions = {},
): Response {
  const body = new ResponseBody(request.signal)
  const stream = new ServerSentEventsStream(
    { method: request.method, url: request.url, headers: Object.fromEntries(request.headers) },
    body,
    options,
  )
  ;(async () => run(stream))().catch(() => stream.close())
  return new Response(request.method === 'HEAD' ? null : body.readable, { headers: body.headers })
}

/** What a stream takes for a response, with a web stream as its socket. */
class ResponseBody implements StreamResponse {
  destroyed = false
  headers: Record<string, string> = {}
  #controller!: ReadableStreamDefaultController<Uint8Array>
  #listeners = new Map<string, () => void>()
  readonly readable = new ReadableStream<Uint8Array>(
    {
      start: (controller) => void (this.#controller = controller),
      pull: () => this.#listeners.get('drain')?.(),
      cancel: () => this.#over(),
    },
    new ByteLengthQueuingStrategy({ highWaterMark: bufferBytes }),
  )

  constructor(signal: AbortSignal) {
    // An end and no error: the reader is gone, and whatever still holds the body would log that as a fault (@hono/node-server does).
    if (signal.aborted) this.end()
    else signal.addEventListener('abort', () => this.end(), { once: true })
  }

  get writableLength(): number {
    return bufferBytes - (this.#controller.desiredSize ?? bufferBytes)
  }

  writeHead(_status: number, headers: Record<string, string>): void {
    this.headers = headers
  }

  on(event: string, listener: () => void): void {
    this.#listeners.set(event, listener)
  }

  // A copy, since readers may do what they like with what they read, and frames are shared by all streams.
  write(chunk: Uint8Array): boolean {
    if (this.destroyed) return false
    this.#controller.enqueue(new Uint8Array(chunk))
    return (this.#controller.desiredSize ?? 0) > 0
  }

  end(): void {
    if (this.destroyed) return
    this.#controller.close()
    this.#over()
  }

  destroy(): void {
    if (this.destroyed) return
    this.#controller.error(new Error('the stream was cut off'))
    this.#over()
  }

  // As from a Node response, 'close' comes after the call that brought it about.
  #over(): void {
    this.destroyed = true
    queueMicrotask(() => this.#listeners.get('close')?.())
  }
}
