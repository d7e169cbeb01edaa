// Chance that can be repeated: a property test takes all its choices from one seed, and a failure names it.
//
//     NATTER_SEED=12345 node --test tests/sse/hub-properties.test.ts

import { test, type TestContext } from 'node:test'

/** A test of what must hold whatever comes. Its seed is new each time, unless `NATTER_SEED` gives one. */
export function property(name: string, holds: (random: Random, t: TestContext) => Promise<void> | void): void {
  test(name, async (t) => {
    const seed = Number(process.env['NATTER_SEED'] ?? Math.floor(Math.random() * 2 ** 32))
    try {
      await holds(new Random(seed), t)
    } catch (error) {
      throw new Error(`it does not hold with NATTER_SEED=${seed}: ${error instanceof Error ? error.message : error}`, {
        cause: error,
      })
    }
  })
}

/** Mulberry32: https://gist.github.com/tommyettinger/46a874533244883189143505d203312c */
export class Random {
  #state: number

  constructor(seed: number) {
    this.#state = seed >>> 0
  }

  /** From 0 up to, but not, 1. */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0
    let bits = this.#state
    bits = Math.imul(bits ^ (bits >>> 15), bits | 1)
    bits ^= bits + Math.imul(bits ^ (bits >>> 7), bits | 61)
    return ((bits ^ (bits >>> 14)) >>> 0) / 2 ** 32
  }

  /** A whole number from 0 up to, but not, `end`. */
  below(end: number): number {
    return Math.floor(this.next() * end)
  }

  /** A whole number of these two or between them. */
  between(least: number, most: number): number {
    return least + this.below(most - least + 1)
  }

  chance(probability: number): boolean {
    return this.next() < probability
  }

  pick<T>(choices: readonly T[]): T {
    return choices[this.below(choices.length)]!
  }

  /** Some of these, in their order; all or none are possible. */
  some<T>(choices: readonly T[]): T[] {
    return choices.filter(() => this.chance(0.5))
  }

  times<T>(most: number, make: () => T): T[] {
    return Array.from({ length: this.below(most + 1) }, make)
  }

  /** Any text at all, with a liking for what breaks event streams. */
  text(most = 30): string {
    return this.times(most, () => this.#piece()).join('')
  }

  #piece(): string {
    if (this.chance(0.5)) return this.pick(troublesome)
    if (this.chance(0.5)) return String.fromCharCode(this.between(0x20, 0x7e))
    if (this.chance(0.2)) return String.fromCharCode(this.below(0x10000)) // lone surrogates and control characters too
    return String.fromCodePoint(this.below(0x110000))
  }

  /** The same bytes in chunks of one, two, or any size; empty ones may be among them. */
  chunks(bytes: Uint8Array): Uint8Array[] {
    const size = this.pick([() => 1, () => 2, () => this.below(8), () => this.between(1, 2000)])
    const chunks: Uint8Array[] = []
    for (let at = 0; at < bytes.length; ) {
      const length = size()
      chunks.push(bytes.subarray(at, at + length))
      at += length
    }
    return chunks
  }
}

const troublesome = [
  '\n',
  '\r',
  '\r\n',
  '\n\n',
  '\r\r',
  '\n\r',
  ' ',
  '  ',
  '\t',
  ':',
  ': ',
  'data',
  'data: ',
  'data:',
  'id: 7',
  'event: x',
  'retry: 1',
  ':comment',
  '\0',
  '\x0b',
  '\x0c',
  '\x1c',
  '\x1e',
  '\x7f',
  '\u0085',
  '\u00a0',
  '\u2028',
  '\u2029',
  '\ufeff',
  '\ufffd',
  '\uffff',
  '\ud800',
  '\udfff',
  '\ud83d',
  '😀',
  '👩‍👩‍👧',
  '🏳️‍🌈',
  'é',
  'e\u0301',
  'ﬁ',
  '京',
  '한',
  'ไทย',
  '\u202e',
  '\u{10ffff}',
  '{"a":1}',
  '\\n',
  '"',
  '',
]
