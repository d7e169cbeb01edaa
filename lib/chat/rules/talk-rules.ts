// The rules of what is said: messages, edits, deletions and reactions.

import { ChatError } from '../../errors.ts'
import type { Database } from '../../store/database.ts'
import type { RoomRow } from '../../store/tables/room-tables.ts'
import { hasBlocked, unseenBy } from '../rooms/direct.ts'
import type { Mentions } from '../../store/log/log-events.ts'
import { manages } from './rights.ts'
import { checkCleanup, roomSeen, type RulesOf } from './rule.ts'
import { searchable } from '../talk/text.ts'

const emojiMax = 20 // different ones a message

export const talkRules: RulesOf<'message' | 'edit' | 'delete' | 'reaction'> = {
  message: {
    check(database, { user, room, target }) {
      checkMayTalk(database, { user, room })
      if (target !== undefined && !isMessageIn(database, room, target))
        throw new ChatError('not_found', 'the message that this one answers is not in this room')
    },
    carryOut(database, event, id) {
      const { room: place, user, body = {} } = event
      const { text } = body
      const room = database.rooms.room(place)!
      const unseen = unseenBy(database, room, user)
      if (unseen !== undefined) database.blocks.insertUnseen({ message: id, user: unseen, event: id })
      if (text !== undefined)
        database.search.insert(id, searchable(text), {
          room: place,
          user,
          kind: room.kind,
          unseen: unseen !== undefined,
        })
      if (body.mentions || body.everyone)
        database.talk.setMentions({ message: id, room: place, author: user }, calledBy(database, user, body))
      // They said it under the name that they have now.
      const name = database.people.user(user)?.name || body.name
      return marked({ ...event, body: { ...body, ...(name && { name }) } }, unseen)
    },
  },

  edit: {
    check(database, { user, room, target }) {
      checkMayTalk(database, { user, room })
      checkMessage(database, { room, target })
      if (database.event(target)!.user !== user)
        throw new ChatError('forbidden', 'only who wrote a message may edit it')
    },
    carryOut(database, event, id) {
      const { room: place, user, target, body = {} } = event
      const { text } = body
      const room = database.rooms.room(place)!
      const unseen = unseenEdit(database, { room, author: user, message: target }, id)
      const replaces = database.talk.editOf(target) ?? target
      database.emptyBody(replaces, ['text', 'facts'])
      database.talk.setEdit(target, id)
      database.talk.setMentions({ message: target, room: place, author: user }, calledBy(database, user, body))
      if (text !== undefined)
        database.search.insert(id, searchable(text), {
          room: place,
          user,
          kind: room.kind,
          unseen: unseen !== undefined,
        })
      return marked({ ...event, facts: { replaces } }, unseen)
    },
  },

  delete: {
    check(database, { user, room: id, target, facts: { ban } = {} }) {
      if (ban !== undefined) {
        checkMessage(database, { room: id, target })
        return checkCleanup(database, { ban, by: user, of: database.event(target)!.user, what: 'messages' })
      }
      const room = roomSeen(database, user, id)
      checkMessage(database, { room: id, target })
      if (database.event(target)!.user === user || manages(database, user, room)) return
      throw new ChatError(
        'forbidden',
        `only who wrote a message may delete it, and who owns ${room.slug} or governs the place`,
      )
    },
    carryOut(database, event, id) {
      const { target } = event
      const replaces = database.talk.editOf(target) ?? target
      database.emptyBody(replaces, ['text', 'facts'])
      database.emptyBody(target, ['name'])
      const emojis = database.talk.emojiEvents(target)
      for (const emoji of emojis) database.emptyBody(emoji, ['facts'])
      database.insertDeletion(target, id)
      database.talk.deleteAround(target)
      // Of what they had been shown they are told that it is gone. Who deletes it may be another than who wrote it.
      const hidden = database.blocks.unseen(target)
      const facts = { ...event.facts, replaces, ...(emojis.length > 0 && { reactions: true }) }
      if (hidden?.event !== target) return { ...event, facts }
      return marked({ ...event, facts: { ...facts, author: database.event(target)!.user! } }, hidden.user)
    },
  },

  reaction: {
    check(database, { rules, user, room, target, facts: { emoji: number, on, new: first } }) {
      checkMayTalk(database, { user, room })
      checkMessage(database, { room, target })
      const emoji = first ? undefined : database.talk.emojiEvent(target, number)
      // A number that nobody uses any more is not taken up again: the same emoji may have another by now.
      const usable = emoji !== undefined && (rules < 3 || !on || database.talk.reactionCount(target, number) > 0)
      const fits = first ? number === database.talk.emojisEver(target) + 1 : usable
      if (!fits) throw new ChatError('outrun', 'somebody else has just reacted to this message; try again')
      const has = emoji !== undefined && database.talk.reaction(target, emoji, user) !== undefined
      if (has === on) throw new ChatError('unchanged', on ? 'you have reacted so already' : 'you have not reacted so')
      const another = on && database.talk.reactionCount(target, number) === 0
      if (another && database.talk.emojiCount(target) >= emojiMax)
        throw new ChatError('forbidden', `a message has at most ${emojiMax} different reactions`)
    },
    carryOut(database, event, id) {
      const {
        user,
        room,
        target,
        facts: { emoji: number, on, new: first },
      } = event
      // Check has seen that it is there, or new.
      const emoji = first ? id : database.talk.emojiEvent(target, number)!
      if (first) database.talk.insertEmoji(target, number, id)
      // Taken back, it is told to whoever was shown it.
      const unseen = on
        ? unseenReaction(database, { room, author: user, target })
        : (database.talk.reaction(target, emoji, user)?.unseen ?? undefined)
      if (on) database.talk.insertReaction({ message: target, emoji, user, unseen: unseen ?? null }, id)
      else database.talk.deleteReaction(target, emoji, user)
      const before = database.talk.reactionCount(target, number)
      const count = on ? before + 1 : before - 1
      database.talk.countReactions(target, number, { count, ...(before === 0 && { since: id }) })
      const { body, ...skeleton } = event
      // Live and replayed it is told alike how many there were then.
      const facts = { ...event.facts, count }
      return marked(first ? { ...event, facts } : { ...skeleton, facts: { ...facts, body: emoji } }, unseen)
    },
  },
}

/** That somebody may say something in a room. */
export function checkMayTalk(database: Database, { user, room: id }: { user: number; room: number }): void {
  const room = roomSeen(database, user, id)
  if (room.archived)
    throw new ChatError('archived', `${room.slug} is archived; it can be read, and nothing more is said in it`)
}

function checkMessage(database: Database, { room, target }: { room: number; target: number }): void {
  if (!isMessageIn(database, room, target) || database.isDeleted(target))
    throw new ChatError('not_found', 'there is no such message in this room')
}

function isMessageIn(database: Database, room: number, id: number): boolean {
  const target = database.event(id)
  return target?.type === 'message' && target.room === room
}

/**
 * Who is not shown the text that a message has by an edit: who is not shown the message, and whoever has blocked its author by now. They
 * had perhaps seen it as it was; that text is gone, and so is the message to them until it is changed again.
 */
function unseenEdit(
  database: Database,
  { room, author, message }: { room: RoomRow; author: number; message: number },
  event: number,
): number | undefined {
  const hidden = database.blocks.unseen(message)
  if (hidden?.event === message) return hidden.user
  const user = unseenBy(database, room, author)
  if (user !== undefined) database.blocks.insertUnseen({ message, user, event })
  else if (hidden) database.blocks.deleteUnseen(message)
  return user
}

/** Who is not shown a reaction: who is not shown its message, ever, and whoever has blocked its author by now. */
function unseenReaction(
  database: Database,
  { room, author, target }: { room: number; author: number; target: number },
): number | undefined {
  const hidden = database.blocks.unseen(target)
  return hidden?.event === target ? hidden.user : unseenBy(database, database.rooms.room(room)!, author)
}

/** So that all who read the log later know it, whoever is blocked by then. */
function marked<Event extends { facts?: object }>(event: Event, unseen: number | undefined) {
  return unseen === undefined ? event : { ...event, facts: { ...event.facts, unseenBy: unseen } }
}

// User 0 stands for everyone. Whoever blocks the author by now is not called, and not later either: a block is forgotten when there is another.
function calledBy(database: Database, author: number, { mentions = [], everyone }: Mentions): number[] {
  const called = mentions.filter((user) => !hasBlocked(database, user, author))
  return everyone ? [...called, 0] : called
}
