// The order of a server's system calls: what is said to anybody must have been synced before.

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { patienceMs, startChat, temporaryFolder, type Scope } from '../chat-server.ts'
import { planted, Reader, theFirst, Writer } from './harness.ts'

const writersAtOnce = 4 // so that groups hold one post or several

export interface SystemCalls {
  faults: string[]
  /** Answers and frames that were looked at. */
  told: number
  syncs: number
  checkpoints: number
}

/** Runs a server under strace, with people who post and one who reads, and looks at what it did in which order. */
export async function watchSystemCalls(
  scope: Scope,
  { posts, fault, progress }: { posts: number; fault: string | undefined; progress: (text: string) => void },
): Promise<SystemCalls> {
  const folder = await temporaryFolder(scope)
  const log = join(folder, 'calls')
  const { execArgv = [], ...plantedElse } = planted(fault)
  // -D makes strace the grandchild: the process that we started, and will end, is the server.
  const traced = 'trace=pwrite64,fsync,fdatasync,write,writev,sendto,sendmsg'
  const tracing = ['-D', '-f', '--seccomp-bpf', '-q', '-y', '-s', '70000', '-o', log, '-e', traced, process.execPath]
  const chat = await startChat(scope, {
    data: join(folder, 'data'),
    node: 'strace',
    execArgv: [...tracing, ...execArgv],
    ...plantedElse,
  })
  const reader = await Reader.open(chat)
  scope.after(() => reader.leave())
  const writers = await Promise.all(
    Array.from({ length: writersAtOnce }, (_, number) => Writer.comeIn(chat, { name: `writer${number}` })),
  )
  let said = 0
  await Promise.all(
    writers.map(async (writer) => {
      while (said < posts) {
        const last = await writer.say(markOf(said++))
        if (!last) return
        progress(`${said} of ${posts} posts under strace`)
      }
    }),
  )
  await reader.reached(
    writers
      .map((writer) => writer.said.at(-1)?.id ?? '0')
      .sort()
      .at(-1)!,
  )
  await Promise.all(writers.map((writer) => writer.stop()))
  const { pid } = chat
  await chat.kill()
  const found = judge(await wholeLog(log, pid), posts)
  return { ...found, faults: [...writers.flatMap(({ faults }) => faults), ...found.faults] }
}

// None is the beginning of another.
function markOf(number: number): string {
  return `mark<${number}>`
}

// strace notes the end of the server after all else.
async function wholeLog(file: string, pid: number): Promise<string> {
  const givesUp = performance.now() + patienceMs
  for (;;) {
    const text = readFileSync(file, 'latin1')
    if (new RegExp(`^${pid} +\\+\\+\\+ `, 'm').test(text)) return text
    if (performance.now() > givesUp) throw new Error('strace did not get to its end')
    await sleep(20)
  }
}

interface Call {
  name: string
  /** What the file descriptor stands for. */
  path: string
  rest: string
  /** Lines of strace's output: where the call began, and where it had returned. */
  began: number
  returned: number
}

function readCalls(text: string): Call[] {
  const calls: Call[] = []
  const open = new Map<string, Call>()
  for (const [line, content] of text.split('\n').entries()) {
    const [, pid = '', what = ''] = /^(\d+) +(.*)$/.exec(content) ?? []
    const [, name, path, rest] = /^(\w+)\(\d+<([^>]*)>(.*)$/.exec(what) ?? []
    if (name !== undefined) {
      const call = { name, path: path!, rest: rest!, began: line, returned: line }
      calls.push(call)
      if (what.endsWith('<unfinished ...>')) {
        call.returned = Infinity
        open.set(pid, call)
      }
    } else if (what.startsWith('<... ')) {
      const call = open.get(pid)
      open.delete(pid)
      if (call) {
        call.rest += what
        call.returned = line
      }
    }
  }
  return calls
}

function judge(text: string, posts: number): SystemCalls {
  const faults: string[] = []
  const calls = readCalls(text)
  const toLog = calls.filter(({ name, path }) => name === 'pwrite64' && path.endsWith('/natter.db-wal'))
  const syncs = calls.filter(
    ({ name, path, rest }) => name.endsWith('sync') && path.endsWith('/natter.db-wal') && / = 0$/.test(rest),
  )
  const told = calls.filter(({ path }) => path.startsWith('socket:') || path.startsWith('TCP'))
  const firstWith = marksIn(toLog, posts)
  const toldWith = marksIn(told, posts)
  let looked = 0
  for (let number = 0; number < posts; number++) {
    const [insert] = firstWith[number]!
    if (!insert) faults.push(`${markOf(number)} was never written to the write-ahead log`)
    // Its answer, and its frame to the one reader.
    if (toldWith[number]!.length < 2)
      faults.push(`${markOf(number)} was told ${toldWith[number]!.length} times, not to its writer and its reader`)
    if (!insert) continue
    const synced = syncs.find(({ began }) => began > insert.returned)
    for (const { began } of toldWith[number]!) {
      looked++
      if (began > (synced?.returned ?? Infinity)) continue
      const when = synced ? `synced at ${synced.returned}` : 'never synced'
      faults.push(`${markOf(number)} was told at line ${began} of the calls, written at ${insert.began} and ${when}`)
    }
  }
  // A file that a power cut may take away whole has been synced in vain.
  const listed = calls.find(
    ({ name, path, began }) =>
      name.endsWith('sync') && toLog[0]?.path === `${path}/natter.db-wal` && began > toLog[0].began,
  )
  const firstTold = Math.min(...toldWith.flat().map(({ began }) => began))
  if (!listed || listed.returned > firstTold)
    faults.push('the folder was not synced after the write-ahead log was made')
  const checkpoints = judgeCheckpoints(calls, faults)
  return { faults: theFirst(faults), told: looked, syncs: syncs.length, checkpoints }
}

// For each post the calls whose data hold its mark; of those to the write-ahead log the first would do.
function marksIn(calls: readonly Call[], posts: number): Call[][] {
  const found: Call[][] = Array.from({ length: posts }, () => [])
  for (const call of calls) {
    const numbers = new Set([...call.rest.matchAll(/mark<(\d+)>/g)].map(([, number]) => Number(number)))
    for (const number of numbers) found[number]?.push(call)
  }
  return found
}

// The database gets nothing that the write-ahead log has not got for certain, and that begins anew only when the database has.
function judgeCheckpoints(calls: readonly Call[], faults: string[]): number {
  let logUnsynced = false
  let databaseUnsynced = false
  let checkpoints = 0
  for (const { name, path, rest } of calls) {
    const [toLog, toDatabase] = [path.endsWith('/natter.db-wal'), path.endsWith('/natter.db')]
    if (name.endsWith('sync')) {
      if (toLog) logUnsynced = false
      if (toDatabase) databaseUnsynced = false
    } else if (toDatabase) {
      if (!databaseUnsynced) checkpoints++
      if (logUnsynced) faults.push('the database was written before the write-ahead log was synced')
      databaseUnsynced = true
    } else if (toLog) {
      if (databaseUnsynced && /, 0\)/.test(rest))
        faults.push('the write-ahead log began anew before the database was synced')
      logUnsynced = true
    }
  }
  return checkpoints
}
