// How long things took, and which of so many hundredths of them were not slower.

export interface Percentiles {
  p50: number
  p99: number
  p999: number
}

export const notMeasured: Percentiles = { p50: NaN, p99: NaN, p999: NaN }

export class Delays {
  #ms: Float64Array
  #count = 0

  /** More than `most` are not kept. */
  constructor(most: number) {
    this.#ms = new Float64Array(most)
  }

  add(ms: number): void {
    if (this.#count < this.#ms.length) this.#ms[this.#count++] = ms
  }

  forget(): void {
    this.#count = 0
  }

  percentiles(): Percentiles {
    const sorted = this.#ms.slice(0, this.#count).sort()
    const at = (part: number) => sorted[Math.floor((sorted.length - 1) * part)] ?? NaN
    return { p50: at(0.5), p99: at(0.99), p999: at(0.999) }
  }
}
