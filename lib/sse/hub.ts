// Topics, who follows them, and the newest events. A stream is a cursor over the events: what is new, what was missed
// and what a slow reader has yet to get are all delivered by one function, `#deliver`.
// Knows nothing of what the events mean, nor where older ones are kept.

import { frameOf, Frames } from './frame.ts'
import { Attendance } from './attendance.ts'
import { readCursor, refusalOf, type CursorRefusal } from './cursor.ts'
import { newFollower, nextPiece, type Follower, type Piece, type Seen } from './follower.ts'
import type { History, HistoryEvent } from './history.ts'
import type { EventMap, FollowOptions, HubEvent, HubOptions } from './hub-options.ts'
import { statsOf, type HubStats } from './hub-stats.ts'
import { RingBuffer } from './ring-buffer.ts'
import { emptyEntry, entryOf, type Entry } from './ring-entry.ts'
import { between, type ServerSentEventsStream } from './server-sent-events-stream.ts'
import { Slices } from './slices.ts'
import { Tick } from './tick.ts'
import { Topics } from './topics.ts'

const limits = {
  ringEntries: 1000,
  ringBytes: 32 * 1024 * 1024, // of frames and of the data they were made from, whatever their number
  tickBytes: 64 * 1024, // of a tick, after which it is delivered without waiting for its end
  pageEvents: 500, // read from history in one go
  topicsAtOnce: 1000, // a stream follows, or no longer follows, before others get the event loop
  readerStuckMs: 20_000, // a reader whose socket took nothing for so long is cut off; its cursor brings it back
}

/**
 * Topics, and the streams that follow them. `Hub<{ price: Price, news: string }>` takes only these events.
 * It starts a timer with its first stream, and has none when the last one is gone.
 */
export class Hub<Events extends EventMap = EventMap> {
  #ring: RingBuffer<Entry>
  #history: History | undefined
  #slices = new Slices()
  #newest: number
  /** Everything up to here was delivered to every stream that is up to date. */
  #delivered: number
  #pendingBytes = 0
  #immediate: NodeJS.Immediate | undefined
  #topics = new Topics()
  #followers = new Map<ServerSentEventsStream, Follower>()
  /** The last one that was delivered. */
  #tick = new Tick()
  #timer: NodeJS.Timeout | undefined
  #pingMs: number
  #onError: (error: unknown) => void
  #attendance: Attendance
  #closed = false

  constructor(options: HubOptions = {}) {
    const { ring = limits.ringEntries, history, newest = 0, pingMs = 25_000, onError } = options
    // Without an entry to deliver from there is nothing to deliver.
    this.#ring = new RingBuffer({ entries: Math.max(ring, 1), bytes: limits.ringBytes, floor: newest })
    this.#history = history
    this.#newest = newest
    this.#delivered = newest
    this.#pingMs = pingMs
    this.#attendance = new Attendance(options)
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
    return statsOf([...this.#followers.values()], this.#ring)
  }

  /**
   * Keeps an event and delivers it at the end of this tick, with all others of the tick in one write a stream.
   * Returns its id.
   * @throws RangeError if a given id is not a whole number above the newest or its frame takes more than 16 MiB of memory, TypeError if
   * it can't be written.
   */
  publish(
    topics: string | readonly string[],
    { event, id = Math.max(this.#newest + 1, Date.now() * 1000), data }: HubEvent<Events>,
  ): number {
    this.#push(entryOf({ id, topics: typeof topics === 'string' ? [topics] : topics, event, data }))
    return id
  }

  /** Moves all cursors on to `id` without sending anything: for events that are nobody's to see. */
  advance(id: number): void {
    this.#push(emptyEntry(id))
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
    this.#tick = new Tick()
    this.#ring.replace(emptyEntry(id))
  }

  /**
   * Goes through the events that are kept in memory, and puts what `revise` gives in the place of each: other data, or `null` for
   * nothing at all, as `forget` does. Undefined leaves it as it is. What was delivered stays delivered.
   */
  revise(revise: (event: Seen) => { data: unknown } | null | undefined): void {
    this.flush()
    this.#tick = new Tick()
    for (const entry of [...this.#ring.after(this.#ring.floor)]) {
      const revised = revise(entry)
      if (revised) this.#ring.replace(entryOf({ ...entry, ...revised }))
      else if (revised === null) this.forget(entry.id)
    }
  }

  /** Sends something that has no id and is not kept, at once; whoever is behind doesn't get it. */
  signal(topics: string | readonly string[], { event, data }: HubEvent<Events>): void {
    this.flush()
    const frames = new Frames(frameOf({ event, data: data === undefined ? '' : data }))
    const told = this.#topics.ofAny(typeof topics === 'string' ? [topics] : topics)
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
    this.#tick = new Tick(from, topics)
    for (const follower of this.#topics.ofAny(topics)) {
      if (!follower.live) continue
      follower.live = false
      follower.stream.cursor = from
      this.#deliver(follower)
    }
  }

  /** How many streams follow a topic. */
  following(topic: string): number {
    return this.#topics.count(topic)
  }

  /** The streams that follow a topic. */
  *followers(topic: string): Generator<ServerSentEventsStream, void> {
    for (const { stream } of this.#topics.of(topic)) if (stream.open) yield stream
  }

  /**
   * Has a stream follow topics: first what it missed since its cursor, then what comes. A cursor that this hub never
   * gave, or can no longer serve, gets a `reset` event. Called again for the same stream it follows more, from now on
   * or after the id given; that must not be older than what was published before the call.
   */
  follow(stream: ServerSentEventsStream, topics: readonly string[], options: FollowOptions = {}): void {
    this.flush()
    const follower = this.#followers.get(stream)
    if (follower) this.#topics.add(follower, topics, options.after ?? this.#newest)
    else if (this.#closed || !stream.open) stream.close()
    else this.#begin(stream, topics, options)
  }

  #begin(stream: ServerSentEventsStream, topics: readonly string[], options: FollowOptions): void {
    const { after, who, more = [] } = options
    const follower = newFollower(stream, options)
    this.#followers.set(stream, follower)
    this.#topics.add(follower, topics, 0)
    stream.whenClosed(this.#forget)
    if (who !== undefined) this.#attendance.open(who)
    this.#timer ??= setInterval(() => this.#lookAfterAll(), 1000).unref()

    const cursor = after ?? readCursor(stream.lastEventId)
    stream.cursor = cursor ?? this.#delivered
    const known = { delivered: this.#delivered, ring: this.#ring, history: this.#history }
    const refusal = after !== undefined || cursor === undefined ? undefined : refusalOf(cursor, known)
    if (typeof refusal === 'string') this.#reset(follower, refusal)
    const refused = refusal instanceof Promise && refusal.then((reason) => reason && this.#reset(follower, reason))
    const waits = [this.#gather(follower, more[Symbol.iterator]()), refused].filter((wait) => typeof wait === 'object')
    if (waits.length > 0) this.#resume(follower, Promise.all(waits))
    else this.#deliver(follower)
  }

  // Follows page after page of topics. Returns a promise if that goes on in later turns.
  #gather(follower: Follower, pages: Iterator<readonly string[]>): Promise<void> | undefined {
    try {
      for (let taken = 0; taken < limits.topicsAtOnce; ) {
        const { value, done } = pages.next()
        if (done) return undefined
        this.#topics.add(follower, value, 0)
        taken += value.length
      }
    } catch (error) {
      // It is one that fails.
      return Promise.reject(error)
    }
    return this.#slices.turn().then(() => (follower.stream.open ? this.#gather(follower, pages) : undefined))
  }

  /** Has a stream no longer follow these topics, at once: what it has not got of them by now it never gets. */
  unfollow(stream: ServerSentEventsStream, topics: readonly string[]): void {
    const follower = this.#followers.get(stream)
    if (!follower) return
    this.flush()
    this.#topics.delete(follower, topics)
    follower.topics = follower.topics.filter((topic) => !topics.includes(topic))
  }

  /** Ends all streams over `spread` ms, each told to come back after a while that differs; then no stream may follow. */
  async close({ spread = 0 }: { spread?: number } = {}): Promise<void> {
    this.flush()
    this.#closed = true
    await Promise.all(
      [...this.#followers.keys()].map(async (stream) => {
        await new Promise((resolve) => setTimeout(resolve, Math.random() * spread))
        stream.send({ retry: between(1000, 5000) })
        stream.close()
        await stream.closed
      }),
    )
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
        follower.stuckAt = performance.now() + limits.readerStuckMs
        return this.#resume(follower, stream.drained())
      }
      if (stream.cursor >= this.#delivered) return this.#becomeLive(follower)
      if (stream.cursor >= this.#ring.floor) {
        const [frames, cursor, count] = this.#piece(follower)
        stream.cursor = cursor
        if (count > 0) stream.write(frames)
      } else if (this.#history) {
        this.#resume(follower, this.#readPage(follower, this.#history))
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
    return this.#tick.pieceOf(follower, this.#topics, () => this.#join(follower, cursor))
  }

  #join(follower: Follower, after: number): Piece {
    return nextPiece(
      this.#ring.after(after),
      { after, upTo: this.#delivered },
      (entry) => this.#sees(follower, entry),
      ({ frame }) => frame,
    )
  }

  #sees(follower: Follower, event: Seen): boolean {
    if (!event.topics.some((topic) => this.#topics.counts(topic, follower, event.id))) return false
    try {
      return follower.filter === undefined || follower.filter(event)
    } catch (error) {
      // It must not keep the event from others, nor show it to this one.
      this.#onError(error)
      return false
    }
  }

  async #readPage(follower: Follower, history: History): Promise<void> {
    const { stream, pageEvents } = follower
    await this.#slices.turn()
    if (!stream.open) return
    // What the ring has is taken from there: history may be written later than we publish.
    const upTo = this.#ring.floor
    const page = history.read(stream.cursor, pageEvents)
    // Taken in the same turn as it is read, since that is most of the work.
    this.#takePage(follower, page instanceof Promise ? await page : page, upTo)
  }

  #takePage(follower: Follower, page: readonly HistoryEvent[], upTo: number): void {
    const { stream, pageEvents } = follower
    // A whole page may go on behind its last event; a short one has all there was when it was asked for.
    if (page.length === pageEvents) upTo = Math.min(upTo, page[page.length - 1]!.id)
    const [frames, cursor, count] = nextPiece(
      page,
      { after: stream.cursor, upTo },
      (event) => this.#sees(follower, event),
      ({ event, id, data = '' }) => frameOf({ event, id, data }),
    )
    // What did not fit is read again. So that large events don't make us read a lot for a little, the next page is as small.
    follower.pageEvents = cursor < upTo ? count + 1 : Math.min(pageEvents * 2, limits.pageEvents)
    stream.cursor = cursor
    if (count > 0) stream.write(frames)
  }

  #reset(follower: Follower, reason: CursorRefusal): void {
    follower.stream.cursor = this.#delivered
    follower.stream.send({ event: 'reset', id: this.#delivered, data: { reason, cursor: String(this.#delivered) } })
  }

  // An event and not a comment, since a page can't see comments. Its id is the stream's cursor, so that a reader who
  // may see little is never left far behind. Before the first event that is 0, and who comes back with it gets all there is.
  #ping(follower: Follower): void {
    follower.pingAt = performance.now() + this.#pingMs * (0.8 + Math.random() * 0.4)
    follower.stream.send({ event: 'ping', id: this.#delivered, data: '{}' })
  }

  // Once a second.
  #lookAfterAll(): void {
    const now = performance.now()
    for (const follower of this.#followers.values()) {
      if (now >= follower.stuckAt) this.#cutOff(follower)
      else if (now >= follower.pingAt && follower.live && !follower.stream.writableNeedDrain) this.#ping(follower)
    }
  }

  // A slow reader: what waits for its socket is let go of, and it comes back with its cursor.
  #cutOff({ stream }: Follower): void {
    stream.destroy()
  }

  async #leaveAll(follower: Follower): Promise<void> {
    const { topics } = follower
    for (let at = 0; at < topics.length; at += limits.topicsAtOnce) {
      if (at > 0) await this.#slices.turn()
      this.#topics.delete(follower, topics.slice(at, at + limits.topicsAtOnce))
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
