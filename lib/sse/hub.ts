// Topics, who follows them, and the newest events. A stream is a cursor over the events: what is new, what was missed
// and what a slow reader has yet to get are all delivered by one function, `#deliver`.
// Knows nothing of what the events mean, nor where older ones are kept.

import { frameOf, Frames } from './frame.ts'
import { Attendance } from './attendance.ts'
import { nextPiece, type Follower, type Piece, type Seen } from './follower.ts'
import { HistoryReader, type History, type HistoryEvent } from './history.ts'
import type { EventMap, FollowOptions, HubEvent, HubOptions, HubStats } from './hub-options.ts'
import { RingBuffer } from './ring-buffer.ts'
import { Slices } from './slices.ts'
import { between, type ServerSentEventsStream } from './server-sent-events-stream.ts'

const limits = {
  ringEntries: 1000,
  ringBytes: 32 * 1024 * 1024, // of frames and of the data they were made from, whatever their number
  tickBytes: 64 * 1024, // of a tick, after which it is delivered without waiting for its end
  pageEvents: 500, // read from history in one go
  topicsAtOnce: 1000, // a stream follows, or no longer follows, before others get the event loop
  stuckMs: 20_000, // a reader whose socket took nothing for so long is cut off; its cursor brings it back
  entryOverheadBytes: 200, // what a ring entry takes beside its frame
}

interface Entry extends Seen {
  readonly frame: string
  readonly bytes: number
}

/**
 * Topics, and the streams that follow them. `Hub<{ price: Price, news: string }>` takes only these events.
 * It starts a timer with its first stream, and has none when the last one is gone.
 */
export class Hub<Events extends EventMap = EventMap> {
  #ring: RingBuffer<Entry>
  #history: History | undefined
  #reader: HistoryReader | undefined
  #slices = new Slices()
  #newest: number
  /** Everything up to here was delivered to every stream that is up to date. */
  #delivered: number
  #pendingBytes = 0
  #immediate: NodeJS.Immediate | undefined
  /** Who follows each topic, and the id after which it counts for them. */
  #topics = new Map<string, Map<Follower, number>>()
  #followers = new Map<ServerSentEventsStream, Follower>()
  /** The last tick's frames, joined once for all streams that may see the same of its topics. */
  #tick: { from: number; topics: readonly string[]; pieces: Map<string, Piece> } = { from: -1, topics: [], pieces: new Map() }
  #timer: NodeJS.Timeout | undefined
  #pingMs: number
  #onError: (error: unknown) => void
  #attendance: Attendance
  #closed = false

  constructor({ ring = limits.ringEntries, history, newest = 0, pingMs = 25_000, came, left, graceMs = 5000, onError }: HubOptions = {}) {
    // Without an entry to deliver from there is nothing to deliver.
    this.#ring = new RingBuffer({ entries: Math.max(ring, 1), bytes: limits.ringBytes, floor: newest })
    this.#history = history
    this.#reader = history && new HistoryReader(history, this.#slices)
    this.#newest = newest
    this.#delivered = newest
    this.#pingMs = pingMs
    this.#attendance = new Attendance({ graceMs, came, left })
    this.#onError = onError ?? ((error) => process.emitWarning(error instanceof Error ? error : String(error)))
  }

  /** The newest id. */
  get newest(): number {
    return this.#newest
  }

  /** Everyone who has a stream, or had one a moment ago; see `who` in `follow`. */
  get here(): string[] {
    return this.#attendance.here
  }

  /** Is somebody one of these? */
  isHere(who: string): boolean {
    return this.#attendance.has(who)
  }

  stats(): HubStats {
    const followers = [...this.#followers.values()]
    // Ids are microseconds, so the ring tells how often something was published.
    const now = Date.now() * 1000
    const since = Math.max(now - 10e6, this.#ring.floor)
    return {
      streams: followers.length,
      behind: followers.filter(({ live }) => !live).length,
      bytesBuffered: followers.reduce((sum, { stream }) => sum + stream.writableLength, 0),
      eventsPerSecond: ([...this.#ring.after(since)].length * 1e6) / Math.max(now - since, 1e6),
    }
  }

  /**
   * Keeps an event and delivers it at the end of this tick, with all others of the tick in one write a stream.
   * Returns its id.
   * @throws RangeError if a given id is not a whole number above the newest or its frame takes more than 16 MiB of memory, TypeError if
   * it can't be written.
   */
  publish(topics: string | readonly string[], { event, id = Math.max(this.#newest + 1, Date.now() * 1000), data }: HubEvent<Events>): number {
    this.#push(this.#entryOf({ id, topics: typeof topics === 'string' ? [topics] : topics, event, data }))
    return id
  }

  #entryOf({ id, topics, event, data }: Seen): Entry {
    const frame = frameOf({ event, id, data: data === undefined ? '' : data })
    const encoded = Buffer.byteLength(frame)
    // One character beyond Latin-1 has V8 keep two bytes for each.
    const kept = encoded === frame.length ? encoded : Math.max(encoded, 2 * frame.length)
    return { id, topics, event, data, frame, bytes: 2 * kept + limits.entryOverheadBytes }
  }

  /** Moves all cursors on to `id` without sending anything: for events that are nobody's to see. */
  advance(id: number): void {
    this.#push({ id, topics: [], frame: '', bytes: limits.entryOverheadBytes })
  }

  #push(entry: Entry): void {
    if (entry.bytes > limits.ringBytes) throw new RangeError(`an event of ${entry.bytes} bytes is too large`)
    // A tick is delivered from the ring, so the ring must drop nothing that is not delivered.
    const full = this.#ring.size === this.#ring.entriesMax && this.#ring.oldest!.id > this.#delivered
    if (full || this.#pendingBytes + entry.bytes > limits.tickBytes) this.flush()
    this.#ring.push(entry)
    this.#newest = entry.id
    this.#pendingBytes += entry.bytes
    if (this.#pendingBytes >= limits.tickBytes) this.flush()
    else this.#immediate ??= setImmediate(() => this.flush())
  }

  /** Sends nobody this event any more who has not got it yet: its id stays, and moves cursors on. */
  forget(id: number): void {
    this.flush()
    this.#tick = { from: -1, topics: [], pieces: new Map() }
    this.#ring.replace({ id, topics: [], frame: '', bytes: limits.entryOverheadBytes })
  }

  /**
   * Goes through the events that are kept in memory, and puts what `revise` gives in the place of each: other data, or `null` for
   * nothing at all, as `forget` does. Undefined leaves it as it is. What was delivered stays delivered.
   */
  revise(revise: (event: Seen) => { data: unknown } | null | undefined): void {
    this.flush()
    this.#tick = { from: -1, topics: [], pieces: new Map() }
    for (const entry of [...this.#ring.after(this.#ring.floor)]) {
      const revised = revise(entry)
      if (revised) this.#ring.replace(this.#entryOf({ ...entry, ...revised }))
      else if (revised === null) this.forget(entry.id)
    }
  }

  /** Sends something that has no id and is not kept, at once; whoever is behind doesn't get it. */
  signal(topics: string | readonly string[], { event, data }: HubEvent<Events>): void {
    this.flush()
    const frames = new Frames(frameOf({ event, data: data === undefined ? '' : data }))
    const told = this.#followersOf(typeof topics === 'string' ? [topics] : topics)
    for (const { live, stream } of told) if (live && !stream.writableNeedDrain) stream.write(frames)
  }

  /** Delivers what was published in this tick now, instead of at its end. */
  flush(): void {
    clearImmediate(this.#immediate)
    this.#immediate = undefined
    this.#pendingBytes = 0
    if (this.#newest === this.#delivered) return
    const from = this.#delivered
    this.#delivered = this.#newest
    const topics = new Set([...this.#ring.after(from)].flatMap((entry) => entry.topics))
    this.#tick = { from, topics: [...topics], pieces: new Map() }
    for (const follower of this.#followersOf(topics)) {
      if (!follower.live) continue
      follower.live = false
      follower.stream.cursor = from
      this.#deliver(follower)
    }
  }

  #followersOf(topics: Iterable<string>): Set<Follower> {
    const found = new Set<Follower>()
    for (const topic of topics) for (const follower of this.#topics.get(topic)?.keys() ?? []) found.add(follower)
    return found
  }

  /** How many streams follow a topic. */
  following(topic: string): number {
    return this.#topics.get(topic)?.size ?? 0
  }

  /** The streams that follow a topic. */
  *followers(topic: string): Generator<ServerSentEventsStream, void> {
    for (const { stream } of [...(this.#topics.get(topic)?.keys() ?? [])]) if (stream.open) yield stream
  }

  /**
   * Has a stream follow topics: first what it missed since its cursor, then what comes. A cursor that this hub never
   * gave, or can no longer serve, gets a `reset` event. Called again for the same stream it follows more, from now on
   * or after the id given; that must not be older than what was published before the call.
   */
  follow(stream: ServerSentEventsStream, topics: readonly string[], { after, who, more = [], filter }: FollowOptions = {}): void {
    this.flush()
    const known = this.#followers.get(stream)
    if (known) return this.#subscribe(known, topics, after ?? this.#newest)
    if (this.#closed || !stream.open) return stream.close()
    const follower: Follower = { stream, who, filter, topics: [], since: 0, live: false, waiting: false, pageEvents: 128, pingAt: performance.now(), stuckAt: Infinity }
    this.#followers.set(stream, follower)
    this.#subscribe(follower, topics, 0)
    stream.whenClosed(this.#forget)
    if (who !== undefined) this.#attendance.open(who)
    this.#timer ??= setInterval(() => this.#second(), 1000).unref()

    const { lastEventId } = stream
    // NaN for what is no id at all: it is equal to none, and so unknown.
    const cursor = after ?? (lastEventId === undefined ? undefined : /^\d{1,16}$/.test(lastEventId) ? Number(lastEventId) : NaN)
    stream.cursor = cursor ?? this.#delivered
    const waits = [this.#gather(follower, more[Symbol.iterator]()), after === undefined && cursor !== undefined && this.#check(follower, cursor)].filter((wait) => typeof wait === 'object')
    if (waits.length > 0) this.#resume(follower, Promise.all(waits))
    else this.#deliver(follower)
  }

  // Follows page after page of topics. Returns a promise if that goes on in later turns.
  #gather(follower: Follower, pages: Iterator<readonly string[]>): Promise<void> | undefined {
    try {
      for (let taken = 0; taken < limits.topicsAtOnce; ) {
        const { value, done } = pages.next()
        if (done) return undefined
        this.#subscribe(follower, value, 0)
        taken += value.length
      }
    } catch (error) {
      // It is one that fails.
      return Promise.reject(error)
    }
    return this.#slices.turn().then(() => (follower.stream.open ? this.#gather(follower, pages) : undefined))
  }

  // Sends a reset if the cursor can't be served. Returns a promise if history has yet to say so.
  #check(follower: Follower, cursor: number): Promise<void> | undefined {
    const issued = this.#issued(cursor)
    if (typeof issued === 'object') return issued.then((has) => { if (!has) this.#reset(follower, 'unknown_cursor') })
    if (issued !== true) this.#reset(follower, issued || 'unknown_cursor')
    return undefined
  }

  /** Has a stream no longer follow these topics, at once: what it has not got of them by now it never gets. */
  unfollow(stream: ServerSentEventsStream, topics: readonly string[]): void {
    const follower = this.#followers.get(stream)
    if (!follower) return
    this.flush()
    this.#leave(follower, topics)
    follower.topics = follower.topics.filter((topic) => !topics.includes(topic))
  }

  /** Ends all streams over `spread` ms, each told to come back after a while that differs; then no stream may follow. */
  async close({ spread = 0 }: { spread?: number } = {}): Promise<void> {
    this.flush()
    this.#closed = true
    await Promise.all([...this.#followers.keys()].map(async (stream) => {
      await new Promise((resolve) => setTimeout(resolve, Math.random() * spread))
      stream.send({ retry: between(1000, 5000) })
      stream.close()
      await stream.closed
    }))
    this.#attendance.end()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  // Moves one stream on as far as its socket takes it: from the ring, or else from history. It returns with the stream
  // up to date, over, or waiting to be called again. There must be no await in here: a publish in between would tear the order.
  #deliver(follower: Follower): void {
    const { stream } = follower
    while (stream.open && !follower.waiting) {
      if (stream.writableNeedDrain) {
        follower.stuckAt = performance.now() + limits.stuckMs
        return this.#resume(follower, stream.drained())
      }
      if (stream.cursor >= this.#delivered) return this.#becomeLive(follower)
      if (stream.cursor >= this.#ring.floor) {
        const [frames, cursor, count] = this.#piece(follower)
        stream.cursor = cursor
        if (count > 0) stream.write(frames)
      } else if (this.#reader) {
        this.#resume(follower, this.#readPage(follower, this.#reader))
      } else {
        this.#reset(follower, 'too_old')
      }
    }
  }

  #becomeLive(follower: Follower): void {
    follower.live = true
    follower.stream.cursor = this.#delivered
    // The first time it is told at once, with its cursor: cut off before the first event, it still knows where it was.
    if (follower.pingAt <= performance.now()) this.#ping(follower)
  }

  #resume(follower: Follower, until: Promise<unknown>): void {
    follower.waiting = true
    until.then(
      () => {
        follower.waiting = false
        follower.stuckAt = Infinity
        this.#deliver(follower)
      },
      (error) => {
        follower.stream.close()
        this.#onError(error)
      },
    )
  }

  // What comes next for this stream from the ring, joined; and where its cursor is then.
  #piece(follower: Follower): Piece {
    const { cursor } = follower.stream
    if (cursor !== this.#tick.from || cursor < follower.since || follower.filter) return this.#join(follower, cursor)
    // By their places: a topic's name may have any character in it. An array made for each reader was a third of a delivery's garbage.
    const key = this.#tick.topics.reduce((places, topic, at) => (this.#topics.get(topic)?.has(follower) ? `${places}${at},` : places), '')
    let piece = this.#tick.pieces.get(key)
    if (!piece) this.#tick.pieces.set(key, (piece = this.#join(follower, cursor)))
    return piece
  }

  #join(follower: Follower, after: number): Piece {
    return nextPiece(this.#ring.after(after), { after, upTo: this.#delivered }, (entry) => this.#sees(follower, entry), ({ frame }) => frame)
  }

  #sees(follower: Follower, event: Seen): boolean {
    if (!event.topics.some((topic) => event.id > (this.#topics.get(topic)?.get(follower) ?? Infinity))) return false
    try {
      return follower.filter === undefined || follower.filter(event)
    } catch (error) {
      // It must not keep the event from others, nor show it to this one.
      this.#onError(error)
      return false
    }
  }

  async #readPage(follower: Follower, reader: HistoryReader): Promise<void> {
    const { stream, pageEvents } = follower
    // What the ring has is taken from there: history may be written later than we publish.
    let upTo = 0
    const ask = (): [number, number] | undefined => {
      upTo = this.#ring.floor
      return stream.open ? [stream.cursor, pageEvents] : undefined
    }
    await reader.read(ask, (page) => this.#takePage(follower, page, upTo))
  }

  #takePage(follower: Follower, page: readonly HistoryEvent[], upTo: number): void {
    const { stream, pageEvents } = follower
    // A whole page may go on behind its last event; a short one has all there was when it was asked for.
    if (page.length === pageEvents) upTo = Math.min(upTo, page[page.length - 1]!.id)
    const [frames, cursor, count] = nextPiece(page, { after: stream.cursor, upTo }, (event) => this.#sees(follower, event), ({ event, id, data = '' }) => frameOf({ event, id, data }))
    // What did not fit is read again. So that large events don't make us read a lot for a little, the next page is as small.
    follower.pageEvents = cursor < upTo ? count + 1 : Math.min(pageEvents * 2, limits.pageEvents)
    stream.cursor = cursor
    if (count > 0) stream.write(frames)
  }

  // True if it was given out, false if history says not, or a promise of either; else why it can't be served.
  #issued(cursor: number): boolean | Promise<boolean> | 'unknown_cursor' | 'too_old' {
    if (cursor === this.#delivered || cursor === this.#ring.floor || this.#ring.has(cursor)) return true
    // What is no number is not below the newest either.
    if (!(cursor < this.#delivered)) return 'unknown_cursor'
    if (!this.#history) return cursor < this.#ring.floor ? 'too_old' : 'unknown_cursor'
    try {
      return this.#history.has(cursor)
    } catch (error) {
      // It is one that fails.
      return Promise.reject(error)
    }
  }

  #reset(follower: Follower, reason: 'unknown_cursor' | 'too_old'): void {
    follower.stream.cursor = this.#delivered
    follower.stream.send({ event: 'reset', id: this.#delivered, data: { reason, cursor: String(this.#delivered) } })
  }

  // An event and not a comment, since a page can't see comments. Its id is the stream's cursor, so that a reader who
  // may see little is never left far behind. Before the first event that is 0, and who comes back with it gets all there is.
  #ping(follower: Follower): void {
    follower.pingAt = performance.now() + this.#pingMs * (0.8 + Math.random() * 0.4)
    follower.stream.send({ event: 'ping', id: this.#delivered, data: '{}' })
  }

  #second(): void {
    const now = performance.now()
    for (const follower of this.#followers.values()) {
      if (now >= follower.stuckAt) follower.stream.destroy()
      else if (now >= follower.pingAt && follower.live && !follower.stream.writableNeedDrain) this.#ping(follower)
    }
  }

  #subscribe(follower: Follower, topics: readonly string[], after: number): void {
    const added = [...new Set(topics)].filter((topic) => !this.#topics.get(topic)?.has(follower))
    follower.topics = follower.topics.concat(added)
    if (added.length > 0) follower.since = Math.max(follower.since, after)
    for (const topic of added) {
      const followers = this.#topics.get(topic)
      if (followers) followers.set(follower, after)
      else this.#topics.set(topic, new Map([[follower, after]]))
    }
  }

  #leave(follower: Follower, topics: readonly string[]): void {
    for (const topic of topics) {
      const followers = this.#topics.get(topic)
      followers?.delete(follower)
      if (followers?.size === 0) this.#topics.delete(topic)
    }
  }

  async #leaveAll(follower: Follower): Promise<void> {
    const { topics } = follower
    for (let at = 0; at < topics.length; at += limits.topicsAtOnce) {
      if (at > 0) await this.#slices.turn()
      this.#leave(follower, topics.slice(at, at + limits.topicsAtOnce))
    }
  }

  readonly #forget = (stream: ServerSentEventsStream): void => {
    const follower = this.#followers.get(stream)!
    follower.live = false
    void this.#leaveAll(follower)
    this.#followers.delete(stream)
    if (follower.who !== undefined) this.#attendance.close(follower.who)
    if (this.#followers.size > 0) return
    clearInterval(this.#timer)
    this.#timer = undefined
  }
}
