// A server of streams as somebody would write it who uses the library, on a free port until the test is over.

import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { TestContext } from 'node:test'
import type { Hub } from '../../lib/sse/hub.ts'
import { ServerSentEventsStream } from '../../lib/sse/server-sent-events-stream.ts'
import { Listener } from '../chat-server.ts'

export async function serve(t: TestContext, listener: RequestListener): Promise<string> {
  const server = createServer(listener)
  t.after(() => {
    server.close()
    server.closeAllConnections()
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

export interface Served {
  url: string
  /** The next stream that somebody opens, on our side. */
  next(): Promise<{ stream: ServerSentEventsStream; request: IncomingMessage; response: ServerResponse }>
}

/** Serves streams that nothing is done with yet. */
export async function serveStreams(t: TestContext): Promise<Served> {
  const opened: Awaited<ReturnType<Served['next']>>[] = []
  let wake = () => {}
  const url = await serve(t, (request, response) => {
    opened.push({ stream: new ServerSentEventsStream(request, response), request, response })
    wake()
  })
  return {
    url,
    async next() {
      while (opened.length === 0) await new Promise<void>((resolve) => (wake = resolve))
      return opened.shift()!
    },
  }
}

export interface HubReader extends Listener {
  readonly stream: ServerSentEventsStream
}

/** Has somebody follow a hub's topics over a real connection; resolves once they do. */
export async function hubReaders(t: TestContext, hub: () => Hub) {
  const served = await serveStreams(t)
  const open = async (topics: readonly string[], lastEventId: string | number | undefined): Promise<HubReader> => {
    const reader = Listener.open(served.url, lastEventId === undefined ? {} : { 'last-event-id': String(lastEventId) })
    const { stream } = await served.next()
    hub().follow(stream, topics)
    return Object.assign(await reader, { stream })
  }
  let opened: Promise<unknown> = Promise.resolve()
  return {
    url: served.url,
    served,
    /** One after the other, so that each gets the stream that it asked for. */
    follow(topics: readonly string[], lastEventId?: string | number): Promise<HubReader> {
      const reader = opened.then(() => open(topics, lastEventId))
      opened = reader.catch(() => {})
      return reader
    },
  }
}

/** Resolves once the other events and promises that are due have had their turn. */
export function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(() => setImmediate(resolve)))
}
