// @ts-check
// What calls me in a room: everything that is said there, only what names me, or nothing. It is chosen for each room and kept in this
// browser. Knows nothing of how one is called.

/** @import { Room } from '../../lib/chat/streams/events.ts' */
/** @typedef {'all' | 'mentions' | 'none'} Level */

import { keep, kept, onKept } from './kept.js'

const name = 'levels'

export class Levels {
  #chosen = chosen()

  /** @param {() => void} changed */
  constructor(changed) {
    onKept(name, () => {
      this.#chosen = chosen()
      changed()
    })
  }

  /** Unless something else was chosen, whoever talks to me alone always calls me. @param {Pick<Room, 'id' | 'kind'>} room @returns {Level} */
  of({ id, kind }) {
    return this.#chosen.get(id) ?? standard(kind)
  }

  /** @param {Pick<Room, 'id' | 'kind'>} room @param {Level} level */
  choose({ id, kind }, level) {
    const levels = chosen() // another tab may have been here since
    if (level === standard(kind)) levels.delete(id)
    else levels.set(id, level)
    keep(name, levels.size === 0 ? '' : JSON.stringify(Object.fromEntries(levels)))
  }

  /** How many of the messages in a room that I have not read call me. @param {Room} room @param {{ unread: number, mentions: number }} counts */
  count(room, { unread, mentions }) {
    const level = this.of(room)
    return level === 'all' ? unread : level === 'mentions' ? mentions : 0
  }
}

/** @param {Room['kind']} kind @returns {Level} */
function standard(kind) {
  return kind === 'direct' ? 'all' : 'mentions'
}

/** @returns {Map<string, Level>} by room */
function chosen() {
  try {
    return new Map(Object.entries(JSON.parse(kept(name))))
  } catch {
    return new Map() // nothing was chosen, or it is not ours
  }
}
