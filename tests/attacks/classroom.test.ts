// What honest people do behind one address, under the limits that natter has unless told otherwise: none of them may notice that there are any.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Listener, startChat, type ChatServer } from '../chat-server.ts'

/** Somebody behind an address that a proxy names, who takes no for an error. */
class Pupil {
  readonly #chat: ChatServer
  readonly #headers: Record<string, string>

  private constructor(chat: ChatServer, headers: Record<string, string>) {
    this.#chat = chat
    this.#headers = headers
  }

  static async comesIn(chat: ChatServer, address: string, path: string, body: object): Promise<Pupil> {
    const headers = { 'x-forwarded-for': address, 'content-type': 'application/json', 'sec-fetch-site': 'same-origin' }
    const answer = await chat.fetch(path, { method: 'POST', headers, body: JSON.stringify(body) })
    assert.equal(answer.status, 201, await answer.clone().text())
    return new Pupil(chat, { ...headers, cookie: answer.headers.getSetCookie()[0]!.split(';')[0]! })
  }

  async does(method: string, path: string, body?: object): Promise<{ id: string }> {
    const answer = await this.#chat.fetch(path, {
      method,
      headers: this.#headers,
      ...(body && { body: JSON.stringify(body) }),
    })
    const text = await answer.text()
    assert.ok(answer.ok, `${method} ${path} was answered with ${answer.status}: ${text}`)
    return (text === '' ? {} : JSON.parse(text)) as { id: string }
  }

  async listens(): Promise<Listener> {
    const stream = await Listener.open(`${this.#chat.url}/events`, this.#headers)
    await stream.next('ping')
    return stream
  }
}

const flags = ['--trust-proxy', 'loopback']
const school = '203.0.113.7'
const home = '2001:db8:1:2::1'

test('a class of thirty and its teacher come in, read, talk, react and search for a lesson, and nobody is told to wait', async (t) => {
  const chat = await startChat(t, { limits: true, flags })
  const teacher = await Pupil.comesIn(chat, school, '/users', { name: 'teacher', password: 'a password of hers' })
  const pupils = await Promise.all(
    Array.from({ length: 30 }, (_, at) => Pupil.comesIn(chat, school, '/session', { name: `pupil ${at}` })),
  )
  const all = [teacher, ...pupils]
  // Each has the page open twice.
  const streams = [
    ...(await Promise.all(all.map((one) => one.listens()))),
    ...(await Promise.all(all.map((one) => one.listens()))),
  ]
  const question = await teacher.does('POST', '/rooms/lobby/messages', { text: 'What is seven times eight?' })

  // All answer at once, and some correct themselves.
  const said = await Promise.all(
    pupils.map(async (pupil, at) => {
      await pupil.does('POST', '/rooms/lobby/typing')
      return pupil.does('POST', '/rooms/lobby/messages', { text: `It is ${50 + at}.`, replyTo: question.id })
    }),
  )
  await Promise.all(
    pupils
      .slice(0, 10)
      .map((pupil, at) => pupil.does('PATCH', `/rooms/lobby/messages/${said[at]!.id}`, { text: 'It is 56.' })),
  )
  await Promise.all(
    pupils.map((pupil) =>
      pupil.does('PUT', `/rooms/lobby/messages/${question.id}/reactions/${encodeURIComponent('👍')}`),
    ),
  )
  await Promise.all(
    all.flatMap((one) => [
      one.does('GET', '/rooms/lobby/messages'),
      one.does('GET', '/search?q=seven'),
      one.does('GET', '/rooms'),
    ]),
  )
  await Promise.all(all.map((one) => one.does('PUT', '/rooms/lobby/read', { id: question.id })))
  // Groups of five have a room each.
  await Promise.all(
    pupils.filter((_, at) => at % 5 === 0).map((pupil, at) => pupil.does('POST', '/rooms', { name: `group ${at}` })),
  )

  for (const stream of streams) {
    assert.ok((await stream.texts(31)).length === 31)
    stream.leave()
  }
})

test('sixty come in at once from one address', async (t) => {
  const chat = await startChat(t, { limits: true, flags })

  await Promise.all(
    Array.from({ length: 60 }, (_, at) => Pupil.comesIn(chat, school, '/session', { name: `guest ${at}` })),
  )
})

test('a family on one network at home talks as it likes', async (t) => {
  const chat = await startChat(t, { limits: true, flags })
  const family = await Promise.all(
    ['ann', 'ben', 'cleo', 'dan', 'eve'].map((name, at) => Pupil.comesIn(chat, `${home}${at}`, '/session', { name })),
  )
  const streams = await Promise.all(family.flatMap((one) => [one.listens(), one.listens(), one.listens()]))

  for (let round = 0; round < 2; round++) {
    await Promise.all(
      family.map(async (one) => {
        const { id } = await one.does('POST', '/rooms/lobby/messages', { text: 'A long message. '.repeat(100) })
        await one.does('PUT', `/rooms/lobby/messages/${id}/reactions/${encodeURIComponent('🎂')}`)
      }),
    )
  }

  for (const stream of streams) stream.leave()
})

test('one person types fast, corrects, reacts and has ten tabs', async (t) => {
  const chat = await startChat(t, { limits: true, flags })
  const ada = await Pupil.comesIn(chat, home, '/session', { name: 'ada' })
  const tabs = await Promise.all(Array.from({ length: 10 }, () => ada.listens()))

  for (let at = 0; at < 4; at++) {
    await ada.does('POST', '/rooms/lobby/typing')
    const { id } = await ada.does('POST', '/rooms/lobby/messages', { text: `message ${at}` })
    await ada.does('PATCH', `/rooms/lobby/messages/${id}`, { text: `message ${at}, corrected` })
    await ada.does('PUT', '/rooms/lobby/read', { id })
  }

  for (const tab of tabs) {
    await tab.texts(4)
    tab.leave()
  }
})
