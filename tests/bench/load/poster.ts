// Connections that stay open and carry one request after another: of somebody who posts, or asks.

import { connect, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'

const patienceMs = 30_000

export class Poster {
  /** How many requests were sent, and how many answered. */
  sent = 0
  answered = 0
  /** What the first answer that is no 2xx said. */
  refusal: string | undefined
  /** Is given the answer with its head, a character for each byte. */
  onAnswer = (_answer: string) => {}
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

  send(request: string): void {
    this.sent++
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
      const answer = this.#rest.slice(0, whole)
      this.#rest = this.#rest.slice(whole)
      if (answer[9] !== '2') this.refusal ??= answer
      this.answered++
      this.onAnswer(answer)
    }
  }
}

export function openPosters(port: number, count: number): Promise<Poster[]> {
  return Promise.all(Array.from({ length: count }, () => Poster.open(port)))
}

/** Waits for the last answers, and ends the connections. */
export async function endPosters(posters: readonly Poster[]): Promise<void> {
  const done = await comesTrue(() =>
    posters.every(({ answered, sent, refusal }) => answered === sent || refusal !== undefined),
  )
  const refusal = posters.find((poster) => poster.refusal !== undefined)?.refusal
  for (const poster of posters) poster.close()
  if (refusal !== undefined) throw new Error(`a request was answered: ${refusal.slice(0, 500)}`)
  if (!done) throw new Error('some requests were never answered')
}

/** Puts a text, and a key that was never used before, into what a peer said a post is. */
export class PostRequests {
  #filled = 0

  fill(request: string, text: string): string {
    return request.replace('{key}', `${process.pid}-${this.#filled++}`).replace('{text}', text)
  }
}

/** Resolves when it is true, or when it was waited for long enough: with whether it is. */
export async function comesTrue(claim: () => boolean, withinMs = patienceMs): Promise<boolean> {
  for (const last = performance.now() + withinMs; performance.now() < last && !claim(); ) await sleep(10)
  return claim()
}
