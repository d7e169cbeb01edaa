// The process of a crowd (crowd.ts): readers on raw sockets, each with its cursor and the ids of the messages it got.

import { connect, type Socket } from 'node:net'
import { until } from './until.ts'

export type CrowdOrder =
  /** New readers, which go on after `lastEventId` if it is given. Done when all have been answered. */
  | {
      open: number
      port: number
      path: string
      lastEventId?: string
      reading: boolean
      headers?: Record<string, string>
    }
  /** All leave. */
  | { leave: true }
  /** Who has no connection comes back with its cursor. Done when all have been answered. */
  | { comeBack: true; port: number; withinMs: number }
  | { reading: boolean }
  /** Done when all have the message of this id, or are cut off. */
  | { until: number; withinMs: number }
  /** Done when all are cut off. */
  | { untilCutOff: true; withinMs: number }
  /** Compares what each got with these ids, which are all that there were, in order. */
  | { compare: readonly number[] }
  | { count: true }

export interface CrowdReport {
  readers: number
  open: number
  /** How many did not leave by themselves. */
  cutOff: number
  resets: number
  /** How many were answered with anything but 200. */
  refused: number
  /** How many have not all messages yet, or, when compared, have a gap, a repeat or a wrong order. */
  behind: number
  firstError: string
}

const marker = Buffer.from('\nid: ')
const keptBytes = 64 // of what was read, to know the line before a marker

class Reader {
  /** Of the messages it got. */
  readonly ids: number[] = []
  /** The newest id of all. */
  cursor: string
  status = 0
  resets = 0
  open = false
  cutOff = false
  #path: string
  #headers: string
  #socket: Socket | undefined
  #rest: Buffer = Buffer.alloc(0)

  constructor(path: string, cursor: string, headers: Record<string, string>) {
    this.#path = path
    this.#headers = Object.entries({ host: 'localhost', ...headers })
      .map(([name, value]) => `${name}: ${value}\r\n`)
      .join('')
    this.cursor = cursor
  }

  connect(port: number, reading: boolean): void {
    const socket = connect({ port, host: '127.0.0.1' })
    this.#socket = socket
    this.#rest = Buffer.alloc(0)
    this.status = 0
    this.open = true
    const since = this.cursor === '' ? '' : `Last-Event-ID: ${this.cursor}\r\n`
    socket.write(`GET ${this.#path} HTTP/1.1\r\n${this.#headers}Accept: text/event-stream\r\n${since}\r\n`)
    socket.on('data', (chunk: Buffer) => this.#take(chunk))
    if (!reading) socket.pause()
    // A refused or cut connection is counted when it closes.
    socket.on('error', () => {})
    socket.on('close', () => {
      if (this.#socket !== socket) return
      this.open = false
      this.cutOff = true
    })
  }

  leave(): void {
    this.open = false
    const socket = this.#socket
    this.#socket = undefined
    socket?.destroy()
  }

  set reading(reading: boolean) {
    if (reading) this.#socket?.resume()
    else this.#socket?.pause()
  }

  #take(chunk: Buffer): void {
    if (this.status === 0) this.status = Number(chunk.toString('latin1', 9, 12))
    const data = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk])
    let from = 0
    for (;;) {
      const at = data.indexOf(marker, from)
      const end = at < 0 ? -1 : data.indexOf(10, at + marker.length)
      if (end < 0) {
        const keep = Math.max(from, (at < 0 ? data.length : at) - keptBytes)
        // A copy, or a few bytes would keep the whole chunk.
        this.#rest = Buffer.from(data.subarray(keep))
        return
      }
      this.cursor = data.toString('latin1', at + marker.length, end)
      const line = data.toString('latin1', Math.max(0, at - 14), at)
      if (line === 'event: message') this.ids.push(Number(this.cursor))
      else if (line.endsWith('event: reset')) this.resets++
      from = end
    }
  }
}

const readers: Reader[] = []

async function carryOut(order: CrowdOrder): Promise<void> {
  if ('open' in order) {
    const { open, port, path, lastEventId = '', reading, headers = {} } = order
    const news = Array.from({ length: open }, () => new Reader(path, lastEventId, headers))
    readers.push(...news)
    for (const reader of news) reader.connect(port, reading)
    if (reading) await until(() => news.every((reader) => reader.status > 0 || !reader.open), 60_000)
  } else if ('leave' in order) {
    for (const reader of readers) reader.leave()
  } else if ('comeBack' in order) {
    const last = performance.now() + order.withinMs
    do {
      const away = readers.filter((reader) => !reader.open)
      for (const reader of away) {
        reader.cutOff = false
        reader.connect(order.port, true)
      }
      await until(() => readers.every((reader) => reader.status === 200 || !reader.open), last - performance.now())
    } while (performance.now() < last && readers.some((reader) => !reader.open))
  } else if ('reading' in order) {
    for (const reader of readers) reader.reading = order.reading
  } else if ('until' in order) {
    await until(
      () => readers.every((reader) => (reader.ids.at(-1) ?? 0) >= order.until || !reader.open),
      order.withinMs,
    )
  } else if ('untilCutOff' in order) {
    await until(() => readers.every((reader) => !reader.open), order.withinMs)
  }
}

function report(order: CrowdOrder): CrowdReport {
  const count = (claim: (reader: Reader) => boolean) => readers.filter(claim).length
  const wanted = 'compare' in order ? order.compare.join() : undefined
  const wrong = wanted === undefined ? undefined : readers.filter((reader) => reader.ids.join() !== wanted)
  const first = wrong?.[0]
  return {
    readers: readers.length,
    open: count((reader) => reader.open),
    cutOff: count((reader) => reader.cutOff),
    resets: readers.reduce((sum, reader) => sum + reader.resets, 0),
    refused: count((reader) => reader.status !== 0 && reader.status !== 200),
    behind: wrong?.length ?? ('until' in order ? count((reader) => (reader.ids.at(-1) ?? 0) < order.until) : 0),
    firstError: first && 'compare' in order ? differenceOf(first.ids, order.compare) : '',
  }
}

function differenceOf(got: readonly number[], wanted: readonly number[]): string {
  const at = wanted.findIndex((id, index) => got[index] !== id)
  return `${got.length} of ${wanted.length} messages; at ${at < 0 ? wanted.length : at} it has ${got[at < 0 ? wanted.length : at]} and not ${wanted[at]}`
}

// One order at a time: each is done before the next begins.
let before = Promise.resolve()
process.on('message', ({ ask, order }: { ask: number; order: CrowdOrder }) => {
  before = before.then(async () => {
    await carryOut(order)
    process.send!({ answer: ask, report: report(order) })
  })
})
process.on('disconnect', () => process.exit())
process.send!({ ready: true })
