// Searching what was said: what people type made into a question to the index, asked within what they may see when its turn
// comes, and where in each message the words stand. Has never heard of a URL.

import { ChatError } from '../../errors.ts'
import type { Id, Message } from '../streams/events.ts'
import { bytesOf, countOf, pageBytesMax, Slice } from '../pages.ts'
import type { Parts } from '../parts.ts'
import { cutAtScripts, searchable } from './text.ts'
import { readMoment } from '../time.ts'
import { userIn, type Who } from '../people/who.ts'
import { toMessage } from '../streams/wire.ts'

const limits = {
  characters: 10_000, // of what is typed; what comes after is not looked at
  words: 200, // nor are more words than these
  messages: 100, // in one answer, if as many fit
  marks: 100, // in a message: of one word a text has two thousand, and what is shown is what stands around the first
}

export interface SearchOptions {
  /** Words, and `"phrases in quotes"`. A word of three letters or more finds those that begin with it. Nothing finds all. */
  q?: string | undefined
  /** The id of a room. */
  room?: string | undefined
  /** Who said it: their id or name. */
  from?: string | undefined
  /** A message's id, an ISO time, or how long ago (`10m`). */
  before?: string | undefined
  after?: string | undefined
  /** 20 unless said otherwise, and at most 100. */
  limit?: number | undefined
}

export interface SearchResult {
  /** Newest first. */
  messages: Message[]
  /** By message, where in its text a match begins and where it ends, in UTF-16 code units: `text.slice(begin, end)`. The first hundred of each. */
  marks: Record<Id, [begin: number, end: number][]>
  /** There may be older ones: more than were asked for, or the time was over. */
  more: boolean
  /** If so, the `before` that goes on from here. */
  before?: Id
}

export class Search {
  readonly #parts: Parts

  constructor(parts: Parts) {
    this.#parts = parts
  }

  /**
   * `address` is where it is asked from, if that is known.
   * @throws ChatError `not_found` (the room, the person), `invalid_request` (a time), `busy`, `too_many`
   */
  async find(
    who: Who,
    { q = '', room, from, before, after, limit = 20 }: SearchOptions,
    address?: string,
  ): Promise<SearchResult> {
    const { access, people, database, log, reader: thread } = this.#parts
    const scope = () => {
      if (who.kind === 'user') people.still(who)
      return access.searched(who, room)
    }
    scope()
    const count = countOf(limit, limits.messages)
    const reader = userIn(who)
    const user = from === undefined ? undefined : people.find(who, from).id
    const words = wordsOf(q)
    // A commit can be read before it was delivered.
    const bounds = {
      after: this.#moment('after', after, 0),
      before: Math.min(this.#moment('before', before, Infinity), log.newest + 1),
    }
    if (words === undefined) return { messages: [], marks: {}, more: false }
    const { found, before: rest } = await thread.search({ address, person: reader }, () => ({
      ...scope(),
      words,
      user,
      ...bounds,
      limit: count,
    }))
    const result: SearchResult = {
      messages: [],
      marks: {},
      more: rest !== undefined,
      ...(rest !== undefined && { before: String(rest) }),
    }
    const slice = new Slice()
    // The index has found nothing else than they may see; what they have lost since then, or was deleted since, is left out.
    scope()
    let bytes = 0
    for (const { id, marked } of found) {
      if (await slice.end()) scope()
      // A text stands in the index under the event that it came with: the message, or its newest edit.
      const event = database.event(id)
      const message = event && database.message(event.type === 'edit' ? event.target! : id)
      if (
        !message ||
        message.text === null ||
        (message.edited ?? message.id) !== id ||
        !access.maySee(who, database.rooms.room(message.room!))
      )
        continue
      if (message.roomKind === 'direct' && database.blocks.unseen(message.id)?.user === reader) continue
      const [shown, marks] = [toMessage(message), marksIn(message.text, marked)]
      bytes += bytesOf(shown) + bytesOf(marks)
      if (bytes > pageBytesMax && result.messages.length > 0) return { ...result, more: true, before: String(id + 1) }
      result.messages.push(shown)
      result.marks[String(message.id)] = marks
    }
    return result
  }

  #moment(name: string, text: string | undefined, otherwise: number): number {
    if (text === undefined) return otherwise
    if (/^\d{1,16}$/.test(text)) return Number(text)
    const moment = readMoment(text, 'before', this.#parts.appender.idNow)
    if (moment === undefined)
      throw new ChatError(
        'invalid_request',
        `${name} must be the id of a message, a time like 2026-11-21T08:00:00Z, or how long ago, like 10m or 7d`,
      )
    // What happens at that very moment is after it.
    return name === 'after' ? moment - 1 : moment
  }
}

/**
 * What was typed as the index is asked for it: all its words, each in quotes, so that nothing in it is an operator. A phrase, and
 * a run of a script without spaces, are words that follow each other. Undefined if there is something, and no word in it.
 */
export function wordsOf(typed: string): string | undefined {
  const text = typed
    .slice(0, limits.characters)
    .toWellFormed()
    .replace(/[\0-\x08\x0e-\x1f]/g, '')
    .replace(/[“”„]/g, '"')
    .normalize('NFC')
  if (text.trim() === '') return ''
  const asked = new Set<string>()
  let left = limits.words
  // A quote without its other half stands for nothing.
  for (const [, phrase, word = ''] of text.matchAll(/"([^"]*)"|([^\s"]+)/g)) {
    for (const run of phrase === undefined ? cutAtScripts(word) : [phrase]) {
      const spaced = searchable(run)
      const words = (spaced.match(/[\p{L}\p{N}\p{M}\p{Co}]+/gu) ?? []).slice(0, left)
      if (!/[\p{L}\p{N}\p{Co}]/u.test(words.join(''))) continue
      left -= words.length
      const begins = phrase === undefined && spaced === run && /(\p{L}\p{M}*){3}$/u.test(words.at(-1)!)
      asked.add(`"${words.join(' ')}"${begins ? '*' : ''}`)
    }
  }
  return asked.size > 0 ? [...asked].join(' AND ') : undefined
}

/** Where in a text the first marks are that stand in what the index has of it, which is the same but for more spaces. */
export function marksIn(text: string, marked: string): [begin: number, end: number][] {
  const marks: [number, number][] = []
  let at = 0
  let begin = 0
  for (let unit = 0; unit < marked.length && marks.length < limits.marks; unit++) {
    if (marked[unit] === '\x02') begin = at
    else if (marked[unit] === '\x03') marks.push([begin, at])
    else if (marked[unit] === text[at]) at++
  }
  return marks
}
