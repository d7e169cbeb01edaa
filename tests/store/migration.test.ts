// A folder that an older natter wrote, opened by this one: all of it is there, and it is what the log adds up to.

import assert from 'node:assert/strict'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'
import { hashOf } from '../../lib/chat/people.ts'
import { applicationId, migrations } from '../../lib/store/schema.ts'
import { Person, runServer, startChat, temporaryFolder } from '../chat-server.ts'

/** What the first version wrote: a lobby, zoe who claimed her name and zoe who took it over, and ada, who came back after a day. */
function writeFirstVersion(folder: string, secret: string): void {
  const file = new DatabaseSync(join(folder, 'natter.db'))
  file.exec(`pragma journal_mode = wal; begin; pragma application_id = ${applicationId}; ${migrations[0]}; pragma user_version = 1; commit`)
  const start = (Date.now() - 3 * 86_400_000) * 1000
  const event = file.prepare('insert into events (id, type, rules, user, name, room, target, facts) values (?, ?, 1, ?, ?, ?, null, ?)')
  const log = (id: number, type: string, { user = null, name = null, room = null, facts }: { user?: number | null; name?: string | null; room?: number | null; facts?: object }) =>
    event.run(start + id, type, user && start + user, name, room && start + room, facts ? JSON.stringify(facts) : null)
  log(1, 'room', { room: 1, facts: { slug: 'lobby', name: 'lobby', kind: 'open' } })
  log(2, 'user', { user: 2, name: 'zoe', facts: { name: 'zoe', folded: 'zoe', kind: 'unproven', role: 'guest' } })
  log(3, 'user', { user: 3, name: 'Zoe', facts: { name: 'Zoe', folded: 'zoe', kind: 'guest', role: 'guest', session: hashOf('zoe') } })
  log(4, 'user', { user: 4, name: 'ada', facts: { name: 'ada', folded: 'ada', kind: 'guest', role: 'guest', session: hashOf(secret) } })
  log(5, 'join', { user: 4, name: 'ada', room: 1 })
  log(6, 'message', { user: 4, name: 'ada', room: 1 })
  log(2 * 86_400e6, 'session', { user: 4, name: 'ada', facts: { hash: hashOf(secret) } })
  file.exec(`
    insert into users values (${start + 2}, 'zoe', 'unproven', 'guest'), (${start + 3}, 'Zoe', 'guest', 'guest'), (${start + 4}, 'ada', 'guest', 'guest');
    insert into names values ('zoe', ${start + 3}), ('ada', ${start + 4});
    insert into sessions values ('${hashOf('zoe')}', ${start + 3}, ${start + 3}, null), ('${hashOf(secret)}', ${start + 4}, ${start + 2 * 86_400e6}, null);
    insert into rooms values (${start + 1}, 'lobby', 'lobby', 'open', ${start + 1});
    insert into members values (${start + 1}, ${start + 4}, ${start + 5});
    insert into bodies values (${start + 6}, 'hello');
    insert into search (rowid, text, place) values (${start + 6}, 'hello', 'r u');
  `)
  file.close()
}

test('a folder of the first version is brought up to this one, and check finds it whole', async (t) => {
  const data = await temporaryFolder(t)
  const secret = 'a'.repeat(43)
  writeFirstVersion(data, secret)
  const chat = await startChat(t, { data })
  const ada = new Person(chat, { cookie: `natter=${secret}` })

  const { messages } = await ada.read<{ messages: { text: string }[] }>('/rooms/lobby/messages')
  const { sessions } = await ada.read<{ sessions: { began: string; used: string }[] }>('/sessions')

  assert.deepEqual(messages.map(({ text }) => text), ['hello'])
  // It began days before it was used last.
  assert.equal(sessions.length, 1)
  assert.ok(sessions[0]!.began < sessions[0]!.used)
  await ada.say('lobby', 'after it')
  await chat.stop()
  const { code, err } = await runServer(['check', '--data', data])
  assert.deepEqual([code, err], [0, ''])
})
