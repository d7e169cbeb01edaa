// The settings: one table gives the flags, the environment variables, the checks and the help.

import { parseArgs } from 'node:util'
import { StartError } from './errors.ts'

export interface Settings {
  port: number
  host: string
  data: string
  urls: string[]
}

interface Setting {
  flag: string
  environment: string
  standard: string
  /** What `--help` says of it. */
  help: string
}

const table = [
  { flag: 'port', environment: 'PORT', standard: '8080', help: 'where it listens; 0 takes a free one' },
  { flag: 'host', environment: 'HOST', standard: '127.0.0.1', help: 'which address; 0.0.0.0 lets other machines in' },
  { flag: 'data', environment: 'NATTER_DATA', standard: './data', help: 'the folder that keeps everything; :memory: keeps nothing once it stops' },
  { flag: 'url', environment: 'NATTER_URL', standard: '', help: 'our public address, if a proxy stands in front; several times, or with commas, for several' },
] as const satisfies readonly Setting[]

type Flag = (typeof table)[number]['flag']

export const help = `node server.ts [flags]         starts natter
node server.ts check [flags]   reads all that is in the data folder, and says whether it is whole

${table.map(({ flag, environment, standard, help }) => `  --${flag.padEnd(6)} ${environment.padEnd(12)} ${standard.padEnd(11)} ${help}`).join('\n')}
  --help   prints this

A flag wins over the environment variable beside it.`

/**
 * Reads flags and environment; undefined if only help was asked for.
 * @throws StartError in one line if one is unknown or can't be used.
 */
export function readSettings(args: readonly string[], environment: Record<string, string | undefined>): Settings | undefined {
  const flags = parseFlags(args)
  if (flags.help) return undefined
  const given = (flag: Flag) => flags[flag]?.at(-1) ?? (environment[settingOf(flag).environment] || settingOf(flag).standard)
  return {
    port: portOf(given('port')),
    host: notEmpty('--host', given('host')),
    data: notEmpty('--data', given('data')),
    urls: (flags.url ?? [given('url')]).flatMap((urls) => urls.split(',')).filter(Boolean).map(urlOf),
  }
}

function settingOf(flag: Flag): Setting {
  return table.find((setting) => setting.flag === flag)!
}

function parseFlags(args: readonly string[]) {
  const several = { type: 'string', multiple: true } as const // the last one counts
  try {
    return parseArgs({ args: [...args], options: { port: several, host: several, data: several, url: several, help: { type: 'boolean', short: 'h' } } }).values
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

function urlOf(value: string): string {
  const url = URL.canParse(value) ? new URL(value) : undefined
  if (url && /^https?:$/.test(url.protocol) && url.href === `${url.origin}/`) return url.origin
  throw new StartError(`--url must be like https://chat.example, not ${JSON.stringify(value)}`)
}
