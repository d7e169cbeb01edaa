// The rules of what is said: messages, edits, deletions and reactions.

import { ChatError } from '../errors.ts'
import type { Database } from '../store/database.ts'
import type { Mentions } from './log-events.ts'
import { manages } from './rights.ts'
import { roomSeen, type RulesOf } from './rule.ts'
import { searchable } from './text.ts'

const emojiMax = 20 // different ones a message

export const talkRules: RulesOf<'message' | 'edit' | 'delete' | 'reaction'> = {
  message: {
    check(database, { user, room, target }) {
      checkMayTalk(database, { user, room })
      if (target !== undefined && !isMessageIn(database, room, target)) throw new ChatError('not_found', 'the message that this one answers is not in this room')
    },
    carryOut(database, { room, user, text, facts }, id) {
      if (text !== undefined) database.search.insert(id, searchable(text), { room, user, kind: database.rooms.room(room)!.kind })
      if (facts) database.talk.setMentions({ message: id, room, author: user }, mentioned(facts))
    },
  },

  edit: {
    check(database, { user, room, target }) {
      checkMayTalk(database, { user, room })
      checkMessage(database, { room, target })
      if (database.event(target)!.user !== user) throw new ChatError('forbidden', 'only who wrote a message may edit it')
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
    check(database, { user, room: id, target }) {
      const room = roomSeen(database, user, id)
      checkMessage(database, { room: id, target })
      if (database.event(target)!.user === user || manages(database, user, room)) return
      throw new ChatError('forbidden', `only who wrote a message may delete it, and who owns ${room.slug} or governs the place`)
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
    check(database, { user, room, target, facts: { emoji, on } }) {
      checkMayTalk(database, { user, room })
      checkMessage(database, { room, target })
      if (database.talk.hasReaction(target, emoji, user) === on) throw new ChatError('unchanged', on ? 'you have reacted so already' : 'you have not reacted so')
      if (on && !database.talk.hasEmoji(target, emoji) && database.talk.emojiCount(target) >= emojiMax) throw new ChatError('forbidden', `a message has at most ${emojiMax} different reactions`)
    },
    carryOut(database, { user, target, facts: { emoji, on } }, id) {
      if (on) database.talk.insertReaction(target, emoji, user, id)
      else database.talk.deleteReaction(target, emoji, user)
    },
  },
}

/** That somebody may say something in a room. */
export function checkMayTalk(database: Database, { user, room: id }: { user: number; room: number }): void {
  const room = roomSeen(database, user, id)
  if (room.archived) throw new ChatError('archived', `${room.slug} is archived; it can be read, and nothing more is said in it`)
}

function checkMessage(database: Database, { room, target }: { room: number; target: number }): void {
  if (!isMessageIn(database, room, target) || database.isDeleted(target)) throw new ChatError('not_found', 'there is no such message in this room')
}

function isMessageIn(database: Database, room: number, id: number): boolean {
  const target = database.event(id)
  return target?.type === 'message' && target.room === room
}

// User 0 stands for everyone.
function mentioned({ mentions = [], everyone }: Mentions): number[] {
  return everyone ? [...mentions, 0] : mentions
}
