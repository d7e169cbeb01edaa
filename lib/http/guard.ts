// Keeps other sites' pages from using natter in the name of whoever visits them: known hosts only on a loopback address
// (against DNS rebinding), and for what changes something a sign that our own page sent it, or no browser at all.

import type { IncomingMessage } from 'node:http'
import { ChatError } from '../errors.ts'
import { isJson } from './body.ts'

/**
 * On a loopback address only those that stand for this machine are ours, and what is in our public addresses.
 * @throws ChatError `misdirected`
 */
export function checkHost(host: string, urls: readonly string[]): void {
  if (host === '' || originsOf(host).some((origin) => urls.includes(origin)) || /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])(:\d+)?$/.test(host)) return
  throw new ChatError('misdirected', `natter does not know itself as ${host}; its owner can start it with --url https://${host} (or http://)`)
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
  throw new ChatError('forbidden', fromBrowser
    ? 'a page of another site may not do this; the owner can name our own address with --url, or the other site with --allow-origin'
    : 'without a browser this needs a name (curl -u ada: …) or the header Content-Type: application/json')
}

function originsOf(host: string): string[] {
  return [`http://${host}`, `https://${host}`]
}
