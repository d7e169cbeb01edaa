// An example as its user runs it: a process of its own, readers of its streams, and a line to it that can be cut.

import { spawn, type ChildProcess } from 'node:child_process'
import http2 from 'node:http2'
import https from 'node:https'
import { createServer, connect, type AddressInfo, type Server, type Socket } from 'node:net'
import type { TestContext } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { EventStreamParser, type ParsedEvent } from '../event-stream-parser.ts'

/** What a test waits for must come within this time; nothing waits for it to pass. */
export const patienceMs = 30_000

const json = { 'content-type': 'application/json' }

export class Program {
  url = ''
  /** What it wrote to stderr. */
  errors = ''
  readonly #child: ChildProcess
  readonly #over: Promise<{ code: number | null; signal: NodeJS.Signals | null }>

  /** Runs a command that prints its URL, and ends it after the test at the latest. */
  static async start(
    t: TestContext,
    folder: string,
    [command, ...parameters]: [string, ...string[]],
  ): Promise<Program> {
    const program = new Program(folder, command, parameters)
    t.after(() => program.kill())
    await program.#listening()
    return program
  }

  constructor(folder: string, command: string, parameters: readonly string[]) {
    const environment = { ...process.env, NODE_OPTIONS: '', PORT: '0' }
    // In a group of its own, since a command like npx starts others, which would outlive it.
    this.#child = spawn(command, parameters, {
      cwd: folder,
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: environment,
    })
    this.#child.stderr!.on('data', (chunk) => (this.errors += chunk))
    this.#over = new Promise((resolve, reject) => {
      this.#child.on('error', reject)
      this.#child.on('close', (code, signal) => resolve({ code, signal }))
    })
  }

  #listening(): Promise<void> {
    return within(
      'the program to listen',
      new Promise((resolve, reject) => {
        let out = ''
        this.#child.stdout!.on('data', (chunk) => {
          out += chunk
          const [, url] = /(https?:\/\/127\.0\.0\.1:\d+)\/?\s/.exec(out) ?? []
          if (!url) return
          this.url = url
          resolve()
        })
        this.#over.then(({ code }) => reject(new Error(`it ended with ${code}: ${this.errors}`)), reject)
      }),
    )
  }

  /** Asks it to stop; resolves with how it ended, which it must do by itself. */
  stop(): Promise<{ code: number | null; signal: NodeJS.Signals | null }> {
    this.#signal('SIGTERM')
    return within('the program to end by itself', this.#over)
  }

  async kill(): Promise<void> {
    this.#signal('SIGKILL')
    await this.#over.catch(() => {})
  }

  #signal(name: NodeJS.Signals): void {
    try {
      process.kill(-this.#child.pid!, name)
    } catch {
      // All of the group have ended.
    }
  }

  async get(path: string): Promise<string> {
    return this.#request('GET', path)
  }

  /** Posts, as JSON if there is a body; resolves with the answer, which is an event's id. */
  async post(path: string, body?: unknown): Promise<string> {
    return (await this.#request('POST', path, body)).trim()
  }

  async #request(method: string, path: string, body?: unknown): Promise<string> {
    if (this.url.startsWith('https')) return secureText(method, this.url + path)
    const init = body === undefined ? {} : { headers: json, body: JSON.stringify(body) }
    const answer = await fetch(this.url + path, { method, ...init, signal: AbortSignal.timeout(patienceMs) })
    if (!answer.ok) throw new Error(`${method} ${path} was answered with ${answer.status}`)
    return answer.text()
  }

  /** Resolves when it has so many streams. */
  async streams(count: number): Promise<void> {
    const until = performance.now() + patienceMs
    for (;;) {
      const { streams } = JSON.parse(await this.get('/stats')) as { streams: number }
      if (streams === count) return
      if (performance.now() > until) throw new Error(`it has ${streams} streams instead of ${count}`)
      await sleep(20)
    }
  }
}

function secureText(method: string, url: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const request = https.request(
      url,
      { method, rejectUnauthorized: false, agent: false, timeout: patienceMs },
      (response) => {
        let text = ''
        response.on('data', (chunk) => (text += chunk))
        response.on('end', () => resolve(text))
        response.on('error', reject)
      },
    )
    request.on('error', reject)
    request.end()
  })
}

interface Stream {
  headers: Record<string, unknown>
  bytes: AsyncIterable<Uint8Array>
  leave: () => void
}

/** A reader of one stream, which keeps what came until it is asked for. */
export class Reader {
  readonly headers: Record<string, unknown>
  readonly parser = new EventStreamParser()
  /** Resolves when the stream is over: with true if it was brought to its end, with false if it was cut. */
  readonly over: Promise<boolean>
  readonly leave: () => void
  #events: ParsedEvent[] = []
  #over = false
  #wake: () => void = () => {}

  /** Over `fetch`, unless the URL is one of https: then by HTTP/1.1 or, if told so, HTTP/2. */
  static async open(
    url: string,
    {
      lastEventId,
      version2 = false,
      headers: more = {},
    }: { lastEventId?: string; version2?: boolean; headers?: Record<string, string> } = {},
  ): Promise<Reader> {
    const headers = {
      ...more,
      'accept-encoding': 'gzip, br',
      ...(lastEventId !== undefined && { 'last-event-id': lastEventId }),
    }
    const open = version2 ? overVersion2 : url.startsWith('https') ? overTls : overFetch
    return new Reader(await within(`an answer of ${url}`, open(url, headers)))
  }

  constructor({ headers, bytes, leave }: Stream) {
    this.headers = headers
    this.leave = leave
    this.over = this.#read(bytes)
  }

  async #read(bytes: AsyncIterable<Uint8Array>): Promise<boolean> {
    try {
      for await (const chunk of bytes) {
        this.#events.push(...this.parser.push(chunk))
        this.#wake()
      }
      return true
    } catch {
      return false
    } finally {
      this.#over = true
      this.#wake()
    }
  }

  /** The next events, without pings. */
  take(count: number): Promise<ParsedEvent[]> {
    const found: ParsedEvent[] = []
    // Around the whole of it: a stream that brings nothing but pings must not be waited for again and again.
    return within(`${count} events`, this.#take(count, found)).catch((error) => {
      throw new Error(`${error.message}; there came ${JSON.stringify(found)}`)
    })
  }

  async #take(count: number, found: ParsedEvent[]): Promise<ParsedEvent[]> {
    while (found.length < count) {
      const event = this.#events.shift()
      if (event && event.event !== 'ping') found.push(event)
      else if (!event && this.#over) throw new Error('the stream ended')
      else if (!event) await new Promise<void>((resolve) => (this.#wake = resolve))
    }
    return found
  }

  async texts(count: number): Promise<string[]> {
    return (await this.take(count)).map(({ data }) => data)
  }
}

async function overFetch(url: string, headers: Record<string, string>): Promise<Stream> {
  const leaving = new AbortController()
  const response = await fetch(url, { headers, signal: leaving.signal })
  if (response.status !== 200) throw new Error(`${url} was answered with ${response.status}`)
  return { headers: Object.fromEntries(response.headers), bytes: response.body!, leave: () => leaving.abort() }
}

function overTls(url: string, headers: Record<string, string>): Promise<Stream> {
  return new Promise((resolve, reject) => {
    const request = https.get(url, { headers, rejectUnauthorized: false, agent: false }, (response) => {
      resolve({ headers: response.headers, bytes: response, leave: () => request.destroy() })
    })
    request.on('error', reject)
  })
}

function overVersion2(url: string, headers: Record<string, string>): Promise<Stream> {
  return new Promise((resolve, reject) => {
    const session = http2.connect(url, { rejectUnauthorized: false })
    const request = session.request({ ':path': new URL(url).pathname, ...headers })
    session.on('error', reject)
    request.on('error', reject)
    request.on('response', (found) => resolve({ headers: found, bytes: request, leave: () => session.destroy() }))
  })
}

/** A TCP line to a program, which can be cut and mended as a network's is. */
export class Line {
  url = ''
  #server: Server
  #sockets = new Set<Socket>()
  #cut = false

  static async to(t: TestContext, url: string): Promise<Line> {
    const { hostname, port } = new URL(url)
    const line: Line = new Line(createServer((near) => line.#join(near, connect(Number(port), hostname))))
    t.after(() => line.#end())
    await new Promise<void>((resolve) => line.#server.listen(0, '127.0.0.1', resolve))
    // A server that listens on a port has an address of this form.
    line.url = `http://127.0.0.1:${(line.#server.address() as AddressInfo).port}`
    return line
  }

  constructor(server: Server) {
    this.#server = server
  }

  #join(near: Socket, far: Socket): void {
    for (const socket of [near, far]) {
      this.#sockets.add(socket)
      socket.on('close', () => this.#sockets.delete(socket))
    }
    for (const [socket, other] of [
      [near, far],
      [far, near],
    ] as const) {
      socket.on('error', () => {})
      socket.on('close', () => other.destroy())
      socket.pipe(other)
    }
    if (this.#cut) near.destroy()
  }

  /** Ends what goes over it, and whatever tries to, until it is mended. */
  cut(): void {
    this.#cut = true
    for (const socket of this.#sockets) socket.destroy()
  }

  mend(): void {
    this.#cut = false
  }

  #end(): void {
    this.cut()
    this.#server.close()
  }
}

/** What is waited for, or an error that says what did not come. */
export async function within<Value>(what: string, promise: Promise<Value>): Promise<Value> {
  const late = new AbortController()
  const never = sleep(patienceMs, undefined, { signal: late.signal }).then(() => {
    throw new Error(`waited in vain for ${what}`)
  })
  never.catch(() => {})
  try {
    return await Promise.race([promise, never])
  } finally {
    late.abort()
  }
}
