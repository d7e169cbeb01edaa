// Who is measured: for each how it is started, and what a reader and a poster send to it.

import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { startNatter } from './natter.ts'
import { nchanModule, startNchan } from './nchan.ts'
import type { Protocol } from './load/orders.ts'
import { startProcess, type Leftovers, type StartedProcess } from './started-process.ts'
import { textBytes } from './load/text.ts'

export interface Peer {
  name: string
  version(): string
  /** Why it can't run on this machine. */
  cannotRun?: () => string | undefined
  start(leftovers: Leftovers, options?: PeerOptions): Promise<RunningPeer>
}

export interface PeerOptions {
  /** A folder that is filled already, for who keeps anything. */
  data?: string | undefined
  /** It need not share the machine with a load program. */
  anyCore?: boolean
}

export interface RunningPeer extends StartedProcess {
  protocol: Protocol
  /** What somebody sends to read rooms. */
  readRequest(...rooms: string[]): string
  /** What somebody sends to post in one; {text} and {key} are put in. */
  postRequest(room: string): string
  /** Whoever comes back with an id gets what was said since. */
  replays?: boolean
}

const host = 'Host: 127.0.0.1\r\n'

export const webSocketHeaders = `${host}Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n`

const eventStream = (...rooms: string[]) =>
  `GET /rooms/${rooms}/messages HTTP/1.1\r\n${host}Accept: text/event-stream\r\n\r\n`
const webSocket = (...rooms: string[]) => `GET /rooms/${rooms}/messages HTTP/1.1\r\n${webSocketHeaders}`
const socketIo = (...rooms: string[]) =>
  `GET /socket.io/?EIO=4&transport=websocket&rooms=${rooms} HTTP/1.1\r\n${webSocketHeaders}`

const post = (room: string) =>
  `POST /rooms/${room}/messages HTTP/1.1\r\n${host}Content-Type: text/plain\r\nContent-Length: ${textBytes}\r\n\r\n{text}`

/** One of the small programs in servers/. */
function small(file: string, protocol: Protocol, readRequest: (...rooms: string[]) => string): Peer['start'] {
  const path = fileURLToPath(new URL(`servers/${file}.js`, import.meta.url))
  return async (leftovers, { anyCore = false } = {}) => {
    const started = await startProcess(leftovers, process.execPath, [path], { anyCore })
    return { ...started, protocol, readRequest, postRequest: post }
  }
}

function versionOf(folder: string): string {
  const { version } = JSON.parse(readFileSync(new URL(`${folder}/package.json`, import.meta.url), 'utf8')) as {
    version: string
  }
  return version
}

export const peers: readonly Peer[] = [
  { name: 'http', version: () => process.version, start: small('http', 'http', eventStream) },
  { name: 'natter', version: () => versionOf('../..'), start: startNatter },
  {
    name: 'better-sse',
    version: () => versionOf('node_modules/better-sse'),
    start: small('better-sse', 'http', eventStream),
  },
  { name: 'ws', version: () => versionOf('node_modules/ws'), start: small('ws', 'websocket', webSocket) },
  {
    name: 'socket.io',
    version: () => versionOf('node_modules/socket.io'),
    start: small('socket.io', 'socket.io', socketIo),
  },
  {
    name: 'nchan',
    version: () => spawnSync('nginx', ['-v'], { encoding: 'utf8' }).stderr.trim().replace(/^.*\//, 'nginx '),
    cannotRun: () => (existsSync(nchanModule) ? undefined : 'libnginx-mod-nchan is not installed'),
    start: startNchan,
  },
]
