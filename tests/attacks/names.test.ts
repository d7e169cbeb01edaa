// Somebody takes a name that others take for somebody else's: by characters that show nothing, by letters that look alike, by words
// that mean everybody.

import assert from 'node:assert/strict'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { after, before, test } from 'node:test'
import { readIdentity } from '../../lib/embed/host-identity.ts'
import { keyedHash } from '../../lib/store/tables/keyed-hash.ts'
import { ChatServer, cookieOf, Person, runServer, startChat, temporaryFolder } from '../chat-server.ts'

/** One place, in which some have accounts. */
const chat = new ChatServer({ flags: [] })
before(async () => {
  await chat.start()
  for (const name of ['ada', 'admin', 'BILL', 'Ian', 'mark']) await chat.account(name)
})
after(() => chat.kill())

/** How a name is refused to somebody new, by each way in. */
async function refusals(name: string): Promise<string[]> {
  return [
    await chat.stranger.refused('POST', '/session', { name }),
    await chat.stranger.refused('POST', '/users', { name, password: 'a long password' }),
    await chat.claiming(name).refused('POST', '/rooms/lobby/messages', { text: 'hello' }),
  ]
}

const thrice = (refusal: string) => [refusal, refusal, refusal]

test('a name with a character that shows nothing is refused, wherever it stands', async () => {
  const inkless = [
    '\u2800',
    '\u{1d159}',
    '\u{16fe4}',
    '\u1680',
    '\u3164',
    '\u115f',
    '\u1160',
    '\uffa0',
    '\u034f',
    '\u{e0041}',
    '\ufe0f',
    '\u{e0100}',
    '\u180b',
    '\u17b4',
    '\u200b',
    '\u200d',
    '\u2060',
    '\ufeff',
    '\u00ad',
    '\u{13441}',
    '\u{13442}',
    '\u{1bca0}',
    '\ufffc',
    '\u1039',
    '\u17d2',
    '\u2d7f',
    '\u202e',
    '\u200f',
    '\u061c',
    '\ue000',
  ]
  for (const character of inkless) {
    for (const name of [`ada${character}.`, `a${character}da`, `${character}ada`, `ada${character}`]) {
      // White space at the ends goes, as it always did.
      if (character === '\u1680' && !name.endsWith('.') && !name.startsWith('a\u1680')) continue
      if (character === '\ufeff' && !name.endsWith('.') && !name.startsWith('a\ufeff')) continue
      assert.equal(await chat.stranger.refused('POST', '/session', { name }), '400 invalid_name', JSON.stringify(name))
    }
  }
  assert.deepEqual(await refusals('ada\u2800'), thrice('400 invalid_name'))
})

test('a name with a dot on a letter that has one, or a mark that lies on another, is refused', async () => {
  for (const name of [
    'admi\u0307n',
    'admi\u0323\u0307n',
    'adm\u0456\u0307n',
    'j\u0307im',
    'i\u0358da',
    'adm\u0131\u0307n',
    '\u012f\u0307da',
    'k\u1e2d\u0307m',
    '\u{1d422}\u0307da',
    'a\u0301\u0301da',
    '\u0301ada',
    'ada \u0307',
    'ada\u05bc',
    'ada\u0e34',
  ]) {
    assert.equal(await chat.stranger.refused('POST', '/session', { name }), '400 invalid_name', JSON.stringify(name))
  }
  assert.deepEqual(await refusals('admi\u0307n'), thrice('400 invalid_name'))
})

test('a name that mixes Latin with Cyrillic or Greek is refused, and the answer says so', async () => {
  for (const name of ['\u0430da', 'ad\u03b1', '\u0410da Lovelace', 'Наташа DJ', 'Ада\u03b1']) {
    const answer = await chat.stranger.send('POST', '/session', { name })
    const { code, detail } = (await answer.json()) as { code: string; detail: string }
    assert.deepEqual([answer.status, code], [400, 'invalid_name'], name)
    assert.match(detail, /Latin, Cyrillic or Greek/)
  }
})

test('a name that looks like one in use is taken, whole scripts included', async () => {
  const alike = [
    '\u0430\u0501\u0430',
    'AD\u0251',
    '\u13aa\u13a0\u13aa',
    'adrnin',
    'adm\u0131n',
    'ADM\u0130N',
    'bi1l',
    'biIl',
    'b\u0131ll',
    'B|LL',
    '1an',
    'lan',
    'rnark',
    'Rnark',
    'ɑdɑ',
  ]
  for (const name of alike) assert.deepEqual(await refusals(name), thrice('409 name_taken'), name)
  // These look like nobody's, though each differs by little.
  for (const name of ['Lan', '\u0391\u0394\u0391', 'Ада', 'adán', 'bil', 'Marc'])
    assert.equal((await chat.comeIn(name)).name, name.normalize('NFKC'))
})

test("what is said to everybody is nobody's name, however it is written", async () => {
  const words = [
    'room',
    'ROOM',
    'Room',
    'r00m',
    'ｒｏｏｍ',
    'roorn',
    'all',
    'ALL',
    'aII',
    'a11',
    'everyone',
    'EveryOne',
    'here',
    'Here',
    'me',
    'rne',
    'natter',
    'Natter',
    'n\u0251tter',
    'u_7f3k',
  ]
  for (const name of words) assert.deepEqual(await refusals(name), thrice('400 invalid_name'), name)
  const olga = await chat.owner()
  for (const name of ['room', 'Natter'])
    assert.equal(await olga.refused('POST', '/tokens', { name }), '400 invalid_name')
  assert.equal(await olga.refused('PATCH', '/users/me', { name: 'everyone' }), '400 invalid_name')
  for (const name of ['a@b', '@ada', 'ada＠home'])
    assert.deepEqual(await refusals(name), thrice('400 invalid_name'), name)
  // A room may be called what it likes, if it can be seen.
  assert.equal(await olga.makeRoom('everyone'), 'everyone')
  assert.equal(await olga.makeRoom('Дом of Ada'), 'дом-of-ada')
  for (const name of ['attic\u2800', 'att\u034fic', 'atti\u0307c'])
    assert.equal(await olga.refused('POST', '/rooms', { name }), '400 invalid_name')
})

test('bots, renames and accepted invites are held to the same', async (t) => {
  const chat = await startChat(t)
  const olga = await chat.owner()
  const ada = await chat.account('ada')
  const gus = await chat.comeIn('gus')
  const { code } = await olga.ask<{ code: string }>('POST', '/invites', { uses: 3 })

  assert.equal(await olga.refused('POST', '/tokens', { name: '\u0430\u0501\u0430' }), '409 name_taken')
  assert.equal(await gus.refused('PATCH', '/users/me', { name: '\u0430\u0501\u0430' }), '409 name_taken')
  assert.equal(
    await gus.refused('POST', '/users', { name: '\u0430\u0501\u0430', password: 'a long password' }),
    '409 name_taken',
  )
  assert.equal(
    await chat.stranger.refused('POST', '/invites/accept', { code, name: '\u0430\u0501\u0430' }),
    '409 name_taken',
  )
  await olga.ask('POST', '/tokens', { name: 'robot' })
  assert.equal(await chat.stranger.refused('POST', '/session', { name: 'r0bot' }), '409 name_taken')
  // The same bot gets another token.
  await olga.ask('POST', '/tokens', { name: 'robot' })

  // One's own name may look as it likes; what one leaves is kept for a while, and what looks like it.
  assert.equal((await gus.ask<{ name: string }>('PATCH', '/users/me', { name: '9us' })).name, '9us')
  assert.equal((await gus.ask<{ name: string }>('PATCH', '/users/me', { name: 'Gus1' })).name, 'Gus1')
  assert.equal((await gus.ask<{ name: string }>('PATCH', '/users/me', { name: 'Gusl' })).name, 'Gusl')
  assert.equal(await chat.stranger.refused('POST', '/session', { name: 'GusI' }), '409 name_taken')
  assert.equal(await chat.stranger.refused('POST', '/session', { name: 'ɡus' }), '409 name_taken')
  assert.equal(ada.name, 'ada')
})

test('a name that was only claimed makes way for one that it looks like', async (t) => {
  const chat = await startChat(t)
  const claimed = chat.claiming('\u0430\u0501\u0430')
  await claimed.say('lobby', 'I am ada')
  assert.equal(await chat.claiming('ada').refused('POST', '/rooms/lobby/messages', { text: 'hello' }), '409 name_taken')

  const ada = await chat.comeIn('ada')

  assert.equal(await claimed.refused('POST', '/rooms/lobby/messages', { text: 'I still am' }), '409 name_taken')
  await ada.say('lobby', 'that was not me')
})

test('what is too long to be a name is nobody, in a path as well, and costs nothing', async () => {
  for (const long of ['x'.repeat(5000), '\ufdfa'.repeat(1500), `a${'\u0301'.repeat(2000)}`, 'X'.repeat(401)]) {
    const path = encodeURIComponent(long.slice(0, 1500))
    const began = performance.now()
    assert.equal(await chat.stranger.refused('POST', '/session', { name: long }), '400 invalid_name')
    assert.equal(
      await chat.stranger.refused('GET', `/users/${path}`),
      await chat.stranger.refused('GET', '/users/nobody-here'),
    )
    assert.equal(
      await chat.stranger.refused('GET', `/rooms/${path}`),
      await chat.stranger.refused('GET', '/rooms/nowhere'),
    )
    assert.ok(performance.now() - began < 1000)
  }
})

test("of another server's people nothing is shown that can't be seen, and their names may be alike", () => {
  for (const [name, shown] of [
    ['ada\u2800', 'ada'],
    ['a\u{1d159}da', 'ada'],
    ['ada\u{16fe4}', 'ada'],
    ['ada\u1680', 'ada'],
    ['\u3164\u115f', '42'],
    ['\u0301ada', 'ada'],
    ['ad\u1039a', 'ada'],
    ['\u0430da', '\u0430da'],
    ['room', 'room'],
    ['a@b', 'a@b'],
  ] as const) {
    assert.equal(readIdentity({ id: '42', name }).name, shown, JSON.stringify(name))
  }
})

/** Makes a folder one that the version before this wrote, in which these people have these names. */
function makeOlder(folder: string, names: Record<string, string>): void {
  const file = new DatabaseSync(join(folder, 'natter.db'))
  const { secret } = file.prepare('select secret from log').get() as { secret: string }
  for (const [before, after] of Object.entries(names)) {
    const hashes = [before, after].map((name) => keyedHash(secret, name)) as [string, string]
    file.prepare('update bodies set name = ? where name = ?').run(after, before)
    file.prepare('update names set hash = ? where hash = ?').run(hashes[1], hashes[0])
    file.prepare('update users set folded = ? where folded = ?').run(hashes[1], hashes[0])
    file
      .prepare("update events set facts = json_set(facts, '$.folded', ?) where facts ->> '$.folded' = ?")
      .run(hashes[1], hashes[0])
  }
  file.exec(`
    drop index open_rooms;
    drop index rooms_of_many;
    drop index open_sessions;
    drop index open_invites;
    drop index open_invites_by_maker;
    drop index open_tokens;
    drop index shadows_by_adder;
    drop index emojis_in_use;
    drop index reactions_in_order;
    alter table emojis drop column count;
    alter table emojis drop column since;
    drop table looks;
    update events set rules = 3, facts = json_remove(facts, '$.looks');
    pragma user_version = 8`)
  file.close()
}

test('names that are there stay: they log in, are found and mentioned, and others that look like them are taken', async (t) => {
  const data = await temporaryFolder(t)
  const chat = await startChat(t, { data })
  const bob = await chat.account('bob')
  await chat.account('ada')
  await chat.account('second', 'the password of the second')
  await chat.account('third', 'the password of the third')
  const guest = await chat.comeIn('fourth')
  await chat.stop()
  makeOlder(data, { second: '\u0430da', third: 'room', fourth: 'a@b\u2800' })

  await chat.start()

  const second = await chat.logIn('\u0430da', 'the password of the second')
  const third = await chat.logIn('room', 'the password of the third')
  assert.deepEqual([second.name, third.name], ['\u0430da', 'room'])
  assert.equal((await bob.read<{ id: string }>(`/users/${encodeURIComponent('\u0430da')}`)).id, second.id)
  const { mentions } = await bob.ask<{ mentions?: { id: string }[] }>('POST', '/rooms/lobby/messages', {
    text: 'hello @\u0430da',
  })
  assert.equal(mentions?.length, 1)
  for (const name of ['\u0430\u0501\u0430', 'ɑda', 'b0b'])
    assert.equal(await chat.stranger.refused('POST', '/session', { name }), '409 name_taken', name)
  assert.equal(await third.refused('PATCH', '/users/me', { name: 'all' }), '400 invalid_name')
  assert.equal((await third.ask<{ name: string }>('PATCH', '/users/me', { name: 'room' })).name, 'room')

  // A guest makes an account of what they are.
  const made = await guest.send('POST', '/users', { name: 'a@b\u2800', password: 'a long password' })
  assert.equal(made.status, 201, await made.clone().text())
  assert.equal(
    (await new Person(chat, { cookie: cookieOf(made) }).read<{ user: { name: string } }>('/session')).user.name,
    'a@b\u2800',
  )
  await chat.stop()
  const { code, err } = await runServer(['check', '--data', data])
  assert.deepEqual([code, err], [0, ''])
})
