// How much room the disk has left. The system is asked at most once a second, and sooner only if so much was added that the level
// may have changed. It does not know who may add what.

import type { StatsFs } from 'node:fs'
import { statfs } from 'node:fs/promises'
import type { DiskReserve } from '../../config.ts'
import type { Amount } from './append-queue.ts'
import type { Space } from './event-log.ts'

const limits = {
  knownMs: 1000, // how long an answer counts
  lastPart: 10, // a tenth of the reserve is kept from everybody,
  lastBytes: 16 * 1024 * 1024, // and at least what the write-ahead log grows to (14 MiB, while the search merges a part),
  lastDiskPart: 6, // but at most a sixth of the disk: one of less than 96 MiB can still become full
  marginPart: 10, // a level ends when a tenth of its bound more is free, or it would come and go with every file on the disk;
  marginBytes: 64 * 1024 * 1024, // at most this much
  eventBytes: 1024, // that an event takes without its text
  characterBytes: 11, // that each UTF-16 unit of its text takes, with the search: rare ones, which take the most
}

export interface DiskSpaceOptions {
  /** A folder on the disk. */
  folder: string
  reserve: DiskReserve
  /** Takes a line when there is too little room, and when that is over. */
  report: (line: string) => void
  /** What is on its way to the disk. */
  pending: () => Amount
  /** Asks the system; tests give their own. */
  ask?: (folder: string) => Promise<DiskSize>
}

/** How many blocks the disk has, how many are left for us, and how many bytes a block has. */
type DiskSize = Pick<StatsFs, 'blocks' | 'bavail' | 'bsize'>

/** In bytes. */
interface Bounds {
  /** Below this much free the level is `low`, */
  low: number
  /** and below this `last`. */
  last: number
  /** Of the whole disk. */
  size: number
}

export class DiskSpace {
  readonly #options: DiskSpaceOptions
  #level: Space = 'enough'
  /** The level that the owner was told last. */
  #reported: Space = 'enough'
  #free = Infinity
  #bounds: Bounds = { low: 0, last: 0, size: 0 }
  /** How many bytes may be added before the system has to be asked again. */
  #margin = Infinity
  #askedAt = -Infinity
  #asking: Promise<void> | undefined
  #timer: NodeJS.Timeout | undefined
  #closed = false

  constructor(options: DiskSpaceOptions) {
    this.#options = options
  }

  /** Asks for the first time. `tell` takes the line if there is too little room already: `report` may not be heard yet. */
  async open(tell: (line: string) => void): Promise<void> {
    if (this.#hasReserve) await this.#refresh(tell)
  }

  get level(): Space {
    return this.#level
  }

  /** Undefined if `level` is known well enough. Otherwise it resolves when it is. */
  measure(): Promise<void> | undefined {
    if (!this.#hasReserve) return undefined
    const isKnown = performance.now() - this.#askedAt < limits.knownMs && this.#margin > 0
    return isKnown ? undefined : this.#refreshOnce()
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

  // Those who ask at the same time wait for the same answer.
  #refreshOnce(): Promise<void> {
    this.#asking ??= this.#refresh(this.#options.report).finally(() => (this.#asking = undefined))
    return this.#asking
  }

  async #refresh(tell: (line: string) => void): Promise<void> {
    const { folder, ask = statfs } = this.#options
    try {
      this.#update(await ask(folder))
    } catch {
      return // the folder is gone: the writing thread says so
    }
    this.#tellChange(tell)
  }

  #update({ bavail, blocks, bsize }: DiskSize): void {
    if (this.#closed) return
    const bounds = boundsOf(blocks * bsize, this.#options.reserve)
    // What is on its way will be there in a moment.
    const free = bavail * bsize - bytesOf(this.#options.pending())
    this.#level = levelOf(free, bounds, this.#level)
    this.#bounds = bounds
    this.#free = free
    this.#margin = this.#level === 'last' ? Infinity : free - (this.#level === 'low' ? bounds.last : bounds.low)
    this.#askedAt = performance.now()
    this.#watch(this.#level !== 'enough')
  }

  // So that a level is over as soon as there is room, whether or not anybody tries to add something.
  #watch(isShort: boolean): void {
    if (isShort) {
      this.#timer ??= setInterval(() => void this.#refreshOnce(), limits.knownMs).unref()
    } else {
      clearInterval(this.#timer)
      this.#timer = undefined
    }
  }

  #tellChange(tell: (line: string) => void): void {
    if (this.#reported === this.#level || this.#closed) return
    this.#reported = this.#level
    tell(`the disk has ${inWords(this.#free)} of ${inWords(this.#bounds.size)} left${this.#consequence()}`)
  }

  #consequence(): string {
    const remedy = 'make room, or start natter with a smaller --disk-reserve'
    switch (this.#level) {
      case 'enough':
        return ': everybody can add something again'
      case 'low':
        return `, and ${inWords(this.#bounds.low)} are kept in reserve: until there is more, only those with an account can add something; ${remedy}`
      case 'last':
        return `, which the database itself needs: until there is more, nobody can add anything, while reading and deleting go on; ${remedy}`
    }
  }
}

function boundsOf(size: number, reserve: DiskReserve): Bounds {
  const low = Math.min(reserve.bytes, reserve.share * size)
  const needed = Math.max(low / limits.lastPart, Math.min(limits.lastBytes, size / limits.lastDiskPart))
  return { low, last: Math.min(low, needed), size }
}

function levelOf(free: number, { low, last, size }: Bounds, before: Space): Space {
  // A level that has begun ends at a higher bound.
  const lastUntil = before === 'last' ? endOf(last, size) : last
  const lowUntil = before === 'enough' ? low : endOf(low, size)
  if (free < lastUntil) return 'last'
  return free < lowUntil ? 'low' : 'enough'
}

function endOf(bound: number, size: number): number {
  return bound + Math.min(bound / limits.marginPart, limits.marginBytes, (size - bound) / 2)
}

function bytesOf({ events, characters }: Amount): number {
  return events * limits.eventBytes + characters * limits.characterBytes
}

function inWords(bytes: number): string {
  const [unit, size] = bytes >= 2 ** 30 ? ['GiB', 2 ** 30] : ['MiB', 2 ** 20]
  return `${(Math.max(0, bytes) / size).toFixed(1)} ${unit}`
}
