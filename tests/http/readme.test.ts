// What the README has people type, typed as it stands there.

import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { promisify } from 'node:util'
import { patienceMs, startChat, temporaryFolder } from '../chat-server.ts'

const readme = readFileSync(new URL('../../README.md', import.meta.url), 'utf8')

test("the README's session in a terminal: come in, make a room, invite, talk, watch", async (t) => {
  const chat = await startChat(t)
  const cwd = await temporaryFolder(t)
  const [, script] = /```sh\n([^]*?)```/.exec(readme) ?? []
  assert.ok(script)

  // curl's 28: the time that the last line gives the stream is over.
  const { stdout } = await promisify(execFile)(
    'sh',
    ['-c', `${script.trim().replaceAll('localhost:8080', new URL(chat.url).host)} || test $? = 28`],
    { cwd, timeout: patienceMs },
  )

  const events = [...stdout.matchAll(/^event: (.*)\nid: \d+\ndata: (.*)$/gm)].map(([, event, data]) => [
    event,
    (JSON.parse(data!) as { text?: string }).text,
  ])
  assert.deepEqual(
    events.filter(([event]) => event !== 'ping'),
    [
      ['room', undefined],
      ['join', undefined],
      ['join', undefined],
      ['message', 'can anybody else hear us?'],
      ['message', 'nobody'],
    ],
  )
  // The room is nobody else's to see.
  assert.doesNotMatch(await (await chat.fetch('/rooms')).text(), /attic/)
})

test("each address in the README's table is one of ours", async (t) => {
  const chat = await startChat(t)
  const rows = [...readme.matchAll(/^\| ((?:`[A-Z ]+ \/[^`]*`(?: · )?)+) \|/gm)].flatMap(([, cell]) => [
    ...cell!.matchAll(/`([A-Z ]+) (\/[^`]*)`/g),
  ])
  assert.ok(rows.length > 15)

  for (const [, methods, path] of rows) {
    const options = await chat.fetch(path!.replaceAll(/:\w+/g, 'x'), { method: 'OPTIONS' })
    const allowed = (options.headers.get('allow') ?? '').split(', ')
    for (const method of methods!.split(' ')) assert.ok(allowed.includes(method), `${method} ${path}: ${allowed}`)
  }
})
