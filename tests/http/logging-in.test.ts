// Logging in with a password: what people type, and what programs send.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startChat } from '../chat-server.ts'

test('a name logs in as it was typed when the account was made, spaces and all', async (t) => {
  const chat = await startChat(t)
  const made = await chat.stranger.send('POST', '/users', { name: ' Ada  Lovelace ', password: 'a password' })
  assert.equal(made.status, 201)

  const answer = await chat.stranger.send('POST', '/session', { name: ' Ada  Lovelace ', password: 'a password' })

  assert.equal(answer.status, 201, await answer.text())
})

test('a name that nobody can have costs no hashing, and is not remembered among the wrong ones', async (t) => {
  const chat = await startChat(t)

  for (let tries = 0; tries < 12; tries++) {
    const answer = await chat.stranger.send('POST', '/session', {
      name: `${tries}${'\ufdfa'.repeat(20_000)}`,
      password: 'a password',
    })

    assert.equal(answer.status, 400, await answer.text())
  }
})

test('who has no session to log out of writes nothing to the log, however often they ask', async (t) => {
  const chat = await startChat(t)
  await chat.account('ada')
  const ada = chat.withPassword('ada')
  const cursor = async () => (await chat.stranger.read<{ cursor: string }>('/users')).cursor

  const before = await cursor()
  assert.equal((await ada.fetch('/sessions', { method: 'DELETE' })).status, 204)
  const after = await cursor()
  for (let again = 0; again < 3; again++) assert.equal((await ada.fetch('/sessions', { method: 'DELETE' })).status, 204)

  assert.notEqual(after, before)
  assert.equal(await cursor(), after)
})
