// What audits share: a server with a planted fault, people who go on writing and reading across its outages, and the
// comparison of what they were told with what the server kept.

import { Agent, get, request, type IncomingMessage } from 'node:http'
import { DatabaseSync } from 'node:sqlite'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Message } from '../../lib/chat/streams/events.ts'
import { patienceMs, type ChatServer, type Person, type Scope, type StartOptions } from '../chat-server.ts'
import { EventStreamParser, type ParsedEvent } from '../event-stream-parser.ts'

const limits = {
  outageMs: 60_000, // after which a writer gives up: the server should have been back long ago
  againMs: 20, // before the next try, for writers and readers
}

/** Runs an audit's body, and then what it asked to be done `after`, the last first, whatever happened. */
export async function inScope<T>(body: (scope: Scope) => Promise<T>): Promise<T> {
  const actions: (() => unknown)[] = []
  try {
    return await body({ after: (action) => void actions.push(action as () => unknown) })
  } finally {
    for (const action of actions.reverse()) await action()
  }
}

/** For `startChat`: the unchanged server, with a fault planted in it if one is given. */
export function planted(fault: string | undefined): Pick<StartOptions, 'execArgv' | 'environment'> {
  if (fault === undefined) return {}
  return { execArgv: ['--import', new URL('./faults.ts', import.meta.url).href], environment: { NATTER_FAULT: fault } }
}

/** What SQLite finds wrong in a database: a file, or one that is open. */
export function integrityOf(database: string | DatabaseSync): string[] {
  const connection = typeof database === 'string' ? new DatabaseSync(database, { readOnly: true }) : database
  const lines = connection
    .prepare('pragma integrity_check')
    .all()
    .map((row) => String(row['integrity_check']))
  if (connection !== database) connection.close()
  return lines.filter((line) => line !== 'ok').map((line) => `integrity_check: ${line}`)
}

/** Some of many faults that are alike. */
export function theFirst(faults: readonly string[]): string[] {
  return faults.length > 5 ? [...faults.slice(0, 5), `and ${faults.length - 5} more like it`] : [...faults]
}

/** Something that was said and answered. */
export interface Said {
  key: string
  text: string
  id: string
  tries: number
  /** An earlier try had been stored, and only its answer was lost. */
  storedBefore: boolean
  /** From the first try to the answer. */
  ms: number
}

export interface WriterOptions {
  name: string
  room?: string
  /** At the most, by chance, between two posts. */
  pauseMs?: number
  /** Called as soon as a post is answered. */
  onAnswer?: (said: Said) => void
}

/** Says one thing after another, each under a key of its own, and again until it is answered. */
export class Writer {
  readonly said: Said[] = []
  /** Answers that may come during an outage, each with its count: `storage_full`, `ECONNREFUSED`. */
  readonly refusals = new Map<string, number>()
  /** Answers that may never come. */
  readonly faults: string[] = []
  /** What was sent and is not answered yet. */
  underWay: { key: string; text: string } | undefined
  #chat: ChatServer
  #person: Person
  #options: WriterOptions
  #agent = new Agent({ keepAlive: true, maxSockets: 1 })
  #count = 0
  #running: Promise<void> | undefined
  #stopping = false
  #abandoned = false

  /** Comes in under a name. */
  static async comeIn(chat: ChatServer, options: WriterOptions): Promise<Writer> {
    return new Writer(chat, await chat.comeIn(options.name), options)
  }

  constructor(chat: ChatServer, person: Person, options: WriterOptions) {
    this.#chat = chat
    this.#person = person
    this.#options = options
  }

  /** Says one thing, and resolves when it is answered; undefined if it was refused for good. */
  async say(text = `${this.#options.name} says ${this.#count}`): Promise<Said | undefined> {
    const key = `${this.#options.name}-${this.#count++}`
    const started = performance.now()
    this.underWay = { key, text }
    const answer = await this.#until(key, text)
    this.underWay = undefined
    if (!answer) return undefined
    const said = { key, text, ...answer, ms: performance.now() - started }
    this.said.push(said)
    this.#options.onAnswer?.(said)
    return said
  }

  /** Says what was answered once more, as if that answer had been lost; it must be the same. */
  async repeat({ key, text, id }: Said): Promise<void> {
    const again = await this.#until(key, text)
    if (again && again.id !== id)
      this.faults.push(`${key} was answered with ${id}, and its repetition with ${again.id}`)
  }

  /** Goes on until `stop`; what it returns resolves earlier if something was refused for good. */
  start(): Promise<void> {
    this.#stopping = false
    return (this.#running = this.#run())
  }

  /** Resolves when what is under way has been answered. */
  async stop(): Promise<void> {
    this.#stopping = true
    await this.#running
    this.#agent.destroy()
  }

  /** Stops at once, whatever is under way. */
  abandon(): void {
    this.#stopping = this.#abandoned = true
    this.#agent.destroy()
  }

  async #run(): Promise<void> {
    while (!this.#stopping) {
      if (!(await this.say())) return
      if (this.#options.pauseMs) await sleep(Math.random() * this.#options.pauseMs)
    }
  }

  async #until(key: string, text: string): Promise<Pick<Said, 'id' | 'tries' | 'storedBefore'> | undefined> {
    const givesUp = performance.now() + limits.outageMs
    for (let tries = 1; performance.now() < givesUp && !this.#abandoned; tries++) {
      const asked = Date.now() * 1000
      const answer = await this.#try(key, text)
      if (typeof answer === 'string') {
        this.refusals.set(answer, (this.refusals.get(answer) ?? 0) + 1)
        await sleep(limits.againMs)
      } else if (answer.status === 201) {
        const { id } = JSON.parse(answer.body) as Message
        return { id, tries, storedBefore: Number(id) < asked }
      } else if (answer.status === 503) {
        const { code } = JSON.parse(answer.body) as { code: string }
        this.refusals.set(code, (this.refusals.get(code) ?? 0) + 1)
        await sleep(limits.againMs)
      } else {
        this.faults.push(`${key} was answered with ${answer.status} ${answer.body}`)
        return undefined
      }
    }
    if (this.#abandoned) return undefined
    this.faults.push(`${key} found no answer in ${limits.outageMs / 1000} s: ${JSON.stringify([...this.refusals])}`)
    return undefined
  }

  // An answer, or why there was none.
  #try(key: string, text: string): Promise<{ status: number; body: string } | string> {
    return new Promise((resolve) => {
      const url = `${this.#chat.url}/rooms/${this.#options.room ?? 'lobby'}/messages`
      const headers = { ...this.#person.headers, 'content-type': 'application/json', 'idempotency-key': key }
      const post = request(url, { method: 'POST', headers, agent: this.#agent, timeout: patienceMs }, (response) => {
        let body = ''
        response.setEncoding('utf8')
        response.on('data', (chunk: string) => (body += chunk))
        response.on('error', () => {})
        response.on('close', () => resolve(response.complete ? { status: response.statusCode!, body } : 'cut off'))
      })
      post.on('timeout', () => post.destroy(new Error('no answer')))
      post.on('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message))
      post.end(JSON.stringify({ text }))
    })
  }
}

export interface ReaderOptions {
  path?: string
  headers?: Record<string, string>
  /** Called for each event but pings. */
  onEvent?: (event: ParsedEvent) => void
}

/** Reads a stream, and goes on from its cursor whenever it is cut. */
export class Reader {
  /** What came over all connections, but for pings. A `reset` is in it. */
  readonly events: ParsedEvent[] = []
  /** The cursor that it began with: everything after it has to come. */
  from: string | undefined
  cursor = ''
  connections = 0
  #chat: ChatServer
  #options: ReaderOptions
  #response: IncomingMessage | undefined
  #left = false
  #wake = new Set<() => void>()

  /** Resolves when the stream has told where it begins. */
  static async open(chat: ChatServer, options: ReaderOptions = {}): Promise<Reader> {
    const reader = new Reader(chat, options)
    reader.#connect()
    if (!(await reader.#when(() => reader.from !== undefined))) throw new Error('a new stream did not tell its cursor')
    return reader
  }

  private constructor(chat: ChatServer, options: ReaderOptions) {
    this.#chat = chat
    this.#options = options
  }

  /** True once it is at this id or past it, false if it does not get there within `ms`. */
  reached(id: string, ms = patienceMs): Promise<boolean> {
    return this.#when(() => Number(this.cursor) >= Number(id), ms)
  }

  /** Stops reading: what comes then stays in buffers on the way, and at last in the server. */
  pause(): void {
    this.#response?.pause()
  }

  resume(): void {
    this.#response?.resume()
  }

  /** Cuts the connection; it comes back by itself. */
  cut(): void {
    this.#response?.destroy()
  }

  leave(): void {
    this.#left = true
    this.#response?.destroy()
  }

  #connect(): void {
    if (this.#left) return
    const { path = '/events' } = this.#options
    const headers = {
      accept: 'text/event-stream',
      ...this.#options.headers,
      ...(this.cursor !== '' && { 'last-event-id': this.cursor }),
    }
    const again = () => void setTimeout(() => this.#connect(), limits.againMs)
    let answered = false
    const asked = get(this.#chat.url + path, { agent: false, headers }, (response) => {
      answered = true
      this.connections++
      this.#response = response
      const parser = new EventStreamParser()
      response.on('data', (chunk: Buffer) => {
        for (const event of parser.push(chunk)) this.#take(event)
        if (parser.lastEventId !== '') this.cursor = parser.lastEventId
        for (const wake of this.#wake) wake()
      })
      response.on('error', () => {})
      response.on('close', again)
      if (this.#left) response.destroy()
    })
    // Once there is a response, its close tells.
    asked.on('error', () => answered || again())
  }

  #take(event: ParsedEvent): void {
    this.from ??= event.event === 'ping' ? event.id : '0'
    if (event.event === 'ping') return
    this.events.push(event)
    this.#options.onEvent?.(event)
  }

  #when(holds: () => boolean, ms = patienceMs): Promise<boolean> {
    if (holds()) return Promise.resolve(true)
    return new Promise((resolve) => {
      const wake = () => holds() && end(true)
      const end = (found: boolean) => {
        clearTimeout(late)
        this.#wake.delete(wake)
        resolve(found)
      }
      const late = setTimeout(() => end(false), ms)
      this.#wake.add(wake)
    })
  }
}
