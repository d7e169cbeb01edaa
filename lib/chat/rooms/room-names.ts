// What rooms are called, kept in memory as it is compared: so that a room is found by how its name begins without reading all of them. It
// catches up with the database whenever it is asked, by what has changed since. Knows nothing of who may see which.

import type { Database } from '../../store/database.ts'
import { foldName } from '../people/names.ts'
import { Slice } from '../pages.ts'

const limits = {
  rooms: 20_000, // the last that changed: twice as many as there may be, but for those that were archived by whoever governs the place
  read: 200, // in one go
  wordCharacters: 80, // of what is looked for
}

export class RoomNames {
  readonly #database: Database
  /** By a room's id: its name, and the slug that it had first. */
  readonly #names = new Map<number, string[]>()
  /** The newest change that is known here. */
  #upTo = 0

  constructor(database: Database) {
    this.#database = database
  }

  /** The rooms of which the name, the slug or a word of them begins so, in the order of their ids. Direct rooms are not among them. */
  async find(typed: string): Promise<number[]> {
    await this.#catchUp()
    const wanted = foldName(typed.slice(0, limits.wordCharacters))
    const found = [...this.#names].filter(([, names]) => names.some((name) => beginsIn(name, wanted)))
    return found.map(([id]) => id).sort((one, other) => one - other)
  }

  async #catchUp(): Promise<void> {
    for (const slice = new Slice(); ; await slice.end()) {
      const changed = this.#database.rooms.changedAfter(this.#upTo, limits.read)
      for (const { id, slug, name, changed: at } of changed) {
        this.#names.delete(id)
        this.#names.set(id, [foldName(name), slug])
        this.#upTo = at
      }
      for (const id of this.#names.keys()) {
        if (this.#names.size <= limits.rooms) break
        this.#names.delete(id)
      }
      if (changed.length < limits.read) return
    }
  }
}

/** Does a name, or a word of it, begin so? */
export function beginsIn(name: string, wanted: string): boolean {
  if (name.startsWith(wanted)) return true
  for (let at = name.indexOf(wanted); at > 0; at = name.indexOf(wanted, at + 1))
    if (/[\s._-]/.test(name[at - 1]!)) return true
  return false
}
