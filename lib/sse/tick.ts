// What one tick delivers: its frames are joined once for all streams that may see the same of its topics.

import type { Follower, Piece } from './follower.ts'
import type { Topics } from './topics.ts'

export class Tick {
  /** The cursor of whoever had everything before it; -1 is none. */
  readonly from: number
  readonly #topics: readonly string[]
  readonly #pieces = new Map<string, Piece>()

  constructor(from = -1, topics: Iterable<string> = []) {
    this.from = from
    this.#topics = [...topics]
  }

  /** The piece for a stream, which `join` makes for the first that sees so much. */
  pieceOf(follower: Follower, followed: Topics, join: () => Piece): Piece {
    // By their places: a topic's name may have any character in it. An array made for each reader was a third of a delivery's garbage.
    let key = ''
    for (let at = 0; at < this.#topics.length; at++) if (followed.has(this.#topics[at]!, follower)) key += `${at},`
    let piece = this.#pieces.get(key)
    if (!piece) this.#pieces.set(key, (piece = join()))
    return piece
  }
}
