// The page and its files: read once at the start into a map, so that no path is ever put together from a request. What the page
// is made of stands at a path that names its version, and is kept by browsers for good; only the page itself is asked for each time.

import { hash } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { readdirSync, readFileSync } from 'node:fs'
import { extname } from 'node:path'
import { promisify } from 'node:util'
import { brotliCompress, constants, gzip } from 'node:zlib'
import { preferred, type Answer } from '../exchange.ts'
import { joinModules } from './scripts.ts'

const types: Record<string, string> = {
  '.html': 'text/html; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.json': 'application/json',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.webmanifest': 'application/manifest+json',
}

const folder = new URL('../../../static/', import.meta.url)

const pageHeaders = {
  'content-security-policy':
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; manifest-src 'self'; " +
    "worker-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'; require-trusted-types-for 'script'; trusted-types natter",
  'referrer-policy': 'no-referrer',
  'cross-origin-opener-policy': 'same-origin',
}

// A file is packed when it is first asked for, off the event loop. The best that brotli can do would take twice as long, while
// the first visitor waits, and save a fortieth.
const pack = {
  br: (bytes: Uint8Array) => promisify(brotliCompress)(bytes, { params: { [constants.BROTLI_PARAM_QUALITY]: 10 } }),
  gzip: (bytes: Uint8Array) =>
    promisify<Uint8Array, object, Uint8Array>(gzip)(bytes, { level: constants.Z_BEST_COMPRESSION }),
}

interface File {
  type: string
  bytes: Uint8Array
  tag: string
  packed: { [Encoding in keyof typeof pack]?: Promise<Uint8Array> }
  /** Below which path the page finds its texts. */
  texts?: string
}

/** By the path that each has below the chat's own. */
export type Files = ReadonlyMap<string, File>

/**
 * Every file of the folder that a browser may have: under its name, and what never changes under that of its version as well.
 * `base` is the path that all of ours is below, empty for the root; `name` what the page calls this place.
 */
export function readFiles(options: { base: string; name: string }): Files {
  // Two that are in the same folder are for tools, and nothing to a browser.
  const names = readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .map((name) => name.replaceAll('\\', '/'))
    .filter((name) => types[extname(name)] && !/^(package|tsconfig)\.json$/.test(name))
    .sort()
  const read = new Map(names.map((name) => [name, readFileSync(new URL(name, folder))]))
  // Its styles are one file over the wire, in the order in which the page names them: they are packed better, and asked for at once.
  const sheets = [...String(read.get('index.html')).matchAll(/"stylesheet" href="\/static\/(.*)"/g)].map(
    ([, sheet]) => read.get(sheet!)!,
  )
  read.set('page.css', Buffer.concat(sheets))
  for (const [name, bytes] of read)
    if (/\.(html|css|js|webmanifest)$/.test(name)) read.set(name, Buffer.from(withoutComments(String(bytes))))
  const modules = new Map(
    [...read].filter(([name]) => name.endsWith('.js')).map(([name, bytes]) => [name, String(bytes)]),
  )
  const scripts = joinModules(modules, { page: 'chat.js', worker: 'stream/stream-worker.js' })
  const version = tagOf(Buffer.concat([...read, ...scripts].flat().map((part) => Buffer.from(part))))
  const files = new Map([...read].map(([name, bytes]) => [name, fileOf(name, bytes)]))
  for (const [name, file] of [...files])
    if (!/\.(html|webmanifest|js)$/.test(name)) files.set(`static-${version}/${name}`, file)
  for (const [name, code] of scripts) files.set(`static-${version}/${name}`, fileOf(name, Buffer.from(code)))
  // What tells the name of this place may change while the version does not, and so has no other path.
  for (const name of ['index.html', 'manifest.webmanifest'])
    files.set(name, fileOf(name, Buffer.from(fillIn(String(read.get(name)), version, options))))
  files.get('index.html')!.texts = `${options.base}/static-${version}/words/`
  return files
}

const fileOf = (name: string, bytes: Uint8Array): File => ({
  type: types[extname(name)]!,
  bytes,
  tag: tagOf(bytes),
  packed: {},
})

const tagOf = (bytes: Uint8Array): string => hash('sha256', bytes, 'base64url').slice(0, 22)

// The page is HTML as it lies in the folder; what differs from place to place is where it is mounted and what it is called, and
// from version to version where its files are. Functions put the new text in, since in a plain one `$&` would mean something.
function fillIn(html: string, version: string, { base, name }: { base: string; name: string }): string {
  return html
    .replace(/(?:^.*rel="stylesheet".*\n)+/m, '<link rel="stylesheet" href="/static/page.css">\n')
    .replace(
      / (href|src)="\/(static\/)?(?!\/)/g,
      (_, attribute, kept) => ` ${attribute}="${escaped(base)}/${kept ? `static-${version}/` : ''}`,
    )
    .replace(' data-base=""', () => ` data-base="${escaped(base)}"`)
    .replace(/>natter<|"natter"/g, (sign) => (sign.startsWith('>') ? `>${escaped(name)}<` : JSON.stringify(name)))
}

// Nor their indentation: more than a third of what goes over the wire, and nothing to a browser. What is left stays in its line, so that errors name the right one.
function withoutComments(code: string): string {
  const block = /^[ \t]*(?:\/\*[^]*?\*\/|<!--[^]*?-->)$/gm
  return code
    .replace(block, (comment) => comment.replace(/[^\n]/g, ''))
    .replace(/^[ \t]*\/\/.*$|(?<![ \t])[ \t]+\/\/ .*$|^[ \t]+/gm, '')
}

const escaped = (text: string): string => text.replace(/[&<>"]/g, (sign) => `&#${sign.charCodeAt(0)};`)

/** The file at that path, unless the browser has it already. */
export function sendFile(
  files: Files,
  path: string,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<Answer> | undefined {
  const file = files.get(path)
  if (file) response.appendHeader('vary', 'accept-encoding')
  return file && answerWith(file, path, request)
}

async function answerWith(
  { type, bytes, tag, packed, texts }: File,
  path: string,
  { headers: asked }: IncomingMessage,
): Promise<Answer> {
  const encoding = type === types['.png'] ? undefined : preferred(asked['accept-encoding'] ?? '', ['br', 'gzip'])
  const etag = `"${tag}${encoding ? `-${encoding}` : ''}"`
  // Of the languages that the page has the one that the browser names first, as the page itself finds it.
  const language = /(?:^|[ ,])(en|zh)\b/i.exec(asked['accept-language'] ?? '')?.[1]?.toLowerCase() ?? 'en'
  const headers = {
    'content-type': type,
    // Kept, but asked about each time, unless the path is that of this version: a new version of natter is a new page at once.
    'cache-control': path.startsWith('static-') ? 'public, max-age=31536000, immutable' : 'no-cache',
    etag,
    ...(encoding && { 'content-encoding': encoding }),
    // Else it would ask for its texts only when its script is there and runs: a way there and back later.
    ...(texts && { ...pageHeaders, link: `<${texts}${language}.json>; rel=preload; as=fetch; crossorigin` }),
  }
  // A proxy that compresses makes a weak tag of ours, and a browser may know several.
  if (asked['if-none-match']?.includes(etag)) return { status: 304, headers }
  return { status: 200, headers, bytes: encoding ? await (packed[encoding] ??= pack[encoding](bytes)) : bytes }
}
