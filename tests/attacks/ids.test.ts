// What an id gives away. Ids are times, and whoever reads is told the newest by each cursor; so that there is something at one, whose it is, and
// whether two people have a room must not be found out by asking for it: neither by the answer, nor by the work that it takes.

import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import type { Message } from '../../lib/chat/streams/events.ts'
import { printOf } from '../../lib/chat/talk/talk.ts'
import { startServer } from '../../lib/program/main.ts'
import type { HubOptions } from '../../lib/sse/hub-options.ts'
import { Hub } from '../../lib/sse/hub.ts'
import { ChatServer, own, Person, refusalOf, settings, startChat, type Listener } from '../chat-server.ts'
import type { Work } from '../http/work-counter.ts'
import { hubReaders } from '../sse/serve.ts'

/** A server that keeps so many events in memory, with two who talk in private and one outside. */
async function start(t: TestContext, ring: number) {
  const server = await startServer(settings(), { ring })
  t.after(() => server.stop())
  const chat = new ChatServer({})
  chat.url = server.url
  const [ada, bob, eve] = await Promise.all(['ada', 'bob', 'eve'].map((name) => chat.comeIn(name)))
  const attic = await ada!.makeRoom('attic', { kind: 'private' })
  await ada!.add(attic, bob!)
  return { chat, ada: ada!, bob: bob!, eve: eve!, attic }
}

/** All that a stream has up to its first ping. */
async function begins(stream: Listener): Promise<string> {
  await stream.next('ping')
  stream.leave()
  return stream.bytes.toString().replace(/^retry: \d+\n\n/, '')
}

test('a cursor is good be there an event or not, be it seen or not, from memory and from disk', async (t) => {
  for (const ring of [10_000, 1]) {
    const { chat, ada, bob, eve, attic } = await start(t, ring)
    await eve.say('lobby', 'before')
    const [secret, direct] = [await ada.say(attic, 'secret'), await bob.say(await ada.direct(bob), 'us two')]
    const after = await eve.say('lobby', 'after')
    await eve.say('lobby', 'last')

    // The same is to come for all of them: what was said in the lobby since.
    const last = Number(after.id) - 1
    const ids = [
      secret.id,
      direct.id,
      ...[secret, direct].flatMap(({ id }) => [Number(id) + 1, Number(id) - 1]),
      last,
      last - 1,
      last - 2,
    ]
    const cursors = ids.map(String).filter((id) => Number(id) >= Number(secret.id) - 1 && Number(id) < Number(after.id))
    assert.ok(cursors.length >= 6)
    for (const path of ['/events', '/events?room=lobby', '/rooms/lobby/messages']) {
      const asked = (cursor: string, by: 'header' | 'since') =>
        by === 'header'
          ? eve.listen({ path, lastEventId: cursor })
          : eve.listen({ path: `${path}${path.includes('?') ? '&' : '?'}since=${cursor}` })
      const answers = new Set<string>()
      for (const cursor of cursors)
        for (const by of ['header', 'since'] as const)
          answers.add(
            await begins(path.endsWith('messages') ? await messagesStream(chat, eve, cursor) : await asked(cursor, by)),
          )
      assert.equal(answers.size, 1, `${path}, ring ${ring}: ${[...answers].join('\n---\n')}`)
      const [answer = ''] = answers
      assert.doesNotMatch(answer, /event: reset/)
      assert.deepEqual(
        [...answer.matchAll(/"text":"(\w+)"/g)].map(([, text]) => text),
        ['after', 'last'],
      )
    }
  }
})

const messagesStream = (chat: ChatServer, { headers }: Person, lastEventId: string) =>
  new Person(chat, { ...headers, accept: 'text/event-stream' }).listen({ path: '/rooms/lobby/messages', lastEventId })

test('the list of rooms as a stream goes on after any id too', async (t) => {
  const { ada, eve, attic } = await start(t, 1)
  const { id: secret } = await ada.say(attic, 'secret')
  const room = await eve.makeRoom('cellar')
  for (const cursor of [secret, String(Number(secret) + 1)]) {
    const stream = await new Person(eve.chat, { ...eve.headers, accept: 'text/event-stream' }).listen({
      path: '/rooms',
      lastEventId: cursor,
    })
    const text = await begins(stream)
    assert.match(text, new RegExp(`"id":"${room}"`))
    assert.doesNotMatch(text, /reset|"lobby"/)
  }
})

test("an id that the log can't have given is a reset, and says no more", async (t) => {
  for (const ring of [10_000, 1]) {
    const { ada, eve, attic } = await start(t, ring)
    const { id: first } = await eve.listen({ path: '/events?since=all' }).then((stream) => stream.next('room'))
    const { id: newest } = await ada.say(attic, 'secret')
    const unknown = [
      '0',
      '1',
      String(Number(first) - 1e9),
      String(Number(newest) + 1),
      String(Number(newest) + 1e9),
      '9999999999999999',
      '9007199254740993',
      '99999999999999999999',
      `0${newest}`,
      `-${newest}`,
      `${newest}.0`,
      `${newest}.5`,
      `+${newest}`,
      `${newest}e0`,
      `0x${Number(newest).toString(16)}`,
      `${newest}n`,
      `${newest} ${newest}`,
      `${newest},${newest}`,
      'NaN',
      'Infinity',
      'null',
      '-',
      '_',
      'u_7f3k',
      '１２３',
      newest.slice(0, -1),
    ]
    for (const cursor of unknown) {
      const stream = await eve.listen({ path: `/events?since=${encodeURIComponent(cursor)}` })
      const { data } = await stream.next('reset')
      assert.deepEqual(data, { reason: 'unknown_cursor', cursor: newest }, cursor)
      stream.leave()
    }
    for (const cursor of [first, newest])
      assert.doesNotMatch(await begins(await eve.listen({ lastEventId: cursor })), /reset/)
  }
})

test('the last so many events are those that one sees', async (t) => {
  const { ada, bob, eve, attic } = await start(t, 10)
  await eve.say('lobby', 'one')
  for (let count = 0; count < 30; count++) await ada.say(attic, 'secret')
  await eve.say('lobby', 'two')
  await bob.say(await ada.direct(bob), 'us two')

  for (const [path, texts] of [
    ['/events?since=-2', ['two']],
    ['/events?room=lobby&since=-2', ['one', 'two']],
    ['/events?since=-20', ['one', 'two']],
  ] as const) {
    const text = await begins(await eve.listen({ path }))
    assert.doesNotMatch(text, /secret|us two|reset/)
    for (const word of texts) assert.match(text, new RegExp(`"text":"${word}"`), path)
  }
  const refused = [`/events?room=${attic}&since=-20`, '/events?room=attic-0000000&since=-20'].map((path) =>
    eve.refused('GET', path),
  )
  assert.deepEqual(await Promise.all(refused), ['404 not_found', '404 not_found'])
})

test("a hub of one's own keeps to the ids that it gave, unless its history says otherwise", async (t) => {
  const resetBy = async (history: HubOptions['history'] | undefined, ids: readonly number[], cursor: number) => {
    const errors: unknown[] = []
    const hub = new Hub({ ring: 3, ...(history && { history }), onError: (error) => errors.push(error) })
    const { follow } = await hubReaders(t, () => hub)
    for (const id of ids) hub.publish('a', { id, data: id })
    hub.flush()
    const reader = await follow(['a'], cursor)
    if (errors.length > 0) {
      await reader.over
      return 'ended'
    }
    await reader.next('ping')
    return (
      reader.bytes.toString().match(/"reason":"(\w+)"/)?.[1] ??
      reader.all.filter(({ event }) => event === 'message').map(({ data }) => Number(data))
    )
  }
  const ids = [10, 20, 30, 40, 50]
  const read = (after: number) => ids.filter((id) => id > after).map((id) => ({ id, topics: ['a'], data: id }))
  const asked: number[] = []
  const saying = (has: (id: number) => boolean | Promise<boolean>) => ({
    has: (id: number) => (asked.push(id), has(id)),
    read,
  })

  assert.deepEqual(await resetBy(undefined, ids, 40), [50])
  assert.equal(await resetBy(undefined, ids, 41), 'unknown_cursor')
  assert.equal(await resetBy(undefined, ids, 15), 'too_old')
  assert.equal(
    await resetBy(
      saying((id) => ids.includes(id)),
      ids,
      41,
    ),
    'unknown_cursor',
  )
  assert.equal(
    await resetBy(
      saying(async (id) => ids.includes(id)),
      ids,
      15,
    ),
    'unknown_cursor',
  )
  assert.deepEqual(
    await resetBy(
      saying(() => true),
      ids,
      41,
    ),
    [50],
  )
  assert.deepEqual(
    await resetBy(
      saying(async () => true),
      ids,
      35,
    ),
    [40, 50],
  )
  assert.deepEqual(
    await resetBy(
      saying(() => true),
      ids,
      15,
    ),
    [20, 30, 40, 50],
  )
  assert.deepEqual(asked, [41, 15, 41, 35, 15])
  // Above the newest there is nothing to ask for.
  assert.equal(
    await resetBy(
      saying(() => true),
      ids,
      51,
    ),
    'unknown_cursor',
  )
  assert.equal(
    await resetBy(
      saying(() => {
        throw new Error('unreadable')
      }),
      ids,
      41,
    ),
    'ended',
  )
})

/** A server whose statements are counted, with two who have rooms of their own and one outside. */
async function startCounted(t: TestContext) {
  const chat = await startChat(t, { execArgv: ['--import', new URL('../http/work-counter.ts', import.meta.url).href] })
  const [ada, bob, cid, eve] = await Promise.all(['ada', 'bob', 'cid', 'eve'].map((name) => chat.comeIn(name)))
  const attic = await ada!.makeRoom('attic', { kind: 'private' })
  await eve!.say('lobby', 'here I am')
  return { chat, ada: ada!, bob: bob!, cid: cid!, eve: eve!, attic }
}

/** What somebody is answered, but for the ids that stand in it, and which statements that took. */
async function answerAndWork(
  who: Person,
  method: string,
  path: string,
  body: unknown,
  ids: readonly string[],
): Promise<{ answer: string; read: Work['read']; written: Work['written'] }> {
  await who.chat.fetch('/work?hold=0')
  const answer = await who.send(method, path, method === 'GET' ? '' : body, own).catch(() => who.fetch(path))
  const text = ids.reduce((text, id) => text.replaceAll(id, 'ID'), await answer.text())
  const { read, written } = (await (await who.chat.fetch('/work?hold=0')).json()) as Work
  return { answer: `${answer.status} ${text}`, read, written }
}

test("a room that is not one's own is answered and looked for as one that is not there, the first time and again", async (t) => {
  const { ada, bob, cid, eve, attic, chat } = await startCounted(t)
  const direct = await ada.direct(bob)
  // As that of the two would be, were there one.
  const none = direct.replace(/^(-\w+-)\w+$/, `$1${cid.id.slice(2)}`)
  assert.notEqual(none, direct)
  const secret = await ada.say(attic, 'secret')
  const pairs = [
    [direct, none],
    [attic, attic.replace(/.$/, (last) => (last === '0' ? '1' : '0'))],
    [direct.toUpperCase(), none.toUpperCase()],
  ] as const
  const asked: [method: string, path: (room: string) => string, body?: (room: string) => unknown][] = [
    ['GET', (room) => `/rooms/${room}`],
    ['GET', (room) => `/rooms/${room}/messages`],
    ['GET', (room) => `/rooms/${room}/messages/${secret.id}`],
    ['GET', (room) => `/rooms/${room}/members`],
    ['GET', (room) => `/events?room=${room}`],
    ['GET', (room) => `/search?q=secret&room=${room}`],
    ['POST', (room) => `/rooms/${room}/messages`, () => ({ text: 'let me in' })],
    ['POST', (room) => `/rooms/${room}/typing`],
    ['PUT', (room) => `/rooms/${room}/read`, () => ({ id: secret.id })],
    ['PUT', (room) => `/rooms/${room}/members/me`],
    ['PUT', (room) => `/rooms/${room}/members/cid`],
    ['DELETE', (room) => `/rooms/${room}/members/me`],
    ['PATCH', (room) => `/rooms/${room}`, () => ({ topic: 'mine' })],
    ['DELETE', (room) => `/rooms/${room}`],
    ['PATCH', (room) => `/rooms/${room}/messages/${secret.id}`, () => ({ text: 'mine' })],
    ['DELETE', (room) => `/rooms/${room}/messages/${secret.id}`],
    ['PUT', (room) => `/rooms/${room}/messages/${secret.id}/reactions/%F0%9F%91%8D`],
    ['POST', () => '/invites', (room) => ({ room })],
  ]
  for (const who of [eve, chat.stranger, chat.claiming('zoe')]) {
    // The first time it is looked up who asks.
    await who.fetch('/rooms/lobby')
    for (const [method, path, body = () => ''] of asked) {
      for (const [there, not] of pairs) {
        for (const time of ['first', 'again']) {
          const [one, other] = [
            await answerAndWork(who, method, path(there), body(there), [there]),
            await answerAndWork(who, method, path(not), body(not), [not]),
          ]
          assert.deepEqual(one, other, `${method} ${path(there)}, ${time}`)
          assert.match(one.answer, /^40[134] /)
        }
      }
    }
  }
})

test('a message of another room is answered and looked for as one that is not there', async (t) => {
  const { ada, eve, attic } = await startCounted(t)
  const secret = await ada.say(attic, 'secret')
  const mine = await eve.say('lobby', 'mine')
  const not = String(Number(secret.id) + 1)
  assert.notEqual(not, mine.id)
  const ids = [secret.id, not]
  let renamed = 0
  for (const [method, path, body = ''] of [
    ['GET', '/rooms/lobby/messages/ID'],
    ['PATCH', '/rooms/lobby/messages/ID', { text: 'mine' }],
    ['DELETE', '/rooms/lobby/messages/ID'],
    ['PUT', '/rooms/lobby/messages/ID/reactions/%F0%9F%91%8D'],
    ['DELETE', '/rooms/lobby/messages/ID/reactions/%F0%9F%91%8D'],
    ['POST', '/rooms/lobby/messages', { text: 'an answer', replyTo: 'ID' }],
    ['DELETE', '/tokens/ID'],
    ['DELETE', '/invites/ID'],
    ['DELETE', '/sessions/ID'],
  ] as const) {
    const ask = (id: string) =>
      answerAndWork(
        eve,
        method,
        path.replace('ID', id),
        body && JSON.parse(JSON.stringify(body).replace('ID', id)),
        ids,
      )
    // Of what is kept in memory nothing is left, and then only what it takes to look for something in vain.
    await ada.ask('PATCH', '/users/me', { name: `ada ${++renamed}` })
    await ask(String(Number(mine.id) + 1))
    for (const time of ['first', 'again']) {
      const found = []
      for (const id of ids) found.push(await ask(id))
      assert.deepEqual(found[0], found[1], `${method} ${path}, ${time}`)
      assert.match(found[0]!.answer, /^404 /)
    }
  }
})

test('a page, a search and a mark of what was read begin at any id alike', async (t) => {
  const { ada, eve, attic } = await startCounted(t)
  const before = await eve.say('lobby', 'before')
  const secret = await ada.say(attic, 'before it, a secret')
  const not = String(Number(secret.id) + 1)
  await eve.say('lobby', 'after')
  const ids = [secret.id, not]
  for (const [method, path] of [
    ['GET', '/rooms/lobby/messages?before=ID'],
    ['GET', '/rooms/lobby/messages?after=ID'],
    ['GET', '/rooms/lobby/messages?around=ID'],
    ['GET', '/search?q=before&before=ID'],
    ['GET', '/search?q=after&after=ID'],
  ] as const) {
    const found = []
    // The first time it is looked up who asks.
    await eve.read('/session')
    for (const id of ids) found.push(await answerAndWork(eve, method, path.replace('ID', id), '', ids))
    assert.deepEqual(found[0], found[1], path)
    assert.match(found[0]!.answer, /^200 /)
  }
  // These are kept a while later, so that what is written for one may be counted with another.
  const marks = []
  for (const id of ids) marks.push((await answerAndWork(eve, 'PUT', '/rooms/lobby/read', { id }, ids)).answer)
  assert.deepEqual(marks, ['204 ', '204 '])
  const { messages } = await eve.read<{ messages: Message[] }>(`/rooms/lobby/messages?after=${not}`)
  assert.deepEqual(
    messages.map(({ text }) => text),
    ['after'],
  )
  assert.equal(
    (await eve.read<{ messages: Message[] }>(`/rooms/lobby/messages?before=${not}`)).messages.at(-1)!.id,
    before.id,
  )
})

test('tokens, invites and sessions of others are not there, for whoever may not see them', async (t) => {
  const { chat, eve } = await startCounted(t)
  const olga = await chat.owner()
  const token = await olga.makeBot({ name: 'bot' })
  const invite = await olga.invite()
  const session = (await olga.read<{ sessions: { id: string }[] }>('/sessions')).sessions[0]!.id
  for (const [path, id] of [
    ['/tokens', token.tokenId],
    ['/invites', invite.id],
    ['/sessions', session],
  ] as const) {
    for (const time of ['first', 'again']) {
      const ids = [id, String(Number(id) + 1)]
      const found = []
      // The first time it is looked up who asks.
      await eve.read('/session')
      for (const id of ids) found.push(await answerAndWork(eve, 'DELETE', `${path}/${id}`, '', ids))
      assert.deepEqual(found[0], found[1], `${path}, ${time}`)
      assert.match(found[0]!.answer, /^404 /)
    }
  }
})

/** A text for each of two rooms whose posts have the same fingerprint, which is short enough for that. */
function textsWithOnePrint(one: string, other: string): [string, string] {
  const known = new Map(Array.from({ length: 20_000 }, (_, at) => [printOf(one, `${at}`, ''), `${at}`]))
  for (let at = 0; ; at++) {
    const same = known.get(printOf(other, `${at}`, ''))
    if (same !== undefined) return [same, `${at}`]
  }
}

test('the key of a post in a room that one has lost shows nothing of that room, not even with a text of the same fingerprint', async (t) => {
  const { ada, bob, attic } = await start(t, 10_000)
  const [there, here] = textsWithOnePrint(attic, 'lobby')
  const message = await bob.say(attic, there, { key: 'k' })
  await ada.remove(attic, bob)
  const path = `/rooms/${attic}/messages/${message.id}`
  await ada.ask('PUT', `${path}/reactions/%F0%9F%91%80`)
  assert.equal(await bob.refused('GET', path), '404 not_found')

  const answer = bob.send('POST', '/rooms/lobby/messages', { text: here }, { 'idempotency-key': 'k' })

  assert.equal(await refusalOf(answer), '409 key_reused')
})
