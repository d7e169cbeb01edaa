// What an address is a part of, for whatever is bounded by address.

/**
 * The network of 48 bits that an IPv6 address is in, where the address stands as limits count it (a network of 64 bits). Providers
 * give these away whole, and each has 65,536 of those addresses. Undefined for IPv4, where each address has its price.
 */
export function networkOf(address: string): string | undefined {
  return address.endsWith('::/64') ? `${address.split(':').slice(0, 3).join(':')}::/48` : undefined
}

/** Is an address, as limits count it, this machine's own? For IPv6 that is the network of `::1`, which has no others. */
export function isOwnMachine(address: string): boolean {
  return address.startsWith('127.') || address === '0:0:0:0::/64'
}
