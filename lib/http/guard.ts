// Keeps other sites' pages from using natter in the name of whoever visits them: known hosts only on a loopback address
// (against DNS rebinding), and for what changes something a sign that our own page sent it, or no browser at all.

import type { IncomingMessage } from 'node:http'
import { ChatError } from '../errors.ts'
import { isJson } from './body.ts'

export interface Guard {
  /** @throws ChatError `misdirected` */
  host(host: string): void
  /** @throws ChatError `forbidden` */
  origin(request: IncomingMessage, host: string): void
}

/** `urls` are our public addresses, `allowedOrigins` others' that may do what ours may; `loopback` tells that only this machine can reach us. */
export function createGuard({ urls, allowedOrigins, loopback }: { urls: readonly string[]; allowedOrigins: readonly string[]; loopback: boolean }): Guard {
  const origins = new Set([...urls.map((url) => new URL(url).origin), ...allowedOrigins])
  const hosts = new Set(urls.map((url) => new URL(url).host))
  return {
    host(host) {
      if (!loopback || host === '' || hosts.has(host) || /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])(:\d+)?$/.test(host)) return
      throw new ChatError('misdirected', `natter does not know itself as ${host}; its owner can start it with --url https://${host} (or http://)`)
    },
    origin(request, host) {
      const { origin, authorization, 'sec-fetch-site': site } = request.headers
      if (site === 'same-origin' || site === 'none') return
      const ours = origin !== undefined && (origins.has(origin) || origin === `http://${host}` || origin === `https://${host}`)
      if (ours) return
      const fromBrowser = site !== undefined || origin !== undefined
      if (!fromBrowser && (authorization !== undefined || isJson(request))) return
      throw new ChatError('forbidden', fromBrowser
        ? 'a page of another site may not do this; the owner can name our own address with --url, or the other site with --allow-origin'
        : 'without a browser this needs a name (curl -u ada: …) or the header Content-Type: application/json')
    },
  }
}
