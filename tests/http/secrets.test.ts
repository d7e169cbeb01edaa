// What proves who somebody is stays between them and the server: it is in no log, on no stream, in no answer but the one
// that gives it, and on disk as a hash only.

import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'
import { routes } from '../../lib/http/routes.ts'
import { Person, startChat, temporaryFolder } from '../chat-server.ts'

const sha256 = (secret: string) => createHash('sha256').update(secret).digest('base64url')
const secretOf = ({ headers }: Person) =>
  (headers['cookie'] ?? headers['authorization'] ?? '').replace(/^natter-\w+=|^Bearer (natter_)?/, '')

/** All bytes of a folder's files. */
function bytesIn(folder: string): Buffer {
  return Buffer.concat(
    readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => readFileSync(join(entry.parentPath, entry.name))),
  )
}

/** The hashes of passwords, as they are kept. */
function passwordHashes(folder: string): string[] {
  const database = new DatabaseSync(join(folder, 'natter.db'), { readOnly: true })
  try {
    return (database.prepare("select text from bodies where text like 'scrypt%'").all() as { text: string }[]).map(
      ({ text }) => text,
    )
  } finally {
    database.close()
  }
}

test('of a busy story no secret is in a log, on a stream, in an answer to a GET, or on disk', async (t) => {
  const data = await temporaryFolder(t)
  const chat = await startChat(t, { data })
  const passwords = ['olga', 'ada', 'bob', 'guest', 'newer', 'wrong', 'short one'].map(
    (name) => `Pass wörd of ${name} 9f31`,
  )
  const [ofOlga, ofAda, ofBob, ofGuest, newer, wrong] = passwords as [string, string, string, string, string, string]
  const codes = [chat.ownerCode!]
  const people: Person[] = []
  const tokens: string[] = []

  const olga = await chat.byInvite(chat.ownerCode!, 'olga', ofOlga)
  const streams = await Promise.all(
    ['/events', '/events?since=all', '/events?mine', '/rooms/lobby/messages'].map((path) => olga.listen({ path })),
  )
  const list = await olga.listen({ path: '/rooms' })
  const ada = await chat.account('ada', ofAda)
  const bob = await chat.account('bob', ofBob)
  const guest = await chat.comeIn('guest')
  people.push(olga, ada, bob, guest, await chat.logIn('ada', ofAda), await chat.comeIn('gone'))
  await people.at(-1)!.logOut()
  await olga.giveRole(ada, 'admin')
  const attic = await ada.makeRoom('attic', { kind: 'private' })
  for (const invite of [{ room: attic, uses: 3 }, { role: 'member' }, { expires: '1s' }])
    codes.push((await ada.invite(invite)).code)
  await bob.accept(codes[1]!)
  await bob.refused('POST', '/invites/accept', { code: codes[1] })
  people.push(await chat.byInvite(codes[1]!, 'invited'))
  await chat.stranger.refused('POST', '/invites/accept', { code: codes[2], name: 'x' })
  people.push(new Person(chat, { cookie: `${ada.headers['cookie']!.split('=')[0]}=${'Z'.repeat(43)}` }))
  for (const asked of [
    { name: 'robot' },
    { name: 'bound', rooms: ['lobby', attic] },
    { name: 'robot', scopes: ['read'] },
  ]) {
    const bot = await ada.makeBot(asked)
    people.push(bot)
    tokens.push(bot.headers['authorization']!.slice('Bearer '.length))
  }
  await chat.withToken(tokens[0]!).say('lobby', 'beep')
  await chat.withPassword('ada', ofAda).say('lobby', 'by password')
  for (const name of ['ada', 'nobody']) {
    assert.equal((await chat.stranger.send('POST', '/session', { name, password: wrong })).status, 401)
    assert.equal((await chat.withPassword(name, wrong).fetch('/rooms')).status, 401)
  }
  await guest.ask('POST', '/users', { name: 'guest', password: ofGuest })
  // What is asked in a wrong way.
  for (const secret of [...passwords, ...tokens, ...codes]) {
    await chat.stranger.refused('GET', `/rooms?token=${encodeURIComponent(secret)}`)
    await chat.stranger.refused('GET', `/rooms/${encodeURIComponent(secret)}`)
    await chat.stranger.refused('POST', '/session', `{"name":"ada","password":"${secret}"`)
    await chat.stranger.refused('POST', '/session', { name: 'ada', passwort: secret })
    await chat.fetch('/rooms', { headers: { authorization: `Bearer ${secret.replaceAll(/[^\w]/g, '')}` } })
    await chat
      .fetch('/rooms', {
        headers: {
          authorization: `Nonsense ${secret.replaceAll(/[^\w]/g, '')}`,
          cookie: `natter=${secret.slice(0, 43)}`,
        },
      })
      .catch(() => {})
  }
  const before = passwordHashes(data)
  assert.equal(before.length, 4)
  await ada.ask('PATCH', '/users/me', { password: newer, current: ofAda })
  await olga.ban(bob)
  await ada.ask('DELETE', '/sessions')
  people.push(await chat.logIn('ada', newer))
  const hashes = passwordHashes(data)
  const gone = before.filter((hash) => !hashes.includes(hash))
  const { id: last } = await olga.say('lobby', 'the end')

  const plain = [
    ...passwords,
    ...codes,
    ...tokens.map((token) => token.slice('natter_'.length)),
    ...people.map(secretOf).filter((secret) => !secret.startsWith('Z')),
  ]
  assert.ok(plain.length > 20 && plain.every((secret) => secret.length > 15))
  const kept = [...plain.map(sha256), ...before, ...hashes].flatMap((hash) => [
    hash,
    ...hash.split('$').filter((part) => part.length > 20),
  ])
  const forbidden = [...plain, ...kept]
  const clean = (text: string, where: string) => {
    for (const secret of forbidden)
      assert.ok(!text.includes(secret) && !text.includes(encodeURIComponent(secret)), `${where} has ${secret}`)
  }

  for (const person of [
    olga,
    ada,
    bob,
    guest,
    ...people,
    chat.withToken(tokens[0]!),
    chat.withToken(tokens[1]!),
    chat.stranger,
    chat.claiming('una'),
  ]) {
    for (const { method, path } of routes) {
      if (method !== 'GET') continue
      const ids = path.includes(':message') ? [last] : ['']
      for (const room of ['lobby', attic]) {
        for (const user of ['ada', 'bob', 'robot', 'me']) {
          const target = path.replace(':room', room).replace(':user', user).replace(':message', ids[0]!)
          const answer = await person.fetch(target, { headers: { accept: 'application/json' } })
          if (path === '/events') {
            await answer.body?.cancel()
            continue
          }
          clean(
            JSON.stringify([...answer.headers]) + (await answer.text()),
            `${target} to ${JSON.stringify(person.headers)}`,
          )
        }
      }
    }
  }
  streams.push(await olga.listen({ path: '/events?since=all' }))
  for (const stream of streams) {
    while ((await stream.next('message')).id !== last) continue
    clean(stream.bytes.toString(), 'a stream')
  }
  clean(list.bytes.toString(), 'the list of rooms')

  const onDisk = (when: string) => {
    const bytes = bytesIn(data)
    for (const secret of plain)
      for (const form of [secret, Buffer.from(secret, 'utf16le'), Buffer.from(secret).toString('base64')])
        assert.ok(!bytes.includes(form), `${when} ${secret} is on disk`)
    // The premise: these are where they belong. A password that was changed leaves nothing.
    for (const token of tokens) assert.ok(bytes.includes(sha256(token)), `${when} no hash of a token is on disk`)
    assert.ok(bytes.includes(hashes[0]!))
    assert.equal(gone.length, 1)
    assert.ok(!bytes.includes(gone[0]!.split('$').at(-1)!), `${when} the hash of a former password is on disk`)
  }
  onDisk('running')
  await chat.kill()
  onDisk('killed')
  await chat.start()
  assert.equal((await chat.logIn('ada', newer)).name, 'ada')
  await chat.stop()
  onDisk('stopped')
  clean(chat.errors, 'the log')
})
