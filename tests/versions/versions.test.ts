// The server on every Node that it promises to run on, and what it says on one that is too old.

import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { text } from 'node:stream/consumers'
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

for (const name of ['node22', 'node24']) {
  test(`on ${name} a stream's bytes are the same`, { skip }, async () => {
    // Told that it runs below a test runner, a test reports in a form that only the runner reads.
    const { NODE_TEST_CONTEXT: _, ...environment } = process.env
    const child = spawn(nodeOf(name), ['--test-timeout=60000', fileURLToPath(new URL('../sse/socket.test.ts', import.meta.url))], { env: environment, stdio: ['ignore', 'pipe', 'inherit'] })
    const [out, code] = await Promise.all([text(child.stdout), new Promise((resolve) => child.on('close', resolve))])
    assert.equal(code, 0, out)
    assert.match(out, /^(# |ℹ )pass [1-9]/m)
  })
}

test('on Node 20 it says in one line what it needs', { skip }, async () => {
  const { code, out, err } = await runServer([], { node: nodeOf('node20') })
  assert.deepEqual([code, out], [1, ''])
  assert.match(err, /^natter needs Node 22\.18 or newer, this is v20\.[\d.]+; try: npx -y node@26 server\.ts\n$/)
})
