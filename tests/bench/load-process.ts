// The process that loads a server (load.ts): one order at a time, each answered with what was measured.

import { setTimeout as sleep } from 'node:timers/promises'
import { cpuSecondsOf, machineCpuSeconds } from './process-figures.ts'
import { Poster, PostRequests } from './poster.ts'
import { Readers, type Protocol } from './readers.ts'
import { textOf } from './text.ts'

interface Server {
  port: number
  pid: number
}

/** Opens readers, a request each. */
export interface OpenOrder extends Server {
  kind: 'open'
  protocol: Protocol
  requests: readonly string[]
}

/**
 * Posts to the readers that are open, each room in turn. The next is sent as soon as less than `underWay` times a room's readers
 * are still to get theirs: so a server always has something to do, and never more than that.
 */
export interface FanOutOrder extends Server {
  kind: 'fanOut'
  /** A request a room. */
  posts: readonly string[]
  readersPerRoom: number
  underWay: number
  warmUpMs: number
  measuredMs: number
}

/** Each of so many connections posts again as soon as it is answered. */
export interface PostOrder extends Server {
  kind: 'post'
  post: string
  connections: number
  warmUpMs: number
  measuredMs: number
}

/** One reader who gets so many messages of before. */
export interface ReplayOrder extends Server {
  kind: 'replay'
  protocol: Protocol
  request: string
  messages: number
}

export type LoadOrder = OpenOrder | FanOutOrder | PostOrder | ReplayOrder

/** Of the measured time alone, without warming up. */
export interface LoadReport {
  count: number
  seconds: number
  /** Of the server, and of this process, on their processors. */
  serverCpuSeconds: number
  loadCpuSeconds: number
  /** Of everybody else on this machine. */
  othersCpuSeconds: number
  /** In milliseconds, from sending a message to its receipt or answer. */
  p50: number
  p99: number
  p999: number
}

const patienceMs = 10_000

const readers = new Readers()
const requests = new PostRequests()

async function carryOut(order: LoadOrder): Promise<LoadReport | undefined> {
  if (order.kind === 'fanOut') return fanOut(order)
  if (order.kind === 'post') return post(order)
  if (order.kind === 'replay') return replay(order)
  await readers.open(order.port, order.protocol, order.requests)
  await readers.quiet()
  return undefined
}

async function fanOut({ port, pid, posts, readersPerRoom, underWay, warmUpMs, measuredMs }: FanOutOrder): Promise<LoadReport> {
  const posters = await Promise.all(Array.from({ length: underWay }, () => Poster.open(port)))
  let sent = 0
  let over = false
  const send = () => {
    while (!over && sent * readersPerRoom - readers.deliveries < underWay * readersPerRoom) {
      const post = requests.fill(posts[sent % posts.length]!, textOf(performance.now()))
      posters[sent++ % posters.length]!.post(post)
    }
  }
  readers.reset()
  readers.onDelivery = send
  send()
  await sleep(warmUpMs)
  readers.forgetDelays()
  const began = Span.begin(pid, readers.deliveries)
  await sleep(measuredMs)
  const measured = began.end(readers.deliveries)
  const delays = readers.delays()
  over = true
  const answered = () => posters.reduce((sum, poster) => sum + poster.answered, 0)
  await allArrive(() => readers.deliveries >= sent * readersPerRoom && answered() >= sent)
  end(posters)
  if (readers.deliveries !== sent * readersPerRoom) throw new Error(`${readers.deliveries} deliveries of ${sent} messages to ${readersPerRoom} readers each`)
  if (answered() !== sent) throw new Error(`${answered()} answers to ${sent} posts`)
  if (readers.closed > 0) throw new Error(`${readers.closed} readers were hung up on`)
  return { ...measured, ...delays }
}

async function post({ port, pid, post, connections, warmUpMs, measuredMs }: PostOrder): Promise<LoadReport> {
  const posters = await Promise.all(Array.from({ length: connections }, () => Poster.open(port)))
  let delays: number[] = []
  let answered = 0
  let over = false
  for (const poster of posters) {
    let sentMs = 0
    const send = () => {
      sentMs = performance.now()
      poster.post(requests.fill(post, textOf(sentMs)))
    }
    poster.onAnswer = () => {
      answered++
      delays.push(performance.now() - sentMs)
      if (!over) send()
    }
    send()
  }
  await sleep(warmUpMs)
  delays = []
  const began = Span.begin(pid, answered)
  await sleep(measuredMs)
  const measured = began.end(answered)
  over = true
  await sleep(100)
  end(posters)
  const sorted = Float64Array.from(delays).sort()
  const at = (part: number) => sorted[Math.floor((sorted.length - 1) * part)] ?? NaN
  return { ...measured, p50: at(0.5), p99: at(0.99), p999: at(0.999) }
}

async function replay({ port, pid, protocol, request, messages }: ReplayOrder): Promise<LoadReport> {
  const began = Span.begin(pid, 0)
  let report: LoadReport | undefined
  readers.reset()
  readers.onDelivery = () => {
    if (readers.deliveries >= messages) report ??= { ...began.end(readers.deliveries), p50: NaN, p99: NaN, p999: NaN }
  }
  await readers.open(port, protocol, [request])
  await allArrive(() => report !== undefined)
  await readers.quiet()
  if (!report || readers.deliveries !== messages) throw new Error(`${readers.deliveries} of ${messages} messages were replayed`)
  return report
}

/** A time that is measured, with what processes needed in it. */
class Span {
  #pid: number
  #count: number
  #beganMs = performance.now()
  #server: number
  #machine = machineCpuSeconds()
  #load = process.cpuUsage()

  static begin(pid: number, count: number): Span {
    return new Span(pid, count)
  }

  constructor(pid: number, count: number) {
    this.#pid = pid
    this.#count = count
    this.#server = cpuSecondsOf(pid)
  }

  end(count: number): Omit<LoadReport, 'p50' | 'p99' | 'p999'> {
    const { user, system } = process.cpuUsage(this.#load)
    const loadCpuSeconds = (user + system) / 1e6
    const serverCpuSeconds = cpuSecondsOf(this.#pid) - this.#server
    return {
      count: count - this.#count,
      seconds: (performance.now() - this.#beganMs) / 1000,
      serverCpuSeconds,
      loadCpuSeconds,
      othersCpuSeconds: machineCpuSeconds() - this.#machine - serverCpuSeconds - loadCpuSeconds,
    }
  }
}

async function allArrive(claim: () => boolean): Promise<void> {
  for (const last = performance.now() + patienceMs; performance.now() < last && !claim(); ) await sleep(20)
}

function end(posters: readonly Poster[]): void {
  const refusal = posters.find((poster) => poster.refusal !== undefined)?.refusal
  if (refusal !== undefined) throw new Error(`a post was answered: ${refusal}`)
  for (const poster of posters) poster.close()
}

process.on('message', async (order: LoadOrder) => {
  try {
    process.send!({ report: await carryOut(order) })
  } catch (error) {
    process.send!({ failed: error instanceof Error ? error.message : String(error) })
  }
})
process.on('disconnect', () => process.exit())
