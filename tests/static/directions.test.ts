// What the page makes of marks that turn the direction of a text.

import assert from 'node:assert/strict'
import { test } from 'node:test'

const { balanced }: { balanced: (text: string) => string } = await import(
  new URL('../../static/markdown/directions.js', import.meta.url).href
)

const [embed, override, isolate, pop, endIsolate] = ['\u202b', '\u202e', '\u2067', '\u202c', '\u2069']

test('a text closes what it has opened, line by line', () => {
  assert.equal(balanced('plain שלום'), 'plain שלום')
  assert.equal(balanced(`a${override}b`), `a${override}b${pop}`)
  assert.equal(balanced(`a${override}b\nc${isolate}d`), `a${override}b${pop}\nc${isolate}d${endIsolate}`)
  assert.equal(balanced(`${embed}${isolate}${override}x`), `${embed}${isolate}${override}x${pop}${endIsolate}${pop}`)
  assert.equal(balanced(`${embed}x${pop} y`), `${embed}x${pop} y`)
})

test('it closes nothing that it has not opened, and what is within an isolate ends with it', () => {
  assert.equal(balanced(`a${pop}b${endIsolate}c`), 'abc')
  assert.equal(balanced(`${isolate}a${pop}b${endIsolate}`), `${isolate}ab${endIsolate}`)
  assert.equal(balanced(`${isolate}${override}a${endIsolate}b`), `${isolate}${override}a${pop}${endIsolate}b`)
})
