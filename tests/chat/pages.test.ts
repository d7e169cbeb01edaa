import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Slice } from '../../lib/chat/pages.ts'

test('what takes long to read gives back the event loop, and so does what was read for as long as its answer would take', async (t) => {
  let now = 0
  t.mock.method(performance, 'now', () => now)
  let turns = 0
  const turn = () => {
    turns++
    timer = setImmediate(turn)
  }
  let timer = setImmediate(turn)
  t.after(() => clearImmediate(timer))
  const turnsOf = async (doing: Promise<unknown>) => {
    const before = turns
    await doing
    return turns - before
  }
  const slice = new Slice()

  now = 0.2
  assert.deepEqual([await turnsOf(slice.end()), await turnsOf(slice.over())], [0, 0])
  now = 0.9
  assert.deepEqual([await turnsOf(slice.end()), await turnsOf(slice.over())], [0, 1])
  now = 1.8
  assert.equal(await turnsOf(slice.end()), 0)
  now = 1.9
  assert.equal(await turnsOf(slice.end()), 1)
})
