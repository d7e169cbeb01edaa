// How long it takes to see whom a text names.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { mentionsIn } from '../../lib/chat/talk/text.ts'
import { startChat } from '../chat-server.ts'

test('what is full of @ is read in no time', async (t) => {
  const chat = await startChat(t)
  const ada = await chat.comeIn('ada')
  const texts = [
    '@'.repeat(4000),
    '@ada'.repeat(1000),
    '@a '.repeat(1300),
    `@${'a b '.repeat(999)}`,
    `@${'京'.repeat(3999)}`,
    '@京京京京京京京'.repeat(490),
    `@${'a.'.repeat(1999)}`,
    '@. '.repeat(1300),
    `${'京'.repeat(3990)}@ada`,
    '@a@京@\u0301'.repeat(600),
    `${'@' + '京'.repeat(78)} `.repeat(50),
  ]
  for (const text of texts) {
    const began = performance.now()
    let asked = 0
    mentionsIn(text, () => void asked++)
    const ms = performance.now() - began
    assert.ok(asked <= 50 * 40, `${asked} names are looked up for ${text.slice(0, 20)}`)
    assert.ok(ms < 100, `${ms} ms for ${text.slice(0, 20)}`)
    assert.ok(await ada.say('lobby', text))
  }
  // Marks that normalising makes more of are no name, and no fault of the message.
  assert.equal((await ada.say('lobby', `@a${'\u0344'.repeat(30)}`)).mentions, undefined)
})
