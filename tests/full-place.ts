// A place as full as anybody can make it: events applied by natter's own rules to the folder of a server that does not run, some 50,000 a
// second.

import { apply } from '../lib/chat/rules/apply.ts'
import { rules, type LogEvent } from '../lib/store/log/log-events.ts'
import { directSlug } from '../lib/chat/rooms/direct-slug.ts'
import { foldName } from '../lib/chat/people/names.ts'
import { openDataFolder, type DataFolder } from '../lib/store/data-folder.ts'
import { Database } from '../lib/store/database.ts'
import { newLogId, newLogSecret } from '../lib/store/tables/skeletons.ts'

/** As many as a message may have. */
export const emojis = [...'👍😀🎉🚀👀🔥💯🙏😂😍🤔😢😮😡👏🥳🤝✅❌', '❤️']

const groupEvents = 10_000 // in a transaction

type Unruled<Event> = Event extends LogEvent ? Omit<Event, 'rules'> : never

export class FullPlace {
  readonly database: Database
  readonly lobby: number
  readonly #folder: DataFolder
  #id: number
  #inGroup = 0

  /** The folder of a server that was stopped, or a new one. */
  constructor(path: string) {
    this.#folder = openDataFolder(path)
    this.database = Database.openForWriting(this.#folder.file, { durable: false })
    // In the past, so that what is said later has the greater ids.
    this.#id = Math.max(this.database.newestEvent(), 1_700_000_000_000_000)
    this.database.begin()
    if (!this.database.log()) this.add({ type: 'log', facts: { id: newLogId(), secret: newLogSecret() } })
    this.lobby =
      this.database.rooms.roomBySlug('lobby')?.id ??
      this.add({ type: 'room', facts: { slug: 'lobby', kind: 'open' }, body: { name: 'lobby' } })
  }

  /** Applies an event and gives its id. */
  add(event: Unruled<LogEvent>): number {
    const outcome = apply(this.database, { ...event, rules } as LogEvent, ++this.#id)
    if ('refused' in outcome) throw new Error(`${event.type}: ${outcome.refused.message}`)
    if (++this.#inGroup === groupEvents) {
      this.database.commit()
      this.database.begin()
      this.#inGroup = 0
    }
    return outcome.id
  }

  person(name: string, kind: 'guest' | 'account' = 'guest'): number {
    const folded = this.database.people.nameHash(foldName(name))
    return this.add({
      type: 'user',
      facts: { folded, kind, role: kind === 'guest' ? 'guest' : 'member', session: `session of ${name}` },
      body: { name },
    })
  }

  people(count: number, nameOf = (number: number) => `guest ${number}`): number[] {
    return Array.from({ length: count }, (_, number) => this.person(nameOf(number)))
  }

  /** A new room, which nobody is in. */
  room(
    slug: string,
    { kind = 'open', name = slug, user }: { kind?: 'open' | 'private'; name?: string; user?: number } = {},
  ): number {
    return this.add({ type: 'room', ...(user !== undefined && { user }), facts: { slug, kind }, body: { name } })
  }

  /** Private rooms, each with its maker in it: of one member there may be so many alone. */
  privateRooms(count: number): { room: number; maker: number }[] {
    let maker = 0
    return Array.from({ length: count }, (_, at) => {
      if (at % 150 === 0) maker = this.person(`maker ${at}`, 'account')
      const room = this.room(`hidden-${at}`, { kind: 'private', user: maker })
      this.join(maker, room)
      return { room, maker }
    })
  }

  /** A room of two, which the first of them made and both are in. */
  directRoom(user: number, other: number): number {
    const pair: [number, number] = user < other ? [user, other] : [other, user]
    const slug = directSlug(pair)
    const room = this.add({ type: 'room', user, facts: { slug, kind: 'direct', pair: [user, other] } })
    for (const one of pair) this.add({ type: 'join', user: one, room, facts: { slug, by: user } })
    return room
  }

  join(user: number, room: number): void {
    this.add({ type: 'join', user, room })
  }

  say(user: number, text: string, room = this.lobby): number {
    return this.add({ type: 'message', user, room, body: { text } })
  }

  /** Has all of them react to each message, with each emoji. */
  react(people: readonly number[], messages: readonly number[], emojis: readonly string[]): void {
    for (const target of messages) {
      for (const [at, emoji] of emojis.entries()) {
        for (const [number, user] of people.entries()) {
          const facts = { emoji: at + 1, on: true, ...(number === 0 && { new: true as const }) }
          this.add({
            type: 'reaction',
            user,
            room: this.lobby,
            target,
            facts,
            ...(number === 0 && { body: { emoji } }),
          })
        }
      }
    }
  }

  /** Lets go of the folder, which a server can open from then on. */
  done(): void {
    this.database.commit()
    this.database.close()
    this.#folder.release()
  }
}
