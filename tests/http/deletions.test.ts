import assert from 'node:assert/strict'
import { readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import type { Message } from '../../lib/chat/streams/events.ts'
import { startChat, temporaryFolder, type ChatServer, type Person } from '../chat-server.ts'

function remove(person: Person, { room, id }: { room: string; id: string }): Promise<Response> {
  return person.fetch(`/rooms/${room}/messages/${id}`, {
    method: 'DELETE',
    headers: { 'sec-fetch-site': 'same-origin' },
  })
}

async function textsIn(chat: ChatServer): Promise<string[]> {
  return (await chat.stranger.read<{ messages: Message[] }>('/rooms/lobby/messages')).messages.map(({ text }) => text)
}

test('what is deleted is gone for whoever comes later, and the others are told', async (t) => {
  const chat = await startChat(t, { data: await temporaryFolder(t) })
  const ada = await chat.comeIn('ada')
  const live = await chat.stranger.listen()
  const kept = await ada.say('lobby', 'kept')
  const gone = await ada.say('lobby', 'regretted')

  assert.equal((await remove(ada, gone)).status, 204)

  assert.deepEqual((await live.next('delete')).data, { id: gone.id, room: 'lobby', deleted: true })
  assert.deepEqual(await textsIn(chat), ['kept'])
  assert.deepEqual(await chat.stranger.read(`/rooms/lobby/messages/${gone.id}`), { ...gone, text: '', deleted: true })
  for (const when of ['from the ring', 'from disk']) {
    const later = await chat.stranger.listen({ path: '/events?since=all' })
    await later.next('delete')
    assert.deepEqual(
      later.all.filter(({ event }) => event === 'message').map(({ id }) => id),
      [kept.id],
      when,
    )
    assert.ok(!later.bytes.includes('regretted'), when)
    await chat.kill()
    await chat.start()
  }
})

test('a deleted message is a cursor and a key like any other', async (t) => {
  const chat = await startChat(t)
  const ada = await chat.comeIn('ada')
  const gone = await ada.say('lobby', 'regretted', { key: 'k' })
  await ada.say('lobby', 'after')
  await remove(ada, gone)

  const reader = await chat.stranger.listen({ lastEventId: gone.id })
  assert.deepEqual(await reader.texts(1), ['after'])
  await reader.next('delete')
  assert.ok(!reader.all.some(({ event }) => event === 'reset'))
  assert.equal((await ada.say('lobby', 'regretted', { key: 'k' })).id, gone.id)
  assert.deepEqual(await textsIn(chat), ['after'])
})

test('the last few are counted without what is deleted', async (t) => {
  const chat = await startChat(t)
  const ada = await chat.comeIn('ada')
  const messages = []
  for (const text of ['1', '2', '3', '4']) messages.push(await ada.say('lobby', text))
  await remove(ada, messages[2]!)

  for (const [path, texts] of [
    ['/events?since=-3', ['2', '4']],
    ['/events?room=lobby&since=-2', ['2', '4']],
  ] as const) {
    const reader = await chat.stranger.listen({ path })
    assert.deepEqual(await reader.texts(texts.length), texts, path)
    await reader.next('delete')
  }
})

test('the bytes of what is deleted are gone from the files', async (t) => {
  const data = await temporaryFolder(t)
  const chat = await startChat(t, { data })
  const ada = await chat.comeIn('ada')
  const holding = () =>
    readdirSync(data).filter((name) => readFileSync(join(data, name), 'latin1').toLowerCase().includes('geheimnisvoll'))
  const gone = await ada.say('lobby', 'Geheimnisvoll it was')
  for (let count = 0; count < 20; count++) await ada.say('lobby', `around it ${count}`)
  assert.notDeepEqual(holding(), [], 'it was there')

  await remove(ada, gone)

  assert.deepEqual(holding(), [])
  assert.equal(await chat.stop(), 0)
  assert.deepEqual(holding(), [])
})

test('one may delete only what one wrote, once', async (t) => {
  const chat = await startChat(t)
  const ada = await chat.comeIn('ada')
  const bob = await chat.comeIn('bob')
  const message = await ada.say('lobby', 'hers')
  const claimed = await chat.claiming('eve').say('lobby', 'anybody could say so')

  assert.equal((await remove(bob, message)).status, 403)
  assert.equal((await remove(chat.stranger, message)).status, 401)
  assert.equal((await remove(chat.claiming('eve'), claimed)).status, 403)
  assert.equal((await remove(ada, { room: 'lobby', id: '12' })).status, 404)
  const both = await Promise.all([remove(ada, message), remove(ada, message)])
  assert.deepEqual(both.map(({ status }) => status).sort(), [204, 404])
})
