// The page and its files: read once at the start into a map, so that no path is ever put together from a request.

import { createHash } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import { readdirSync, readFileSync } from 'node:fs'
import { extname } from 'node:path'
import type { Answer } from './exchange.ts'

const types: Record<string, string> = {
  '.html': 'text/html; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.json': 'application/json',
  '.svg': 'image/svg+xml',
}

const pageHeaders = {
  'content-security-policy':
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; manifest-src 'self'; " +
    "form-action 'self'; frame-ancestors 'none'; base-uri 'none'; require-trusted-types-for 'script'",
  'referrer-policy': 'no-referrer',
  'cross-origin-opener-policy': 'same-origin',
}

const folder = new URL('../../static/', import.meta.url)

/** By its name each file that a browser may have, as it is answered with. */
export type Files = ReadonlyMap<string, Answer & { headers: Record<string, string> & { etag: string } }>

/** `base` is the path that all of ours is below, empty for the root; `name` what the page calls this place. */
export function readFiles(options: { base: string; name: string }): Files {
  const files = new Map()
  for (const name of readdirSync(folder)) {
    const type = types[extname(name)]
    if (!type || name === 'package.json' || name === 'tsconfig.json') continue
    const read = readFileSync(new URL(name, folder))
    const bytes = name.endsWith('.html') ? Buffer.from(fillIn(read.toString(), options)) : read
    const headers = {
      'content-type': type,
      'cache-control': 'no-cache', // kept, but asked about each time: a new version of natter is a new page at once
      etag: `"${createHash('sha256').update(bytes).digest('base64url').slice(0, 22)}"`,
      ...(name.endsWith('.html') && pageHeaders),
    }
    files.set(name, { status: 200, headers, bytes })
  }
  return files
}

// The page is HTML as it lies in the folder; what differs from place to place is where it is mounted and what it is called.
// Functions put the new text in, since in a plain one `$&` would mean something.
function fillIn(html: string, { base, name }: { base: string; name: string }): string {
  return html
    .replace(/ (href|src)="\/(?!\/)/g, (_, attribute) => ` ${attribute}="${escaped(base)}/`)
    .replace(' data-base=""', () => ` data-base="${escaped(base)}"`)
    .replaceAll('>natter<', () => `>${escaped(name)}<`)
}

function escaped(text: string): string {
  return text.replace(/[&<>"]/g, (sign) => `&#${sign.charCodeAt(0)};`)
}

/** The file of that name, unless the browser has it already. */
export function sendFile(files: Files, name: string, request: IncomingMessage): Answer | undefined {
  const file = files.get(name)
  // A proxy that compresses makes a weak tag of ours, and a browser may know several.
  if (file && request.headers['if-none-match']?.includes(file.headers.etag)) return { status: 304, headers: file.headers }
  return file
}
