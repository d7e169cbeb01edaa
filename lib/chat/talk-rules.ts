// The rules of what is said: messages, edits, deletions and reactions.

import type { Refusal } from '../errors.ts'
import type { Database } from '../store/database.ts'
import type { Mentions } from './log-events.ts'
import { manages, sees } from './rights.ts'
import { no, noRoom, type RulesOf } from './rule.ts'
import { searchable } from './text.ts'

const emojiMax = 20 // different ones a message

export const talkRules: RulesOf<'message' | 'edit' | 'delete' | 'reaction'> = {
  message: {
    refuse(database, { user, room, target }) {
      return whyNotTalk(database, { user, room }) ?? (target === undefined || isMessageIn(database, room, target) ? undefined : no('not_found', 'the message that this one answers is not in this room'))
    },
    carryOut(database, { room, user, text, facts }, id) {
      if (text !== undefined) database.search.insert(id, searchable(text), { room, user, kind: database.rooms.room(room)!.kind })
      if (facts) database.talk.setMentions({ message: id, room, author: user }, mentioned(facts))
    },
  },

  edit: {
    refuse(database, { user, room, target }) {
      const refused = whyNotTalk(database, { user, room }) ?? whyNoMessage(database, { room, target })
      if (refused) return refused
      return database.event(target)!.user === user ? undefined : no('forbidden', 'only who wrote a message may edit it')
    },
    carryOut(database, event, id) {
      const { room, user, target, text, facts = {} } = event
      const replaces = database.talk.editOf(target) ?? target
      database.emptyBody(replaces)
      database.talk.setEdit(target, id)
      database.talk.setMentions({ message: target, room, author: user }, mentioned(facts))
      if (text !== undefined) database.search.insert(id, searchable(text), { room, user, kind: database.rooms.room(room)!.kind })
      return { ...event, facts: { ...facts, replaces } }
    },
  },

  delete: {
    refuse(database, { user, room: id, target }) {
      const room = database.rooms.room(id)
      if (!room || !sees(database, user, room)) return noRoom
      const refused = whyNoMessage(database, { room: id, target })
      if (refused) return refused
      if (database.event(target)!.user === user || manages(database, user, room)) return undefined
      return no('forbidden', `only who wrote a message may delete it, and who owns ${room.slug} or governs the place`)
    },
    carryOut(database, event, id) {
      const { target } = event
      const replaces = database.talk.editOf(target) ?? target
      database.emptyBody(replaces)
      database.insertDeletion(target, id)
      database.talk.deleteAround(target)
      return { ...event, facts: { replaces } }
    },
  },

  reaction: {
    refuse(database, { user, room, target, facts: { emoji, on } }) {
      const refused = whyNotTalk(database, { user, room }) ?? whyNoMessage(database, { room, target })
      if (refused) return refused
      if (database.talk.hasReaction(target, emoji, user) === on) return no('unchanged', on ? 'you have reacted so already' : 'you have not reacted so')
      if (on && !database.talk.hasEmoji(target, emoji) && database.talk.emojiCount(target) >= emojiMax) return no('forbidden', `a message has at most ${emojiMax} different reactions`)
      return undefined
    },
    carryOut(database, { user, target, facts: { emoji, on } }, id) {
      if (on) database.talk.insertReaction(target, emoji, user, id)
      else database.talk.deleteReaction(target, emoji, user)
    },
  },
}

/** Why somebody may not say anything in a room. */
export function whyNotTalk(database: Database, { user, room: id }: { user: number; room: number }): Refusal | undefined {
  const room = database.rooms.room(id)
  if (!room || !sees(database, user, room)) return noRoom
  return room.archived ? no('archived', `${room.slug} is archived; it can be read, and nothing more is said in it`) : undefined
}

function whyNoMessage(database: Database, { room, target }: { room: number; target: number }): Refusal | undefined {
  return isMessageIn(database, room, target) && !database.isDeleted(target) ? undefined : no('not_found', 'there is no such message in this room')
}

function isMessageIn(database: Database, room: number, id: number): boolean {
  const target = database.event(id)
  return target?.type === 'message' && target.room === room
}

// User 0 stands for everyone.
function mentioned({ mentions = [], everyone }: Mentions): number[] {
  return everyone ? [...mentions, 0] : mentions
}
