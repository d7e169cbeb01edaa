// A request's body, read within bounds and parsed once.

import type { IncomingMessage } from 'node:http'
import { ChatError } from '../errors.ts'
import { Patience } from './limits/patience.ts'

export const bodyLimits = {
  bytes: 64 * 1024,
  drainBytes: 8 * 1024 * 1024, // of a body that is too large are read and dropped, so that its sender sees the answer
}

/** Where a request carries what is told of its body. */
const tellSize = Symbol('tells the size of the body')

type Told = IncomingMessage & { [tellSize]?: ((bytes: number) => void) | undefined }

/** Has a function told, once a body was read, refused or cut off, how many bytes of it came. What nobody reads tells nothing. */
export function whenBodyArrived(request: Told, tell: (bytes: number) => void): void {
  request[tellSize] = tell
}

/**
 * The whole body as text.
 * @throws ChatError `too_large`, `timeout`, or `invalid_request` if it is packed, cut off or not UTF-8.
 */
export async function readText(request: IncomingMessage): Promise<string> {
  // What middleware of another server has read can't be read again: it would be waited for in vain.
  const bytes = request.readableDidRead || request.readableEnded ? bytesOfParsed(request) : await readBytes(request)
  return decode(bytes, 'the body')
}

const utf8 = new TextDecoder('utf-8', { fatal: true })

/** @throws ChatError `invalid_request` */
export function decode(bytes: Uint8Array, what: string): string {
  try {
    return utf8.decode(bytes)
  } catch {
    throw new ChatError('invalid_request', `${what} is not valid UTF-8`)
  }
}

/** How many bytes of a body may be kept at once, before any of them is there. */
export function bytesToCome({ headers }: IncomingMessage): number {
  const length = headers['transfer-encoding'] === undefined ? Number(headers['content-length'] ?? 0) : Infinity
  return Math.min(length, bodyLimits.bytes)
}

interface Kinds {
  string: string
  number: number
  boolean: boolean
  strings: string[]
}

type Spec = Record<string, keyof Kinds | `${keyof Kinds}?`>

type Fields<Wanted extends Spec> = {
  [Name in keyof Wanted]: Wanted[Name] extends keyof Kinds
    ? Kinds[Wanted[Name]]
    : Wanted[Name] extends `${infer Kind extends keyof Kinds}?`
      ? Kinds[Kind] | undefined
      : never
}

/**
 * The body as a JSON object that has only these fields, each of its kind; those marked `?` may be missing. Where all are, so may
 * be the body.
 * @throws ChatError `invalid_json`, `unknown_field`, `invalid_request`, and as `readText`
 */
export async function readFields<const Wanted extends Spec>(
  request: IncomingMessage,
  wanted: Wanted,
): Promise<Fields<Wanted>> {
  const text = await readText(request)
  const optional = Object.values(wanted).every((kind) => kind.endsWith('?'))
  const value = text === '' && optional ? {} : parseObject(text)
  for (const name of Object.keys(value)) {
    if (!Object.hasOwn(wanted, name))
      throw new ChatError(
        'unknown_field',
        `unknown field ${JSON.stringify(name.slice(0, 40))}; known here: ${Object.keys(wanted).join(', ')}`,
      )
  }
  for (const [name, kind] of Object.entries(wanted)) {
    const given = Object.hasOwn(value, name) ? value[name] : undefined
    if (given === undefined && !kind.endsWith('?')) throw new ChatError('invalid_request', `${name} is missing`)
    if (given !== undefined && !isOfKind(given, kind.replace('?', '')))
      throw new ChatError(
        'invalid_request',
        `${name} must be ${kind.startsWith('strings') ? 'a list of strings' : `a ${kind.replace('?', '')}`}`,
      )
  }
  // Every field was just seen to be known and of its kind.
  return value as Fields<Wanted>
}

function isOfKind(value: unknown, kind: string): boolean {
  if (kind === 'strings') return Array.isArray(value) && value.every((one) => typeof one === 'string')
  return typeof value === kind
}

/** Is the body declared to be JSON? */
export function isJson(request: IncomingMessage): boolean {
  return /^application\/json\s*(;|$)/i.test(request.headers['content-type'] ?? '')
}

function parseObject(text: string): Record<string, unknown> {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (error) {
    // V8's message quotes the input, which is not ours to repeat; where it broke off is.
    const where =
      /position \d+|end of JSON input/.exec(String(error))?.[0].replace('end', 'unexpected end') ?? 'it does not parse'
    throw new ChatError('invalid_json', `the body is not JSON: ${where}`)
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new ChatError('invalid_json', 'the body must be a JSON object')
  return value as Record<string, unknown>
}

// What is in `request.body` if the server that carries us has read it: parsed if it was JSON, or as it was.
function bytesOfParsed(request: Told & { body?: unknown }): Uint8Array {
  const { body } = request
  if (body === undefined)
    throw new Error(
      'the body was read before natter got the request, and is not in request.body; have the chat before what reads bodies, or put it there',
    )
  const asItWas = typeof body === 'string' || body instanceof Uint8Array
  if (!asItWas && !isJson(request))
    throw new ChatError(
      'invalid_request',
      'the body was taken for a form; send JSON, or the bare text with Content-Type: text/plain',
    )
  const bytes = body instanceof Uint8Array ? body : Buffer.from(asItWas ? body : JSON.stringify(body))
  request[tellSize]?.(Math.min(bytes.length, bodyLimits.bytes))
  if (bytes.length > bodyLimits.bytes || Number(request.headers['content-length']) > bodyLimits.bytes)
    throw tooLargeError()
  return bytes
}

function tooLargeError(): ChatError {
  return new ChatError('too_large', `the body is larger than ${bodyLimits.bytes} bytes`)
}

function readBytes(request: Told): Promise<Buffer> {
  const packed = request.headers['content-encoding'] ?? 'identity'
  // Unpacked it could be a thousand times as long.
  if (!/^(identity)?$/i.test(packed))
    throw new ChatError('invalid_request', 'the body has a Content-Encoding; send it as it is, not packed')
  return new Promise((resolve, reject) => {
    const { socket } = request
    const chunks: Buffer[] = []
    let received = 0
    // Of what is dropped nobody has any use.
    const tell = () => {
      request[tellSize]?.(Math.min(received, bodyLimits.bytes))
      request[tellSize] = undefined
    }
    // Of a body that was refused the rest is dropped as it comes, and waited for no longer than this either.
    const patience = new Patience(() => {
      tell()
      reject(new ChatError('timeout', 'the body did not arrive in time; send it in one go'))
      // The sender may still read the answer, but what it sends next would be taken for a new request.
      setTimeout(() => request.destroy(), 1000).unref()
    })
    const over = () => {
      patience.end()
      socket.off('close', cutOff)
      tell()
    }
    const cutOff = () => {
      over()
      // Who goes away in the middle of a body is no mistake of ours. If it was refused already, this says nothing.
      reject(new ChatError('invalid_request', 'the body was cut off'))
    }
    request.on('data', (chunk: Buffer) => {
      received += chunk.length
      patience.came(chunk.length)
      if (received > bodyLimits.drainBytes) return request.destroy()
      if (received > bodyLimits.bytes) {
        tell()
        return reject(tooLargeError())
      }
      chunks.push(chunk)
    })
    request.on('end', () => {
      over()
      resolve(chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks))
    })
    request.on('error', cutOff)
    // Once a request is answered, it hears nothing of its connection.
    socket.on('close', cutOff)
    if (Number(request.headers['content-length']) > bodyLimits.bytes) reject(tooLargeError())
  })
}
