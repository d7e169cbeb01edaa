// The same key and request again is the same message; another request under the key is refused.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Message } from '../../lib/chat/streams/events.ts'
import { startChat, temporaryFolder } from '../chat-server.ts'
import { property } from '../random.ts'

const ours = { 'sec-fetch-site': 'same-origin' }

test('a retry does nothing: who has left the room since is not taken back into it', async (t) => {
  const chat = await startChat(t)
  const ada = await chat.comeIn('ada')
  const reader = await chat.stranger.listen()
  const first = await ada.say('lobby', 'once', { key: 'k' })
  await ada.fetch('/rooms/lobby/members/me', { method: 'DELETE', headers: ours })

  assert.deepEqual(await ada.say('lobby', 'once', { key: 'k' }), first)

  assert.deepEqual((await chat.stranger.read<{ members: unknown[] }>('/rooms/lobby/members')).members, [])
  await (await chat.comeIn('bob')).say('lobby', 'next')
  await reader.texts(2)
  assert.deepEqual(
    reader.all.map(({ event }) => event).filter((event) => event !== 'ping'),
    ['join', 'message', 'leave', 'user', 'join', 'message'],
  )
})

property(
  'however posts are sent again, at once or after a kill, each is there once, and an answer never changes',
  async (random, t) => {
    const chat = await startChat(t, { data: await temporaryFolder(t) })
    const people = await Promise.all(['ada', 'bob'].map((name) => chat.comeIn(name)))
    await people[0]!.makeRoom('attic')
    const kept = new Map<string, { request: string; message: Message }>()
    const requests = ['lobby', 'attic'].flatMap((room) => ['one', 'two'].map((text) => ({ room, text })))
    for (let round = 0; round < 8; round++) {
      const tries = Array.from({ length: 12 }, async () => {
        const who = random.below(people.length)
        const key = `k${random.below(6)}`
        const { room, text } = random.pick(requests)
        const answer = await people[who]!.send('POST', `/rooms/${room}/messages`, { text }, { 'idempotency-key': key })
        return {
          slot: `${who} ${key}`,
          request: `${room} ${text}`,
          status: answer.status,
          body: (await answer.json()) as Message & { code: string },
        }
      })
      for (const { slot, request, status, body } of await Promise.all(tries)) {
        if (status === 409) {
          assert.equal(body.code, 'key_reused')
          continue
        }
        assert.equal(status, 201)
        const before = kept.get(slot) ?? { request, message: body }
        assert.deepEqual({ request, message: body }, before)
        kept.set(slot, before)
      }
      if (random.chance(0.3)) {
        await chat.kill()
        await chat.start()
      }
    }

    const listed = await Promise.all(
      ['lobby', 'attic'].map((room) =>
        chat.stranger.read<{ messages: Message[] }>(`/rooms/${room}/messages?limit=200`),
      ),
    )
    const byId = (a: Message, b: Message) => Number(a.id) - Number(b.id)
    assert.deepEqual(
      listed.flatMap(({ messages }) => messages).sort(byId),
      [...kept.values()].map(({ message }) => message).sort(byId),
    )
    for (const [slot, { request, message }] of kept) {
      const [who, key] = slot.split(' ') as [string, string]
      const [room, text] = request.split(' ') as [string, string]
      assert.deepEqual(await people[Number(who)]!.say(room, text, { key }), message)
      const other = await people[Number(who)]!.send(
        'POST',
        `/rooms/${room}/messages`,
        { text: `${text}!` },
        { 'idempotency-key': key },
      )
      assert.equal(other.status, 409)
    }
  },
)
