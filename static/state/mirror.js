// @ts-check
// What the page knows of the place: what fold makes of the server's answers and of the stream's events. Knows nothing of
// what is shown.

/** @import { User, WireEvent } from '../../lib/chat/streams/events.ts' */
/**
 * @typedef {object} Happening
 * @property {number} id
 * @property {WireEvent} happened
 */

import { getPatiently } from '../parts/api.js'
import { unchanged } from '../parts/unchanged.js'
import { empty, fold } from './fold.js'

const recentMax = 1_000 // events that may come while an answer is on its way; should there be more, it is asked for again
const againMs = 1_000

export class Mirror {
  state = empty()
  /** @type {User | null | undefined} who is at the page; undefined until the server has said */
  me
  /** @type {Happening[]} */
  #recent = []
  #forgotten = 0 // the id of the newest event that is no longer among the recent ones
  #life = {} // stands for one life of the state: answers to questions of an earlier one are dropped
  #holds

  /** @param {(room: string, message: string) => boolean} holds is that message among those that are kept, or would it be? */
  constructor(holds) {
    this.#holds = holds
  }

  /** Begins anew, knowing nothing. @param {string} [cursor] what comes after it will be received */
  clear(cursor = '0') {
    this.state = empty()
    this.#recent = []
    this.#forgotten = Number(cursor)
    this.#life = {}
  }

  /** How somebody is called, as far as that is known: here now, or when they said something. @param {string} id */
  nameOf(id) {
    const user = this.state.users.get(id)
    if (user) return user.name
    for (const messages of this.state.messages.values()) {
      for (const { from } of messages.values()) if (from?.id === id) return from.name
    }
    return undefined
  }

  /** What the stream brings, each event once and in order. @param {WireEvent} happened @param {string} id */
  receive(happened, id) {
    this.#recent.push({ happened, id: Number(id) })
    if (this.#recent.length > recentMax) this.#forgotten = this.#recent.shift()?.id ?? 0
    this.#fold(happened)
  }

  /**
   * Asks for something and puts the answer into the state. An answer tells how things were at its cursor, and the stream
   * may be ahead of that by now: what it brought since is folded again. Where the stream is behind, it will bring
   * what the answer has already, and folding that changes nothing in the end.
   * @template {object} Answer what the server answers there, beside its cursor
   * @param {string} path @param {(answer: Answer) => void} put @param {() => boolean} [wanted] once this is false, nobody is waiting any more
   * @returns {Promise<Answer & { cursor: string } | null>} the answer, or null if nobody waits for it
   */
  async ask(path, put, wanted = () => true) {
    const isCurrent = unchanged(() => this.#life)
    const waiting = () => isCurrent() && wanted()
    for (;;) {
      const answer = await getPatiently(path, waiting).catch((error) => {
        if (waiting()) throw error
      })
      if (!waiting()) return null
      const at = Number(answer.cursor)
      if (at >= this.#forgotten) {
        put(answer)
        for (const { happened } of this.after(answer.cursor)) this.#fold(happened)
        return answer
      }
      await new Promise((resolve) => setTimeout(resolve, againMs))
    }
  }

  /** What the stream has brought after that, as far back as an answer may be. @param {string} cursor */
  after(cursor) {
    return this.#recent.filter(({ id }) => id > Number(cursor))
  }

  /** @param {WireEvent} happened */
  #fold(happened) {
    const { event, data } = happened
    const { rooms, members, messages, users } = this.state
    if (event === 'message' || event === 'edit' || event === 'delete') {
      if (this.#holds(data.room, data.id)) fold(this.state, happened, this.me?.id)
    } else if (event === 'reaction') {
      if (this.#holds(data.room, data.message)) fold(this.state, happened, this.me?.id)
    } else if (event === 'join' || event === 'leave') {
      // Of a room that was not asked for, single comings and goings would not tell who is in it.
      if (members.has(data.room)) fold(this.state, happened, this.me?.id)
      if (event === 'join' || data.user.id !== this.me?.id || rooms.get(data.room)?.kind === 'open') return
      for (const map of [rooms, members, messages]) map.delete(data.room)
    } else {
      fold(this.state, happened, this.me?.id)
      if (this.me) this.me = users.get(this.me.id) ?? this.me
    }
  }
}
