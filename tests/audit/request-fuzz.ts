// Requests that are almost right, in pieces cut at random, from a seed: each gets an answer that means something, or a closed
// connection, in time; and the server goes on as if nothing had been.

import { connect } from 'node:net'
import { startChat, type ChatServer } from '../chat-server.ts'
import { answersIn, wrongWith, type RawAnswer } from './answers.ts'
import type { Audit, Form } from './audit.ts'
import { Chance } from './chance.ts'
import { inScope, planted, Reader, Writer } from './harness.ts'
import { mutate } from './mutations.ts'
import { framedRequest, type Known } from './requests.ts'

const forms = {
  // answerMs: after which it hangs. A body may be silent for 30 s, which the short form does not try.
  short: { requests: 5000, connections: 32, answerMs: 8000 },
  full: { requests: 1_000_000, connections: 64, answerMs: 45_000 },
}

const limits = {
  trickleMs: 10, // between two pieces of what comes slowly
  idleMs: 200, // without a byte: what was sent is no whole request, and is made one
  healthMs: 5000, // for an answer to somebody else, at any time
  healthEveryMs: 500,
}

/** Statuses that an answer may have. What goes wrong on our side is none of them. */
const defined = new Set([100, 200, 201, 204, 304, 400, 401, 403, 404, 405, 408, 409, 413, 417, 421, 429, 431, 503])

const streamHead = /\r\ncontent-type: (text\/event-stream|application\/x-ndjson|text\/plain)/i

// Whatever the server waits for, with this it has it: a header becomes too long, a body whole, a chunk's size nonsense.
const junk = Buffer.alloc(140_000, 'x')

const requestFuzz: Audit = {
  name: 'request-fuzz',
  plantable: ['text-that-hangs', 'name-that-throws', 'refused-without-a-word'],
  run: ({ form, fault, progress }) =>
    inScope(async (scope) => {
      const { requests, connections, answerMs } = forms[form]
      // What is planted must be found each time.
      const seed = Number(process.env['NATTER_SEED'] ?? (fault ? 1 : Date.now() % 1e9))
      const chat = await startChat(scope, {
        flags: ['--trust-proxy', 'loopback', '--url', 'http://chat.example', '--allow-origin', 'https://localhost'],
        ...planted(fault),
      })
      const writer = await Writer.comeIn(chat, { name: 'judge', room: 'lobby' })
      const bot = await (await chat.owner()).makeBot({ name: 'bot' })
      const first = await writer.say('the first word')
      // Ids have all the same length, so that a seed makes the same requests whatever they are.
      const known: Known = { authorization: bot.headers['authorization']!, message: first!.id, user: bot.id }
      const reader = await Reader.open(chat, { path: '/events?room=lobby' })
      scope.after(() => reader.leave())
      const faults = new Map<string, number>()
      const examples = new Map<string, string>()
      const statuses = new Map<number, number>()
      let sent = 0
      let talks = 0

      const attack = async () => {
        while (sent < requests && faults.size < 20) {
          // Each from a seed of its own, so that it is the same whatever the others do meanwhile.
          const talk = seed + 7919 * talks++
          const chance = new Chance(talk)
          const { bytes, count, answers } = nextConversation(chance, { form, known })
          sent += count
          // Some come in a trickle.
          const slow = chance.below(40) === 0
          const cuts = Array.from({ length: slow ? 40 : chance.below(5) }, () => chance.below(bytes.length)).sort(
            (a, b) => a - b,
          )
          const heard = await converse(chat, {
            bytes,
            cuts,
            pauseMs: slow ? limits.trickleMs : 0,
            answers,
            answerMs,
            address: `127.0.0.${2 + chance.below(250)}`,
          })
          for (const status of heard.statuses) {
            statuses.set(status, (statuses.get(status) ?? 0) + 1)
            if (!defined.has(status)) add(`status ${status} after ${shown(bytes)}`)
          }
          for (const wrong of heard.answers.flatMap(wrongWith)) add(wrong, `after ${shown(bytes)} (talk ${talk})`)
          if (heard.hangs) add(`no answer and no end within ${answerMs / 1000} s after ${shown(bytes)} (talk ${talk})`)
          // A reader keeps what it got; nobody asks for it here.
          reader.events.length = 0
          progress(`${sent} of ${requests} requests, seed ${seed}`)
        }
      }
      // Of many that are alike the first is shown.
      const add = (text: string, example = '') => {
        if (!faults.has(text)) examples.set(text, example)
        faults.set(text, (faults.get(text) ?? 0) + 1)
      }
      const health = watchHealth(chat)
      await Promise.all(Array.from({ length: connections }, attack))
      const slowestMs = await health.stop()

      if (slowestMs > limits.healthMs) add(`/healthz took ${Math.round(slowestMs)} ms to answer meanwhile`)
      const last = await writer.say('still there')
      if (!last || !(await reader.reached(last.id)))
        add('a stream that was open all the time does not get the last word')
      if (reader.connections !== 1) add('a stream of somebody else was cut')
      for (const text of writer.faults) add(text)
      for (const line of chat.errors
        .split('\n')
        .filter((line) => /incident|failed|Warning/.test(line))
        .slice(0, 5))
        add(line)
      return {
        tried: `${sent} requests with seed ${seed}, in pieces, over ${connections} connections at a time`,
        found: `${[...statuses]
          .sort(([a], [b]) => a - b)
          .map(([status, count]) => `${status}: ${count}`)
          .join(', ')}; /healthz within ${Math.round(slowestMs)} ms`,
        faults: [...faults].map(([text, count]) =>
          [text, ...(count > 1 ? [`(${count} times)`] : []), examples.get(text)!].join(' ').trim(),
        ),
      }
    }),
}

export default requestFuzz

interface Conversation {
  bytes: Buffer
  /** How many requests it was made of. */
  count: number
  /** How many answers there must be; undefined if nobody can know. */
  answers: number | undefined
}

function nextConversation(chance: Chance, { form, known }: { form: Form; known: Known }): Conversation {
  const parts: Buffer[] = []
  for (let left = 1 + chance.below(4); left > 0; left--) {
    const { bytes, ends } = framedRequest(chance, known)
    parts.push(bytes)
    // Nothing is answered behind a stream, nor behind what can't be read.
    if (ends) break
  }
  const bytes = Buffer.concat(parts)
  // Node says nothing of a broken body behind an Upgrade header, and it ends after 30 s of silence: that is for the full form.
  const slow = form === 'short' && bytes.includes('Upgrade:')
  if (chance.below(2) === 0 || slow) return { bytes, count: parts.length, answers: parts.length }
  return { bytes: mutate(bytes, chance), count: parts.length, answers: undefined }
}

interface Talk {
  bytes: Buffer
  /** Where it is cut into pieces. */
  cuts: readonly number[]
  pauseMs: number
  answers: number | undefined
  answerMs: number
  address: string
}

// Sends it piece by piece, and resolves when it is answered or cut off, or hangs.
function converse(
  chat: ChatServer,
  { bytes, cuts, pauseMs, answers, answerMs, address }: Talk,
): Promise<{ statuses: number[]; answers: RawAnswer[]; hangs: boolean }> {
  return new Promise((resolve) => {
    const socket = connect({
      port: Number(new URL(chat.url).port),
      host: '127.0.0.1',
      localAddress: address,
      noDelay: true,
    })
    let heard = ''
    let completed = false
    // An answer's body has no line of its own that begins like this: it is JSON, or ours.
    const statuses = () => [...heard.matchAll(/(?:^|\n)HTTP\/1\.1 (\d{3}) /g)].map(([, status]) => Number(status))
    const end = (hangs: boolean) => {
      clearTimeout(late)
      clearTimeout(idle)
      socket.resetAndDestroy()
      resolve({ statuses: statuses(), answers: answersIn(heard), hangs })
    }
    const late = setTimeout(() => end(true), answerMs)
    const idle = setTimeout(() => {
      if (answers !== undefined) return
      // After that an answer is enough: it may go on to wait for the rest of a body that it has refused.
      completed = true
      if (statuses().length > 0) return end(false)
      socket.write(junk)
    }, limits.idleMs)
    socket.on('data', (chunk: Buffer) => {
      heard += chunk.toString('latin1')
      // A stream has a byte for everything that anybody says, and is never quiet.
      if (!completed && !streamHead.test(heard)) idle.refresh()
      const final = statuses().filter((status) => status !== 100).length
      if (completed ? final > 0 : answers !== undefined && final >= answers) end(false)
    })
    socket.on('error', () => {})
    socket.on('close', () => end(false))
    const parts = [0, ...cuts].map((from, index) => bytes.subarray(from, cuts[index] ?? bytes.length))
    const send = () => {
      const part = parts.shift()
      if (!part || socket.destroyed) return
      socket.write(part)
      if (!completed) idle.refresh()
      if (pauseMs > 0) setTimeout(send, pauseMs)
      else setImmediate(send)
    }
    send()
  })
}

// Somebody else asks now and then; tells at the end how long the slowest answer took.
function watchHealth(chat: ChatServer): { stop: () => Promise<number> } {
  let slowestMs = 0
  let asking = Promise.resolve()
  const ask = async () => {
    const started = performance.now()
    const answer = await chat.fetch('/healthz').catch(() => undefined)
    slowestMs = Math.max(slowestMs, answer?.status === 200 ? performance.now() - started : Infinity)
  }
  const timer = setInterval(() => (asking = asking.then(ask)), limits.healthEveryMs)
  return {
    async stop() {
      clearInterval(timer)
      await (asking = asking.then(ask))
      return slowestMs
    },
  }
}

function shown(bytes: Buffer): string {
  const text = JSON.stringify(bytes.toString('latin1'))
  return text.length > 400 ? `${text.slice(0, 400)}… (${bytes.length} bytes)` : text
}
