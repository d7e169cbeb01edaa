// From which address a request comes, when proxies may stand in between. Knows nothing of what is limited by it.

import type { IncomingHttpHeaders } from 'node:http'
import { isIPv4, isIPv6, type BlockList } from 'node:net'

type Asked = { socket: { remoteAddress?: string | undefined }; headers: IncomingHttpHeaders }

/**
 * The client's address as limits count it, or undefined where a trusted proxy names none. Each proxy adds to the right of
 * X-Forwarded-For whom it was asked by, so it is read from there as far as the trusted ones go; what stands further left was
 * written by the client, and proves nothing.
 */
export function clientAddress({ socket, headers }: Asked, trusted: BlockList): string | undefined {
  // Without an address it is a Unix socket, where only this machine's proxies are.
  const peer = socket.remoteAddress === undefined ? undefined : readAddress(socket.remoteAddress)
  if (peer !== undefined && !isTrusted(peer, trusted)) return countedAs(peer)
  // Node has joined several such headers to one.
  const hops = String(headers['x-forwarded-for'] ?? '').split(',').reverse()
  // Read one by one, since a client can send thousands.
  const client = hops.values().map(readAddress).find((address) => address === undefined || !isTrusted(address, trusted))
  return client && countedAs(client)
}

function isTrusted(address: string, trusted: BlockList): boolean {
  return trusted.check(address, address.includes(':') ? 'ipv6' : 'ipv4')
}

// Some proxies add a port, and a link-local address its interface. An IPv4 address has one form, however it is wrapped.
function readAddress(text: string): string | undefined {
  const bare = /^\s*(?:\[(.+)\](?::\d+)?|([\d.]+):\d+|(\S+?)(?:%\S+)?)\s*$/.exec(text)
  const address = bare?.[1] ?? bare?.[2] ?? bare?.[3] ?? ''
  if (isIPv4(address)) return address
  if (!isIPv6(address)) return undefined
  // URL writes all forms alike, with the longest run of zeros left out.
  const alike = new URL(`http://[${address}]`).hostname.slice(1, -1)
  const mapped = /^::ffff:([0-9a-f]+):([0-9a-f]+)$/.exec(alike)
  return mapped ? mapped.slice(1).flatMap((group) => [parseInt(group, 16) >> 8, parseInt(group, 16) & 255]).join('.') : alike
}

// Whoever has an IPv6 address has a whole network of 64 bits to choose it from, which its first four groups name.
function countedAs(address: string): string {
  if (!address.includes(':')) return address
  const [head = [], tail = []] = address.split('::').map((part) => part.split(':').filter(Boolean))
  const zeros = Array<string>(8 - head.length - tail.length).fill('0')
  return `${[...head, ...zeros, ...tail].slice(0, 4).join(':')}::/64`
}
