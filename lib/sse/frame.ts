// An event as bytes, by the WHATWG's rules for event streams:
// https://html.spec.whatwg.org/multipage/server-sent-events.html#parsing-an-event-stream

import { toJson } from './json.ts'

/** What goes into one frame. Every field is optional; a frame without `data` and `event` dispatches nothing at the reader. */
export interface StreamEvent {
  /** The event's type. Left out, the reader sees a `message` event. */
  event?: string | undefined
  /** What the reader sends as `Last-Event-ID` when it comes back. */
  id?: string | number | undefined
  /**
   * A string is sent as it is, a line of it behind each `data: `: CR and LF end a line, and other characters that some readers cut lines at
   * (U+2028, U+0085) are the caller's to avoid. Everything else is sent as JSON, in which such characters are escaped.
   */
  data?: unknown
  /** How long the reader waits before it comes back, in whole milliseconds. */
  retry?: number | undefined
}

// Exactly these end a line for the parser; U+2028 and its like do not.
const lineEnd = /\r\n|\r|\n/

/**
 * Encodes one event as a whole frame: LF line ends, a blank line at the end, UTF-8.
 * @throws TypeError if `event` or `id` has a CR, LF or NUL, if `id` is empty, if `retry` is not a whole number, or if
 * `data` has no JSON.
 */
export function encodeFrame(event: StreamEvent): Buffer {
  return Buffer.from(frameOf(event))
}

/** The same before it is made into bytes, which is best done with all that leaves in one write. */
export function frameOf({ event, id, data, retry }: StreamEvent): string {
  let frame = ''
  if (retry !== undefined) {
    if (!Number.isSafeInteger(retry) || retry < 0) throw new TypeError('retry must be a whole number of milliseconds')
    frame += `retry: ${retry}\n`
  }
  if (event !== undefined) frame += `event: ${oneLine('event', event)}\n`
  // An empty id would make the reader forget its cursor.
  if (id !== undefined) frame += `id: ${typeof id === 'number' ? id : oneLine('id', id)}\n`
  if (data !== undefined || event !== undefined) frame += dataLines(data)
  return frame + '\n'
}

/** Encodes a comment, which readers pass over; each of its lines is marked as one. */
export function encodeComment(text: string): Buffer {
  return Buffer.from(
    text
      .split(lineEnd)
      .map((line) => `: ${line}\n`)
      .join('') + '\n',
  )
}

/** Whole frames for one write, in the forms that streams write them in; each form is made once, however many streams write it. */
export class Frames {
  readonly #frames: string | Uint8Array
  #bytes: Uint8Array | undefined
  #chunk: Uint8Array | undefined

  constructor(frames: string | Uint8Array) {
    this.#frames = frames
  }

  /** The frames one behind the other. */
  get bytes(): Uint8Array {
    return (this.#bytes ??= typeof this.#frames === 'string' ? Buffer.from(this.#frames) : this.#frames)
  }

  /** The same as one chunk of an HTTP/1.1 body (RFC 9112, section 7.1). */
  get chunk(): Uint8Array {
    return (this.#chunk ??= chunkOf(this.#frames))
  }
}

function chunkOf(frames: string | Uint8Array): Buffer {
  const head = `${Buffer.byteLength(frames).toString(16)}\r\n`
  return typeof frames === 'string'
    ? Buffer.from(`${head}${frames}\r\n`)
    : Buffer.concat([Buffer.from(head), frames, Buffer.from('\r\n')])
}

function oneLine(field: string, value: string): string {
  if (value === '') throw new TypeError(`${field} must not be empty`)
  if (/[\r\n\0]/.test(value)) throw new TypeError(`${field} must not contain CR, LF or NUL`)
  return value
}

function dataLines(data: unknown): string {
  if (typeof data === 'string' && /[\r\n]/.test(data))
    return data
      .split(lineEnd)
      .map((line) => `data: ${line}\n`)
      .join('')
  // JSON is one line. Without a data line the reader would dispatch nothing, so an event without data gets an empty one.
  const text: string | undefined = data === undefined ? '' : typeof data === 'string' ? data : toJson(data)
  if (text === undefined) throw new TypeError('data must be a string or have a JSON form')
  // The space behind the colon is not decoration: without it the parser would eat a leading space of the text.
  return `data: ${text}\n`
}
