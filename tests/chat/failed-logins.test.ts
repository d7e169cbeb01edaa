// How often somebody may be wrong before they have to wait, and who does not have to.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FailedLogins, type Account } from '../../lib/chat/people/failed-logins.ts'
import { property } from '../random.ts'

const windowMs = 3 * 60_000

class Door {
  ms = 1e6
  readonly logins = new FailedLogins({ now: () => this.ms })

  right(address: string | undefined, account: Account): Promise<boolean> {
    return this.logins.attempt(address, account, async () => true)
  }

  wrong(address: string | undefined, account: Account): Promise<boolean> {
    return this.logins.attempt(address, account, async () => false)
  }

  /** How many wrong passwords it hears until it refuses to. */
  async wrongUntilRefused(
    address: (count: number) => string | undefined,
    account: (count: number) => Account,
  ): Promise<number> {
    for (let count = 0; count < 100; count++) {
      try {
        assert.equal(await this.wrong(address(count), account(count)), false)
      } catch (error) {
        assert.equal((error as { code?: string }).code, 'too_many')
        return count
      }
    }
    return Infinity
  }
}

test('an account hears ten wrong passwords in three minutes, wherever they come from, then it is refused even the right one', async () => {
  const door = new Door()

  assert.equal(
    await door.wrongUntilRefused(
      (count) => `address ${count}`,
      () => 7,
    ),
    10,
  )

  await assert.rejects(door.right('another', 7), { code: 'too_many', retryAfter: 180 })
  assert.equal(await door.right('another', 8), true)
  door.ms += windowMs - 1
  await assert.rejects(door.right('another', 7), { code: 'too_many', retryAfter: 1 })
  door.ms += 1
  assert.equal(await door.right('another', 7), true)
})

test('an address may be wrong ten times in three minutes, whatever the accounts', async () => {
  const door = new Door()

  assert.equal(
    await door.wrongUntilRefused(
      () => 'here',
      (count) => count,
    ),
    10,
  )

  await assert.rejects(door.right('here', 99), { code: 'too_many', retryAfter: 180 })
  assert.equal(await door.right('there', 99), true)
})

test('a name that nobody has is refused after as many', async () => {
  const door = new Door()

  assert.equal(
    await door.wrongUntilRefused(
      (count) => `address ${count}`,
      () => 'nobody',
    ),
    10,
  )

  await assert.rejects(door.wrong('another', 'nobody'), { code: 'too_many', retryAfter: 180 })
})

test('an IPv6 network of 48 bits may be wrong a hundred times, however many addresses it takes', async () => {
  const door = new Door()
  let heard = 0
  const guess = async () => {
    for (; ; heard++) await door.wrong(`2001:db8:7:${(heard % 50).toString(16)}::/64`, heard)
  }

  await assert.rejects(guess(), { code: 'too_many', retryAfter: 180 })

  assert.equal(heard, 100)
  await assert.rejects(door.right('2001:db8:7:ff::/64', 'ada'), { code: 'too_many' })
  assert.equal(await door.right('2001:db8:8:1::/64', 'ada'), true)
})

test('failures that are spread out make nobody wait', async () => {
  const door = new Door()
  for (let count = 0; count < 100; count++) {
    await door.wrong('here', 7)
    door.ms += windowMs / 10
  }
})

test('whoever came in from an address before still comes in from there while others guess', async () => {
  const door = new Door()
  await door.right('home', 7)
  assert.equal(
    await door.wrongUntilRefused(
      (count) => `address ${count}`,
      () => 7,
    ),
    10,
  )

  assert.equal(await door.right('home', 7), true)

  await assert.rejects(door.right('elsewhere', 7), { code: 'too_many' })
  assert.equal(
    await door.wrongUntilRefused(
      () => 'home',
      () => 7,
    ),
    10,
    'guessing from there is not free either',
  )
})

test('an account comes in from eight addresses; the ninth takes the place of the one used longest ago', async () => {
  const door = new Door()
  for (let count = 0; count < 8; count++) await door.right(`home ${count}`, 7)
  await door.right('home 0', 7)
  await door.right('home 8', 7)
  assert.equal(
    await door.wrongUntilRefused(
      (count) => `address ${count}`,
      () => 7,
    ),
    10,
  )

  await assert.rejects(door.right('home 1', 7), { code: 'too_many' })
  for (const count of [0, 2, 3, 4, 5, 6, 7, 8]) assert.equal(await door.right(`home ${count}`, 7), true)
})

test("one's own mistakes are forgiven when one gets in, and those of others are not", async () => {
  const door = new Door()
  for (let count = 0; count < 5; count++) await door.wrong('guesser', 7)
  for (let count = 0; count < 4; count++) await door.wrong('home', 7)
  await door.right('home', 7)

  assert.equal(
    await door.wrongUntilRefused(
      (count) => `address ${count}`,
      () => 7,
    ),
    5,
  )
})

test('a guesser who logs in to an account of its own in between gains nothing', async () => {
  const door = new Door()
  let heard = 0
  const guess = async () => {
    for (; ; heard++) {
      await door.right('guesser', 'its own')
      await door.wrong('guesser', heard)
    }
  }

  await assert.rejects(guess(), { code: 'too_many' })
  assert.equal(heard, 10)
})

test('behind a proxy that names no client only the account counts, and getting in forgives nobody', async () => {
  const door = new Door()
  for (let count = 0; count < 50; count++) await door.wrong(undefined, count)
  for (let count = 0; count < 9; count++) await door.wrong(undefined, 7.5)
  await door.right(undefined, 7.5)
  await door.wrong(undefined, 7.5)

  await assert.rejects(door.right(undefined, 7.5), { code: 'too_many' })
})

test('of 200 attempts at once on one account ten are heard', async () => {
  const door = new Door()
  let heard = 0
  let answer = () => {}
  const asked = new Promise<void>((resolve) => (answer = resolve))

  const attempts = Array.from({ length: 200 }, (_, count) =>
    door.logins.attempt(`address ${count}`, 7, async () => {
      heard++
      await asked
      return false
    }),
  )
  const settled = Promise.allSettled(attempts)
  await assert.rejects(attempts.at(-1)!, { code: 'too_many', retryAfter: 2 })
  answer()

  assert.equal((await settled).filter(({ status }) => status === 'fulfilled').length, 10)
  assert.equal(heard, 10)
  await assert.rejects(door.right('another', 7), { code: 'too_many', retryAfter: 180 })
})

test('of a class that logs in at once from one address all are heard, ten at a time, and not one is refused', async () => {
  const door = new Door()
  let underWay = 0
  let most = 0
  const answers: (() => void)[] = []
  const logIns = Array.from({ length: 60 }, (_, count) =>
    door.logins.attempt('school', `pupil ${count}`, async () => {
      most = Math.max(most, ++underWay)
      await new Promise<void>((resolve) => answers.push(resolve))
      underWay--
      return true
    }),
  )
  const one = door.right('school', 'one more')
  await assert.rejects(one, { code: 'too_many', retryAfter: 2 })

  for (let heard = 0; heard < 60; heard++) {
    answers[heard]!()
    assert.equal(await logIns[heard], true)
  }

  assert.equal(most, 10)
})

test('whoever waits behind ten attempts is refused as soon as these have failed, and heard where they have not', async () => {
  for (const right of [false, true]) {
    const door = new Door()
    const answers: ((right: boolean) => void)[] = []
    const attempts = Array.from({ length: 10 }, (_, count) =>
      door.logins.attempt('here', count, () => new Promise<boolean>((resolve) => answers.push(resolve))),
    )
    let asked = false
    const next = door.logins.attempt('here', 'another', async () => (asked = true))
    const outcome = next.catch((error: { code: string; retryAfter: number }) => [error.code, error.retryAfter])

    for (const answer of answers.slice(1)) answer(false)
    await Promise.all(attempts.slice(1))
    assert.equal(asked, false)
    answers[0]!(right)

    assert.deepEqual(await outcome, right || ['too_many', 180])
    assert.equal(asked, right)
  }
})

test("an attempt that could not be judged is nobody's failure", async () => {
  const door = new Door()
  for (let count = 0; count < 50; count++) {
    await assert.rejects(
      door.logins.attempt('here', 7, async () => Promise.reject(new Error('busy'))),
      /busy/,
    )
    await assert.rejects(
      door.logins.attempt('here', 7, () => {
        throw new Error('at once')
      }),
      /at once/,
    )
  }

  assert.equal(
    await door.wrongUntilRefused(
      () => 'here',
      () => 7,
    ),
    10,
  )
})

test('it keeps count of the last 10,000 failures only', async () => {
  const door = new Door()
  for (let count = 0; count < 10; count++) await door.wrong('first', 'first')
  for (let count = 0; count < 9_990; count++) await door.wrong(`address ${count}`, count)
  await assert.rejects(door.right('another', 'first'), { code: 'too_many' })
  await assert.rejects(door.right('first', 'another'), { code: 'too_many' })

  await door.wrong('one more', 'one more')

  assert.equal(await door.right('first', 'first'), true)
})

property(
  'whoever is let try had fewer than ten failures, and whoever is refused had ten, as told by a list of all that was',
  async (random) => {
    const door = new Door()
    const all: {
      at: number
      address: string | undefined
      account: Account
      right: boolean | undefined
      forgiven: boolean
    }[] = []
    const addresses = [undefined, 'a', 'b', 'c']
    const open: (() => Promise<void>)[] = []
    let refused = 0

    for (let step = 0; step < 3000; step++) {
      if (random.chance(0.1)) door.ms += random.below(windowMs / 3)
      if (open.length > 0 && random.chance(0.6)) await open.splice(random.below(open.length), 1)[0]!()
      const [address, account, right] = [random.pick(addresses), random.pick<Account>([1, 2, '1']), random.chance(0.15)]
      const failed = (tries: typeof all) =>
        tries.filter((one) => one.right === false && one.at + windowMs > door.ms).length
      const counts = (tries: typeof all) => failed(tries) + tries.filter((one) => one.right === undefined).length
      const [ofAddress, ofAccount] = [
        address === undefined ? [] : all.filter((one) => one.address === address),
        all.filter((one) => one.account === account && !one.forgiven),
      ]
      const [here, onAccount] = [failed(ofAddress), failed(ofAccount)]
      const familiar =
        address !== undefined && all.some((one) => one.address === address && one.account === account && one.right)

      const full = here >= 10 || (!familiar && onAccount >= 10)
      // It would wait for those under way: another test.
      if (!full && (counts(ofAddress) >= 10 || (!familiar && counts(ofAccount) >= 10))) continue

      let settle = (_: boolean) => {}
      const attempt = door.logins.attempt(address, account, () => new Promise((resolve) => (settle = resolve)))
      const tried = await Promise.race([
        attempt.catch((error: unknown) => error),
        new Promise((resolve) => setImmediate(resolve)),
      ])
      if (full) {
        refused++
        const { code, retryAfter } = tried as { code?: string; retryAfter?: number }
        assert.equal(code, 'too_many', `step ${step}: ${here} from the address, ${onAccount} on the account`)
        assert.ok(Number.isInteger(retryAfter) && retryAfter! >= 1 && retryAfter! <= 180, `${retryAfter}`)
        continue
      }
      assert.equal(
        tried,
        undefined,
        `step ${step}: ${here} from the address, ${onAccount} on the account, and it is refused`,
      )
      const entry: (typeof all)[number] = { at: door.ms, address, account, right: undefined, forgiven: false }
      all.push(entry)
      open.push(async () => {
        settle(right)
        await attempt
        Object.assign(entry, { right, at: door.ms })
        if (right && address !== undefined)
          for (const one of all)
            if (one.account === account && one.address === address && one.right === false) one.forgiven = true
      })
    }

    assert.ok(refused > 100, `only ${refused} were refused`)
  },
)
