// How much room the disk has left. It is asked at most once a second, and sooner only where so much was added that the answer may be another by
// now. Knows nothing of who may add what.

import type { StatsFs } from 'node:fs'
import { statfs } from 'node:fs/promises'
import type { DiskReserve } from '../../config.ts'
import type { Space } from './event-log.ts'

const limits = {
  knownMs: 1000, // how long an answer counts
  reservePart: 10, // of the reserve is kept from everybody,
  logBytes: 16 * 1024 * 1024, // and at least what the write-ahead log grows to (14 MiB, while the search brings a part into one piece),
  diskPart: 6, // but of a small disk no more than this part: one of less than 96 MiB can still become full
  backPart: 10, // of a bound must be free above it before it is over, or it would come and go with every file on the disk,
  backBytes: 64 * 1024 * 1024, // but no more than this
  eventBytes: 1024, // that an event takes without its text,
  characterBytes: 11, // and each UTF-16 unit of its text, together with the search: rare ones, which take the most
}

export interface DiskSpaceOptions {
  /** A folder on the disk. */
  folder: string
  reserve: DiskReserve
  /** Takes a line when there is too little room, and when that is over. */
  report: (line: string) => void
  /** What is under way to the disk. */
  pending: () => Amount
  /** What asks the system. */
  ask?: (folder: string) => Promise<DiskSize>
}

interface Amount {
  events: number
  /** UTF-16 units of their texts. */
  characters: number
}

/** How many blocks there are, how many are left for us, and how large they are. */
type DiskSize = Pick<StatsFs, 'blocks' | 'bavail' | 'bsize'>

export class DiskSpace {
  readonly #options: DiskSpaceOptions
  #level: Space = 'enough'
  /** The level that was reported. */
  #reported: Space = 'enough'
  #free = Infinity
  /** How large the disk is. */
  #size = 0
  /** The bound below which it is low. */
  #low = 0
  /** How much may be added before it has to be asked again. */
  #margin = Infinity
  #askedAt = -Infinity
  #asking: Promise<void> | undefined
  #timer: NodeJS.Timeout | undefined
  #closed = false

  constructor(options: DiskSpaceOptions) {
    this.#options = options
  }

  /** Asks for the first time. `tell` takes the line if there is too little room from the start, when nothing is reported yet. */
  async open(tell: (line: string) => void): Promise<void> {
    if (!this.#hasReserve) return
    try {
      this.#judge(await this.#read())
    } catch {
      return // the folder is gone: the writing thread says so
    }
    this.#report(tell)
  }

  get level(): Space {
    return this.#level
  }

  /** Undefined if `level` is known well enough, or else resolves when it is. */
  measure(): Promise<void> | undefined {
    if (!this.#hasReserve) return undefined
    const known = performance.now() - this.#askedAt < limits.knownMs && this.#margin > 0
    return known ? undefined : this.#ask()
  }

  /** Something is on its way to the disk. */
  spend(amount: Amount): void {
    this.#margin -= bytesOf(amount)
  }

  close(): void {
    this.#closed = true
    clearInterval(this.#timer)
  }

  get #hasReserve(): boolean {
    return this.#options.reserve.bytes > 0 && this.#options.reserve.share > 0
  }

  #ask(): Promise<void> {
    this.#asking ??= this.#read()
      .then((disk) => {
        this.#judge(disk)
        this.#report()
      })
      // The folder is gone: the writing thread says so.
      .catch(() => {})
      .finally(() => (this.#asking = undefined))
    return this.#asking
  }

  #read(): Promise<DiskSize> {
    const { folder, ask = statfs } = this.#options
    return ask(folder)
  }

  #judge({ bavail, blocks, bsize }: DiskSize): void {
    if (this.#closed) return
    const { reserve, pending } = this.#options
    const size = blocks * bsize
    const low = Math.min(reserve.bytes, reserve.share * size)
    const last = Math.min(low, Math.max(low / limits.reservePart, Math.min(limits.logBytes, size / limits.diskPart)))
    // What is under way will be there in a moment.
    const free = bavail * bsize - bytesOf(pending())
    const before = this.#level
    const below = (bound: number, already: boolean) => free < (already ? wayBack(bound, size) : bound)
    this.#level = below(last, before === 'last') ? 'last' : below(low, before !== 'enough') ? 'low' : 'enough'
    this.#low = low
    this.#free = free
    this.#size = size
    this.#margin = this.#level === 'last' ? Infinity : free - (this.#level === 'low' ? last : low)
    this.#askedAt = performance.now()
    // So that it is over as soon as there is room, whether or not anybody tries.
    if (this.#level !== 'enough') {
      this.#timer ??= setInterval(() => void this.#ask(), limits.knownMs).unref()
    } else {
      clearInterval(this.#timer)
      this.#timer = undefined
    }
  }

  #report(tell = this.#options.report): void {
    if (this.#reported === this.#level || this.#closed) return
    this.#reported = this.#level
    const left = `the disk has ${inWords(this.#free)} of ${inWords(this.#size)} left`
    const remedy = 'make room, or start natter with a smaller --disk-reserve'
    if (this.#level === 'enough') tell(`${left}: everybody can add something again`)
    else if (this.#level === 'low')
      tell(
        `${left}, and ${inWords(this.#low)} are kept in reserve: until there is more, only those with an account can add something; ${remedy}`,
      )
    else
      tell(
        `${left}, which the database itself needs: until there is more, nobody can add anything, while reading and deleting go on; ${remedy}`,
      )
  }
}

function wayBack(bound: number, size: number): number {
  return bound + Math.min(bound / limits.backPart, limits.backBytes, (size - bound) / 2)
}

function bytesOf({ events, characters }: Amount): number {
  return events * limits.eventBytes + characters * limits.characterBytes
}

function inWords(bytes: number): string {
  const [unit, size] = bytes >= 2 ** 30 ? ['GiB', 2 ** 30] : ['MiB', 2 ** 20]
  return `${(Math.max(0, bytes) / size).toFixed(1)} ${unit}`
}
