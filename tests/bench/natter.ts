// natter as its owner runs it, only without limits: with its database on a disk, and a person who has come in.

import { fileURLToPath } from 'node:url'
import type { PeerOptions, RunningPeer } from './peers.ts'
import { startProcess, type Leftovers } from './started-process.ts'
import { textBytes } from './load/text.ts'

const program = fileURLToPath(new URL('../../server.ts', import.meta.url))

export async function startNatter(
  leftovers: Leftovers,
  { data, anyCore = false }: PeerOptions = {},
): Promise<RunningPeer> {
  const folder = data ?? leftovers.folder()
  const parameters = [
    program,
    '--port',
    '0',
    '--data',
    folder,
    '--posts-per-second',
    '0',
    '--posts-per-address',
    '0',
    '--streams-per-address',
    '0',
  ]
  const { stop, ...started } = await startProcess(leftovers, process.execPath, parameters, { anyCore })
  const cookie = await comeIn(started.port)
  return {
    ...started,
    async stop(signal) {
      await stop(signal)
      if (data === undefined) leftovers.removeFolder(folder)
    },
    protocol: 'http',
    replays: true,
    readRequest: (...rooms) =>
      `GET /events?${rooms.map((room) => `room=${room}`).join('&')} HTTP/1.1\r\nHost: 127.0.0.1:${started.port}\r\nAccept: text/event-stream\r\n\r\n`,
    // Bare text with a cookie is taken only from who says, as a browser does, that it is natter's own page that posts.
    postRequest: (room) =>
      `POST /rooms/${room}/messages HTTP/1.1\r\nHost: 127.0.0.1:${started.port}\r\nCookie: ${cookie}\r\nIdempotency-Key: {key}\r\nSec-Fetch-Site: same-origin\r\n` +
      `Content-Type: text/plain\r\nContent-Length: ${textBytes}\r\n\r\n{text}`,
  }
}

async function comeIn(port: number): Promise<string> {
  const answer = await fetch(`http://127.0.0.1:${port}/session`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    // The folder may have been used before, and then its name is taken.
    body: JSON.stringify({ name: `ada-${Date.now().toString(36)}` }),
  })
  const cookie = answer.headers.getSetCookie()[0]?.split(';')[0]
  await answer.body?.cancel()
  if (answer.status !== 201 || cookie === undefined)
    throw new Error(`natter answered ${answer.status} to who wanted to come in`)
  return cookie
}
