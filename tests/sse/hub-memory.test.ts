import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { Hub } from '../../lib/sse/hub.ts'

setFlagsFromString('--expose-gc')
const collectGarbage = runInNewContext('gc') as () => void

// What a collection frees is given back a little later.
async function heldBytes(): Promise<number> {
  for (let round = 0; round < 3; round++) {
    collectGarbage()
    await nextTurn()
  }
  const { heapUsed, external } = process.memoryUsage()
  return heapUsed + external
}

test('small events are kept in little memory, whatever was allocated between them', async () => {
  const hub = new Hub({ ring: 1000 })
  const before = await heldBytes()

  for (let count = 0; count < 1000; count++) {
    hub.publish('room', { data: 'hello' })
    // An answer to somebody else, gone at once, from Node's pool of buffers: what is a part of that holds all of it.
    Buffer.from('x'.repeat(3000))
  }

  const each = ((await heldBytes()) - before) / 1000
  assert.equal(hub.newest > 0, true)
  assert.ok(each < 1000, `each event holds ${Math.round(each)} bytes`)
})
