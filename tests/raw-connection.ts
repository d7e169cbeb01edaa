// A connection whose bytes a test writes and reads itself, where fetch would tidy them up.

import { connect, type Socket } from 'node:net'
import { patienceMs } from './chat-server.ts'

/** An answer as it came: its head, and its body with what framed it taken off. */
export interface RawAnswer {
  status: number
  head: string
  headers: Map<string, string>
  /** Each chunk of a chunked body, or else all of it. */
  chunks: Buffer[]
  body: Buffer
}

export class RawConnection {
  readonly socket: Socket
  /** Resolves when the other side has ended it. */
  readonly over: Promise<void>
  #chunks: Buffer[] = []
  #wake: () => void = () => {}
  #closed = false

  constructor(url: string) {
    const { port } = new URL(url)
    this.socket = connect(Number(port), '127.0.0.1')
    this.socket.on('data', (chunk: Buffer) => {
      this.#chunks.push(chunk)
      this.#wake()
    })
    // A server may well cut off somebody who sends what these tests do.
    this.socket.on('error', () => {})
    this.over = new Promise((resolve) => {
      this.socket.on('close', () => {
        this.#closed = true
        this.#wake()
        resolve()
      })
    })
  }

  /** Sends these bytes and gives back all that came until the other side ended the connection. */
  static async ask(url: string, bytes: string | Uint8Array): Promise<Buffer> {
    const connection = new RawConnection(url)
    connection.send(bytes)
    await connection.until(() => false)
    return connection.bytes
  }

  get bytes(): Buffer {
    return Buffer.concat(this.#chunks)
  }

  get text(): string {
    return this.bytes.toString('latin1')
  }

  send(bytes: string | Uint8Array): void {
    this.socket.write(bytes)
  }

  /** Resolves when the text that came (a character a byte) satisfies this, or no more comes; true if it does. */
  until(satisfied: (text: string) => boolean): Promise<boolean> {
    return this.#until(() => satisfied(this.text))
  }

  /** The same for what stands at the end of all that came, where that is megabytes: the rest is not looked at again with each piece. */
  untilLast(words: string): Promise<boolean> {
    return this.#until(() => Buffer.concat(this.#chunks.slice(-8)).includes(words))
  }

  /** What was answered so far. */
  answer(): RawAnswer {
    return readAnswer(this.bytes)
  }

  leave(): void {
    this.socket.destroy()
  }

  async #until(satisfied: () => boolean): Promise<boolean> {
    const late = setTimeout(() => this.socket.destroy(), patienceMs)
    try {
      while (!satisfied()) {
        if (this.#closed) return false
        await new Promise<void>((resolve) => (this.#wake = resolve))
      }
      return true
    } finally {
      clearTimeout(late)
    }
  }
}

/** Takes one answer apart; what has not come whole of its chunks is left out. */
export function readAnswer(bytes: Buffer): RawAnswer {
  const end = bytes.indexOf('\r\n\r\n')
  if (end < 0) throw new Error(`no head in ${JSON.stringify(bytes.toString('latin1'))}`)
  const head = bytes.toString('latin1', 0, end)
  const [statusLine = '', ...lines] = head.split('\r\n')
  const headers = new Map(
    lines.map((line) => [line.slice(0, line.indexOf(':')).toLowerCase(), line.slice(line.indexOf(':') + 1).trim()]),
  )
  const rest = bytes.subarray(end + 4)
  const chunks = headers.get('transfer-encoding') === 'chunked' ? chunksOf(rest) : [rest]
  return { status: Number(statusLine.split(' ')[1]), head, headers, chunks, body: Buffer.concat(chunks) }
}

// https://www.rfc-editor.org/rfc/rfc9112#section-7.1
function chunksOf(bytes: Buffer): Buffer[] {
  const chunks: Buffer[] = []
  for (let at = 0; ; ) {
    const lineEnd = bytes.indexOf('\r\n', at)
    if (lineEnd < 0) return chunks
    const size = bytes.toString('latin1', at, lineEnd)
    if (!/^[0-9a-f]+$/i.test(size)) throw new Error(`no chunk size: ${JSON.stringify(size)}`)
    const start = lineEnd + 2
    const end = start + parseInt(size, 16)
    if (end === start || end + 2 > bytes.length) return chunks
    if (bytes.toString('latin1', end, end + 2) !== '\r\n') throw new Error('a chunk does not end where it says')
    chunks.push(bytes.subarray(start, end))
    at = end + 2
  }
}

/** Sends bytes in one go and resolves with all that comes back until the server ends the connection. */
export function sendAtOnce(url: string, bytes: string): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect(Number(new URL(url).port), '127.0.0.1')
    let back = ''
    socket.on('data', (chunk) => (back += chunk))
    socket.on('error', () => {})
    socket.on('close', () => resolve(back))
    socket.write(bytes)
  })
}
