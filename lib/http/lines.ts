// Streams as lines: JSON for programs, words for whoever watches in a terminal. Turns our own frames into them on the way to the
// response; knows nothing of who reads what.

import type { ServerResponse } from 'node:http'
import type { Author, Message, WireEvents } from '../chat/streams/events.ts'
import { escaped, toJson } from '../sse/json.ts'
import type { StreamResponse } from '../sse/server-sent-events-stream.ts'

export type LineType = 'application/x-ndjson' | 'text/plain'

/** Makes lines of frames. The last ones are kept: all streams of a tick are sent the same frames, which are read once. */
export class Lines {
  #last = new Map<LineType, { frames: Uint8Array; lines: Uint8Array }>()

  /** What a stream takes for its response: frames go on to the real one as lines, all else as it is. */
  respond(response: ServerResponse, type: LineType): StreamResponse {
    let pinged = false
    return {
      get socket() {
        return response.socket
      },
      get destroyed() {
        return response.destroyed
      },
      get writableLength() {
        return response.writableLength
      },
      writeHead: (status, headers) =>
        response.writeHead(status, { ...headers, 'content-type': `${type}; charset=utf-8` }),
      write: (frames) => {
        const ping = Buffer.compare(frames.subarray(0, pingStart.length), pingStart) === 0
        // Who watches is told once where the stream is; after that a ping only shows proxies, and us, that its reader is still there.
        const lines = ping && pinged && type === 'text/plain' ? nothingToSee : this.#from(frames, type)
        pinged ||= ping
        if (lines.length > 0) return response.write(lines)
        // Nothing to read yet, but that it was answered.
        response.flushHeaders()
        return !response.writableNeedDrain
      },
      end: () => response.end(),
      destroy: () => response.destroy(),
      on: (event, listener) => response.on(event, listener),
    }
  }

  #from(frames: Uint8Array, type: LineType): Uint8Array {
    const last = this.#last.get(type)
    if (last?.frames === frames) return last.lines
    const text = Buffer.from(frames.buffer, frames.byteOffset, frames.length).toString()
    const made = Array.from(text.matchAll(frame), ({ groups }) => forms[type](groups!)).join('')
    const lines = Buffer.from(made.replace(unsafe, escaped))
    this.#last.set(type, { frames, lines })
    return lines
  }
}

const pingStart = Buffer.from('event: ping\n')

// It moves a terminal's cursor to the start of the line, where it is: an empty line every 25 s would push away what was said.
const nothingToSee = Buffer.from('\r')

// A frame as `encodeFrame` and `encodeComment` write those of a chat: the data is JSON, and so has one line.
const frame =
  /(?:retry: (?<retry>\d+)|: (?<comment>[^\n]*)|(?:event: (?<event>[^\n]*)\n)?(?:id: (?<id>[^\n]*)\n)?data: (?<data>[^\n]*))\n\n/gy

const listed = 'room' // what a stream of the rooms sends without a name, for an EventSource's `onmessage`

// A terminal obeys these, or takes them for the end of a line: control characters but tab and LF, line separators, and what turns the
// direction of all that follows. In JSON the escape means the same character; it takes at most three times as many bytes.
const unsafe = /[\0-\x08\x0b-\x1f\x80-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g

const forms: Record<LineType, (fields: Record<string, string | undefined>) => string> = {
  'application/x-ndjson': ({ retry, comment, event = listed, id, data }) => {
    if (retry !== undefined) return `{"retry":${retry}}\n`
    if (comment !== undefined) return `${toJson({ comment })}\n`
    return `{"event":"${event}",${id === undefined ? '' : `"id":"${id}",`}"data":${data}}\n`
  },
  'text/plain': ({ retry, comment, event = listed, id, data }) => {
    if (retry !== undefined) return ''
    // Each takes the data of its own event, and that is what stands behind its name on the wire.
    const line =
      comment !== undefined
        ? `# ${comment}`
        : (words[event as keyof WireEvents]?.(JSON.parse(data!), id) ?? `* ${event} ${data}`)
    if (line === '') return ''
    // Whatever a text holds, only we begin a line at its start. DEL has a sign of its own, which is shorter than an escape.
    return `${line.replaceAll('\n', '\n  ').replaceAll('\x7f', '␡')}\n`
  },
}

const words: { [Name in keyof WireEvents]: (data: WireEvents[Name], id: string | undefined) => string } = {
  message: said,
  edit: (message) => `${said(message)} (changed)`,
  reaction: ({ room, emoji, from, on }) => `* ${nameOf(from)} ${on ? 'reacted' : 'took back'} ${emoji} in ${room}`,
  delete: ({ room }) => `* a message in ${room} was deleted`,
  join: ({ room, user, role }) => `* ${nameOf(user)} joined ${room}${role ? ' as its owner' : ''}`,
  leave: ({ room, user }) => `* ${nameOf(user)} left ${room}`,
  room: ({ id, name, kind, topic, archived }) =>
    `* room ${id}: ${kind}, called ${name}${archived ? ', archived' : ''}${topic ? `, about ${topic}` : ''}`,
  block: ({ user, on }) => `* you ${on ? 'blocked' : 'no longer block'} ${nameOf(user)}`,
  presence: ({ room, user, state }) => `* ${nameOf(user)} is ${state === 'here' ? 'here' : 'away'}, in ${room}`,
  // Of no use a moment later.
  typing: () => '',
  read: () => '',
  user: (user) => `* user ${nameOf(user)}: ${user.role}${user.banned ? ', banned' : ''}`,
  ping: (_, id) => `# up to date; since=${id} goes on from here; times are UTC`,
  reset: ({ reason, cursor }) =>
    `# what was missed can't be shown (${reason.replace('_', ' ')}); since=${cursor} goes on from here`,
}

function said({ at, room, from, text }: Message): string {
  return `${at.slice(0, 10)} ${at.slice(11, 16)} ${room} <${nameOf(from)}> ${text}`
}

// The brackets around a name must be ours, and who proved nothing must not look like somebody who did.
function nameOf({ name, unproven }: Author): string {
  return name.replace(/[<>]/g, escaped) + (unproven ? '?' : '')
}
