// People who come and go at every point of a request, 200 a second: afterwards nothing of them may be left in the server.

import { readdirSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { startChat } from '../chat-server.ts'
import type { Audit } from './audit.ts'
import { inScope, Reader, Writer } from './harness.ts'
import { measurable, measureServer, type Measured } from './measure.ts'
import { until } from './until.ts'

const forms = {
  short: { warmUp: 150, connects: 500, everyMs: 2, heapBytes: 3e6 },
  full: { warmUp: 5000, connects: 100_000, everyMs: 5, heapBytes: 3e6 },
}

const limits = {
  stageMs: 10_000, // for what a visitor waits for before it goes
  goneMs: 30_000, // after which all of them must be forgotten
}

const host = 'Host: localhost\r\n'
const body = '{"text":"hello"}'
const post = `POST /rooms/lobby/messages HTTP/1.1\r\n${host}Authorization: Basic ${btoa('eve:')}\r\nIdempotency-Key: always-the-same\r\nContent-Type: application/json\r\n`
const stream = `GET /events HTTP/1.1\r\n${host}Accept: text/event-stream\r\n\r\n`
const whole = `${post}Content-Length: ${body.length}\r\n\r\n${body}`

/** What a visitor sends, what it waits for, and how it goes. */
interface Visit {
  sends: string
  waitsFor?: RegExp
  /** Says that it will send no more, and waits for the end. */
  halfClose?: true
}

const visits: Visit[] = [
  { sends: '' },
  { sends: 'GET /roo' },
  { sends: `GET /rooms HTTP/1.1\r\nHost: loc` },
  { sends: `GET /rooms HTTP/1.1\r\n${host}Cookie: natter=` },
  { sends: `GET /rooms HTTP/1.1\r\n${host}\r\n` },
  { sends: `GET /rooms HTTP/1.1\r\n${host}\r\n`, waitsFor: /lobby/ },
  { sends: `GET /rooms HTTP/1.0\r\n\r\n`, waitsFor: /lobby/ },
  { sends: stream },
  { sends: stream, waitsFor: /retry/ },
  { sends: stream, waitsFor: /ping/ },
  { sends: stream.replace('/events', '/events?since=all'), waitsFor: /hello/ },
  { sends: stream.replace('/events', '/events?since=-5') },
  { sends: stream.replace('/events', '/events?room=lobby'), waitsFor: /ping/ },
  { sends: stream.replace('/events', '/rooms'), waitsFor: /lobby/ },
  { sends: stream.replace('/events', '/rooms/lobby/messages'), waitsFor: /hello/ },
  { sends: stream.replace('1.1', '1.0'), waitsFor: /retry/ },
  { sends: stream.replace('GET', 'HEAD'), waitsFor: /200 OK/ },
  { sends: stream + whole },
  { sends: stream + stream },
  { sends: `${post}Content-Length: 16\r\n\r\n` },
  { sends: `${post}Content-Length: 16\r\n\r\n{"text":` },
  { sends: `${post}Content-Length: 99999999\r\n\r\n{"text":`, waitsFor: /413/ },
  { sends: `${post}Content-Length: 16\r\nExpect: 100-continue\r\n\r\n`, waitsFor: /100 Continue/ },
  { sends: `${post}Transfer-Encoding: chunked\r\n\r\n8\r\n{"tex` },
  { sends: `${post}Transfer-Encoding: chunked\r\n\r\nnonsense\r\n` },
  { sends: whole },
  { sends: whole, waitsFor: /201/ },
  { sends: whole + whole + stream },
  { sends: whole + stream, waitsFor: /retry/ },
  { sends: '', halfClose: true },
  { sends: 'GET /roo', halfClose: true },
  { sends: `GET /rooms HTTP/1.1\r\n${host}\r\n`, halfClose: true },
  { sends: stream, halfClose: true },
  { sends: stream, waitsFor: /ping/, halfClose: true },
  { sends: `${post}Content-Length: 16\r\n\r\n{"text":`, halfClose: true },
  { sends: whole, halfClose: true },
  { sends: whole + stream, halfClose: true },
]

const churn: Audit = {
  name: 'churn',
  plantable: ['streams-kept', 'timers-kept'],
  alone: true,
  run: ({ form, fault, progress }) =>
    inScope(async (scope) => {
      const { warmUp, connects, everyMs, heapBytes } = forms[form]
      const chat = await startChat(scope, measurable(fault))
      const port = Number(new URL(chat.url).port)
      const writer = await Writer.comeIn(chat, { name: 'ada' })
      const reader = await Reader.open(chat)
      scope.after(() => reader.leave())
      await writer.say('hello')
      const faults: string[] = []
      const files = () => readdirSync(`/proc/${chat.pid}/fd`).length

      const before = files()
      const forgotten = async () => {
        if (!(await until(() => files() <= before, limits.goneMs)))
          faults.push(`${files()} files are open, ${before} were before`)
        // Node keeps the date of its answers for a second, with a timer: it is there each time.
        await writer.say()
        return measureServer(chat)
      }
      const missed = await comeAndGo(port, warmUp, everyMs, () => {})
      const start = await forgotten()
      missed.push(
        ...(await comeAndGo(port, connects, everyMs, (count) => progress(`${count} of ${connects} came and went`))),
      )
      let end = await forgotten()
      // What the post before has left for the next turn of the loop, or a timer of a second, is over when it is looked at again.
      for (let looks = 1; looks < 4 && leftOver(start, end).length > 0; looks++) end = await forgotten()

      faults.push(...leftOver(start, end))
      if (end.heap - start.heap > heapBytes)
        faults.push(`the heap has grown by ${Math.round((end.heap - start.heap) / 1024)} KiB`)
      if (missed.length > 0)
        faults.push(
          `${missed.length} visitors waited in vain, the first after ${JSON.stringify(visits[missed[0]!]!.sends)}`,
        )
      const last = await writer.say('the last word')
      if (!last || !(await reader.reached(last.id))) faults.push('who stayed does not hear the last word')
      if (reader.connections !== 1) faults.push('who stayed was cut off')
      faults.push(
        ...writer.faults,
        ...chat.errors.split('\n').filter((line) => /incident|failed|Warning|Error/.test(line)),
      )
      return {
        tried: `${connects} connections, ${Math.round(1000 / everyMs)} a second, given up at ${visits.length} points of a request`,
        found: `left: ${end.alive.streams - 1} streams, ${files() - before} files, ${end.alive.timers - start.alive.timers} timers; heap ${Math.round((end.heap - start.heap) / 1024)} KiB`,
        faults,
      }
    }),
}

export default churn

function leftOver(start: Measured, end: Measured): string[] {
  const faults: string[] = []
  const compare = (what: string, before: number, after: number) => {
    if (after > before) faults.push(`${after} ${what} are left, ${before} were before`)
  }
  for (const [what, count] of Object.entries(end.alive))
    compare(what, start.alive[what as keyof Measured['alive']], count)
  for (const [what, count] of Object.entries(end.resources)) compare(what, start.resources[what] ?? 0, count)
  return faults
}

// So many visitors, one after the other in a steady pace; resolves when all have gone, with which of the visits waited in vain.
function comeAndGo(
  port: number,
  visitors: number,
  everyMs: number,
  onCount: (count: number) => void,
): Promise<number[]> {
  let come = 0
  let gone = 0
  const inVain: number[] = []
  const started = performance.now()
  return new Promise((resolve) => {
    const pace = setInterval(() => {
      // A timer is late now and then; what is due comes all the same.
      for (const due = (performance.now() - started) / everyMs; come < due && come < visitors; come++) {
        const number = come
        void visit(port, number).then((heard) => {
          if (!heard) inVain.push(number % visits.length)
          if (++gone === visitors) resolve(inVain)
        })
      }
      onCount(gone)
      if (come === visitors) clearInterval(pace)
    }, everyMs)
  })
}

async function visit(port: number, number: number): Promise<boolean> {
  const { sends, waitsFor, halfClose } = visits[number % visits.length]!
  // Visitors from many addresses, or the ports would not last.
  const socket = connect({ port, host: '127.0.0.1', localAddress: `127.0.0.${2 + (number % 250)}` })
  const over = new Promise((resolve) => socket.on('close', resolve))
  socket.on('error', () => {})
  socket.write(sends)
  const heard = !waitsFor || (await hears(socket, waitsFor))
  if (halfClose) {
    socket.resume()
    socket.end()
    const late = setTimeout(() => socket.destroy(), limits.stageMs)
    await over
    clearTimeout(late)
  } else if (number % 3 === 0) socket.resetAndDestroy()
  else if (number % 3 === 1) socket.destroy()
  // And some go a moment later, when the server has begun with what they sent.
  else setTimeout(() => socket.destroy(), number % 50)
  await over
  return heard
}

function hears(socket: Socket, what: RegExp): Promise<boolean> {
  return new Promise((resolve) => {
    let heard = ''
    const late = setTimeout(() => resolve(false), limits.stageMs)
    socket.on('data', (chunk: Buffer) => {
      heard += chunk
      if (!what.test(heard)) return
      clearTimeout(late)
      resolve(true)
    })
    socket.on('close', () => {
      clearTimeout(late)
      resolve(what.test(heard))
    })
  })
}
