import assert from 'node:assert/strict'
import { test } from 'node:test'
import { RingBuffer, type RingEntry } from '../../lib/sse/ring-buffer.ts'
import { property } from '../random.ts'

test('it keeps the newest entries, and tells from where on it has all of them', () => {
  const ring = new RingBuffer({ entries: 3, bytes: 1000, floor: 10 })
  assert.deepEqual([ring.size, ring.floor, ring.oldest, ring.newest], [0, 10, undefined, undefined])

  for (const id of [11, 13, 17, 19]) ring.push({ id, bytes: 1 })

  assert.deepEqual(
    [...ring.after(0)].map(({ id }) => id),
    [13, 17, 19],
  )
  assert.deepEqual(
    [...ring.after(15)].map(({ id }) => id),
    [17, 19],
  )
  assert.deepEqual([...ring.after(19)], [])
  assert.deepEqual([ring.size, ring.floor, ring.oldest?.id, ring.newest?.id], [3, 11, 13, 19])
  assert.deepEqual(
    [11, 12, 13, 19, 20].map((id) => ring.has(id)),
    [false, false, true, true, false],
  )
})

test('an entry that is too large for it is passed over, and so is all before it', () => {
  const ring = new RingBuffer({ entries: 3, bytes: 10 })
  ring.push({ id: 1, bytes: 5 })
  ring.push({ id: 2, bytes: 11 })
  assert.deepEqual([ring.size, ring.bytes, ring.floor], [0, 0, 2])
  ring.push({ id: 3, bytes: 10 })
  assert.deepEqual([ring.size, ring.bytes, ring.floor], [1, 10, 2])
})

test('an id that is not above the newest is refused, and changes nothing', () => {
  const ring = new RingBuffer({ entries: 3, bytes: 10, floor: 5 })
  for (const id of [5, 4, -1, NaN]) assert.throws(() => ring.push({ id, bytes: 1 }), RangeError, String(id))
  ring.push({ id: 6, bytes: 1 })
  for (const id of [6, 5, NaN]) assert.throws(() => ring.push({ id, bytes: 1 }), RangeError, String(id))
  assert.deepEqual([ring.size, ring.newest?.id], [1, 6])
})

interface Entry extends RingEntry {
  text: string
}

// What a ring should be, with no thought for speed.
class Model {
  kept: Entry[] = []
  floor: number
  entries: number
  bytes: number

  constructor(entries: number, bytes: number, floor: number) {
    this.entries = entries
    this.bytes = bytes
    this.floor = floor
  }

  get size(): number {
    return this.kept.reduce((sum, { bytes }) => sum + bytes, 0)
  }

  trim(): void {
    while (this.kept.length > this.entries || this.size > this.bytes) this.floor = this.kept.shift()!.id
  }
}

property('a ring of any size does what a plain list would, and never holds more than it may', (random) => {
  for (let round = 0; round < 200; round++) {
    const entries = random.between(1, random.pick([1, 3, 50]))
    const bytes = random.between(1, random.pick([5, 100, 1000]))
    let newest = random.below(10)
    const ring = new RingBuffer<Entry>({ entries, bytes, floor: newest })
    const model = new Model(entries, bytes, newest)
    const anyId = () => random.below(newest + 3)
    for (let step = 0; step < 100; step++) {
      const entry = { id: anyId(), bytes: random.below(random.pick([3, 30, 300])), text: `${step}` }
      if (random.chance(0.6)) {
        entry.id = newest += random.between(1, 3)
        ring.push(entry)
        model.kept.push(entry)
      } else if (random.chance(0.5)) {
        const at = model.kept.findIndex(({ id }) => id === entry.id)
        assert.equal(ring.replace(entry), at >= 0)
        if (at >= 0) model.kept[at] = entry
      } else {
        assert.throws(() => ring.push({ ...entry, id: newest - random.below(3) }), RangeError)
      }
      model.trim()

      assert.ok(ring.size <= entries && ring.bytes <= bytes)
      assert.deepEqual([ring.size, ring.bytes, ring.floor], [model.kept.length, model.size, model.floor])
      assert.deepEqual([ring.oldest, ring.newest], [model.kept[0], model.kept.at(-1)])
      const id = anyId()
      assert.deepEqual(
        [...ring.after(id)],
        model.kept.filter((kept) => kept.id > id),
      )
      assert.equal(
        ring.has(id),
        model.kept.some((kept) => kept.id === id),
      )
    }
  }
})
