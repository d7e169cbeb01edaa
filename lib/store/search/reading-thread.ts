// The searches that wait, and the thread that carries them out one after the other. It does not know who may search for what.

import { ChatError } from '../../errors.ts'
import { damaged } from '../sqlite-errors.ts'
import type { Party } from '../threads/fair-queue.ts'
import { WorkerQueue } from '../threads/worker-queue.ts'
import type { SearchAnswer } from './reader.ts'
import type { SearchAsked, SearchFound } from './search-tables.ts'

const waitingOfOneMax = 10 // searches of one person; people without a name count as one at each address

const queueOptions = {
  does: 'searches',
  waitingMax: 100, // at some 15 ms each, a second and a half at the worst
  busy: { message: 'too many are searching right now; try again in a moment', retryAfter: 1 },
  idleMs: 2 ** 31 - 1, // the thread stays: a search that had to wait for its start would take a tenth of a second
}

export class ReadingThread {
  readonly #queue: WorkerQueue<SearchAsked, SearchAnswer>
  readonly #onDamage: (cause: string) => void

  /** `onDamage` is called when a page of the file can't be read. */
  constructor(file: string, onDamage: (cause: string) => void) {
    this.#queue = new WorkerQueue({ entry: new URL('./reader', import.meta.url), data: file, ...queueOptions })
    this.#onDamage = onDamage
  }

  /**
   * `makeQuery` is called when the search's turn comes: it goes by what the asker may see then, not when they asked.
   * @throws ChatError `busy`, `too_many`, `stopping`, `storage_damaged`, or what `makeQuery` throws
   */
  async search(asker: Party, makeQuery: () => SearchAsked): Promise<SearchFound> {
    const own = this.#queue.count((party) => isSameAsker(party, asker))
    if (own >= waitingOfOneMax)
      throw new ChatError('too_many', `${own} of your searches are waiting; try again when they are answered`, {
        retryAfter: 1,
      })
    const answer = await this.#queue.run(makeQuery, asker)
    if (answer.type === 'found') return answer.page
    this.#onDamage(answer.cause)
    throw new ChatError(damaged.code, damaged.message)
  }

  /** Call it before the writer closes: the last one to close empties the write-ahead log. */
  close(): Promise<void> {
    return this.#queue.close()
  }
}

// 0 is everybody without a name: they are told apart by their addresses.
function isSameAsker(one: Party, other: Party): boolean {
  return one.person === other.person && (one.person !== 0 || one.address === other.address)
}
