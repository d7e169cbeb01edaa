// Many readers on raw sockets, that do as little as can be done: they count the markers in what comes, and of every eighth
// they read when it was sent. All read into one buffer, since none keeps anything.

import { connect, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { marker, timeDigits } from './text.ts'

export type Protocol = 'http' | 'websocket' | 'socket.io'

const limits = {
  chunkBytes: 64 * 1024,
  atOnce: 50, // connections that are being opened, or the server would be flooded
  quietMs: 200, // without a byte, after which what a server says first has been said
  samples: 1 << 21,
}
const sampledEvery = 8
const markerByte = marker.charCodeAt(0)

// In Socket.IO a client asks to come in, in a masked frame of its own, before anything is sent to it.
const socketIoConnect = Buffer.from([0x81, 0x82, 0, 0, 0, 0, 0x34, 0x30])

export class Readers {
  deliveries = 0
  /** How many connections were ended by the server. */
  closed = 0
  /** Called after each read that had a message in it. */
  onDelivery = () => {}
  #sockets: Socket[] = []
  #bytes = 0
  // One byte more than is read into, for a marker at the end of what came: so the search needs no bound.
  #buffer = Buffer.alloc(limits.chunkBytes + 1)
  #delaysMs = new Float64Array(limits.samples)
  #sampled = 0

  /** Opens a connection for each request, and resolves when all have been answered and what comes first is over. */
  async open(port: number, protocol: Protocol, requests: readonly string[]): Promise<void> {
    for (let from = 0; from < requests.length; from += limits.atOnce) {
      await Promise.all(requests.slice(from, from + limits.atOnce).map((request) => this.#openOne(port, protocol, request)))
    }
  }

  async quiet(): Promise<void> {
    for (let before = -1; before !== this.#bytes; ) {
      before = this.#bytes
      await sleep(limits.quietMs)
    }
  }

  /** Counts from here. */
  reset(): void {
    this.deliveries = 0
    this.forgetDelays()
  }

  forgetDelays(): void {
    this.#sampled = 0
  }

  /** From sending to receipt, in milliseconds: which of so many hundredths of the messages were not slower. */
  delays(): { p50: number; p99: number; p999: number } {
    const sorted = this.#delaysMs.slice(0, this.#sampled).sort()
    const at = (part: number) => sorted[Math.floor((sorted.length - 1) * part)] ?? NaN
    return { p50: at(0.5), p99: at(0.99), p999: at(0.999) }
  }

  close(): void {
    for (const socket of this.#sockets) socket.removeAllListeners('close').destroy()
    this.#sockets = []
  }

  #openOne(port: number, protocol: Protocol, request: string): Promise<void> {
    return new Promise((resolve, reject) => {
      let head = ''
      let answered = false
      const take = (bytes: number) => {
        this.#bytes += bytes
        if (answered) {
          this.#count(0, bytes)
          return true
        }
        const before = head.length
        head += this.#buffer.toString('latin1', 0, bytes)
        const end = head.indexOf('\r\n\r\n')
        if (end < 0) return true
        if (!/^HTTP\/1\.1 (200|101) /.test(head)) reject(new Error(`a reader was answered: ${head.slice(0, 200)}`))
        answered = true
        if (protocol === 'socket.io') socket.write(socketIoConnect)
        this.#count(end + 4 - before, bytes)
        resolve()
        return true
      }
      const socket = connect({ port, host: '127.0.0.1', noDelay: true, onread: { buffer: this.#buffer.subarray(0, limits.chunkBytes), callback: take } })
      socket.on('error', reject)
      socket.on('close', () => {
        this.closed++
        reject(new Error('a reader was hung up on'))
      })
      socket.write(request)
      this.#sockets.push(socket)
    })
  }

  #count(from: number, end: number): void {
    const buffer = this.#buffer
    buffer[end] = markerByte
    const before = this.deliveries
    for (let at = buffer.indexOf(markerByte, from); at < end; at = buffer.indexOf(markerByte, at + 1)) {
      // A time that is cut in two by the end of a read is left out.
      if (this.deliveries++ % sampledEvery === 0 && at + timeDigits < end) this.#sample(at + 1)
    }
    if (this.deliveries > before) this.onDelivery()
  }

  #sample(at: number): void {
    if (this.#sampled === limits.samples) return
    const sentMs = parseInt(this.#buffer.toString('latin1', at, at + timeDigits), 16) / 1000
    this.#delaysMs[this.#sampled++] = performance.now() - sentMs
  }
}
