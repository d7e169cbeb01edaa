// What a scene is: one kind of work, done on a server that was started for it; and what all scenes do.

import { cpus } from 'node:os'
import { fillWithTalk } from './folders.ts'
import { Load } from './load/load.ts'
import type { LoadReport } from './load/orders.ts'
import type { Peer, RunningPeer } from './peers.ts'
import type { Leftovers } from './started-process.ts'

export interface Scene {
  name: string
  work: string
  unit: string
  /** Who can do it; all, unless it says. */
  peers?: readonly string[]
  /** How often it is played, if not as often as most: what hardly differs from round to round, or takes long. */
  rounds?: number
  /** The folder with so many old messages that it is played on; it is made before, and is no part of the time. */
  oldMessages?: number
  /** Only with --full: what takes minutes, or much room on the disk. */
  long?: boolean
  /** Why it can't be played on this machine. */
  cannotRun?: () => string | undefined
  /** It is one of several that differ in the size of something, in order: how each compares with the first is what it is for. */
  grows?: { what: string; size: number }
  /** It can't be said how one compares with another. */
  incomparable?: boolean
  run(peer: Peer, place: Place): Promise<Figures>
}

export interface Figures {
  /** In the scene's unit. */
  value: number
  /** What else is to be said of it. */
  note?: string
  /** Microseconds of the server's processor for each delivery, post, page or reader. */
  cpuMicroseconds?: number
  /** The part of them that was not spent on the main thread. */
  besideLoop?: number
  /** Microseconds of the load program's processor for each. */
  loadMicroseconds?: number
  /** The load program needed more time for each than the server did, so the server could do more. */
  limitedByLoad?: boolean
  /** The part of the machine's processors that neither of them had, because somebody else did. */
  disturbed?: number
  p50?: number
  p99?: number
  p999?: number
}

/**
 * How long each of most scenes is played, in each round. V8 takes some seconds to compile what runs hot: until then a post to natter
 * takes half as much again.
 */
export const time = { warmUpMs: 4000, measuredMs: 1500 }

/** Where scenes are played. */
export class Place {
  readonly leftovers: Leftovers
  readonly #say: (line: string) => void
  readonly #filled = new Map<number, Promise<string>>()

  constructor(leftovers: Leftovers, say: (line: string) => void) {
    this.leftovers = leftovers
    this.#say = say
  }

  /** A data folder of natter with so many old messages in its lobby; the same one for all who ask. Nobody may add messages. */
  filledFolder(messages: number): Promise<string> {
    const filled = this.#filled.get(messages) ?? this.#fill(messages)
    this.#filled.set(messages, filled)
    return filled
  }

  async #fill(messages: number): Promise<string> {
    const folder = this.leftovers.folder()
    const began = performance.now()
    await fillWithTalk(folder, messages)
    this.#say(`${many(messages)} messages made in ${((performance.now() - began) / 1000).toFixed(0)} s`)
    return folder
  }
}

/** Starts a server and a load program, and ends both, whatever happens. */
export async function withServer(
  peer: Peer,
  leftovers: Leftovers,
  data: string | undefined,
  body: (server: RunningPeer, load: Load) => Promise<Figures>,
): Promise<Figures> {
  const server = await peer.start(leftovers, { data })
  const load = new Load(leftovers)
  try {
    return await body(server, load)
  } finally {
    await load.end()
    await server.stop(data === undefined ? 'SIGKILL' : 'SIGTERM')
  }
}

/** How many a second, and what each took. */
export function rateOf(report: LoadReport): Figures {
  const { count, seconds, serverCpuSeconds, mainThreadSeconds, loadCpuSeconds, othersCpuSeconds, p50, p99, p999 } =
    report
  return {
    value: count / seconds,
    cpuMicroseconds: (serverCpuSeconds / count) * 1e6,
    besideLoop: 1 - mainThreadSeconds / serverCpuSeconds,
    loadMicroseconds: (loadCpuSeconds / count) * 1e6,
    limitedByLoad: loadCpuSeconds > serverCpuSeconds,
    disturbed: Math.max(0, othersCpuSeconds / seconds / cpus().length),
    p50,
    p99,
    p999,
  }
}

export function many(count: number): string {
  return count.toLocaleString('en')
}

/** The middle one of these. */
export function middleOf(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? NaN
}
