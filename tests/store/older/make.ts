// Made the files beside it: a data folder as the natter of format 4 wrote it, and what that natter answered about it. It was run
// with a checkout of that version, and is kept to say how they came to be:
//
//     node tests/store/older/make.ts PATH-OF-THE-CHECKOUT

import { spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { brotliCompressSync } from 'node:zlib'

const root = process.argv[2]!
const data = mkdtempSync(join(tmpdir(), 'natter-older-'))
const child = spawn(
  process.execPath,
  [join(root, 'server.ts'), '--port', '0', '--data', data, '--posts-per-second', '0'],
  { stdio: ['ignore', 'pipe', 'inherit'] },
)
let printed = ''
const url = await new Promise<string>((resolve) => {
  child.stdout.on('data', (chunk) => {
    printed += chunk
    const [, url] = /listening on (\S+)\n[^]*\/join#\S+\n/.exec(printed) ?? []
    if (url) resolve(url)
  })
})

type Headers = Record<string, string>
type Json = Record<string, unknown>

async function ask(who: Headers, method: string, path: string, body?: object, more: Headers = {}): Promise<Json> {
  const answer = await fetch(url + path, {
    method,
    headers: { 'content-type': 'application/json', 'sec-fetch-site': 'same-origin', ...who, ...more },
    ...(body && { body: JSON.stringify(body) }),
  })
  const text = await answer.text()
  if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${text}`)
  const [cookie = ''] = answer.headers.getSetCookie()
  return { ...(text && JSON.parse(text)), ...(cookie && { who: { cookie: cookie.split(';')[0]! } }) } as Json
}

const password = (name: string) => `the password of ${name}`
const account = async (name: string) =>
  (await ask({}, 'POST', '/users', { name, password: password(name) }))['who'] as Headers
const say = async (who: Headers, room: string, text: string, more: object = {}, headers: Headers = {}) =>
  (await ask(who, 'POST', `/rooms/${room}/messages`, { text, ...more }, headers))['id'] as string
const at = (room: string, id: string) => `/rooms/${room}/messages/${id}`

const olga = (
  await ask({}, 'POST', '/invites/accept', {
    code: /\/join#(\S+)/.exec(printed)![1]!,
    name: 'olga',
    password: password('olga'),
  })
)['who'] as Headers
const ada = await account('Formerada')
const bob = await account('bob')
const gus = (await ask({}, 'POST', '/session', { name: 'formergus' }))['who'] as Headers
const claimed = { authorization: `Basic ${btoa('claimed:')}` }

// Rooms, and their names and topics before.
const kitchen = (await ask(ada, 'POST', '/rooms', { name: 'Formerkitchen', topic: 'formertopic of the kitchen' }))[
  'id'
] as string
await ask(ada, 'PATCH', `/rooms/${kitchen}`, { topic: 'another formertopic' })
await ask(ada, 'PATCH', `/rooms/${kitchen}`, { name: 'Kitchen' })
await ask(ada, 'PATCH', `/rooms/${kitchen}`, { topic: 'what there is to eat' })
const attic = (await ask(ada, 'POST', '/rooms', { name: 'attic', kind: 'private', topic: 'quiet' }))['id'] as string
const cellar = (await ask(bob, 'POST', '/rooms', { name: 'cellar', topic: 'formertopic of the cellar' }))[
  'id'
] as string
await ask(bob, 'PATCH', `/rooms/${cellar}`, { topic: '' })
await ask(bob, 'DELETE', `/rooms/${cellar}`)
const direct = (await ask(bob, 'POST', '/direct', { user: 'Formerada' }))['id'] as string

// Who comes, goes and is made something.
const invite = await ask(ada, 'POST', '/invites', { room: attic, uses: 3 })
await ask(gus, 'POST', '/invites/accept', { code: invite['code'] })
await ask(ada, 'PUT', `/rooms/${attic}/members/bob`)
await ask(olga, 'PATCH', '/users/Formerada', { role: 'admin' })
const { token } = await ask(olga, 'POST', '/tokens', { name: 'robot', scopes: ['read', 'write'] })
const bot = { authorization: `Bearer ${token}` }
const over = await ask(olga, 'POST', '/tokens', { name: 'robot', scopes: ['read'] })
await ask(olga, 'DELETE', `/tokens/${over['id']}`)

// What is said, changed and taken back.
const plain = await say(ada, 'lobby', 'said under a name of then')
await say(bob, 'lobby', 'ping @Formerada and @room')
const edited = await say(ada, 'lobby', 'formertext for @bob')
await ask(ada, 'PATCH', at('lobby', edited), { text: 'formertext again, for @room' })
await ask(ada, 'PATCH', at('lobby', edited), { text: 'a text for @olga' })
const gone = await say(ada, 'lobby', 'formertext that went, for @bob', {}, { 'idempotency-key': 'key-of-gone' })
for (const who of [bob, olga]) await ask(who, 'PUT', `${at('lobby', gone)}/reactions/🦀`)
await ask(olga, 'DELETE', `${at('lobby', gone)}/reactions/🦀`)
await ask(olga, 'PUT', `${at('lobby', gone)}/reactions/🪰`)
await say(bob, 'lobby', 'an answer', { replyTo: gone })
await ask(ada, 'PATCH', at('lobby', gone), { text: 'formertext that was changed first, for @room' })
await ask(ada, 'DELETE', at('lobby', gone))
for (const [who, emoji] of [
  [ada, '👍'],
  [bob, '🎉'],
  [olga, '🎉'],
  [bob, '👍'],
  [olga, '🐌'],
] as const)
  await ask(who, 'PUT', `${at('lobby', plain)}/reactions/${emoji}`)
for (const [who, emoji] of [
  [ada, '👍'],
  [olga, '🐌'],
] as const)
  await ask(who, 'DELETE', `${at('lobby', plain)}/reactions/${emoji}`)
await ask(ada, 'PUT', `${at('lobby', plain)}/reactions/👍`)
await say(gus, attic, 'said in private, @bob')
await say(ada, direct, 'between us')
await say(bot, kitchen, 'beep')
await fetch(`${url}/rooms/lobby/messages`, { method: 'POST', headers: claimed, body: 'anybody could say so' })

// Other names, other passwords, and who may be here no more.
await ask(ada, 'PATCH', '/users/me', { name: 'Countess' })
await ask(gus, 'POST', '/users', { name: 'Gustav', password: password('Gustav') })
await ask(ada, 'PATCH', '/users/me', { password: password('Countess'), current: password('Formerada') })
await ask(bob, 'DELETE', `/rooms/${attic}/members/me`)
const eve = await account('eve')
await say(eve, 'lobby', 'said before a ban')
await ask(olga, 'PATCH', '/users/eve', { banned: true })
const last = await say(ada, 'lobby', 'said under another name')
await ask(bob, 'PUT', '/rooms/lobby/read', { id: plain })

const answers = async (who: Headers, rooms: string[]) => ({
  users: (await ask(who, 'GET', '/users'))['users'],
  rooms: (await ask(who, 'GET', '/rooms'))['rooms'],
  messages: Object.fromEntries(
    await Promise.all(
      rooms.map(async (room) => [room, (await ask(who, 'GET', `/rooms/${room}/messages`))['messages']]),
    ),
  ),
  members: Object.fromEntries(
    await Promise.all(rooms.map(async (room) => [room, (await ask(who, 'GET', `/rooms/${room}/members`))['members']])),
  ),
})
const told = {
  ids: { kitchen, attic, cellar, direct, plain, edited, gone, last },
  token,
  code: invite['code'],
  countess: await answers(ada, ['lobby', kitchen, attic, cellar, direct]),
  bob: await answers(bob, ['lobby', kitchen, cellar, direct]),
}
child.kill('SIGTERM')
await new Promise((resolve) => child.on('exit', resolve))

// People whom another server knows.
const { createChat } = (await import(join(root, 'lib/index.ts'))) as typeof import('../../../lib/index.ts')
const chat = await createChat({ data, identify: () => null, log: () => {} })
await chat.post({ id: 'outside-1', name: 'Formerhost' }, 'lobby', { text: 'said from outside' })
await chat.post({ id: 'outside-1', name: 'Hosta' }, 'lobby', { text: 'said from outside again' })
await chat.close()

writeFileSync(new URL('format-4.db.br', import.meta.url), brotliCompressSync(readFileSync(join(data, 'natter.db'))))
writeFileSync(new URL('format-4.json', import.meta.url), `${JSON.stringify(told, null, 1)}\n`)
