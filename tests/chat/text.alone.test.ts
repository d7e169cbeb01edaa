// How long it takes to refuse a text.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { cleanName, foldName } from '../../lib/chat/people/names.ts'
import { cleanText } from '../../lib/chat/talk/text.ts'

test('more marks on a letter than any writing has are refused before they cost time', () => {
  const pairs = ['\u0301\u0323', '\u0301\x01\u0323\x01', '\uff9e\u0345', '\u0f73\u0f71', '\u{1d165}\u{1d16e}']
  for (const pair of pairs) {
    const marked = 'a' + pair.repeat(20_000 / pair.length)
    const started = performance.now()

    assert.throws(() => cleanText(marked), { code: 'invalid_text' })
    assert.throws(() => cleanName(marked), { code: 'invalid_name' })
    if (!marked.includes('\x01')) assert.equal(foldName(marked), '')

    // Brought into order they would take some 100 ms each.
    assert.ok(performance.now() - started < 50, `${performance.now() - started} ms for ${JSON.stringify(pair)}`)
  }
  assert.equal(cleanText('สวัสดี नमस्ते a\u0301\u0323\u0330'), 'สวัสดี नमस्ते ạ̰́'.normalize('NFC'))
})
