// Whose turn it is in a line, and who makes room in one that is full.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FairQueue, type Party } from '../../lib/store/threads/fair-queue.ts'
import { property } from '../random.ts'

interface Job {
  party: Party
  name: string
}

/** Jobs like `a1 a1 b2`: an address and a person each; `-` is an address that is not known. */
function lineOf(jobs: string): FairQueue<Job> {
  const line = new FairQueue<Job>()
  for (const name of jobs.split(' ')) line.add({ party: partyOf(name), name })
  return line
}

function partyOf([address, person]: string): Party {
  return { address: address === '-' ? undefined : address, person: Number(person) }
}

function turnsOf(line: FairQueue<Job>): string {
  const turns: string[] = []
  for (let next = line.next(); next; next = line.next()) turns.push(next.name)
  return turns.join(' ')
}

test('addresses take turns, and in the turns of an address its people do', () => {
  assert.equal(turnsOf(lineOf('a1 a1 a1 b1 c2')), 'a1 b1 c2 a1 a1')
  assert.equal(turnsOf(lineOf('a1 a1 a1 a2 a2 b1 b1')), 'a1 b1 a2 b1 a1 a2 a1')
  // Where no address is known, people are like addresses.
  assert.equal(turnsOf(lineOf('-1 -1 -1 -2 a1')), '-1 -2 a1 -1 -1')
})

test('whoever comes to a line that serves somebody with many jobs is next but one', () => {
  const line = lineOf(Array(50).fill('a1').join(' '))
  assert.equal(line.next()!.name, 'a1')

  line.add({ party: partyOf('b1'), name: 'b1' })

  assert.equal(turnsOf(line).indexOf('b1'), 'a1 '.length)
})

test('a line that is full makes room at the cost of the person with most places, of the address with most', () => {
  const dropped = (jobs: string) => {
    const line = lineOf(jobs)
    return line.drop(partyOf(jobs.split(' ').at(-1)!)).name
  }
  assert.equal(dropped('a1 a1 a1 b1'), 'a1')
  // An address with most has most, even where another's person has more than any of its own.
  assert.equal(dropped('a1 a2 a3 a4 b1 b1 b1 c1'), 'a1')
  assert.equal(dropped('a1 a2 a2 b1 c1'), 'a2')
  // Among equals nobody makes room for who comes later.
  assert.equal(dropped('a1 b1 c1'), 'c1')
  assert.equal(dropped('-1 -2 -3'), '-3')
  assert.equal(dropped('a1 a1 a2'), 'a1')
  assert.equal(dropped('a1 a2 a3'), 'a3')
})

test('an IPv6 network of 48 bits has one turn, and in it its addresses have theirs', () => {
  const line = new FairQueue<Job>()
  const add = (name: string, address: string) => line.add({ party: { address, person: 1 }, name })
  for (let at = 0; at < 50; at++) add(`theirs ${at}`, `2001:db8:1:${at.toString(16)}::/64`)
  add('same network', '2001:db8:1:0::/64')
  add('next network', '2001:db8:2:1::/64')
  add('IPv4', '203.0.113.1')

  assert.equal(line.drop({ address: '203.0.113.1', person: 1 }).name, 'same network')
  assert.deepEqual(
    [1, 2, 3, 4].map(() => line.next()!.name),
    ['theirs 0', 'next network', 'IPv4', 'theirs 1'],
  )
})

test("a person's number and the same digits as a name are two people", () => {
  const line = new FairQueue<Job>()
  for (const person of [1, 1, '1']) line.add({ party: { person }, name: typeof person })

  assert.equal(turnsOf(line), 'number string number')
})

property('nobody waits for two of another address before it is their turn, and nothing is lost', (random) => {
  const line = new FairQueue<Job & { number: number }>()
  const waiting: { name: string; number: number; before: string[] }[] = []
  for (let step = 0; step < 2000; step++) {
    const name = `${random.pick(['a', 'b', 'c', '-'])}${random.below(4)}`
    if (random.chance(0.55)) {
      line.add({ party: partyOf(name), name, number: step })
      waiting.push({ name, number: step, before: [] })
    } else {
      const next = line.next()
      assert.equal(next === undefined, waiting.length === 0)
      if (!next) continue
      const at = waiting.findIndex(({ number }) => number === next.number)
      const [served] = waiting.splice(at, 1)
      assert.equal(
        waiting.findIndex(({ name, number }) => name === next.name && number < next.number),
        -1,
        "one's own in order",
      )
      // Of each other share at most one between two of one's own.
      const share = (of: string) => (of.startsWith('-') ? of : of[0]!)
      const since = served!.before
        .slice(served!.before.findLastIndex((other) => share(other) === share(next.name)) + 1)
        .map(share)
      assert.equal(new Set(since).size, since.length, `${next.name} waited for ${served!.before}`)
      for (const other of waiting) other.before.push(next.name)
    }
    assert.equal(line.size, waiting.length)
    assert.equal(line.all.length, waiting.length)
  }
})
