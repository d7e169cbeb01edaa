// Keeps pages of other sites from using natter through the browsers of their visitors. A request must be for a host of ours (against DNS
// rebinding, where a site has its own name lead to our address). A change must come from our own page, or from no browser. A read must not be
// for a page of another site.

import type { IncomingMessage, ServerResponse } from 'node:http'
import { isIP } from 'node:net'
import { ChatError } from '../errors.ts'
import { isJson } from './body.ts'
import type { ConnectionShares } from './limits/connection-shares.ts'
import type { Connections } from './limits/connections.ts'

/** The server is our own, and no other program's. */
export interface OwnServer {
  /** Only this machine can reach it. */
  loopback: boolean
  /** By which names it is reached where no public address was given, beside `localhost` and IP addresses. */
  names: readonly string[]
  /** What its connections are busy with. */
  connections: Connections
  /** How many of them an address may have. */
  shares: ConnectionShares
}

/**
 * A Host must be one of our public addresses, an IP address or `localhost`. No site can have the last two as its name. Where no public address
 * was given, the server's own names are allowed as well.
 * @throws ChatError `misdirected`
 */
export function checkHost(
  host: string,
  { urls, server }: { urls: readonly string[]; server: OwnServer | undefined },
): void {
  // HTTP/1.0 has no Host, and no browser speaks it.
  if (host === '' || isOneOf(host, urls) || isAddress(host)) return
  const name = host.replace(/:\d+$/, '').replace(/\.$/, '')
  if (name === 'localhost' || (urls.length === 0 && server?.names.includes(name))) return
  const setting = server ? `start it with --url https://${host}` : `give createChat urls: ['https://${host}']`
  throw new ChatError('misdirected', `natter does not know itself as ${host}; its owner can ${setting} (or http://)`)
}

/** Is the Host of a request one of these origins? */
export function isOneOf(host: string, urls: readonly string[]): boolean {
  if (urls.length === 0) return false
  if (originsOf(host).some((origin) => urls.includes(origin))) return true
  // The same host may be written with a dot at its end, or with the default port.
  const plain = host.replace(/\.(?=:\d+$|$)/, '')
  return originsOf(plain).some((origin) => urls.includes(URL.parse(origin)?.origin ?? ''))
}

// As browsers read it: 127.1 and 0x7f000001 are IP addresses too.
function isAddress(host: string): boolean {
  // The interface behind an IPv6 address means something to the sender alone.
  const name = URL.parse(`http://${host.replace(/%[^\]]*/, '')}`)?.hostname ?? ''
  return isIP(name.replace(/^\[(.*)\]$/, '$1')) !== 0
}

/**
 * `host` is where the request was sent to, `origins` are others whose pages may do what ours may.
 * @throws ChatError `forbidden`
 */
export function checkOrigin(request: IncomingMessage, host: string, origins: readonly string[]): void {
  const { origin, authorization, 'sec-fetch-site': site } = request.headers
  if (site === 'same-origin' || site === 'none') return
  if (origin !== undefined && [...origins, ...originsOf(host)].includes(origin)) return
  const fromBrowser = site !== undefined || origin !== undefined
  if (!fromBrowser && (authorization !== undefined || isJson(request))) return
  throw new ChatError(
    'forbidden',
    fromBrowser
      ? 'a page of another site may not do this; the owner can name our own address with --url, or the other site with --allow-origin'
      : 'without a browser this needs a name (curl -u ada: …) or the header Content-Type: application/json',
  )
}

/**
 * Refuses a read that a browser makes for a page of another origin. The browser would not show the answer to that page, so all that the page can
 * do with it is to cost its visitor streams, and us work. Following a link is no such read; a frame is one, and so is a prefetch of a link.
 * Browsers say which page asks only to https and to localhost: https://w3c.github.io/webappsec-fetch-metadata/
 * @throws ChatError `forbidden`
 */
export function checkReader(
  request: IncomingMessage,
  response: ServerResponse,
  { host, origins }: { host: string; origins: readonly string[] },
): void {
  const {
    origin,
    'sec-fetch-site': site,
    'sec-fetch-mode': mode,
    'sec-fetch-dest': shownAs = 'document',
    'sec-purpose': purpose,
  } = request.headers
  if (site === undefined || site === 'same-origin' || site === 'none') return
  if (mode === 'navigate' && shownAs === 'document' && purpose === undefined) return
  // Another program's server may have let it in by CORS of its own.
  const letIn = [...origins, ...originsOf(host), response.getHeader('access-control-allow-origin')]
  if (origin !== undefined && (letIn.includes(origin) || letIn.includes('*'))) return
  throw new ChatError('forbidden', 'a page of another site may not read this; the owner can let it with --allow-origin')
}

function originsOf(host: string): string[] {
  return [`http://${host}`, `https://${host}`]
}
