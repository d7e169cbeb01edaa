// A real natter for a test: `node server.ts` as its owner starts it, and people who talk to it over HTTP.

import assert from 'node:assert/strict'
import { spawn, type ChildProcess } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { get, type IncomingMessage } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { fileURLToPath } from 'node:url'
import type { Member, Message, Room, User, WireEvents } from '../lib/chat/streams/events.ts'
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

const unlimited = ['--posts-per-second', '0', '--posts-per-address', '0', '--streams-per-address', '0']

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

/**
 * Starts a server within this process, which is done before another process has begun: for tests that want a chat of their own and nothing of
 * the program around it. It can't be killed, and lives in memory.
 */
export async function openChat(t: Scope, { flags = [] }: Pick<StartOptions, 'flags'> = {}): Promise<ChatServer> {
  // Only now: most tests have no need of it.
  const { startServer } = await import('../lib/program/main.ts')
  const server = await startServer(readSettings(['--port', '0', '--data', ':memory:', ...unlimited, ...flags], {})!)
  t.after(() => server.stop())
  const chat = new ChatServer({ flags })
  chat.url = server.url
  chat.printed = `${server.ownerLink}\n`
  return chat
}

/** Runs `node server.ts` to its end. */
export async function runServer(
  flags: readonly string[],
  { node = process.execPath, environment = {} } = {},
): Promise<{ code: number | null; out: string; err: string; ms: number }> {
  const started = performance.now()
  const child = spawn(node, [serverFile, ...flags], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, NODE_OPTIONS: '', ...environment },
  })
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
  /** What it wrote to stderr, of all its lives. */
  errors = ''
  /** What it wrote to stdout in this life. */
  printed = ''
  #options: StartOptions
  #child: ChildProcess | undefined

  constructor(options: StartOptions) {
    this.#options = options
  }

  /** The link that makes whoever opens it first the owner, as it was printed. */
  get ownerLink(): string {
    const [link] = /\bhttps?:\S+\/join#\S+/.exec(this.printed) ?? []
    assert.ok(link, `no link for an owner was printed: ${this.printed}`)
    return link
  }

  get pid(): number {
    return this.#child!.pid!
  }

  /** Starts it, or starts it again on the port that it had. */
  async start(): Promise<void> {
    const {
      data = ':memory:',
      port = 0,
      flags = [],
      limits = false,
      node = process.execPath,
      execArgv = [],
      environment = {},
    } = this.#options
    const samePort = this.url === '' ? port : Number(new URL(this.url).port)
    const args = [
      ...execArgv,
      serverFile,
      '--port',
      String(samePort),
      '--data',
      data,
      ...(limits ? [] : unlimited),
      ...flags,
    ]
    const child = spawn(node, args, {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, NODE_OPTIONS: '', ...environment },
    })
    this.#child = child
    child.stderr!.on('data', (chunk) => (this.errors += chunk))
    this.printed = ''
    this.url = await new Promise<string>((resolve, reject) => {
      child.stdout!.on('data', (chunk) => {
        this.printed += chunk
        const [, url] = /listening on (\S+)\n/.exec(this.printed) ?? []
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

  /** The code of the link that it printed for its first owner, if it did. */
  get ownerCode(): string | undefined {
    return /\/join#([\w-]+)\n/.exec(this.printed)?.[1]
  }

  /** Somebody who came in by a name and has a session. */
  comeIn(name: string): Promise<Person> {
    return this.#cameIn('/session', { name })
  }

  /** Somebody who made an account. */
  account(name: string, password = passwordOf(name)): Promise<Person> {
    return this.#cameIn('/users', { name, password })
  }

  /** The same somebody in a session of its own. */
  logIn(name: string, password = passwordOf(name)): Promise<Person> {
    return this.#cameIn('/session', { name, password })
  }

  /** Somebody new who came by an invite: with an account if they give a password. */
  byInvite(code: string, name: string, password?: string): Promise<Person> {
    return this.#cameIn('/invites/accept', { code, name, ...(password !== undefined && { password }) })
  }

  /** Whoever opens the link that was printed at the start first. */
  owner(name = 'olga'): Promise<Person> {
    assert.ok(this.ownerCode, 'no link for an owner was printed')
    return this.byInvite(this.ownerCode, name, passwordOf(name))
  }

  async #cameIn(path: string, body: Record<string, string>): Promise<Person> {
    const answer = await this.stranger.send('POST', path, body)
    assert.equal(answer.status, 201, await answer.clone().text())
    return new Person(this, { cookie: cookieOf(answer) }, ((await answer.json()) as { user: User }).user)
  }

  /** Somebody who only says a name, as `curl -u name:` does. */
  claiming(name: string): Person {
    return this.withPassword(name, '')
  }

  /** Somebody who shows a password each time, as `curl -u name:password` does. */
  withPassword(name: string, password = passwordOf(name)): Person {
    return new Person(this, { authorization: `Basic ${Buffer.from(`${name}:${password}`).toString('base64')}` })
  }

  /** A bot. */
  withToken(token: string): Person {
    return new Person(this, { authorization: `Bearer ${token}` })
  }

  /** Somebody who says nothing of who they are. */
  get stranger(): Person {
    return new Person(this, {})
  }
}

const json = { 'content-type': 'application/json' }

/** What a browser says of a request that our own page sends. */
export const own = { 'sec-fetch-site': 'same-origin' }

/** The password of an account that a test did not choose one for. */
export function passwordOf(name: string): string {
  return `the password of ${name}`
}

/** The cookie that an answer gives, as it is sent back. */
export function cookieOf(answer: Response): string {
  const [cookie = ''] = answer.headers.getSetCookie()
  return cookie.split(';')[0]!
}

/** All of an answer but its date. */
export async function wholeAnswer(answer: Response): Promise<string> {
  return [
    answer.status,
    ...[...answer.headers].filter(([name]) => name !== 'date').map((header) => header.join(': ')),
    await answer.text(),
  ].join('\n')
}

/** Of an answer that refuses: its status and its code. */
export async function refusalOf(asked: Promise<Response>): Promise<string> {
  const answer = await asked
  const text = await answer.text()
  if (!(answer.headers.get('content-type') ?? '').startsWith('application/problem+json')) return `${answer.status}`
  const { status, code, detail } = JSON.parse(text) as { status: number; code: string; detail: string }
  assert.equal(status, answer.status)
  assert.ok(detail.length > 10, `${code} says ${detail}`)
  return `${status} ${code}`
}

export interface InviteAsked {
  room?: string
  role?: string
  uses?: number
  expires?: string
}

export interface TokenAsked {
  name: string
  scopes?: string[]
  rooms?: string[]
  expires?: string
}

export class Person {
  readonly headers: Record<string, string>
  readonly chat: ChatServer
  readonly #user: User | undefined

  /** `user` is who they were when they came in. */
  constructor(chat: ChatServer, headers: Record<string, string>, user?: User) {
    this.chat = chat
    this.headers = headers
    this.#user = user
  }

  get id(): string {
    assert.ok(this.#user, 'who this is is not known')
    return this.#user.id
  }

  get name(): string {
    assert.ok(this.#user, 'who this is is not known')
    return this.#user.name
  }

  fetch(path: string, init: RequestInit = {}): Promise<Response> {
    return this.chat.fetch(path, { ...init, headers: { ...this.headers, ...(init.headers as Record<string, string>) } })
  }

  /** Sends JSON. */
  send(method: string, path: string, body: unknown, headers: Record<string, string> = {}): Promise<Response> {
    return this.fetch(path, {
      method,
      headers: { ...json, ...headers },
      body: typeof body === 'string' ? body : JSON.stringify(body),
    })
  }

  /** Gets JSON. */
  async read<T>(path: string): Promise<T> {
    const answer = await this.fetch(path)
    assert.equal(answer.status, 200, `GET ${path}`)
    return (await answer.json()) as T
  }

  /** Asks for something that has to be done, and gives what comes of it. */
  async ask<T = unknown>(method: string, path: string, body?: unknown): Promise<T> {
    const answer = await this.send(method, path, body ?? '', own)
    const text = await answer.text()
    assert.ok(answer.ok, `${method} ${path} was answered with ${answer.status}: ${text}`)
    return (text === '' ? undefined : JSON.parse(text)) as T
  }

  /** Asks for something that has to be refused, and gives the status and the code. */
  refused(method: string, path: string, body?: unknown): Promise<string> {
    return refusalOf(
      body === undefined && method === 'GET' ? this.fetch(path) : this.send(method, path, body ?? '', own),
    )
  }

  async makeRoom(name: string, options: { kind?: 'open' | 'private'; topic?: string } = {}): Promise<string> {
    return (await this.ask<Room>('POST', '/rooms', { name, ...options })).id
  }

  /** The room of the two. */
  async direct(other: Person): Promise<string> {
    return (await this.ask<Room>('POST', '/direct', { user: other.id })).id
  }

  join(room: string): Promise<void> {
    return this.ask('PUT', `/rooms/${encodeURIComponent(room)}/members/me`)
  }

  leave(room: string): Promise<void> {
    return this.ask('DELETE', `/rooms/${encodeURIComponent(room)}/members/me`)
  }

  add(room: string, other: Person, role?: 'owner' | 'member'): Promise<void> {
    return this.ask('PUT', `/rooms/${encodeURIComponent(room)}/members/${other.id}`, role && { role })
  }

  remove(room: string, other: Person): Promise<void> {
    return this.ask('DELETE', `/rooms/${encodeURIComponent(room)}/members/${other.id}`)
  }

  ban(other: Person, banned = true): Promise<User> {
    return this.ask('PATCH', `/users/${other.id}`, { banned })
  }

  giveRole(other: Person, role: string): Promise<User> {
    return this.ask('PATCH', `/users/${other.id}`, { role })
  }

  invite(
    invite: InviteAsked = {},
  ): Promise<{ id: string; code: string; url: string; room?: string; role: string; uses: number; expires: string }> {
    return this.ask('POST', '/invites', invite)
  }

  /** Accepts an invite as who they are. */
  accept(code: string): Promise<{ user: User; room?: Room }> {
    return this.ask('POST', '/invites/accept', { code })
  }

  /** Makes a token; gives its bot. */
  async makeBot(asked: TokenAsked): Promise<Person & { readonly tokenId: string }> {
    const { id, token, user } = await this.ask<{ id: string; token: string; user: User }>('POST', '/tokens', asked)
    return Object.assign(new Person(this.chat, { authorization: `Bearer ${token}` }, user), { tokenId: id })
  }

  logOut(): Promise<void> {
    return this.ask('DELETE', '/session')
  }

  /** The texts of a room's history. */
  async textsIn(room: string): Promise<string[]> {
    return (
      await this.read<{ messages: Message[] }>(`/rooms/${encodeURIComponent(room)}/messages?limit=200`)
    ).messages.map(({ text }) => text)
  }

  /** The names of who is in a room. */
  async membersOf(room: string): Promise<string[]> {
    return (await this.read<{ members: Member[] }>(`/rooms/${encodeURIComponent(room)}/members`)).members.map(
      ({ name }) => name,
    )
  }

  async say(room: string, text: string, { key }: { key?: string } = {}): Promise<Message> {
    const answer = await this.send(
      'POST',
      `/rooms/${encodeURIComponent(room)}/messages`,
      { text },
      key ? { 'idempotency-key': key } : {},
    )
    assert.equal(answer.status, 201, await answer.clone().text())
    return (await answer.json()) as Message
  }

  /** Opens a stream: of everything, or of what the path says. */
  async listen({ path = '/events', lastEventId }: { path?: string; lastEventId?: string } = {}): Promise<Listener> {
    return Listener.open(this.chat.url + path, {
      ...this.headers,
      ...(lastEventId !== undefined && { 'last-event-id': lastEventId }),
    })
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
          if (this.response.destroyed)
            throw new Error(
              `the stream ended before ${count} ${event} events came; it had ${JSON.stringify(this.all.slice(-5))}`,
            )
          await Promise.race([new Promise<void>((resolve) => (this.#wake = resolve)), this.over])
        }
      }
      return found
    } finally {
      clearTimeout(late)
    }
  }

  /** Resolves when something comes. */
  async more(what: string): Promise<void> {
    let late: NodeJS.Timeout | undefined
    const never = new Promise<void>(
      (_, reject) => (late = setTimeout(() => reject(new Error(`nothing more came: ${what}`)), patienceMs)),
    )
    await Promise.race([new Promise<void>((resolve) => (this.#wake = resolve)), this.over, never]).finally(() =>
      clearTimeout(late),
    )
  }

  leave(): void {
    this.response.destroy()
  }
}
