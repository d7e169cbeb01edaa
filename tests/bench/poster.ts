// Somebody who posts, over one connection that stays open.

import { connect, type Socket } from 'node:net'

export class Poster {
  answered = 0
  /** What the first answer that is no 2xx said. */
  refusal: string | undefined
  onAnswer = () => {}
  #socket: Socket
  #rest = ''

  static open(port: number): Promise<Poster> {
    return new Promise((resolve, reject) => {
      const socket = connect({ port, host: '127.0.0.1', noDelay: true })
      socket.once('error', reject)
      socket.once('connect', () => resolve(new Poster(socket)))
    })
  }

  constructor(socket: Socket) {
    this.#socket = socket
    socket.setEncoding('latin1')
    socket.on('data', (chunk: string) => this.#take(chunk))
    socket.on('close', () => (this.refusal ??= 'it hung up'))
  }

  post(request: string): void {
    this.#socket.write(request, 'latin1')
  }

  close(): void {
    this.#socket.destroy()
  }

  #take(chunk: string): void {
    this.#rest += chunk
    for (;;) {
      const end = this.#rest.indexOf('\r\n\r\n')
      if (end < 0) return
      const [, length] = /\r\ncontent-length: (\d+)/i.exec(this.#rest.slice(0, end)) ?? []
      const whole = end + 4 + Number(length ?? 0)
      if (this.#rest.length < whole) return
      if (this.#rest[9] !== '2') this.refusal ??= this.#rest.slice(0, whole)
      this.#rest = this.#rest.slice(whole)
      this.answered++
      this.onAnswer()
    }
  }
}

/** Puts a text, and a key that was never used before, into what a peer said a post is. */
export class PostRequests {
  #sent = 0

  fill(request: string, text: string): string {
    return request.replace('{key}', `${process.pid}-${this.#sent++}`).replace('{text}', text)
  }
}
