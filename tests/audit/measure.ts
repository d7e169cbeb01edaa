// Preloaded into a server, it counts what is alive in it: on SIGUSR2 it collects garbage and writes one line to stderr.

import { readdirSync } from 'node:fs'
import { IncomingMessage, ServerResponse } from 'node:http'
import { Socket } from 'node:net'
import { queryObjects } from 'node:v8'
import { isMainThread } from 'node:worker_threads'
import { ServerSentEventsStream } from '../../lib/sse/server-sent-events-stream.ts'
import type { ChatServer, StartOptions } from '../chat-server.ts'
import { planted } from './harness.ts'
import { until } from './until.ts'

export interface Measured {
  /** Objects that garbage collection leaves, by class. */
  alive: { streams: number; sockets: number; requests: number; responses: number; timers: number }
  /** What keeps the process running, by kind. */
  resources: Record<string, number>
  files: number
  /** Bytes: JavaScript's heap after garbage collection, and the buffers beside it. */
  heap: number
  buffers: number
  rss: number
}

// `setTimeout` and `setInterval` make objects of a class that has no other name.
const timer = setTimeout(() => {}, 0)
const Timeout = timer.constructor as new () => unknown
clearTimeout(timer)

function measure(): Measured {
  const count = (kind: Function) => Number(queryObjects(kind as new () => unknown, { format: 'count' }))
  const alive = {
    streams: count(ServerSentEventsStream),
    sockets: count(Socket),
    requests: count(IncomingMessage),
    responses: count(ServerResponse),
    timers: count(Timeout),
  }
  const resources: Record<string, number> = {}
  for (const kind of process.getActiveResourcesInfo()) resources[kind] = (resources[kind] ?? 0) + 1
  const { heapUsed, external, rss } = process.memoryUsage()
  return { alive, resources, files: readdirSync('/proc/self/fd').length, heap: heapUsed, buffers: external, rss }
}

if (isMainThread && process.env['NATTER_MEASURED']) {
  // It warns that it may change; so may we.
  const { emitWarning } = process
  process.emitWarning = () => {}
  measure()
  process.emitWarning = emitWarning
  process.on('SIGUSR2', () => process.stderr.write(`measured ${JSON.stringify(measure())}\n`))
}

/** Has a server that runs with this module count. */
export async function measureServer(chat: ChatServer): Promise<Measured> {
  const lines = () => chat.errors.match(/(?<=^measured ).*(?=\n)/gm) ?? []
  const before = lines().length
  chat.signal('SIGUSR2')
  if (!(await until(() => lines().length > before, 30_000))) throw new Error('the server does not count')
  return JSON.parse(lines().at(-1)!) as Measured
}

/** For `startChat`: a server that can be measured, with a fault planted in it if one is given. */
export function measurable(fault: string | undefined): Pick<StartOptions, 'execArgv' | 'environment'> {
  const { execArgv = [], environment = {} } = planted(fault)
  return {
    execArgv: [...execArgv, '--import', import.meta.url],
    environment: { ...environment, NATTER_MEASURED: 'yes' },
  }
}
