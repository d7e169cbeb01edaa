// A request of the Fetch API that is aborted, before or after it was answered with a stream.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import { eventStreamResponse, Hub } from '../../lib/index.ts'

for (const when of ['before', 'after'] as const) {
  test(`a request aborted ${when} its answer leaves a body that ends, without an error, and no stream`, async () => {
    const hub = new Hub()
    const leaving = new AbortController()
    if (when === 'before') leaving.abort()
    const response = eventStreamResponse(new Request('http://test/', { signal: leaving.signal }), hub, ['news'])
    assert.equal(hub.stats().streams, when === 'before' ? 0 : 1)
    leaving.abort()

    await response.text()

    await turn()
    assert.equal(hub.stats().streams, 0)
  })
}
