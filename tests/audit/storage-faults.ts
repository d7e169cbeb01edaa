// Faults of storing, stopping and clocks, to see their audits turn red. Preloaded with `node --import` into the unchanged
// `server.ts`, in each of its threads; `NATTER_FAULT` names the fault. Each wraps a part of natter from outside.

import { isMainThread } from 'node:worker_threads'
import { ServerResponse } from 'node:http'
import { ServerSentEventsStream } from '../../lib/sse/server-sent-events-stream.ts'
import type { StartOptions } from '../chat-server.ts'
import { Connection } from '../../lib/store/connection.ts'
import { LocalLog } from '../../lib/store/log/local-log.ts'
import { Database } from '../../lib/store/database.ts'
import { codes, sqliteCode } from '../../lib/store/sqlite-errors.ts'

const faults: Record<string, () => void> = {
  // Who posts on the full disk is told that all is well.
  'answered-on-full-disk'() {
    const { commit, event } = Database.prototype
    Database.prototype.commit = function () {
      try {
        commit.call(this)
      } catch (error) {
        if (sqliteCode(error) !== codes.full) throw error
        this.rollback()
      }
    }
    Database.prototype.event = function (id) {
      const made = {
        id,
        type: 'message',
        rules: 3,
        user: 1,
        name: 'x',
        userKind: 'guest',
        room: 1,
        slug: 'lobby',
        roomKind: 'open',
        target: null,
        facts: null,
        rest: null,
        text: '',
      } as const
      return event.call(this, id) ?? made
    }
  },

  // Events get the clock's time as their id, whatever the newest has.
  'id-from-clock-alone'() {
    if (isMainThread) return
    const { max } = Math
    Math.max = (...numbers) => (numbers.length === 2 && numbers[1]! > 1e15 ? numbers[1]! : max(...numbers))
  },

  'sessions-by-wall-clock'() {
    const { timeOrigin } = performance
    performance.now = () => Date.now() - timeOrigin
  },

  'sessions-without-end'() {
    const { get } = Connection.prototype
    Connection.prototype.get = function <T>(sql: string, ...values: (string | number | null)[]) {
      const found = get.call(this, sql, ...values) as T | undefined
      return found && sql === 'select * from sessions where hash = ?' ? { ...found, used: Date.now() * 1000 } : found
    }
  },

  // A bad page met while reading is not told to who writes.
  'damage-ignored'() {
    const { openForReading } = Database
    Database.openForReading = (file) => openForReading.call(Database, file)
  },

  // As if what is posted was committed by the thread that serves everyone.
  'commit-on-main-thread'() {
    const { append } = LocalLog.prototype
    LocalLog.prototype.append = function (events) {
      block(Number(process.env['NATTER_SLOW_DISK_MS']))
      return append.call(this, events)
    }
  },

  // What is under way when the stop begins is stored, and its answer never sent.
  'answer-dropped-on-stop'() {
    let stopping = false
    process.on('SIGTERM', () => (stopping = true))
    changeStatus((response, status) => {
      if (stopping && status === 201) response.socket?.destroy()
      return status
    })
  },

  'no-retry-on-stop'() {
    const { send } = ServerSentEventsStream.prototype
    ServerSentEventsStream.prototype.send = function (event) {
      return this.cursor > 0 && event.retry !== undefined ? true : send.call(this, event)
    }
  },

  'ready-while-stopping'() {
    changeStatus((response, status) => (response.req.url === '/readyz' ? 200 : status))
  },
}

// A thread that does nothing else for so long.
function block(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms)
}

function changeStatus(change: (response: ServerResponse, status: number) => number): void {
  const { writeHead } = ServerResponse.prototype
  ServerResponse.prototype.writeHead = new Proxy(writeHead, {
    apply: (target, response: ServerResponse, [status, ...values]) =>
      Reflect.apply(target, response, [change(response, status), ...values]),
  })
}

export interface StorageOptions {
  fault?: string | undefined
  /** What the server finds itself in; see surroundings.ts. */
  surroundings?: Record<string, string>
}

/** For `startChat`: the unchanged server in these surroundings, with a fault planted in it if one is given. */
export function storagePlanted({
  fault,
  surroundings,
}: StorageOptions): Pick<StartOptions, 'execArgv' | 'environment'> {
  const preload = (name: string) => ['--import', new URL(name, import.meta.url).href]
  return {
    execArgv: [
      ...(surroundings ? preload('./surroundings.ts') : []),
      ...(fault === undefined ? [] : preload('./storage-faults.ts')),
    ],
    environment: { ...surroundings, ...(fault !== undefined && { NATTER_FAULT: fault }) },
  }
}

// The audits import this file for the function above; in their own process nothing is planted.
const name = process.execArgv.some((argument) => argument.endsWith('storage-faults.ts'))
  ? process.env['NATTER_FAULT']
  : undefined
if (name !== undefined) {
  const plant = faults[name]
  if (!plant) throw new Error(`there is no fault ${name}`)
  plant()
}
