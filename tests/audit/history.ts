// The verdict over writers and readers: what they were told is held against what the server has kept, by page and by stream.

import type { Message } from '../../lib/chat/streams/events.ts'
import { patienceMs, type ChatServer } from '../chat-server.ts'
import type { ParsedEvent } from '../event-stream-parser.ts'
import { Reader, type Writer } from './harness.ts'

export interface Kept {
  /** All that a stream of everything replays. */
  events: ParsedEvent[]
  /** The room's history, read by page. */
  messages: Message[]
}

/** Reads all that there is. Nobody may be writing. */
export async function readHistory(chat: ChatServer, room = 'lobby'): Promise<Kept> {
  const messages: Message[] = []
  let newest = '0'
  for (let more = true; more; ) {
    const answer = await chat.fetch(`/rooms/${room}/messages?limit=200&after=${messages.at(-1)?.id ?? 0}`)
    const page = (await answer.json()) as { messages: Message[]; cursor: string; more: boolean }
    messages.push(...page.messages)
    ;({ more, cursor: newest } = page)
  }
  const reader = await Reader.open(chat, { path: '/events?since=all' })
  const whole = await reader.reached(newest)
  reader.leave()
  if (!whole) throw new Error(`the stream of everything ended at ${reader.cursor}, and the newest is ${newest}`)
  return { events: reader.events, messages }
}

/**
 * What the writers and readers were told that the server has not kept, or kept otherwise: a sentence each. The writers must
 * have stopped, and have written to the same room; the readers still read.
 */
export async function compareWithHistory(
  chat: ChatServer,
  { writers, readers }: { writers: readonly Writer[]; readers: readonly Reader[] },
): Promise<string[]> {
  const faults = await sayLastWord(writers[0]!, readers)
  const kept = await readHistory(chat)
  faults.push(...comparePages(kept))
  for (const writer of writers) faults.push(...writer.faults)
  faults.push(...compareWriters(writers, kept.messages))
  for (const [number, reader] of readers.entries())
    faults.push(...compareReader(reader, kept.events).map((fault) => `reader ${number}: ${fault}`))
  return faults
}

// Every reader has to get as far as the last word. A server at fault may never send just that one: so another is said then.
async function sayLastWord(writer: Writer, readers: readonly Reader[]): Promise<string[]> {
  const last = await writer.say(`the last word at ${performance.now()}`)
  if (!last) return []
  const givesUp = performance.now() + patienceMs
  while (performance.now() < givesUp) {
    const there = await Promise.all(readers.map((reader) => reader.reached(last.id, 1000)))
    if (there.every(Boolean)) return []
    await writer.say(`is anybody there at ${performance.now()}`)
  }
  const behind = readers.filter((reader) => Number(reader.cursor) < Number(last.id))
  return behind.map((reader) => `a reader stayed at ${reader.cursor}; the last word is ${last.id}`)
}

/** The two ways to read the history must agree. */
export function comparePages({ events, messages }: Kept): string[] {
  const faults: string[] = []
  notIncreasing(
    events.map(({ id }) => id),
    'the stream of everything',
    faults,
  )
  notIncreasing(
    messages.map(({ id }) => id),
    'the history',
    faults,
  )
  const streamed = events.filter(({ event }) => event === 'message').map(({ data }) => data)
  const paged = messages.map((message) => JSON.stringify(message))
  different(streamed, paged, 'the stream of everything and the pages of history differ', faults)
  return faults
}

/** Everything answered is there, once, under its id. Nobody may have said the same thing twice. */
export function compareWriters(writers: readonly Writer[], messages: readonly Message[]): string[] {
  const faults: string[] = []
  const byId = new Map(messages.map((message) => [message.id, message]))
  const times = new Map<string, number>()
  for (const { from, text } of messages)
    times.set(`${from.name}: ${text}`, (times.get(`${from.name}: ${text}`) ?? 0) + 1)
  const answered = writers.flatMap(({ said }) => said)
  several(
    answered.filter(({ id, text }) => byId.get(id)?.text !== text),
    'answered, and not there under its id',
    faults,
  )
  several(
    messages.filter(({ from, text }) => times.get(`${from.name}: ${text}`)! > 1),
    'there more than once',
    faults,
  )
  return faults
}

/** Over all its connections a reader must have got exactly what came after its cursor. */
export function compareReader(reader: Reader, events: readonly ParsedEvent[]): string[] {
  const faults: string[] = []
  several(
    reader.events.filter(({ event }) => event === 'reset'),
    'a reset where nothing was missing',
    faults,
  )
  const got = reader.events.filter(({ event }) => event !== 'reset')
  notIncreasing(
    got.map(({ id }) => id),
    'the stream',
    faults,
  )
  const due = events.filter(({ id }) => Number(id) > Number(reader.from))
  const known = new Set(due.map(lineOf))
  const seen = new Set(got.map(lineOf))
  several(
    got.filter((event) => !known.has(lineOf(event))),
    'seen, and not in the log',
    faults,
  )
  several(
    due.filter((event) => !seen.has(lineOf(event))),
    'in the log, and never seen',
    faults,
  )
  different(got.map(lineOf), due.map(lineOf), 'the stream is not what came after its cursor', faults)
  return faults
}

function lineOf({ event, id, data }: ParsedEvent): string {
  return `${id} ${event} ${data}`
}

function several(found: readonly unknown[], what: string, faults: string[]): void {
  if (found.length > 0) faults.push(`${found.length} ${what}, first ${JSON.stringify(found[0])}`)
}

function notIncreasing(ids: readonly string[], what: string, faults: string[]): void {
  const at = ids.findIndex((id, at) => at > 0 && Number(id) <= Number(ids[at - 1]))
  if (at > 0) faults.push(`in ${what} ${ids[at]} comes after ${ids[at - 1]}`)
}

function different(found: readonly string[], due: readonly string[], what: string, faults: string[]): void {
  const at = due.findIndex((line, at) => line !== found[at])
  if (at >= 0 || found.length !== due.length) {
    const first = at >= 0 ? at : due.length
    faults.push(
      `${what}: ${found.length} against ${due.length}, first at ${first}: ${found[first]} against ${due[first]}`,
    )
  }
}
