// What may be a password, how it is kept, and what hashing costs everybody else.

import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { scryptSync } from 'node:crypto'
import { test } from 'node:test'
import { promisify } from 'node:util'
import { Passwords } from '../../lib/chat/people/passwords.ts'
import { patienceMs } from '../chat-server.ts'
import { property } from '../random.ts'

const good = 'correct horse'
const ada = { person: 7 }

test('a password is kept as its scrypt key, with what it cost and a salt of its own', async () => {
  const passwords = new Passwords()

  const stored = await passwords.hash(good, ada)
  const [name, logN, r, p, salt, key, ...rest] = stored.split('$')

  assert.deepEqual([name, logN, r, p, rest], ['scrypt', '15', '8', '1', []])
  assert.equal(Buffer.from(salt!, 'base64url').length, 16)
  assert.equal(
    key,
    scryptSync(good, Buffer.from(salt!, 'base64url'), 32, {
      N: 2 ** 15,
      r: 8,
      p: 1,
      maxmem: 64 * 1024 * 1024,
    }).toString('base64url'),
  )
  assert.notEqual(await passwords.hash(good, ada), stored)
})

test('the right password matches, any other does not, and without one nothing does', async () => {
  const passwords = new Passwords()
  const stored = await passwords.hash(good, ada)

  assert.equal(await passwords.matches(good, stored, ada), true)
  for (const other of ['', 'x', good + ' ', good.toUpperCase(), '\0', good + '\0', '\ud800'])
    assert.equal(await passwords.matches(other, stored, ada), false, JSON.stringify(other))
  for (const any of ['', good]) assert.equal(await passwords.matches(any, undefined, ada), false)
})

test('however its characters were typed it is the same password', async () => {
  const passwords = new Passwords()

  for (const [one, other] of [
    ['pässwörd', 'pässwörd'.normalize('NFD')],
    ['ｐａｓｓｗｏｒｄ', 'password'],
    ['한국어비밀번호다', '한국어비밀번호다'.normalize('NFD')],
  ] as const) {
    assert.notEqual(one, other)
    assert.equal(await passwords.matches(other, await passwords.hash(one, ada), ada), true, one)
  }
})

test('a password has at least 8 characters and at most 1,024 bytes, and is told what to do otherwise', async () => {
  const passwords = new Passwords()
  const refused: [string, RegExp][] = [
    ['', /at least 8/],
    ['1234567', /at least 8/],
    ['😀'.repeat(7), /at least 8/],
    ['e\u0301'.repeat(7), /at least 8/],
    ['x'.repeat(1025), /shorten/],
    ['京'.repeat(342), /shorten/],
    ['\u0301'.repeat(60_000), /shorten/],
    ['12345678\0', /NUL/],
    ['\0'.repeat(8), /NUL/],
    ['1234567\ud83d', /half a character/],
  ]

  for (const [password, message] of refused)
    await assert.rejects(passwords.hash(password, ada), { code: 'invalid_password', message }, password.slice(0, 20))
  await assert.rejects(passwords.matches('x'.repeat(1025), undefined, ada), { code: 'invalid_password' })
  for (const password of ['12345678', '😀'.repeat(8), 'x'.repeat(1024), ' '.repeat(8), 'a\n\t💀$:%b']) {
    assert.equal(
      await passwords.matches(password, await passwords.hash(password, ada), ada),
      true,
      password.slice(0, 20),
    )
  }
})

test('what a stored one cost stands with it', async () => {
  const salt = Buffer.alloc(24, 7)
  const key = scryptSync(good, salt, 64, { N: 2 ** 14, r: 4, p: 3 })
  const stored = ['scrypt', 14, 4, 3, salt.toString('base64url'), key.toString('base64url')].join('$')
  const passwords = new Passwords()

  assert.equal(await passwords.matches(good, stored, ada), true)
  assert.equal(await passwords.matches('another one', stored, ada), false)
})

test('what was stored badly is a mistake of ours and matches nothing', async () => {
  const passwords = new Passwords()
  const [salt, key] = ['s'.repeat(22), 'k'.repeat(43)]

  for (const stored of [
    '',
    'x',
    `scrypt$15$8$1$${salt}$`,
    `scrypt$15$8$1$$${key}`,
    `scrypt$15$8$1$${salt}$${key}$`,
    `scrypt$15$8$1$${salt}$${key}\n`,
    `argon2$15$8$1$${salt}$${key}`,
    `scrypt$15$8$0$${salt}$${key}`,
    `scrypt$0$8$1$${salt}$${key}`,
    `scrypt$99$8$1$${salt}$${key}`,
  ]) {
    await assert.rejects(
      passwords.matches(good, stored, ada),
      (error: Error & { code?: string }) => {
        assert.equal(error.code, undefined)
        assert.doesNotMatch(String(error.stack), /horse|ssss|kkkk/)
        return true
      },
      stored,
    )
  }
  assert.equal(await passwords.matches(good, await passwords.hash(good, ada), ada), true)
})

test('one is hashed and sixty wait; who comes then is told so at once', async () => {
  const passwords = new Passwords()
  let done = 0
  const first = Array.from({ length: 61 }, () => passwords.matches(good, undefined, ada).finally(() => done++))

  const others = await Promise.allSettled(Array.from({ length: 139 }, () => passwords.matches(good, undefined, ada)))

  assert.equal(done, 0)
  for (const other of others) {
    assert.equal(other.status, 'rejected')
    assert.deepEqual([other.reason.code, other.reason.retryAfter], ['busy', 7])
  }
  assert.deepEqual([...new Set(await Promise.all(first))], [false])
  assert.equal(await passwords.matches(good, await passwords.hash(good, ada), ada), true)
})

test('a program that hashed a password ends by itself', async () => {
  const module = new URL('../../lib/chat/people/passwords.ts', import.meta.url).href
  const program = `import { Passwords } from '${module}'; console.log(await new Passwords().matches('${good}', undefined, { person: 7 }))`

  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', program], {
    timeout: patienceMs,
  })

  assert.equal(stdout, 'false\n')
})

test('a password that was right is known for five minutes, for its user and as long as it was not changed', () => {
  let ms = 1e6
  const passwords = new Passwords({ now: () => ms })
  assert.equal(passwords.known(7, 100, good), false)

  passwords.remember(7, 100, good)

  assert.equal(passwords.known(7, 100, good), true)
  assert.equal(passwords.known(7, 100, 'another one'), false)
  assert.equal(passwords.known(8, 100, good), false)
  ms += 5 * 60_000 - 1
  assert.equal(passwords.known(7, 100, good), true)
  ms += 1
  assert.equal(passwords.known(7, 100, good), false)
  passwords.remember(7, 100, good)
  assert.equal(passwords.known(7, 101, good), false, 'it was changed')
  assert.equal(passwords.known(7, 100, good), false, 'and what was known of the one before is gone')
})

property('of the last thousand users the right password is known, and of nobody else any', (random) => {
  let ms = 0
  const passwords = new Passwords({ now: () => ms })
  const kept = new Map<number, { version: number; password: string; until: number }>()
  const users = 1100
  const password = () => random.pick([good, 'another one', 'ｃorrect horse', random.text()])

  for (let step = 0; step < 20_000; step++) {
    const [user, version, tried] = [random.below(users), random.below(2), password()]
    if (random.chance(0.01)) ms += random.below(30_000)
    if (random.chance(0.5)) {
      passwords.remember(user, version, tried)
      kept.delete(user)
      kept.set(user, { version, password: tried, until: ms + 5 * 60_000 })
      if (kept.size > 1000) kept.delete(kept.keys().next().value!)
    } else {
      const known = kept.get(user)
      const fresh = known?.version === version && known.until > ms
      const asked = random.chance(0.5) && known ? known.password : tried
      const utf8 = (text: string) => Buffer.from(text.normalize('NFKC')).toString()
      assert.equal(passwords.known(user, version, asked), fresh && utf8(known.password) === utf8(asked), `step ${step}`)
      if (known && !fresh) kept.delete(user)
    }
  }
})

property('what can be a password matches itself, in any form, and nothing that is not the same', async (random) => {
  const passwords = new Passwords()
  for (let round = 0; round < 6; round++) {
    const password = random.text() + random.pick(['', good])
    let stored: string
    try {
      stored = await passwords.hash(password, ada)
    } catch (error) {
      assert.equal((error as { code?: string }).code, 'invalid_password')
      const normal = password.normalize('NFKC')
      assert.ok([...normal].length < 8 || normal.includes('\0') || !normal.isWellFormed(), JSON.stringify(password))
      continue
    }
    assert.match(stored, /^scrypt\$15\$8\$1\$[\w-]{22}\$[\w-]{43}$/)
    assert.equal(
      await passwords.matches(password.normalize(random.pick(['NFC', 'NFD', 'NFKC', 'NFKD'])), stored, ada),
      true,
      JSON.stringify(password),
    )
    const other = random.pick([password + 'x', password.slice(1), random.text()])
    assert.equal(
      await passwords.matches(other, stored, ada),
      other.normalize('NFKC') === password.normalize('NFKC'),
      JSON.stringify(other),
    )
  }
})
