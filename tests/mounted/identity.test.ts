// The host says who somebody is, and natter believes nobody else.

import assert from 'node:assert/strict'
import type { IncomingMessage } from 'node:http'
import { test } from 'node:test'
import type { Identity, Message, User } from '../../lib/index.ts'
import { readIdentity } from '../../lib/embed/host-identity.ts'
import { byHeader, codeOf, mount } from './mount.ts'

const me = async (answer: Promise<Response>) => (await (await answer).json()) as { user: User | null; hosted?: true }

test('whom the host knows posts under the name that the host gives', async (t) => {
  const host = await mount(t, { identify: async (request) => byHeader(request) })
  const { user, hosted } = await me(host.fetch('/chat/session', { headers: { 'x-user': 'Ada' } }))
  assert.deepEqual([user!.name, user!.role, hosted], ['Ada', 'member', true])

  const answer = await host.send('POST', '/chat/rooms/lobby/messages', { text: 'hello' }, 'Ada')
  assert.equal(answer.status, 201)
  assert.deepEqual(((await answer.json()) as Message).from, { id: user!.id, name: 'Ada' })
})

test('whom the host does not know reads and says nothing', async (t) => {
  for (const nobody of [undefined, null]) {
    const host = await mount(t, { identify: () => nobody })
    assert.deepEqual((await me(host.fetch('/chat/session'))).user, null)
    assert.equal((await host.fetch('/chat/rooms/lobby/messages')).status, 200)
    const refused = await host.send('POST', '/chat/rooms/lobby/messages', { text: 'hello' })
    assert.deepEqual([refused.status, await codeOf(refused)], [401, 'unauthorized'])
  }
})

test('nobody comes in, leaves or claims a name beside the host', async (t) => {
  const host = await mount(t)
  for (const as of [undefined, 'ada']) {
    const came = await host.send('POST', '/chat/session', { name: 'eve' }, as)
    assert.deepEqual([came.status, await codeOf(came), came.headers.getSetCookie()], [403, 'forbidden', []])
    assert.equal((await host.send('DELETE', '/chat/session', {}, as)).status, 403)
  }
  const claimed = await host.fetch('/chat/rooms/lobby/messages', {
    method: 'POST',
    body: 'hello',
    headers: { authorization: `Basic ${btoa('eve:')}` },
  })
  assert.equal(claimed.status, 401)
  const { user } = await me(
    host.fetch('/chat/session', {
      headers: { authorization: `Basic ${btoa('eve:')}`, cookie: `natter-chat=${'A'.repeat(43)}`, 'x-user': 'ada' },
    }),
  )
  assert.equal(user!.name, 'ada')
})

test("names and roles are the host's to change, and they change for everybody", async (t) => {
  let ada: Identity = { id: '1', name: 'Ada', role: 'member' }
  const host = await mount(t, { identify: () => ada })
  const { user } = await me(host.fetch('/chat/session'))
  for (const change of [{ name: 'Eve' }, { role: 'owner' }, { password: 'a long one', current: '' }]) {
    const answer = await host.send('PATCH', '/chat/users/me', change)
    assert.deepEqual([answer.status, await codeOf(answer)], [403, 'forbidden'])
  }
  const reader = await host.listen('/chat/events')

  ada = { id: '1', name: 'Ada Lovelace', role: 'admin' }
  await me(host.fetch('/chat/session'))

  assert.deepEqual((await reader.next('user')).data, { id: user!.id, name: 'Ada Lovelace', role: 'admin' })
})

test('two people of a host may have the same name', async (t) => {
  const { chat } = await mount(t)
  const [one, two] = [
    await chat.post({ id: '1', name: 'Ada' }, 'lobby', { text: 'one' }),
    await chat.post({ id: '2', name: 'Ada' }, 'lobby', { text: 'two' }),
  ]
  assert.deepEqual([one.from.name, two.from.name], ['Ada', 'Ada'])
  assert.notEqual(one.from.id, two.from.id)
})

test("a token that was made in the chat works beside the host's people", async (t) => {
  const host = await mount(t, {
    identify: (request) => (request.headers['x-user'] === 'ada' ? { id: '1', name: 'ada', role: 'admin' } : undefined),
  })
  const made = await host.send('POST', '/chat/tokens', { name: 'deploys' }, 'ada')
  assert.equal(made.status, 201, await made.clone().text())
  const { token } = (await made.json()) as { token: string }
  const said = await host.fetch('/chat/rooms/lobby/messages', {
    method: 'POST',
    body: 'deployed',
    headers: { authorization: `Bearer ${token}` },
  })
  assert.equal(said.status, 201)
  assert.equal(((await said.json()) as Message).from.name, 'deploys')
  const forged = await host.fetch('/chat/rooms/lobby/messages', {
    method: 'POST',
    body: 'deployed',
    headers: { authorization: `Bearer natter_${'A'.repeat(43)}`, 'x-user': 'ada' },
  })
  assert.equal(forged.status, 401)
})

test('an identify that fails fails for that request alone, and the log says how', async (t) => {
  const failures: Record<string, () => unknown> = {
    throws: () => {
      throw new Error('no database')
    },
    rejects: async () => {
      throw new Error('no database')
    },
    'throws nothing': () => {
      throw undefined
    },
    "throws what can't be printed": () => {
      throw Object.create(null)
    },
    'rejects with text': () => Promise.reject('no database'),
  }
  let fails = ''
  // It gives anything.
  const identify = (request: IncomingMessage) =>
    (request.headers['x-user'] === 'eve' ? failures[fails]!() : byHeader(request)) as Identity
  const host = await mount(t, { identify })
  const reader = await host.listen('/chat/events', 'ada')
  for (fails of Object.keys(failures)) {
    for (const path of ['/chat/session', '/chat/events', '/chat/rooms']) {
      const answer = await host.fetch(path, { headers: { 'x-user': 'eve' } })
      const problem = (await answer.json()) as { code: string; detail: string }
      assert.deepEqual([answer.status, problem.code], [500, 'internal'], fails)
      const line = host.lines.pop()!
      assert.match(line, /identify failed/, fails)
      const [, incident = 'none'] = /^incident ([\w-]{36}): /.exec(line) ?? []
      assert.ok(problem.detail.endsWith(incident), problem.detail)
      assert.doesNotMatch(problem.detail, /database/)
    }
    assert.equal((await host.send('POST', '/chat/rooms/lobby/messages', { text: fails }, 'ada')).status, 201)
  }
  assert.deepEqual(await reader.texts(5), Object.keys(failures))
})

test('what is no identity is refused, and the log names what is wrong', async (t) => {
  const wrong: [unknown, RegExp][] = [
    ['ada', /must be an object .* not a string/],
    [42, /not a number/],
    [true, /not a boolean/],
    [[], /must have an id/],
    [{}, /must have an id/],
    [{ name: 'Ada' }, /must have an id/],
    [{ id: '', name: 'Ada' }, /must have an id/],
    [{ id: {}, name: 'Ada' }, /must have an id/],
    [{ id: NaN, name: 'Ada' }, /must have an id/],
    [{ id: 1.5, name: 'Ada' }, /must have an id/],
    [{ id: 'x'.repeat(201), name: 'Ada' }, /at most 200 characters, and this one has 201/],
    [{ id: 'a\0b', name: 'Ada' }, /control characters/],
    [{ id: '\ud800', name: 'Ada' }, /well-formed/],
    [{ id: '1', name: 'Ada', role: 'root' }, /role of an identity must be one of owner, /],
    [{ id: '1', name: 'Ada', role: null }, /role/],
  ]
  let gives: unknown
  const host = await mount(t, { identify: () => gives as Identity }) // which it is not
  for (const [identity, says] of wrong) {
    gives = identity
    const answer = await host.fetch('/chat/session')
    assert.deepEqual([answer.status, await codeOf(answer)], [500, 'internal'], JSON.stringify(identity))
    const line = host.lines.pop()!
    assert.match(line, says)
    assert.doesNotMatch(line.replace("{ id: '42', name: 'Ada' }", ''), /Ada|xxx|root/)
    // Neither is a program's own mistake passed over.
    await assert.rejects(
      host.chat.post(identity as Identity, 'lobby', { text: 'hello' }),
      (error) => error instanceof TypeError && says.test(error.message),
    )
  }
})

test('a name is made one that can be shown', () => {
  for (const [name, shown] of [
    ['Ada', 'Ada'],
    ['  Ada \n Lovelace\t', 'Ada Lovelace'],
    ['A\0d\x1ba', 'Ada'],
    ['A\u202eda', 'Ada'],
    ['Ａｄａ', 'Ada'],
    ['京', '京'],
    ['👩‍🚀'.repeat(30), /^👩🚀/u],
    ['x'.repeat(41), 'x'.repeat(40)],
    ['ﷺ'.repeat(30), /^صلى/],
    ['\ud800Ada', 'Ada'],
    [`${'x'.repeat(39)} y`, 'x'.repeat(39)],
    ['a'.repeat(1e6), 'a'.repeat(40)],
    ['', '42'],
    [' \u200b ', '42'],
    [undefined, '42'],
    [42, '42'],
    ['\u2800', '42'],
  ] as const) {
    const identity = readIdentity({ id: '42', name })
    if (typeof shown === 'string') assert.equal(identity.name, shown)
    else assert.match(identity.name, shown)
    assert.ok([...identity.name].length <= 40)
  }
  assert.deepEqual(readIdentity({ id: 42, name: 'Ada' }), { id: '42', name: 'Ada', role: 'member' })
  assert.deepEqual(readIdentity({ id: 2n ** 64n, name: 'Ada', role: 'owner' }), {
    id: '18446744073709551616',
    name: 'Ada',
    role: 'owner',
  })
  assert.equal(readIdentity({ id: '\u200b', name: '' }).name, 'somebody')
  assert.equal(readIdentity({ id: '\u200b'.repeat(200), name: '' }).name, 'somebody')
})

test("the first requests of somebody new come all at once, as a page's do", async (t) => {
  const host = await mount(t, { identify: async (request) => byHeader(request) })
  const answers = await Promise.all(
    Array.from({ length: 10 }, () => me(host.fetch('/chat/session', { headers: { 'x-user': 'ada' } }))),
  )
  assert.equal(new Set(answers.map(({ user }) => user!.id)).size, 1)
})

test('who is disconnected loses the open streams at once, and nobody else does', async (t) => {
  let known = true
  const host = await mount(t, {
    identify: (request) => (known || request.headers['x-user'] !== 'ada' ? byHeader(request) : undefined),
  })
  const [ada, again, bob] = await Promise.all([
    host.listen('/chat/events', 'ada'),
    host.listen('/chat/rooms', 'ada'),
    host.listen('/chat/events', 'bob'),
  ])

  known = false
  await host.chat.disconnect('host-ada')

  await Promise.all([ada.over, again.over])
  await host.send('POST', '/chat/rooms/lobby/messages', { text: 'still here' }, 'bob')
  assert.deepEqual(await bob.texts(1), ['still here'])
  assert.equal((await me(host.fetch('/chat/session', { headers: { 'x-user': 'ada' } }))).user, null)
  await host.chat.disconnect('nobody of that id')
})

test('who is disconnected while the host is still saying who they are gets no stream as that', async (t) => {
  let asked = () => {}
  const answers: (() => void)[] = []
  let known = true
  const host = await mount(t, {
    identify: (request) => {
      const given = known ? byHeader(request) : undefined
      asked()
      return new Promise((resolve) => answers.push(() => resolve(given)))
    },
  })
  const first = new Promise<void>((resolve) => (asked = resolve))
  const opening = host.fetch('/chat/events?mine', { headers: { 'x-user': 'ada', accept: 'text/event-stream' } })
  await first

  known = false
  await host.chat.disconnect('host-ada')
  const second = new Promise<void>((resolve) => (asked = resolve))
  answers[0]!()
  await second
  answers[1]!()

  assert.equal((await opening).status, 401)
})

test('who is disconnected has nobody asked for again but themselves', async (t) => {
  let asked = () => {}
  const answers: (() => void)[] = []
  const host = await mount(t, {
    identify: (request) => {
      asked()
      return new Promise((resolve) => answers.push(() => resolve(byHeader(request))))
    },
  })
  const first = new Promise<void>((resolve) => (asked = resolve))
  const opening = host.fetch('/chat/session', { headers: { 'x-user': 'ada' } })
  await first

  asked = () => assert.fail('asked again')
  await host.chat.disconnect('host-bob')
  answers[0]!()

  assert.equal((await me(opening)).user?.name, 'ada')
})
