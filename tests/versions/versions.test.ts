// The server on every Node that it promises to run on, and what it says on one that is too old.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { runServer, startChat, temporaryFolder } from '../chat-server.ts'
import { install } from '../install.ts'

const folder = new URL('./', import.meta.url)
const skip = await install(folder)
const nodeOf = (name: string) => fileURLToPath(new URL(`node_modules/${name}/bin/node`, folder))

for (const name of ['node22', 'node24']) {
  test(`on ${name} people talk, a killed server comes back, and a reader gets what it missed`, { skip }, async (t) => {
    const chat = await startChat(t, { data: await temporaryFolder(t), node: nodeOf(name) })
    const ada = await chat.comeIn('ada')
    const reader = await chat.stranger.listen()
    await ada.say('lobby', 'one')
    const { id } = await reader.next('message')

    await chat.kill()
    await chat.start()
    await ada.say('lobby', '二')

    const again = await chat.stranger.listen({ lastEventId: id })
    assert.deepEqual(await again.texts(1), ['二'])
    assert.equal(await chat.stop(), 0)
    assert.doesNotMatch(chat.errors, /warning/i)
  })
}

test('on Node 20 it says in one line what it needs', { skip }, async () => {
  const { code, out, err } = await runServer([], { node: nodeOf('node20') })
  assert.deepEqual([code, out], [1, ''])
  assert.match(err, /^natter needs Node 22\.18 or newer, this is v20\.[\d.]+; try: npx -y node@26 server\.ts\n$/)
})
