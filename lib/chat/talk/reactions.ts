// What people react with, as pages show it: each emoji with its count and the first few people. However many react, no more of them is
// read than is shown.

import type { Database, MessageRow } from '../../store/database.ts'
import type { ReactionsRow } from '../../store/tables/talk-tables.ts'
import type { Author, Message, Reactions } from '../streams/events.ts'
import { bytesOf, countOf, pageBytesMax } from '../pages.ts'
import { toMessage, toPerson } from '../streams/wire.ts'

const limits = {
  people: 10, // with each emoji on a page
  emojis: 25, // read in one go: a message has twenty at the most, so it is one whole one at least
}

/** In one page of them. */
export const reactingMax = 500

export interface ReactionsPage extends Reactions {
  /** By when they came to the place; the last one's id is the `after` of the next page. */
  from: Author[]
  more: boolean
}

interface Reader {
  user: number
  /** The same in a room of two, where somebody may not be shown what the other does; of these there are two at the most. */
  reader: number | undefined
}

/** The first messages of these rows, at least one, each with its reactions as many as can be read in one go. */
export function withReactions(database: Database, to: Reader, rows: readonly MessageRow[]): Message[] {
  const found = database.talk.reactionsTo(
    rows.map(({ id }) => id),
    { user: to.user, reader: to.reader ?? 0, people: limits.people, limit: limits.emojis },
  )
  const byMessage = Map.groupBy(found, ({ message }) => message)
  // There may be more to the last one.
  const cut = found.length === limits.emojis ? found.at(-1)!.message : undefined
  const whole =
    cut === undefined
      ? rows
      : rows.slice(
          0,
          rows.findIndex(({ id }) => id === cut),
        )
  return whole.map((row) => {
    const reactions = (byMessage.get(row.id) ?? [])
      .map((one) => toReactions(database, one, to))
      .filter(({ count }) => count > 0)
    return { ...toMessage(row), ...(reactions.length > 0 && { reactions }) }
  })
}

function toReactions(database: Database, { emoji, count, me, first }: ReactionsRow, { reader }: Reader): Reactions {
  const from = (JSON.parse(first) as number[]).map((user) => toPerson(database.people.user(user)!)) // made by SQLite
  return { emoji, count: reader === undefined ? count : from.length, me: me === 1, from }
}

/** All who react to a message with an emoji, a page of them. */
export function reactionsPage(
  database: Database,
  asked: Reader & { message: number; emoji: string; after: number; limit: number },
): ReactionsPage {
  const { user, reader, message, emoji, after } = asked
  const limit = countOf(asked.limit, reactingMax)
  const known = database.talk.emojiInUse(message, emoji)
  if (!known) return { emoji, count: 0, me: false, from: [], more: false }
  const found = database.talk.reacting(message, known.event, { reader: reader ?? 0, after, limit: limit + 1 })
  const from: Author[] = []
  let left = pageBytesMax
  for (const id of found.slice(0, limit)) {
    const person = toPerson(database.people.user(id)!)
    left -= bytesOf(person)
    if (left < 0) break
    from.push(person)
  }
  // In a room of two the other's may be hidden: those that are shown are counted, on whichever page they stand.
  const count =
    reader === undefined
      ? known.count
      : database.talk.reacting(message, known.event, { reader, after: 0, limit: 2 }).length
  return {
    emoji,
    count,
    me: database.talk.reaction(message, known.event, user) !== undefined,
    from,
    more: from.length < found.length,
  }
}
