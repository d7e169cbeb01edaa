// Requests as they come through a proxy: each says from which address its client came.

import { request, type Agent, type IncomingHttpHeaders } from 'node:http'

/** As a proxy passes it on, and as the server's owner gave it with `--url`. */
export const publicHost = 'chat.example'

export interface Asked {
  method?: string
  path: string
  address: string
  headers?: Record<string, string>
  /** An object is sent as JSON. */
  body?: string | object
  /** A connection of its own unless one is given. */
  agent?: Agent
  /** After which nobody waits any longer. */
  withinMs?: number
}

export interface Told {
  /** 0 if there was no answer. */
  status: number
  headers: IncomingHttpHeaders
  body: string
  /** What of it came over the wire. */
  bytes: number
  /** From the question to the end of the answer. */
  ms: number
}

export function ask(
  url: string,
  { method = 'GET', path, address, headers = {}, body, agent, withinMs = 20_000 }: Asked,
): Promise<Told> {
  return new Promise((resolve) => {
    const started = performance.now()
    const sent = Buffer.from(body === undefined || typeof body === 'string' ? (body ?? '') : JSON.stringify(body))
    const all = {
      host: publicHost,
      'x-forwarded-for': address,
      ...(method !== 'GET' && { 'sec-fetch-site': 'same-origin', 'content-length': String(sent.length) }),
      ...(typeof body === 'object' && { 'content-type': 'application/json' }),
      ...headers,
    }
    const none = () => resolve({ status: 0, headers: {}, body: '', bytes: 0, ms: performance.now() - started })
    const asking = request(url + path, { method, headers: all, agent: agent ?? false, timeout: withinMs }, (answer) => {
      const chunks: Buffer[] = []
      answer.on('data', (chunk: Buffer) => chunks.push(chunk))
      answer.on('error', none)
      answer.on('end', () => {
        const whole = Buffer.concat(chunks)
        resolve({
          status: answer.statusCode!,
          headers: answer.headers,
          body: whole.toString(),
          bytes: whole.length,
          ms: performance.now() - started,
        })
      })
    })
    asking.on('timeout', () => asking.destroy())
    asking.on('error', none)
    asking.end(sent)
  })
}

/** The cookie that an answer gives, as it is sent back. */
export function cookieIn({ headers }: Told): string | undefined {
  return headers['set-cookie']?.[0]?.split(';')[0]
}
