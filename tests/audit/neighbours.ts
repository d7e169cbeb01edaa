// The others of a chat to which something is done: each comes from an address of their own, posts and reads pages at a person's
// pace, and is timed. Now and then one comes in, logs in, searches or opens a stream. Nothing of that may be refused.

import { Agent, get } from 'node:http'
import type { Message } from '../../lib/chat/streams/events.ts'
import { ask, cookieIn, publicHost, type Asked, type Told } from './asking.ts'
import { rooms } from './attacks.ts'

const limits = {
  people: 60, // each at less than a post a second, which is what a person may
  everyMs: 20, // somebody posts, and somebody reads a page
  nowAndThenMs: 200, // one of the other things
  patienceMs: 5000, // for an answer of any kind
  streams: 20, // that are open all the time
}

const passwordOf = (name: string) => `the password of ${name}`

/** What a stretch of time was like for them. */
export interface Stretch {
  /** ms until each was answered. */
  posts: number[]
  pages: number[]
  /** The same of what they do now and then, by what it is. */
  others: Record<string, number[]>
}

interface Neighbour {
  name: string
  address: string
  headers: Record<string, string>
  agent: Agent
}

export class Neighbours {
  /** Names of their accounts. */
  readonly accounts = ['ada', 'bob', 'cleo']
  /** What was refused, and how often. */
  readonly refusals = new Map<string, number>()
  /** The largest page that they got, and how many people it named of all who reacted with an emoji. */
  pageBytesMost = 0
  namedMost = 0
  /** How often a stream was told that somebody types: in the room where they talk, and in the one that is crowded. */
  typing = { lobby: 0, hall: 0 }
  #url: string
  #people: Neighbour[] = []
  #streams: { room: 'lobby' | 'hall'; typing: number; leave(): void }[] = []
  #turn = 0
  #seldom = 0
  readonly #since: number

  /** `since`: from when on there is nothing of long ago. */
  constructor(url: string, { since }: { since: number }) {
    this.#url = url
    this.#since = since
  }

  /** All come in. */
  async comeIn(): Promise<void> {
    for (const name of this.accounts)
      await this.#must('an account', {
        method: 'POST',
        path: '/users',
        address: this.#homeOf(name),
        body: { name, password: passwordOf(name) },
      })
    this.#people = await Promise.all(
      Array.from({ length: limits.people }, async (_, at) => {
        const [name, address] = [`neighbour ${at}`, `198.51.100.${at + 100}`]
        const told = await this.#must('coming in', { method: 'POST', path: '/session', address, body: { name } })
        return {
          name,
          address,
          headers: { cookie: cookieIn(told) ?? '' },
          agent: new Agent({ keepAlive: true, maxSockets: 2 }),
        }
      }),
    )
    await this.#must('a room', {
      method: 'POST',
      path: '/rooms',
      address: this.#people[0]!.address,
      headers: this.#people[0]!.headers,
      body: { name: rooms.hall },
    })
  }

  /** Some have a stream open from now on. */
  listen(): void {
    for (let at = 0; at < limits.streams; at++) this.#listen(this.#people[at]!, at === 0 ? 'hall' : 'lobby')
  }

  /** They go on for so long. */
  async live(ms: number): Promise<Stretch> {
    const stretch: Stretch = { posts: [], pages: [], others: {} }
    const underWay: Promise<unknown>[] = []
    const ends = performance.now() + ms
    let [next, seldom] = [performance.now(), performance.now()]
    while (performance.now() < ends) {
      const turn = this.#turn++
      underWay.push(
        this.#post(turn).then((took) => stretch.posts.push(took)),
        this.#page(turn).then((took) => stretch.pages.push(took)),
      )
      if (performance.now() > seldom) {
        seldom += limits.nowAndThenMs
        underWay.push(this.#nowAndThen(turn).then(([what, took]) => void (stretch.others[what] ??= []).push(took)))
      }
      // At a pace that does not wait for answers, or a server that hangs would be asked less.
      next += limits.everyMs
      await new Promise((resolve) => setTimeout(resolve, Math.max(0, next - performance.now())))
    }
    await Promise.all(underWay)
    for (const { room, typing } of this.#streams) this.typing[room] = Math.max(this.typing[room], typing)
    return stretch
  }

  leave(): void {
    for (const stream of this.#streams) stream.leave()
    for (const { agent } of this.#people) agent.destroy()
  }

  async #post(turn: number): Promise<number> {
    const { address, headers, agent } = this.#people[turn % this.#people.length]!
    return (
      await this.#must('a post', {
        method: 'POST',
        path: `/rooms/${rooms.lobby}/messages`,
        address,
        headers,
        agent,
        body: { text: `what neighbour ${turn} says` },
      })
    ).ms
  }

  async #page(turn: number): Promise<number> {
    const { address, agent } = this.#people[(turn + limits.people / 2) % this.#people.length]!
    const told = await this.#must('a page', { path: `/rooms/${rooms.lobby}/messages`, address, agent })
    this.pageBytesMost = Math.max(this.pageBytesMost, told.bytes)
    return told.ms
  }

  async #nowAndThen(turn: number): Promise<[what: string, ms: number]> {
    const name = this.accounts[turn % this.accounts.length]!
    const things: Record<string, Omit<Asked, 'address'> & { address?: string }> = {
      'coming in': { method: 'POST', path: '/session', body: { name: `newcomer ${turn}` } },
      // From where they always come in: elsewhere the account is locked while somebody guesses.
      'logging in': {
        method: 'POST',
        path: '/session',
        address: this.#homeOf(name),
        body: { name, password: passwordOf(name) },
      },
      'a search': { path: '/search?q=neighbour' },
      'the rooms': { path: '/rooms' },
      'a page of long ago': { path: `/rooms/${rooms.lobby}/messages?limit=200&before=${this.#since}` },
      'the page itself': { path: '/' },
    }
    const names = Object.keys(things)
    const what = names[this.#seldom++ % names.length]!
    const told = await this.#must(what, { address: `192.0.2.${100 + (turn % 150)}`, ...things[what]! })
    if (what === 'a page of long ago') this.#look(told)
    return [what, told.ms]
  }

  #look({ status, bytes, body }: Told): void {
    this.pageBytesMost = Math.max(this.pageBytesMost, bytes)
    if (status !== 200) return
    const { messages } = JSON.parse(body) as { messages: Message[] }
    for (const { reactions = [] } of messages)
      for (const { from } of reactions) this.namedMost = Math.max(this.namedMost, from.length)
  }

  async #must(what: string, asked: Asked): Promise<Told> {
    const told = await ask(this.#url, { withinMs: limits.patienceMs, ...asked })
    if (told.status >= 200 && told.status < 300) return told
    const why =
      told.status === 0 ? 'not answered' : `answered with ${told.status} ${/"code":"(\w+)"/.exec(told.body)?.[1] ?? ''}`
    this.refusals.set(`${what} was ${why}`, (this.refusals.get(`${what} was ${why}`) ?? 0) + 1)
    return told
  }

  #homeOf(name: string): string {
    return `198.51.100.${1 + this.accounts.indexOf(name)}`
  }

  #listen({ address, headers }: Neighbour, room: 'lobby' | 'hall'): void {
    const stream = { room, typing: 0, leave: () => asked.destroy() }
    const asked = get(
      `${this.#url}/events?room=${rooms[room]}`,
      {
        agent: false,
        headers: { ...headers, host: publicHost, 'x-forwarded-for': address, accept: 'text/event-stream' },
      },
      (response) => {
        if (response.statusCode !== 200) this.refusals.set(`a stream was answered with ${response.statusCode}`, 1)
        response.on(
          'data',
          (chunk: Buffer) => (stream.typing += chunk.toString('latin1').split('event: typing\n').length - 1),
        )
        response.on('error', () => {})
      },
    )
    asked.on('error', () => {})
    this.#streams.push(stream)
  }
}
