// How long it takes to be let in by a password, or not to be.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { passwordOf, startChat, type Person } from '../chat-server.ts'

const median = (numbers: number[]) => numbers.sort((a, b) => a - b)[Math.floor(numbers.length / 2)]!

test('a password in Authorization posts and streams, and the second time is quick', async (t) => {
  const chat = await startChat(t)
  await chat.account('ada')
  const ada = chat.withPassword('Ada', passwordOf('ada'))
  const timed = async (person: Person, status: number) => {
    const began = performance.now()
    assert.equal((await person.send('POST', '/rooms/lobby/messages', { text: 'x' })).status, status)
    return performance.now() - began
  }

  await timed(ada, 201)
  const next = [await timed(ada, 201), await timed(ada, 201), await timed(ada, 201)]
  // What is wrong has to be hashed each time.
  const wrong = chat.withPassword('ada', 'wrong')
  const hashed = [await timed(wrong, 401), await timed(wrong, 401), await timed(wrong, 401)]
  const stream = await ada.listen({ path: '/events?mine' })
  const { id } = await ada.say('lobby', 'and back')

  assert.equal((await stream.next('message')).id, id)
  assert.ok(median(next) < median(hashed) / 3, `${next} ms, and ${hashed} where it is hashed`)
  assert.equal(
    await chat.withPassword('ada', passwordOf('ada').toUpperCase()).refused('GET', '/rooms'),
    '401 unauthorized',
  )
})

test('a wrong password and an unknown name are answered alike, and take as long', async (t) => {
  const chat = await startChat(t, { flags: ['--trust-proxy', 'loopback'] })
  await chat.account('ada')
  await chat.comeIn('guest')
  const address = (number: number) => ({ 'x-forwarded-for': `203.0.113.${number}` })
  const ways: [string, (name: string, number: number) => Promise<Response>][] = [
    [
      'session',
      (name, number) => chat.stranger.send('POST', '/session', { name, password: 'not the password' }, address(number)),
    ],
    [
      'basic',
      (name, number) => chat.withPassword(name, 'not the password').fetch('/rooms', { headers: address(number) }),
    ],
  ]
  for (const [way, ask] of ways) {
    const found = new Map<string, { answers: Set<string>; times: number[] }>()
    for (let round = 0; round < 4; round++) {
      for (const [at, name] of ['ada', 'guest', 'nobody', 'lobby'].entries()) {
        const { answers, times } = found.get(name) ?? { answers: new Set(), times: [] }
        found.set(name, { answers, times })
        const began = performance.now()
        const answer = await ask(name, at + 1)
        times.push(performance.now() - began)
        answers.add(
          `${answer.status} ${await answer.text()} ${[...answer.headers].filter(([header]) => header !== 'date').join(' ')}`,
        )
      }
    }
    const [ada, ...others] = [...found.values()]
    assert.equal(ada!.answers.size, 1)
    assert.match([...ada!.answers][0]!, /^401 .*"unauthorized","detail":"the name or the password is wrong/)
    for (const other of others) {
      assert.deepEqual(other.answers, ada!.answers, way)
      const ratio = median(other.times) / median(ada!.times)
      assert.ok(
        ratio > 0.4 && ratio < 2.5,
        `${way}: ${JSON.stringify([...found].map(([name, { times }]) => [name, times]))}`,
      )
    }
  }
})
