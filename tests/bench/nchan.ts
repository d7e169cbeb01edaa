// nginx with the module nchan, where it is installed: one worker, and a channel a room.

import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { freePort } from '../free-port.ts'
import type { PeerOptions, RunningPeer } from './peers.ts'
import { startProcess, type Leftovers } from './started-process.ts'
import { textBytes } from './load/text.ts'

/** Where Debian puts it; NCHAN_MODULE names another place. */
export const nchanModule = process.env['NCHAN_MODULE'] ?? '/usr/lib/nginx/modules/ngx_nchan_module.so'

export async function startNchan(leftovers: Leftovers, { anyCore = false }: PeerOptions = {}): Promise<RunningPeer> {
  const folder = leftovers.folder()
  const port = await freePort()
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
    .map((name) => `${name}_temp_path ${folder}/${name};`)
    .join(' ')
  writeFileSync(
    join(folder, 'nginx.conf'),
    `
    load_module ${nchanModule};
    daemon off; master_process off; worker_processes 1; pid ${folder}/pid; error_log stderr error;
    events { worker_connections 16384; }
    http {
      access_log off; keepalive_requests 1000000000; ${temporary}
      server {
        listen 127.0.0.1:${port} backlog=4096;
        location ~ ^/rooms/(.+)/messages$ { nchan_pubsub; nchan_channel_id $1; nchan_channel_id_split_delimiter ','; nchan_message_buffer_length 1000; }
      }
    }`,
  )
  const { stop, ...started } = await startProcess(
    leftovers,
    'nginx',
    ['-p', folder, '-c', join(folder, 'nginx.conf')],
    { port, anyCore },
  )
  return {
    ...started,
    async stop(signal) {
      await stop(signal)
      leftovers.removeFolder(folder)
    },
    protocol: 'http',
    replays: true,
    readRequest: (...rooms) =>
      `GET /rooms/${rooms}/messages HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept: text/event-stream\r\n\r\n`,
    postRequest: (room) => {
      // It passes on what it is given, so it is given what the others make of a text.
      const from = { id: 'u_7f3k7f3k2x', name: 'ada-mi8p2x4k' }
      const message = JSON.stringify({
        id: '1795219200000000',
        room,
        from,
        text: '{text}',
        at: '2026-11-21T00:00:00.000Z',
      })
      const bytes = message.length - '{text}'.length + textBytes
      return `POST /rooms/${room}/messages HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: ${bytes}\r\n\r\n${message}`
    },
  }
}
