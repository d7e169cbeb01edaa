// Searching, from outside. NATTER_FULL=1 searches a million messages, and says how long that takes.

import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { test } from 'node:test'
import type { SearchResult } from '../../lib/chat/talk/search.ts'
import { fillFolder } from '../audit/filled-folder.ts'
import { patienceMs, Person, startChat, temporaryFolder, type ChatServer } from '../chat-server.ts'
import { property } from '../random.ts'

const own = { 'sec-fetch-site': 'same-origin' }

function search(person: Person, options: Record<string, string>): Promise<SearchResult> {
  return person.read(`/search?${new URLSearchParams(options)}`)
}

async function found(person: Person, q: string, options: Record<string, string> = {}): Promise<string[]> {
  return (await search(person, { q, ...options })).messages.map(({ text }) => text)
}

async function asOwner(chat: ChatServer): Promise<Person> {
  const [, code] = chat.ownerLink.split('#')
  const answer = await chat.stranger.send('POST', '/invites/accept', { code, name: 'olga', password: 'correct horse' })
  assert.equal(answer.status, 201)
  return new Person(chat, { cookie: answer.headers.getSetCookie()[0]!.split(';')[0]!, ...own })
}

async function makePrivate(person: Person, name: string): Promise<string> {
  const answer = await person.send('POST', '/rooms', { name, kind: 'private' })
  assert.equal(answer.status, 201)
  return ((await answer.json()) as { id: string }).id
}

test('what was said is found by its words, newest first, with the places where they stand', async (t) => {
  const chat = await startChat(t)
  const ada = await chat.comeIn('ada')
  await ada.say('lobby', 'Hello wörld, hello')
  await ada.say('lobby', '我在北京大学 today')
  await ada.say('lobby', 'hello again')

  const { messages, marks, more } = await search(chat.stranger, { q: 'hel' })

  assert.deepEqual(
    messages.map(({ text }) => text),
    ['hello again', 'Hello wörld, hello'],
  )
  assert.deepEqual(
    messages.map(({ id }) => marks[id]),
    [
      [[0, 5]],
      [
        [0, 5],
        [13, 18],
      ],
    ],
  )
  assert.equal(more, false)
  assert.deepEqual(await ada.read(`/rooms/lobby/messages/${messages[0]!.id}`), messages[0])
  assert.deepEqual(await found(ada, 'WORLD'), ['Hello wörld, hello'])
  assert.deepEqual(await found(ada, '"again hello"'), [])
  assert.deepEqual(await found(ada, '"hello again"'), ['hello again'])
  assert.deepEqual(await found(ada, 'hello nowhere'), [])
  for (const q of ['京', '北京', 'today 北京大学']) assert.deepEqual(await found(ada, q), ['我在北京大学 today'], q)
  for (const q of ['京北', '北大', '🙂', '"', 'place:open']) assert.deepEqual(await found(ada, q), [], q)
  const chinese = await search(ada, { q: '北京' })
  assert.deepEqual(Object.values(chinese.marks), [[[2, 4]]])
})

test('it can be narrowed down to a room, a person and a time, and gone on with', async (t) => {
  const chat = await startChat(t)
  const ada = await chat.comeIn('ada')
  const bob = await chat.comeIn('bob')
  await ada.makeRoom('attic')
  const said = []
  for (const [person, room] of [
    [ada, 'lobby'],
    [bob, 'lobby'],
    [ada, 'attic'],
    [bob, 'attic'],
  ] as const)
    said.push(await person.say(room, `word ${said.length}`))

  assert.deepEqual(await found(bob, 'word', { room: 'attic' }), ['word 3', 'word 2'])
  assert.deepEqual(await found(bob, 'word', { from: 'ada' }), ['word 2', 'word 0'])
  assert.deepEqual(await found(bob, 'word', { from: said[1]!.from.id, room: 'lobby' }), ['word 1'])
  assert.deepEqual(await found(bob, 'word', { from: 'me', room: 'attic' }), ['word 3'])
  assert.deepEqual(await found(bob, '', { from: 'me' }), ['word 3', 'word 1'])
  assert.deepEqual(await found(bob, 'word', { after: said[0]!.id, before: said[3]!.id }), ['word 2', 'word 1'])
  assert.deepEqual(await found(bob, 'word', { before: '1h' }), [])
  assert.equal((await found(bob, 'word', { after: '1h' })).length, 4)
  assert.deepEqual(await found(bob, 'word', { after: '2100-01-01' }), [])
  const first = await search(bob, { q: 'word', limit: '3' })
  assert.deepEqual([first.messages.length, first.more, first.before], [3, true, said[1]!.id])
  assert.deepEqual(await search(bob, { q: 'word', limit: '3', before: first.before! }), {
    messages: [said[0]],
    marks: { [said[0]!.id]: [[0, 4]] },
    more: false,
  })
  for (const [options, status] of [
    [{ room: 'nowhere' }, 404],
    [{ from: 'nobody' }, 404],
    [{ before: 'soon' }, 400],
    [{ limit: '0' }, 400],
  ] as const) {
    assert.equal((await bob.fetch(`/search?${new URLSearchParams({ q: 'word', ...options })}`)).status, status)
  }
})

test('nobody finds what they may not see', async (t) => {
  const chat = await startChat(t)
  const ada = await chat.comeIn('ada')
  const bob = await chat.comeIn('bob')
  const eve = await chat.comeIn('eve')
  const attic = await makePrivate(ada, 'attic')
  const path = `/rooms/${attic}/members/bob`
  await ada.send('PUT', path, {})
  const direct = (await (await ada.send('POST', '/direct', { user: 'bob' })).json()) as { id: string }
  await ada.say('lobby', 'secret in the open')
  await ada.say(attic, 'secret in the attic')
  await bob.say(direct.id, 'secret of two')
  const all = ['secret of two', 'secret in the attic', 'secret in the open']

  assert.deepEqual(await found(ada, 'secret'), all)
  assert.deepEqual(await found(bob, 'secret'), all)
  for (const other of [eve, chat.stranger, chat.claiming('mallory')]) {
    assert.deepEqual(await search(other, { q: 'attic' }), { messages: [], marks: {}, more: false })
    assert.deepEqual(await found(other, 'secret'), ['secret in the open'])
    assert.deepEqual(await found(other, '', { from: 'ada' }), ['secret in the open'])
    for (const room of [attic, direct.id])
      assert.equal((await other.fetch(`/search?q=secret&room=${room}`)).status, 404)
  }
  await ada.send('DELETE', path, {})
  assert.deepEqual(await found(bob, 'secret'), ['secret of two', 'secret in the open'])
  assert.equal((await bob.fetch(`/search?q=secret&room=${attic}`)).status, 404)
})

test('a token finds what it is for, and who is banned or was not invited finds nothing', async (t) => {
  const chat = await startChat(t)
  const olga = await asOwner(chat)
  const ada = await chat.comeIn('ada')
  await ada.makeRoom('attic')
  await ada.say('lobby', 'a word in the lobby')
  await ada.say('attic', 'a word in the attic')
  const bot = async (name: string, options: object) => {
    const answer = await olga.send('POST', '/tokens', { name, ...options })
    assert.equal(answer.status, 201, await answer.clone().text())
    return new Person(chat, { authorization: `Bearer ${((await answer.json()) as { token: string }).token}` })
  }

  assert.deepEqual(await found(await bot('finder', {}), 'word'), ['a word in the attic', 'a word in the lobby'])
  assert.deepEqual(await found(await bot('one', { rooms: ['attic'] }), 'word'), ['a word in the attic'])
  assert.equal((await (await bot('one', { rooms: ['attic'] })).fetch('/search?q=word&room=lobby')).status, 404)
  assert.equal((await (await bot('writer', { scopes: ['write'] })).fetch('/search?q=word')).status, 403)
  assert.equal((await olga.send('PATCH', '/users/ada', { banned: true })).status, 200)
  assert.equal((await ada.fetch('/search?q=word')).status, 403)
  const closed = await startChat(t, { flags: ['--access', 'invite'] })
  assert.equal((await closed.fetch('/search?q=word')).status, 401)
  assert.deepEqual(await found(await asOwner(closed), 'word'), [])
})

test('what is deleted is not found any more', async (t) => {
  const chat = await startChat(t)
  const ada = await chat.comeIn('ada')
  const gone = await ada.say('lobby', 'a word regretted')
  await ada.say('lobby', 'a word kept')
  assert.equal((await found(ada, 'word')).length, 2)

  await ada.fetch(`/rooms/lobby/messages/${gone.id}`, { method: 'DELETE', headers: own })

  for (const q of ['word', '']) assert.deepEqual(await found(chat.stranger, q), ['a word kept'])
  assert.deepEqual(await found(chat.stranger, 'regretted'), [])
})

property('any string can be searched for', async (random, t) => {
  const chat = await startChat(t)
  const ada = await chat.comeIn('ada')
  await ada.say('lobby', 'hello 北京')
  const pieces = [
    'hello',
    '北',
    '"',
    '*',
    'NEAR(',
    'place : open',
    'AND',
    '{',
    '\0',
    '🙂',
    '%',
    "'",
    ' ',
    '-',
    '^',
    'text:',
    '\ud800',
    ')',
  ]
  const strings = [
    ...pieces,
    'a '.repeat(5000),
    '"' + '京 '.repeat(1000),
    '"'.repeat(3000),
    '('.repeat(3000),
    'x'.repeat(10_000),
    'ab* '.repeat(2500),
  ]
  strings.push(...Array.from({ length: 200 }, () => random.times(8, () => random.pick(pieces)).join('')))

  for (const q of strings) {
    const { status } = await ada.fetch(`/search?${new URLSearchParams({ q })}`)
    assert.equal(status, 200, JSON.stringify(q.slice(0, 100)))
  }
  for (const raw of ['%00', '%ff%fe', '%', '+', '%ed%a0%80', '&q=hello'])
    assert.equal((await ada.fetch(`/search?q=${raw}`)).status, 200, raw)
  assert.equal(chat.errors, '')
})

test('who searches much waits for their own, and not others', async (t) => {
  const chat = await startChat(t)
  const ada = await chat.comeIn('ada')
  await ada.say('lobby', 'hello')

  const answers = await Promise.all(Array.from({ length: 200 }, () => ada.fetch('/search?q=hello')))
  const statuses = answers.map(({ status }) => status)

  assert.ok(statuses.filter((status) => status === 200).length >= 10)
  assert.deepEqual(
    [...new Set(statuses)].filter((status) => status !== 200 && status !== 429),
    [],
  )
  assert.deepEqual(await found(chat.stranger, 'hello'), ['hello'])
})

test('the search lets go of the files when the server stops', async (t) => {
  const data = await temporaryFolder(t)
  const chat = await startChat(t, { data })
  await (await chat.comeIn('ada')).say('lobby', 'hello')
  assert.deepEqual(await found(chat.stranger, 'hello'), ['hello'])

  assert.equal(await chat.stop(), 0)

  assert.deepEqual(readdirSync(data).sort(), ['natter.db', 'natter.lock'])
  assert.doesNotMatch(chat.errors, /incident/)
})

const figures = `data:text/javascript,${encodeURIComponent(`
  import { monitorEventLoopDelay } from 'node:perf_hooks'
  import { isMainThread } from 'node:worker_threads'
  if (isMainThread) {
    const delay = monitorEventLoopDelay({ resolution: 1 })
    delay.enable()
    process.on('SIGUSR2', () => { process.stderr.write('stall ' + delay.percentile(99) / 1e6 + '\\n'); delay.reset() })
  }`)}`

const full = process.env['NATTER_FULL'] !== undefined

test(`${full ? 'a million' : 'twenty thousand'} messages are searched and paged through in no time`, {
  timeout: 600_000,
}, async (t) => {
  const count = full ? 1_000_000 : 20_000
  const data = await temporaryFolder(t)
  const common = '的一是不了人我在有他这为之大来以个中上们'
  // Every other message is Chinese; `odd` and `even` are in half a million each, and in none together.
  await fillFolder(
    data,
    count,
    () => {},
    (message) => {
      const number = (message * 7919) % 50_021
      if (message % 2 === 1)
        return `message ${message} odd of eve, who says what she thinks of word${number} and the rest`
      return `${common[message % 20]}${common[(message * 3) % 19]}说${String.fromCharCode(0x4e00 + (number % 5000))}${String.fromCharCode(0x4e00 + (message % 4999))} even`
    },
  )
  const chat = await startChat(t, { data, execArgv: ['--import', figures] })
  const everyLetter = Array.from({ length: 26 }, (_, at) => String.fromCharCode(97 + at))
  const usual: Record<string, string[]> = {
    'common words': ['message', 'thinks', 'of', 'who says what'],
    'rare words': ['word17', 'word50020', 'word31337', 'nowhere', 'message wordx'],
    'common characters': ['的', '说', '我', '人在'],
    'rare characters': ['丄丅', '亀', '弌说', '說不'],
    prefixes: ['wor', 'word', 'mes', 'tho', 'word1'],
    'phrases that were said': [
      '"says what she"',
      '"thinks of word17"',
      '"odd of eve"',
      '"word31337 and the rest"',
      '"的的说"',
    ],
    'many words': [
      'message odd of eve who says what she thinks of and the rest '.repeat(3),
      everyLetter.join(' '),
      `${everyLetter.join('aa ')}aa`,
    ],
  }
  // All of the index is looked through for what is in every second message and never together: that is what the limit in time is for.
  const hard: Record<string, string[]> = {
    'phrases never said': ['"she says"', '"message of"', '"of who eve"'],
    'never together': ['odd even', '"odd even"', 'message even', '说 odd', '"the message"'],
  }
  const stall = async () => {
    const before = chat.errors.length
    chat.signal('SIGUSR2')
    while (!/stall (.*)\n/.test(chat.errors.slice(before))) await new Promise((resolve) => setTimeout(resolve, 10))
    return Number(/stall (.*)\n/.exec(chat.errors.slice(before))![1])
  }
  await found(chat.stranger, 'hello')
  await stall()
  const at = (times: number[], part: number) =>
    times.sort((one, other) => one - other)[Math.floor(times.length * part)]!.toFixed(1)
  const measure = async (kinds: Record<string, string[]>) => {
    const all: number[] = []
    for (const [kind, queries] of Object.entries(kinds)) {
      const times: number[] = []
      let cut = 0
      for (let round = 0; round < (full ? 100 : 5); round++) {
        const q = queries[round % queries.length]!
        const began = performance.now()
        const { messages, more } = await search(chat.stranger, { q })
        times.push(performance.now() - began)
        if (more && messages.length < 20) cut++
      }
      all.push(...times)
      t.diagnostic(`${kind}: p50 ${at(times, 0.5)} ms, p99 ${at(times, 0.99)} ms, ${cut} of 100 cut off`)
    }
    return Number(at(all, 0.99))
  }
  const p99 = { usual: await measure(usual), hard: await measure(hard) }

  // History from anywhere, and the list of rooms with what is unread, of somebody who has it all before them.
  const ada = await chat.comeIn('ada')
  await ada.say('lobby', 'so much')
  const anyId = () => String(1_700_000_000_000_002 + Math.floor(Math.random() * count) * 1_000_000)
  const reads: Record<string, () => string> = {
    'a page before': () => `/rooms/lobby/messages?limit=200&before=${anyId()}`,
    'a page around': () => `/rooms/lobby/messages?around=${anyId()}`,
    'the rooms': () => '/rooms',
  }
  for (const [kind, path] of Object.entries(reads)) {
    const times: number[] = []
    for (let round = 0; round < (full ? 200 : 5); round++) {
      const began = performance.now()
      await ada.read(path())
      times.push(performance.now() - began)
    }
    t.diagnostic(`${kind}: p50 ${at(times, 0.5)} ms, p99 ${at(times, 0.99)} ms`)
  }

  const stalled = await stall()
  t.diagnostic(`p99: ${p99.usual} ms, for what is never together ${p99.hard} ms; event loop ${stalled.toFixed(1)} ms`)
  // A few on a busy machine tell of that machine.
  if (full) assert.ok(p99.usual < 20 && p99.hard < 20 && stalled < 10)
})

test('a long history is searched part by part, without a gap or a repeat', { timeout: patienceMs * 3 }, async (t) => {
  const data = await temporaryFolder(t)
  await fillFolder(
    data,
    3000,
    () => {},
    (message) => `number${message} ${message % 100 === 0 ? 'hundred ' : ''}${'lorem ipsum '.repeat(320)}`,
  )
  const chat = await startChat(t, { data })

  for (const message of [0, 999, 1500, 2999])
    assert.equal((await found(chat.stranger, `number${message}`)).length, 1, `${message}`)
  const texts: string[] = []
  for (let before: string | undefined; ; ) {
    const page = await search(chat.stranger, { q: 'hundred', limit: '7', ...(before && { before }) })
    texts.push(...page.messages.map(({ text }) => text.split(' ')[0]!))
    before = page.before
    assert.equal(page.more, before !== undefined)
    if (!page.more) break
  }
  assert.deepEqual(
    texts,
    Array.from({ length: 30 }, (_, at) => `number${(29 - at) * 100}`),
  )
})

test('the threads that search and hash give way to the rest of the process', {
  skip: process.platform !== 'linux' && 'a thread has a priority of its own on Linux alone',
}, async (t) => {
  const chat = await startChat(t)
  await (await chat.account('ada')).say('lobby', 'hello')
  await chat.fetch('/search?q=hello')

  const tasks = readdirSync(`/proc/${chat.pid}/task`).map((task) => {
    const stat = readFileSync(`/proc/${chat.pid}/task/${task}/stat`, 'utf8')
    // After the name, which is in brackets: the nineteenth of all fields is how much it gives way.
    return { name: /\((.*)\)/.exec(stat)![1]!, gives: Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[16]) }
  })
  const own = tasks[0]!.gives
  const lowered = tasks.filter(({ gives }) => gives === Math.min(19, own + 10)).map(({ name }) => name)

  // Linux keeps the first fifteen characters of a name.
  assert.deepEqual(lowered.sort(), ['thread that has', 'thread that sea'])
})
