// Characters that no reader expects in a line: controls that a terminal obeys, and marks that turn the direction of what stands behind them.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Message, Room } from '../../lib/chat/streams/events.ts'
import { openChat, type Person } from '../chat-server.ts'

const controls = '\x7f\x80\x85\x9b31m\x9c'
const turns = '\u202a\u202b\u202d\u202e\u2066\u2067\u2068'
const raw = /[\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]/

/** The same message by every way on which it leaves. */
async function everyForm(reader: Person, { id, room }: Message): Promise<string[]> {
  const first = async (path: string, accept: string) => {
    const cut = new AbortController()
    const answer = await fetch(reader.chat.url + path, { headers: { ...reader.headers, accept }, signal: cut.signal })
    let text = ''
    try {
      for await (const bytes of answer.body!) {
        text += Buffer.from(bytes).toString()
        if (text.includes('the end')) break
      }
    } finally {
      cut.abort()
    }
    return text
  }
  return [
    await (await reader.fetch(`/rooms/${room}/messages/${id}`)).text(),
    await (await reader.fetch(`/rooms/${room}/messages`)).text(),
    await (await reader.fetch('/search?q=begin')).text(),
    await first('/events?since=all', 'text/event-stream'),
    await first('/events?since=all', 'application/x-ndjson'),
    await first('/events?since=all', 'text/plain'),
    await first(`/rooms/${room}/messages`, 'text/event-stream'),
  ]
}

test('control characters of a text are dropped on the way in, whatever becomes of it', async (t) => {
  const chat = await openChat(t)
  const ada = await chat.comeIn('ada')

  const said = await ada.say('lobby', `begin ${controls} the end`)
  const edited = await ada.ask<Message>('PATCH', `/rooms/lobby/messages/${said.id}`, {
    text: `begin\x9d again ${controls} the end`,
  })

  assert.equal(said.text, 'begin 31m the end')
  assert.equal(edited.text, 'begin again 31m the end')
  for (const form of await everyForm(ada, said)) assert.doesNotMatch(form, raw)
})

test('a topic has no control characters either, and a text of nothing else is empty', async (t) => {
  const chat = await openChat(t)
  const ada = await chat.comeIn('ada')

  const room = await ada.ask<Room>('POST', '/rooms', { name: 'attic', topic: `a${controls}b` })
  assert.equal(room.topic, 'a31mb')
  assert.equal(await ada.refused('POST', '/rooms/lobby/messages', { text: '\x80\x85\x7f' }), '400 invalid_text')
})

test('marks of direction stay in a text, and are escaped wherever it leaves', async (t) => {
  const chat = await openChat(t)
  const ada = await chat.comeIn('ada')
  const text = `begin ${turns} \u2028 \u2029 the end`

  const said = await ada.say('lobby', text)

  assert.equal(said.text, text)
  const forms = await everyForm(ada, said)
  for (const form of forms) {
    assert.doesNotMatch(form, raw)
    assert.match(form, /begin \\u202a\\u202b\\u202d\\u202e\\u2066\\u2067\\u2068 \\u2028 \\u2029 the end/)
  }
})

test('what is replayed is what went out live, escapes and all', async (t) => {
  const chat = await openChat(t)
  const ada = await chat.comeIn('ada')
  const live = await ada.listen()
  await live.next('ping')

  await ada.say('lobby', `x${turns}\u2028`)
  const [now] = await live.take('message', 1)
  const later = await ada.listen({ path: '/events?since=all' })
  const [then] = await later.take('message', 1)

  assert.equal(then!.data, now!.data)
  assert.match(now!.data, /x\\u202a.*\\u2028/)
  live.leave()
  later.leave()
})

test('a refusal that repeats what was sent escapes it too', async (t) => {
  const chat = await openChat(t)
  const ada = await chat.comeIn('ada')

  const answer = await ada.send('POST', '/rooms/lobby/messages', { text: 'x', ['\u202e\x9b\u2028']: 1 })

  assert.equal(answer.status, 400)
  assert.doesNotMatch(await answer.text(), raw)
})

test('no name turns the direction of what stands beside it', async (t) => {
  const chat = await openChat(t)
  const ada = await chat.comeIn('ada')
  for (const mark of [...turns, '\u202c', '\u2069', '\x85', '\x9b']) {
    assert.match(await chat.stranger.refused('POST', '/session', { name: `b${mark}ob` }), /400 invalid_name/)
    assert.match(await ada.refused('POST', '/rooms', { name: `att${mark}ic` }), /400 invalid_name/)
  }
})
