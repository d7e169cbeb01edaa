// A real natter for a test: `node server.ts` as its owner starts it, and people who talk to it over HTTP.

import assert from 'node:assert/strict'
import { spawn, type ChildProcess } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { get, type IncomingMessage } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { fileURLToPath } from 'node:url'
import type { Message, WireEvents } from '../lib/chat/events.ts'
import { readSettings, type Settings } from '../lib/config.ts'
import { EventStreamParser, type ParsedEvent } from './event-stream-parser.ts'

const serverFile = fileURLToPath(new URL('../server.ts', import.meta.url))

/** What a test waits for must come within this time; nothing waits for it to pass. */
export const patienceMs = 20_000

/** A test, or whatever else ends and cleans up then. */
export type Scope = Pick<TestContext, 'after'>

/** A folder that is gone after the test. */
export async function temporaryFolder(t: Scope): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'natter-test-'))
  t.after(() => rm(folder, { recursive: true, force: true }))
  return folder
}

export interface StartOptions {
  /** `:memory:` unless given. */
  data?: string
  /** 0, any free one, unless given. */
  port?: number
  flags?: readonly string[]
  /** With the limits on posts and streams that natter has unless told otherwise; most tests are quicker than people. */
  limits?: boolean
  /** The Node to run it with. */
  node?: string
  /** What stands before `server.ts`. */
  execArgv?: readonly string[]
  environment?: Record<string, string>
}

const unlimited = ['--posts-per-second', '0', '--streams-per-address', '0']

/** The settings of a server within this process, on any free port. */
export function settings({ data = ':memory:' } = {}): Settings {
  return readSettings(['--port', '0', '--data', data, ...unlimited], {})!
}

/** Starts a server that is stopped after the test. */
export async function startChat(t: Scope, options: StartOptions = {}): Promise<ChatServer> {
  const chat = new ChatServer(options)
  t.after(() => chat.kill())
  await chat.start()
  return chat
}

/** Runs `node server.ts` to its end. */
export async function runServer(flags: readonly string[], { node = process.execPath, environment = {} } = {}): Promise<{ code: number | null; out: string; err: string; ms: number }> {
  const started = performance.now()
  const child = spawn(node, [serverFile, ...flags], { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, NODE_OPTIONS: '', ...environment } })
  let out = ''
  let err = ''
  child.stdout.on('data', (chunk) => (out += chunk))
  child.stderr.on('data', (chunk) => (err += chunk))
  const cut = setTimeout(() => child.kill('SIGKILL'), patienceMs)
  const code = await new Promise<number | null>((resolve) => child.on('close', resolve))
  clearTimeout(cut)
  return { code, out, err, ms: performance.now() - started }
}

export class ChatServer {
  url = ''
  /** What it wrote to stdout, of all its lives. */
  output = ''
  /** What it wrote to stderr, of all its lives. */
  errors = ''
  #options: StartOptions
  #child: ChildProcess | undefined

  constructor(options: StartOptions) {
    this.#options = options
  }

  /** The link that makes whoever opens it first the owner, as it was printed. */
  get ownerLink(): string {
    const [link] = /\bhttps?:\S+\/join#\S+/.exec(this.output) ?? []
    assert.ok(link, `no link for an owner was printed: ${this.output}`)
    return link
  }

  get pid(): number {
    return this.#child!.pid!
  }

  /** Starts it, or starts it again on the port that it had. */
  async start(): Promise<void> {
    const { data = ':memory:', port = 0, flags = [], limits = false, node = process.execPath, execArgv = [], environment = {} } = this.#options
    const samePort = this.url === '' ? port : Number(new URL(this.url).port)
    const args = [...execArgv, serverFile, '--port', String(samePort), '--data', data, ...(limits ? [] : unlimited), ...flags]
    const child = spawn(node, args, { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, NODE_OPTIONS: '', ...environment } })
    this.#child = child
    child.stderr!.on('data', (chunk) => (this.errors += chunk))
    this.url = await new Promise<string>((resolve, reject) => {
      let out = ''
      child.stdout!.on('data', (chunk) => {
        out += chunk
        this.output += chunk
        const [, url] = /listening on (\S+)\n/.exec(out) ?? []
        if (url) resolve(url)
      })
      child.on('exit', (code) => reject(new Error(`the server ended with ${code}: ${this.errors}`)))
    })
  }

  /** Ends it as a power cut would. */
  async kill(): Promise<void> {
    await this.end('SIGKILL')
  }

  /** Asks it to stop; resolves with its exit code. */
  async stop(): Promise<number | null> {
    return this.end('SIGTERM')
  }

  signal(name: NodeJS.Signals): void {
    this.#child!.kill(name)
  }

  /** Sends it a signal; resolves with its exit code. */
  async end(signal: NodeJS.Signals): Promise<number | null> {
    const child = this.#child
    if (!child || child.exitCode !== null || child.signalCode !== null) return child?.exitCode ?? null
    const over = new Promise<number | null>((resolve) => child.on('exit', resolve))
    child.kill(signal)
    return over
  }

  fetch(path: string, init: RequestInit = {}): Promise<Response> {
    return fetch(this.url + path, { ...init, signal: AbortSignal.timeout(patienceMs) })
  }

  /** Somebody who came in by a name and has a session. */
  async comeIn(name: string): Promise<Person> {
    const answer = await this.fetch('/session', { method: 'POST', headers: json, body: JSON.stringify({ name }) })
    assert.equal(answer.status, 201, await answer.clone().text())
    const [cookie = ''] = answer.headers.getSetCookie()
    return new Person(this, { cookie: cookie.split(';')[0]! })
  }

  /** Somebody who only says a name, as `curl -u name:` does. */
  claiming(name: string): Person {
    return new Person(this, { authorization: `Basic ${Buffer.from(`${name}:`).toString('base64')}` })
  }

  /** Somebody who says nothing of who they are. */
  get stranger(): Person {
    return new Person(this, {})
  }
}

const json = { 'content-type': 'application/json' }

export class Person {
  readonly headers: Record<string, string>
  #chat: ChatServer

  constructor(chat: ChatServer, headers: Record<string, string>) {
    this.#chat = chat
    this.headers = headers
  }

  fetch(path: string, init: RequestInit = {}): Promise<Response> {
    return this.#chat.fetch(path, { ...init, headers: { ...this.headers, ...(init.headers as Record<string, string>) } })
  }

  /** Sends JSON. */
  send(method: string, path: string, body: unknown, headers: Record<string, string> = {}): Promise<Response> {
    return this.fetch(path, { method, headers: { ...json, ...headers }, body: typeof body === 'string' ? body : JSON.stringify(body) })
  }

  /** Gets JSON. */
  async read<T>(path: string): Promise<T> {
    const answer = await this.fetch(path)
    assert.equal(answer.status, 200, `GET ${path}`)
    return (await answer.json()) as T
  }

  async makeRoom(name: string): Promise<string> {
    const answer = await this.send('POST', '/rooms', { name })
    assert.equal(answer.status, 201, await answer.clone().text())
    return ((await answer.json()) as { id: string }).id
  }

  async say(room: string, text: string, { key }: { key?: string } = {}): Promise<Message> {
    const answer = await this.send('POST', `/rooms/${encodeURIComponent(room)}/messages`, { text }, key ? { 'idempotency-key': key } : {})
    assert.equal(answer.status, 201, await answer.clone().text())
    return (await answer.json()) as Message
  }

  /** Opens a stream: of everything, or of what the path says. */
  async listen({ path = '/events', lastEventId }: { path?: string; lastEventId?: string } = {}): Promise<Listener> {
    return Listener.open(this.#chat.url + path, { ...this.headers, ...(lastEventId !== undefined && { 'last-event-id': lastEventId }) })
  }
}

/** A reader of one stream, which keeps what it got until it is asked for. */
export class Listener {
  readonly response: IncomingMessage
  readonly parser = new EventStreamParser()
  /** All that came, in order. */
  readonly all: ParsedEvent[] = []
  #chunks: Buffer[] = []
  /** Resolves when the stream is over. */
  readonly over: Promise<void>
  #read = 0
  #wake: () => void = () => {}

  static open(url: string, headers: Record<string, string> = {}): Promise<Listener> {
    return new Promise((resolve, reject) => {
      const request = get(url, { agent: false, headers: { accept: 'text/event-stream', ...headers } }, (response) => {
        if (response.statusCode === 200) return resolve(new Listener(response))
        response.resume()
        reject(new Error(`the stream was answered with ${response.statusCode}`))
      })
      request.on('error', reject)
    })
  }

  constructor(response: IncomingMessage) {
    this.response = response
    response.on('data', (chunk: Buffer) => {
      this.#chunks.push(chunk)
      this.all.push(...this.parser.push(chunk))
      this.#wake()
    })
    // A server that is killed cuts the connection; what came before counts all the same.
    response.on('error', () => {})
    this.over = new Promise((resolve) => response.on('close', resolve))
  }

  /** The bytes that came. */
  get bytes(): Buffer {
    return Buffer.concat(this.#chunks)
  }

  /** The next event of a type that was not asked for yet; those before it are passed over. */
  async next<Name extends keyof WireEvents>(event: Name): Promise<{ id: string; data: WireEvents[Name] }> {
    const [found] = await this.take(event, 1)
    return { id: found!.id, data: JSON.parse(found!.data) as WireEvents[Name] }
  }

  /** The texts of the next messages. */
  async texts(count: number): Promise<string[]> {
    return (await this.take('message', count)).map((found) => (JSON.parse(found.data) as Message).text)
  }

  async take(event: string, count: number): Promise<ParsedEvent[]> {
    const found: ParsedEvent[] = []
    const late = setTimeout(() => this.response.destroy(), patienceMs)
    try {
      while (found.length < count) {
        const next = this.all[this.#read]
        if (next) {
          this.#read++
          if (next.event === event) found.push(next)
        } else {
          if (this.response.destroyed) throw new Error(`the stream ended before ${count} ${event} events came; it had ${JSON.stringify(this.all.slice(-5))}`)
          await Promise.race([new Promise<void>((resolve) => (this.#wake = resolve)), this.over])
        }
      }
      return found
    } finally {
      clearTimeout(late)
    }
  }

  leave(): void {
    this.response.destroy()
  }
}
