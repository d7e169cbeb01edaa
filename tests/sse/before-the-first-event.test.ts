// What a reader gets who was there, and went, before anything had happened.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { eventStreamResponse, Hub } from '../../lib/index.ts'
import { EventStreamParser } from '../event-stream-parser.ts'

function ask(lastEventId?: string, signal?: AbortSignal): Request {
  return new Request('http://test/', {
    headers: lastEventId === undefined ? {} : { 'last-event-id': lastEventId },
    ...(signal && { signal }),
  })
}

/** What a stream has sent so far, and what its reader would come back with. */
async function soFar(response: Response): Promise<{ names: string[]; texts: string[]; lastEventId: string }> {
  const parser = new EventStreamParser()
  const reader = response.body!.getReader()
  const names: string[] = []
  const texts: string[] = []
  // The hub tells a new reader at once how far it is, behind all that was missed.
  while (names.at(-1) !== 'ping') {
    const { value } = await reader.read()
    for (const { event, data } of parser.push(value!)) {
      names.push(event)
      if (event === 'message') texts.push(data)
    }
  }
  await reader.cancel()
  return { names, texts, lastEventId: parser.lastEventId }
}

test('a reader who went before the first event gets it when it comes back', async () => {
  const hub = new Hub()
  const { lastEventId } = await soFar(eventStreamResponse(ask(), hub, ['news']))
  hub.publish('news', { data: 'one' })
  hub.publish('news', { data: 'two' })

  const { texts } = await soFar(eventStreamResponse(ask(lastEventId), hub, ['news']))

  assert.deepEqual(texts, ['one', 'two'])
})

test('a reader of a hub that is no more is told so once, by a new hub that has nothing yet', async () => {
  const hub = new Hub()
  const { names, lastEventId } = await soFar(eventStreamResponse(ask('1795219200000000'), hub, ['news']))
  assert.deepEqual(names, ['reset', 'ping'])
  hub.publish('news', { data: 'one' })

  const again = await soFar(eventStreamResponse(ask(lastEventId), hub, ['news']))

  assert.deepEqual(again.names, ['message', 'ping'])
})

test('too long after the first event a reader who went before it is told that some are gone', async () => {
  const hub = new Hub({ ring: 2 })
  const { lastEventId } = await soFar(eventStreamResponse(ask(), hub, ['news']))
  for (const data of ['one', 'two', 'three']) hub.publish('news', { data })

  const { names } = await soFar(eventStreamResponse(ask(lastEventId), hub, ['news']))

  assert.deepEqual(names, ['reset', 'ping'])
})
