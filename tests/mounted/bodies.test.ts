// Bodies that middleware of the host has read before natter gets the request.

import assert from 'node:assert/strict'
import type { IncomingMessage } from 'node:http'
import { buffer, json, text } from 'node:stream/consumers'
import { test } from 'node:test'
import { codeOf, mount } from './mount.ts'

type Parse = (request: IncomingMessage) => Promise<unknown>

// As express.json(), express.text(), express.raw() and express.urlencoded() leave it.
const parsers: Record<string, Parse> = {
  json,
  text,
  raw: buffer,
  bytes: async (request) => new Uint8Array(await buffer(request)),
  form: async (request) => Object.fromEntries(new URLSearchParams(await text(request))),
  'nothing, though it reads it': async (request) => void (await text(request)),
  'nothing, and reads nothing': async () => {},
  'an empty object, and reads nothing': async () => ({}),
}

function behind(parse: Parse) {
  return (chat: Awaited<ReturnType<typeof mount>>['chat']) =>
    async (request: IncomingMessage, response: Parameters<typeof chat.handler>[1]) => {
      // Parsers pass over what has no body.
      const body = request.method === 'POST' ? await parse(request) : undefined
      if (body !== undefined) Object.assign(request, { body })
      chat.handler(request, response)
    }
}

const post = (body: string | Uint8Array<ArrayBuffer>, type: string) => ({
  method: 'POST',
  body,
  headers: { 'content-type': type, 'x-user': 'ada', 'sec-fetch-site': 'same-origin' },
})

for (const [what, parse] of Object.entries(parsers)) {
  test(`behind a parser that leaves ${what}`, async (t) => {
    const host = await mount(t, {}, behind(parse))
    const say = async (body: string | Uint8Array<ArrayBuffer>, type: string) => {
      const answer = await host.fetch('/chat/rooms/lobby/messages', post(body, type))
      return [
        answer.status,
        answer.status === 201 ? ((await answer.json()) as { text: string }).text : await codeOf(answer),
      ]
    }
    const parsed = what.startsWith('nothing, though') ? [500, 'internal'] : undefined
    const bare = what === 'form' ? [400, 'invalid_request'] : parsed

    // A parser of JSON alone answers everything else itself, and one of forms reads no JSON.
    if (what !== 'form') {
      assert.deepEqual(await say('{"text":"héllo"}', 'application/json'), parsed ?? [201, 'héllo'])
      assert.deepEqual(await say('{"text":"hello","more":1}', 'application/json'), parsed ?? [400, 'unknown_field'])
      assert.deepEqual(await say('[1]', 'application/json'), parsed ?? [400, 'invalid_json'])
      assert.deepEqual(await say('null', 'application/json'), parsed ?? [400, 'invalid_json'])
      assert.deepEqual(
        await say(JSON.stringify({ text: 'x'.repeat(70_000) }), 'application/json'),
        parsed ?? [413, 'too_large'],
      )
    }
    if (what !== 'json') {
      assert.deepEqual(await say('héllo=1', 'application/x-www-form-urlencoded'), bare ?? [201, 'héllo=1'])
      assert.deepEqual(await say('x'.repeat(70_000), 'text/plain'), bare ?? [413, 'too_large'])
    }
    if (what === 'raw' || what === 'bytes')
      assert.deepEqual(await say(Uint8Array.of(0xff), 'text/plain'), [400, 'invalid_request'])
    assert.equal(
      host.lines.every((line) => /body was read before/.test(line)),
      true,
      host.lines.join(),
    )
    // What has no body goes its way.
    assert.equal(
      (
        await host.fetch('/chat/rooms/lobby/members/me', {
          method: 'PUT',
          headers: { 'x-user': 'ada', 'sec-fetch-site': 'same-origin' },
        })
      ).status,
      204,
    )
  })
}
