// What one address can do to a chat: each kind of attack is a step that its lanes do again and again, with a pause. A lane waits for
// its answer before it goes on, so that what is tried is what costs more than asking for it: whoever only counts requests fills any
// processor, and this one has the server, those who measure and the attackers on it.

import { Agent } from 'node:http'
import { connect, type Socket } from 'node:net'
import { getPriority, setPriority } from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'
import { ask, cookieIn, publicHost, type Asked, type Told } from './asking.ts'

/** The address of them all, which no proxy of ours has. */
export const attackersAddress = '203.0.113.66'

/** Room where the others are, and one with many streams. */
export const rooms = { lobby: 'lobby', hall: 'hall' }

// 4 bytes of UTF-8 each, and a word of its own in the search.
const rare = (characters: number) =>
  String.fromCodePoint(...Array.from({ length: characters }, () => 0x20000 + Math.floor(Math.random() * 42_000)))
const longest = 4000 // characters of a text
const junkHeader = '%'.repeat(10_000) // what a client may write before its proxy adds the address
const fiftyNames = '@'.repeat(50) + '京'.repeat(79)
/** As many as a message may have. */
export const emoji = [
  '👍',
  '👎',
  '😀',
  '😂',
  '😍',
  '😢',
  '😡',
  '🎉',
  '🔥',
  '💩',
  '🚀',
  '👀',
  '🙏',
  '💯',
  '🍕',
  '🍺',
  '⭐',
  '✅',
  '❌',
  '❓',
]
// Words that are everywhere in what the attackers say, so that a search looks at all of it, and has much to mark.
const manyWords = 'a '.repeat(longest / 2 - 1) + 'c'

const limits = {
  niceness: 10,
  connections: 100, // that ask one thing after the other
  volley: 120, // posts of which all heads are sent before the first body
  bodies: { some: 40, all: 700 }, // that never end; with all of them it has no connections left for anything else
  atOnce: 200, // connections that it opens
  dripMs: 400, // between two bytes of each
  streams: 120,
  pipelined: 15, // requests on each of these
  unread: 20, // connections that ask for much and read nothing of it
  paceMs: { after: 30, refused: 60 }, // between an answer and the next question of a lane
}

export interface Attack {
  url: string
  /** Accounts of others, whose passwords are guessed. */
  accounts: readonly string[]
  /** How many people it brings in before it begins: guests, and people with an account, whose passwords are hashed one by one. */
  brings: { guests: number; accounts: number }
}

/** What came of a kind of attack. */
export interface Tally {
  /** How many answers of each status; 0 is none. */
  statuses: Record<string, number>
  /** The largest answer. */
  bytesMost: number
  /** How many changes of guests and of unproven names were let in. */
  guestsChanges: number
}

export type Order = 'begin' | 'hog' | 'stop' | 'report'

export interface Report {
  tallies: Record<Kind, Tally>
  /** How many bodies are on their way. */
  bodies: number
}

/** Those that ask for changes which guests of an address share. */
const limited = new Set<Kind>(['rooms', 'posts', 'volleys', 'changes', 'reactions'])
export type Kind = (typeof kinds)[number]
const kinds = [
  'guests',
  'accounts',
  'passwords',
  'rooms',
  'posts',
  'volleys',
  'changes',
  'reactions',
  'typing',
  'searches',
  'pages',
  'bodies',
  'streams',
  'unread',
] as const

export class Attackers {
  readonly tallies = Object.fromEntries(
    kinds.map((kind) => [kind, { statuses: {}, bytesMost: 0, guestsChanges: 0 }]),
  ) as Record<Kind, Tally>
  readonly #attack: Attack
  readonly #agent = new Agent({ keepAlive: true, maxSockets: limits.connections })
  /** Headers of guests and of accounts that were let in. */
  readonly #guests: Record<string, string>[] = []
  readonly #accounts: Record<string, string>[] = []
  readonly #held = new Set<Socket>()
  #messages: string[] = []
  #turn = 0
  #stopping = false
  #hogs = false

  constructor(attack: Attack) {
    this.#attack = attack
    setInterval(this.#drip, limits.dripMs).unref()
  }

  /** How many bodies are on their way. */
  get bodies(): number {
    return [...this.#held].filter((socket) => kindOf.get(socket) === 'bodies').length
  }

  /** First as many people as it can have, who then say all that they may at once; from then on everything at the same time. */
  async begin(): Promise<void> {
    const { guests, accounts } = this.#attack.brings
    await Promise.all([
      ...Array.from({ length: guests }, () => this.#guest()),
      ...Array.from({ length: accounts }, () => this.#account()),
    ])
    await this.#volley()
    const lanes: Record<Kind, [lanes: number, step: () => Promise<void>, pauseMs?: number]> = {
      guests: [2, () => this.#guest()],
      accounts: [2, () => this.#account()],
      passwords: [6, () => this.#guess()],
      rooms: [3, () => this.#room()],
      posts: [16, () => this.#post()],
      volleys: [1, () => this.#volley(), 3000],
      changes: [6, () => this.#change()],
      reactions: [6, () => this.#react()],
      typing: [8, () => this.#type()],
      unread: [1, () => this.#hold('unread', limits.unread), 500],
      streams: [1, () => this.#hold('streams', limits.streams), 500],
      searches: [130, () => this.#search()],
      pages: [2, () => this.#page(), 100],
      bodies: [1, () => this.#hold('bodies', this.#hogs ? limits.bodies.all : limits.bodies.some), 300],
    }
    for (const [count, step, pauseMs] of Object.values(lanes))
      for (let lane = 0; lane < count; lane++) void this.#lane(step, pauseMs)
  }

  /** From now on it wants all connections that there are. */
  hog(): void {
    this.#hogs = true
  }

  /** No more questions; what is open stays open. */
  stop(): void {
    this.#stopping = true
  }

  async #lane(step: () => Promise<void>, pauseMs: number = limits.paceMs.after): Promise<void> {
    // Not all in one tick.
    await sleep(Math.random() * pauseMs)
    while (!this.#stopping) {
      await step()
      await sleep(pauseMs)
    }
  }

  async #ask(kind: Kind, asked: Omit<Asked, 'address'>): Promise<Told> {
    const told = await ask(this.#attack.url, { agent: this.#agent, address: attackersAddress, ...asked })
    this.#count(kind, told.status, { bytes: told.bytes, by: asked.headers })
    if (told.status === 0 || told.status === 429 || told.status === 503) await sleep(limits.paceMs.refused)
    return told
  }

  #count(
    kind: Kind,
    status: number,
    { bytes = 0, by = {} }: { bytes?: number; by?: Record<string, string> | undefined } = {},
  ): void {
    const tally = this.tallies[kind]
    tally.statuses[status] = (tally.statuses[status] ?? 0) + 1
    tally.bytesMost = Math.max(tally.bytesMost, bytes)
    const byAccount = this.#accounts.some(({ cookie }) => cookie === by['cookie'])
    if (status < 300 && status > 0 && limited.has(kind) && !byAccount) tally.guestsChanges++
  }

  /** One of those who were let in, or a name that proves nothing. */
  #somebody(): Record<string, string> {
    const turn = this.#turn++
    const all = [...this.#guests, ...this.#accounts]
    return (
      (turn % 4 === 0 ? undefined : all[turn % all.length]) ?? { authorization: `Basic ${btoa(`name${turn % 100}:`)}` }
    )
  }

  async #guest(): Promise<void> {
    // Few are let in; the rest tries with names that cost something to look at.
    const name =
      this.#guests.length < this.#attack.brings.guests
        ? `guest ${this.#turn++}`
        : this.#turn++ % 2
          ? '\ufdfa'.repeat(20_000)
          : 'e' + '\u0301'.repeat(20_000)
    const told = await this.#ask('guests', { method: 'POST', path: '/session', body: { name } })
    const cookie = cookieIn(told)
    if (cookie !== undefined) this.#guests.push({ cookie })
  }

  async #account(): Promise<void> {
    const told = await this.#ask('accounts', {
      method: 'POST',
      path: '/users',
      body: { name: `account ${this.#turn++}`, password: 'a password of one of many' },
    })
    const cookie = cookieIn(told)
    if (cookie !== undefined) this.#accounts.push({ cookie })
  }

  // Of those who are here, of those who are not, and with the fast path of who came in a moment ago.
  async #guess(): Promise<void> {
    const turn = this.#turn++
    const name = turn % 3 === 0 ? `nobody ${turn}` : this.#attack.accounts[turn % this.#attack.accounts.length]!
    if (turn % 2 === 0)
      await this.#ask('passwords', { method: 'POST', path: '/session', body: { name, password: `guess ${turn}` } })
    else
      await this.#ask('passwords', {
        path: '/session',
        headers: { authorization: `Basic ${btoa(`${name}:guess ${turn}`)}` },
      })
  }

  async #room(): Promise<void> {
    await this.#ask('rooms', {
      method: 'POST',
      path: '/rooms',
      headers: this.#somebody(),
      body: { name: `room ${this.#turn++}`, topic: 'x'.repeat(200), kind: this.#turn % 2 ? 'open' : 'private' },
    })
  }

  async #post(): Promise<void> {
    const texts = [() => rare(longest), () => manyWords, () => fiftyNames, () => rare(255)]
    const headers = { ...this.#somebody(), 'content-type': 'text/plain' }
    await this.#ask('posts', {
      method: 'POST',
      path: `/rooms/${rooms.lobby}/messages`,
      headers,
      body: texts[this.#turn % texts.length]!(),
    })
  }

  // A change is let in before its body is there: so many are asked for before any of them has cost anything.
  async #volley(): Promise<void> {
    const bodies = [rare(longest), manyWords].map((text) => Buffer.from(text))
    const sockets = Array.from({ length: limits.volley }, (_, at) => {
      const body = bodies[at % 2]!
      const headers = {
        ...this.#somebody(),
        'content-type': 'text/plain',
        'content-length': String(body.length),
        connection: 'close',
      }
      const socket = this.#connect(`POST /rooms/${rooms.lobby}/messages`, headers)
      return socket.on('data', (chunk: Buffer) => this.#count('volleys', statusIn(chunk), { by: headers }))
    })
    await sleep(500)
    await Promise.all(
      sockets.map(
        (socket, at) =>
          new Promise<void>((resolve) => {
            if (socket.destroyed) return resolve()
            socket.once('close', () => resolve())
            socket.setTimeout(10_000, () => socket.destroy())
            socket.write(bodies[at % 2]!)
          }),
      ),
    )
  }

  async #change(): Promise<void> {
    const turn = this.#turn
    const headers = this.#somebody()
    const changes: Omit<Asked, 'address'>[] = [
      { method: 'PUT', path: `/rooms/${rooms.hall}/members/me` },
      { method: 'DELETE', path: `/rooms/${rooms.hall}/members/me` },
      { method: 'PATCH', path: '/users/me', body: { name: `name ${turn}` } },
      { method: 'POST', path: '/direct', body: { user: this.#attack.accounts[turn % this.#attack.accounts.length]! } },
      {
        method: 'PATCH',
        path: `/rooms/${rooms.lobby}/messages/${this.#messages.at(-1) ?? 1}`,
        body: { text: rare(longest) },
      },
      { method: 'POST', path: '/invites', body: { room: rooms.lobby } },
      { method: 'PUT', path: `/blocks/${encodeURIComponent(this.#attack.accounts[0]!)}` },
    ]
    await this.#ask('changes', { ...changes[turn % changes.length]!, headers })
  }

  async #react(): Promise<void> {
    if (this.#turn % 100 === 0 || this.#messages.length === 0) await this.#page()
    const id = this.#messages[this.#turn % 10] ?? '1'
    await this.#ask('reactions', {
      method: 'PUT',
      path: `/rooms/${rooms.lobby}/messages/${id}/reactions/${encodeURIComponent(emoji[this.#turn % emoji.length]!)}`,
      headers: this.#somebody(),
    })
  }

  async #type(): Promise<void> {
    const room = this.#turn % 4 ? rooms.lobby : rooms.hall
    await this.#ask('typing', { method: 'POST', path: `/rooms/${room}/typing`, headers: this.#somebody() })
  }

  async #search(): Promise<void> {
    const q = encodeURIComponent(['a '.repeat(200), `"${'a '.repeat(199)}b"`, `${'a '.repeat(199)}b`][this.#turn % 3]!)
    await this.#ask('searches', { path: `/search?limit=100&q=${q}`, headers: this.#somebody() })
  }

  async #page(): Promise<void> {
    const { body, status } = await this.#ask('pages', {
      path: `/rooms/${rooms.lobby}/messages?limit=200`,
      headers: { 'x-forwarded-for': `${junkHeader}, ${attackersAddress}` },
    })
    if (status === 200)
      this.#messages = (JSON.parse(body) as { messages: { id: string }[] }).messages.map(({ id }) => id)
    await this.#ask('pages', { path: '/rooms', headers: this.#somebody() })
  }

  /** Sees to it that so many connections are open. */
  async #hold(kind: 'bodies' | 'streams' | 'unread', most: number): Promise<void> {
    const heads = {
      // A page says often what was read, so that of all that have a body this is refused last.
      bodies: () =>
        this.#connect(`PUT /rooms/${rooms.lobby}/read`, {
          ...this.#somebody(),
          'content-type': 'application/json',
          'content-length': '5000',
        }),
      // Some read nothing of all that there is.
      streams: () =>
        this.#connect(`GET /events${this.#turn % 2 ? '' : '?since=all'}`, {
          ...this.#somebody(),
          accept: 'text/event-stream',
        }),
      unread: () => this.#connect(`GET /rooms/${rooms.lobby}/messages?limit=200`, {}, limits.pipelined),
    }
    let open = [...this.#held].filter((socket) => kindOf.get(socket) === kind).length
    // Some at a time, as its own refusals cost something as well.
    for (let more = 0; open < most && more < limits.atOnce; open++, more++) {
      const socket = heads[kind]()
      kindOf.set(socket, kind)
      this.#held.add(socket)
      socket.once('data', (chunk: Buffer) => {
        this.#count(kind, statusIn(chunk))
        // A proxy has no use for a body that was answered before its end.
        if (kind === 'bodies') socket.destroy()
        else if (kind === 'unread' || this.#held.size % 3 === 0) socket.pause()
        else socket.resume()
      })
      socket.on('close', () => this.#held.delete(socket))
    }
  }

  // A byte now and then for each body that never ends, for as long as there are any.
  #drip = (): void => {
    for (const socket of this.#held) if (kindOf.get(socket) === 'bodies' && !socket.destroyed) socket.write('x')
  }

  #connect(what: string, headers: Record<string, string>, times = 1): Socket {
    const { port } = new URL(this.#attack.url)
    const socket = connect({ port: Number(port), host: '127.0.0.1', noDelay: true })
    socket.on('error', () => {})
    const lines = Object.entries({
      host: publicHost,
      'x-forwarded-for': attackersAddress,
      'sec-fetch-site': 'same-origin',
      ...headers,
    }).map(([name, value]) => `${name}: ${value}\r\n`)
    socket.write(`${what} HTTP/1.1\r\n${lines.join('')}\r\n`.repeat(times))
    return socket
  }
}

const kindOf = new WeakMap<Socket, string>()

function statusIn(chunk: Buffer): number {
  return Number(/^HTTP\/1\.1 (\d{3})/.exec(chunk.toString('latin1', 0, 12))?.[1] ?? 0)
}

// In a process of its own it does what it is told, and says what came of it.
if (process.send && process.env['NATTER_ATTACKERS'] !== undefined) {
  // In truth they have machines of their own, and take nothing of the server's.
  setPriority(Math.min(19, getPriority() + limits.niceness))
  const attackers = new Attackers(JSON.parse(process.env['NATTER_ATTACKERS']) as Attack)
  const report = () => process.send!({ tallies: attackers.tallies, bodies: attackers.bodies } satisfies Report)
  process.on('message', (order: Order) => {
    if (order === 'begin') return void attackers.begin().then(report)
    if (order === 'hog') attackers.hog()
    if (order === 'stop') attackers.stop()
    report()
  })
  process.on('disconnect', () => process.exit())
}
