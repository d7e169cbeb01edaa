// The line of searches that wait, and the thread that carries them out. Has never heard of who asks for what.

import { ChatError } from '../../errors.ts'
import type { Party } from '../threads/fair-line.ts'
import type { Found } from './reader.ts'
import type { SearchAsked, SearchFound } from './search-tables.ts'
import { damaged } from '../sqlite-errors.ts'
import { WorkerLine } from '../threads/worker-line.ts'

const waitingOfOne = 10 // person; of an address, those of all without a name

const line = {
  waiting: 100, // at some 15 ms each, a second and a half at the worst
  busy: { message: 'too many are searching right now; try again in a moment', retryAfter: 1 },
  idleMs: 2 ** 31 - 1, // it stays: a search that had to wait for its start would take a tenth of a second
}

export class ReadingThread {
  readonly #line: WorkerLine<SearchAsked, Found>
  readonly #onDamage: (cause: string) => void

  /** `onDamage` is told when a page of the file can't be read. */
  constructor(file: string, onDamage: (cause: string) => void) {
    this.#line = new WorkerLine({ module: new URL('./reader', import.meta.url), does: 'searches', data: file, ...line })
    this.#onDamage = onDamage
  }

  /**
   * `query` is called when its turn comes: what somebody may see is asked then, not when they came.
   * @throws ChatError `busy`, `too_many`, `stopping`, `storage_damaged`, or what `query` throws
   */
  async search(asker: Party, query: () => SearchAsked): Promise<SearchFound> {
    // Nobody is 0, and somebody else at each address.
    const own = this.#line.jobsOf(
      ({ person, address }) => person === asker.person && (person !== 0 || address === asker.address),
    )
    if (own >= waitingOfOne)
      throw new ChatError('too_many', `${own} of your searches are waiting; try again when they are answered`, {
        retryAfter: 1,
      })
    const found = await this.#line.do(query, asker)
    if (!('damage' in found)) return found
    this.#onDamage(found.damage)
    throw new ChatError(damaged.code, damaged.message)
  }

  /** Call it before the writer closes: the last one to close empties the write-ahead log. */
  close(): Promise<void> {
    return this.#line.close()
  }
}
