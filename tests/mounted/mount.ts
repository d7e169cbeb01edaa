// A chat inside a server of the test's own, with a login that is no more than a header.

import { createServer, type IncomingMessage, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { TestContext } from 'node:test'
import { createChat, type CreateChatOptions, type Identity, type MountedChat } from '../../lib/index.ts'
import { Listener, patienceMs } from '../chat-server.ts'

/** Whoever the header `x-user` names, as the host knows them. */
export function byHeader({ headers }: IncomingMessage): Identity | undefined {
  const name = headers['x-user']
  return typeof name === 'string' ? { id: `host-${name}`, name } : undefined
}

export interface Mounted {
  chat: MountedChat
  url: string
  /** What natter said to its log. */
  lines: string[]
  fetch(path: string, init?: RequestInit): Promise<Response>
  /** Sends JSON as somebody. */
  send(method: string, path: string, body: unknown, as?: string): Promise<Response>
  listen(path: string, as?: string): Promise<Listener>
}

/** Mounts a chat at `/chat` unless told otherwise; `carry` makes the host's own handler. */
export async function mount(
  t: TestContext,
  options: CreateChatOptions = {},
  carry: (chat: MountedChat) => RequestListener = (chat) => chat.handler,
): Promise<Mounted> {
  const lines: string[] = []
  const chat = await createChat({
    data: ':memory:',
    path: '/chat',
    identify: byHeader,
    postsPerSecond: 0,
    log: (line) => void lines.push(line),
    ...options,
  })
  t.after(() => chat.close())
  const url = await serve(t, carry(chat))
  const headersOf = (as: string | undefined): Record<string, string> => (as === undefined ? {} : { 'x-user': as })
  const fetched = (path: string, init: RequestInit = {}) =>
    fetch(url + path, { redirect: 'manual', ...init, signal: AbortSignal.timeout(patienceMs) })
  return {
    chat,
    url,
    lines,
    fetch: fetched,
    send: (method, path, body, as) =>
      fetched(path, {
        method,
        headers: { 'content-type': 'application/json', ...headersOf(as) },
        body: JSON.stringify(body),
      }),
    listen: (path, as) => Listener.open(url + path, headersOf(as)),
  }
}

/** Serves on a free port until the test is over. */
export async function serve(t: TestContext, listener: RequestListener): Promise<string> {
  const server = createServer(listener)
  t.after(() => {
    server.close()
    server.closeAllConnections()
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  // A server that listens on a port has an address of this form.
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

/** A problem's code. */
export async function codeOf(answer: Response): Promise<string> {
  return ((await answer.json()) as { code: string }).code
}
