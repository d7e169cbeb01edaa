// From which address a request comes, when proxies may stand in between. Knows nothing of what is limited by it.

import type { IncomingHttpHeaders } from 'node:http'
import { BlockList, isIPv4, isIPv6 } from 'node:net'
import type { Settings, TrustedProxies } from '../../config.ts'
import type { Log } from '../../log.ts'
import { isOneOf } from '../guard.ts'

const limits = {
  addressCharacters: 80, // an IPv6 address with its interface, in brackets and with a port: nothing longer is one
  hops: 20, // proxies between a client and us: those that stand further left are not looked at
}

export interface ClientsOptions extends Pick<Settings, 'trustProxy' | 'urls'> {
  /** Gets a line for the owner, each time that there is a reason. */
  log: Log
}

type Asked = { socket: { remoteAddress?: string | undefined }; headers: IncomingHttpHeaders }

/** The addresses of clients as limits count them. */
export class Clients {
  readonly #options: ClientsOptions
  /** A proxy on this machine was seen to pass on which host its clients ask for. */
  #hostIsPassedOn = false

  constructor(options: ClientsOptions) {
    this.#options = options
  }

  /**
   * The client's address, or undefined where a proxy names no client or can't be trusted to name the right one. Nobody is limited by address
   * then, since all clients of the proxy would share one. `host` is the request's.
   *
   * By default a proxy on this machine is trusted if it passes on a Host that is one of our addresses. A proxy that was not set up for us sends
   * a Host of its own, which its clients can't choose, and may pass on an X-Forwarded-For that they wrote. The clients of a proxy that
   * passes the Host on can choose it: once one was seen, its X-Forwarded-For counts with any Host, or `Host: localhost` would lift every limit.
   */
  addressOf(asked: Asked, host: string): string | undefined {
    const { trustProxy, urls, log } = this.#options
    const peer = peerOf(asked)
    if (!trustProxy.byUrl || (peer !== undefined && !isTrusted(peer, trustProxy)))
      return clientAddress(asked, trustProxy)
    const [last] = hopsOf(asked)
    // The proxy wrote the last one, even if it is this machine's own address.
    const client = last === undefined ? undefined : readAddress(last)
    const ours = isOneOf(host, urls)
    this.#hostIsPassedOn ||= ours && client !== undefined
    if (ours || this.#hostIsPassedOn) return client && countedAs(client)
    if (last !== undefined) log(notBelieved)
    return undefined
  }
}

/** Whose connection it is, as limits count it; undefined if a trusted proxy's, or this machine's own. */
export function ownAddressOf(asked: Pick<Asked, 'socket'>, trusted: TrustedProxies): string | undefined {
  const peer = asked.socket.remoteAddress === undefined ? undefined : readAddress(asked.socket.remoteAddress)
  return peer === undefined || isTrusted(peer, loopback) || isTrusted(peer, trusted) ? undefined : countedAs(peer)
}

const loopback = new BlockList()
loopback.addSubnet('127.0.0.0', 8, 'ipv4')
loopback.addAddress('::1', 'ipv6')

const notBelieved =
  'what a proxy on this machine sends as X-Forwarded-For is not believed, since its Host is none of --url, and so nothing can be limited by address: have it pass ' +
  'Host on (nginx: proxy_set_header Host $http_host; proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for), and start natter with --url; or, if it never ' +
  'passes on what clients forward themselves, with --trust-proxy loopback'

/**
 * The client's address as limits count it, or undefined where a trusted proxy names none. Each proxy adds to the right of
 * X-Forwarded-For whom it was asked by, so it is read from there as far as the trusted ones go; what stands further left was
 * written by the client, and proves nothing.
 */
export function clientAddress(asked: Asked, trusted: TrustedProxies): string | undefined {
  const peer = peerOf(asked)
  if (peer !== undefined && !isTrusted(peer, trusted)) return countedAs(peer)
  if (trusted.rules.length === 0) return undefined
  // Read one by one, since a client can send thousands.
  const hops = hopsOf(asked).slice(0, limits.hops)
  const client = hops
    .values()
    .map(readAddress)
    .find((address) => address === undefined || !isTrusted(address, trusted))
  return client && countedAs(client)
}

/**
 * Was the connection reset before its request was read? The system no longer tells whose it was then. A Unix socket, which only proxies on this
 * machine reach, has no address at either end.
 */
export function wasReset({
  remoteAddress,
  localAddress,
}: {
  remoteAddress?: string | undefined
  localAddress?: string | undefined
}): boolean {
  return remoteAddress === undefined && localAddress !== undefined
}

function peerOf({ socket }: Asked): string | undefined {
  return socket.remoteAddress === undefined ? undefined : readAddress(socket.remoteAddress)
}

// The last comes first. Node has joined several such headers to one.
function hopsOf({ headers }: Asked): string[] {
  const forwarded = headers['x-forwarded-for']
  return forwarded === undefined ? [] : String(forwarded).split(',').reverse()
}

function isTrusted(address: string, trusted: BlockList): boolean {
  return trusted.check(address, address.includes(':') ? 'ipv6' : 'ipv4')
}

// Some proxies add a port, and a link-local address its interface. An IPv4 address has one form, however it is wrapped.
function readAddress(text: string): string | undefined {
  const written = text.trim()
  if (written.length > limits.addressCharacters) return undefined
  const [, inBrackets, beforePort] = /^(?:\[([^\]]*)\](?::\d{1,5})?|([\d.]+):\d{1,5})$/.exec(written) ?? []
  const [address = ''] = (inBrackets ?? beforePort ?? written).split('%')
  if (isIPv4(address)) return address
  if (!isIPv6(address)) return undefined
  // URL writes all forms alike, with the longest run of zeros left out.
  const alike = new URL(`http://[${address}]`).hostname.slice(1, -1)
  const mapped = /^::ffff:([0-9a-f]+):([0-9a-f]+)$/.exec(alike)
  return mapped
    ? mapped
        .slice(1)
        .flatMap((group) => [parseInt(group, 16) >> 8, parseInt(group, 16) & 255])
        .join('.')
    : alike
}

// Whoever has an IPv6 address has a whole network of 64 bits to choose it from, which its first four groups name.
function countedAs(address: string): string {
  if (!address.includes(':')) return address
  const [head = [], tail = []] = address.split('::').map((part) => part.split(':').filter(Boolean))
  const zeros = Array<string>(8 - head.length - tail.length).fill('0')
  return `${[...head, ...zeros, ...tail].slice(0, 4).join(':')}::/64`
}
