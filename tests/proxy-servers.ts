// Real proxies in front of a server of a test: nginx and Caddy, as they come and as the README sets them up.

import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { patienceMs, temporaryFolder, type Scope } from './chat-server.ts'
import { freePort } from './free-port.ts'

const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8')

/** For the options of a test that needs it. */
export const noNginx = spawnSync('nginx', ['-v']).error ? 'there is no nginx' : false
export const noCaddy = spawnSync('caddy', ['version']).error ? 'there is no caddy' : false

/** What the README has nginx do for natter, but for the address of its upstream. */
export function nginxAsShown(): string {
  const [, directives] = /proxy_pass http:\/\/127\.0\.0\.1:8080;\n([^}]*)}/.exec(readme) ?? []
  assert.ok(directives, 'the README shows no nginx')
  return directives
}

/** Starts an nginx in front of a server; gives back the address to ask. */
export function startNginx(t: Scope, upstream: string, directives: string): Promise<string> {
  return startProxy(t, (folder, port) => {
    const file = join(folder, 'nginx.conf')
    const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
      .map((name) => `${name}_temp_path ${folder}/${name};`)
      .join(' ')
    writeFileSync(
      file,
      `
      daemon off; master_process off; worker_processes 1; pid ${folder}/pid; error_log stderr warn;
      events { worker_connections 256; }
      http { access_log off; ${temporary} server { listen 127.0.0.1:${port}; location / { proxy_pass ${upstream}; ${directives} } } }`,
    )
    return ['nginx', '-p', folder, '-c', file]
  })
}

/** Starts a Caddy for a site, which listens by HTTP; `inside` stands beside what the README has it do. */
export function startCaddy(t: Scope, upstream: string, { site = '', inside = '' } = {}): Promise<string> {
  const [, proxied] = /\{\n\s*(reverse_proxy) 127\.0\.0\.1:8080\n\s*\}/.exec(readme) ?? []
  assert.ok(proxied, 'the README shows no Caddy')
  return startProxy(t, (folder, port) => {
    const file = join(folder, 'Caddyfile')
    writeFileSync(
      file,
      `
      {
        admin off
        auto_https off
        storage file_system ${folder}
      }
      http://${site}:${port} {
        bind 127.0.0.1
        ${proxied} ${upstream} {
          ${inside}
        }
      }`,
    )
    return ['caddy', 'run', '--config', file, '--adapter', 'caddyfile']
  })
}

// They take no port 0 and tell no port, so that another may have taken it by then.
async function startProxy(t: Scope, configure: (folder: string, port: number) => string[]): Promise<string> {
  for (let attempt = 0; ; attempt++) {
    const folder = await temporaryFolder(t)
    const port = await freePort()
    const [program, ...args] = configure(folder, port)
    const child = spawn(program!, args, {
      stdio: ['ignore', 'ignore', 'pipe'],
      env: { ...process.env, HOME: folder, XDG_CONFIG_HOME: folder, XDG_DATA_HOME: folder },
    })
    let errors = ''
    child.stderr.on('data', (chunk) => (errors += chunk))
    const over = once(child, 'exit')
    t.after(async () => {
      child.kill('SIGKILL')
      await over
    })
    if (await Promise.race([listens(port), over.then(() => false)])) return `http://127.0.0.1:${port}`
    assert.ok(attempt < 3, errors)
  }
}

async function listens(port: number): Promise<boolean> {
  for (const until = performance.now() + patienceMs; performance.now() < until; ) {
    const socket = connect(port, '127.0.0.1')
    const connected = await new Promise<boolean>((resolve) =>
      socket.on('connect', () => resolve(true)).on('error', () => resolve(false)),
    )
    socket.destroy()
    if (connected) return true
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
  return false
}

/** Sends a request as it is given, from an address of this machine's own; gives back all that comes. */
export async function askFrom(
  localAddress: string,
  url: string,
  what: string,
  { headers = {}, body = '' }: { headers?: Record<string, string>; body?: string } = {},
): Promise<string> {
  const { hostname, port, host } = new URL(url)
  const socket = connect({ host: hostname, port: Number(port), localAddress })
  let back = ''
  socket.on('data', (chunk) => (back += chunk))
  socket.on('error', () => {})
  const all = Object.entries({
    Host: host,
    'Content-Type': 'application/json',
    ...headers,
    'Content-Length': Buffer.byteLength(body),
    Connection: 'close',
  })
  socket.write(`${what} HTTP/1.1\r\n${all.map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n${body}`)
  await once(socket, 'close')
  return back
}
