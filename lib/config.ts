// The settings: one table gives the flags, the environment variables, the options of createChat, the checks and the help.

import { BlockList, isIP } from 'node:net'
import { parseArgs, type ParseArgsOptionsConfig } from 'node:util'
import { StartError } from './errors.ts'

interface Setting {
  flag: string
  environment: string
  standard: string
  /** What `--help` says of it. */
  help: string
  /** It may be given several times, or with commas. */
  several?: true
  /** Takes it as it was given, and what it is called there. @throws StartError */
  read(value: string, name: string): unknown
}

const portOf = number(/^\d{1,5}$/, 'a number from 0 to 65535', 65535)
const rateOf = number(/^\d{1,9}(\.\d{1,9})?$/, 'a number like 2 or 0.5 (0: no limit)')
const countOf = number(/^\d{1,9}$/, 'a whole number (0: no limit)')

/** What is kept free on the disk: the least of these bytes and this share of it. */
export interface DiskReserve {
  bytes: number
  /** From 0 to 1. */
  share: number
}

export const table = {
  port: {
    flag: 'port',
    environment: 'PORT',
    standard: '8080',
    read: portOf,
    help: 'where it listens; 0 takes a free one',
  },
  host: {
    flag: 'host',
    environment: 'HOST',
    standard: '127.0.0.1',
    read: notEmpty,
    help: 'which address; 0.0.0.0 lets other machines in',
  },
  data: {
    flag: 'data',
    environment: 'NATTER_DATA',
    standard: './data',
    read: notEmpty,
    help: 'the folder that keeps everything; :memory: keeps nothing once it stops',
  },
  access: {
    flag: 'access',
    environment: 'NATTER_ACCESS',
    standard: 'open',
    read: accessOf,
    help: 'open: guests come in by a name; invite: only who was invited',
  },
  urls: {
    flag: 'url',
    environment: 'NATTER_URL',
    standard: '',
    several: true,
    read: originsOf,
    help: 'our public address: with it no other name is served',
  },
  allowOrigins: {
    flag: 'allow-origin',
    environment: 'NATTER_ALLOW_ORIGIN',
    standard: '',
    several: true,
    read: originsOf,
    help: 'other origins whose pages may use it (CORS)',
  },
  trustProxy: {
    flag: 'trust-proxy',
    environment: 'NATTER_TRUST_PROXY',
    standard: 'by-url',
    several: true,
    read: proxiesOf,
    help: 'proxies whose X-Forwarded-For counts: addresses, ranges, loopback; by-url: loopback, where Host is one of --url',
  },
  name: {
    flag: 'name',
    environment: 'NATTER_NAME',
    standard: 'natter',
    read: nameOf,
    help: 'what the page calls this place',
  },
  postsPerSecond: {
    flag: 'posts-per-second',
    environment: 'NATTER_POSTS_PER_SECOND',
    standard: '1',
    read: rateOf,
    help: "a person's rate, ten at once; bots get ten times that; 0 is no limit",
  },
  postsPerAddress: {
    flag: 'posts-per-address',
    environment: 'NATTER_POSTS_PER_ADDRESS',
    standard: '10',
    read: rateOf,
    help: 'a rate for all guests of an address together, ten times that at once; 0 is no limit',
  },
  streamsPerAddress: {
    flag: 'streams-per-address',
    environment: 'NATTER_STREAMS_PER_ADDRESS',
    standard: '100',
    read: countOf,
    help: 'streams open at once; 0 is no limit',
  },
  diskReserve: {
    flag: 'disk-reserve',
    environment: 'NATTER_DISK_RESERVE',
    standard: '1GiB,5%',
    several: true,
    read: reserveOf,
    help: 'room that is left free on the disk, like 500MB or 5%, the least of several: below it only accounts may add anything; 0 is none',
  },
} as const satisfies Record<string, Setting>

export type Settings = { [Name in keyof typeof table]: ReturnType<(typeof table)[Name]['read']> }

// `entries` forgets which keys there are.
const entries = Object.entries(table) as [keyof Settings, Setting][]

const nameCharactersMax = 40

const widths = (['flag', 'environment', 'standard'] as const).map((column) =>
  Math.max(...entries.map(([, setting]) => setting[column].length)),
)

const helpLines = entries.map(([, { flag, environment, standard, help: does, several }]) => {
  const cells = [flag, environment, standard].map((cell, at) => cell.padEnd(widths[at]!))
  return `  --${cells.join('  ')}  ${does}${several ? '; several times, or with commas, for several' : ''}`
})

export const help = `node server.ts [flags]         starts natter
node server.ts check [flags]   reads all that is in the data folder, and says whether it is whole

${helpLines.join('\n')}
  --${'help'.padEnd(widths[0]!)}  prints this

A flag wins over the environment variable beside it.`

/**
 * Reads flags and environment; undefined if only help was asked for.
 * @throws StartError in one line if one is unknown or can't be used.
 */
export function readSettings(
  args: readonly string[],
  environment: Record<string, string | undefined>,
): Settings | undefined {
  const flags = parseFlags(args)
  if (flags.help) return undefined
  const given = entries.map(([name, setting]) => [
    name,
    flags[setting.flag] ?? (environment[setting.environment] || undefined),
  ])
  return readValues(Object.fromEntries(given), (name) => `--${table[name].flag}`)
}

/**
 * Reads what is given of the settings, wherever it comes from; a list is as good as text with commas. `called` tells what each is
 * called there.
 * @throws StartError in one line if one can't be used
 */
export function readValues(
  given: Record<string, unknown>,
  called: (name: keyof Settings) => string = (name) => name,
): Settings {
  const values = entries.map(([name, { standard, read }]) => [
    name,
    read(String(given[name] ?? standard), called(name)),
  ])
  // `fromEntries` forgets which keys there are.
  return Object.fromEntries(values) as Settings
}

function parseFlags(args: readonly string[]) {
  const options: ParseArgsOptionsConfig = { help: { type: 'boolean', short: 'h' } }
  for (const [, { flag, several = false }] of entries) options[flag] = { type: 'string', multiple: several }
  try {
    return parseArgs({ args: [...args], options }).values
  } catch (error) {
    // Node's message is one sentence, then advice on `--` that is none here.
    throw new StartError(
      `${(error instanceof Error ? error.message : String(error)).split(/\.\s/)[0]}; --help lists the flags`,
    )
  }
}

function number(form: RegExp, what: string, most = Infinity) {
  return (value: string, name: string): number => {
    if (form.test(value) && Number(value) <= most) return Number(value)
    throw new StartError(`${name} must be ${what}, not ${JSON.stringify(value)}`)
  }
}

function notEmpty(value: string, name: string): string {
  if (value === '') throw new StartError(`${name} must not be empty`)
  return value
}

function accessOf(value: string, name: string): 'open' | 'invite' {
  if (value === 'open' || value === 'invite') return value
  throw new StartError(`${name} must be open or invite, not ${JSON.stringify(value)}`)
}

function nameOf(value: string, called: string): string {
  const name = value.trim()
  const { length } = [...name]
  if (length > 0 && length <= nameCharactersMax && !/\p{C}/u.test(name)) return name
  throw new StartError(
    `${called} must have 1 to ${nameCharactersMax} characters, all of them visible, not ${JSON.stringify(value)}`,
  )
}

function listOf(values: string): string[] {
  return values
    .split(',')
    .map((value) => value.trim())
    .filter(Boolean)
}

function originsOf(values: string, name: string): string[] {
  return listOf(values).map((value) => {
    const url = URL.parse(value)
    if (url && /^https?:$/.test(url.protocol) && url.href === `${url.origin}/`) return url.origin
    throw new StartError(`${name} must be like https://chat.example, not ${JSON.stringify(value)}`)
  })
}

const unitBytes: Record<string, number> = {
  '': 1,
  b: 1,
  kb: 1e3,
  mb: 1e6,
  gb: 1e9,
  tb: 1e12,
  kib: 2 ** 10,
  mib: 2 ** 20,
  gib: 2 ** 30,
  tib: 2 ** 40,
}

function reserveOf(values: string, name: string): DiskReserve {
  const reserve: DiskReserve = { bytes: Infinity, share: 1 }
  const list = listOf(values)
  for (const value of list) {
    const [, amount = '', unit = ''] = /^(\d{1,15}(?:\.\d{1,6})?) ?(%|[kmgt]?i?b|)$/i.exec(value) ?? []
    const bytes = unitBytes[unit.toLowerCase()]
    if (amount === '' || (unit === '%' ? Number(amount) > 100 : bytes === undefined)) throw unusable(value)
    if (unit === '%') reserve.share = Math.min(reserve.share, Number(amount) / 100)
    else reserve.bytes = Math.min(reserve.bytes, Number(amount) * bytes!)
  }
  if (list.length === 0) throw unusable(values)
  return reserve

  function unusable(value: string): StartError {
    return new StartError(`${name} must be like 1GiB, 500MB, 5% or 0, not ${JSON.stringify(value)}`)
  }
}

/**
 * Proxies that are believed. `byUrl`: nobody said which, so those on this machine are, but only where they pass on a `Host` that is one
 * of `--url`. A proxy that does so was set up for natter; one that was not may pass on whatever its clients write.
 */
export type TrustedProxies = BlockList & { readonly byUrl?: true }

function proxiesOf(values: string, name: string): TrustedProxies {
  if (values === 'by-url') return Object.assign(proxiesOf('loopback', name), { byUrl: true } as const)
  const proxies = new BlockList()
  for (const value of listOf(values).flatMap((given) => (given === 'loopback' ? ['127.0.0.0/8', '::1'] : [given]))) {
    const [, address = '', bits] = /^([0-9a-f.:]+)(?:\/(\d{1,3}))?$/i.exec(value) ?? []
    const version = isIP(address)
    const most = version === 4 ? 32 : 128
    if (version === 0 || Number(bits ?? most) > most)
      throw new StartError(
        `${name} must be an address, a range like 10.0.0.0/8, or loopback, not ${JSON.stringify(value)}`,
      )
    proxies.addSubnet(address, Number(bits ?? most), version === 4 ? 'ipv4' : 'ipv6')
  }
  return proxies
}
