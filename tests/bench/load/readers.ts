// Many readers on raw sockets, that do as little as can be done: they count the markers in what comes, add up the numbers behind
// them, and of every eighth they read when it was sent. All read into one buffer, since none keeps anything.

import { connect, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { Delays } from './delays.ts'
import type { OpenOrder, Protocol, ReaderPlan } from './orders.ts'
import { digits, marker } from './text.ts'

const limits = {
  chunkBytes: 64 * 1024,
  atOnce: 50, // connections that are being opened, or the server would be flooded
  quietMs: 200, // without a byte, after which what a server says first has been said
  quietMaxMs: 10_000, // that this is waited for: some servers send each reader a sign of life now and then
  samples: 1 << 21,
}
const sampledEvery = 8
const markerByte = marker.charCodeAt(0)

// In Socket.IO a client asks to come in, in a masked frame of its own, before anything is sent to it.
const socketIoConnect = Buffer.from([0x81, 0x82, 0, 0, 0, 0, 0x34, 0x30])

/** What a room's readers must have got. */
export interface Due {
  messages: number
  /** Of the messages' numbers, as `checkOf` gives them; it goes round at 32 bits. */
  sum: number
}

export interface Reader {
  readonly rooms: readonly number[]
  messages: number
  sum: number
  /** Of a number that the end of what came cut in two, what was there. */
  cut: string | undefined
}

export class Readers {
  deliveries = 0
  /** How many connections were ended by the server. */
  closed = 0
  /** Called after each read that had a message in it. */
  onDelivery = (_reader: Reader) => {}
  /** Called when a reader is answered, before anything else. */
  onOpen = () => {}
  /** From sending to receipt. */
  readonly delays = new Delays(limits.samples)
  /** The last id of an event, of the first reader alone. */
  cursor: string | undefined
  #readers: Reader[] = []
  #sockets: Socket[] = []
  #bytes = 0
  // One byte more than is read into, for a marker at the end of what came: so the search needs no bound.
  #buffer = Buffer.alloc(limits.chunkBytes + 1)

  /** Opens a connection for each, and resolves when all have been answered. */
  async open(
    { port, protocol, readers }: Pick<OpenOrder, 'port' | 'protocol' | 'readers'>,
    { atOnce = limits.atOnce } = {},
  ): Promise<void> {
    let next = 0
    const openSome = async () => {
      while (next < readers.length) await this.#openOne(port, protocol, readers[next++]!)
    }
    await Promise.all(Array.from({ length: Math.min(atOnce, readers.length) }, openSome))
  }

  async quiet(): Promise<void> {
    const last = performance.now() + limits.quietMaxMs
    for (let before = -1; before !== this.#bytes && performance.now() < last; ) {
      before = this.#bytes
      await sleep(limits.quietMs)
    }
  }

  /** Counts from here. */
  reset(): void {
    this.deliveries = 0
    for (const reader of this.#readers) Object.assign(reader, { messages: 0, sum: 0 })
    this.delays.forget()
  }

  /** @throws Error unless each reader got exactly what was due in its rooms, and nothing twice. */
  check(rooms: readonly Due[]): void {
    if (this.closed > 0) throw new Error(`${this.closed} readers were hung up on`)
    for (const [number, { rooms: own, messages, sum }] of this.#readers.entries()) {
      const due = { messages: 0, sum: 0 }
      for (const room of own) {
        due.messages += rooms[room]!.messages
        due.sum = (due.sum + rooms[room]!.sum) | 0
      }
      if (messages !== due.messages) throw new Error(`reader ${number} got ${messages} of ${due.messages} messages`)
      if (sum !== due.sum) throw new Error(`reader ${number} got ${messages} messages, and not those that were sent`)
    }
  }

  close(): void {
    for (const socket of this.#sockets) socket.removeAllListeners('close').destroy()
    this.#sockets = []
    this.#readers = []
  }

  #openOne(port: number, protocol: Protocol, { request, rooms }: ReaderPlan): Promise<void> {
    const reader: Reader = { rooms, messages: 0, sum: 0, cut: undefined }
    const isFirst = this.#readers.push(reader) === 1
    return new Promise((resolve, reject) => {
      let head = ''
      let answered = false
      const take = (bytes: number) => {
        this.#bytes += bytes
        if (isFirst) this.#readCursor(bytes)
        if (answered) {
          this.#count(reader, 0, bytes)
          return true
        }
        const before = head.length
        head += this.#buffer.toString('latin1', 0, bytes)
        const end = head.indexOf('\r\n\r\n')
        if (end < 0) return true
        if (!/^HTTP\/1\.1 (200|101) /.test(head)) reject(new Error(`a reader was answered: ${head.slice(0, 200)}`))
        answered = true
        this.onOpen()
        if (protocol === 'socket.io') socket.write(socketIoConnect)
        this.#count(reader, end + 4 - before, bytes)
        resolve()
        return true
      }
      const socket = connect({
        port,
        host: '127.0.0.1',
        noDelay: true,
        onread: { buffer: this.#buffer.subarray(0, limits.chunkBytes), callback: take },
      })
      socket.on('error', reject)
      socket.on('close', () => {
        this.closed++
        reject(new Error('a reader was hung up on'))
      })
      socket.write(request)
      this.#sockets.push(socket)
    })
  }

  #readCursor(bytes: number): void {
    const lines = this.#buffer.toString('latin1', 0, bytes).match(/^id: ?.+$/gm)
    this.cursor = lines?.at(-1)?.replace(/^id: ?/, '') ?? this.cursor
  }

  #count(reader: Reader, from: number, end: number): void {
    const buffer = this.#buffer
    if (reader.cut !== undefined) this.#finishCut(reader, from, end)
    buffer[end] = markerByte
    const before = reader.messages
    for (let at = buffer.indexOf(markerByte, from); at < end; at = buffer.indexOf(markerByte, at + 1)) {
      reader.messages++
      if (at + digits < end) {
        reader.sum = (reader.sum + buffer.readUInt32BE(at + digits - 3)) | 0
        if (this.deliveries % sampledEvery === 0) this.#sample(at + 1)
      } else {
        reader.cut = buffer.toString('latin1', at + 1, end)
      }
      this.deliveries++
    }
    if (reader.messages > before) this.onDelivery(reader)
  }

  #finishCut(reader: Reader, from: number, end: number): void {
    const number =
      reader.cut! + this.#buffer.toString('latin1', from, Math.min(end, from + digits - reader.cut!.length))
    reader.cut = number.length < digits ? number : undefined
    if (reader.cut === undefined) reader.sum = (reader.sum + Buffer.from(number, 'latin1').readUInt32BE(digits - 4)) | 0
  }

  #sample(at: number): void {
    const sentMs = parseInt(this.#buffer.toString('latin1', at, at + digits), 16) / 1000
    this.delays.add(performance.now() - sentMs)
  }
}

/** Counts what is sent to so many rooms. */
export function nothingDue(rooms: number): Due[] {
  return Array.from({ length: rooms }, () => ({ messages: 0, sum: 0 }))
}
