// The settings: one table gives the flags, the environment variables, the checks and the help.

import { BlockList, isIP } from 'node:net'
import { parseArgs } from 'node:util'
import { StartError } from './errors.ts'

export interface Settings {
  port: number
  host: string
  data: string
  /** `open`: guests come in by a name; `invite`: only who was invited. */
  access: 'open' | 'invite'
  /** Our own public addresses, as origins. */
  urls: string[]
  /** Other origins whose pages may use it. */
  allowedOrigins: string[]
  /** Whose X-Forwarded-For counts. */
  trustedProxies: BlockList
  /** What the page calls this place. */
  name: string
  /** A person's rate; 0 is no limit. */
  postsPerSecond: number
  /** 0 is no limit. */
  streamsPerAddress: number
}

interface Setting {
  flag: string
  environment: string
  standard: string
  /** What `--help` says of it. */
  help: string
}

const several = 'several times, or with commas, for several'

const table = [
  { flag: 'port', environment: 'PORT', standard: '8080', help: 'where it listens; 0 takes a free one' },
  { flag: 'host', environment: 'HOST', standard: '127.0.0.1', help: 'which address; 0.0.0.0 lets other machines in' },
  { flag: 'data', environment: 'NATTER_DATA', standard: './data', help: 'the folder that keeps everything; :memory: keeps nothing once it stops' },
  { flag: 'access', environment: 'NATTER_ACCESS', standard: 'open', help: 'open: guests come in by a name; invite: only who was invited' },
  { flag: 'url', environment: 'NATTER_URL', standard: '', help: `our public address, if a proxy stands in front; ${several}` },
  { flag: 'allow-origin', environment: 'NATTER_ALLOW_ORIGIN', standard: '', help: `other origins whose pages may use it (CORS); ${several}` },
  { flag: 'trust-proxy', environment: 'NATTER_TRUST_PROXY', standard: 'loopback', help: `proxies whose X-Forwarded-For counts: addresses or ranges; ${several}` },
  { flag: 'name', environment: 'NATTER_NAME', standard: 'natter', help: 'what the page calls this place' },
  { flag: 'posts-per-second', environment: 'NATTER_POSTS_PER_SECOND', standard: '1', help: 'a person\'s rate, ten at once; bots get ten times that; 0 is no limit' },
  { flag: 'streams-per-address', environment: 'NATTER_STREAMS_PER_ADDRESS', standard: '30', help: 'streams open at once; 0 is no limit' },
] as const satisfies readonly Setting[]

const nameCharactersMax = 40

type Flag = (typeof table)[number]['flag']

const widths = (['flag', 'environment', 'standard'] as const).map((column) => Math.max(...table.map((setting) => setting[column].length)))

export const help = `node server.ts [flags]         starts natter
node server.ts check [flags]   reads all that is in the data folder, and says whether it is whole

${table.map(({ flag, environment, standard, help }) => `  --${[flag, environment, standard].map((cell, at) => cell.padEnd(widths[at]!)).join('  ')}  ${help}`).join('\n')}
  --${'help'.padEnd(widths[0]!)}  prints this

A flag wins over the environment variable beside it.`

/**
 * Reads flags and environment; undefined if only help was asked for.
 * @throws StartError in one line if one is unknown or can't be used.
 */
export function readSettings(args: readonly string[], environment: Record<string, string | undefined>): Settings | undefined {
  const flags = parseFlags(args)
  if (flags.help) return undefined
  const given = (flag: Flag) => flags[flag]?.at(-1) ?? (environment[settingOf(flag).environment] || settingOf(flag).standard)
  const list = (flag: Flag) => (flags[flag] ?? [given(flag)]).flatMap((values) => values.split(',')).map((value) => value.trim()).filter(Boolean)
  return {
    port: portOf(given('port')),
    host: notEmpty('--host', given('host')),
    data: notEmpty('--data', given('data')),
    access: accessOf(given('access')),
    urls: list('url').map((url) => originOf('--url', url)),
    allowedOrigins: list('allow-origin').map((origin) => originOf('--allow-origin', origin)),
    trustedProxies: proxiesOf(list('trust-proxy')),
    name: nameOf(given('name')),
    postsPerSecond: rateOf(given('posts-per-second')),
    streamsPerAddress: countOf('--streams-per-address', given('streams-per-address')),
  }
}

function settingOf(flag: Flag): Setting {
  return table.find((setting) => setting.flag === flag)!
}

const option = { type: 'string', multiple: true } as const // of one that is no list the last counts
// `fromEntries` forgets which keys there are.
const options = Object.fromEntries(table.map(({ flag }) => [flag, option])) as Record<Flag, typeof option>

function parseFlags(args: readonly string[]) {
  try {
    return parseArgs({ args: [...args], options: { ...options, help: { type: 'boolean', short: 'h' } } }).values
  } catch (error) {
    // Node's message is one sentence, then advice on `--` that is none here.
    throw new StartError(`${(error instanceof Error ? error.message : String(error)).split('. ')[0]}; --help lists the flags`)
  }
}

function portOf(value: string): number {
  const port = Number(value)
  if (!/^\d{1,5}$/.test(value) || port > 65535) throw new StartError(`--port must be a number from 0 to 65535, not ${JSON.stringify(value)}`)
  return port
}

function notEmpty(flag: string, value: string): string {
  if (value === '') throw new StartError(`${flag} must not be empty`)
  return value
}

function originOf(flag: string, value: string): string {
  const url = URL.canParse(value) ? new URL(value) : undefined
  if (url && /^https?:$/.test(url.protocol) && url.href === `${url.origin}/`) return url.origin
  throw new StartError(`${flag} must be like https://chat.example, not ${JSON.stringify(value)}`)
}

function accessOf(value: string): 'open' | 'invite' {
  if (value === 'open' || value === 'invite') return value
  throw new StartError(`--access must be open or invite, not ${JSON.stringify(value)}`)
}

function nameOf(value: string): string {
  const name = value.trim()
  const { length } = [...name]
  if (length > 0 && length <= nameCharactersMax && !/\p{C}/u.test(name)) return name
  throw new StartError(`--name must have 1 to ${nameCharactersMax} characters, all of them visible, not ${JSON.stringify(value)}`)
}

function rateOf(value: string): number {
  if (/^\d{1,9}(\.\d{1,9})?$/.test(value)) return Number(value)
  throw new StartError(`--posts-per-second must be a number like 2 or 0.5 (0: no limit), not ${JSON.stringify(value)}`)
}

function countOf(flag: string, value: string): number {
  if (/^\d{1,9}$/.test(value)) return Number(value)
  throw new StartError(`${flag} must be a whole number (0: no limit), not ${JSON.stringify(value)}`)
}

function proxiesOf(values: readonly string[]): BlockList {
  const proxies = new BlockList()
  for (const value of values) {
    const [, address = '', bits] = /^([0-9a-f.:]+)(?:\/(\d{1,3}))?$/i.exec(value) ?? []
    const version = isIP(address)
    const family = version === 4 ? 'ipv4' : 'ipv6'
    const most = version === 4 ? 32 : 128
    if (value === 'loopback') {
      proxies.addSubnet('127.0.0.0', 8, 'ipv4')
      proxies.addAddress('::1', 'ipv6')
    } else if (version !== 0 && Number(bits ?? most) <= most) {
      proxies.addSubnet(address, Number(bits ?? most), family)
    } else {
      throw new StartError(`--trust-proxy must be an address, a range like 10.0.0.0/8, or loopback, not ${JSON.stringify(value)}`)
    }
  }
  return proxies
}
