// The disk that strangers fill: below a reserve those who cost nothing add nothing more, so that people with an account go on; and before it is full
// nobody does, so that what is there stays whole, can be read, and can be taken away.

import assert from 'node:assert/strict'
import { statfsSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, test, type TestContext } from 'node:test'
import { readSettings } from '../../lib/config.ts'
import { createChat } from '../../lib/index.ts'
import { DiskSpace } from '../../lib/store/log/disk-space.ts'
import { patienceMs, runServer, startChat, temporaryFolder, type ChatServer, type Person } from '../chat-server.ts'
import { integrityOf } from '../audit/harness.ts'
import { mount } from '../mounted/mount.ts'
import { smallDisk, whyNoSmallDisk } from '../small-disk.ts'

const MiB = 1024 * 1024
const needsDisk = { skip: whyNoSmallDisk() ?? false }

// A whole disk as the reserve: nobody ever has that much, and what is left is more than a tenth of it.
const all = ['--disk-reserve', '100%']
const { bavail, blocks } = statfsSync(tmpdir())
const needsRoom = { skip: bavail < blocks / 8 && 'it needs a disk of which an eighth is free' }

const linesOf = (chat: ChatServer) => chat.errors.split('\n').filter((line) => line.includes('the disk has '))

const smallReserve = ['--disk-reserve', '32MiB']

async function startOnSmallDisk(t: TestContext, flags: readonly string[] = smallReserve, bytes = 64 * MiB) {
  const disk = smallDisk(t, bytes)
  const chat = await startChat(t, { data: join(disk.folder, 'data'), flags })
  return { disk, chat }
}

/** Asks again and again, for whatever looks at the disk does so once a second. */
async function until(expected: string | number, ask: () => Promise<string | number>): Promise<void> {
  const began = performance.now()
  for (let found = await ask(); found !== expected; found = await ask()) {
    assert.ok(performance.now() - began < patienceMs, `${found} and not ${expected}`)
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}

const say = (person: Person) => person.refused('POST', '/rooms/lobby/messages', { text: 'x' })

describe('while there is little room', { concurrency: true }, () => {
  test(
    'guests, names without proof and newcomers add nothing, whoever has an account does, and all read',
    needsRoom,
    async (t) => {
      const data = await temporaryFolder(t)
      const chat = await startChat(t, { data, flags: ['--disk-reserve', '0'] })
      const owner = await chat.owner()
      const [ada, gus] = [await chat.account('ada'), await chat.comeIn('gus')]
      const { id } = await gus.say('lobby', 'said before')
      await gus.say('lobby', 'and more')
      const attic = await gus.makeRoom('attic')
      await ada.join('attic')
      await gus.ask('PUT', `/rooms/lobby/messages/${id}/reactions/👍`)
      await chat.claiming('una').say('lobby', 'hello')
      const invite = await owner.invite({ role: 'member' })
      await chat.stop()
      const low = await startChat(t, { data, flags: all })
      const as = (person: Person): Person => Object.assign(low.stranger, { headers: person.headers })
      const [guest, account, governor] = [as(gus), as(ada), as(owner)]

      for (const [method, path, body] of [
        ['POST', '/rooms/lobby/messages', { text: 'x' }],
        ['PATCH', `/rooms/lobby/messages/${id}`, { text: 'y' }],
        ['PUT', `/rooms/lobby/messages/${id}/reactions/👎`],
        ['POST', '/rooms', { name: 'cellar' }],
        ['PATCH', `/rooms/${attic}`, { topic: 'x'.repeat(200) }],
        ['PATCH', '/users/me', { name: 'gustav' }],
        ['POST', '/users', { name: 'gus', password: 'a password of his' }],
        ['POST', '/direct', { user: 'ada' }],
        ['POST', '/invites', { room: attic }],
        ['PUT', '/rooms/attic/members/olga'],
      ] as const)
        assert.equal(await guest.refused(method, path, body), '503 storage_low', `${method} ${path}`)
      assert.equal(await say(low.claiming('una')), '503 storage_low')
      assert.equal(await say(low.claiming('new')), '503 storage_low')
      assert.equal(await low.stranger.refused('POST', '/session', { name: 'new' }), '503 storage_low')
      assert.equal(
        await low.stranger.refused('POST', '/users', { name: 'new', password: 'a password of theirs' }),
        '503 storage_low',
      )
      assert.equal(
        await low.stranger.refused('POST', '/invites/accept', {
          code: invite.code,
          name: 'new',
          password: 'a password of theirs',
        }),
        '503 storage_low',
      )
      const refused = await guest.send('POST', '/rooms/lobby/messages', { text: 'x' })
      assert.equal(refused.headers.get('retry-after'), '60')
      assert.match(((await refused.json()) as { detail: string }).detail, /account/)

      // What they had is theirs to see, and to take away.
      const watching = await low.claiming('una').listen({ path: '/events?since=all' })
      assert.deepEqual(await watching.texts(3), ['said before', 'and more', 'hello'])
      for (const path of [
        '/',
        '/rooms',
        '/rooms/lobby/messages',
        '/search?q=said',
        '/users',
        '/healthz',
        '/readyz',
        '/session',
      ])
        assert.equal((await guest.fetch(path)).status, 200, path)
      await guest.ask('DELETE', `/rooms/lobby/messages/${id}/reactions/👍`)
      await guest.ask('DELETE', `/rooms/lobby/messages/${id}`)
      // Where there is nothing to add, nothing is refused.
      await guest.join('attic')
      await guest.ask('PATCH', `/rooms/${attic}`, { archived: true })
      await guest.leave('lobby')

      // The others notice nothing.
      const { id: said } = await account.say('lobby', 'hello')
      await account.ask('PATCH', `/rooms/lobby/messages/${said}`, { text: 'hello all' })
      await account.ask('PUT', `/rooms/lobby/messages/${said}/reactions/👍`)
      await account.makeRoom('cellar')
      await low.logIn('ada')
      await governor.makeBot({ name: 'builds' }).then((bot) => as(bot).say('lobby', 'built'))
      await governor.ban(gus)
      await as(await low.logIn('olga')).logOut()
      assert.equal(await guest.refused('POST', '/rooms/lobby/messages', { text: 'x' }), '403 banned')
      await until(1, async () => linesOf(low).length)
    },
  )

  test('a guest who asks again for what was stored gets the same answer, and nothing else', needsRoom, async (t) => {
    const data = await temporaryFolder(t)
    const chat = await startChat(t, { data, flags: ['--disk-reserve', '0'] })
    const gus = await chat.comeIn('gus')
    const { id } = await gus.say('lobby', 'said before', { key: 'k1' })
    await chat.stop()
    const low = await startChat(t, { data, flags: all })
    const guest: Person = Object.assign(low.stranger, { headers: gus.headers })

    assert.equal((await guest.say('lobby', 'said before', { key: 'k1' })).id, id)
    const other = await guest.send('POST', '/rooms/lobby/messages', { text: 'another' }, { 'idempotency-key': 'k1' })
    assert.equal(other.status, 409)
    const more = await guest.send('POST', '/rooms/lobby/messages', { text: 'one more' }, { 'idempotency-key': 'k2' })
    assert.equal(more.status, 503)
  })

  test('a chat in memory has the same reserve', {
    skip: statfsSync('/dev/shm').bavail < statfsSync('/dev/shm').blocks / 8,
  }, async (t) => {
    const chat = await startChat(t, { flags: all })
    assert.equal(await chat.stranger.refused('POST', '/session', { name: 'gus' }), '503 storage_low')
    await (await chat.owner().catch(() => undefined))?.say('lobby', 'hello')
    assert.equal(await say(chat.claiming('una')), '503 storage_low')
  })

  test(
    'mounted in another server: its guests add nothing, its people do, by request and by function',
    needsRoom,
    async (t) => {
      const data = await temporaryFolder(t)
      const { chat, send, fetch } = await mount(t, {
        data,
        diskReserve: '100%',
        identify: ({ headers }) => ({
          id: String(headers['x-user']),
          name: 'somebody',
          role: headers['x-user'] === 'ada' ? 'member' : 'guest',
        }),
      })
      const low = (error: unknown) => (error as { code?: string }).code === 'storage_low'
      await assert.rejects(chat.post({ id: 'v1', name: 'a visitor', role: 'guest' }, 'lobby', { text: 'x' }), low)
      const { id } = await chat.post({ id: 'm1', name: 'a member' }, 'lobby', { text: 'hello' })
      // Known as a member, and called a guest since.
      await assert.rejects(chat.post({ id: 'm1', name: 'a member', role: 'guest' }, 'lobby', { text: 'x' }), low)
      await chat.remove({ id: 'm1', name: 'a member', role: 'guest' }, 'lobby', id)

      assert.equal((await send('POST', '/chat/rooms/lobby/messages', { text: 'x' }, 'gus')).status, 503)
      assert.equal((await send('POST', '/chat/rooms/lobby/messages', { text: 'x' }, 'ada')).status, 201)
      // Who is new reads what is open to everybody.
      assert.equal((await fetch('/chat/rooms/lobby/messages', { headers: { 'x-user': 'new' } })).status, 200)
    },
  )
})

test(
  'who fills the disk stops at the reserve, the others before it is full, and all goes on by itself when there is room',
  needsDisk,
  async (t) => {
    const { disk, chat } = await startOnSmallDisk(t)
    const owner = await chat.owner()
    const [ada, gus] = [await chat.account('ada'), await chat.comeIn('gus')]
    const { id } = await gus.say('lobby', 'said before')
    const { id: mine } = await ada.say('lobby', 'said before, too')
    const token = await owner.makeBot({ name: 'builds' })
    const invite = await owner.invite()

    disk.fill(20 * MiB)
    await until('503 storage_low', () => say(gus))
    for (let count = 0; count < 20; count++) await ada.say('lobby', `${count} ${'𠀀'.repeat(3900)}`)
    assert.equal(linesOf(chat).length, 1, chat.errors)

    // With what is there nobody can fill it up.
    disk.fill(5 * MiB)
    await until('503 storage_low', () => say(ada))
    assert.equal(await say(owner), '503 storage_low')
    assert.equal(await say(token), '503 storage_low')
    assert.equal(await owner.refused('POST', '/rooms', { name: 'cellar' }), '503 storage_low')
    assert.equal(linesOf(chat).length, 2, chat.errors)

    // What takes something or somebody away is done.
    await gus.ask('DELETE', `/rooms/lobby/messages/${id}`)
    await ada.ask('DELETE', `/rooms/lobby/messages/${mine}`)
    await gus.leave('lobby')
    await owner.ban(gus)
    await owner.ask('DELETE', `/tokens/${token.tokenId}`)
    await owner.ask('DELETE', `/invites/${invite.id}`)
    const again = await chat.logIn('ada')
    await again.ask('DELETE', '/sessions')
    await ada.refused('GET', '/users/me')
    for (const path of ['/rooms/lobby/messages', '/search?q=said', '/healthz', '/readyz'])
      assert.equal((await chat.fetch(path)).status, 200, path)

    disk.free()
    const back = await chat.logIn('ada')
    await until('201', () => say(back))
    await until('201', () => say(chat.claiming('una')))
    assert.equal(linesOf(chat).length, 3, chat.errors)
    assert.match(linesOf(chat)[2]!, /everybody/)
  },
)

test(
  'as fast as they can, accounts that post the largest texts meet storage_low and never a full disk',
  needsDisk,
  async (t) => {
    // After some 250 such texts the search brings a part into one piece: on this disk the last reserve has room for that.
    const { disk, chat } = await startOnSmallDisk(t, smallReserve, 128 * MiB)
    const writers = await Promise.all(Array.from({ length: 8 }, (_, at) => chat.account(`writer${at}`)))
    disk.fill(40 * MiB)
    const found = new Map<string, number>()
    let bytesLeft = Infinity
    await Promise.all(
      writers.map(async (writer, at) => {
        let refusals = 0
        for (let count = 0; refusals < 20; count++) {
          const text = Array.from({ length: 3900 }, (_, place) =>
            String.fromCodePoint(0x20000 + ((place * 7919 + count * 104_729 + at * 15_485_863) % 40_000)),
          ).join('')
          const answer = await writer.refused('POST', '/rooms/lobby/messages', { text })
          found.set(answer, (found.get(answer) ?? 0) + 1)
          if (answer !== '201') refusals++
          const { bavail, bsize } = statfsSync(disk.folder)
          bytesLeft = Math.min(bytesLeft, bavail * bsize)
        }
      }),
    )
    assert.deepEqual([...found.keys()].sort(), ['201', '503 storage_low'])
    assert.ok(found.get('201')! > 20, `${found.get('201')} were stored`)
    t.diagnostic(`${bytesLeft} bytes were left`)
    assert.ok(bytesLeft > MiB, `${bytesLeft} bytes were left`)
    await chat.stop()
    assert.deepEqual(integrityOf(join(disk.folder, 'data', 'natter.db')), [])
  },
)

test('without a reserve it is the disk that says when it is full', needsDisk, async (t) => {
  const { disk, chat } = await startOnSmallDisk(t, ['--disk-reserve', '0'])
  const gus = await chat.comeIn('gus')
  disk.fill(5 * MiB)
  await gus.say('lobby', 'hello')
  assert.deepEqual(linesOf(chat), [])
})

describe('a reserve that is more than what is free', () => {
  for (const reserve of ['100%', '99999999TB']) {
    test(`${reserve}: the start says so in one line, and what the owner can do`, needsRoom, async (t) => {
      const chat = await startChat(t, { data: await temporaryFolder(t), flags: ['--disk-reserve', reserve] })
      assert.equal(await chat.stranger.refused('POST', '/session', { name: 'gus' }), '503 storage_low')

      await until(1, async () => linesOf(chat).length)
      assert.match(
        linesOf(chat)[0]!,
        /the disk has [\d.]+ GiB of [\d.]+ GiB left, and [\d.]+ GiB are kept in reserve: until .* only those with an account .*; make room, or start natter with a smaller --disk-reserve$/,
      )
    })
  }

  test('it is said before anybody is let in, and again only when it is over', async (t) => {
    t.mock.timers.enable({ apis: ['setInterval'] })
    let free = 40 * MiB
    const [told, reported] = [[] as string[], [] as string[]]
    const space = new DiskSpace({
      folder: '/',
      reserve: { bytes: 50 * MiB, share: 1 },
      report: (line) => reported.push(line),
      pending: () => ({ events: 0, characters: 0 }),
      ask: async () => ({ blocks: 1000, bsize: MiB, bavail: free / MiB }),
    })
    t.after(() => space.close())

    await space.open((line) => told.push(line))
    assert.deepEqual([told.length, reported.length], [1, 0])
    t.mock.timers.tick(1000)
    await new Promise(setImmediate)
    assert.deepEqual([told.length, reported.length], [1, 0])

    free = 100 * MiB
    t.mock.timers.tick(1000)
    await new Promise(setImmediate)
    assert.deepEqual([told.length, reported.length], [1, 1])
    assert.match(reported[0]!, /everybody can add something again$/)
  })

  test('where there is room the start says nothing', async (t) => {
    const told: string[] = []
    const space = new DiskSpace({
      folder: '/',
      reserve: { bytes: 50 * MiB, share: 1 },
      report: () => {},
      pending: () => ({ events: 0, characters: 0 }),
      ask: async () => ({ blocks: 1000, bsize: MiB, bavail: 100 }),
    })
    t.after(() => space.close())

    await space.open((line) => told.push(line))
    assert.deepEqual([space.level, told], ['enough', []])
  })
})

test('how often the disk is asked: once a second, and sooner where much was added; it is low until there is a little more than the reserve', async (t) => {
  t.mock.timers.enable({ apis: ['setInterval'] })
  const clock = { ms: 0 }
  t.mock.method(performance, 'now', () => clock.ms)
  let asked = 0
  let free = 100 * MiB
  const lines: string[] = []
  const pending = { events: 0, characters: 0 }
  const space = new DiskSpace({
    folder: '/',
    reserve: { bytes: 50 * MiB, share: 1 },
    report: (line) => lines.push(line),
    pending: () => pending,
    ask: async () => (asked++, { blocks: 1000, bsize: MiB, bavail: free / MiB }),
  })
  t.after(() => space.close())
  await space.open(() => {})
  assert.deepEqual([space.level, asked], ['enough', 1])
  for (let count = 0; count < 1000; count++) assert.equal(space.measure(), undefined)
  clock.ms = 1000
  await Promise.all(Array.from({ length: 10 }, () => space.measure()))
  assert.equal(asked, 2)

  // Two thousand large texts within a second.
  for (let count = 0; count < 600; count++) space.spend({ events: 1, characters: 8000 })
  free -= 52 * MiB
  await space.measure()
  assert.deepEqual([space.level, asked], ['low', 3])

  free = 51 * MiB
  clock.ms = 2000
  t.mock.timers.tick(1000)
  await new Promise(setImmediate)
  assert.deepEqual([space.level, asked], ['low', 4])
  // Those that are under way are as good as there.
  pending.characters = 10 * MiB
  free = 60 * MiB
  clock.ms = 3000
  await space.measure()
  assert.equal(space.level, 'last')
  pending.characters = 0
  clock.ms = 4000
  await space.measure()
  assert.equal(space.level, 'enough')
  assert.deepEqual(
    lines.map((line) => /only those|nobody|everybody/.exec(line)![0]),
    ['only those', 'nobody', 'everybody'],
  )
  // The timer is gone with it.
  const before = asked
  t.mock.timers.tick(10_000)
  await new Promise(setImmediate)
  assert.equal(asked, before)
})

test('what the setting takes: bytes, units, a share, the least of several, and none', async () => {
  const read = (value: string) => readSettings([`--disk-reserve=${value}`], {})!.diskReserve
  assert.deepEqual(readSettings([], {})!.diskReserve, { bytes: 2 ** 30, share: 0.05 })
  for (const [value, expected] of [
    ['1GiB', { bytes: 2 ** 30, share: 1 }],
    ['500MB', { bytes: 5e8, share: 1 }],
    ['1.5gb', { bytes: 1.5e9, share: 1 }],
    ['64 KiB', { bytes: 65_536, share: 1 }],
    ['4096', { bytes: 4096, share: 1 }],
    ['0', { bytes: 0, share: 1 }],
    ['5%', { bytes: Infinity, share: 0.05 }],
    ['2GiB, 10%,1GiB', { bytes: 2 ** 30, share: 0.1 }],
  ] as const)
    assert.deepEqual(read(value), expected, value)
  assert.deepEqual(readSettings([], { NATTER_DISK_RESERVE: '2%' })!.diskReserve, { bytes: Infinity, share: 0.02 })
  for (const value of ['', ' ', 'much', '-1', '1 PB', '101%', '5%%', 'GiB', '1e9', '1GiB 5%']) {
    assert.throws(() => read(value), /--disk-reserve must be like 1GiB, 500MB, 5% or 0, not /, value)
  }
  const { code, err } = await runServer(['--disk-reserve', '1iB'])
  assert.deepEqual([code, err.split('\n').length], [1, 2])
  await assert.rejects(createChat({ diskReserve: 'half' }), /diskReserve must be like/)
})
