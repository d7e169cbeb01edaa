import assert from 'node:assert/strict'
import { test } from 'node:test'
import { timeOf } from '../../lib/chat/streams/wire.ts'
import { Random } from '../random.ts'

test('an id tells when it was given, as every clock writes it', () => {
  const random = new Random(20_261_121)
  const turns = [
    '1970-01-01T00:00:00.000Z',
    '1999-12-31T23:59:59.999Z',
    '2000-02-29T09:09:09.009Z',
    '2100-03-01T10:10:10.010Z',
    '2026-11-21T23:05:40.100Z',
  ]
  const times = [...turns.map((turn) => Date.parse(turn)), ...Array.from({ length: 5000 }, () => random.below(9e12))]

  for (const ms of times)
    for (const id of [ms * 1000, ms * 1000 + 999]) assert.equal(timeOf(id), new Date(ms).toISOString())
})
