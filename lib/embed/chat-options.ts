// What a program gives that mounts a chat in a server of its own. Most of it are the settings that flags give a server of ours,
// and they are read by the same code.

import type { IncomingMessage } from 'node:http'
import { readValues, table, type Settings } from '../config.ts'
import { StartError } from '../errors.ts'
import type { Identity } from './host-identity.ts'
import type { OwnServer } from '../http/guard.ts'
import { readBase } from '../http/target.ts'
import { log as logToStderr, type Log } from '../log.ts'

/** What `createChat` takes. Everything may be left out. */
export interface CreateChatOptions {
  /** The folder that keeps everything, for one chat at a time, made if need be; `./data` by default. `:memory:` keeps nothing once it closes. */
  data?: string | undefined
  /**
   * Where it is mounted, as a browser sees it: `/chat`, or `/team/chat` if an Express router at `/team` has it at `/chat`. All that
   * is below belongs to the chat, and all its links stay below. The root by default, which may be written as `''` or `'/'`.
   */
  path?: string | undefined
  /**
   * Says who sent a request, from the host's own session: it is asked for each request that needs it, and may take its time.
   * `undefined` or `null` is nobody, who may read what is open to everyone. Left out, natter keeps people of its own, who come in
   * on its page. Should it throw, or give what is no identity, that request alone is answered with 500, and the log says why.
   */
  identify?: Identify | undefined
  /** What the page calls this place; `natter` by default. */
  name?: string | undefined
  /** `open`, by default: nobody in particular may read open rooms, and come in as a guest. `invite`: neither. */
  access?: 'open' | 'invite' | undefined
  /**
   * Our public addresses, such as `https://chat.example`: pages from there may write, and if all are https cookies are `Secure`. With them a request
   * whose `Host` is none of them, and neither `localhost` nor an IP address, is answered with 421; without them it is the host's to refuse.
   */
  urls?: readonly string[] | undefined
  /** Other origins whose pages may use it (CORS); none by default. */
  allowOrigins?: readonly string[] | undefined
  /**
   * Proxies whose `X-Forwarded-For` counts for limits: addresses, ranges like `10.0.0.0/8`, `loopback`. By default, `by-url`, those on this machine
   * whose requests have a `Host` that is one of `urls`.
   */
  trustProxy?: string | readonly string[] | undefined
  /** How much a person may post, ten at once; 1 by default, 0 is no limit. What is posted by function has none. */
  postsPerSecond?: number | undefined
  /**
   * How much all guests of an address may change together: 10 a second by default, ten times that at once; 0 is no limit. Those are guests
   * whom `identify` gives the role `guest`, and natter's own where it is left out.
   */
  postsPerAddress?: number | undefined
  /** Streams that an address may have open; 100 by default, 0 is no limit. */
  streamsPerAddress?: number | undefined
  /**
   * Room that is left free on the disk: bytes, or text like `500MB`, `1GiB` and `5%`, the least of several. Below it only accounts, bots and
   * those whom `identify` gives another role than `guest` may add anything, and below a tenth of it nobody may, be it by function; they are
   * refused with `storage_low`. `1GiB,5%` by default, 0 is none.
   */
  diskReserve?: string | number | readonly string[] | undefined
  /** Takes a line for each thing of consequence; stderr by default. */
  log?: ((line: string) => void) | undefined
}

/** Tells who sent a request. Express's own request is one of these too, with all that other middleware has put on it. */
export type Identify = (request: IncomingMessage) => Identity | null | undefined | Promise<Identity | null | undefined>

/** What a chat needs to know, whoever carries it. */
export interface ChatSettings extends Omit<Settings, 'port' | 'host'> {
  /** The path that all of it is below, as `readBase` gives it. */
  base: string
  identify?: Identify | undefined
  log: Log
  /** Undefined where another program's server carries it. */
  server?: OwnServer | undefined
  /** How many of the newest events are kept in memory. */
  ring?: number | undefined
}

const names: readonly string[] = Object.keys(table).filter((name) => name !== 'port' && name !== 'host')

/** @throws TypeError that names the option which can't be used */
export function readOptions({ path = '', identify, log = logToStderr, ...settings }: CreateChatOptions): ChatSettings {
  if (identify !== undefined && typeof identify !== 'function')
    throw new TypeError('identify must be a function that takes a request')
  if (typeof log !== 'function') throw new TypeError('log must be a function that takes a line')
  for (const [name, value] of Object.entries(settings)) {
    // A name that is mistyped would be a limit, or an identity, that is not there.
    if (!names.includes(name))
      throw new TypeError(`there is no option ${name.slice(0, 40)}; there are ${names.join(', ')}, path, identify, log`)
    if (value !== undefined && ![value].flat().every((one) => typeof one === 'string' || typeof one === 'number'))
      throw new TypeError(`${name} must be text or a number, or a list of these`)
  }
  try {
    return { ...readValues(settings), base: readBase(path), identify, log }
  } catch (error) {
    throw error instanceof StartError ? new TypeError(error.message) : error
  }
}
