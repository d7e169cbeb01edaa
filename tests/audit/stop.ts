// SIGTERM under load: whoever asks learns that it is stopping, streams are told to come back at times that differ, each post is
// answered and kept or not answered with 201, and it is over in time, whatever readers and senders do. A second signal ends it at once.

import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { Listener, startChat, temporaryFolder, type ChatServer, type Scope } from '../chat-server.ts'
import type { Audit, AuditOptions, Verdict } from './audit.ts'
import { inScope, Reader, Writer } from './harness.ts'
import { compareWithHistory } from './history.ts'
import { storagePlanted } from './storage-faults.ts'
import { soon } from './until.ts'

const forms = {
  short: { streams: 200, stuck: 5, writers: 4, rounds: 1, slowStop: false },
  full: { streams: 1000, stuck: 100, writers: 16, rounds: 5, slowStop: true },
}

const stopMs = 10_000
const leastSpreadMs = 300 // between the first and the last stream's end; 200 streams are spread over 600 ms

export default {
  name: 'stop',
  plantable: ['answer-dropped-on-stop', 'no-retry-on-stop', 'ready-while-stopping'],
  alone: true,
  run: (options) => inScope((scope) => audit(scope, options)),
} satisfies Audit

async function audit(scope: Scope, { form, fault, progress }: AuditOptions): Promise<Verdict> {
  const { streams, stuck, writers, rounds, slowStop } = forms[form]
  const data = await temporaryFolder(scope)
  const chat = await startChat(scope, { data, ...storagePlanted({ fault }) })
  const faults: string[] = []
  if (slowStop) await sayMuch(chat)
  const took: number[] = []
  for (let round = 0; round < rounds && faults.length === 0; round++) {
    const { ms, ...found } = await stopUnderLoad(scope, chat, {
      data,
      streams,
      stuck: slowStop ? stuck : 0,
      writers,
      round,
    })
    faults.push(...found.faults)
    took.push(ms)
    progress(`stop ${round + 1} of ${rounds} with ${streams} streams took ${Math.round(ms)} ms`)
  }
  if (faults.length === 0) faults.push(...(await secondSignal(chat, stuck)))
  return {
    tried: `${rounds} stops with ${streams} streams and ${writers} writers`,
    found: `over in ${Math.round(Math.max(...took))} ms at most, nothing lost`,
    faults,
  }
}

async function stopUnderLoad(
  scope: Scope,
  chat: ChatServer,
  load: { data: string; streams: number; stuck: number; writers: number; round: number },
) {
  const faults: string[] = []
  const listeners = await Promise.all(Array.from({ length: load.streams }, () => chat.stranger.listen()))
  const ends: number[] = []
  for (const listener of listeners) void listener.over.then(() => ends.push(performance.now()))
  const stopped = await Promise.all(Array.from({ length: load.stuck }, () => stuckReader(scope, chat)))
  const reader = await Reader.open(chat)
  const writers = await Promise.all(
    Array.from({ length: load.writers }, (_, at) => Writer.comeIn(chat, { name: `w${load.round}-${at}` })),
  )
  const answered = () => writers.reduce((sum, { said }) => sum + said.length, 0)
  for (const writer of writers) void writer.start()
  await soon(() => answered() >= 10 * load.writers, 'posts answered', faults)

  const started = performance.now()
  const over = chat.stop()
  await stopsBeingReady(chat, over, faults)
  const code = await Promise.race([over, sleep(2 * stopMs, 'never', { ref: false })])
  const ms = performance.now() - started
  if (code !== 0) faults.push(`it ended with ${code}`)
  if (ms > stopMs) faults.push(`it took ${Math.round(ms)} ms to stop`)
  const exited = Date.now()
  for (const suffix of ['-wal', '-shm'])
    if (existsSync(join(load.data, `natter.db${suffix}`))) faults.push(`natter.db${suffix} was left`)

  await Promise.all(listeners.map((listener) => listener.over))
  const retries = listeners.map(({ bytes }) => Number(/\n\nretry: (\d+)\n\n$/.exec(bytes.toString())?.[1] ?? NaN))
  const without = retries.filter(Number.isNaN).length
  if (without > 0) faults.push(`${without} of ${load.streams} streams ended without being told when to come back`)
  if (new Set(retries).size < load.streams / 4)
    faults.push(`${load.streams} streams come back at ${new Set(retries).size} times`)
  const spread = Math.max(...ends) - Math.min(...ends)
  if (spread < leastSpreadMs) faults.push(`all streams ended within ${Math.round(spread)} ms`)

  for (const socket of stopped) socket.destroy()
  await chat.start()
  await Promise.all(writers.map((writer) => writer.stop()))
  // What found its answer only after the restart, and has an id from before, was stored and its answer dropped.
  const dropped = writers.flatMap(({ said }) => said).filter(({ tries, id }) => tries > 1 && Number(id) / 1000 < exited)
  if (dropped.length > 0) faults.push(`${dropped.length} posts were stored and not answered`)
  const lost = writers.flatMap(({ refusals }) => [...refusals]).filter(([code]) => !harmless.has(code))
  for (const [code, times] of lost) faults.push(`${times} posts met ${code} while it stopped`)
  faults.push(...(await compareWithHistory(chat, { writers, readers: [reader] })))
  reader.leave()
  return { faults, ms }
}

// As long as streams are being ended it can be asked.
async function stopsBeingReady(chat: ChatServer, over: Promise<unknown>, faults: string[]): Promise<void> {
  let exited = false
  void over.then(() => (exited = true))
  for (let status: number | undefined; status !== 503; ) {
    status = (await chat.fetch('/readyz').catch(() => undefined))?.status
    if (exited || status === undefined) return void faults.push('/readyz did not say that it was stopping')
  }
}

// Not taken, and so safe to repeat: an orderly refusal, nobody there, or a connection that was closed while it was idle. A
// request that was cut off in the middle of its answer is none of these.
const harmless = new Set(['stopping', 'ECONNREFUSED', 'ECONNRESET'])

// More than the buffers on the way to a reader hold, so that one that stopped is seen to have stopped.
async function sayMuch(chat: ChatServer): Promise<void> {
  const ada = await chat.comeIn('ada')
  let count = 0
  for (let turn = 0; turn < 150; turn++)
    await Promise.all(Array.from({ length: 20 }, () => ada.say('lobby', `${count++} ${'much '.repeat(780)}`)))
}

// A reader that takes nothing: its connection is open, its buffers fill up.
async function stuckReader(scope: Scope, chat: ChatServer): Promise<Socket> {
  const { port, hostname, host } = new URL(chat.url)
  const socket = connect(Number(port), hostname)
  socket.on('error', () => {})
  scope.after(() => socket.destroy())
  await once(socket, 'connect')
  socket.pause()
  socket.write(`GET /events?since=all HTTP/1.1\r\nHost: ${host}\r\n\r\n`)
  return socket
}

// An upload that never ends keeps the first signal's stop waiting; the second does not wait for anything.
async function secondSignal(chat: ChatServer, stuck: number): Promise<string[]> {
  const faults: string[] = []
  const { port, hostname, host } = new URL(chat.url)
  const uploads = Array.from({ length: stuck }, () => connect(Number(port), hostname))
  for (const upload of uploads) {
    upload.on('error', () => {})
    upload.write(
      `POST /session HTTP/1.1\r\nHost: ${host}\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{`,
    )
  }
  const reader = await Listener.open(`${chat.url}/events`)
  const exited = chat.stop()
  await reader.over
  const pid = chat.pid
  const first = await Promise.race([exited.then(() => 'over'), sleep(300, 'waiting')])
  if (first === 'over') faults.push('the stop did not wait for an upload under way')
  const signalled = performance.now()
  process.kill(pid, 'SIGTERM')
  const code = await exited
  const ms = performance.now() - signalled
  if (code !== 1) faults.push(`the second signal ended it with ${code}`)
  if (ms > 3000) faults.push(`the second signal took ${Math.round(ms)} ms`)
  for (const upload of uploads) upload.destroy()
  return faults
}
