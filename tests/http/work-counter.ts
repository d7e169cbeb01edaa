// Counts what a server does: writes to readers, encodings, statements. Preloaded with `node --import` into the unchanged `server.ts`, in
// the thread that serves and the one that writes, and asked at `/work`. What is too much it does not know: that is for work.test.ts.

import { Server, type IncomingMessage, type ServerResponse } from 'node:http'
import { Socket } from 'node:net'
import { constants, DatabaseSync, StatementSync } from 'node:sqlite'
import { BroadcastChannel, isMainThread, Worker } from 'node:worker_threads'

/** How often each statement ran. */
export type Statements = Record<string, number>

/** What was done since it was asked for the last time. */
export interface Work {
  /** Calls of the system that sent messages to readers of `/events`. */
  writes: number
  /** How many different buffers these wrote. */
  buffers: number
  /** Messages that were made into bytes of frames. */
  frames: number
  /** And how often something was, but for pings: how many there are is a matter of time. */
  encoded: number
  /** And into lines of JSON, for readers who asked for those. */
  lines: number
  /** Values that were made into JSON, whatever for. */
  stringified: number
  /** What SQLite looked at to make plans for statements: nothing, once each was made. */
  planned: number
  /** Rows that SQLite gave to the thread that serves, and the most at once: what is given at once nothing else can come between. */
  rows: number
  rowsAtOnce: number
  /** In the thread that serves, which only reads. */
  read: Statements
  /** In the thread that writes. */
  written: Statements
}

const { stringify } = JSON
let work = nothing()
const buffersWritten = new Set<unknown>()

function nothing(): Work {
  return {
    writes: 0,
    buffers: 0,
    frames: 0,
    encoded: 0,
    lines: 0,
    stringified: 0,
    planned: 0,
    rows: 0,
    rowsAtOnce: 0,
    read: {},
    written: {},
  }
}

function take(): Work {
  const done = { ...work, buffers: buffersWritten.size }
  buffersWritten.clear()
  work = nothing()
  return done
}

function countStatements(counted: () => Statements): void {
  const count = (sql: string) => {
    const statements = counted()
    statements[sql] = (statements[sql] ?? 0) + 1
  }
  for (const name of ['run', 'get', 'all', 'iterate'] as const) {
    const original = StatementSync.prototype[name] as (this: StatementSync, ...values: unknown[]) => never
    StatementSync.prototype[name] = function (this: StatementSync, ...values: unknown[]) {
      count(this.sourceSQL)
      const found: unknown = original.apply(this, values)
      const rows = Array.isArray(found) && name === 'all' ? found.length : 1
      work.rows += rows
      work.rowsAtOnce = Math.max(work.rowsAtOnce, rows)
      return found as never
    }
  }
  const { exec, prepare } = DatabaseSync.prototype
  DatabaseSync.prototype.exec = function (sql) {
    count(sql)
    exec.call(this, sql)
  }
  const authorized = new WeakSet<DatabaseSync>()
  DatabaseSync.prototype.prepare = function (...values) {
    // SQLite asks for leave whenever it makes a plan, be it that one is out of date. Node 22 can't be asked.
    if (!authorized.has(this)) this.setAuthorizer?.(() => (work.planned++, constants.SQLITE_OK))
    authorized.add(this)
    return prepare.apply(this, values)
  }
}

function countEncodings(): void {
  JSON.stringify = (...values: unknown[]) => {
    work.stringified++
    return stringify.apply(JSON, values as Parameters<typeof stringify>)
  }
  const { from } = Buffer
  Buffer.from = ((...values: Parameters<typeof from>) => {
    const [value] = values as [unknown]
    if (typeof value === 'string') {
      work.frames += value.split('event: message\n').length - 1
      if (/^event: (?!ping)/m.test(value)) work.encoded++
      if (value.startsWith('{"event":"message",')) work.lines++
    }
    return from.apply(Buffer, values)
  }) as typeof from
}

// Where the socket hands over to the system. What has no message in it is left out, as pings are.
function countWrites(readers: WeakSet<Socket>): void {
  const count = (socket: Socket, chunks: readonly Uint8Array[]) => {
    if (!readers.has(socket)) return
    const withMessages = chunks.filter(hasMessage)
    if (withMessages.length > 0) work.writes++
    for (const chunk of withMessages) buffersWritten.add(chunk)
  }
  const { _write, _writev } = Socket.prototype
  Socket.prototype._write = function (this: Socket, chunk, encoding, callback) {
    if (chunk instanceof Uint8Array) count(this, [chunk])
    _write.call(this, chunk, encoding, callback)
  }
  Socket.prototype._writev = function (this: Socket, chunks, callback) {
    count(
      this,
      chunks.map(({ chunk }) => chunk).filter((chunk) => chunk instanceof Uint8Array),
    )
    _writev!.call(this, chunks, callback)
  }
}

function hasMessage({ buffer, byteOffset, length }: Uint8Array): boolean {
  const bytes = Buffer.from(buffer, byteOffset, length)
  return bytes.includes('event: message\n') || bytes.includes('{"event":"message",')
}

// How many posts are committed together is a matter of time, unless the writing thread hears of none before so many wait for it.
async function holdPosts(): Promise<(posts: number) => void> {
  let held = 0
  const kept: (() => void)[] = []
  const { postMessage } = Worker.prototype
  Worker.prototype.postMessage = function (...values) {
    if (held > 0) kept.push(() => postMessage.apply(this, values))
    else postMessage.apply(this, values)
  }
  const { LocalLog } = await import('../../lib/store/log/local-log.ts')
  const { append } = LocalLog.prototype
  LocalLog.prototype.append = function (events) {
    const appended = append.call(this, events)
    if (held > 0) held--
    if (held === 0) for (const send of kept.splice(0)) send()
    return appended
  }
  return (posts) => (held = posts)
}

// The answer to `/work?hold=…` says what was done up to now, and has that many posts wait for each other.
function answerWork(readers: WeakSet<Socket>, hold: (posts: number) => void): void {
  const writer = new BroadcastChannel('work')
  writer.unref()
  const { emit } = Server.prototype
  Server.prototype.emit = function (event: string, ...values: unknown[]) {
    if (event !== 'request') return emit.call(this, event, ...values)
    const [request, response] = values as [IncomingMessage, ServerResponse]
    const { pathname, searchParams } = new URL(request.url!, 'http://localhost')
    if (pathname === '/events') readers.add(request.socket)
    if (pathname !== '/work') return emit.call(this, event, ...values)
    writer.onmessage = ({ data }) => {
      const { written, planned } = data as Work
      const done = take()
      const body = stringify({ ...done, written, planned: done.planned + planned } satisfies Work)
      hold(Number(searchParams.get('hold')))
      response.end(body)
    }
    writer.postMessage('what was done?')
    return true
  }
}

if (isMainThread) {
  const readers = new WeakSet<Socket>()
  countStatements(() => work.read)
  countEncodings()
  countWrites(readers)
  answerWork(readers, await holdPosts())
} else {
  countStatements(() => work.written)
  const server = new BroadcastChannel('work')
  server.onmessage = () => server.postMessage(take())
  server.unref()
}
